//! Attacks on paths, as a table and as a race: nothing outside the working directory, and nothing of
//! another person, is ever read or written. And what the rest does with what it may open.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::text::Say as _;
use common::text::host::files::FilesText;
use encoding_rs::GB18030;

use super::look::{self, EntryKind, Listing};
use super::walk::Base;
use super::{put, search};
use crate::grounds::Grounds;
use crate::workdir::WorkDir;

const SECRET: &str = "secret-of-the-outside";

struct Yard {
    temp: tempfile::TempDir,
    root: PathBuf,
    base: Base,
}

impl Yard {
    /// `outside/secret` beside `work`, which has a session of ours in `mine` and one of another in
    /// `theirs`.
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().canonicalize().unwrap();
        std::fs::create_dir(top.join("outside")).unwrap();
        std::fs::write(top.join("outside/secret"), SECRET).unwrap();
        let root = top.join("work");
        for dir in ["mine/sub", "theirs", "inbox/feishu-ou_b", "data"] {
            std::fs::create_dir_all(root.join(dir)).unwrap();
        }
        std::fs::write(root.join("mine/file"), "inside\n").unwrap();
        std::fs::write(root.join("theirs/file"), SECRET).unwrap();
        std::fs::write(root.join("inbox/feishu-ou_b/file"), SECRET).unwrap();
        std::fs::write(root.join("data/journal.redb"), SECRET).unwrap();
        let work = WorkDir::open(&root).unwrap();
        let base = Base::new(&root, work.handle().unwrap(), &[root.join("data")]);
        Self { temp, root, base }
    }

    fn outside(&self) -> PathBuf {
        self.temp.path().canonicalize().unwrap().join("outside")
    }

    fn grounds(&self) -> Grounds {
        let folders = [("mine", true), ("theirs", false)];
        Grounds::new(
            "feishu/ou_a".parse().unwrap(),
            self.root.clone(),
            "mine".into(),
            folders.map(|(dir, mine)| (dir.to_owned(), mine)),
        )
    }

    fn read(&self, path: &str) -> Result<String, FilesText> {
        look::read(&self.base, &self.grounds(), path, None).map(|text| text.lines.join("\n"))
    }

    fn write(&self, path: &str) -> Result<put::Written, FilesText> {
        put::write(&self.base, &self.grounds(), path, "written")
    }

    fn append(&self, path: &str) -> Result<put::Written, FilesText> {
        put::append(&self.base, &self.grounds(), path, "written")
    }

    fn list(&self, path: &str) -> Result<Listing, FilesText> {
        look::list(&self.base, &self.grounds(), path)
    }

    fn names(&self, path: &str) -> Vec<String> {
        let listing = self.list(path).unwrap();
        listing
            .entries
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    }

    /// Everything outside, as it is.
    fn state(&self) -> Vec<(PathBuf, String, u64)> {
        let mut all = Vec::new();
        for dir in [
            self.outside(),
            self.root.join("theirs"),
            self.root.join("data"),
            self.root.join("inbox/feishu-ou_b"),
        ] {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let data = std::fs::symlink_metadata(&path).unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                all.push((path, text, data.ino()));
            }
        }
        all.sort();
        all
    }
}

