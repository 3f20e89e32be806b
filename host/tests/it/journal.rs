//! The journal from outside: what is told as written is there after a crash, nothing is there
//! twice, nothing by halves, and a file that cannot be read is left as it is.

use std::collections::BTreeMap;
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
use proptest::prelude::*;
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
        OutboundBody::Card { .. } => panic!("no cards here"),
    }
}

fn user(n: u8) -> UserRecord {
    UserRecord {
        user: format!("ou_{n}").parse().unwrap(),
        active: None,
        mode: Mode::Direct,
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

/// Spoils a journal in a way, and says what opening it then does.
async fn spoiled(spoil: impl FnOnce(&mut Vec<u8>)) -> (Vec<u8>, Vec<u8>, Result<usize, String>) {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    for n in 0..200 {
        journal.accept(work(&format!("om_{n}"))).await.unwrap();
    }
    let path = dir.path().join("journal.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    spoil(&mut bytes);
    drop(journal);
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("journal.redb");
    std::fs::write(&path, &bytes).unwrap();
    let opened = Journal::open(copy.path());
    let result = match &opened {
        Ok((_, snapshot)) => Ok(snapshot.inbox.len()),
        Err(why) => Err(why.to_string()),
    };
    (bytes, std::fs::read(&path).unwrap(), result)
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused_and_left_alone() {
    let (before, after, result) = spoiled(|bytes| {
        bytes.clear();
        bytes.extend(b"not a journal at all, but somebody's notes");
    })
    .await;
    let why = result.unwrap_err();
    assert!(why.contains("journal.redb cannot be opened: "), "{why}");
    assert!(why.contains("move it away"), "{why}");
    assert!(before == after, "the file was changed");

    let (before, after, result) = spoiled(|bytes| bytes[..64].fill(0xff)).await;
    let why = result.unwrap_err();
    assert!(why.contains("journal.redb cannot be opened: "), "{why}");
    assert!(before == after, "the file was changed");
}

#[tokio::test]
async fn a_file_cut_short_is_refused_and_left_alone() {
    for keep in [8, 2, 1] {
        let (before, after, result) =
            spoiled(|bytes| bytes.truncate(bytes.len() * keep / 10)).await;
        let why = result.unwrap_err();
        assert!(
            why.contains("journal.redb cannot be opened: "),
            "{keep}: {why}"
        );
        assert!(before == after, "the file was changed");
    }
}

#[tokio::test]
async fn damage_in_the_middle_is_noticed_or_harmless() {
    let mut refused = 0;
    for tenth in 1..10 {
        let (_, _, result) = spoiled(|bytes| {
            let at = bytes.len() * tenth / 10 / 4096 * 4096;
            bytes[at..at + 4096].fill(0xff);
        })
        .await;
        match result {
            // The last step alone cannot be told from one that a power cut left half written.
            Ok(acts) => assert!(acts >= 199, "{acts} of 200: lost without a word"),
            Err(why) => {
                assert!(
                    why.contains("damaged") && why.contains("move it away"),
                    "{why}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "none of the damage was anywhere that counts");
}

#[derive(Debug, Clone)]
enum Act {
    Accept(u8),
    Done,
    Send(u8),
    Sent,
    User(u8),
    Reopen,
    Crash,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..12_u8).prop_map(Act::Accept),
        2 => Just(Act::Done),
        3 => any::<u8>().prop_map(Act::Send),
        2 => Just(Act::Sent),
        1 => (0..3_u8).prop_map(Act::User),
        1 => Just(Act::Reopen),
        1 => Just(Act::Crash),
    ];
    proptest::collection::vec(act, 1..40)
}

/// What the journal has to remember.
#[derive(Default)]
struct Expected {
    seen: Vec<String>,
    inbox: Vec<(u64, String)>,
    outbox: Vec<(u64, String)>,
    users: BTreeMap<String, UserRecord>,
}

impl Expected {
    async fn check(&self, journal: &Journal, snapshot: &Snapshot) {
        let inbox: Vec<(u64, String)> = snapshot
            .inbox
            .iter()
            .map(|one| (one.place, one.work.inbound.meta.cause.to_string()))
            .collect();
        assert_eq!(inbox, self.inbox);
        let users: Vec<UserRecord> = self.users.values().cloned().collect();
        assert_eq!(snapshot.users, users);
        let waiting = journal.outbox(0, usize::MAX).await.unwrap();
        let waiting: Vec<(u64, String)> = waiting
            .iter()
            .map(|one| (one.place, said(&one.outbound).to_owned()))
            .collect();
        assert_eq!(waiting, self.outbox);
    }
}

async fn play(acts: Vec<Act>) {
    let mut dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let mut expected = Expected::default();
    let mut sent = 0;
    for act in acts {
        match act {
            Act::Accept(n) => {
                let work = work(&format!("om_{n}"));
                let cause = work.inbound.meta.cause.to_string();
                let place = journal.accept(work).await.unwrap();
                assert_eq!(place.is_none(), expected.seen.contains(&cause));
                if let Some(place) = place {
                    assert!(expected.inbox.last().is_none_or(|(last, _)| place > *last));
                    expected.seen.push(cause.clone());
                    expected.inbox.push((place, cause));
                }
            }
            Act::Done if expected.inbox.is_empty() => {}
            Act::Done => {
                let (place, _) = expected.inbox.remove(0);
                journal.commit(vec![Change::Done(place)]).await.unwrap();
            }
            Act::Send(n) => {
                let texts: Vec<String> = (0..=n % 3).map(|part| format!("{sent}-{part}")).collect();
                let changes = texts.iter().map(|text| notice(text)).collect();
                journal.commit(changes).await.unwrap();
                sent += 1;
                let last = expected.outbox.last().map_or(0, |(place, _)| *place);
                let waiting = journal.outbox(last, usize::MAX).await.unwrap();
                assert_eq!(waiting.len(), texts.len());
                let places = waiting.iter().map(|one| one.place);
                expected.outbox.extend(places.zip(texts));
            }
            Act::Sent if expected.outbox.is_empty() => {}
            Act::Sent => {
                let (place, _) = expected.outbox.remove(0);
                journal.commit(vec![Change::Sent(place)]).await.unwrap();
            }
            Act::User(n) => {
                let user = user(n);
                expected.users.insert(user.user.to_string(), user.clone());
                journal.commit(vec![Change::User(user)]).await.unwrap();
            }
            Act::Reopen => {
                drop(journal);
                let (again, snapshot) = reopen(dir.path()).await;
                expected.check(&again, &snapshot).await;
                journal = again;
            }
            Act::Crash => {
                let (copy, again, snapshot) = after_a_crash(dir.path()).await;
                expected.check(&again, &snapshot).await;
                (dir, journal) = (copy, again);
            }
        }
    }
    drop(journal);
    let (journal, snapshot) = reopen(dir.path()).await;
    expected.check(&journal, &snapshot).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_remembers_exactly_what_it_was_told(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(play(acts));
    }
}
