//! What is said about commands in a shell: how one went, what runs by itself; and, in `danger`, why one may
//! not run.

mod danger;

pub use danger::Danger;

use crate::text::Say;
use crate::text::host::files::size;

/// How a command went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellText {
    /// What asks: the name on the card of a question.
    Tool,
    /// It was not run.
    Refused {
        /// Why.
        why: Danger,
    },
    /// The person said no.
    Denied,
    /// Nobody answered in time.
    Unanswered,
    /// The directory that it was asked about cannot be used any more.
    Gone {
        /// Which.
        dir: String,
    },
    /// `--timeout` is no number, or out of range.
    BadTimeout {
        /// What was typed.
        got: String,
        /// Seconds at most.
        max: u64,
    },
    /// It cannot be started.
    Failed {
        /// Why.
        why: String,
    },
    /// Small print while it runs.
    Running {
        /// Its number.
        n: u64,
    },
    /// Small print while it runs by itself.
    RunningAs {
        /// Its number.
        n: u64,
    },
    /// It went on by itself.
    Background {
        /// Its number.
        n: u64,
    },
    /// Nothing was written.
    NoOutput,
    /// Small print: exit code.
    Exit {
        /// The code.
        code: i32,
    },
    /// Small print: ended by a signal.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// Small print: how long.
    Took {
        /// Tenths of a second.
        tenths: u64,
    },
    /// Its time was over.
    TimedOut {
        /// Seconds.
        after: u64,
    },
    /// Its time was over: what can be done.
    Longer,
    /// The person stopped it.
    Stopped,
    /// This program ended while it ran.
    Interrupted,
    /// Where output was left out of the middle.
    LeftOut {
        /// Bytes.
        bytes: u64,
    },
    /// The output is whole in a file that comes along.
    FullInFile {
        /// Its size in bytes.
        bytes: u64,
    },
    /// More was written than is kept.
    NotKept {
        /// Megabytes that are kept.
        max: u64,
    },
    /// There was no sandbox.
    NoSandbox,
    /// The directory was to be changed to one that is none of the person's.
    StaysIn {
        /// Where it stays.
        dir: String,
    },
    /// Rings: a task has ended.
    Ended {
        /// Its number.
        n: u64,
        /// How.
        how: String,
        /// The command, its first line.
        command: String,
    },
    /// Too many run already.
    TooMany {
        /// At most.
        max: usize,
    },
    /// Title of the list.
    Tasks,
    /// The list is empty.
    NoTasks,
    /// There is no such task.
    NoSuchTask {
        /// What was typed.
        n: String,
    },
    /// State of a task.
    IsRunning,
    /// How to see one.
    SeeOne,
    /// It was cut off by the end of this program: what can be done.
    RunAgain,
}

fn duration(tenths: u64, minute: &str, hour: &str, second: &str) -> String {
    let seconds = tenths / 10;
    if seconds < 60 {
        format!("{}.{}{second}", seconds, tenths % 10)
    } else if seconds < 3600 {
        format!("{}{minute}{}{second}", seconds / 60, seconds % 60)
    } else {
        format!("{}{hour}{}{minute}", seconds / 3600, seconds % 3600 / 60)
    }
}

