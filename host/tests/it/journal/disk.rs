//! A disk that is full, or takes nothing any more, under a journal that is open: everything is
//! refused with the reason, nothing is half there, and it goes on by itself.

use kit::disk::{Frozen, SmallDisk};

use super::*;

/// How long it may take until the journal has seen how the disk stands.
const PATIENCE: Duration = Duration::from_secs(20);
const MB: u64 = 1024 * 1024;

/// Work too large to fit into what room the file has left inside.
fn big(cause: &str) -> Work {
    let mut work = work(cause);
    work.inbound.body = InboundBody::Text {
        text: "x".repeat(300_000),
    };
    work
}

async fn trouble(journal: &Journal) -> String {
    let mut trouble = journal.trouble();
    let told = trouble.wait_for(Option::is_some);
    let told = tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();
    told.clone().unwrap()
}

async fn well(journal: &Journal) {
    let mut trouble = journal.trouble();
    let told = trouble.wait_for(Option::is_none);
    tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();
}

/// Gives work until it is refused: the first that was, and how many were taken.
async fn until_refused(journal: &Journal) -> (Work, usize, JournalError) {
    for n in 0..40 {
        let work = big(&format!("om_big_{n}"));
        match journal.accept(work.clone()).await {
            Ok(place) => assert!(place.is_some()),
            Err(why) => return (work, n, why),
        }
    }
    panic!("the disk never filled up");
}

#[tokio::test]
async fn on_a_full_disk_it_refuses_and_goes_on_by_itself() {
    let disk = SmallDisk::new(16 * MB);
    let (journal, _) = Journal::open(disk.path()).unwrap();
    let early = journal.accept(work("om_early")).await.unwrap().unwrap();
    disk.fill();
    let (refused, taken, why) = until_refused(&journal).await;
    assert!(matches!(why, JournalError::Trouble(_)), "{why}");
    let told = trouble(&journal).await;
    assert!(told.contains("No space left"), "{told}");
    // Everything is refused, with what to do.
    for _ in 0..3 {
        let why = journal.commit(vec![notice("one")]).await.unwrap_err();
        assert!(why.to_string().contains("every second"), "{why}");
        let why = journal.accept(refused.clone()).await.unwrap_err();
        assert!(matches!(why, JournalError::Trouble(_)), "{why}");
        assert!(journal.outbox(0, 1).await.is_err());
    }
    let told = trouble(&journal).await;
    assert!(told.contains("free some space"), "{told}");

    disk.clear();
    well(&journal).await;
    // What was refused is new; what was taken is known.
    let place = journal.accept(refused.clone()).await.unwrap();
    assert!(place.is_some());
    assert_eq!(journal.accept(refused).await.unwrap(), None);
    assert_eq!(journal.accept(work("om_early")).await.unwrap(), None);
    for _ in 0..2 {
        journal.commit(vec![Change::Done(early)]).await.unwrap();
    }
    journal.commit(vec![notice("one")]).await.unwrap();
    assert_eq!(journal.outbox(0, 10).await.unwrap().len(), 1);
    drop(journal);
    let snapshot = reopened(disk.path()).await;
    assert_eq!(snapshot.inbox.len(), taken + 1);
}

/// Opens it as the next process would; the one before may take a moment to let go.
async fn reopened(dir: &Path) -> Snapshot {
    let end = Instant::now() + PATIENCE;
    loop {
        match Journal::open(dir) {
            Ok((_, snapshot)) => return snapshot,
            Err(why) => assert!(Instant::now() < end, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_disk_that_is_full_again_and_again_loses_nothing() {
    let disk = SmallDisk::new(64 * MB);
    let (journal, _) = Journal::open(disk.path()).unwrap();
    let mut all = 0;
    for round in 0..4 {
        disk.fill();
        let mut waiting = Vec::new();
        for n in 0..12 {
            let work = big(&format!("om_{round}_{n}"));
            match journal.accept(work.clone()).await {
                Ok(place) => assert!(place.is_some()),
                Err(_) => waiting.push(work),
            }
            all += 1;
        }
        assert!(
            !waiting.is_empty(),
            "the disk was not full in round {round}"
        );
        disk.clear();
        well(&journal).await;
        for work in waiting {
            // The broker delivers it again.
            assert!(journal.accept(work.clone()).await.unwrap().is_some());
            assert_eq!(journal.accept(work).await.unwrap(), None);
        }
    }
    drop(journal);
    let snapshot = reopened(disk.path()).await;
    let mut causes: Vec<_> = snapshot
        .inbox
        .iter()
        .map(|one| one.work.inbound.meta.cause.clone())
        .collect();
    assert_eq!(causes.len(), all);
    causes.sort();
    causes.dedup();
    assert_eq!(causes.len(), all, "something is there twice");
}

#[tokio::test]
async fn a_folder_that_takes_nothing_any_more_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    assert!(journal.accept(work("om_1")).await.unwrap().is_some());
    let frozen = Frozen::freeze(dir.path());
    assert!(journal.accept(work("om_2")).await.is_err());
    let told = trouble(&journal).await;
    assert!(told.contains("not permitted"), "{told}");
    drop(frozen);
    well(&journal).await;
    assert!(journal.accept(work("om_2")).await.unwrap().is_some());
    assert_eq!(journal.accept(work("om_1")).await.unwrap(), None);
}

#[tokio::test]
async fn a_disk_that_was_made_read_only_is_named_and_waited_for() {
    let disk = SmallDisk::new(16 * MB);
    let (journal, _) = Journal::open(disk.path()).unwrap();
    // The system makes a disk read-only once no file on it is open for writing; a full one sees to
    // that.
    disk.fill();
    let (refused, _, _) = until_refused(&journal).await;
    trouble(&journal).await;
    let end = Instant::now() + PATIENCE;
    while let Err(why) = disk.read_only() {
        assert!(Instant::now() < end, "{why}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut news = journal.trouble();
    let said = news.wait_for(|why| why.as_ref().is_some_and(|why| why.contains("read-only")));
    tokio::time::timeout(PATIENCE, said).await.unwrap().unwrap();
    disk.writable().unwrap();
    disk.clear();
    well(&journal).await;
    assert!(journal.accept(refused).await.unwrap().is_some());
}

#[test]
fn at_the_start_it_says_what_where_and_what_to_do() {
    let disk = SmallDisk::new(2 * MB);
    let said = |path: &Path| Journal::open(path).map(drop).unwrap_err().to_string();
    disk.fill();
    let full = said(disk.path());
    assert!(
        full.contains("journal.redb cannot be opened: no room on the disk of"),
        "{full}"
    );
    disk.clear();
    disk.read_only().unwrap();
    let fixed = said(disk.path());
    assert!(
        fixed.contains("read-only") && fixed.contains("make it writable"),
        "{fixed}"
    );
    disk.writable().unwrap();
}
