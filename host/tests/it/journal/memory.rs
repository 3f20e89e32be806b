//! Any sequence of steps, reopenings and crashes against a model of what must be remembered.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

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
    /// Gone from the outbox since the last step that is surely on the disk.
    marked: Vec<(u64, String)>,
}

impl Expected {
    /// After a crash the latest marks of what was sent may be forgotten, and nothing else.
    async fn crashed(&mut self, journal: &Journal) {
        let waiting = journal.outbox(0, usize::MAX).await.unwrap().len();
        let forgotten = waiting.checked_sub(self.outbox.len()).unwrap();
        let known = self.marked.len().checked_sub(forgotten).unwrap();
        let mut outbox = self.marked.split_off(known);
        outbox.append(&mut self.outbox);
        (self.outbox, self.marked) = (outbox, Vec::new());
    }

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
                expected.marked.clear();
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
                expected.marked.clear();
            }
            Act::Send(n) => {
                let texts: Vec<String> = (0..=n % 3).map(|part| format!("{sent}-{part}")).collect();
                let changes = texts.iter().map(|text| notice(text)).collect();
                journal.commit(changes).await.unwrap();
                expected.marked.clear();
                sent += 1;
                let last = expected.outbox.last().map_or(0, |(place, _)| *place);
                let waiting = journal.outbox(last, usize::MAX).await.unwrap();
                assert_eq!(waiting.len(), texts.len());
                let places = waiting.iter().map(|one| one.place);
                expected.outbox.extend(places.zip(texts));
            }
            Act::Sent if expected.outbox.is_empty() => {}
            Act::Sent => {
                let (place, text) = expected.outbox.remove(0);
                journal.commit(vec![Change::Sent(place)]).await.unwrap();
                expected.marked.push((place, text));
            }
            Act::User(n) => {
                let user = user(n);
                expected.users.insert(user.user.to_string(), user.clone());
                journal.commit(vec![Change::User(user)]).await.unwrap();
                expected.marked.clear();
            }
            Act::Reopen => {
                drop(journal);
                let (again, snapshot) = reopen(dir.path()).await;
                expected.marked.clear();
                expected.check(&again, &snapshot).await;
                journal = again;
            }
            Act::Crash => {
                let (copy, again, snapshot) = after_a_crash(dir.path()).await;
                expected.crashed(&again).await;
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
