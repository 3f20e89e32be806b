//! Every card of a host in both languages, as people read it.

mod texts;

use common::ids::{PromptId, SessionId};

use super::question::ASK_BYTES;
use super::*;
use crate::agent::AgentFault;
use crate::record::Ask;
use crate::session::progress::Progress;

/// A card in plain text: `# title (tone)`, the blocks, `[button → action]`, `-- footer`.
fn show(view: &View) -> String {
    let mut lines = vec![format!("# {} ({:?})", view.title, view.tone)];
    for block in &view.blocks {
        match block {
            Block::Markdown { text } => lines.push(format!("md| {}", clip(text))),
            Block::Plain { text } => lines.push(clip(text)),
            Block::Code { lang, text } => lines.push(format!("{lang}| {}", clip(text))),
            Block::Fields { rows } => {
                lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
            }
            Block::Steps { steps, folded } => {
                lines.push(format!("steps{}", if *folded { " (folded)" } else { "" }));
                lines.extend(steps.iter().map(|step| {
                    let sign = match step.state {
                        StepState::Running => '…',
                        StepState::Done => '✓',
                        StepState::Failed => '✗',
                        StepState::Said => '“',
                    };
                    format!("  {sign} {}", step.text)
                }));
            }
        }
    }
    for button in &view.buttons {
        let what = match &button.action {
            Action::Answer { answer, .. } => format!("{answer:?}"),
            Action::Stop { .. } => "Stop".to_owned(),
            Action::Recover { choice, .. } => format!("{choice:?}"),
            Action::Queued { choice, .. } => format!("{choice:?}"),
            Action::Switch { session, .. } => format!("Switch {}", session.uuid().as_u128()),
            Action::UseNode { .. } => "UseNode".to_owned(),
        };
        assert_eq!(button.action.node(), &node(), "buttons name the machine");
        lines.push(format!("[{} → {what}, {:?}]", button.label, button.style));
    }
    lines.extend(view.footer.iter().map(|text| format!("-- {text}")));
    lines.join("\n")
}

/// Long texts by their ends and their length.
fn clip(text: &str) -> String {
    if text.chars().count() <= 200 {
        return text.to_owned();
    }
    let head: String = text.chars().take(12).collect();
    let tail: String = text.chars().skip(text.chars().count() - 12).collect();
    format!("{head} ⟨{} bytes⟩ {tail}", text.len())
}

fn node() -> NodeId {
    "home".parse().unwrap()
}

fn turn() -> TurnId {
    TurnId::derived(&["turn"])
}

fn frame(lang: Lang) -> Frame<'static> {
    Frame {
        node: "Home",
        dir: "demo",
        lang,
    }
}

fn both(card: impl Fn(Frame<'_>) -> View) -> String {
    format!(
        "{}\n\n{}",
        show(&card(frame(Lang::Zh))),
        show(&card(frame(Lang::En)))
    )
}

fn all(cards: &[View]) -> String {
    cards.iter().map(show).collect::<Vec<_>>().join("\n\n")
}

/// Words, a tool that ended, one that failed, one that runs, and words in the making.
fn progress() -> Progress {
    let mut progress = ended();
    progress.tool("c".into(), "Edit", "src/main.rs");
    progress.delta(2, "Two files **cha");
    progress
}

/// Words, a tool that ended, one that failed.
fn ended() -> Progress {
    let mut progress = Progress::default();
    progress.text(1, "Let me look.".into());
    progress.tool("a".into(), "Read", "src/main.rs");
    progress.tool_done("a", false);
    progress.tool("b".into(), "Bash", "cargo test\n--all");
    progress.tool_done("b", true);
    progress
}

#[test]
fn a_turn_that_runs() {
    let card = |frame: Frame<'_>| working(frame, &progress(), &HostText::Working, &node(), turn());
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Working)
    steps
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      … Edit: src/main.rs
    md| Two files **cha
    [停止 → Stop, Normal]
    -- 进行中

    # Home · demo (Working)
    steps
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      … Edit: src/main.rs
    md| Two files **cha
    [Stop → Stop, Normal]
    -- Working
    ");
    let fresh = Progress::default();
    let card = |frame: Frame<'_>| working(frame, &fresh, &HostText::Thinking, &node(), turn());
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Working)
    [停止 → Stop, Normal]
    -- 思考中

    # Home · demo (Working)
    [Stop → Stop, Normal]
    -- Thinking
    ");
}

