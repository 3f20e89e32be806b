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
    };
    let show = |lang, listing| crate::cards::tests::show(&view("Home", lang, Tz::UTC, listing));
    insta::assert_snapshot!(show(Lang::En, &listing), @"");
    insta::assert_snapshot!(show(Lang::Zh, &listing), @"");
    let empty = Listing {
        path: ".".into(),
        entries: Vec::new(),
        more: 0,
        ignored: 0,
    };
    insta::assert_snapshot!(show(Lang::En, &empty), @"");
}