#[test]
fn no_path_leads_outside_or_to_another_person() {
    let yard = Yard::new();
    let (mine, outside) = (yard.root.join("mine"), yard.outside());
    for (name, to) in [
        ("up", "../../outside"),
        ("up-file", "../../outside/secret"),
        ("etc", "/etc"),
        ("root", "/"),
        ("proc", "/proc/self/root"),
        ("cwd", "/proc/self/cwd"),
        ("loop", "loop"),
        ("other", "../theirs"),
        ("other-file", "../theirs/file"),
        ("other-inbox", "../inbox/feishu-ou_b"),
        ("data", "../data"),
        ("hop", "hop2"),
        ("hop2", "sub/hop3"),
        ("dangling", "../../outside/new"),
    ] {
        symlink(to, mine.join(name)).unwrap();
    }
    symlink(&outside, mine.join("absolute")).unwrap();
    symlink("../../../outside", mine.join("sub/hop3")).unwrap();
    std::fs::hard_link(outside.join("secret"), mine.join("hard")).unwrap();
    std::fs::create_dir(mine.join(".ssh")).unwrap();
    std::fs::write(mine.join(".ssh/id"), SECRET).unwrap();
    std::fs::write(mine.join("keyring.yaml"), SECRET).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, mine.join("fifo"), rustix::fs::Mode::RUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(mine.join("socket")).unwrap();
    let before = yard.state();

    let secret = outside.join("secret").display().to_string();
    let theirs = yard.root.join("theirs/file").display().to_string();
    let attacks = [
        "..",
        "../..",
        "../../outside/secret",
        "sub/../../../outside/secret",
        "./.././../outside/secret",
        "../theirs/file",
        "../theirs",
        "../theirs/../theirs/file",
        "../theirs/../mine/file",
        "../inbox/feishu-ou_b/file",
        "../data/journal.redb",
        "data/journal.redb",
        "/etc/passwd",
        "/",
        "//etc/passwd",
        "/proc/self/root/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/stdin",
        "~/x",
        "~",
        "up/secret",
        "up-file",
        "etc/passwd",
        "root/etc/passwd",
        "proc/etc/passwd",
        "cwd/Cargo.toml",
        "loop",
        "loop/x",
        "other/file",
        "other-file",
        "other-inbox/file",
        "hop/secret",
        "absolute/secret",
        "dangling",
        "hard",
        ".ssh/id",
        "./.SSH/id",
        "keyring.yaml",
        "fifo",
        "socket",
        "file/../../../outside/secret",
        "file\0",
        "..\0/outside",
        "\0",
        "..／..／outside／secret",
        "．．/．．/outside/secret",
        "‥/‥/outside/secret",
        "..∕..∕outside",
        "..⁄outside",
        "..＼..＼outside",
        "\u{202E}terces/edistuo/../..",
        "mine\u{200B}/file",
        "\u{FEFF}../../outside/secret",
        "a\nb",
        &secret,
        &theirs,
    ];
    let too_long = format!("{}x", "a/".repeat(400));
    let many = "sub/../".repeat(300) + "file";
    let attacks = attacks
        .into_iter()
        .chain([too_long.as_str(), many.as_str()]);
    for path in attacks {
        // What is read of it, if anything, is nothing of the outside.
        if let Ok(text) = yard.read(path) {
            panic!("{path:?} was read: {text:?}");
        }
        for found in [
            search::search(&yard.base, &yard.grounds(), "secret|root:", path),
            search::search(&yard.base, &yard.grounds(), "", path),
        ] {
            let hits = found.map(|found| found.hits).unwrap_or_default();
            let shown = |hit: &search::Hit| {
                hit.text.contains(SECRET) || !yard.root.join(&hit.path).starts_with(&yard.root)
            };
            assert!(!hits.iter().any(shown), "{path:?}: {hits:?}");
        }
        if let Ok(listing) = yard.list(path) {
            assert!(
                ["..", "hard", "fifo", "socket"].contains(&path),
                "{path:?} was listed: {listing:?}"
            );
        }
        assert!(
            put::open_to_send(&yard.base, &yard.grounds(), path).is_err(),
            "{path:?} was sent"
        );
        // Where nothing is inside, a file may be made inside; never anything else.
        if let Ok(written) = yard.write(path) {
            let at = yard.root.join(&written.path).canonicalize().unwrap();
            assert!(
                at.starts_with(&mine) && written.made,
                "{path:?} was written: {written:?}"
            );
            std::fs::remove_file(at).unwrap();
        }
        if let Ok(written) = yard.append(path) {
            let at = yard.root.join(&written.path).canonicalize().unwrap();
            assert!(
                at.starts_with(&mine) && written.made,
                "{path:?} was added to"
            );
            std::fs::remove_file(at).unwrap();
        }
        assert_eq!(yard.state(), before, "{path:?} changed something");
    }
    assert!(!outside.join("new").exists());

    // The directory itself shows one's own and nobody else's.
    let names = yard.names("..");
    assert_eq!(names, ["inbox", "mine"]);
    assert_eq!(yard.names("../inbox"), Vec::<String>::new());
    let hits = search::search(&yard.base, &yard.grounds(), SECRET, "..").unwrap();
    assert_eq!(hits.hits, []);
    // And what leads nowhere bad works.
    symlink("../mine/sub", mine.join("inner")).unwrap();
    symlink(mine.join("file"), mine.join("inner-absolute")).unwrap();
    assert_eq!(yard.read("inner/../file").unwrap(), "inside");
    assert_eq!(yard.read("inner-absolute").unwrap(), "inside");
    assert_eq!(
        yard.read(&mine.join("file").display().to_string()).unwrap(),
        "inside"
    );
    yard.write("inner/new/deep.txt").unwrap();
    assert_eq!(
        std::fs::read(mine.join("sub/new/deep.txt")).unwrap(),
        b"written"
    );
    // A link is written through, as far as it stays inside; the link stays.
    symlink("file", mine.join("alias")).unwrap();
    yard.write("alias").unwrap();
    assert_eq!(std::fs::read(mine.join("file")).unwrap(), b"written");
    assert!(mine.join("alias").is_symlink());
}

