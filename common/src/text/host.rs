//! What a host says: commands, sessions, turns, questions, failures of the agent.

use super::Say;

/// A text of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostText {
    // Turns
    /// Small print while a turn runs.
    Working,
    /// Small print while the model thinks.
    Thinking,
    /// Small print while the conversation is being shortened.
    Compacting,
    /// Small print while the person is asked.
    WaitsForYou,
    /// Button.
    Stop,
    /// A turn that the person stopped.
    Stopped,
    /// A turn that took longer than its session allows.
    TimedOut {
        /// Seconds.
        after: u64,
    },
    /// A turn that ended without words.
    NoWords,
    /// The service failed and is asked again.
    Retrying {
        /// From 1.
        attempt: u32,
        /// At most.
        max: u32,
    },
    /// Title of words that nobody asked for: a background task ended.
    Background,
    /// Small print on a further part of a long answer.
    Part {
        /// From 1.
        n: usize,
        /// How many.
        of: usize,
    },
    /// Short message that rings when a long turn ended.
    LongTurnDone {
        /// Directory.
        dir: String,
    },
    /// Count of folded steps is the gateway's; this names steps that were left out.
    MoreSteps {
        /// How many.
        n: usize,
    },
    /// Small print: how full the conversation is, in per cent.
    Context {
        /// Per cent.
        percent: u64,
    },

    // Queue
    /// A message that waits for the running turn.
    Queued {
        /// Place, from 1.
        place: usize,
    },
    /// Button.
    SendNow,
    /// Button.
    Cancel,
    /// The message was taken back.
    Cancelled,
    /// The message was handed to the running turn.
    Folded,
    /// No more messages are taken for this session.
    QueueFull {
        /// How many wait.
        waiting: usize,
    },

    // Questions
    /// Title.
    Asks {
        /// The tool.
        tool: String,
    },
    /// Row name: what it is about.
    About,
    /// Row name: why it is asked.
    Why,
    /// Row name: where it runs.
    Where,
    /// Button.
    AllowOnce,
    /// Button.
    AllowSession,
    /// Button.
    Deny,
    /// The answer, with the time of day.
    AllowedOnce {
        /// `14:02`.
        at: String,
    },
    /// The answer, with the time of day.
    AllowedSession {
        /// `14:02`.
        at: String,
    },
    /// The answer, with the time of day.
    Denied {
        /// `14:02`.
        at: String,
    },
    /// Nobody waits for an answer any more.
    Withdrawn,
    /// Told on a tap that came after the first.
    AnsweredBefore {
        /// How it was answered.
        how: String,
    },
    /// What the model hears on a refusal.
    DenyWords,
    /// Short message that rings when a question waits.
    Rings {
        /// Directory.
        dir: String,
        /// The tool.
        tool: String,
    },

    // Recovery
    /// A turn that a restart cut off.
    Interrupted {
        /// First line of the prompt.
        prompt: String,
    },
    /// The same, while its process still works on it.
    InterruptedAlive {
        /// First line of the prompt.
        prompt: String,
    },
    /// Button.
    Continue,
    /// Button.
    Discard,
    /// Button.
    TryAgain,
    /// The person left the turn.
    Discarded,
    /// What the agent is sent on "continue".
    ContinueWords,
    /// Small print on an answer that was found after a restart.
    Recovered,

    // Commands
    /// A new session.
    SessionReady {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
        /// It was made just now.
        made: bool,
    },
    /// No session to send to.
    NoSession,
    /// Wrong use of a command.
    Usage {
        /// What is wrong; empty: nothing more to say than the usage.
        wrong: String,
        /// How it is written.
        usage: String,
    },
    /// A number that no session has.
    NoSuchSession {
        /// As typed.
        n: String,
        /// How many there are.
        have: usize,
    },
    /// A number was expected.
    NotANumber {
        /// As typed.
        got: String,
    },
    /// A number out of bounds.
    OutOfBounds {
        /// Option.
        option: String,
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// Another session is the active one now.
    Switched {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
    },
    /// A session was closed.
    Closed {
        /// Its number.
        n: usize,
        /// Directory.
        dir: String,
    },
    /// Direct mode is on.
    DirectOn,
    /// Nothing runs.
    NothingRuns,
    /// The running turn is being stopped.
    Stopping,
    /// Title of `/status`.
    StatusTitle {
        /// Machine.
        node: String,
    },
    /// `/status` without sessions.
    NoSessions,
    /// A line of `/status`: how a session stands.
    Line {
        /// It is the active one.
        active: bool,
        /// Directory.
        dir: String,
        /// A turn runs.
        running: bool,
        /// A question waits.
        waiting: bool,
        /// Messages that wait.
        queued: usize,
        /// Its process lives.
        live: bool,
        /// Age of the last use, such as `5m`.
        age: String,
    },
    /// Row name: mode.
    ModeRow,
    /// Mode.
    ModeDirect,
    /// Mode, without a model that it could use.
    ModeSmart,
    /// Button: make this session the active one.
    SwitchTo {
        /// Its number.
        n: usize,
    },
    /// Title of `/help`.
    HelpTitle,
    /// The last line of `/help`.
    HelpMore,
    /// A slash command that is none of ours, without a session that could take it.
    UnknownCommand {
        /// As typed.
        name: String,
    },
    /// Too many sessions.
    TooManySessions {
        /// The bound.
        max: usize,
    },

    // Directories
    /// Outside the working directory.
    DirOutside {
        /// As typed.
        dir: String,
        /// The working directory.
        root: String,
    },
    /// Not a directory.
    DirIsFile {
        /// As typed.
        dir: String,
    },
    /// Cannot be made or opened.
    DirFailed {
        /// As typed.
        dir: String,
        /// What the system says.
        why: String,
    },

    // Failures of the agent
    /// The program is missing.
    AgentMissing,
    /// Never logged in.
    AgentNotLoggedIn,
    /// Key refused.
    AgentBadKey,
    /// No money left.
    AgentNoCredit,
    /// Service overloaded.
    AgentOverloaded,
    /// Service failed.
    AgentServiceFailed {
        /// HTTP status.
        status: u16,
    },
    /// Rate limit.
    AgentRateLimited {
        /// When it ends, if known: `14:02`.
        until: Option<String>,
    },
    /// Conversation full.
    AgentContextFull,
    /// Request refused.
    AgentRefused {
        /// HTTP status.
        status: u16,
        /// The service's words.
        message: String,
    },
    /// Service out of reach.
    AgentNetwork,
    /// The conversation is not on this machine any more; a new one was begun.
    AgentNoSuchSession,
    /// Another program has the conversation open.
    AgentInUse,
    /// The owner's extra arguments were refused.
    AgentArguments {
        /// The agent's words.
        message: String,
    },
    /// The process died.
    AgentCrashed {
        /// How, in the agent's words; may be empty.
        detail: String,
    },
    /// Anything else.
    AgentOther {
        /// The agent's words; may be empty.
        message: String,
    },
    /// As many steps, or as much money, as a turn may take.
    AgentLimit,
    /// The machine could not write down what happened; nothing was done.
    JournalFailed,
}

