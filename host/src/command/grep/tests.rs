//! How it reads and how it looks.

use super::*;

#[test]
fn patterns_may_be_quoted() {
    let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    assert_eq!(read("todo"), pair("todo", ""));
    assert_eq!(read("todo src/a b.rs"), pair("todo", "src/a b.rs"));
    assert_eq!(read("\"fn main\" src"), pair("fn main", "src"));
    assert_eq!(read("'a b'"), pair("a b", ""));
    assert_eq!(read("“a b” “c d”"), pair("a b", "c d"));
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
    let body = "demo/a.rs\n    3:     needle();\n  120: // needle\n\ndemo/b.txt\n    1: needle\n";
    let card = |head: &str, foot: &str| format!("# Home (Done)\n{head}\n| {body}\n-- {foot}");
    assert_eq!(
        show(Lang::En, &found),
        card(
            "3 hits in 2 files",
            "stopped after 10 s; name a folder to look in · there are more; make the pattern or the folder narrower · passed over: 1 binary, 2 left out by .gitignore"
        )
    );
    assert_eq!(
        show(Lang::Zh, &found),
        card(
            "2 个文件中有 3 处匹配",
            "10 秒后停止；请指定目录 · 还有更多；请缩小模式或目录范围 · 跳过：1 个二进制文件，2 项被 .gitignore 略去"
        )
    );
    let nothing = Found {
        files: 40,
        ..Found::default()
    };
    assert_eq!(
        show(Lang::En, &nothing),
        "# Home (Done)\nNothing found in 40 files."
    );
}
