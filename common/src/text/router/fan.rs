//! What the router says of a message that went to several machines: one line for each.

use super::RouterText;
use crate::text::Say;

/// A text about a message to several machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FanText {
    /// Title.
    Title {
        /// How many machines.
        of: usize,
        /// How many have come to an end with it.
        over: usize,
    },
    /// Where the whole answers are.
    Footer,
    /// A machine's line: on its way.
    Pending,
    /// It has gone out.
    Sent,
    /// The machine is off.
    Off {
        /// Seconds since its last sign of life; none if there was none.
        seconds: Option<u64>,
    },
    /// The machine is on and takes no work.
    Stuck {
        /// Why, in its own words.
        what: String,
    },
    /// Waits for what runs there.
    Queued,
    /// It runs.
    Working,
    /// It asks for a permission.
    Asking,
    /// It has answered.
    Done,
    /// It ended without an answer.
    Stopped,
    /// It was cut off and can go on.
    CutOff,
    /// It failed.
    Failed,
    /// Too much waits for this machine.
    QueueFull {
        /// How many wait.
        limit: u64,
    },
    /// The hub has no room.
    HubFull,
    /// Taken back.
    Cancelled,
    /// Taken back, and the machine may have it.
    Unsure,
    /// It waited in vain.
    Expired,
    /// The machine was removed.
    Removed,
    /// Button: take back what waits for one machine.
    Cancel {
        /// The machine.
        node: String,
    },
    /// Button: send once more what waited in vain for one machine.
    SendAgain {
        /// The machine.
        node: String,
    },
    /// Title: more machines than one message goes to.
    TooMany,
    /// What to do about it.
    TooManyHint {
        /// How many were meant.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// Title: machines are named and nothing is said.
    NoText,
    /// A name is none, or several: nothing went anywhere.
    NothingSent,
    /// Title: a command that is not for machines.
    Ours {
        /// The command, with its slash.
        command: String,
    },
    /// What to do about it.
    OursHint,
}

/// How names are written before a text.
pub const ADDRESS_USAGE: &str = "@name [@name …] <text>";

impl Say for FanText {
    fn zh(&self) -> String {
        match self {
            Self::Title { of, over } => format!("发给 {of} 台机器，{over} 台已结束"),
            Self::Footer => "每台机器的完整回答在它自己的卡片里".into(),
            Self::Pending => "正在发送".into(),
            Self::Sent => "已发出".into(),
            Self::Off { seconds: Some(n) } => format!(
                "离线，最近一次心跳：{}；消息在等它",
                RouterText::Ago { seconds: *n }.zh()
            ),
            Self::Off { seconds: None } => "从未上线过；消息在等它".into(),
            Self::Stuck { what } => format!("不能接收工作，请检查它的磁盘：{what}；消息在等它"),
            Self::Queued => "排队中".into(),
            Self::Working => "运行中".into(),
            Self::Asking => "在问您".into(),
            Self::Done => "完成".into(),
            Self::Stopped => "已停止".into(),
            Self::CutOff => "中断了，可在它的卡片上继续".into(),
            Self::Failed => "失败".into(),
            Self::QueueFull { limit } => format!("没有收下：已有 {limit} 条消息在等它"),
            Self::HubFull => "没有收下：中心机没有空间".into(),
            Self::Cancelled => "已取消，不会执行".into(),
            Self::Unsure => "已收回，但它可能已经拿到；等它回应".into(),
            Self::Expired => "没有送达：一直没有收下".into(),
            Self::Removed => "没有送达：机器已被移除".into(),
            Self::Cancel { node } => format!("取消 {node}"),
            Self::SendAgain { node } => format!("再次发给 {node}"),
            Self::TooMany => "机器太多，没有发送".into(),
            Self::TooManyHint { count, limit } => format!(
                "这条消息要发给 {count} 台机器，一次最多 {limit} 台。请用 @名称 @名称 写出要发给哪些。"
            ),
            Self::NoText => "没有要发送的内容".into(),
            Self::NothingSent => "没有发给任何机器。如果文字本身以 @ 开头，请写成 @@。".into(),
            Self::Ours { command } => format!("{command} 由中心机回答，没有发送"),
            Self::OursHint => "请单独发送这条命令，前面不要写机器。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Title { of: 1, over } => format!("To 1 machine, {over} finished"),
            Self::Title { of, over } => format!("To {of} machines, {over} finished"),
            Self::Footer => "Each machine's whole answer is in a card of its own".into(),
            Self::Pending => "on its way".into(),
            Self::Sent => "sent".into(),
            Self::Off { seconds: Some(n) } => format!(
                "off, last sign of life {}; the message waits for it",
                RouterText::Ago { seconds: *n }.en()
            ),
            Self::Off { seconds: None } => {
                "it has never been on; the message waits for it".into()
            }
            Self::Stuck { what } => format!("can take no work: {what}; the message waits for it"),
            Self::Queued => "waits for what runs there".into(),
            Self::Working => "working".into(),
            Self::Asking => "asks you".into(),
            Self::Done => "done".into(),
            Self::Stopped => "stopped".into(),
            Self::CutOff => "cut off; its card lets it go on".into(),
            Self::Failed => "failed".into(),
            Self::QueueFull { limit } => {
                format!("not taken: {limit} messages wait for it already")
            }
            Self::HubFull => "not taken: the hub has no room".into(),
            Self::Cancelled => "cancelled; it will not run".into(),
            Self::Unsure => "taken back, but it may have it already; waiting for its word".into(),
            Self::Expired => "not delivered: it did not take it".into(),
            Self::Removed => "not delivered: the machine was removed".into(),
            Self::Cancel { node } => format!("Cancel {node}"),
            Self::SendAgain { node } => format!("Send to {node} again"),
            Self::TooMany => "Too many machines; nothing was sent".into(),
            Self::TooManyHint { count, limit } => format!(
                "This would go to {count} machines, at most {limit} are taken. Name those you mean: @name @name …"
            ),
            Self::NoText => "There is nothing to send".into(),
            Self::NothingSent => {
                "Nothing was sent to any machine. Does your text itself begin with @? Then write @@.".into()
            }
            Self::Ours { command } => format!("{command} is answered by the hub; nothing was sent"),
            Self::OursHint => "Send this command alone, without a machine in front.".into(),
        }
    }
}
