//! What a host says about files: looking at them, sending them, receiving them.

use crate::text::Say;

/// A text about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesText {
    // What cannot be done
    /// Nothing there, or nothing that this person may know of.
    NotFound {
        /// As it was typed.
        path: String,
    },
    /// It leads out of the working directory.
    Outside {
        /// As it was typed.
        path: String,
    },
    /// It has characters that look like others, or cannot be seen.
    Strange {
        /// As it was typed, without them.
        path: String,
    },
    /// It holds keys or passwords, or belongs to this program.
    Secret {
        /// As it was typed.
        path: String,
    },
    /// A file with several names: one of them may be outside.
    ManyNames {
        /// Which.
        path: String,
    },
    /// A directory, where a file is needed.
    IsDir {
        /// Which.
        path: String,
    },
    /// A file, where a directory is needed.
    NotDir {
        /// Which.
        path: String,
    },
    /// A device, a pipe, a socket.
    NotAFile {
        /// Which.
        path: String,
    },
    /// The system's permissions.
    Denied {
        /// Which.
        path: String,
    },
    /// Anything else that the system says.
    Failed {
        /// Which.
        path: String,
        /// In the system's words.
        why: String,
    },
    /// Not text.
    Binary {
        /// Which.
        path: String,
        /// As people read it.
        size: String,
        /// By its first bytes.
        kind: String,
    },
    /// A range of lines that is none.
    BadRange {
        /// As it was typed.
        got: String,
    },
    /// The file has fewer lines.
    NoSuchLine {
        /// The first one that was asked for.
        from: usize,
        /// How many there are.
        have: usize,
    },
    /// A pattern that cannot be read.
    BadPattern {
        /// What is wrong with it.
        why: String,
    },
    /// More text than is written at once.
    TooMuchText {
        /// The most, as people read it.
        max: String,
    },
    /// Too large for the chat.
    TooLargeToSend {
        /// Which.
        path: String,
        /// As people read it.
        size: String,
        /// The most, as people read it.
        max: String,
    },
    /// Chats take no empty file.
    EmptyToSend {
        /// Which.
        path: String,
    },
    /// Too much is on its way.
    NoRoom,
    /// The broker does not answer.
    NoBroker,

    // Results
    /// A line over a listing or a file.
    Head {
        /// Which.
        path: String,
        /// Count of entries or lines, as it is said.
        what: String,
    },
    /// So many entries.
    Entries {
        /// How many.
        n: usize,
    },
    /// There is nothing in the directory.
    EmptyDir,
    /// There is nothing in the file.
    EmptyFile,
    /// Entries that .gitignore leaves out.
    Ignored {
        /// How many.
        n: usize,
    },
    /// More than are shown.
    MoreEntries {
        /// How many more.
        n: usize,
    },
    /// Which lines are shown.
    Lines {
        /// First.
        from: usize,
        /// Last.
        to: usize,
        /// How many there are, if that is known.
        of: Option<usize>,
    },
    /// How to see what follows.
    GoOn {
        /// The command.
        command: String,
    },
    /// Lines that are too long and were cut.
    CutLines {
        /// How many.
        n: usize,
        /// Characters that are left of each.
        max: usize,
    },
    /// The encoding, where it is not the usual one.
    Encoding {
        /// Its name; `?` for an unknown one.
        name: String,
    },
    /// A search with results.
    Hits {
        /// How many.
        n: usize,
        /// In how many files.
        files: usize,
    },
    /// A search without results.
    NoHits {
        /// Files that were looked through.
        files: usize,
    },
    /// There are more results than are shown.
    MoreHits,
    /// The search ended before it was through.
    SearchCut {
        /// Seconds, or files, whichever came first.
        seconds: u64,
    },
    /// What a search passed over.
    PassedOver {
        /// Binary files.
        binary: usize,
        /// Such as .gitignore leaves out.
        ignored: usize,
        /// Such as cannot be read, or have several names.
        closed: usize,
    },
    /// A file is on its way to the chat.
    Sending {
        /// Which.
        path: String,
        /// As people read it.
        size: String,
    },

    // From the chat
    /// Files are on their way from the chat.
    Receiving {
        /// How many.
        n: usize,
    },
    /// A file is here.
    Received {
        /// Where, relative to the working directory.
        path: String,
        /// As people read it.
        size: String,
    },
    /// What becomes of what was received.
    GoesWithNext,
    /// It goes at once, with the words that came with it.
    GoesNow,
    /// A file did not come.
    NotReceived {
        /// What it is called.
        name: String,
        /// Why.
        why: String,
    },
    /// Larger than is taken.
    TooLarge {
        /// The most, as people read it.
        max: String,
    },
    /// The platform does not have it any more.
    GoneAtPlatform,
    /// The app may not fetch it.
    MayNotFetch {
        /// In the platform's words.
        detail: String,
    },
    /// Nothing came in time.
    NoAnswer,
    /// The pieces were not what was announced.
    Damaged,
    /// More files than are taken with one message.
    TooManyFiles {
        /// How many are taken.
        max: usize,
    },
    /// A picture without a name.
    Picture,

    // In a prompt, for the agent
    /// Before the list of files that go with a prompt.
    WithPrompt,
    /// A file that was to go with a prompt and is not there any more.
    LostWithPrompt {
        /// Which.
        path: String,
    },
}

