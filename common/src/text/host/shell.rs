//! What is said about commands in a shell: why one may not run, how one went, what runs by itself.

use crate::text::Say;

/// Why a command is asked about, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Danger {
    /// The grammar cannot follow it.
    Unreadable,
    /// What is run is only known once it runs.
    UnknownCommand,
    /// Something fetched or decoded is run.
    PipedToShell,
    /// It starts itself again and again.
    ForkBomb,
    /// It ends every process.
    KillsAll,
    /// It stops the machine.
    StopsMachine {
        /// The command.
        name: String,
    },
    /// It makes or changes file systems.
    FileSystem {
        /// The command.
        name: String,
    },
    /// It changes accounts.
    Accounts {
        /// The command.
        name: String,
    },
    /// It changes the system.
    System {
        /// The command.
        name: String,
    },
    /// It asks for more rights.
    Raises {
        /// The command.
        name: String,
    },
    /// It deletes something outside the working directory.
    DeletesOutside {
        /// What.
        path: String,
    },
    /// It deletes the working directory, or all that is in it.
    DeletesAll {
        /// What was typed.
        path: String,
    },
    /// It deletes something that is not known.
    DeletesUnknown,
    /// It writes to a device.
    Device {
        /// Which.
        path: String,
    },
    /// It overwrites a file of the system, or hidden ones of a home.
    OverwritesSystem {
        /// Which.
        path: String,
    },
    /// It changes rights outside a project.
    RightsOutside {
        /// Of what.
        path: String,
    },
    /// It holds code that deletes or runs something.
    Inline {
        /// For what.
        name: String,
    },
    /// It holds code that deletes or overwrites outside the working directory.
    InlineDeletes {
        /// For what.
        name: String,
    },
    /// It acts on another machine or service.
    Elsewhere,
    /// It gives a container more than a project, or throws containers away.
    Container,
    /// It deletes data of a database.
    Database,
    /// It rewrites what others have.
    RewritesHistory,
}

impl Say for Danger {
    fn zh(&self) -> String {
        match self {
            Self::Unreadable => "无法读懂这条命令".into(),
            Self::UnknownCommand => "实际要运行什么，只有运行时才知道".into(),
            Self::PipedToShell => "它会把下载或解码得到的内容直接交给 shell 执行".into(),
            Self::ForkBomb => "它会无限地启动自己（fork 炸弹）".into(),
            Self::KillsAll => "它会结束所有进程".into(),
            Self::StopsMachine { name } => format!("`{name}` 会让机器停机或重启"),
            Self::FileSystem { name } => format!("`{name}` 会改动磁盘或文件系统"),
            Self::Accounts { name } => format!("`{name}` 会改动系统账户"),
            Self::System { name } => format!("`{name}` 会改动系统"),
            Self::Raises { name } => format!("`{name}` 会以更高权限做改动"),
            Self::DeletesOutside { path } => format!("它会删除工作目录之外的内容：{path}"),
            Self::DeletesAll { path } => format!("它会删除整个工作目录或其中全部内容：{path}"),
            Self::DeletesUnknown => "它要删除的内容事先无法确定".into(),
            Self::Device { path } => format!("它会写入设备 {path}"),
            Self::OverwritesSystem { path } => format!("它会覆盖系统文件或个人配置：{path}"),
            Self::RightsOutside { path } => format!("它会改动项目之外的权限：{path}"),
            Self::Inline { name } => format!("其中给 {name} 的代码会删除文件或运行其他程序"),
            Self::InlineDeletes { name } => {
                format!("其中给 {name} 的代码会删除或覆盖工作目录之外的内容")
            }
            Self::Elsewhere => "它作用于另一台机器或服务".into(),
            Self::Container => "它会让容器接触项目之外的内容，或清除容器数据".into(),
            Self::Database => "它会删除数据库里的数据".into(),
            Self::RewritesHistory => "它会改写别人已有的历史".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Unreadable => "this command cannot be read".into(),
            Self::UnknownCommand => "what it runs is known only once it runs".into(),
            Self::PipedToShell => {
                "it would run something that was fetched or decoded, unseen".into()
            }
            Self::ForkBomb => "it would start itself without end".into(),
            Self::KillsAll => "it would end every process".into(),
            Self::StopsMachine { name } => format!("`{name}` stops or restarts the machine"),
            Self::FileSystem { name } => format!("`{name}` changes disks or file systems"),
            Self::Accounts { name } => format!("`{name}` changes the machine's accounts"),
            Self::System { name } => format!("`{name}` changes the system"),
            Self::Raises { name } => format!("`{name}` would change things with more rights"),
            Self::DeletesOutside { path } => {
                format!("it would delete outside the working directory: {path}")
            }
            Self::DeletesAll { path } => {
                format!("it would delete the working directory or all that is in it: {path}")
            }
            Self::DeletesUnknown => "what it deletes cannot be told beforehand".into(),
            Self::Device { path } => format!("it would write to the device {path}"),
            Self::OverwritesSystem { path } => {
                format!("it would overwrite the system's files or somebody's settings: {path}")
            }
            Self::RightsOutside { path } => {
                format!("it would change rights outside a project: {path}")
            }
            Self::Inline { name } => {
                format!("the code in it for {name} deletes files or runs other programs")
            }
            Self::InlineDeletes { name } => {
                format!(
                    "the code in it for {name} would delete or overwrite outside the working directory"
                )
            }
            Self::Elsewhere => "it acts on another machine or service".into(),
            Self::Container => {
                "it gives a container more than the project, or throws data of containers away"
                    .into()
            }
            Self::Database => "it deletes data of a database".into(),
            Self::RewritesHistory => "it rewrites what others already have".into(),
        }
    }
}

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
    /// State of a task.
    IsDone,
    /// How to see one.
    SeeOne,
    /// Row name.
    Directory,
    /// Row name.
    State,
    /// Row name.
    Time,
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

