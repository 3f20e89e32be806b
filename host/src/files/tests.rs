//! Attacks on paths, as a table and as a race: nothing outside the working directory, and nothing of
//! another person, is ever read or written.

mod looking;
mod spellings;
mod writing;

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::text::host::files::FilesText;

use super::look::{self, Listing};
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
        let until = Instant::now() + Duration::from_secs(120);
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