impl Say for FilesText {
    fn en(&self) -> String {
        match self {
            Self::NotFound { path } => format!("There is no {path} here."),
            Self::Outside { path } => format!(
                "{path} leads out of the working directory. Only what is inside can be reached."
            ),
            Self::Strange { path } => format!(
                "{path} has characters that look like others or cannot be seen. Type the path with plain characters and `/`."
            ),
            Self::Secret { path } => format!(
                "{path} holds keys or passwords, or is PhoneWork's own. It is neither shown nor changed from the chat."
            ),
            Self::ManyNames { path } => format!(
                "{path} has a second name (a hard link), which may be outside the working directory, so it is neither read nor written. Make a copy of it: `cp --remove-destination`, or copy it under another name."
            ),
            Self::IsDir { path } => format!("{path} is a directory. `/ls {path}` shows it."),
            Self::NotDir { path } => format!("{path} is a file, not a directory."),
            Self::NotAFile { path } => {
                format!("{path} is a device, a pipe or a socket, and no file.")
            }
            Self::Denied { path } => {
                format!("The system does not let PhoneWork at {path} (permissions).")
            }
            Self::Failed { path, why } => format!("{path}: {why}"),
            Self::Binary { path, size, kind } => {
                format!("{path} is no text: {kind}, {size}. `/send {path}` sends it to this chat.")
            }
            Self::BadRange { got } => format!(
                "`{got}` is no range of lines. Write 10-40, 10- (from 10 on) or 10 (that line)."
            ),
            Self::NoSuchLine { from, have } => {
                format!("There is no line {from}: the file has {have}.")
            }
            Self::BadPattern { why } => format!(
                "The pattern cannot be read: {why}\nA pattern is a regular expression; put \\ before a sign that is meant as it is, such as \\( or \\."
            ),
            Self::TooMuchText { max } => format!("That is too much text at once (at most {max})."),
            Self::TooLargeToSend { path, size, max } => format!(
                "{path} is {size}; chats take at most {max}. Pack it (`/shell gzip -k {path}`), or cut it (`/shell split -b 25M {path} {path}.part-`) and send the parts."
            ),
            Self::EmptyToSend { path } => format!("{path} is empty; chats take no empty files."),
            Self::NoRoom => {
                "Too many files are on their way at present. Try again in some minutes.".into()
            }
            Self::NoBroker => "The broker does not answer; send the command again.".into(),
            Self::Head { path, what } => format!("{path} · {what}"),
            Self::Entries { n: 1 } => "1 entry".into(),
            Self::Entries { n } => format!("{n} entries"),
            Self::EmptyDir => "Nothing in it.".into(),
            Self::EmptyFile => "The file is empty.".into(),
            Self::Ignored { n } => format!("{n} left out by .gitignore"),
            Self::MoreEntries { n } => format!("{n} more are not shown"),
            Self::Lines {
                from,
                to,
                of: Some(of),
            } => format!("lines {from}–{to} of {of}"),
            Self::Lines { from, to, of: None } => format!("lines {from}–{to}"),
            Self::GoOn { command } => format!("Go on: {command}"),
            Self::CutLines { n, max } => format!("{n} long lines cut to {max} characters"),
            Self::Encoding { name } if name == "?" => "unknown encoding".into(),
            Self::Encoding { name } => name.clone(),
            Self::Hits { n: 1, files: _ } => "1 hit".into(),
            Self::Hits { n, files: 1 } => format!("{n} hits in 1 file"),
            Self::Hits { n, files } => format!("{n} hits in {files} files"),
            Self::NoHits { files: 1 } => "Nothing found in 1 file.".into(),
            Self::NoHits { files } => format!("Nothing found in {files} files."),
            Self::MoreHits => "there are more; make the pattern or the folder narrower".into(),
            Self::SearchCut { seconds } => {
                format!("stopped after {seconds} s; name a folder to look in")
            }
            Self::PassedOver {
                binary,
                ignored,
                closed,
            } => {
                let all = [
                    (*binary, "binary"),
                    (*ignored, "left out by .gitignore"),
                    (*closed, "not readable"),
                ];
                let all = all.iter().filter(|(n, _)| *n > 0);
                let all: Vec<String> = all.map(|(n, what)| format!("{n} {what}")).collect();
                format!("passed over: {}", all.join(", "))
            }
            Self::Sending { path, size } => format!("{path} ({size}) is on its way."),
            Self::Receiving { n: 1 } => "Receiving a file …".into(),
            Self::Receiving { n } => format!("Receiving {n} files …"),
            Self::Received { path, size } => format!("{path} ({size})"),
            Self::GoesWithNext => "It goes to Claude with your next message.".into(),
            Self::GoesNow => "It goes to Claude with your message.".into(),
            Self::NotReceived { name, why } => format!("{name} did not arrive: {why}"),
            Self::TooLarge { max } => format!("it is larger than {max}."),
            Self::GoneAtPlatform => "it is not there any more. Send it again.".into(),
            Self::MayNotFetch { detail } => {
                format!("the app may not fetch it. Its owner has to give it the right: {detail}")
            }
            Self::NoAnswer => "nothing came in time. Send it again.".into(),
            Self::Damaged => "it arrived damaged. Send it again.".into(),
            Self::TooManyFiles { max } => {
                format!("At most {max} files are taken with one message; send the others again.")
            }
            Self::Picture => "picture".into(),
            Self::WithPrompt => "Files that the user sent with this message:".into(),
            Self::LostWithPrompt { path } => format!("{path} (not there any more)"),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::NotFound { path } => format!("这里没有 {path}。"),
            Self::Outside { path } => {
                format!("{path} 在工作目录之外，只能访问工作目录之内的内容。")
            }
            Self::Strange { path } => {
                format!("{path} 含有容易混淆或看不见的字符。请用普通字符和 `/` 书写路径。")
            }
            Self::Secret { path } => {
                format!("{path} 含有密钥或密码，或属于 PhoneWork 自身，不能在聊天中查看或修改。")
            }
            Self::ManyNames { path } => format!(
                "{path} 还有另一个名字（硬链接），可能在工作目录之外，因此不读也不写。请先复制一份：`cp --remove-destination`，或另存为别的名字。"
            ),
            Self::IsDir { path } => format!("{path} 是目录，可用 `/ls {path}` 查看。"),
            Self::NotDir { path } => format!("{path} 是文件，不是目录。"),
            Self::NotAFile { path } => format!("{path} 是设备、管道或套接字，不是文件。"),
            Self::Denied { path } => format!("系统权限不允许 PhoneWork 访问 {path}。"),
            Self::Failed { path, why } => format!("{path}：{why}"),
            Self::Binary { path, size, kind } => {
                format!("{path} 不是文本：{kind}，{size}。可用 `/send {path}` 发到聊天里。")
            }
            Self::BadRange { got } => {
                format!("`{got}` 不是行范围。请写 10-40、10-（从第 10 行起）或 10（只看这一行）。")
            }
            Self::NoSuchLine { from, have } => format!("没有第 {from} 行：文件共 {have} 行。"),
            Self::BadPattern { why } => format!(
                "无法理解这个模式：{why}\n模式是正则表达式；要按字面匹配的符号请在前面加 \\，例如 \\( 或 \\."
            ),
            Self::TooMuchText { max } => format!("一次写入的文字太多（最多 {max}）。"),
            Self::TooLargeToSend { path, size, max } => format!(
                "{path} 有 {size}，聊天最多接受 {max}。可以压缩（`/shell gzip -k {path}`），或切分（`/shell split -b 25M {path} {path}.part-`）后再逐个发送。"
            ),
            Self::EmptyToSend { path } => format!("{path} 是空文件，聊天不接受空文件。"),
            Self::NoRoom => "目前传输中的文件太多，请过几分钟再试。".into(),
            Self::NoBroker => "消息服务没有应答，请重新发送命令。".into(),
            Self::Head { path, what } => format!("{path} · {what}"),
            Self::Entries { n } => format!("{n} 项"),
            Self::EmptyDir => "里面没有内容。".into(),
            Self::EmptyFile => "文件是空的。".into(),
            Self::Ignored { n } => format!(".gitignore 略去 {n} 项"),
            Self::MoreEntries { n } => format!("另有 {n} 项未显示"),
            Self::Lines {
                from,
                to,
                of: Some(of),
            } => format!("第 {from}–{to} 行，共 {of} 行"),
            Self::Lines { from, to, of: None } => format!("第 {from}–{to} 行"),
            Self::GoOn { command } => format!("继续：{command}"),
            Self::CutLines { n, max } => format!("{n} 个长行已截到 {max} 个字符"),
            Self::Encoding { name } if name == "?" => "未知编码".into(),
            Self::Encoding { name } => name.clone(),
            Self::Hits { n, files } => format!("{files} 个文件中有 {n} 处匹配"),
            Self::NoHits { files } => format!("在 {files} 个文件中没有找到。"),
            Self::MoreHits => "还有更多；请缩小模式或目录范围".into(),
            Self::SearchCut { seconds } => format!("{seconds} 秒后停止；请指定目录"),
            Self::PassedOver {
                binary,
                ignored,
                closed,
            } => {
                let all = [
                    (*binary, "个二进制文件"),
                    (*ignored, "项被 .gitignore 略去"),
                    (*closed, "个不可读"),
                ];
                let all = all.iter().filter(|(n, _)| *n > 0);
                let all: Vec<String> = all.map(|(n, what)| format!("{n} {what}")).collect();
                format!("跳过：{}", all.join("，"))
            }
            Self::Sending { path, size } => format!("{path}（{size}）正在发送。"),
            Self::Receiving { n } => format!("正在接收 {n} 个文件……"),
            Self::Received { path, size } => format!("{path}（{size}）"),
            Self::GoesWithNext => "会随您的下一条消息交给 Claude。".into(),
            Self::GoesNow => "已随您的消息交给 Claude。".into(),
            Self::NotReceived { name, why } => format!("{name} 没有收到：{why}"),
            Self::TooLarge { max } => format!("超过了 {max}。"),
            Self::GoneAtPlatform => "它已经不在了，请重新发送。".into(),
            Self::MayNotFetch { detail } => {
                format!("应用没有下载权限，请应用所有者开通：{detail}")
            }
            Self::NoAnswer => "没有按时收到，请重新发送。".into(),
            Self::Damaged => "收到的内容已损坏，请重新发送。".into(),
            Self::TooManyFiles { max } => {
                format!("一条消息最多接收 {max} 个文件，其余的请再发一次。")
            }
            Self::Picture => "图片".into(),
            Self::WithPrompt => "用户随这条消息发来的文件：".into(),
            Self::LostWithPrompt { path } => format!("{path}（已经不在了）"),
        }
    }
}

