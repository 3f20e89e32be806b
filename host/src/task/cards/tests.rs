//! Each card of a command, in both languages.

use chrono::{TimeZone as _, Utc};
use common::ids::{CauseId, Surface, TurnId};
use common::message::inbound::{Chat, ChatKind};
use common::text::host::shell::Danger;

use super::*;
use crate::context::Origin;

fn record(lang: Lang, state: TaskState) -> TaskRecord {
    TaskRecord {
        id: TurnId::derived(&["t"]),
        n: 3,
        origin: Origin {
            user: "feishu/ou_a".parse().unwrap(),
            chat: Chat {
                id: "oc".into(),
                kind: ChatKind::Direct,
                message: None,
            },
            cause: CauseId::new(Surface::Feishu, "om"),
            lang,
            traceparent: String::new(),
        },
        command: "cargo build".into(),
        dir: "demo".into(),
        card: None,
        rev: 1,
        started_at: Utc.timestamp_opt(1_700_000_000, 0).unwrap(),
        timeout_s: 120,
        background: false,
        mark: "m".into(),
        state,
        caged: true,
    }
}

fn words(view: &View) -> String {
    let mut lines = vec![format!("[{:?}] {}", view.tone, view.title)];
    for block in &view.blocks {
        match block {
            Block::Code { text, .. } => lines.push(format!("| {}", text.replace('\n', "\n| "))),
            Block::Plain { text } | Block::Markdown { text } => lines.push(text.clone()),
            Block::Fields { rows } => {
                lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
            }
            Block::Steps { .. } => {}
        }
    }
    lines.extend(
        view.buttons
            .iter()
            .map(|button| format!("[{}]", button.label)),
    );
    lines.extend(view.footer.clone());
    lines.join("\n")
}

fn shown(left_out: u64) -> Shown {
    Shown {
        head: "first\nsecond\n".into(),
        left_out,
        tail: if left_out > 0 {
            "last\n".into()
        } else {
            String::new()
        },
        total: 20 + left_out,
    }
}

fn ended(lang: Lang, how: How, shown: &Shown) -> TaskRecord {
    let mut record = record(lang, TaskState::Running);
    record.end(how, Duration::from_millis(83_400), shown);
    record
}

fn card(record: &TaskRecord, shown: &Shown, notes: &[ShellText]) -> String {
    let node = "home-pc".parse().unwrap();
    words(&view(
        "home-pc",
        &node,
        record,
        shown,
        Some(Duration::from_secs(42)),
        notes,
    ))
}

