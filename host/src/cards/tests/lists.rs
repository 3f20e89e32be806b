//! `/status`, `/help` and cards of one sentence.

use super::*;

fn row(n: u128, active: bool, running: bool) -> Row {
    let id = uuid::Uuid::from_u128(n).to_string();
    Row {
        session: id.parse().unwrap(),
        active,
        line: HostText::Line {
            active,
            dir: format!("dir-{n}"),
            running,
            waiting: false,
            queued: 0,
            live: running,
            age: "5m".into(),
        },
    }
}

#[test]
fn the_status() {
    let rows = [
        row(1, false, false),
        row(2, true, true),
        row(3, false, false),
    ];
    let card = |lang| {
        status(
            "Home",
            &node(),
            lang,
            &HostText::ModeDirect.say(lang),
            &rows,
        )
    };
    insta::assert_snapshot!(all(&[card(Lang::Zh), card(Lang::En)]), @"
    # Home 上的会话 (Plain)
    1: dir-1 · 休眠 · 5 分钟前
    2: dir-2（当前） · 进行中 · 5 分钟前
    3: dir-3 · 休眠 · 5 分钟前
    模式: 直接
    [切换到 1 → Switch 1, Normal]
    [切换到 3 → Switch 3, Normal]

    # Sessions on Home (Plain)
    1: dir-1 · asleep · 5m ago
    2: dir-2 (active) · working · 5m ago
    3: dir-3 · asleep · 5m ago
    Mode: direct
    [Switch to 1 → Switch 1, Normal]
    [Switch to 3 → Switch 3, Normal]
    ");
    let card = |lang| status("Home", &node(), lang, &HostText::ModeSmart.say(lang), &[]);
    insta::assert_snapshot!(all(&[card(Lang::Zh), card(Lang::En)]), @"
    # Home 上的会话 (Plain)
    没有会话。用 /new <目录> 开始一个。
    模式: 智能（未配置模型：文字发给当前会话）

    # Sessions on Home (Plain)
    No sessions. Begin one with /new <dir>.
    Mode: smart (no model set up: text goes to the active session)
    ");
}

#[test]
fn the_status_of_many_sessions_offers_a_few_buttons() {
    let rows: Vec<Row> = (1..=20).map(|n| row(n, n == 1, false)).collect();
    let card = status("Home", &node(), Lang::En, &HostText::ModeSmart.en(), &rows);
    let labels: Vec<&str> = card.buttons.iter().map(|one| one.label.as_str()).collect();
    insta::assert_snapshot!(labels.join(", "), @"Switch to 2, Switch to 3, Switch to 4, Switch to 5, Switch to 6, Switch to 7, Switch to 8, Switch to 9");
}

#[test]
fn the_help() {
    insta::assert_snapshot!(show(&help(Lang::Zh)), @r#"
    # 命令 (Plain)
    /new <dir> [msg] [--timeout N] [--idle N]: 在 <dir>（工作目录下的文件夹）里开始一个 Claude Code 会话，并发送 [msg]。--timeout：一轮最多多少秒；--idle：空闲多少秒后关闭进程
    /status: 这台机器上您的会话，以及当前模式
    /switch <n>: 把 /status 中的第 <n> 个会话设为当前会话
    /close [n]: 关闭当前会话，或第 <n> 个会话
    /stop: 中断当前会话正在做的事
    /smart: 智能模式（默认）：由模型先读您的文字，直接回答、使用工具，或交给 Claude Code
    /direct: 直接模式：文字直接发给 Claude Code
    /clear: 智能模式：忘掉此前的对话。直接模式下是 Claude Code 自己的 /clear
    /shell [--bg] [--timeout N] <cmd>: 执行一条 shell 命令。超过 60 秒自动转到后台；--bg：一开始就在后台；--timeout：多少秒后结束它
    /tasks [n]: 您的后台任务，或第 <n> 个任务及其输出
    /ls [path]: 列出文件夹内容
    /cat <path> [from[-to]]: 显示文件（带行号），全部或部分行：10-40
    /grep <pattern> [path]: 在文件中搜索（正则表达式）
    /send <path>: 把这台机器上的文件发到聊天里
    /search [--in webpage|paper|document|video|podcast] <query>: 搜索网络
    /ask <question>: 提一个问题，根据网络内容回答并列出来源
    /fetch <url>: 以文字形式读取一个网页
    /remind <when> <msg> | list | cancel <n>: 提醒您：10分钟后、明天9点、每周一 9:00、cron "0 9 * * 1-5"。list 列出，cancel <n> 取消
    /nodes: 您的机器：状态、版本、会话、负载、在等的消息
    /node <name>: 从现在起使用机器 <name>
    /all <text>: 把 <text> 发给您的所有机器，回答汇总在一张卡片里。@名称 <text> 只发给那一台，@一 @二 <text> 发给几台
    /lang [zh|en]: 用哪种语言回答您
    /help: 本列表
    其他以 / 开头的命令交给当前会话里的 Claude Code，例如 /compact；与上面同名时写成 //help。其他文字交给助手（/smart）或直接发给当前会话（/direct）。
    "#);
    insta::assert_snapshot!(show(&help(Lang::En)), @r#"
    # Commands (Plain)
    /new <dir> [msg] [--timeout N] [--idle N]: Begin a Claude Code session in <dir> (a folder under the working directory), and send [msg]. --timeout: seconds a turn may take; --idle: seconds until the process is closed
    /status: Your sessions on this machine, and the mode
    /switch <n>: Make session <n> of /status the active one
    /close [n]: Close the active session, or session <n>
    /stop: Interrupt what the active session is doing
    /smart: Smart mode (the default): a model reads your text, answers itself, uses its tools, or hands it to Claude Code
    /direct: Direct mode: text goes straight to Claude Code
    /clear: Smart mode: forget what was said so far. In direct mode it is Claude Code's own /clear
    /shell [--bg] [--timeout N] <cmd>: Run a shell command. After 60 s it goes on in the background; --bg: at once; --timeout: seconds after which it is ended
    /tasks [n]: Your background tasks, or task <n> with its output
    /ls [path]: List a folder
    /cat <path> [from[-to]]: Show a file with line numbers, whole or some lines: 10-40
    /grep <pattern> [path]: Search in files for a pattern (regular expression)
    /send <path>: Send a file of this machine to the chat
    /search [--in webpage|paper|document|video|podcast] <query>: Search the web
    /ask <question>: Ask a question that is answered from the web, with sources
    /fetch <url>: Read a page of the web as text
    /remind <when> <msg> | list | cancel <n>: Remind you: 10m, tomorrow 9am, every mon-fri 9:00, cron "0 9 * * 1-5". list shows what is set, cancel <n> takes one back
    /nodes: Your machines: state, version, sessions, load, what waits
    /node <name>: Use machine <name> from now on
    /all <text>: Send <text> to all your machines; their answers are collected in one card. @name <text> sends to that machine only, @one @two <text> to several
    /lang [zh|en]: The language that you are answered in
    /help: This list
    Other commands with / go to Claude Code in the active session, such as /compact; write //help for one of the names above. Other text goes to the assistant (/smart) or the active session (/direct).
    "#);
}

#[test]
fn a_sentence() {
    let ready = HostText::SessionReady {
        n: 1,
        dir: "demo".into(),
        made: true,
        smart: false,
    };
    let card = |frame: Frame<'_>| note(frame, Tone::Done, &ready);
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Done)
    会话 1 已在 demo 就绪（已新建目录）。直接发消息即可。

    # Home · demo (Done)
    Session 1 is ready in demo (a new directory). Just write to it.
    ");
    let card = |lang| say("Home", lang, Tone::Plain, &HostText::NoSession);
    insta::assert_snapshot!(all(&[card(Lang::Zh), card(Lang::En)]), @"
    # Home (Plain)
    还没有会话。用 /new <目录> 开始一个，例如：/new demo

    # Home (Plain)
    There is no session yet. Begin one with /new <dir>, for example: /new demo
    ");
}
