//! The texts about files.

use crate::text::host::files::FilesText;

use super::{s, said, table};
use crate::text::Say as _;

table! {
    FilesText;
    NotFound: [FilesText::NotFound { path: s("a.rs") }],
    Outside: [FilesText::Outside { path: s("../x") }],
    Strange: [FilesText::Strange { path: s("a\u{FFFD}b") }],
    Secret: [FilesText::Secret { path: s(".ssh/id") }],
    ManyNames: [FilesText::ManyNames { path: s("a.rs") }],
    IsDir: [FilesText::IsDir { path: s("src") }],
    NotDir: [FilesText::NotDir { path: s("a.rs") }],
    NotAFile: [FilesText::NotAFile { path: s("pipe") }],
    Denied: [FilesText::Denied { path: s("a.rs") }],
    LongName: [FilesText::LongName { path: s("aaaa…") }],
    TooDeep: [FilesText::TooDeep { path: s("loop/x") }],
    DiskFull: [FilesText::DiskFull { path: s("a.rs") }],
    ReadOnly: [FilesText::ReadOnly { path: s("a.rs") }],
    Failed: [FilesText::Failed { path: s("a.rs"), why: s("No space left on device") }],
    Binary: [FilesText::Binary { path: s("a.png"), size: s("12 KB"), kind: s("image/png") }],
    BadRange: [FilesText::BadRange { got: s("9-3") }],
    NoSuchLine: [FilesText::NoSuchLine { from: 90, have: 12 }],
    LineTooFar: [FilesText::LineTooFar { from: 9_000_000, max: s("268 MB") }],
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
    OddNames: [FilesText::OddNames { n: 2 }],
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

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, FilesText::zh), @r"
    NotFound: 这里没有 a.rs。
    Outside: ../x 在工作目录之外，只能访问工作目录之内的内容。
    Strange: a�b 含有容易混淆或看不见的字符。请用普通字符和 `/` 书写路径。
    Secret: .ssh/id 含有密钥或密码，或属于 PhoneWork 自身，不能在聊天中查看或修改。
    ManyNames: a.rs 还有另一个名字（硬链接），可能在工作目录之外，因此不读也不写。请先复制一份（`/shell cp a.rs a.rs.copy`），再使用那一份。
    IsDir: src 是目录，可用 `/ls src` 查看。
    NotDir: a.rs 是文件，不是目录。
    NotAFile: pipe 是设备、管道或套接字，不是文件。
    Denied: 系统权限不允许 PhoneWork 访问 a.rs。
    LongName: aaaa… 中有一个名字太长，系统不接受。请换一个短一些的名字。
    TooDeep: loop/x 经过的目录或链接太多，可能是循环链接。请直接写出文件的路径。
    DiskFull: a.rs 无法写入：这台机器的磁盘已满。请腾出空间后再试。
    ReadOnly: a.rs 无法写入：所在的磁盘是只读的。
    Failed: a.rs：No space left on device
    Binary: a.png 不是文本：image/png，12 KB。可用 `/send a.png` 发到聊天里。
    BadRange: `9-3` 不是行范围。请写 10-40、10-（从第 10 行起）或 10（只看这一行）。
    NoSuchLine: 没有第 90 行：文件共 12 行。
    LineTooFar: 第 9000000 行太靠后：只查看文件的前 268 MB。后面的内容可用 `/shell tail` 或 `/shell sed -n` 查看。
    BadPattern: 无法理解这个模式：unclosed group
    模式是正则表达式；要按字面匹配的符号请在前面加 \，例如 \( 或 \.
    TooMuchText: 一次写入的文字太多（最多 10 MB），请分几次写入。
    TooLargeToSend: a.zip 有 31 MB，聊天最多接受 30 MB。可以压缩（`/shell gzip -k a.zip`），或切分（`/shell split -b 25M a.zip a.zip.part-`）后再逐个发送。
    EmptyToSend: a.txt 是空文件，聊天不接受空文件。
    NoRoom: 目前传输中的文件太多，请过几分钟再试。
    NoBroker: 消息服务没有应答，请重新发送命令。
    Head: demo · 3 entries
    Entries: 1 项
    Entries: 3 项
    EmptyDir: 里面没有内容。
    EmptyFile: 文件是空的。
    Ignored: .gitignore 略去 2 项
    MoreEntries: 另有 100 项未显示
    OddNames: 2 项的名字不是 UTF-8 文本，以 � 显示
    Lines: 第 1–9 行，共 20 行
    Lines: 第 1–9 行
    GoOn: 继续：/cat a.rs 401-
    CutLines: 2 个长行已截到 1000 个字符
    Encoding: GBK
    Encoding: 未知编码
    Hits: 1 个文件中有 1 处匹配
    Hits: 1 个文件中有 4 处匹配
    Hits: 2 个文件中有 4 处匹配
    NoHits: 在 1 个文件中没有找到。
    NoHits: 在 7 个文件中没有找到。
    MoreHits: 还有更多；请缩小模式或目录范围
    SearchCut: 10 秒后停止；请指定目录
    PassedOver: 跳过：1 个二进制文件，2 项被 .gitignore 略去，3 个不可读
    PassedOver: 跳过：2 项被 .gitignore 略去
    Sending: a.zip（12 MB）正在发送。
    Receiving: 正在接收 1 个文件……
    Receiving: 正在接收 3 个文件……
    Received: demo/a.pdf（1.2 MB）
    GoesWithNext: 会随您的下一条消息交给 Claude。
    GoesNow: 已随您的消息交给 Claude。
    NotReceived: a.pdf 没有收到：…
    TooLarge: 超过了 100 MB。
    GoneAtPlatform: 它已经不在了，请重新发送。
    MayNotFetch: 应用没有下载权限，请应用所有者开通：im:message
    NoAnswer: 没有按时收到，请重新发送。
    Damaged: 收到的内容已损坏，请重新发送。
    TooManyFiles: 一条消息最多接收 20 个文件，其余的请再发一次。
    Picture: 图片
    WithPrompt: 用户随这条消息发来的文件：
    LostWithPrompt: a.pdf（已经不在了）
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, FilesText::en), @r"
    NotFound: There is no a.rs here.
    Outside: ../x leads out of the working directory. Only what is inside can be reached.
    Strange: a�b has characters that look like others or cannot be seen. Type the path with plain characters and `/`.
    Secret: .ssh/id holds keys or passwords, or is PhoneWork's own. It is neither shown nor changed from the chat.
    ManyNames: a.rs has a second name (a hard link), which may be outside the working directory, so it is neither read nor written. Make a copy of it: `/shell cp a.rs a.rs.copy`, and use that.
    IsDir: src is a directory. `/ls src` shows it.
    NotDir: a.rs is a file, not a directory.
    NotAFile: pipe is a device, a pipe or a socket, and no file.
    Denied: The system does not let PhoneWork at a.rs (permissions).
    LongName: A name in aaaa… is longer than the system takes. Choose a shorter one.
    TooDeep: loop/x leads through too many folders or links, perhaps in a circle. Name the file itself.
    DiskFull: a.rs cannot be written: the disk of this machine is full. Make room and try again.
    ReadOnly: a.rs cannot be written: its disk is read-only.
    Failed: a.rs: No space left on device
    Binary: a.png is no text: image/png, 12 KB. `/send a.png` sends it to this chat.
    BadRange: `9-3` is no range of lines. Write 10-40, 10- (from 10 on) or 10 (that line).
    NoSuchLine: There is no line 90: the file has 12.
    LineTooFar: Line 9000000 is too far into the file: only its first 268 MB are looked through. `/shell tail` or `/shell sed -n` shows what is behind.
    BadPattern: The pattern cannot be read: unclosed group
    A pattern is a regular expression; put \ before a sign that is meant as it is, such as \( or \.
    TooMuchText: That is too much text at once (at most 10 MB). Write it in parts.
    TooLargeToSend: a.zip is 31 MB; chats take at most 30 MB. Pack it (`/shell gzip -k a.zip`), or cut it (`/shell split -b 25M a.zip a.zip.part-`) and send the parts.
    EmptyToSend: a.txt is empty; chats take no empty files.
    NoRoom: Too many files are on their way at present. Try again in some minutes.
    NoBroker: The broker does not answer; send the command again.
    Head: demo · 3 entries
    Entries: 1 entry
    Entries: 3 entries
    EmptyDir: Nothing in it.
    EmptyFile: The file is empty.
    Ignored: 2 left out by .gitignore
    MoreEntries: 100 more are not shown
    OddNames: 2 with names that are no UTF-8 text, shown with �
    Lines: lines 1–9 of 20
    Lines: lines 1–9
    GoOn: Go on: /cat a.rs 401-
    CutLines: 2 long lines cut to 1000 characters
    Encoding: GBK
    Encoding: unknown encoding
    Hits: 1 hit
    Hits: 4 hits in 1 file
    Hits: 4 hits in 2 files
    NoHits: Nothing found in 1 file.
    NoHits: Nothing found in 7 files.
    MoreHits: there are more; make the pattern or the folder narrower
    SearchCut: stopped after 10 s; name a folder to look in
    PassedOver: passed over: 1 binary, 2 left out by .gitignore, 3 not readable
    PassedOver: passed over: 2 left out by .gitignore
    Sending: a.zip (12 MB) is on its way.
    Receiving: Receiving a file …
    Receiving: Receiving 3 files …
    Received: demo/a.pdf (1.2 MB)
    GoesWithNext: It goes to Claude with your next message.
    GoesNow: It goes to Claude with your message.
    NotReceived: a.pdf did not arrive: …
    TooLarge: it is larger than 100 MB.
    GoneAtPlatform: it is not there any more. Send it again.
    MayNotFetch: the app may not fetch it. Its owner has to give it the right: im:message
    NoAnswer: nothing came in time. Send it again.
    Damaged: it arrived damaged. Send it again.
    TooManyFiles: At most 20 files are taken with one message; send the others again.
    Picture: picture
    WithPrompt: Files that the user sent with this message:
    LostWithPrompt: a.pdf (not there any more)
    ");
}