fn size(bytes: u64) -> String {
    if bytes < 10 * 1024 {
        format!("{bytes} B")
    } else if bytes < 10 * 1024 * 1024 {
        format!("{} KB", bytes / 1024)
    } else {
        format!("{} MB", bytes / 1024 / 1024)
    }
}

impl Say for ShellText {
    fn zh(&self) -> String {
        match self {
            Self::Tool => "Shell".into(),
            Self::Refused { why } => format!("没有运行：{}。", why.zh()),
            Self::Denied => "没有运行：你没有允许。".into(),
            Self::Unanswered => "没有运行：没有人及时回答。".into(),
            Self::BadTimeout { got, max } => {
                format!("`--timeout {got}` 不对：请写秒数，1 到 {max}。")
            }
            Self::Failed { why } => format!("无法启动：{why}"),
            Self::Running { n } => format!("任务 {n} · 运行中"),
            Self::RunningAs { n } => format!("后台任务 {n} 正在运行"),
            Self::Background { n } => {
                format!("还在运行，已转为后台任务 {n}。结束时会通知你；/tasks {n} 查看进度。")
            }
            Self::NoOutput => "（没有输出）".into(),
            Self::Exit { code } => format!("退出码 {code}"),
            Self::Signal { signal } => format!("被信号 {signal} 结束"),
            Self::Took { tenths } => format!("用时 {}", duration(*tenths, " 分 ", " 小时 ", " 秒")),
            Self::TimedOut { after } => {
                format!(
                    "超过 {}，已结束",
                    duration(after * 10, " 分 ", " 小时 ", " 秒")
                )
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
            Self::Tasks => "后台任务".into(),
            Self::NoTasks => {
                "没有后台任务。`/shell --bg <命令>` 在后台运行；超过一分钟的命令会自动转到后台。"
                    .into()
            }
            Self::NoSuchTask { n } => format!("没有任务 {n}。/tasks 列出全部。"),
            Self::IsRunning => "运行中".into(),
            Self::IsDone => "已结束".into(),
            Self::SeeOne => "/tasks <编号> 查看输出".into(),
            Self::Directory => "目录".into(),
            Self::State => "状态".into(),
            Self::Time => "时间".into(),
            Self::RunAgain => "它不会自动重来，需要的话请再运行一次。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Tool => "Shell".into(),
            Self::Refused { why } => format!("Not run: {}.", why.en()),
            Self::Denied => "Not run: you did not allow it.".into(),
            Self::Unanswered => "Not run: nobody answered in time.".into(),
            Self::BadTimeout { got, max } => {
                format!("`--timeout {got}` is not right: write seconds, 1 to {max}.")
            }
            Self::Failed { why } => format!("It could not be started: {why}"),
            Self::Running { n } => format!("task {n} · running"),
            Self::RunningAs { n } => format!("task {n} runs in the background"),
            Self::Background { n } => format!(
                "Still running: it goes on as task {n}. You are told when it ends; /tasks {n} shows how far it is."
            ),
            Self::NoOutput => "(no output)".into(),
            Self::Exit { code } => format!("exit {code}"),
            Self::Signal { signal } => format!("ended by signal {signal}"),
            Self::Took { tenths } => duration(*tenths, " min ", " h ", " s"),
            Self::TimedOut { after } => {
                format!("ended after {}, its time", duration(after * 10, " min ", " h ", " s"))
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
            Self::IsDone => "ended".into(),
            Self::SeeOne => "/tasks <n> shows the output".into(),
            Self::Directory => "Directory".into(),
            Self::State => "State".into(),
            Self::Time => "Time".into(),
            Self::RunAgain => "It is not run again by itself; run it once more if you need it.".into(),
        }
    }
}