/// A size in bytes as people read it: powers of ten, as chats count.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes / (unit / 10);
            return if tenths >= 100 {
                format!("{} {name}", tenths / 10)
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let sizes = [
            0,
            999,
            1_000,
            1_550,
            99_999,
            100_000,
            30_000_000,
            1_234_567_890,
        ];
        let sizes: Vec<String> = sizes.into_iter().map(size).collect();
        assert_eq!(
            sizes,
            [
                "0 B", "999 B", "1.0 KB", "1.5 KB", "99 KB", "100 KB", "30 MB", "1.2 GB"
            ]
        );
    }

    fn s(text: &str) -> String {
        text.to_owned()
    }

    /// Rows of variant and examples: a new variant without a row does not compile.
    macro_rules! table {
        ($($name:ident: [$($example:expr),+ $(,)?]),+ $(,)?) => {
            fn rows() -> Vec<(&'static str, Vec<FilesText>)> {
                vec![$((stringify!($name), vec![$($example),+])),+]
            }

            fn row_of(text: &FilesText) -> &'static str {
                match text {
                    $(FilesText::$name { .. } => stringify!($name)),+
                }
            }
        };
    }

    table! {
        NotFound: [FilesText::NotFound { path: s("a.rs") }],
        Outside: [FilesText::Outside { path: s("../x") }],
        Strange: [FilesText::Strange { path: s("a\u{FFFD}b") }],
        Secret: [FilesText::Secret { path: s(".ssh/id") }],
        ManyNames: [FilesText::ManyNames { path: s("a.rs") }],
        IsDir: [FilesText::IsDir { path: s("src") }],
        NotDir: [FilesText::NotDir { path: s("a.rs") }],
        NotAFile: [FilesText::NotAFile { path: s("pipe") }],
        Denied: [FilesText::Denied { path: s("a.rs") }],
        Failed: [FilesText::Failed { path: s("a.rs"), why: s("No space left on device") }],
        Binary: [FilesText::Binary { path: s("a.png"), size: s("12 KB"), kind: s("image/png") }],
        BadRange: [FilesText::BadRange { got: s("9-3") }],
        NoSuchLine: [FilesText::NoSuchLine { from: 90, have: 12 }],
        BadPattern: [FilesText::BadPattern { why: s("unclosed group") }],
        TooMuchText: [FilesText::TooMuchText { max: s("10 MB") }],
        TooLargeToSend: [FilesText::TooLargeToSend { path: s("a.zip"), size: s("31 MB"), max: s("30 MB") }],
        EmptyToSend: [FilesText::EmptyToSend { path: s("a.txt") }],
        NoRoom: [FilesText::NoRoom],
        NoBroker: [FilesText::NoBroker],
        Head: [FilesText::Head { path: s("demo"), what: s("3 entries") }],
        Entries: [FilesText::Entries { n: 1 }, FilesText::Entries { n: 3 }],
        EmptyDir: [FilesText::EmptyDir],
        EmptyFile: [FilesText::EmptyFile],
        Ignored: [FilesText::Ignored { n: 2 }],
        MoreEntries: [FilesText::MoreEntries { n: 100 }],
        Lines: [
            FilesText::Lines { from: 1, to: 9, of: Some(20) },
            FilesText::Lines { from: 1, to: 9, of: None },
        ],
        GoOn: [FilesText::GoOn { command: s("/cat a.rs 401-") }],
        CutLines: [FilesText::CutLines { n: 2, max: 1000 }],
        Encoding: [FilesText::Encoding { name: s("GBK") }, FilesText::Encoding { name: s("?") }],
        Hits: [
            FilesText::Hits { n: 1, files: 1 },
            FilesText::Hits { n: 4, files: 1 },
            FilesText::Hits { n: 4, files: 2 },
        ],
        NoHits: [FilesText::NoHits { files: 1 }, FilesText::NoHits { files: 7 }],
        MoreHits: [FilesText::MoreHits],
        SearchCut: [FilesText::SearchCut { seconds: 10 }],
        PassedOver: [
            FilesText::PassedOver { binary: 1, ignored: 2, closed: 3 },
            FilesText::PassedOver { binary: 0, ignored: 2, closed: 0 },
        ],
        Sending: [FilesText::Sending { path: s("a.zip"), size: s("12 MB") }],
        Receiving: [FilesText::Receiving { n: 1 }, FilesText::Receiving { n: 3 }],
        Received: [FilesText::Received { path: s("demo/a.pdf"), size: s("1.2 MB") }],
        GoesWithNext: [FilesText::GoesWithNext],
        GoesNow: [FilesText::GoesNow],
        NotReceived: [FilesText::NotReceived { name: s("a.pdf"), why: s("…") }],
        TooLarge: [FilesText::TooLarge { max: s("100 MB") }],
        GoneAtPlatform: [FilesText::GoneAtPlatform],
        MayNotFetch: [FilesText::MayNotFetch { detail: s("im:message") }],
        NoAnswer: [FilesText::NoAnswer],
        Damaged: [FilesText::Damaged],
        TooManyFiles: [FilesText::TooManyFiles { max: 20 }],
        Picture: [FilesText::Picture],
        WithPrompt: [FilesText::WithPrompt],
        LostWithPrompt: [FilesText::LostWithPrompt { path: s("a.pdf") }],
    }

    fn all(say: impl Fn(&FilesText) -> String) -> String {
        let mut lines = Vec::new();
        for (name, examples) in rows() {
            for text in examples {
                assert_eq!(row_of(&text), name);
                lines.push(format!("{name}: {}", say(&text)));
            }
        }
        lines.join("\n")
    }

    #[test]
    fn every_text_is_there_in_both_languages() {
        let han = |text: &str| text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fff}'));
        assert!(!han(&all(FilesText::en)));
        for line in all(FilesText::zh).lines().chain(all(FilesText::en).lines()) {
            assert!(!line.ends_with(": "), "{line} is silent");
        }
    }
}
