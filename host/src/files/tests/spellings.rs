//! More spellings and things than the table of attacks has, each against everything that can be done with
//! a path; and what each is told, in both languages.

use common::text::Say as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use common::text::host::files::FilesText;

use super::super::{land, look, put, search};
use super::{SECRET, Yard};
use crate::files::walk::Base;
use crate::grounds::Grounds;
use crate::workdir::WorkDir;

/// Reads, lists, searches, sends, writes and adds: what any of it saw, and where it wrote.
fn everything(yard: &Yard, path: &str) -> (String, Vec<String>) {
    let grounds = yard.grounds();
    let mut seen = yard.read(path).unwrap_or_default();
    if let Ok(listing) = yard.list(path) {
        for entry in listing.entries {
            seen += &entry.name;
        }
    }
    for pattern in ["secret", "root:", ""] {
        let found = search::search(&yard.base, &grounds, pattern, path);
        for hit in found.map(|found| found.hits).unwrap_or_default() {
            seen += &hit.text;
        }
    }
    if let Ok((file, _, _)) = put::open_to_send(&yard.base, &grounds, path) {
        use std::io::Read as _;
        let mut text = Vec::new();
        let _ = (&*file).take(10_000).read_to_end(&mut text);
        seen += &String::from_utf8_lossy(&text);
    }
    let _ = put::before(&yard.base, &grounds, path);
    let wrote = [yard.write(path), yard.append(path)];
    let wrote = wrote.into_iter().flatten().map(|written| written.path);
    (seen, wrote.collect())
}

#[test]
fn other_spellings_lead_nowhere_else() {
    let yard = Yard::new();
    let mine = yard.root.join("mine");
    std::fs::create_dir_all(mine.join("sub/deep")).unwrap();
    for (name, to) in [
        ("one", "two"),
        ("two", "one"),
        ("sub/back", "../.."),
        ("fd", "/dev/fd/0"),
        ("slashes", "..//..///outside//secret"),
        ("root-again", "/proc/self/cwd/../../../../../../etc"),
    ] {
        symlink(to, mine.join(name)).unwrap();
    }
    let long_link = format!("{}../outside/secret", "sub/../".repeat(120));
    symlink(long_link, mine.join("long-link")).unwrap();
    // A chain of as many links as there may be, and one more.
    for n in 0..45 {
        symlink(format!("chain-{}", n + 1), mine.join(format!("chain-{n}"))).unwrap();
    }
    symlink("../../outside/secret", mine.join("chain-45")).unwrap();
    let before = yard.state();
    let name = |n: usize| "n".repeat(n);
    let paths = [
        "../".to_owned(),
        "..//".to_owned(),
        ".././".to_owned(),
        "./../".to_owned(),
        ".//..//..//outside//secret".to_owned(),
        "sub/../../../outside/secret/".to_owned(),
        "sub/deep/../../../../outside/./secret".to_owned(),
        "sub/back/../outside/secret".to_owned(),
        "sub/back/theirs/file".to_owned(),
        "//etc".to_owned(),
        "///etc/passwd".to_owned(),
        "/./etc/passwd".to_owned(),
        "/etc/".to_owned(),
        "/ETC/PASSWD".to_owned(),
        "~/".to_owned(),
        "~root".to_owned(),
        "~root/.ssh/id_rsa".to_owned(),
        "~+/../../outside/secret".to_owned(),
        "/dev/fd/0".to_owned(),
        "/dev/stdin".to_owned(),
        "/dev/null".to_owned(),
        "/dev/tcp/127.0.0.1/80".to_owned(),
        "/proc/self/cwd/..".to_owned(),
        "/proc/self/fd/3".to_owned(),
        "/proc/thread-self/root/etc/passwd".to_owned(),
        "/proc/1/environ".to_owned(),
        "one".to_owned(),
        "one/x".to_owned(),
        "fd".to_owned(),
        "slashes".to_owned(),
        "root-again/passwd".to_owned(),
        "long-link".to_owned(),
        "chain-0".to_owned(),
        "chain-40".to_owned(),
        "．．/．．/outside/secret".to_owned(),
        "..／outside".to_owned(),
        "。。/outside".to_owned(),
        "…/outside".to_owned(),
        "..\u{2571}outside".to_owned(),
        "..\u{29F5}outside".to_owned(),
        "..\u{FE68}outside".to_owned(),
        "\u{202E}..".to_owned(),
        "\u{200F}../../outside/secret".to_owned(),
        "..\u{00AD}/outside".to_owned(),
        "a\u{E0041}b".to_owned(),
        "a\u{3164}b".to_owned(),
        "a\u{1b}[2J".to_owned(),
        "a\r\nb".to_owned(),
        "a\u{85}b".to_owned(),
        "theirs/file".to_owned(),
        "theirs".to_owned(),
        "data/journal.redb".to_owned(),
        "inbox/feishu-ou_b/file".to_owned(),
        "../inbox/feishu-ou_b/../feishu-ou_b/file".to_owned(),
        "../theirs/".to_owned(),
        "../data/.".to_owned(),
        name(256),
        format!("{}/x", name(300)),
        name(5_000),
        "x/".repeat(2_000),
        format!("{}/outside/secret", "../".repeat(500)),
    ];
    for path in &paths {
        let (seen, wrote) = everything(&yard, path);
        for secret in [SECRET, "root:", "journal", "passwd"] {
            assert!(!seen.contains(secret), "{path:?} showed {seen:?}");
        }
        for at in wrote {
            let at = yard.root.join(at).canonicalize().unwrap();
            assert!(at.starts_with(&yard.root), "{path:?} wrote {at:?}");
        }
        assert_eq!(yard.state(), before, "{path:?} changed something");
    }
    // Written as they are, these are names like any other, and stay inside.
    for (path, at) in [
        ("$HOME/x", "mine/$HOME/x"),
        ("${HOME}", "mine/${HOME}"),
        ("%2e%2e/%2e%2e/outside", "mine/%2e%2e/%2e%2e/outside"),
        ("..\\..\\outside", "mine/..\\..\\outside"),
        ("C:\\x", "mine/C:\\x"),
        ("file:", "mine/file:"),
        ("....//....//x", ""),
        ("~$a.docx", "mine/~$a.docx"),
        ("*", "mine/*"),
        ("-rf", "mine/-rf"),
    ] {
        let written = yard
            .write(path)
            .map(|written| written.path)
            .unwrap_or_default();
        assert_eq!(written, at, "{path}");
    }
    assert_eq!(yard.state(), before);
}

