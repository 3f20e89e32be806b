//! How it reads and how it looks.

use super::*;

#[test]
fn ranges_stand_behind_the_path() {
    let path = |text: &str| Ok((text.to_owned(), None));
    assert_eq!(read("a.rs"), path("a.rs"));
    assert_eq!(read("my file.txt"), path("my file.txt"));
    assert_eq!(
        read("\"my file.txt\" 3"),
        Ok(("my file.txt".into(), Some((3, Some(3)))))
    );
    assert_eq!(
        read("a.rs 10-40"),
        Ok(("a.rs".into(), Some((10, Some(40)))))
    );
    for typed in ["a.rs １０－４０", "“a.rs” 10~40", "a.rs 10—40"] {
        assert_eq!(
            read(typed),
            Ok(("a.rs".into(), Some((10, Some(40))))),
            "{typed}"
        );
    }
    assert_eq!(read("a.rs 10-"), Ok(("a.rs".into(), Some((10, None)))));
    assert_eq!(read(""), Err(None));
    for bad in [
        "a.rs 0",
        "a.rs 9-3",
        "a.rs -5",
        "a.rs 1-2-3",
        "a.rs 99999999999999999999",
    ] {
        assert!(
            matches!(read(bad), Err(Some(FilesText::BadRange { .. }))),
            "{bad}"
        );
    }
}

#[test]
fn a_file_in_both_languages() {
    let text = Text {
        path: "demo/a.rs".into(),
        size: 40_000,
        sort: crate::files::Sort::Gb18030,
        from: 9,
        lines: vec!["fn main() {".into(), "}".into()],
        cut: 1,
        total: Some(1_000),
        more: true,
    };
    let show = |lang, text| crate::cards::tests::show(&view("Home", lang, "a.rs", text));
    let card = |head: &str, foot: &str| {
        format!("# Home (Done)\n{head}\nrs|  9  fn main() {{\n10  }}\n\n-- {foot}")
    };
    assert_eq!(
        show(Lang::En, &text),
        card(
            "demo/a.rs · lines 9–10 of 1000 · 40 KB",
            "1 long lines cut to 1000 characters · GBK · Go on: /cat a.rs 11-"
        )
    );
    assert_eq!(
        show(Lang::Zh, &text),
        card(
            "demo/a.rs · 第 9–10 行，共 1000 行 · 40 KB",
            "1 个长行已截到 1000 个字符 · GBK · 继续：/cat a.rs 11-"
        )
    );
    let empty = Text {
        size: 0,
        sort: crate::files::Sort::Utf8 { bom: false },
        from: 1,
        lines: Vec::new(),
        cut: 0,
        total: Some(0),
        more: false,
        ..text.clone()
    };
    assert_eq!(
        show(Lang::En, &empty),
        "# Home (Done)\ndemo/a.rs · 0 B\nThe file is empty."
    );
}
