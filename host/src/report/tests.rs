//! Every card that a turn shows, and what is told of it.

use common::ids::{PromptId, Surface};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind};
use common::text::host::HostText;

use super::*;
use crate::cards::{self, Frame};
use crate::record::Ask;
use crate::session::progress::Progress;

fn node() -> NodeId {
    "lab-1".parse().unwrap()
}

fn whole() -> CauseId {
    CauseId::new(Surface::Feishu, "om_1")
}

fn frame() -> Frame<'static> {
    Frame {
        node: "Lab",
        dir: "demo",
        lang: Lang::En,
    }
}

fn shown(cause: &CauseId, card: CardId, rev: u32, view: View) -> Outbound {
    Outbound {
        meta: Meta::new(MessageId::new(), cause.clone(), ""),
        user: "feishu/ou_1".parse().unwrap(),
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Direct,
            message: None,
        },
        body: OutboundBody::Card { card, rev, view },
    }
}

fn told(card: CardId, rev: u32, view: View) -> Option<(TurnState, String)> {
    let cause = whole().at_node(&node());
    let outbound = shown(&cause, card, rev, view);
    of(&node(), &outbound).map(|report| (report.state, report.head))
}

fn turn() -> TurnId {
    turn_of(&whole().at_node(&node()))
}

#[test]
fn every_state_of_a_turn_is_told() {
    let progress = Progress::default();
    let card = card_of(turn());
    let done = |text: &str| cards::finished(frame(), &progress, text, &[]).remove(0);
    let broken = |tone, choices| {
        let why = HostText::Stopped;
        cards::broken(frame(), &progress, tone, &why, choices, None)
    };
    let choices = || cards::recovery(frame(), &HostText::Continue, &node(), turn());
    let stopped = HostText::Stopped;
    let said = common::text::Say::say(&stopped, Lang::En);
    let working = cards::working(frame(), &progress, &HostText::Working, &node(), turn());
    let table = [
        (working, TurnState::Working, String::new()),
        (
            cards::queued(frame(), "x", 1, &node(), turn(), true),
            TurnState::Queued,
            String::new(),
        ),
        (
            done("All  good.\n\nThe rest."),
            TurnState::Done,
            "All good. The rest.".into(),
        ),
        (
            broken(Tone::Failed, Vec::new()),
            TurnState::Failed,
            said.clone(),
        ),
        (
            broken(Tone::Warning, choices()),
            TurnState::CutOff,
            said.clone(),
        ),
        (broken(Tone::Warning, Vec::new()), TurnState::Stopped, said),
        (
            cards::note(frame(), Tone::Plain, &HostText::Cancelled),
            TurnState::Stopped,
            common::text::Say::say(&HostText::Cancelled, Lang::En),
        ),
    ];
    for (view, state, head) in table {
        assert_eq!(told(card, 2, view.clone()), Some((state, head)), "{view:?}");
    }
    let answer = cards::say("Lab", Lang::En, Tone::Plain, &HostText::NoSession);
    let reply = reply_of(&whole().at_node(&node()));
    assert_eq!(told(reply, 1, answer).unwrap().0, TurnState::Done);
}

#[test]
fn a_question_is_told_until_it_is_settled() {
    let ask = Ask {
        tool: "Bash".into(),
        about: None,
        lang: "sh".into(),
        body: "rm -rf build".into(),
        reason: None,
    };
    let prompt = PromptId::new();
    let card = CardId::new();
    let open = cards::question(frame(), &ask, &node(), prompt, None);
    let (state, head) = told(card, 1, open.clone()).unwrap();
    assert_eq!((state, head), (TurnState::Asking, open.title));
    let settled = cards::question(frame(), &ask, &node(), prompt, Some(&HostText::Stop));
    assert_eq!(told(card, 2, settled).unwrap().0, TurnState::GoesOn);
}

#[test]
fn what_nobody_collects_has_no_report() {
    let view = || cards::finished(frame(), &Progress::default(), "x", &[]).remove(0);
    let alone = shown(&whole(), card_of(turn_of(&whole())), 2, view());
    assert_eq!(of(&node(), &alone), None);
    // Another node's part, and a later piece of a long answer.
    let other: NodeId = "home".parse().unwrap();
    let theirs = whole().at_node(&other);
    let theirs = shown(&theirs, card_of(turn_of(&theirs)), 2, view());
    assert_eq!(of(&node(), &theirs), None);
    assert_eq!(told(CardId::new(), 1, view()), None);
}

#[test]
fn a_head_is_one_line_of_a_bounded_length() {
    assert_eq!(one_line("a\n b\t c"), "a b c");
    let long = one_line(&"word ".repeat(100));
    assert!(
        long.ends_with('…') && long.chars().count() <= MAX_HEAD + 1,
        "{long}"
    );
    let unbroken = one_line(&"字".repeat(500));
    assert_eq!(unbroken.chars().count(), MAX_HEAD);
    assert_eq!(one_line("  "), "");
}

proptest::proptest! {
    #[test]
    fn whatever_is_said_the_head_is_short(text in ".{0,400}") {
        let line = one_line(&text);
        proptest::prop_assert!(line.chars().count() <= MAX_HEAD + 1);
        proptest::prop_assert!(!line.contains('\n'));
    }
}