#[test]
fn what_is_no_plain_file_is_told_in_both_languages() {
    let yard = Yard::new();
    let mine = yard.root.join("mine");
    rustix::fs::mkfifoat(rustix::fs::CWD, mine.join("fifo"), rustix::fs::Mode::RUSR).unwrap();
    symlink("loop", mine.join("loop")).unwrap();
    std::fs::hard_link(yard.outside().join("secret"), mine.join("hard")).unwrap();
    std::fs::write(mine.join(".netrc"), SECRET).unwrap();
    let sparse = std::fs::File::create(mine.join("sparse")).unwrap();
    sparse.set_len(10 * 1024 * 1024 * 1024).unwrap();
    let mut told = Vec::new();
    for path in [
        "none",
        "../..",
        "/etc/passwd",
        "~root",
        "a\u{202E}b",
        ".netrc",
        "hard",
        "sub",
        "fifo",
        "loop",
        "sparse",
        "file/x",
        "../data",
    ] {
        let why = yard.read(path).unwrap_err();
        told.push(format!("{path:?}\n{}\n{}", why.zh(), why.en()));
    }
    let long = yard.read(&"n".repeat(300)).unwrap_err();
    told.push(format!("long\n{}\n{}", long.zh(), long.en()).replace(&"n".repeat(200), "nnn"));
    insta::assert_snapshot!(told.join("\n"), @r#"
    "none"
    这里没有 none。
    There is no none here.
    "../.."
    ../.. 在工作目录之外，只能访问工作目录之内的内容。
    ../.. leads out of the working directory. Only what is inside can be reached.
    "/etc/passwd"
    /etc/passwd 在工作目录之外，只能访问工作目录之内的内容。
    /etc/passwd leads out of the working directory. Only what is inside can be reached.
    "~root"
    ~root 在工作目录之外，只能访问工作目录之内的内容。
    ~root leads out of the working directory. Only what is inside can be reached.
    "a\u{202e}b"
    a�b 含有容易混淆或看不见的字符。请用普通字符和 `/` 书写路径。
    a�b has characters that look like others or cannot be seen. Type the path with plain characters and `/`.
    ".netrc"
    .netrc 含有密钥或密码，或属于 PhoneWork 自身，不能在聊天中查看或修改。
    .netrc holds keys or passwords, or is PhoneWork's own. It is neither shown nor changed from the chat.
    "hard"
    hard 还有另一个名字（硬链接），可能在工作目录之外，因此不读也不写。请先复制一份（`/shell cp hard hard.copy`），再使用那一份。
    hard has a second name (a hard link), which may be outside the working directory, so it is neither read nor written. Make a copy of it: `/shell cp hard hard.copy`, and use that.
    "sub"
    sub 是目录，可用 `/ls sub` 查看。
    sub is a directory. `/ls sub` shows it.
    "fifo"
    fifo 是设备、管道或套接字，不是文件。
    fifo is a device, a pipe or a socket, and no file.
    "loop"
    loop 经过的目录或链接太多，可能是循环链接。请直接写出文件的路径。
    loop leads through too many folders or links, perhaps in a circle. Name the file itself.
    "sparse"
    sparse 不是文本：application/octet-stream，10 GB。可用 `/send sparse` 发到聊天里。
    sparse is no text: application/octet-stream, 10 GB. `/send sparse` sends it to this chat.
    "file/x"
    这里没有 file/x。
    There is no file/x here.
    "../data"
    ../data 含有密钥或密码，或属于 PhoneWork 自身，不能在聊天中查看或修改。
    ../data holds keys or passwords, or is PhoneWork's own. It is neither shown nor changed from the chat.
    long
    nnn… 中有一个名字太长，系统不接受。请换一个短一些的名字。
    A name in nnn… is longer than the system takes. Choose a shorter one.
    "#);
    let sent = put::open_to_send(&yard.base, &yard.grounds(), "sparse").unwrap();
    assert_eq!(sent.2, 10 * 1024 * 1024 * 1024);
}

#[test]
fn what_is_ours_stays_ours_when_it_is_written_anew() {
    let yard = Yard::new();
    let settings = yard.root.join("mine/settings.yaml");
    std::fs::write(&settings, SECRET).unwrap();
    let work = WorkDir::open(&yard.root).unwrap();
    let closed = [yard.root.join("data"), settings.clone()];
    let base = Base::new(&yard.root, work.handle().unwrap(), &closed);
    let refused = |path: &str| {
        let read = look::read(&base, &yard.grounds(), path, None);
        assert!(
            matches!(read, Err(FilesText::Secret { .. })),
            "{path}: {read:?}"
        );
        let wrote = put::write(&base, &yard.grounds(), path, "x");
        assert!(
            matches!(wrote, Err(FilesText::Secret { .. })),
            "{path}: {wrote:?}"
        );
    };
    refused("settings.yaml");
    for (path, ours) in [
        ("data", true),
        ("data/x", true),
        ("mine/settings.yaml", true),
        ("mine", false),
        ("database", false),
        ("", false),
    ] {
        assert_eq!(base.is_ours(path.as_ref()), ours, "{path}");
    }
    // As editors do it: another file takes its place. It was renamed by somebody, too.
    std::fs::write(yard.root.join("mine/new"), SECRET).unwrap();
    std::fs::rename(yard.root.join("mine/new"), &settings).unwrap();
    refused("settings.yaml");
    refused("../data/journal.redb");
    std::fs::rename(yard.root.join("data"), yard.root.join("mine/elsewhere")).unwrap();
    refused("elsewhere/journal.redb");
    let names: Vec<String> = look::list(&base, &yard.grounds(), "")
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["sub", "file"]);
}

