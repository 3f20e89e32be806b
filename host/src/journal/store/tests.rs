//! What time does to the file: what is pruned, and what is not.

use common::ids::{CardId, MessageId, SessionId};
use common::lang::Lang;
use common::message::Meta;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};

use common::message::outbound::Outbound;

use super::*;
use crate::record::{Ask, PromptRecord};

fn chat() -> Chat {
    Chat {
        id: "oc_1".into(),
        kind: ChatKind::Direct,
        message: None,
    }
}

fn cause(n: u32) -> CauseId {
    CauseId::new(common::ids::Surface::Feishu, &format!("om_{n}"))
}

fn work(n: u32) -> Work {
    let meta = Meta::new(MessageId::new(), cause(n), "");
    Work {
        meta: meta.clone(),
        node: "home".parse().unwrap(),
        lang: Lang::En,
        inbound: Inbound {
            meta,
            user: "ou_1".parse().unwrap(),
            chat: chat(),
            lang: None,
            body: InboundBody::Text { text: "hi".into() },
        },
    }
}

fn prompt(state: PromptState, asked_at: DateTime<Utc>) -> PromptRecord {
    PromptRecord {
        id: PromptId::new(),
        session: SessionId::new(),
        user: "ou_1".parse().unwrap(),
        chat: chat(),
        lang: Lang::En,
        cause: cause(0),
        card: CardId::new(),
        request: "r".into(),
        ask: Ask {
            tool: "Bash".into(),
            about: None,
            lang: "bash".into(),
            body: "ls".into(),
            reason: None,
        },
        state,
        asked_at,
    }
}

fn step<T>(store: &Store, act: impl FnOnce(&mut Step) -> Result<T, JournalError>) -> T {
    let mut step = store.begin().unwrap();
    let value = act(&mut step).unwrap();
    step.commit().unwrap();
    value
}

#[test]
fn an_act_is_recognised_for_a_week_and_waits_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let place = step(&store, |step| step.accept(&work(1)));
    assert!(place.is_some());
    let now = Utc::now();
    let (day, second) = (Duration::days(1), Duration::seconds(1));
    step(&store, |step| step.prune(now + SEEN_FOR - day));
    assert_eq!(step(&store, |step| step.accept(&work(1))), None);
    assert!(store.seen(&cause(1)).unwrap());
    step(&store, |step| step.prune(now + SEEN_FOR + second));
    assert!(!store.seen(&cause(1)).unwrap());
    let inbox = store.snapshot().unwrap().inbox;
    assert_eq!(inbox.len(), 1, "what is not dealt with is never pruned");
    assert_eq!(Some(inbox[0].place), place);
}

#[test]
fn open_questions_outlive_answered_ones() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let now = Utc::now();
    let old = now - PROMPTS_FOR - Duration::seconds(1);
    let open = prompt(PromptState::Open, old);
    let gone = prompt(PromptState::Withdrawn { at: now }, old);
    let fresh = prompt(PromptState::Withdrawn { at: now }, now - Duration::days(6));
    let changes = [&open, &gone, &fresh].map(|one| Change::Prompt(Box::new(one.clone())));
    step(&store, |step| step.apply(&changes, &HashSet::new()));
    step(&store, |step| step.prune(now));
    assert_eq!(store.prompt(open.id).unwrap(), Some(open));
    assert_eq!(store.prompt(gone.id).unwrap(), None);
    assert_eq!(store.prompt(fresh.id).unwrap(), Some(fresh));
}

#[test]
fn a_step_that_is_not_committed_never_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let mut dropped = store.begin().unwrap();
    assert!(dropped.accept(&work(1)).unwrap().is_some());
    drop(dropped);
    assert!(!store.seen(&cause(1)).unwrap());
    assert!(store.snapshot().unwrap().inbox.is_empty());
    assert_eq!(step(&store, |step| step.accept(&work(1))), Some(1));
}

fn outbound(n: u32) -> Outbound {
    Outbound {
        meta: Meta::new(MessageId::derived(&["out", &n.to_string()]), cause(n), ""),
        user: "ou_1".parse().unwrap(),
        chat: chat(),
        body: common::message::outbound::OutboundBody::Notice { text: "hi".into() },
    }
}

/// A step that was told as failed and is on the disk all the same, as after a flush that failed.
#[test]
fn what_a_failed_step_left_is_taken_back_or_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let send = [Change::Send(Box::new(outbound(7)))];
    let added = step(&store, |step| {
        assert_eq!(step.accept(&work(1))?, Some(1));
        step.apply(&send, &HashSet::new())?;
        Ok(step.take_added())
    });
    // Of this one nothing is on the disk.
    let mut gone = store.begin().unwrap();
    assert_eq!(gone.accept(&work(2)).unwrap(), Some(2));
    gone.apply(&[Change::Send(Box::new(outbound(8)))], &HashSet::new())
        .unwrap();
    let nowhere = gone.take_added();
    drop((gone, store));

    let (mut store, there) = Store::reopen(dir.path(), &[added, nowhere]).unwrap();
    assert_eq!(there, [outbound(7).meta.id]);
    assert!(store.snapshot().unwrap().inbox.is_empty());
    // The broker delivers both again, and both are new.
    for n in [1, 2] {
        assert!(step(&store, |step| step.accept(&work(n))).is_some());
    }
    // The sender adds both again: the one that is there is added no second time.
    let there = there.into_iter().collect();
    step(&store, |step| step.apply(&send, &there));
    let other = [Change::Send(Box::new(outbound(8)))];
    step(&store, |step| step.apply(&other, &there));
    let ids: Vec<_> = store
        .outbox(0, 10)
        .unwrap()
        .into_iter()
        .map(|one| one.outbound.meta.id)
        .collect();
    assert_eq!(ids, [outbound(7).meta.id, outbound(8).meta.id]);
}

#[test]
fn a_file_that_is_gone_is_not_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    std::fs::remove_file(dir.path().join("journal.redb")).unwrap();
    assert!(Store::reopen(dir.path(), &[]).is_err());
    assert!(!dir.path().join("journal.redb").exists());
}

#[test]
fn what_is_taken_back_before_it_came_is_not_taken_when_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let none = HashSet::new();
    let place = step(&store, |step| step.accept(&work(9))).unwrap();
    let done = [Change::Done(place)];
    // The same step twice, as after one whose end was unclear: the same answer.
    for _ in 0..2 {
        assert!(step(&store, |step| step.withdraw(&cause(1), &done, &none)));
        assert!(store.seen(&cause(1)).unwrap());
        assert!(store.snapshot().unwrap().inbox.is_empty());
    }
    assert_eq!(step(&store, |step| step.accept(&work(1))), None);
    // As long as any other act, and then it is forgotten.
    let now = Utc::now();
    step(&store, |step| step.withdraw(&cause(2), &[], &none));
    step(&store, |step| {
        step.prune(now + SEEN_FOR - Duration::days(1))
    });
    assert!(store.seen(&cause(2)).unwrap());
    step(&store, |step| {
        step.prune(now + SEEN_FOR + Duration::days(1))
    });
    assert!(!store.seen(&cause(2)).unwrap());
    // What came before stays, and nothing of the step is done.
    let place = step(&store, |step| step.accept(&work(3))).unwrap();
    let done = [Change::Done(place)];
    assert!(!step(&store, |step| step.withdraw(&cause(3), &done, &none)));
    assert_eq!(store.snapshot().unwrap().inbox.len(), 1);
}