impl Say for ShellText {
    fn zh(&self) -> String {
        match self {
            Self::Tool => "Shell".into(),
            Self::Refused { why } => {
                format!(
                    "没有运行：{}。确实需要的话，请直接在那台机器上操作。",
                    why.zh()
                )
            }
            Self::Denied => "没有运行：您没有允许。".into(),
            Self::Unanswered => "没有运行：没有人及时回答。仍需要的话，请重新发送。".into(),
            Self::Gone { dir } => format!(
                "没有运行：目录 {dir} 已不存在，或已属于别人。请用 `/shell cd <目录>` 换个目录，再重新发送。"
            ),
            Self::BadTimeout { got, max } => {
                format!("`--timeout {got}` 不对：请写秒数，1 到 {max}。")
            }
            Self::Failed { why } => format!("无法启动：{why}"),
            Self::Running { n } => format!("任务 {n} · 运行中"),
            Self::RunningAs { n } => format!("后台任务 {n} 正在运行"),
            Self::Background { n } => {
                format!("正作为后台任务 {n} 继续运行，结束时会通知您；/tasks {n} 查看进度。")
            }
            Self::NoOutput => "（没有输出）".into(),
            Self::Exit { code } => format!("退出码 {code}"),
            Self::Signal { signal } => format!("被信号 {signal} 结束"),
            Self::Took { tenths } => format!("用时 {}", duration(*tenths, " 分 ", " 小时 ", " 秒")),
            Self::TimedOut { after } => {
                format!(
                    "超时：{}后已结束",
                    duration(after * 10, " 分 ", " 小时 ", " 秒")
                )
            }
            Self::Longer => {
                "需要更长时间的话：`/shell --timeout <秒数> …`，或 `/shell --bg …`。".into()
            }
            Self::Stopped => "已停止".into(),
            Self::Interrupted => "PhoneWork 重启，命令被中断".into(),
            Self::LeftOut { bytes } => format!("… 省略 {} …", size(*bytes)),
            Self::FullInFile { bytes } => format!("完整输出（{}）见文件。", size(*bytes)),
            Self::NotKept { max } => format!("输出太多，只保留了前 {max} MB。"),
            Self::NoSandbox => "这台机器的内核没有 Landlock，命令没有在沙箱里运行".into(),
            Self::StaysIn { dir } => {
                format!("不能到那个目录去，之后的命令仍在 {dir} 运行。")
            }
            Self::Ended { n, how, command } => format!("后台任务 {n} 结束（{how}）：{command}"),
            Self::TooMany { max } => {
                format!("已有 {max} 条命令在运行，先等一条结束，或用 /tasks 停掉一条。")
            }
            Self::Tasks => "任务".into(),
            Self::NoTasks => {
                "没有任务。`/shell --bg <命令>` 在后台运行；超过一分钟的命令会自动转到后台。".into()
            }
            Self::NoSuchTask { n } => format!("没有任务 {n}。/tasks 列出全部。"),
            Self::IsRunning => "运行中".into(),
            Self::SeeOne => "/tasks <编号> 查看输出".into(),
            Self::RunAgain => "它不会自动重来，需要的话请再运行一次。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Tool => "Shell".into(),
            Self::Refused { why } => format!(
                "Not run: {}. If you mean it, do it at the machine itself.",
                why.en()
            ),
            Self::Denied => "Not run: you did not allow it.".into(),
            Self::Unanswered => "Not run: nobody answered in time. Send it again if you still want it.".into(),
            Self::Gone { dir } => format!(
                "Not run: the directory {dir} is gone, or somebody else's by now. Go to another one with `/shell cd <dir>` and send it again."
            ),
            Self::BadTimeout { got, max } => {
                format!("`--timeout {got}` is not right: write seconds, 1 to {max}.")
            }
            Self::Failed { why } => format!("It could not be started: {why}"),
            Self::Running { n } => format!("task {n} · running"),
            Self::RunningAs { n } => format!("task {n} runs in the background"),
            Self::Background { n } => format!(
                "In the background: it goes on as task {n}. You are told when it ends; /tasks {n} shows how far it is."
            ),
            Self::NoOutput => "(no output)".into(),
            Self::Exit { code } => format!("exit {code}"),
            Self::Signal { signal } => format!("ended by signal {signal}"),
            Self::Took { tenths } => duration(*tenths, " min ", " h ", " s"),
            Self::TimedOut { after } => {
                format!("out of time: ended after {}", duration(after * 10, " min ", " h ", " s"))
            }
            Self::Longer => {
                "To give it longer: `/shell --timeout <seconds> …`, or `/shell --bg …`.".into()
            }
            Self::Stopped => "stopped".into(),
            Self::Interrupted => "interrupted: PhoneWork was restarted".into(),
            Self::LeftOut { bytes } => format!("… {} left out …", size(*bytes)),
            Self::FullInFile { bytes } => format!("The full output ({}) is in the file.", size(*bytes)),
            Self::NotKept { max } => format!("It wrote too much: only the first {max} MB are kept."),
            Self::NoSandbox => "no sandbox: the kernel of this machine has no Landlock".into(),
            Self::StaysIn { dir } => {
                format!("That directory cannot be entered; the next command runs in {dir} still.")
            }
            Self::Ended { n, how, command } => format!("Task {n} has ended ({how}): {command}"),
            Self::TooMany { max } => format!(
                "{max} commands run already: wait for one to end, or stop one with /tasks."
            ),
            Self::Tasks => "Tasks".into(),
            Self::NoTasks => {
                "No tasks. `/shell --bg <command>` runs one in the background; whatever takes over a minute goes there by itself.".into()
            }
            Self::NoSuchTask { n } => format!("There is no task {n}. /tasks lists them."),
            Self::IsRunning => "running".into(),
            Self::SeeOne => "/tasks <n> shows the output".into(),
            Self::RunAgain => "It is not run again by itself; run it once more if you need it.".into(),
        }
    }
}
