//! How it reads and how it looks.

use super::*;

#[test]
fn patterns_may_be_quoted() {
    let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    assert_eq!(read("todo"), pair("todo", ""));
    assert_eq!(read("todo src/a b.rs"), pair("todo", "src/a b.rs"));
    assert_eq!(read("\"fn main\" src"), pair("fn main", "src"));
    assert_eq!(read("'a b'"), pair("a b", ""));
    assert_eq!(read("\"half open"), pair("\"half", "open"));
    assert_eq!(read(""), None);
    assert_eq!(read("\"\" x"), None);
}

#[test]
fn results_in_both_languages() {
    let hit = |path: &str, line, text: &str| crate::files::Hit {
        path: path.into(),
        line,
        text: text.into(),
    };
    let found = Found {
        hits: vec![
            hit("demo/a.rs", 3, "    needle();"),
            hit("demo/a.rs", 120, "// needle"),
            hit("demo/b.txt", 1, "needle"),
        ],
        with_hits: 2,
        files: 40,
        more: true,
        cut: true,
        binary: 1,
        ignored: 2,
        closed: 0,
    };
    let show = |lang, found| crate::cards::tests::show(&view("Home", lang, found));
    insta::assert_snapshot!(show(Lang::En, &found), @"");
    insta::assert_snapshot!(show(Lang::Zh, &found), @"");
    let nothing = Found {
        files: 40,
        ..Found::default()
    };
    insta::assert_snapshot!(show(Lang::En, &nothing), @"");
}