#[test]
fn running() {
    let mut both = Vec::new();
    for lang in [Lang::En, Lang::Zh] {
        let mut record = record(lang, TaskState::Running);
        both.push(card(&record, &shown(0), &[]));
        record.background = true;
        both.push(card(&record, &shown(50_000), &[]));
    }
    insta::assert_snapshot!(both.join("\n\n"), @"
    [Working] home-pc · demo
    | cargo build
    | first
    | second
    [Stop]
    task 3 · running · 42.0 s

    [Working] home-pc · demo
    | cargo build
    | first
    | second
    … 50 KB left out …
    | last
    In the background: it goes on as task 3. You are told when it ends; /tasks 3 shows how far it is.
    [Stop]
    task 3 runs in the background · 42.0 s

    [Working] home-pc · demo
    | cargo build
    | first
    | second
    [停止]
    任务 3 · 运行中 · 用时 42.0 秒

    [Working] home-pc · demo
    | cargo build
    | first
    | second
    … 省略 50 KB …
    | last
    正作为后台任务 3 继续运行，结束时会通知您；/tasks 3 查看进度。
    [停止]
    后台任务 3 正在运行 · 用时 42.0 秒
    ");
}

#[test]
fn over() {
    let mut both = Vec::new();
    for lang in [Lang::En, Lang::Zh] {
        let all = shown(0);
        both.push(card(&ended(lang, How::Exit(0), &all), &all, &[]));
        let none = Shown::default();
        both.push(card(&ended(lang, How::Exit(1), &none), &none, &[]));
        let long = shown(70 << 20);
        let notes = [
            ShellText::NotKept { max: 64 },
            ShellText::StaysIn { dir: "demo".into() },
        ];
        both.push(card(&ended(lang, How::TimedOut, &long), &long, &notes));
        both.push(card(&ended(lang, How::Signal(9), &all), &all, &[]));
        both.push(card(&ended(lang, How::Stopped, &all), &all, &[]));
        let mut open = ended(lang, How::Interrupted, &all);
        open.caged = false;
        both.push(card(&open, &all, &[ShellText::RunAgain]));
    }
    insta::assert_snapshot!(both.join("\n\n"), @"
    [Done] home-pc · demo
    | cargo build
    | first
    | second
    exit 0 · 1 min 23 s

    [Failed] home-pc · demo
    | cargo build
    (no output)
    exit 1 · 1 min 23 s

    [Failed] home-pc · demo
    | cargo build
    | first
    | second
    … 73 MB left out …
    | last
    It wrote too much: only the first 64 MB are kept.
    That directory cannot be entered; the next command runs in demo still.
    out of time: ended after 2 min 0 s · 1 min 23 s

    [Failed] home-pc · demo
    | cargo build
    | first
    | second
    ended by signal 9 · 1 min 23 s

    [Plain] home-pc · demo
    | cargo build
    | first
    | second
    stopped · 1 min 23 s

    [Warning] home-pc · demo
    | cargo build
    | first
    | second
    It is not run again by itself; run it once more if you need it.
    interrupted: PhoneWork was restarted · 1 min 23 s · no sandbox: the kernel of this machine has no Landlock

    [Done] home-pc · demo
    | cargo build
    | first
    | second
    退出码 0 · 用时 1 分 23 秒

    [Failed] home-pc · demo
    | cargo build
    （没有输出）
    退出码 1 · 用时 1 分 23 秒

    [Failed] home-pc · demo
    | cargo build
    | first
    | second
    … 省略 73 MB …
    | last
    输出太多，只保留了前 64 MB。
    不能到那个目录去，之后的命令仍在 demo 运行。
    超时：2 分 0 秒后已结束 · 用时 1 分 23 秒

    [Failed] home-pc · demo
    | cargo build
    | first
    | second
    被信号 9 结束 · 用时 1 分 23 秒

    [Plain] home-pc · demo
    | cargo build
    | first
    | second
    已停止 · 用时 1 分 23 秒

    [Warning] home-pc · demo
    | cargo build
    | first
    | second
    它不会自动重来，需要的话请再运行一次。
    PhoneWork 重启，命令被中断 · 用时 1 分 23 秒 · 这台机器的内核没有 Landlock，命令没有在沙箱里运行
    ");
}

#[test]
fn lists() {
    let node = "home-pc".parse().unwrap();
    let mut both = Vec::new();
    for lang in [Lang::En, Lang::Zh] {
        both.push(words(&list("home-pc", &node, lang, &[])));
        let mut first = ended(lang, How::Exit(0), &shown(0));
        first.n = 2;
        let all = [ended(lang, How::Exit(2), &shown(0)), first];
        both.push(words(&list("home-pc", &node, lang, &all)));
    }
    insta::assert_snapshot!(both.join("\n\n"), @"
    [Plain] home-pc · Tasks
    No tasks. `/shell --bg <command>` runs one in the background; whatever takes over a minute goes there by itself.

    [Plain] home-pc · Tasks
    3: cargo build · exit 2 · 1 min 23 s
    2: cargo build · exit 0 · 1 min 23 s
    /tasks <n> shows the output

    [Plain] home-pc · 任务
    没有任务。`/shell --bg <命令>` 在后台运行；超过一分钟的命令会自动转到后台。

    [Plain] home-pc · 任务
    3: cargo build · 退出码 2 · 用时 1 分 23 秒
    2: cargo build · 退出码 0 · 用时 1 分 23 秒
    /tasks <编号> 查看输出
    ");
}

#[test]
fn sentences() {
    let dangers = [
        Danger::Unreadable,
        Danger::UnknownCommand,
        Danger::PipedToShell,
        Danger::ForkBomb,
        Danger::KillsAll,
        Danger::KillsOurs,
        Danger::StopsMachine {
            name: "halt".into(),
        },
        Danger::FileSystem {
            name: "mkfs".into(),
        },
        Danger::Accounts {
            name: "passwd".into(),
        },
        Danger::System {
            name: "mount".into(),
        },
        Danger::Raises {
            name: "sudo".into(),
        },
        Danger::DeletesOutside {
            path: "/etc".into(),
        },
        Danger::DeletesAll { path: "*".into() },
        Danger::DeletesProject { path: "*".into() },
        Danger::DeletesUnknown,
        Danger::LosesWork,
        Danger::Secrets {
            path: "~/.ssh/id".into(),
        },
        Danger::Device {
            path: "/dev/sda".into(),
        },
        Danger::OverwritesSystem {
            path: "/etc/passwd".into(),
        },
        Danger::WritesOutside {
            path: "../x".into(),
        },
        Danger::RightsOutside { path: "/".into() },
        Danger::Inline {
            name: "python".into(),
        },
        Danger::InlineDeletes {
            name: "python".into(),
        },
        Danger::Elsewhere,
        Danger::Container,
        Danger::Database,
        Danger::RewritesHistory,
    ];
    let others = [
        ShellText::Denied,
        ShellText::Unanswered,
        ShellText::Gone { dir: "demo".into() },
        ShellText::BadTimeout {
            got: "x".into(),
            max: 86_400,
        },
        ShellText::Failed { why: "no".into() },
        ShellText::FullInFile { bytes: 70_000 },
        ShellText::Ended {
            n: 3,
            how: "exit 0".into(),
            command: "make".into(),
        },
        ShellText::TooMany { max: 8 },
        ShellText::NoSuchTask { n: "9".into() },
        ShellText::Longer,
    ];
    let refused = dangers.into_iter().map(|why| ShellText::Refused { why });
    let lines: Vec<String> = refused
        .chain(others)
        .flat_map(|text| [text.en(), text.zh()])
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    Not run: this command cannot be read. If you mean it, do it at the machine itself.
    没有运行：无法读懂这条命令。确实需要的话，请直接在那台机器上操作。
    Not run: what it runs is known only once it runs. If you mean it, do it at the machine itself.
    没有运行：实际要运行什么，只有运行时才知道。确实需要的话，请直接在那台机器上操作。
    Not run: it would run something that was fetched or decoded, unseen. If you mean it, do it at the machine itself.
    没有运行：它会把下载或解码得到的内容直接交给 shell 执行。确实需要的话，请直接在那台机器上操作。
    Not run: it would start itself without end. If you mean it, do it at the machine itself.
    没有运行：它会无限地启动自己（fork 炸弹）。确实需要的话，请直接在那台机器上操作。
    Not run: it would end every process. If you mean it, do it at the machine itself.
    没有运行：它会结束所有进程。确实需要的话，请直接在那台机器上操作。
    Not run: it would end PhoneWork, or what it runs. If you mean it, do it at the machine itself.
    没有运行：它会结束 PhoneWork 或它正在运行的程序。确实需要的话，请直接在那台机器上操作。
    Not run: `halt` stops or restarts the machine. If you mean it, do it at the machine itself.
    没有运行：`halt` 会让机器停机或重启。确实需要的话，请直接在那台机器上操作。
    Not run: `mkfs` changes disks or file systems. If you mean it, do it at the machine itself.
    没有运行：`mkfs` 会改动磁盘或文件系统。确实需要的话，请直接在那台机器上操作。
    Not run: `passwd` changes the machine's accounts. If you mean it, do it at the machine itself.
    没有运行：`passwd` 会改动系统账户。确实需要的话，请直接在那台机器上操作。
    Not run: `mount` changes the system. If you mean it, do it at the machine itself.
    没有运行：`mount` 会改动系统。确实需要的话，请直接在那台机器上操作。
    Not run: `sudo` would change things with more rights. If you mean it, do it at the machine itself.
    没有运行：`sudo` 会以更高权限做改动。确实需要的话，请直接在那台机器上操作。
    Not run: it would delete outside the working directory: /etc. If you mean it, do it at the machine itself.
    没有运行：它会删除工作目录之外的内容：/etc。确实需要的话，请直接在那台机器上操作。
    Not run: it would delete the working directory or all that is in it: *. If you mean it, do it at the machine itself.
    没有运行：它会删除整个工作目录或其中全部内容：*。确实需要的话，请直接在那台机器上操作。
    Not run: it deletes the whole folder it runs in, or a project's history: *. If you mean it, do it at the machine itself.
    没有运行：它会删除整个当前目录或项目的版本历史：*。确实需要的话，请直接在那台机器上操作。
    Not run: what it deletes cannot be told beforehand. If you mean it, do it at the machine itself.
    没有运行：它要删除的内容事先无法确定。确实需要的话，请直接在那台机器上操作。
    Not run: it throws away changes that are in no commit and cannot be had back. If you mean it, do it at the machine itself.
    没有运行：它会丢弃尚未提交、无法找回的改动。确实需要的话，请直接在那台机器上操作。
    Not run: it reads keys or passwords: ~/.ssh/id. If you mean it, do it at the machine itself.
    没有运行：它会读取密钥或密码：~/.ssh/id。确实需要的话，请直接在那台机器上操作。
    Not run: it would write to the device /dev/sda. If you mean it, do it at the machine itself.
    没有运行：它会写入设备 /dev/sda。确实需要的话，请直接在那台机器上操作。
    Not run: it would overwrite the system's files or somebody's settings: /etc/passwd. If you mean it, do it at the machine itself.
    没有运行：它会覆盖系统文件或个人配置：/etc/passwd。确实需要的话，请直接在那台机器上操作。
    Not run: it writes outside the working directory: ../x. If you mean it, do it at the machine itself.
    没有运行：它会写入工作目录之外：../x。确实需要的话，请直接在那台机器上操作。
    Not run: it would change rights outside a project: /. If you mean it, do it at the machine itself.
    没有运行：它会改动项目之外的权限：/。确实需要的话，请直接在那台机器上操作。
    Not run: the code in it for python deletes files or runs other programs. If you mean it, do it at the machine itself.
    没有运行：其中给 python 的代码会删除文件或运行其他程序。确实需要的话，请直接在那台机器上操作。
    Not run: the code in it for python would delete or overwrite outside the working directory. If you mean it, do it at the machine itself.
    没有运行：其中给 python 的代码会删除或覆盖工作目录之外的内容。确实需要的话，请直接在那台机器上操作。
    Not run: it acts on another machine or service. If you mean it, do it at the machine itself.
    没有运行：它作用于另一台机器或服务。确实需要的话，请直接在那台机器上操作。
    Not run: it gives a container more than the project, or throws data of containers away. If you mean it, do it at the machine itself.
    没有运行：它会让容器接触项目之外的内容，或清除容器数据。确实需要的话，请直接在那台机器上操作。
    Not run: it deletes data of a database. If you mean it, do it at the machine itself.
    没有运行：它会删除数据库里的数据。确实需要的话，请直接在那台机器上操作。
    Not run: it rewrites what others already have. If you mean it, do it at the machine itself.
    没有运行：它会改写别人已有的历史。确实需要的话，请直接在那台机器上操作。
    Not run: you did not allow it.
    没有运行：您没有允许。
    Not run: nobody answered in time. Send it again if you still want it.
    没有运行：没有人及时回答。仍需要的话，请重新发送。
    Not run: the directory demo is gone, or somebody else's by now. Go to another one with `/shell cd <dir>` and send it again.
    没有运行：目录 demo 已不存在，或已属于别人。请用 `/shell cd <目录>` 换个目录，再重新发送。
    `--timeout x` is not right: write seconds, 1 to 86400.
    `--timeout x` 不对：请写秒数，1 到 86400。
    It could not be started: no
    无法启动：no
    The full output (70 KB) is in the file.
    完整输出（70 KB）见文件。
    Task 3 has ended (exit 0): make
    后台任务 3 结束（exit 0）：make
    8 commands run already: wait for one to end, or stop one with /tasks.
    已有 8 条命令在运行，先等一条结束，或用 /tasks 停掉一条。
    There is no task 9. /tasks lists them.
    没有任务 9。/tasks 列出全部。
    To give it longer: `/shell --timeout <seconds> …`, or `/shell --bg …`.
    需要更长时间的话：`/shell --timeout <秒数> …`，或 `/shell --bg …`。
    ");
}
