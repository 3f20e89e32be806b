//! Every text of a host in both languages. The table names each variant once in a `match` without
//! a catch-all, so a new variant without a row does not compile.

use common::text::Say as _;
use common::text::host::HostText;

/// Rows of variant and examples. Gives `rows()`: names with their examples, and `row_of()`: the name
/// of any text, exhaustive by construction.
macro_rules! table {
    ($($name:ident: [$($example:expr),+ $(,)?]),+ $(,)?) => {
        fn rows() -> Vec<(&'static str, Vec<HostText>)> {
            vec![$((stringify!($name), vec![$($example),+])),+]
        }

        fn row_of(text: &HostText) -> &'static str {
            match text {
                $(HostText::$name { .. } => stringify!($name)),+
            }
        }
    };
}

fn s(text: &str) -> String {
    text.to_owned()
}

/// `state` holds `w` for waiting, `r` for running, `l` for live.
fn line(state: &str, queued: usize, active: bool) -> HostText {
    HostText::Line {
        active,
        dir: s("demo"),
        running: state.contains('r'),
        waiting: state.contains('w'),
        queued,
        live: state.contains('l'),
        age: s("5m"),
    }
}

table! {
    Working: [HostText::Working],
    RunsFor: [HostText::RunsFor { seconds: 40 }, HostText::RunsFor { seconds: 80 }],
    Thinking: [HostText::Thinking],
    Compacting: [HostText::Compacting],
    WaitsForYou: [HostText::WaitsForYou],
    Stop: [HostText::Stop],
    Stopped: [HostText::Stopped],
    TimedOut: [HostText::TimedOut { after: 3600 }],
    NoWords: [HostText::NoWords],
    Retrying: [HostText::Retrying { attempt: 2, max: 10 }],
    Background: [HostText::Background],
    Part: [HostText::Part { n: 2, of: 3 }],
    LongTurnDone: [HostText::LongTurnDone { dir: s("demo") }],
    MoreSteps: [HostText::MoreSteps { n: 4 }],
    Context: [HostText::Context { percent: 41 }],
    Queued: [HostText::Queued { place: 2 }],
    SendNow: [HostText::SendNow],
    Cancel: [HostText::Cancel],
    Cancelled: [HostText::Cancelled],
    AlreadyTaken: [HostText::AlreadyTaken],
    Folded: [HostText::Folded],
    AnsweredTogether: [HostText::AnsweredTogether],
    QueueFull: [HostText::QueueFull { waiting: 50 }],
    QueueFreed: [HostText::QueueFreed { refused: 1 }, HostText::QueueFreed { refused: 9 }],
    LaneFull: [HostText::LaneFull { waiting: 200 }],
    Asks: [HostText::Asks { tool: s("Bash") }],
    About: [HostText::About],
    Why: [HostText::Why],
    Where: [HostText::Where],
    AllowOnce: [HostText::AllowOnce],
    AllowSession: [HostText::AllowSession],
    Deny: [HostText::Deny],
    AllowedOnce: [HostText::AllowedOnce { at: s("14:02") }],
    AllowedSession: [HostText::AllowedSession { at: s("14:02") }],
    Denied: [HostText::Denied { at: s("14:02") }],
    Withdrawn: [HostText::Withdrawn],
    AskCutOff: [HostText::AskCutOff],
    Expired: [HostText::Expired { at: s("14:02") }],
    NotYours: [HostText::NotYours],
    AnsweredBefore: [HostText::AnsweredBefore { how: s("…") }],
    NobodyAsks: [HostText::NobodyAsks],
    DenyWords: [HostText::DenyWords],
    NobodyAnswered: [HostText::NobodyAnswered],
    Rings: [HostText::Rings { dir: s("demo"), tool: s("Bash") }],
    Interrupted: [HostText::Interrupted { prompt: s("fix it") }],
    InterruptedAlive: [HostText::InterruptedAlive { prompt: s("fix it") }],
    Continue: [HostText::Continue],
    Discard: [HostText::Discard],
    TryAgain: [HostText::TryAgain],
    Discarded: [HostText::Discarded],
    ContinueWords: [HostText::ContinueWords { request: s("fix it") }],
    ContinueUnsure: [HostText::ContinueUnsure { request: s("fix it") }],
    Recovered: [HostText::Recovered],
    SessionReady: [
        HostText::SessionReady { n: 1, dir: s("demo"), made: true, smart: false },
        HostText::SessionReady { n: 2, dir: s("demo"), made: false, smart: false },
        HostText::SessionReady { n: 2, dir: s("demo"), made: false, smart: true },
    ],
    NoSession: [HostText::NoSession],
    NoneActive: [HostText::NoneActive],
    Usage: [
        HostText::Usage { wrong: s("“x” …"), usage: s("/switch <n>") },
        HostText::Usage { wrong: s(""), usage: s("/switch <n>") },
    ],
    NoSuchSession: [
        HostText::NoSuchSession { n: s("7"), have: 2 },
        HostText::NoSuchSession { n: s("7"), have: 1 },
        HostText::NoSuchSession { n: s("7"), have: 0 },
    ],
    NotANumber: [HostText::NotANumber { got: s("soon") }],
    OutOfBounds: [HostText::OutOfBounds { option: s("--idle"), min: 5, max: 604_800 }],
    Switched: [HostText::Switched { n: 2, dir: s("demo") }],
    Closed: [HostText::Closed { n: 2, dir: s("demo") }],
    Closing: [HostText::Closing { n: 2, dir: s("demo") }],
    SessionFailed: [HostText::SessionFailed { dir: s("demo") }],
    DirectOn: [HostText::DirectOn],
    TooMuchAtOnce: [HostText::TooMuchAtOnce { max: 8 }],
    CommandBroke: [HostText::CommandBroke],
    DirOthers: [HostText::DirOthers { dir: s("demo") }],
    NothingRuns: [HostText::NothingRuns],
    Stopping: [HostText::Stopping],
    StatusTitle: [HostText::StatusTitle { node: s("Home") }],
    NoSessions: [HostText::NoSessions],
    Line: [
        line("wrl", 2, true),
        line("rl", 0, false),
        line("l", 0, false),
        line("", 0, false),
    ],
    ModeRow: [HostText::ModeRow],
    ModeDirect: [HostText::ModeDirect],
    ModeSmart: [HostText::ModeSmart],
    SwitchTo: [HostText::SwitchTo { n: 2 }],
    HelpTitle: [HostText::HelpTitle],
    HelpMore: [HostText::HelpMore],
    UnknownCommand: [HostText::UnknownCommand { name: s("/foo") }],
    TooManySessions: [HostText::TooManySessions { max: 50 }],
    DirOutside: [HostText::DirOutside { dir: s("../etc"), root: s("/home/a/work") }],
    DirIsFile: [HostText::DirIsFile { dir: s("notes.txt") }],
    DirFailed: [HostText::DirFailed { dir: s("demo"), why: s("…") }],
    AgentMissing: [HostText::AgentMissing],
    AgentNotLoggedIn: [HostText::AgentNotLoggedIn],
    AgentBadKey: [HostText::AgentBadKey],
    AgentNoCredit: [HostText::AgentNoCredit],
    AgentOverloaded: [HostText::AgentOverloaded],
    AgentServiceFailed: [HostText::AgentServiceFailed { status: 500 }],
    AgentRateLimited: [
        HostText::AgentRateLimited { until: Some(s("14:02")) },
        HostText::AgentRateLimited { until: None },
    ],
    AgentContextFull: [HostText::AgentContextFull],
    AgentRefused: [HostText::AgentRefused { status: 400, message: s("…") }],
    AgentNetwork: [HostText::AgentNetwork],
    AgentNoSuchSession: [HostText::AgentNoSuchSession],
    AgentInUse: [HostText::AgentInUse],
    AgentArguments: [HostText::AgentArguments { message: s("…") }],
    AgentCrashed: [
        HostText::AgentCrashed { detail: s("…") },
        HostText::AgentCrashed { detail: s("") },
    ],
    AgentOther: [
        HostText::AgentOther { message: s("…") },
        HostText::AgentOther { message: s("") },
    ],
    AgentLimit: [HostText::AgentLimit],
}

