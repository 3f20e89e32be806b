//! What news make of a line, in whatever order they come.

use common::ids::Surface;
use common::message::Meta;
use common::message::inbound::{ChatKind, InboundBody};
use common::message::turn::TurnState;
use proptest::prelude::*;

use super::*;
use crate::waiting::{Refusal, State, Waits};

fn node() -> NodeId {
    "lab-1".parse().unwrap()
}

fn inbound() -> Inbound {
    let cause = CauseId::new(Surface::Feishu, "om_1");
    Inbound {
        meta: Meta::new(MessageId::new(), cause, ""),
        user: "feishu/ou_1".parse().unwrap(),
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Direct,
            message: None,
        },
        lang: None,
        body: InboundBody::Text { text: "hi".into() },
    }
}

fn line(state: LineState) -> Line {
    Line {
        node: node(),
        name: "Lab".into(),
        state,
        head: String::new(),
    }
}

fn report(state: TurnState, head: &str) -> TurnReport {
    let cause = inbound().meta.cause.at_node(&node());
    TurnReport {
        meta: Meta::new(MessageId::new(), cause, ""),
        node: node(),
        user: inbound().user,
        state,
        head: head.into(),
    }
}

fn entry(state: State) -> Entry {
    let inbound = inbound();
    Entry {
        cause: inbound.meta.cause.at_node(&node()),
        first: inbound.meta.cause.at_node(&node()),
        user: inbound.user,
        chat: inbound.chat,
        lang: Lang::En,
        traceparent: String::new(),
        node: node(),
        name: "Lab".into(),
        tap: false,
        sequence: 7,
        at: DateTime::UNIX_EPOCH,
        rev: 1,
        open: false,
        state,
    }
}

fn by() -> CauseId {
    CauseId::new(Surface::Feishu, "tap")
}

/// Every state, and whether nothing more comes by itself.
fn states() -> Vec<(LineState, bool)> {
    vec![
        (LineState::Pending, false),
        (LineState::Sent, false),
        (
            LineState::Waits {
                since: None,
                trouble: None,
            },
            false,
        ),
        (LineState::Queued, false),
        (LineState::Working, false),
        (LineState::Asking, false),
        (LineState::Done, true),
        (LineState::Stopped, true),
        (LineState::CutOff, false),
        (LineState::Failed, true),
        (
            LineState::Refused {
                why: Refusal::Queue,
            },
            true,
        ),
        (LineState::Cancelled, true),
        (LineState::Unsure, false),
        (LineState::Expired { kept: true }, true),
        (LineState::Removed, true),
    ]
}

#[test]
fn a_message_is_over_when_every_line_is() {
    for (state, is_final) in states() {
        assert_eq!(state.is_final(), is_final, "{state:?}");
        let mut fan = Fan::begin(&inbound(), Lang::En, "hi".into(), &[]);
        fan.lines = vec![line(LineState::Done), line(state.clone())];
        assert_eq!(fan.is_over(), is_final, "{state:?}");
    }
}

#[test]
fn what_a_node_says_of_its_turn_counts() {
    let sent = line(LineState::Sent);
    let done = sent
        .reported(&report(TurnState::Done, "all\u{7} good"))
        .unwrap();
    assert_eq!(
        (&done.state, done.head.as_str()),
        (&LineState::Done, "all good")
    );
    // The same once more changes nothing, and waiting is older news.
    assert_eq!(done.reported(&report(TurnState::Done, "all good")), None);
    let taken = entry(State::Taken { count: 1 });
    assert_eq!(done.waits(&taken), None);
    // [Try again] on its own card.
    let again = done.reported(&report(TurnState::Working, "")).unwrap();
    assert_eq!(
        (&again.state, again.head.as_str()),
        (&LineState::Working, "")
    );
    // A settled question does not wake what has ended.
    let asking = line(LineState::Asking);
    let goes_on = report(TurnState::GoesOn, "");
    assert_eq!(asking.reported(&goes_on).unwrap().state, LineState::Working);
    assert_eq!(done.reported(&goes_on), None);
    let long = report(TurnState::Done, &"x".repeat(10_000));
    assert!(sent.reported(&long).unwrap().head.len() < 200);
}

#[test]
fn what_waits_is_told_on_its_line() {
    let pending = line(LineState::Sent);
    let table = [
        (
            State::Waiting(Waits::default()),
            LineState::Waits {
                since: None,
                trouble: None,
            },
        ),
        (State::Withdrawn { by: by() }, LineState::Cancelled),
        (State::Asked { by: by() }, LineState::Unsure),
        (
            State::Expired {
                sure: true,
                kept: true,
            },
            LineState::Expired { kept: true },
        ),
        (
            State::Removed {
                sure: true,
                kept: false,
                others: Vec::new(),
            },
            LineState::Removed,
        ),
    ];
    for (state, wanted) in table {
        assert_eq!(pending.waits(&entry(state)).unwrap().state, wanted);
    }
    let off = line(LineState::Waits {
        since: None,
        trouble: None,
    });
    let taken = off.waits(&entry(State::Taken { count: 1 })).unwrap();
    assert_eq!(taken.state, LineState::Sent);
}

#[test]
fn only_what_changes_makes_a_revision() {
    let fan = Fan {
        lines: vec![line(LineState::Sent)],
        ..Fan::begin(&inbound(), Lang::En, "hi".into(), &[])
    };
    assert_eq!(fan.with(|_| None), None);
    let next = fan.with(|line| Some(line.to(LineState::Working))).unwrap();
    assert_eq!((next.rev, next.settled), (2, false));
}

#[test]
fn a_full_record_fits_the_bucket() {
    let long = "字".repeat(100);
    let one = Candidate {
        node: "x".repeat(32).parse().unwrap(),
        name: long.clone(),
    };
    let mut fan = Fan::begin(&inbound(), Lang::Zh, long, &vec![one; MAX_LINES]);
    for line in &mut fan.lines {
        line.state = LineState::Done;
        line.head = "字".repeat(161);
    }
    let bytes = serde_json::to_vec(&fan).unwrap().len();
    assert!(
        bytes < usize::try_from(crate::provision::MAX_VALUE).unwrap(),
        "{bytes}"
    );
}

proptest! {
    /// Whatever else is heard, and in whatever order with it, a turn's end stays its end.
    #[test]
    fn an_end_is_no_earlier_state_again(news in proptest::collection::vec(0_usize..4, 0..8)) {
        let mut now = line(LineState::Sent).reported(&report(TurnState::Done, "x")).unwrap();
        for one in news {
            let next = match one {
                0 => now.waits(&entry(State::Waiting(Waits::default()))),
                1 => now.waits(&entry(State::Taken { count: 1 })),
                2 => now.reported(&report(TurnState::GoesOn, "")),
                _ => now.waits(&entry(State::Asked { by: by() })),
            };
            now = next.unwrap_or(now);
        }
        prop_assert_eq!(now.state, LineState::Done);
    }
}