#[test]
fn names_that_are_no_text_are_listed_and_counted() {
    let yard = Yard::new();
    let gbk = encoding_rs::GBK.encode("中文.txt").0.into_owned();
    let odd = yard
        .root
        .join("mine")
        .join(std::ffi::OsStr::from_bytes(&gbk));
    std::fs::write(odd, "needle").unwrap();
    let listing = yard.list("").unwrap();
    assert_eq!((listing.entries.len(), listing.odd), (3, 1));
    assert!(
        listing
            .entries
            .iter()
            .any(|entry| entry.name.contains('\u{FFFD}'))
    );
    let found = search::search(&yard.base, &yard.grounds(), "needle", "").unwrap();
    assert_eq!((found.hits.len(), found.closed), (0, 1));
}

#[test]
fn a_path_works_as_it_is_told() {
    let yard = Yard::new();
    // Hits and headings are told from the working directory on.
    let found = search::search(&yard.base, &yard.grounds(), "inside", "").unwrap();
    let told = &found.hits[0].path;
    assert_eq!(told, "mine/file");
    assert_eq!(yard.read(told).unwrap(), "inside");
    assert_eq!(yard.names("mine"), ["sub", "file"]);
    // One's own folder comes first, and nothing is made at the second try.
    std::fs::create_dir(yard.root.join("mine/mine")).unwrap();
    std::fs::write(yard.root.join("mine/mine/file"), "inner").unwrap();
    assert_eq!(yard.read(told).unwrap(), "inner");
    assert_eq!(yard.write("theirs/x").unwrap().path, "mine/theirs/x");
    // Commands in a text are as one has to type them.
    std::fs::write(yard.root.join("mine/sub/a.png"), b"\x89PNG\r\n\x1a\n\0\0").unwrap();
    let told = yard.read("mine/sub/a.png").unwrap_err().en();
    assert!(told.contains("`/send mine/sub/a.png`"), "{told}");
    let told = yard.read("sub/a.png").unwrap_err().en();
    assert!(told.contains("`/send sub/a.png`"), "{told}");
}

#[test]
fn what_comes_from_a_chat_follows_no_link() {
    let yard = Yard::new();
    let alone = Grounds::new(
        "feishu/ou_a".parse().unwrap(),
        yard.root.clone(),
        ".".into(),
        [],
    );
    symlink("../theirs", yard.root.join("mine/link")).unwrap();
    symlink("../mine", yard.root.join("inbox/feishu-ou_a")).unwrap();
    let before = yard.state();
    for dir in [
        "mine/link",
        "mine/link/new",
        "inbox/feishu-ou_a",
        "inbox/feishu-ou_b",
        "theirs/../mine",
        "data",
    ] {
        let landed = land::land(&yard.base, &alone, dir, common::ids::MessageId::new());
        assert!(landed.is_err(), "{dir}");
        assert_eq!(yard.state(), before, "{dir}");
    }
    assert!(!yard.root.join("theirs/new").exists());
    assert!(
        land::land(
            &yard.base,
            &alone,
            "mine/a/b",
            common::ids::MessageId::new()
        )
        .is_ok()
    );
}
