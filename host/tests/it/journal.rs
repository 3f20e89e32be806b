//! The journal from outside: what is told as written is there after a crash, nothing is there
//! twice, nothing by halves, and a file that cannot be read is left as it is.

mod damage;
mod disk;
mod memory;

use std::path::Path;
use std::time::{Duration, Instant};

use common::ids::{CardId, CauseId, MessageId, SessionId, Surface, TurnId};
use common::lang::Lang;
use common::message::Meta;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};
use common::message::outbound::{Outbound, OutboundBody};
use common::message::work::Work;
use host::journal::{Change, Journal, JournalError, Snapshot};
use host::record::{Mode, SessionRecord, TurnRecord, TurnState, UserRecord};
use uuid::Uuid;

fn chat() -> Chat {
    Chat {
        id: "oc_1".into(),
        kind: ChatKind::Direct,
        message: None,
    }
}

pub(crate) fn work(cause: &str) -> Work {
    let cause = CauseId::new(Surface::Feishu, cause);
    let meta = |what: &str| {
        Meta::new(
            MessageId::derived(&[cause.as_str(), what]),
            cause.clone(),
            "",
        )
    };
    Work {
        meta: meta("work"),
        node: "home".parse().unwrap(),
        lang: Lang::En,
        inbound: Inbound {
            meta: meta("inbound"),
            user: "ou_1".parse().unwrap(),
            chat: chat(),
            lang: None,
            body: InboundBody::Text { text: "hi".into() },
        },
    }
}

pub(crate) fn notice(text: &str) -> Change {
    let cause = CauseId::new(Surface::Feishu, "om_out");
    Change::Send(Box::new(Outbound {
        meta: Meta::new(MessageId::derived(&["out", text]), cause, ""),
        user: "ou_1".parse().unwrap(),
        chat: chat(),
        body: OutboundBody::Notice { text: text.into() },
    }))
}

fn said(outbound: &Outbound) -> &str {
    match &outbound.body {
        OutboundBody::Notice { text } => text,
        OutboundBody::Card { .. } | OutboundBody::File { .. } | OutboundBody::Fetch { .. } => {
            panic!("no cards here")
        }
    }
}

fn user(n: u8) -> UserRecord {
    UserRecord {
        user: format!("ou_{n}").parse().unwrap(),
        active: None,
        mode: Mode::Direct,
        closing: Vec::new(),
    }
}

fn session() -> SessionRecord {
    let now = chrono::Utc::now();
    SessionRecord {
        id: SessionId::new(),
        user: "ou_1".parse().unwrap(),
        dir: "demo".into(),
        agent_session: Uuid::new_v4(),
        created_at: now,
        used_at: now,
        timeout_s: 60,
        idle_s: 60,
        process: None,
    }
}

fn turn(session: &SessionRecord, n: usize) -> TurnRecord {
    let id = TurnId::derived(&[&session.id.to_string(), &n.to_string()]);
    TurnRecord {
        id,
        session: session.id,
        user: session.user.clone(),
        chat: chat(),
        lang: Lang::En,
        cause: CauseId::new(Surface::Feishu, &format!("om_{n}")),
        traceparent: String::new(),
        text: format!("text {n}"),
        attachments: Vec::new(),
        asked: None,
        given: false,
        key: Uuid::new_v4(),
        card: CardId::new(),
        rev: 0,
        created_at: session.created_at + chrono::Duration::seconds(i64::try_from(n).unwrap()),
        state: TurnState::Queued,
    }
}

/// Opens a journal whose last handle was just dropped: its thread closes the file a moment later.
async fn reopen(dir: &Path) -> (Journal, Snapshot) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match Journal::open(dir) {
            Ok(open) => return open,
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// What a crash right now would leave: a copy of the file, opened by itself.
async fn after_a_crash(dir: &Path) -> (tempfile::TempDir, Journal, Snapshot) {
    let copy = tempfile::tempdir().unwrap();
    let name = "journal.redb";
    std::fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    let (journal, snapshot) = reopen(copy.path()).await;
    (copy, journal, snapshot)
}

async fn outbox(journal: &Journal) -> Vec<String> {
    let waiting = journal.outbox(0, usize::MAX).await.unwrap();
    let places: Vec<u64> = waiting.iter().map(|one| one.place).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
    waiting
        .iter()
        .map(|one| said(&one.outbound).to_owned())
        .collect()
}

#[tokio::test]
async fn an_act_is_taken_once() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, snapshot) = Journal::open(dir.path()).unwrap();
    assert!(snapshot.inbox.is_empty());
    let first = journal.accept(work("om_1")).await.unwrap().unwrap();
    // The same act under another message id, as a platform repeats it.
    let mut again = work("om_1");
    again.meta.id = MessageId::new();
    assert_eq!(journal.accept(again.clone()).await.unwrap(), None);
    let second = journal.accept(work("om_2")).await.unwrap().unwrap();
    assert!(second > first);
    assert!(journal.seen(work("om_1").inbound.meta.cause).await.unwrap());

    // Dealt with: gone from the inbox, still recognised, its place never given again.
    journal.commit(vec![Change::Done(first)]).await.unwrap();
    assert_eq!(journal.accept(again.clone()).await.unwrap(), None);
    drop(journal);
    let (journal, snapshot) = reopen(dir.path()).await;
    let waiting: Vec<u64> = snapshot.inbox.iter().map(|one| one.place).collect();
    assert_eq!(waiting, [second]);
    assert_eq!(snapshot.inbox[0].work, work_like(&snapshot.inbox[0].work));
    assert_eq!(journal.accept(again).await.unwrap(), None);
    journal.commit(vec![Change::Done(second)]).await.unwrap();
    let third = journal.accept(work("om_3")).await.unwrap().unwrap();
    assert!(third > second);
}

