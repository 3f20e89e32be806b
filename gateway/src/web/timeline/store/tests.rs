//! What the timeline's database must keep to, with real files.

use super::*;

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(&dir.path().join("web.redb")).unwrap()
}

fn titled(title: &str) -> View {
    View {
        title: title.into(),
        ..View::default()
    }
}

#[test]
fn repeats_and_old_revisions_change_nothing_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (card, notice) = (CardId::new(), MessageId::new());
    let mut store = open(&dir);
    assert!(
        store
            .mine("a".into(), "hi".into(), Vec::new())
            .unwrap()
            .is_some()
    );
    assert!(store.card(card, 2, titled("two")).unwrap().is_some());
    assert!(store.notice(notice, "ring".into()).unwrap().is_some());
    let (name, before) = (store.name().to_owned(), store.after(0));
    drop(store);

    let mut store = open(&dir);
    assert_eq!((store.name(), store.after(0)), (name.as_str(), before));
    assert!(
        store
            .mine("a".into(), "hi".into(), Vec::new())
            .unwrap()
            .is_none()
    );
    assert!(store.card(card, 2, titled("again")).unwrap().is_none());
    assert!(store.card(card, 1, titled("old")).unwrap().is_none());
    assert!(store.notice(notice, "ring".into()).unwrap().is_none());
    let newer = store.card(card, 3, titled("three")).unwrap().unwrap();
    assert_eq!((newer.pos, newer.seq), (2, 4));
    assert_eq!(store.after(3), [newer]);
    assert_eq!(store.after(0).len(), 3);
}

#[test]
fn the_oldest_go_and_are_still_known() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let card = CardId::new();
    store.card(card, 1, titled("first")).unwrap();
    for n in 0..MOST_ITEMS {
        store.mine(n.to_string(), "x".into(), Vec::new()).unwrap();
    }
    assert_eq!(store.entries.len(), MOST_ITEMS);
    assert_eq!(store.after(0)[0].pos, 2);
    assert!(store.card(card, 1, titled("first")).unwrap().is_none());
    let again = store.card(card, 2, titled("again")).unwrap().unwrap();
    assert_eq!(again.pos, MOST_ITEMS as u64 + 2);
    let held: usize = store.entries.values().map(|(_, size)| size).sum();
    assert_eq!(store.bytes, held);
}

#[test]
fn bytes_are_bounded_but_the_newest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    for n in 0..3 {
        store
            .mine(n.to_string(), "x".repeat(MOST_BYTES / 2), Vec::new())
            .unwrap();
    }
    assert_eq!(store.entries.len(), 1);
    store
        .mine("huge".into(), "x".repeat(MOST_BYTES + 1), Vec::new())
        .unwrap();
    assert_eq!(store.entries.len(), 1);
}

#[test]
fn previews_fit_one_revision_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let card = CardId::new();
    let preview = |rev, n| Preview {
        card,
        rev,
        n,
        user: "web/owner".parse().unwrap(),
        view: titled("live"),
    };
    assert_eq!(store.preview(&preview(1, 1)), Fit::Early);
    store.card(card, 1, titled("one")).unwrap();
    assert_eq!(store.preview(&preview(1, 2)), Fit::Told);
    assert_eq!(store.preview(&preview(1, 1)), Fit::Stale);
    assert_eq!(store.preview(&preview(2, 1)), Fit::Early);
    store.card(card, 2, titled("two")).unwrap();
    assert_eq!(store.preview(&preview(1, 3)), Fit::Stale);
    assert!(store.previews().is_empty());
}

#[cfg(unix)]
#[test]
fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    let mode = std::fs::metadata(dir.path().join("web.redb"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A write that was told as failed and is on the disk all the same, as after a flush that failed.
#[test]
fn what_a_failed_write_left_is_found_when_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let (old, new) = (CardId::new(), CardId::new());
    store.card(old, 1, titled("old")).unwrap();
    let entry = Entry {
        seq: 2,
        pos: 2,
        item: Item::Card {
            card: new,
            rev: 1,
            view: titled("new"),
            at: Utc::now(),
        },
    };
    let json = serde_json::to_vec(&entry).unwrap();
    let db = store.db.take().unwrap();
    store
        .write(&db, &card_key(new), 1, &entry, 2, &json, &[])
        .unwrap();
    drop(db);
    assert!(store.card(new, 1, titled("new")).is_err());
    assert_eq!(store.after(0).len(), 1, "reading needs no disk");

    assert_eq!(store.reopen().unwrap(), [entry]);
    assert!(store.is_open());
    assert!(store.card(new, 1, titled("new")).unwrap().is_none());
    assert_eq!(store.card(old, 2, titled("newer")).unwrap().unwrap().seq, 3);
    std::fs::remove_file(dir.path().join("web.redb")).unwrap();
    store.db = None;
    assert!(
        store.reopen().is_err(),
        "what was shown is not forgotten by itself"
    );
}
