//! What time does to the file: what is pruned, and what is not.

use common::ids::{CardId, MessageId, SessionId};
use common::lang::Lang;
use common::message::Meta;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};

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
    step(&store, |step| step.apply(&changes));
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