#[test]
fn a_preview_shows_the_last_steps_and_the_end_of_the_text() {
    let mut progress = Progress::default();
    for n in 0..PREVIEW_STEPS + 3 {
        progress.tool(n.to_string(), "Read", &format!("{n}.rs"));
        progress.tool_done(&n.to_string(), false);
    }
    progress.delta(1, &"词".repeat(PREVIEW_BYTES));
    progress.delta(1, " and the end");
    let card = working(
        frame(Lang::En),
        &progress,
        &HostText::Working,
        &node(),
        turn(),
    );
    insta::assert_snapshot!(show(&card), @"
    # Home · demo (Working)
    3 more before
    steps
      ✓ Read: 3.rs
      ✓ Read: 4.rs
      ✓ Read: 5.rs
      ✓ Read: 6.rs
      ✓ Read: 7.rs
      ✓ Read: 8.rs
    md| 词词词词词词词词词词词词 ⟨7998 bytes⟩  and the end
    [Stop → Stop, Normal]
    -- Working
    ");
}

#[test]
fn a_turn_that_ended_well() {
    let footer = || vec!["a-model".to_owned(), "3.2 s".to_owned()];
    let one = finished(frame(Lang::En), &ended(), "All **done**.", &footer());
    insta::assert_snapshot!(all(&one), @"
    # Home · demo (Done)
    steps (folded)
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
    md| All **done**.
    -- a-model · 3.2 s
    ");
    let none = |lang| finished(frame(lang), &Progress::default(), "", &footer());
    insta::assert_snapshot!(all(&[none(Lang::Zh), none(Lang::En)].concat()), @"
    # Home · demo (Done)
    完成（没有文字回复）
    -- a-model · 3.2 s

    # Home · demo (Done)
    Done (no words)
    -- a-model · 3.2 s
    ");
}

#[test]
fn a_long_answer_comes_in_parts_and_in_full() {
    let line = "一行 of a long answer\n";
    let text = line.repeat(2 * MAX_PART / line.len() + 100);
    for lang in [Lang::Zh, Lang::En] {
        let cards = finished(frame(lang), &ended(), &text, &["1.0 s".into()]);
        let whole: String = cards
            .iter()
            .flat_map(|card| &card.blocks)
            .filter_map(|block| match block {
                Block::Markdown { text } => Some(text.as_str()),
                Block::Plain { .. }
                | Block::Code { .. }
                | Block::Steps { .. }
                | Block::Fields { .. } => None,
            })
            .collect();
        assert!(whole == text, "the parts are the text");
        match lang {
            Lang::Zh => insta::assert_snapshot!(all(&cards), @"
            # Home · demo (Done)
            steps (folded)
              “ Let me look.
              ✓ Read: src/main.rs
              ✗ Bash: cargo test --all
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- 第 1/3 部分 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- 第 2/3 部分 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨2400 bytes⟩ long answer

            -- 第 3/3 部分 · 1.0 s
            "),
            Lang::En => insta::assert_snapshot!(all(&cards), @"
            # Home · demo (Done)
            steps (folded)
              “ Let me look.
              ✓ Read: src/main.rs
              ✗ Bash: cargo test --all
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- Part 1 of 3 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨150000 bytes⟩ long answer

            -- Part 2 of 3 · 1.0 s

            # Home · demo (Done)
            md| 一行 of a long ⟨2400 bytes⟩ long answer

            -- Part 3 of 3 · 1.0 s
            "),
        }
    }
}

#[test]
fn a_turn_that_did_not_end_well() {
    let why = HostText::TimedOut { after: 60 };
    let card = |frame: Frame<'_>| {
        let choices = recovery(frame, &HostText::Continue, &node(), turn());
        let mut card = broken(
            frame,
            &progress(),
            Tone::Warning,
            &why,
            choices,
            Some("turn-timeout"),
        );
        settle(&mut card);
        card
    };
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Warning)
    steps (folded)
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      ✗ Edit: src/main.rs
    md| Two files **cha
    超过 60 秒，已停止。可以继续，或用 /new … --timeout 给会话更长的时间。
    [继续 → Continue, Primary]
    [放弃 → Discard, Normal]
    -- turn-timeout

    # Home · demo (Warning)
    steps (folded)
      “ Let me look.
      ✓ Read: src/main.rs
      ✗ Bash: cargo test --all
      ✗ Edit: src/main.rs
    md| Two files **cha
    Stopped after 60 seconds. You can let it go on, or give a session more time with /new … --timeout.
    [Continue → Continue, Primary]
    [Discard → Discard, Normal]
    -- turn-timeout
    ");
    let card = |frame: Frame<'_>| {
        let why = HostText::AgentContextFull;
        let code = Some("agent-context-full");
        broken(
            frame,
            &Progress::default(),
            Tone::Failed,
            &why,
            Vec::new(),
            code,
        )
    };
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Failed)
    对话太长，模型放不下了。请发送 /compact 压缩，或用 /new 开始新会话。
    -- agent-context-full

    # Home · demo (Failed)
    The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.
    -- agent-context-full
    ");
}

#[test]
fn a_turn_that_a_restart_cut_off() {
    for alive in [false, true] {
        let prompt = "fix the build".to_owned();
        let why = if alive {
            HostText::InterruptedAlive { prompt }
        } else {
            HostText::Interrupted { prompt }
        };
        let card = |frame: Frame<'_>| {
            let choices = recovery(frame, &HostText::Continue, &node(), turn());
            let nothing = Progress::default();
            broken(frame, &nothing, Tone::Warning, &why, choices, None)
        };
        if alive {
            insta::assert_snapshot!(both(card), @"
            # Home · demo (Warning)
            PhoneWork 重启了，这一轮的进程还在运行：
            “fix the build”
            如果它自己完成，答案会出现在这里。也可以现在就接手。
            [继续 → Continue, Primary]
            [放弃 → Discard, Normal]

            # Home · demo (Warning)
            PhoneWork restarted; the process of this turn still runs:
            “fix the build”
            If it finishes by itself, the answer appears here. Or take over now.
            [Continue → Continue, Primary]
            [Discard → Discard, Normal]
            ");
        } else {
            insta::assert_snapshot!(both(card), @"
            # Home · demo (Warning)
            PhoneWork 重启时中断了这一轮：
            “fix the build”
            已经做过的不会重做。要继续吗？
            [继续 → Continue, Primary]
            [放弃 → Discard, Normal]

            # Home · demo (Warning)
            PhoneWork restarted in the middle of this turn:
            “fix the build”
            What was done is not done again. Go on?
            [Continue → Continue, Primary]
            [Discard → Discard, Normal]
            ");
        }
    }
}

#[test]
fn a_message_that_waits() {
    let card = |can_send| {
        move |frame: Frame<'_>| queued(frame, "and then the docs", 2, &node(), turn(), can_send)
    };
    insta::assert_snapshot!(both(card(true)), @"
    # Home · demo (Plain)
    “and then the docs”
    排队中，第 2 位。当前一轮结束后执行。
    [立即发送 → SendNow, Normal]
    [取消 → Cancel, Normal]

    # Home · demo (Plain)
    “and then the docs”
    Waiting, place 2. It runs when the turn before it ends.
    [Send now → SendNow, Normal]
    [Cancel → Cancel, Normal]
    ");
    insta::assert_snapshot!(show(&card(false)(frame(Lang::En))), @"
    # Home · demo (Plain)
    “and then the docs”
    Waiting, place 2. It runs when the turn before it ends.
    [Cancel → Cancel, Normal]
    ");
}

fn ask() -> Ask {
    Ask {
        tool: "Bash".into(),
        about: None,
        lang: "bash".into(),
        body: "rm -rf build\nls".into(),
        reason: Some("outside the project".into()),
    }
}

#[test]
fn a_question() {
    let prompt = PromptId::derived(&["prompt"]);
    let open = |frame: Frame<'_>| question(frame, &ask(), &node(), prompt, None);
    insta::assert_snapshot!(both(open), @"
    # 请求许可：Bash (Asking)
    位置: Home · demo
    原因: outside the project
    bash| rm -rf build
    ls
    [允许一次 → AllowOnce, Primary]
    [本会话允许 → AllowSession, Normal]
    [拒绝 → Deny, Danger]

    # May I use Bash? (Asking)
    Where: Home · demo
    Why: outside the project
    bash| rm -rf build
    ls
    [Allow once → AllowOnce, Primary]
    [Allow for this session → AllowSession, Normal]
    [Deny → Deny, Danger]
    ");
    let mut edit = ask();
    edit.about = Some("/home/a/projects/demo/a.rs".into());
    edit.reason = None;
    let at = "14:02".to_owned();
    let answered = |frame: Frame<'_>| {
        let how = HostText::AllowedSession { at: at.clone() };
        question(frame, &edit, &node(), prompt, Some(&how))
    };
    insta::assert_snapshot!(both(answered), @"
    # 请求许可：Bash (Plain)
    位置: Home · demo
    对象: /home/a/projects/demo/a.rs
    bash| rm -rf build
    ls
    -- 14:02 已在本会话允许

    # May I use Bash? (Plain)
    Where: Home · demo
    About: /home/a/projects/demo/a.rs
    bash| rm -rf build
    ls
    -- Allowed for this session at 14:02
    ");
}

#[test]
fn a_question_shows_both_ends_of_a_huge_command() {
    let mut huge = ask();
    huge.body = format!("begin {} end", "é".repeat(ASK_BYTES));
    let card = question(
        frame(Lang::En),
        &huge,
        &node(),
        PromptId::derived(&["prompt"]),
        None,
    );
    insta::assert_snapshot!(show(&card), @"
    # May I use Bash? (Asking)
    Where: Home · demo
    Why: outside the project
    bash| begin éééééé ⟨12021 bytes⟩ éééééééé end
    [Allow once → AllowOnce, Primary]
    [Allow for this session → AllowSession, Normal]
    [Deny → Deny, Danger]
    ");
}

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
    let card = |lang| status("Home", &node(), lang, &HostText::ModeDirect, &rows);
    insta::assert_snapshot!(all(&[card(Lang::Zh), card(Lang::En)]), @"
    # Home 上的会话 (Plain)
    1: dir-1 · 休眠 · 5m前
    2: dir-2（当前） · 进行中 · 5m前
    3: dir-3 · 休眠 · 5m前
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
    let card = |lang| status("Home", &node(), lang, &HostText::ModeSmart, &[]);
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
    let card = status("Home", &node(), Lang::En, &HostText::ModeSmart, &rows);
    let labels: Vec<&str> = card.buttons.iter().map(|one| one.label.as_str()).collect();
    insta::assert_snapshot!(labels.join(", "), @"Switch to 2, Switch to 3, Switch to 4, Switch to 5, Switch to 6, Switch to 7, Switch to 8, Switch to 9");
}

#[test]
fn the_help() {
    insta::assert_snapshot!(show(&help(Lang::Zh)), @"
    # 命令 (Plain)
    /new <dir> [msg] [--timeout N] [--idle N]: 在 <dir>（工作目录下的文件夹）里开始一个 Claude Code 会话，并发送 [msg]。--timeout：一轮最多多少秒；--idle：空闲多少秒后关闭进程
    /status: 这台机器上您的会话，以及当前模式
    /switch <n>: 把 /status 中的第 <n> 个会话设为当前会话
    /close [n]: 关闭当前会话，或第 <n> 个会话
    /stop: 中断当前会话正在做的事
    /direct: 直接模式：文字直接发给 Claude Code
    /nodes: 您的机器：状态、最近一次心跳、会话数
    /node <name>: 从现在起使用机器 <name>
    /help: 本列表
    其他以 / 开头的命令交给当前会话里的 Claude Code，例如 /compact；与上面同名时写成 //help。其他文字发给当前会话。
    ");
    insta::assert_snapshot!(show(&help(Lang::En)), @"
    # Commands (Plain)
    /new <dir> [msg] [--timeout N] [--idle N]: Begin a Claude Code session in <dir> (a folder under the working directory), and send [msg]. --timeout: seconds a turn may take; --idle: seconds until the process is closed
    /status: Your sessions on this machine, and the mode
    /switch <n>: Make session <n> of /status the active one
    /close [n]: Close the active session, or session <n>
    /stop: Interrupt what the active session is doing
    /direct: Direct mode: text goes straight to Claude Code
    /nodes: Your machines: state, last sign of life, sessions
    /node <name>: Use machine <name> from now on
    /help: This list
    Other commands with / go to Claude Code in the active session, such as /compact; write //help for one of the names above. All other text goes to the active session.
    ");
}

#[test]
fn a_sentence() {
    let ready = HostText::SessionReady {
        n: 1,
        dir: "demo".into(),
        made: true,
    };
    let card = |frame: Frame<'_>| note(frame, Tone::Done, &ready);
    insta::assert_snapshot!(both(card), @"
    # Home · demo (Done)
    会话 1 已在 demo（已新建目录） 就绪。直接发消息即可。

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

#[test]
fn every_failure_has_words_a_code_and_a_verdict() {
    let s = str::to_owned;
    let faults = [
        AgentFault::NotInstalled,
        AgentFault::NotLoggedIn,
        AgentFault::BadKey { message: s("m") },
        AgentFault::NoCredit,
        AgentFault::Overloaded,
        AgentFault::ServiceFailed { status: 500 },
        AgentFault::RateLimited {
            resets_at: Some(1_700_000_000),
        },
        AgentFault::RateLimited { resets_at: None },
        AgentFault::ContextFull,
        AgentFault::Refused {
            status: 404,
            message: s("no such model"),
        },
        AgentFault::Network { message: s("m") },
        AgentFault::NoSuchSession,
        AgentFault::SessionInUse,
        AgentFault::BadArguments {
            message: s("unknown option --x"),
        },
        AgentFault::Crashed {
            code: Some(1),
            signal: None,
            stderr: s("line one\nline two"),
        },
        AgentFault::Other { message: s("m") },
    ];
    let lines: Vec<String> = faults
        .iter()
        .map(|fault| {
            let (text, code, again) = failure(fault, |at| format!("at {at}"));
            format!(
                "{code} {}| {}",
                if again { "again " } else { "" },
                text.say(Lang::En)
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    agent-missing again | There is no claude on this machine. Install it with: npm install -g @anthropic-ai/claude-code, or say in the configuration where it is (CLAUDE_BIN), and send the message again.
    agent-not-logged-in again | Claude Code is not logged in, or the login has run out. In a terminal on this machine, start claude and type /login, then try again.
    agent-bad-key again | The service refused the key. Check ANTHROPIC_API_KEY on this machine, or log in again by starting claude in a terminal, then try again.
    agent-no-credit again | The account's credit is used up. Top it up, then try again.
    agent-overloaded again | The service is overloaded; several attempts failed. Try again in a few minutes.
    agent-service-failed again | The service failed (500). Try again in a while.
    agent-rate-limited again | The usage limit is reached; it ends at at 1700000000. Try again then.
    agent-rate-limited again | Too many requests, or the usage limit is reached. Try again in a while.
    agent-context-full | The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.
    agent-refused | The service refused the request (404): no such model
    agent-network again | This machine cannot reach the model's service. Check its network or proxy, then try again.
    agent-no-session again | The old conversation is not on this machine any more; a new one was begun in the same directory. Send the message again.
    agent-in-use again | Another program, a terminal perhaps, has this conversation open. Leave it there first, then try again.
    agent-arguments | claude refuses what CLAUDE_ARGS says: unknown option --x. Change the configuration and restart.
    agent-crashed again | The process of Claude Code ended unexpectedly: line one line two
    agent-other again | Claude Code reports an error: m
    ");
}
