//! Writing, and what comes from a chat: whole, once, over nothing.

use std::os::unix::fs::MetadataExt as _;

use common::text::host::files::FilesText;
use encoding_rs::GB18030;

use super::super::{land, put};
use super::Yard;
use crate::grounds::Grounds;

#[test]
fn files_are_written_whole_and_keep_their_rights() {
    use std::os::unix::fs::PermissionsExt as _;
    let yard = Yard::new();
    let mine = yard.root.join("mine");
    let script = mine.join("run.sh");
    std::fs::write(&script, "old").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).unwrap();
    let written = yard.write("run.sh").unwrap();
    assert_eq!(
        (written.path.as_str(), written.made),
        ("mine/run.sh", false)
    );
    assert_eq!(std::fs::metadata(&script).unwrap().mode() & 0o777, 0o750);
    assert_eq!(yard.append("run.sh").unwrap().size, 14);
    assert_eq!(std::fs::read_to_string(&script).unwrap(), "writtenwritten");
    assert!(yard.append("fresh/log").unwrap().made);
    assert!(matches!(yard.write("sub"), Err(FilesText::IsDir { .. })));
    assert!(matches!(
        put::write(&yard.base, &yard.grounds(), "big", &"x".repeat(10_000_001)),
        Err(FilesText::TooMuchText { .. })
    ));
    let left: Vec<_> = std::fs::read_dir(&mine)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.starts_with(".phonework"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn what_comes_from_a_chat_lands_once_and_over_nothing() {
    let yard = Yard::new();
    let xfer = common::ids::MessageId::new();
    let landed = |xfer| {
        let mut landing =
            land::land(&yard.base, &yard.grounds().at_root(), "mine/sub", xfer).unwrap();
        landing.write(b"bytes").unwrap();
        landing.whole("a.txt").unwrap()
    };
    let name = |xfer, path: &str| {
        let grounds = Grounds::new(
            "feishu/ou_a".parse().unwrap(),
            yard.root.clone(),
            ".".into(),
            [],
        );
        land::name_landed(&yard.base, &grounds, xfer, path).unwrap()
    };
    let path = landed(xfer);
    assert_eq!(path, "mine/sub/a.txt");
    // Begun anew after a crash, then named, then named once more after another.
    let path = if path == landed(xfer) { path } else { panic!() };
    assert!(name(xfer, &path) && name(xfer, &path));
    let second = common::ids::MessageId::new();
    assert_eq!(landed(second), "mine/sub/a (2).txt");
    // Somebody was faster: it has to find another name.
    std::fs::write(yard.root.join("mine/sub/a (2).txt"), "theirs").unwrap();
    assert!(!name(second, "mine/sub/a (2).txt"));
    assert_eq!(landed(second), "mine/sub/a (3).txt");
    assert!(name(second, "mine/sub/a (3).txt"));
    assert_eq!(
        std::fs::read(yard.root.join("mine/sub/a (2).txt")).unwrap(),
        b"theirs"
    );
    let names: Vec<_> = std::fs::read_dir(yard.root.join("mine/sub"))
        .unwrap()
        .collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_file_keeps_its_encoding() {
    let yard = Yard::new();
    let mine = yard.root.join("mine");
    let gbk = |text: &str| GB18030.encode(text).0.into_owned();
    std::fs::write(mine.join("gbk.txt"), gbk("第一行：够长\n")).unwrap();
    put::append(&yard.base, &yard.grounds(), "gbk.txt", "第二行\n").unwrap();
    assert_eq!(
        std::fs::read(mine.join("gbk.txt")).unwrap(),
        gbk("第一行：够长\n第二行\n")
    );
    let written = put::write(&yard.base, &yard.grounds(), "gbk.txt", "新的内容\n").unwrap();
    assert_eq!(
        std::fs::read(mine.join("gbk.txt")).unwrap(),
        gbk("新的内容\n")
    );
    assert_eq!(written.size, 9);
    std::fs::write(mine.join("bom.txt"), "\u{FEFF}a").unwrap();
    put::append(&yard.base, &yard.grounds(), "bom.txt", "b").unwrap();
    assert_eq!(
        std::fs::read(mine.join("bom.txt")).unwrap(),
        "\u{FEFF}ab".as_bytes()
    );
    put::write(&yard.base, &yard.grounds(), "bom.txt", "c").unwrap();
    assert_eq!(
        std::fs::read(mine.join("bom.txt")).unwrap(),
        "\u{FEFF}c".as_bytes()
    );
    put::write(&yard.base, &yard.grounds(), "new.txt", "新").unwrap();
    assert_eq!(
        std::fs::read(mine.join("new.txt")).unwrap(),
        "新".as_bytes()
    );
}

#[test]
fn whether_it_may_be_written_is_known_before() {
    let yard = Yard::new();
    let before = |path: &str| put::before(&yard.base, &yard.grounds(), path);
    assert_eq!(before("file"), Ok(Some(7)));
    for path in ["new", "new/deep/er", "sub/new", "../mine/x"] {
        assert_eq!(before(path), Ok(None), "{path}");
    }
    for path in [
        "../theirs/x",
        "../theirs/deep/x",
        "../data/x",
        "../../x",
        "/etc/x",
        ".ssh/x",
        "sub",
        "file/x",
        "a\u{202E}",
    ] {
        assert!(before(path).is_err(), "{path}");
        assert!(yard.write(path).is_err(), "{path}");
    }
    assert!(!yard.root.join("mine/new").exists());
}
