//! Why a command is asked about, or is not run.

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
    /// It ends this program, or what this program runs.
    KillsOurs,
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
    /// It deletes all of the folder that it runs in, or a project's history.
    DeletesProject {
        /// What was typed.
        path: String,
    },
    /// It deletes something that is not known.
    DeletesUnknown,
    /// It throws away what is in no commit.
    LosesWork,
    /// It reads keys or passwords.
    Secrets {
        /// Where.
        path: String,
    },
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
    /// It writes to something outside the working directory.
    WritesOutside {
        /// What.
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
            Self::KillsOurs => "它会结束 PhoneWork 或它正在运行的程序".into(),
            Self::StopsMachine { name } => format!("`{name}` 会让机器停机或重启"),
            Self::FileSystem { name } => format!("`{name}` 会改动磁盘或文件系统"),
            Self::Accounts { name } => format!("`{name}` 会改动系统账户"),
            Self::System { name } => format!("`{name}` 会改动系统"),
            Self::Raises { name } => format!("`{name}` 会以更高权限做改动"),
            Self::DeletesOutside { path } => format!("它会删除工作目录之外的内容：{path}"),
            Self::DeletesAll { path } => format!("它会删除整个工作目录或其中全部内容：{path}"),
            Self::DeletesProject { path } => {
                format!("它会删除整个当前目录或项目的版本历史：{path}")
            }
            Self::DeletesUnknown => "它要删除的内容事先无法确定".into(),
            Self::LosesWork => "它会丢弃尚未提交、无法找回的改动".into(),
            Self::Secrets { path } => format!("它会读取密钥或密码：{path}"),
            Self::Device { path } => format!("它会写入设备 {path}"),
            Self::OverwritesSystem { path } => format!("它会覆盖系统文件或个人配置：{path}"),
            Self::WritesOutside { path } => format!("它会写入工作目录之外：{path}"),
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
            Self::KillsOurs => "it would end PhoneWork, or what it runs".into(),
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
            Self::DeletesProject { path } => {
                format!("it deletes the whole folder it runs in, or a project's history: {path}")
            }
            Self::DeletesUnknown => "what it deletes cannot be told beforehand".into(),
            Self::LosesWork => {
                "it throws away changes that are in no commit and cannot be had back".into()
            }
            Self::Secrets { path } => format!("it reads keys or passwords: {path}"),
            Self::Device { path } => format!("it would write to the device {path}"),
            Self::OverwritesSystem { path } => {
                format!("it would overwrite the system's files or somebody's settings: {path}")
            }
            Self::WritesOutside { path } => {
                format!("it writes outside the working directory: {path}")
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