/// The same work, but for the time in its heads.
fn work_like(other: &Work) -> Work {
    let mut work = work("om_2");
    work.meta.sent_at = other.meta.sent_at;
    work.inbound.meta.sent_at = other.inbound.meta.sent_at;
    work
}

#[tokio::test]
async fn a_hundred_steps_at_once_are_all_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let mut steps = tokio::task::JoinSet::new();
    for n in 0..100 {
        let journal = journal.clone();
        steps.spawn(async move {
            let taken = journal.accept(work(&format!("om_{n}"))).await.unwrap();
            let text = format!("{n}");
            journal
                .commit(vec![Change::Done(taken.unwrap()), notice(&text)])
                .await
                .unwrap();
        });
    }
    while let Some(done) = steps.join_next().await {
        done.unwrap();
    }
    // The file as it is now, while the journal is still open.
    let (_copy, crashed, snapshot) = after_a_crash(dir.path()).await;
    assert!(snapshot.inbox.is_empty());
    let mut texts: Vec<u32> = outbox(&crashed)
        .await
        .iter()
        .map(|n| n.parse().unwrap())
        .collect();
    texts.sort_unstable();
    assert_eq!(texts, (0..100).collect::<Vec<_>>());
    for n in 0..100 {
        let again = crashed.accept(work(&format!("om_{n}"))).await.unwrap();
        assert_eq!(again, None, "om_{n}");
    }
}

#[tokio::test]
async fn a_step_is_whole_after_a_crash_and_records_are_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let place = journal.accept(work("om_1")).await.unwrap().unwrap();
    let mut grown = journal.outbox_grown();
    let (one, two) = (session(), session());
    let mut turns: Vec<TurnRecord> = (0..3).map(|n| turn(&one, n)).collect();
    turns[1].state = TurnState::Started {
        at: chrono::Utc::now(),
    };
    let mut changes = vec![
        Change::User(user(1)),
        Change::Session(Box::new(one.clone())),
        Change::Session(Box::new(two.clone())),
        Change::Done(place),
        notice("a"),
        notice("b"),
    ];
    // Written out of order; they come back by age.
    changes.extend(
        turns
            .iter()
            .rev()
            .map(|turn| Change::Turn(Box::new(turn.clone()))),
    );
    journal.commit(changes).await.unwrap();
    let woken = tokio::time::timeout(Duration::from_secs(20), grown.changed()).await;
    woken.expect("whoever sends is woken").unwrap();

    let (_copy, crashed, snapshot) = after_a_crash(dir.path()).await;
    assert!(snapshot.inbox.is_empty());
    assert_eq!(snapshot.users, [user(1)]);
    assert_eq!(snapshot.sessions, [one.clone(), two.clone()]);
    assert_eq!(snapshot.turns, turns);
    assert_eq!(outbox(&crashed).await, ["a", "b"]);
    assert_eq!(
        crashed.turn(turns[0].id).await.unwrap(),
        Some(turns[0].clone())
    );

    journal
        .commit(vec![
            Change::DropTurn(turns[0].id),
            Change::DropSession(two.id),
            Change::Sent(1),
            notice("c"),
        ])
        .await
        .unwrap();
    let (_copy, crashed, snapshot) = after_a_crash(dir.path()).await;
    assert_eq!(snapshot.sessions, [one]);
    assert_eq!(snapshot.turns, turns[1..]);
    assert_eq!(outbox(&crashed).await, ["b", "c"]);
    assert_eq!(crashed.turn(turns[0].id).await.unwrap(), None);
    assert_eq!(crashed.outbox(1, 1).await.unwrap()[0].place, 2);
    assert_eq!(crashed.outbox(2, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn that_a_message_is_sent_holds_at_once_and_reaches_the_disk_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    journal
        .commit(vec![notice("a"), notice("b")])
        .await
        .unwrap();
    journal.commit(vec![Change::Sent(1)]).await.unwrap();
    assert_eq!(outbox(&journal).await, ["b"]);
    // Whatever else is written takes it along.
    journal.commit(vec![notice("c")]).await.unwrap();
    let (_copy, crashed, _) = after_a_crash(dir.path()).await;
    assert_eq!(outbox(&crashed).await, ["b", "c"]);

    // And where nothing else is, it goes alone.
    journal.commit(vec![Change::Sent(2)]).await.unwrap();
    journal.commit(vec![Change::Sent(3)]).await.unwrap();
    assert!(outbox(&journal).await.is_empty());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (_copy, crashed, _) = after_a_crash(dir.path()).await;
        let left = outbox(&crashed).await;
        if left.is_empty() {
            break;
        }
        // Never one without the other before it.
        assert!(left == ["b", "c"] || left == ["c"], "{left:?}");
        assert!(Instant::now() < deadline, "{left:?}");
    }
    // An orderly end leaves nothing behind either.
    journal.commit(vec![notice("d")]).await.unwrap();
    journal.commit(vec![Change::Sent(4)]).await.unwrap();
    drop(journal);
    let (journal, _) = reopen(dir.path()).await;
    assert!(outbox(&journal).await.is_empty());
}

#[tokio::test]
async fn a_journal_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let refused = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(refused, JournalError::Open { .. }));
    let path = dir.path().join("journal.redb").display().to_string();
    assert_eq!(
        refused.to_string(),
        format!(
            "the journal {path} cannot be opened: another process has it open; is a second host running on this folder?"
        )
    );
    // The first one is not disturbed.
    assert!(journal.accept(work("om_1")).await.unwrap().is_some());
}
