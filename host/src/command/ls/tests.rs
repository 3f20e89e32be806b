//! How it reads and how it looks.

use chrono::DateTime;

use super::*;
use crate::files::Entry;

#[test]
fn a_listing_in_both_languages() {
    let entry = |name: &str, kind, size| Entry {
        name: name.into(),
        kind,
        size,
        modified: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
    };
    let listing = Listing {
        path: "demo".into(),
        entries: vec![
            entry("src", EntryKind::Dir, 0),
            entry("a.rs", EntryKind::File, 1_234),
            entry("link", EntryKind::Link("a.rs".into()), 0),
            entry("pipe", EntryKind::Other, 0),
        ],
        more: 100,
        ignored: 2,
        odd: 1,
    };
    let show = |lang, listing| crate::cards::tests::show(&view("Home", lang, Tz::UTC, listing));
    let body = "2023-11-14 22:13        -  src/\n2023-11-14 22:13   1.2 KB  a.rs\n2023-11-14 22:13        -  link -> a.rs\n2023-11-14 22:13        -  pipe (?)\n";
    let card = |head: &str, foot: &str| format!("# Home (Done)\n{head}\n| {body}\n-- {foot}");
    assert_eq!(
        show(Lang::En, &listing),
        card(
            "demo · 104 entries",
            "1 with names that are no UTF-8 text, shown with � · 2 left out by .gitignore · 100 more are not shown"
        )
    );
    assert_eq!(
        show(Lang::Zh, &listing),
        card(
            "demo · 104 项",
            "1 项的名字不是 UTF-8 文本，以 � 显示 · .gitignore 略去 2 项 · 另有 100 项未显示"
        )
    );
    let empty = Listing {
        path: ".".into(),
        entries: Vec::new(),
        more: 0,
        ignored: 0,
        odd: 0,
    };
    assert_eq!(
        show(Lang::En, &empty),
        "# Home (Done)\n. · 0 entries\nNothing in it."
    );
}