impl Say for HostText {
    fn zh(&self) -> String {
        match self {
            Self::Working => "进行中".into(),
            Self::Thinking => "思考中".into(),
            Self::Compacting => "正在压缩对话".into(),
            Self::WaitsForYou => "等待您的答复".into(),
            Self::Stop => "停止".into(),
            Self::Stopped => "已停止".into(),
            Self::TimedOut { after } => format!(
                "超过 {after} 秒，已停止。可以继续，或用 /new … --timeout 给会话更长的时间。"
            ),
            Self::NoWords => "完成（没有文字回复）".into(),
            Self::Retrying { attempt, max } => format!("服务出错，正在重试（{attempt}/{max}）"),
            Self::Background => "后台任务的结果".into(),
            Self::Part { n, of } => format!("第 {n}/{of} 部分"),
            Self::LongTurnDone { dir } => format!("{dir}：完成了"),
            Self::MoreSteps { n } => format!("此前还有 {n} 步"),
            Self::Context { percent } => format!("上下文 {percent}%"),
            Self::Queued { place } => format!("排队中，第 {place} 位。当前一轮结束后执行。"),
            Self::SendNow => "立即发送".into(),
            Self::Cancel => "取消".into(),
            Self::Cancelled => "已取消，没有执行。".into(),
            Self::Folded => "已发送到正在进行的一轮。".into(),
            Self::QueueFull { waiting } => {
                format!("这个会话已有 {waiting} 条消息在等待，这一条没有收下。请等它们完成，或用 /stop。")
            }
            Self::Asks { tool } => format!("请求许可：{tool}"),
            Self::About => "对象".into(),
            Self::Why => "原因".into(),
            Self::Where => "位置".into(),
            Self::AllowOnce => "允许一次".into(),
            Self::AllowSession => "本会话允许".into(),
            Self::Deny => "拒绝".into(),
            Self::AllowedOnce { at } => format!("{at} 已允许一次"),
            Self::AllowedSession { at } => format!("{at} 已在本会话允许"),
            Self::Denied { at } => format!("{at} 已拒绝"),
            Self::Withdrawn => "不再需要答复".into(),
            Self::AnsweredBefore { how } => format!("此前已答复：{how}"),
            Self::DenyWords => "用户拒绝了这一操作。".into(),
            Self::Rings { dir, tool } => format!("{dir}：{tool} 等待您的许可"),
            Self::Interrupted { prompt } => {
                format!("PhoneWork 重启时中断了这一轮：\n“{prompt}”\n已经做过的不会重做。要继续吗？")
            }
            Self::InterruptedAlive { prompt } => format!(
                "PhoneWork 重启了，这一轮的进程还在运行：\n“{prompt}”\n如果它自己完成，答案会出现在这里。也可以现在就接手。"
            ),
            Self::Continue => "继续".into(),
            Self::Discard => "放弃".into(),
            Self::TryAgain => "重试".into(),
            Self::Discarded => "已放弃。会话和目录保持原样。".into(),
            Self::ContinueWords => {
                "上一轮被中断了。请从中断处继续，已经完成的步骤不要重做。".into()
            }
            Self::Recovered => "重启后找回".into(),
            Self::SessionReady { n, dir, made } => {
                let made = if *made { "（已新建目录）" } else { "" };
                format!("会话 {n} 已在 {dir}{made} 就绪。直接发消息即可。")
            }
            Self::NoSession => "还没有会话。用 /new <目录> 开始一个，例如：/new demo".into(),
            Self::Usage { wrong, usage } if wrong.is_empty() => format!("用法：{usage}"),
            Self::Usage { wrong, usage } => format!("{wrong}\n用法：{usage}"),
            Self::NoSuchSession { n, have: 0 } => {
                format!("没有第 {n} 个会话：目前一个也没有。用 /new <目录> 开始一个。")
            }
            Self::NoSuchSession { n, have } => {
                format!("没有第 {n} 个会话：目前有 {have} 个，见 /status。")
            }
            Self::NotANumber { got } => format!("“{got}”不是数字。"),
            Self::OutOfBounds { option, min, max } => {
                format!("{option} 要在 {min} 到 {max} 之间。")
            }
            Self::Switched { n, dir } => format!("当前会话：{n}（{dir}）"),
            Self::Closed { n, dir } => format!("会话 {n}（{dir}）已关闭。目录和文件不受影响。"),
            Self::DirectOn => "直接模式：文字直接发给 Claude Code。".into(),
            Self::NothingRuns => "现在没有正在进行的一轮。".into(),
            Self::Stopping => "正在停止。".into(),
            Self::StatusTitle { node } => format!("{node} 上的会话"),
            Self::NoSessions => "没有会话。用 /new <目录> 开始一个。".into(),
            Self::Line {
                active,
                dir,
                running,
                waiting,
                queued,
                live,
                age,
            } => {
                let state = match (waiting, running, live) {
                    (true, _, _) => "等待您的答复",
                    (_, true, _) => "进行中",
                    (_, _, true) => "就绪",
                    (_, _, false) => "休眠",
                };
                let queued = match queued {
                    0 => String::new(),
                    n => format!(" · 排队 {n}"),
                };
                let active = if *active { "（当前）" } else { "" };
                format!("{dir}{active} · {state}{queued} · {age}前")
            }
            Self::ModeRow => "模式".into(),
            Self::ModeDirect => "直接".into(),
            Self::ModeSmart => "智能（未配置模型：文字发给当前会话）".into(),
            Self::SwitchTo { n } => format!("切换到 {n}"),
            Self::HelpTitle => "命令".into(),
            Self::HelpMore => {
                "其他以 / 开头的命令交给当前会话里的 Claude Code，例如 /compact；与上面同名时写成 //help。其他文字发给当前会话。".into()
            }
            Self::UnknownCommand { name } => {
                format!("没有 {name} 这个命令，也没有可以交给它的会话。/help 列出全部命令。")
            }
            Self::TooManySessions { max } => {
                format!("已有 {max} 个会话，到上限了。先用 /close <n> 关闭一个。")
            }
            Self::DirOutside { dir, root } => {
                format!("“{dir}”不在工作目录 {root} 之内，没有开始会话。请写工作目录下的文件夹名，例如：/new demo")
            }
            Self::DirIsFile { dir } => format!("“{dir}”是文件，不是目录。"),
            Self::DirFailed { dir, why } => format!("目录“{dir}”无法使用：{why}"),
            Self::AgentMissing => "这台机器上没有 claude。请安装：npm install -g @anthropic-ai/claude-code，或在配置里用 CLAUDE_BIN 写明位置，然后再发一次。".into(),
            Self::AgentNotLoggedIn => "Claude Code 还没有登录（或登录已过期）。请在这台机器的终端运行 claude，再输入 /login，然后重试。".into(),
            Self::AgentBadKey => "服务拒绝了密钥。请检查这台机器上的 ANTHROPIC_API_KEY，或在终端运行 claude 重新登录，然后重试。".into(),
            Self::AgentNoCredit => "账户余额不足。请充值后重试。".into(),
            Self::AgentOverloaded => "服务过载，多次重试仍未成功。请过几分钟再试。".into(),
            Self::AgentServiceFailed { status } => format!("服务出错（{status}）。请稍后重试。"),
            Self::AgentRateLimited { until: Some(until) } => {
                format!("已达用量上限，{until} 恢复。届时请重试。")
            }
            Self::AgentRateLimited { until: None } => "请求太频繁或已达用量上限。请稍后重试。".into(),
            Self::AgentContextFull => "对话太长，模型放不下了。请发送 /compact 压缩，或用 /new 开始新会话。".into(),
            Self::AgentRefused { status, message } => format!("服务拒绝了请求（{status}）：{message}"),
            Self::AgentNetwork => "这台机器连不上模型服务。请检查网络或代理，然后重试。".into(),
            Self::AgentNoSuchSession => "这台机器上找不到原来的对话，已在同一目录开始新的对话。请再发一次。".into(),
            Self::AgentInUse => "这个对话正在另一个程序（例如终端）里打开。请先在那里退出，然后重试。".into(),
            Self::AgentArguments { message } => format!("claude 不接受 CLAUDE_ARGS 里的参数：{message}。请改配置后重启。"),
            Self::AgentCrashed { detail } if detail.is_empty() => "Claude Code 的进程意外退出了。".into(),
            Self::AgentCrashed { detail } => format!("Claude Code 的进程意外退出了：{detail}"),
            Self::AgentOther { message } if message.is_empty() => "Claude Code 报告出错，没有说明原因。".into(),
            Self::AgentOther { message } => format!("Claude Code 报告出错：{message}"),
            Self::AgentLimit => "这一轮达到了步数或费用上限。可以继续。".into(),
            Self::JournalFailed => "这台机器无法记录消息（磁盘已满或只读？），什么都没有执行。请处理后再发一次。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Working => "Working".into(),
            Self::Thinking => "Thinking".into(),
            Self::Compacting => "Shortening the conversation".into(),
            Self::WaitsForYou => "Waiting for your answer".into(),
            Self::Stop => "Stop".into(),
            Self::Stopped => "Stopped".into(),
            Self::TimedOut { after } => format!(
                "Stopped after {after} seconds. You can let it go on, or give a session more time with /new … --timeout."
            ),
            Self::NoWords => "Done (no words)".into(),
            Self::Retrying { attempt, max } => {
                format!("The service failed; trying again ({attempt} of {max})")
            }
            Self::Background => "Result of background work".into(),
            Self::Part { n, of } => format!("Part {n} of {of}"),
            Self::LongTurnDone { dir } => format!("{dir}: finished"),
            Self::MoreSteps { n } => format!("{n} more before"),
            Self::Context { percent } => format!("context {percent}%"),
            Self::Queued { place } => {
                format!("Waiting, place {place}. It runs when the turn before it ends.")
            }
            Self::SendNow => "Send now".into(),
            Self::Cancel => "Cancel".into(),
            Self::Cancelled => "Taken back; it did not run.".into(),
            Self::Folded => "Handed to the running turn.".into(),
            Self::QueueFull { waiting } => format!(
                "{waiting} messages wait in this session already, so this one was not taken. Let them finish, or use /stop."
            ),
            Self::Asks { tool } => format!("May I use {tool}?"),
            Self::About => "About".into(),
            Self::Why => "Why".into(),
            Self::Where => "Where".into(),
            Self::AllowOnce => "Allow once".into(),
            Self::AllowSession => "Allow for this session".into(),
            Self::Deny => "Deny".into(),
            Self::AllowedOnce { at } => format!("Allowed once at {at}"),
            Self::AllowedSession { at } => format!("Allowed for this session at {at}"),
            Self::Denied { at } => format!("Denied at {at}"),
            Self::Withdrawn => "No answer is needed any more".into(),
            Self::AnsweredBefore { how } => format!("This was answered before: {how}"),
            Self::DenyWords => "The user refused this.".into(),
            Self::Rings { dir, tool } => format!("{dir}: {tool} waits for your permission"),
            Self::Interrupted { prompt } => format!(
                "PhoneWork restarted in the middle of this turn:\n“{prompt}”\nWhat was done is not done again. Go on?"
            ),
            Self::InterruptedAlive { prompt } => format!(
                "PhoneWork restarted; the process of this turn still runs:\n“{prompt}”\nIf it finishes by itself, the answer appears here. Or take over now."
            ),
            Self::Continue => "Continue".into(),
            Self::Discard => "Discard".into(),
            Self::TryAgain => "Try again".into(),
            Self::Discarded => "Discarded. Session and directory are as they were.".into(),
            Self::ContinueWords => {
                "The last turn was interrupted. Please go on where it stopped, and do not repeat steps that are done.".into()
            }
            Self::Recovered => "found after a restart".into(),
            Self::SessionReady { n, dir, made } => {
                let made = if *made { " (a new directory)" } else { "" };
                format!("Session {n} is ready in {dir}{made}. Just write to it.")
            }
            Self::NoSession => {
                "There is no session yet. Begin one with /new <dir>, for example: /new demo".into()
            }
            Self::Usage { wrong, usage } if wrong.is_empty() => format!("Usage: {usage}"),
            Self::Usage { wrong, usage } => format!("{wrong}\nUsage: {usage}"),
            Self::NoSuchSession { n, have: 0 } => {
                format!("There is no session {n}: there are none. Begin one with /new <dir>.")
            }
            Self::NoSuchSession { n, have: 1 } => {
                format!("There is no session {n}: there is one, see /status.")
            }
            Self::NoSuchSession { n, have } => {
                format!("There is no session {n}: there are {have}, see /status.")
            }
            Self::NotANumber { got } => format!("“{got}” is not a number."),
            Self::OutOfBounds { option, min, max } => {
                format!("{option} must be between {min} and {max}.")
            }
            Self::Switched { n, dir } => format!("Active session: {n} ({dir})"),
            Self::Closed { n, dir } => {
                format!("Session {n} ({dir}) is closed. Its directory and files stay as they are.")
            }
            Self::DirectOn => "Direct mode: text goes straight to Claude Code.".into(),
            Self::NothingRuns => "Nothing is running.".into(),
            Self::Stopping => "Stopping.".into(),
            Self::StatusTitle { node } => format!("Sessions on {node}"),
            Self::NoSessions => "No sessions. Begin one with /new <dir>.".into(),
            Self::Line {
                active,
                dir,
                running,
                waiting,
                queued,
                live,
                age,
            } => {
                let state = match (waiting, running, live) {
                    (true, _, _) => "waits for your answer",
                    (_, true, _) => "working",
                    (_, _, true) => "ready",
                    (_, _, false) => "asleep",
                };
                let queued = match queued {
                    0 => String::new(),
                    n => format!(" · {n} queued"),
                };
                let active = if *active { " (active)" } else { "" };
                format!("{dir}{active} · {state}{queued} · {age} ago")
            }
            Self::ModeRow => "Mode".into(),
            Self::ModeDirect => "direct".into(),
            Self::ModeSmart => "smart (no model set up: text goes to the active session)".into(),
            Self::SwitchTo { n } => format!("Switch to {n}"),
            Self::HelpTitle => "Commands".into(),
            Self::HelpMore => {
                "Other commands with / go to Claude Code in the active session, such as /compact; write //help for one of the names above. All other text goes to the active session.".into()
            }
            Self::UnknownCommand { name } => format!(
                "{name} is not a command, and there is no session to pass it to. /help lists all commands."
            ),
            Self::TooManySessions { max } => {
                format!("There are {max} sessions, which is the limit. Close one first with /close <n>.")
            }
            Self::DirOutside { dir, root } => format!(
                "“{dir}” is not inside the working directory {root}, so no session was begun. Name a folder of it, for example: /new demo"
            ),
            Self::DirIsFile { dir } => format!("“{dir}” is a file, not a directory."),
            Self::DirFailed { dir, why } => format!("The directory “{dir}” cannot be used: {why}"),
            Self::AgentMissing => "There is no claude on this machine. Install it with: npm install -g @anthropic-ai/claude-code, or say in the configuration where it is (CLAUDE_BIN), and send the message again.".into(),
            Self::AgentNotLoggedIn => "Claude Code is not logged in, or the login has run out. In a terminal on this machine, start claude and type /login, then try again.".into(),
            Self::AgentBadKey => "The service refused the key. Check ANTHROPIC_API_KEY on this machine, or log in again by starting claude in a terminal, then try again.".into(),
            Self::AgentNoCredit => "The account's credit is used up. Top it up, then try again.".into(),
            Self::AgentOverloaded => "The service is overloaded; several attempts failed. Try again in a few minutes.".into(),
            Self::AgentServiceFailed { status } => {
                format!("The service failed ({status}). Try again in a while.")
            }
            Self::AgentRateLimited { until: Some(until) } => {
                format!("The usage limit is reached; it ends at {until}. Try again then.")
            }
            Self::AgentRateLimited { until: None } => {
                "Too many requests, or the usage limit is reached. Try again in a while.".into()
            }
            Self::AgentContextFull => "The conversation is too long for the model. Send /compact to shorten it, or begin a new session with /new.".into(),
            Self::AgentRefused { status, message } => {
                format!("The service refused the request ({status}): {message}")
            }
            Self::AgentNetwork => "This machine cannot reach the model's service. Check its network or proxy, then try again.".into(),
            Self::AgentNoSuchSession => "The old conversation is not on this machine any more; a new one was begun in the same directory. Send the message again.".into(),
            Self::AgentInUse => "Another program, a terminal perhaps, has this conversation open. Leave it there first, then try again.".into(),
            Self::AgentArguments { message } => format!("claude refuses what CLAUDE_ARGS says: {message}. Change the configuration and restart."),
            Self::AgentCrashed { detail } if detail.is_empty() => {
                "The process of Claude Code ended unexpectedly.".into()
            }
            Self::AgentCrashed { detail } => {
                format!("The process of Claude Code ended unexpectedly: {detail}")
            }
            Self::AgentOther { message } if message.is_empty() => {
                "Claude Code reports an error and does not say which.".into()
            }
            Self::AgentOther { message } => format!("Claude Code reports an error: {message}"),
            Self::AgentLimit => "The turn took as many steps, or as much money, as it may. You can let it go on.".into(),
            Self::JournalFailed => "This machine cannot write messages down (disk full or read-only?), so nothing was done. Mend that and send it again.".into(),
        }
    }
}
