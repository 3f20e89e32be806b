//! Listings, lines, searches: what is shown, and what is left out and counted.

use std::os::unix::fs::symlink;

use common::text::Say as _;
use common::text::host::files::FilesText;
use encoding_rs::GB18030;

use super::super::look::{self, EntryKind};
use super::super::search;
use super::Yard;

#[test]
fn a_listing_has_what_is_there_and_counts_what_is_left_out() {
    let yard = Yard::new();
    let mine = yard.root.join("mine");
    std::fs::write(mine.join(".gitignore"), "*.log\n/target\n!keep.log\n").unwrap();
    std::fs::create_dir_all(mine.join("target/debug")).unwrap();
    std::fs::create_dir(mine.join(".git")).unwrap();
    for name in [
        "a.log",
        "keep.log",
        "Zeta.rs",
        "alpha.rs",
        "sub/b.log",
        "target/x.rs",
    ] {
        std::fs::write(mine.join(name), "needle\n").unwrap();
    }
    symlink("alpha.rs", mine.join("link")).unwrap();
    let listing = yard.list("").unwrap();
    let names: Vec<_> = listing
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "sub",
            ".gitignore",
            "alpha.rs",
            "file",
            "keep.log",
            "link",
            "Zeta.rs"
        ]
    );
    assert_eq!((listing.ignored, listing.more), (3, 0));
    assert_eq!(listing.entries[2].size, 7);
    assert_eq!(listing.entries[5].kind, EntryKind::Link("alpha.rs".into()));
    // Rules hold further down; what is named outright is shown.
    assert_eq!(yard.names("sub"), Vec::<String>::new());
    assert_eq!(yard.names("target"), ["debug", "x.rs"]);
    assert_eq!(yard.names("alpha.rs"), ["alpha.rs"]);
    for n in 0..400 {
        std::fs::write(mine.join(format!("sub/{n:03}")), "").unwrap();
    }
    let listing = yard.list("sub").unwrap();
    assert_eq!((listing.entries.len(), listing.more), (300, 100));

    let found = search::search(&yard.base, &yard.grounds(), "needle", "").unwrap();
    let hits: Vec<_> = found.hits.iter().map(|hit| hit.path.as_str()).collect();
    assert_eq!(hits, ["mine/Zeta.rs", "mine/alpha.rs", "mine/keep.log"]);
    assert_eq!(found.ignored, 4);
}

#[test]
fn lines_are_numbered_cut_and_counted() {
    let yard = Yard::new();
    let mine = yard.root.join("mine");
    let text: String = (1..=1000).fold(String::new(), |text, n| {
        text + "line " + &n.to_string() + "\n"
    });
    std::fs::write(mine.join("long"), text).unwrap();
    let read = |path: &str, lines| look::read(&yard.base, &yard.grounds(), path, lines);
    let whole = read("long", None).unwrap();
    assert_eq!(
        (whole.from, whole.lines.len(), whole.total, whole.more),
        (1, 400, Some(1000), true)
    );
    let part = read("long", Some((10, Some(12)))).unwrap();
    assert_eq!(part.lines, ["line 10", "line 11", "line 12"]);
    assert!(!part.more);
    assert_eq!(
        read("long", Some((999, None))).unwrap().lines,
        ["line 999", "line 1000"]
    );
    assert_eq!(
        read("long", Some((2000, None))),
        Err(FilesText::NoSuchLine {
            from: 2000,
            have: 1000
        })
    );
    std::fs::write(
        mine.join("wide"),
        format!("{}\nshort", "宽".repeat(100_000)),
    )
    .unwrap();
    let wide = read("wide", None).unwrap();
    assert_eq!(
        (wide.lines[0].chars().count(), wide.cut, wide.total),
        (1001, 1, Some(2))
    );
    std::fs::write(mine.join("empty"), "").unwrap();
    assert_eq!(read("empty", None).unwrap().lines, Vec::<String>::new());
    std::fs::write(mine.join("dos"), "a\r\nb\r\n").unwrap();
    assert_eq!(read("dos", None).unwrap().lines, ["a", "b"]);
    let gbk = GB18030.encode("第一行\n第二行：需要\n").0.into_owned();
    std::fs::write(mine.join("gbk.txt"), gbk).unwrap();
    let gbk = read("gbk.txt", Some((2, Some(2)))).unwrap();
    assert_eq!(
        (gbk.lines[0].as_str(), gbk.sort.name()),
        ("第二行：需要", "GBK")
    );
    let utf16: Vec<u8> = "\u{FEFF}甲\n乙\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(mine.join("utf16.txt"), utf16).unwrap();
    assert_eq!(read("utf16.txt", None).unwrap().lines, ["甲", "乙"]);
    std::fs::write(mine.join("bom.txt"), "\u{FEFF}bom\n").unwrap();
    assert_eq!(read("bom.txt", None).unwrap().lines, ["bom"]);
    std::fs::write(mine.join("a.png"), b"\x89PNG\r\n\x1a\n\0\0").unwrap();
    assert_eq!(
        read("a.png", None).unwrap_err().en(),
        "a.png is no text: image/png, 10 B. `/send a.png` sends it to this chat."
    );
    assert!(matches!(read("sub", None), Err(FilesText::IsDir { .. })));

    let find =
        |pattern: &str, path: &str| search::search(&yard.base, &yard.grounds(), pattern, path);
    let hits = find("需要", "").unwrap();
    assert_eq!((hits.hits.len(), hits.hits[0].line, hits.binary), (1, 2, 1));
    assert_eq!(find("乙", "utf16.txt").unwrap().hits[0].line, 2);
    // Small letters mean any case, a capital one means itself.
    assert_eq!(find("LINE 7$", "long").unwrap().hits.len(), 0);
    assert_eq!(find("line 7$", "long").unwrap().hits.len(), 1);
    let many = find("line", "").unwrap();
    assert!(many.hits.len() == 50 && many.more);
    assert!(matches!(find("(", ""), Err(FilesText::BadPattern { .. })));
    assert!(matches!(find("x", "a.png"), Err(FilesText::Binary { .. })));
}
