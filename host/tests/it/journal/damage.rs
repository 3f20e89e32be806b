//! Files that are no journal, or no whole one: a clear word, and nothing made worse.

use super::*;

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