#[test]
fn whatever_is_swapped_meanwhile_nothing_outside_is_touched() {
    let yard = Yard::new();
    let (mine, outside) = (yard.root.join("mine"), yard.outside());
    // The same names on both sides, so that a step taken wrongly finds something.
    std::fs::create_dir(mine.join("real")).unwrap();
    for name in ["secret", "log"] {
        std::fs::write(mine.join("real").join(name), "inside").unwrap();
    }
    std::fs::write(outside.join("log"), SECRET).unwrap();
    symlink(&outside, mine.join("trap")).unwrap();
    std::fs::create_dir(mine.join("leaf")).unwrap();
    std::fs::write(mine.join("leaf/real"), "inside").unwrap();
    symlink(outside.join("secret"), mine.join("leaf/trap")).unwrap();
    let (over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    // Each name is now the one and now the other, in one step.
    let swap = |a: &Path, b: &Path| {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        let cwd = rustix::fs::CWD;
        let _ = rustix::fs::renameat_with(cwd, a, cwd, b, flags);
    };
    let (mut read, mut wrote, mut refused) = (0, 0, 0);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                swap(&mine.join("real"), &mine.join("trap"));
                swap(&mine.join("leaf/real"), &mine.join("leaf/trap"));
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
        let until = Instant::now() + Duration::from_secs(60);
        let mut tries = 0;
        // Until both sides have had their turns often enough.
        while (tries < 1_500 || rounds.load(Ordering::Relaxed) < 4_000) && Instant::now() < until {
            tries += 1;
            for path in ["real/secret", "leaf/real"] {
                match yard.read(path) {
                    Ok(text) => {
                        assert!(text == "inside" || text == "written", "{path}: {text}");
                        read += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
            match yard.append("real/log") {
                Ok(_) => wrote += 1,
                Err(_) => refused += 1,
            }
            match yard.write("leaf/real") {
                Ok(_) => wrote += 1,
                Err(_) => refused += 1,
            }
            if let Ok(written) = yard.write("real/new") {
                assert!(written.path.starts_with("mine/"), "{written:?}");
                wrote += 1;
            }
            if tries % 25 == 0 {
                let found = search::search(&yard.base, &yard.grounds(), SECRET, ".").unwrap();
                assert_eq!(found.hits, []);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(
        read > 100 && wrote > 100 && refused > 100,
        "{read} {wrote} {refused}"
    );
    assert_eq!(
        std::fs::read_to_string(outside.join("secret")).unwrap(),
        SECRET
    );
    assert_eq!(
        std::fs::read_to_string(outside.join("log")).unwrap(),
        SECRET
    );
    assert!(!outside.join("new").exists());
    let names: Vec<_> = std::fs::read_dir(&outside).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

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
        "mine/a.png is no text: image/png, 10 B. `/send mine/a.png` sends it to this chat."
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
    let land = |xfer| {
        let mut landing = put::land(&yard.base, &yard.grounds(), "../mine/sub", xfer).unwrap();
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
        put::name_landed(&yard.base, &grounds, xfer, path).unwrap()
    };
    let path = land(xfer);
    assert_eq!(path, "mine/sub/a.txt");
    // Begun anew after a crash, then named, then named once more after another.
    let path = if path == land(xfer) { path } else { panic!() };
    assert!(name(xfer, &path) && name(xfer, &path));
    let second = common::ids::MessageId::new();
    assert_eq!(land(second), "mine/sub/a (2).txt");
    // Somebody was faster: it has to find another name.
    std::fs::write(yard.root.join("mine/sub/a (2).txt"), "theirs").unwrap();
    assert!(!name(second, "mine/sub/a (2).txt"));
    assert_eq!(land(second), "mine/sub/a (3).txt");
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