fn listed(say: impl Fn(&HostText) -> String) -> String {
    let mut lines = Vec::new();
    for (row, examples) in rows() {
        for example in examples {
            assert_eq!(row_of(&example), row, "an example in the wrong row");
            lines.push(format!("{row}: {}", say(&example).replace('\n', " ⏎ ")));
        }
    }
    lines.join("\n")
}

#[test]
fn in_chinese() {
    insta::assert_snapshot!(listed(HostText::zh), @"
    Working: 进行中
    RunsFor: 40 秒
    RunsFor: 1 分 20 秒
    Thinking: 思考中
    Compacting: 正在压缩对话
    WaitsForYou: 等待您的答复
    Stop: 停止
    Stopped: 已停止
    TimedOut: 超过 3600 秒，已停止。可以继续，或用 /new … --timeout 给会话更长的时间。
    NoWords: 完成（没有文字回复）
    Retrying: 服务出错，正在重试（2/10）
    Background: 后台任务的结果
    Part: 第 2/3 部分
    LongTurnDone: demo：完成了
    MoreSteps: 此前还有 4 步
    Context: 上下文 41%
    Queued: 排队中，第 2 位。当前一轮结束后执行。
    SendNow: 立即发送
    Cancel: 取消
    Cancelled: 已取消，没有执行。
    AlreadyTaken: 没有取消：它之前已被收下。如果还在执行，请在它自己的卡片上点停止。
    Folded: 已发送到正在进行的一轮。
    AnsweredTogether: 已和前一条消息一起回答。
    QueueFull: 这个会话已有 50 条消息在等待，这一条没有收下，有空位之前后面的也不会收下。请等它们完成，或用 /stop。
    QueueFreed: 又有空位了。这一条没有收下，如果还需要，请再发一次。
    QueueFreed: 又有空位了。从这一条起有 9 条消息没有收下，还需要的请再发一次。
    LaneFull: 会话暂时没有响应，您已有 200 条消息和点击在等待，这一条没有收下，恢复之前后面的也不会收下。请稍等，然后把还需要的再发一次。
    Asks: 请求许可：Bash
    About: 对象
    Why: 原因
    Where: 位置
    AllowOnce: 允许一次
    AllowSession: 本会话允许
    Deny: 拒绝
    AllowedOnce: 14:02 已允许一次
    AllowedSession: 14:02 已在本会话允许
    Denied: 14:02 已拒绝
    Withdrawn: 不再需要答复
    AskCutOff: 不再需要答复：您答复之前 PhoneWork 重启了，所以没有执行。仍需要的话，请再说一次。
    Expired: 到 14:02 仍无人答复，按拒绝处理
    NotYours: 这张卡片属于别人，只有本人可以操作。什么都没有改变。
    AnsweredBefore: 此前已答复：…
    NobodyAsks: 没有谁在等这个答复了：提问的那一方已经结束。什么都没有改变。
    DenyWords: 用户拒绝了这一操作。
    NobodyAnswered: 用户没有及时答复，因此这一操作被拒绝。未经要求请不要再次尝试。
    Rings: demo：Bash 等待您的许可
    Interrupted: PhoneWork 重启时中断了这一轮： ⏎ “fix it” ⏎ 已经做过的不会重做。要继续吗？
    InterruptedAlive: PhoneWork 重启了，这一轮的进程还在运行： ⏎ “fix it” ⏎ 如果它自己完成，答案会出现在这里。也可以现在就接手。
    Continue: 继续
    Discard: 放弃
    TryAgain: 重试
    Discarded: 已放弃。会话和目录保持原样。
    ContinueWords: 我的一个请求被中断了。请从中断处继续，已经完成的步骤不要重做。原来的请求是： ⏎  ⏎ fix it
    ContinueUnsure: 我的上一个请求可能在任何一处被中断，也许已经做了一部分。请不要从头开始：先看看已经做了什么（文件、运行中的进程、结果），只做还缺的部分，已经完成的步骤不要重做。原来的请求是： ⏎  ⏎ fix it
    Recovered: 重启后找回
    SessionReady: 会话 1 已在 demo 就绪（已新建目录）。直接发消息即可。
    SessionReady: 会话 2 已在 demo 就绪。直接发消息即可。
    SessionReady: 会话 2 已在 demo 就绪。告诉助手要在那里做什么即可；想直接和它对话，请先发 /direct。
    NoSession: 还没有会话。用 /new <目录> 开始一个，例如：/new demo
    NoneActive: 现在没有当前会话。用 /switch <n> 选一个；/status 列出全部会话。
    Usage: “x” … ⏎ 用法：/switch <n>
    Usage: 用法：/switch <n>
    NoSuchSession: 没有第 7 个会话：目前有 2 个，见 /status。
    NoSuchSession: 没有第 7 个会话：目前有 1 个，见 /status。
    NoSuchSession: 没有第 7 个会话：目前一个也没有。用 /new <目录> 开始一个。
    NotANumber: “soon”不是数字。
    OutOfBounds: --idle 要在 5 到 604800 之间。
    Switched: 当前会话：2（demo）
    Closed: 会话 2（demo）已关闭。目录和文件不受影响。
    Closing: 正在关闭会话 2（demo），先停下它正在做的事。
    SessionFailed: demo 的会话在 PhoneWork 内部出错了，这一条没有收下。请在这台机器上重启 PhoneWork 以恢复它的工作，或用 /close 关闭它；文件不受影响。
    DirectOn: 直接模式：文字直接发给 Claude Code。
    TooMuchAtOnce: 您已有 8 条命令在同时执行，这一条没有执行。请等其中一条完成后再发一次。
    CommandBroke: 这条命令在 PhoneWork 内部出错了，没有结果。请再试一次；如果又这样，请看这台机器上的日志。
    DirOthers: “demo”是别人的，您不能使用。请换一个文件夹名。
    NothingRuns: 现在没有正在进行的一轮。
    Stopping: 正在停止。
    StatusTitle: Home 上的会话
    NoSessions: 没有会话。用 /new <目录> 开始一个。
    Line: demo（当前） · 等待您的答复 · 排队 2 · 5 分钟前
    Line: demo · 进行中 · 5 分钟前
    Line: demo · 就绪 · 5 分钟前
    Line: demo · 休眠 · 5 分钟前
    ModeRow: 模式
    ModeDirect: 直接
    ModeSmart: 智能（未配置模型：文字发给当前会话）
    SwitchTo: 切换到 2
    HelpTitle: 命令
    HelpMore: 其他以 / 开头的命令交给当前会话里的 Claude Code，例如 /compact；与上面同名时写成 //help。其他文字交给助手（/smart）或直接发给当前会话（/direct）。
    UnknownCommand: 没有 /foo 这个命令，也没有可以交给它的当前会话。/help 列出全部命令。
    TooManySessions: 已有 50 个会话，到上限了。先用 /close <n> 关闭一个。
    DirOutside: “../etc”不在工作目录 /home/a/work 之内，没有开始会话。请写工作目录下的文件夹名，例如：/new demo
    DirIsFile: “notes.txt”是文件，不是目录。
    DirFailed: 目录“demo”无法使用：…
    AgentMissing: 这台机器上没有 claude。请安装：npm install -g @anthropic-ai/claude-code，或在配置里用 CLAUDE_BIN 写明位置，然后再发一次。
    AgentNotLoggedIn: Claude Code 还没有登录（或登录已过期）。请在这台机器的终端运行 claude，再输入 /login，然后重试。
    AgentBadKey: 服务拒绝了密钥。请检查这台机器上的 ANTHROPIC_API_KEY，或在终端运行 claude 重新登录，然后重试。
    AgentNoCredit: 账户余额不足。请充值后重试。
    AgentOverloaded: 服务过载，多次重试仍未成功。请过几分钟再试。
    AgentServiceFailed: 服务出错（500）。请稍后重试。
    AgentRateLimited: 已达用量上限，14:02 恢复。届时请重试。
    AgentRateLimited: 请求太频繁或已达用量上限。请稍后重试。
    AgentContextFull: 对话太长，模型放不下了。请发送 /compact 压缩，或用 /new 开始新会话。
    AgentRefused: 服务拒绝了请求（400）：…
    AgentNetwork: 这台机器连不上模型服务。请检查网络或代理，然后重试。
    AgentNoSuchSession: 这台机器上找不到原来的对话，已在同一目录开始新的对话。请再发一次。
    AgentInUse: 这个对话正在另一个程序（例如终端）里打开。请先在那里退出，然后重试。
    AgentArguments: claude 不接受 CLAUDE_ARGS 里的参数：…。请改配置后重启。
    AgentCrashed: Claude Code 的进程意外退出了：…
    AgentCrashed: Claude Code 的进程意外退出了。
    AgentOther: Claude Code 报告出错：…
    AgentOther: Claude Code 报告出错，没有说明原因。
    AgentLimit: 这一轮达到了步数或费用上限。可以继续。
    ");
}

#[test]
fn in_english() {
    insta::assert_snapshot!(listed(HostText::en), @"
    Working: Working
    RunsFor: 40 s
    RunsFor: 1 min 20 s
    Thinking: Thinking
    Compacting: Shortening the conversation
    WaitsForYou: Waiting for your answer
    Stop: Stop
    Stopped: Stopped
    TimedOut: Stopped after 3600 seconds. You can let it go on, or give a session more time with /new … --timeout.
    NoWords: Done (no words)
    Retrying: The service failed; trying again (2 of 10)
    Background: Result of background work
    Part: Part 2 of 3
    LongTurnDone: demo: finished
    MoreSteps: 4 more before
    Context: context 41%
    Queued: Waiting, place 2. It runs when the turn before it ends.
    SendNow: Send now
    Cancel: Cancel
    Cancelled: Taken back; it did not run.
    AlreadyTaken: Not cancelled: it was taken before. If it still runs, tap Stop on its own card.
    Folded: Handed to the running turn.
    AnsweredTogether: Answered together with the message before.
    QueueFull: 50 messages wait in this session already, so this one was not taken, nor are those behind it until there is room. Let them finish, or use /stop.
    QueueFreed: There is room again. This message was not taken; send it once more if it still matters.
    QueueFreed: There is room again. 9 messages from here on were not taken; send again what still matters.
    LaneFull: The session is held up and 200 messages and taps of yours wait for it already, so this one was not taken, nor are those behind it until it goes on. Wait a moment, then send again what still matters.
    Asks: May I use Bash?
    About: About
    Why: Why
    Where: Where
    AllowOnce: Allow once
    AllowSession: Allow for this session
    Deny: Deny
    AllowedOnce: Allowed once at 14:02
    AllowedSession: Allowed for this session at 14:02
    Denied: Denied at 14:02
    Withdrawn: No answer is needed any more
    AskCutOff: No answer is needed any more: PhoneWork restarted before there was one, so this was not done. If you still want it, say so again.
    Expired: Nobody answered by 14:02, which counts as no
    NotYours: That card is somebody else's; only they can use it. Nothing was changed.
    AnsweredBefore: This was answered before: …
    NobodyAsks: Nobody waits for this answer any more: what asked has ended. Nothing was changed.
    DenyWords: The user refused this.
    NobodyAnswered: The user did not answer in time, so this is refused. Do not try it again unasked.
    Rings: demo: Bash waits for your permission
    Interrupted: PhoneWork restarted in the middle of this turn: ⏎ “fix it” ⏎ What was done is not done again. Go on?
    InterruptedAlive: PhoneWork restarted; the process of this turn still runs: ⏎ “fix it” ⏎ If it finishes by itself, the answer appears here. Or take over now.
    Continue: Continue
    Discard: Discard
    TryAgain: Try again
    Discarded: Discarded. Session and directory are as they were.
    ContinueWords: A request of mine was interrupted. Please go on with it where it stopped, and do not repeat steps that are done. The request was: ⏎  ⏎ fix it
    ContinueUnsure: My last request may have been interrupted at any point, perhaps after some of it was done. Do not begin again from the start: first look at what is already done (files, running processes, results), then do only what is missing, and do not repeat steps that are done. The request was: ⏎  ⏎ fix it
    Recovered: found after a restart
    SessionReady: Session 1 is ready in demo (a new directory). Just write to it.
    SessionReady: Session 2 is ready in demo. Just write to it.
    SessionReady: Session 2 is ready in demo. Tell the assistant what is to be done there, or write to it yourself after /direct.
    NoSession: There is no session yet. Begin one with /new <dir>, for example: /new demo
    NoneActive: None of your sessions is the active one. Choose one with /switch <n>; /status lists them.
    Usage: “x” … ⏎ Usage: /switch <n>
    Usage: Usage: /switch <n>
    NoSuchSession: There is no session 7: there are 2, see /status.
    NoSuchSession: There is no session 7: there is one, see /status.
    NoSuchSession: There is no session 7: there are none. Begin one with /new <dir>.
    NotANumber: “soon” is not a number.
    OutOfBounds: --idle must be between 5 and 604800.
    Switched: Active session: 2 (demo)
    Closed: Session 2 (demo) is closed. Its directory and files stay as they are.
    Closing: Closing session 2 (demo); what it is doing is stopped first.
    SessionFailed: The session in demo failed inside PhoneWork, so this was not taken. Restart PhoneWork on this machine to take up its work, or close it with /close; its files stay as they are.
    DirectOn: Direct mode: text goes straight to Claude Code.
    TooMuchAtOnce: 8 commands of yours run at once already, so this one was not run. Wait until one of them is done and send it again.
    CommandBroke: This command failed inside PhoneWork and has no result. Try it once more; if it happens again, see the log on this machine.
    DirOthers: “demo” is somebody else's and not yours to use. Choose another folder.
    NothingRuns: Nothing is running.
    Stopping: Stopping.
    StatusTitle: Sessions on Home
    NoSessions: No sessions. Begin one with /new <dir>.
    Line: demo (active) · waits for your answer · 2 queued · 5m ago
    Line: demo · working · 5m ago
    Line: demo · ready · 5m ago
    Line: demo · asleep · 5m ago
    ModeRow: Mode
    ModeDirect: direct
    ModeSmart: smart (no model set up: text goes to the active session)
    SwitchTo: Switch to 2
    HelpTitle: Commands
    HelpMore: Other commands with / go to Claude Code in the active session, such as /compact; write //help for one of the names above. Other text goes to the assistant (/smart) or the active session (/direct).
    UnknownCommand: /foo is not a command, and there is no active session to pass it to. /help lists all commands.
    TooManySessions: There are 50 sessions, which is the limit. Close one first with /close <n>.
    DirOutside: “../etc” is not inside the working directory /home/a/work, so no session was begun. Name a folder of it, for example: /new demo
    DirIsFile: “notes.txt” is a file, not a directory.
    DirFailed: The directory “demo” cannot be used: …
    AgentMissing: There is no claude on this machine. Install it with: npm install -g @anthropic-ai/claude-code, or say in the configuration where it is (CLAUDE_BIN), and send the message again.
    AgentNotLoggedIn: Claude Code is not logged in, or the login has run out. In a terminal on this machine, start claude and type /login, then try again.
    AgentBadKey: The service refused the key. Check ANTHROPIC_API_KEY on this machine, or log in again by starting claude in a terminal, then try again.
    AgentNoCredit: The account's credit is used up. Top it up, then try again.
    AgentOverloaded: The service is overloaded; several attempts failed. Try again in a few minutes.
    AgentServiceFailed: The service failed (500). Try again in a while.
    AgentRateLimited: The usage limit is reached; it ends at 14:02. Try again then.
    AgentRateLimited: Too many requests, or the usage limit is reached. Try again in a while.
    AgentContextFull: The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.
    AgentRefused: The service refused the request (400): …
    AgentNetwork: This machine cannot reach the model's service. Check its network or proxy, then try again.
    AgentNoSuchSession: The old conversation is not on this machine any more; a new one was begun in the same directory. Send the message again.
    AgentInUse: Another program, a terminal perhaps, has this conversation open. Leave it there first, then try again.
    AgentArguments: claude refuses what CLAUDE_ARGS says: …. Change the configuration and restart.
    AgentCrashed: The process of Claude Code ended unexpectedly: …
    AgentCrashed: The process of Claude Code ended unexpectedly.
    AgentOther: Claude Code reports an error: …
    AgentOther: Claude Code reports an error and does not say which.
    AgentLimit: The turn took as many steps, or as much money, as it may. You can let it go on.
    ");
}
