//! What the router says: which machine, whether it is there, what waits, what cannot be taken.
//!
//! Only words; how they are put on a card is the router's business.

pub mod dead;
pub mod enrol;
mod fan;
mod node;
pub mod remind;
pub mod route;
mod waiting;
mod words;

use super::Say;
pub use fan::{ADDRESS_USAGE, FanText};
pub use node::NodeText;
pub use waiting::WaitingText;
use words::{Unit, age, kind_en, kind_zh};

/// A text of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouterText {
    /// Title: several machines could take a message.
    AskTitle,
    /// What a choice means.
    AskHint,
    /// Below the buttons: machines that have none.
    AskMore {
        /// How many.
        count: usize,
    },
    /// Title: the waiting message has gone to the chosen machine.
    SentTo {
        /// The machine.
        node: String,
    },
    /// It is also the active one from now on.
    SentHint {
        /// The machine.
        node: String,
    },
    /// Title: another tap was first.
    AlreadySent {
        /// Where the message went.
        node: String,
    },
    /// That tap decided, this one changed nothing.
    AlreadySentHint,
    /// Title: the message that waited for a choice is not kept any more.
    Expired,
    /// What to do about it.
    ExpiredHint {
        /// The machine that is active now.
        node: String,
    },
    /// Title: nothing is enrolled for this person.
    NoNodes,
    /// How a machine is added.
    NoNodesHint {
        /// The person, as the hub writes them.
        user: String,
    },
    /// Title of the list of machines.
    Nodes,
    /// A machine's state: there.
    On,
    /// A machine's state: not there.
    Off,
    /// A machine's state: enrolled, and never heard of.
    Never,
    /// Mark of the active machine in the list.
    Active,
    /// A time that has passed.
    Ago {
        /// Seconds.
        seconds: u64,
    },
    /// Sessions of a machine.
    Sessions {
        /// Open.
        open: u32,
        /// With a turn running.
        running: u32,
    },
    /// How busy a machine is.
    Load {
        /// For each processor, 100 when it has just enough to do; none if not known.
        percent: Option<u32>,
    },
    /// Messages of this person that wait for a machine.
    Queued {
        /// How many; none if not known.
        count: Option<usize>,
    },
    /// Footer of the list.
    NodesHint,
    /// Button: make this machine the active one.
    Use {
        /// The machine.
        node: String,
    },
    /// Title: the active machine has been chosen.
    Using {
        /// The machine.
        node: String,
    },
    /// What that means.
    UsingHint,
    /// The chosen machine is not there.
    UsingOff {
        /// Seconds since its last sign of life; none if there was none.
        seconds: Option<u64>,
    },
    /// Title: no machine of that name.
    UnknownNode {
        /// What was asked for.
        name: String,
    },
    /// The machines that there are.
    KnownNodes {
        /// Their names.
        names: Vec<String>,
    },
    /// Title: several machines begin like this.
    AmbiguousNode {
        /// What was asked for.
        name: String,
    },
    /// The machines that it could mean.
    MatchingNodes {
        /// Their names.
        names: Vec<String>,
    },
    /// Title: a command was written in a way it does not have.
    WrongUse,
    /// How it is written.
    Usage {
        /// The form.
        usage: String,
    },
    /// Title: the machine does not answer, what was sent waits for it.
    Waiting {
        /// The machine.
        node: String,
    },
    /// When it was last heard of.
    LastSeen {
        /// Seconds; none if never.
        seconds: Option<u64>,
    },
    /// Place in line and how long it may wait.
    Place {
        /// 1 is next; none if the place could not be read.
        place: Option<u64>,
        /// Hours.
        hours: u64,
    },
    /// Title: no more may wait for that machine.
    QueueFull {
        /// The machine.
        node: String,
    },
    /// What that means.
    QueueFullHint {
        /// How many wait.
        limit: u64,
    },
    /// Title: the hub has no room at all.
    HubFull,
    /// What that means.
    HubFullHint,
    /// Title: a kind of message that is not handled yet.
    Unsupported {
        /// The platform's word for it.
        what: String,
    },
    /// What to do instead.
    UnsupportedHint,
    /// Title: too much text.
    TooLong,
    /// How much it was and may be.
    TooLongHint {
        /// Bytes it had.
        bytes: usize,
        /// Bytes it may have.
        limit: usize,
    },
    /// Title: a tap or choice for a machine that does not serve this person (any more).
    NotYours {
        /// The machine's id.
        node: String,
    },
    /// What to do about it.
    NotYoursHint,
}

impl Say for RouterText {
    fn zh(&self) -> String {
        match self {
            Self::AskTitle => "发给哪台机器？".into(),
            Self::AskHint => "有多台机器可用。请选择一台，之后的消息也会发给它。".into(),
            Self::AskMore { count } => format!("还有 {count} 台，请用 /node <名称> 选择。"),
            Self::SentTo { node } => format!("已发给 {node}"),
            Self::SentHint { node } => {
                format!("之后的消息也会发给 {node}；用 /node <名称> 可以更换。")
            }
            Self::AlreadySent { node } => format!("这条消息之前已发给 {node}"),
            Self::AlreadySentHint => "以第一次点击为准，这次点击没有改变任何东西。".into(),
            Self::Expired => "这条消息已不再保留".into(),
            Self::ExpiredHint { node } => {
                format!("消息最多等待选择 72 小时，这条没有执行。当前机器是 {node}，请重新发送。")
            }
            Self::NoNodes => "还没有可用的机器".into(),
            Self::NoNodesHint { user } => format!(
                "请在中心机上运行 `phonework enroll <名称>`，在要使用的机器上运行它打印的那一行，然后在那里运行 `phonework host`。\
                 如果机器已登记但只服务指定的人，请让管理员加上 --serves {user}。"
            ),
            Self::Nodes => "您的机器".into(),
            Self::On => "在线".into(),
            Self::Off => "离线".into(),
            Self::Never => "从未上线".into(),
            Self::Active => "当前".into(),
            Self::Ago { seconds } => match age(*seconds) {
                (n, Unit::Second) => format!("{n} 秒前"),
                (n, Unit::Minute) => format!("{n} 分钟前"),
                (n, Unit::Hour) => format!("{n} 小时前"),
                (n, Unit::Day) => format!("{n} 天前"),
            },
            Self::Sessions { open, running } => format!("{open} 个会话，{running} 个运行中"),
            Self::Load { percent: Some(n) } => format!("负载 {n}%"),
            Self::Load { percent: None } => "负载未知".into(),
            Self::Queued { count: Some(n) } => format!("{n} 条消息在等"),
            Self::Queued { count: None } => "等待数未知".into(),
            Self::NodesHint => "/node <名称> 更换当前机器".into(),
            Self::Use { node } => format!("使用 {node}"),
            Self::Using { node } => format!("现在使用 {node}"),
            Self::UsingHint => "之后的消息会发给这台机器。".into(),
            Self::UsingOff { seconds } => format!(
                "它现在不在线（{}）。消息会等它上线。",
                Self::LastSeen { seconds: *seconds }.zh()
            ),
            Self::UnknownNode { name } => format!("没有名为“{name}”的机器"),
            Self::KnownNodes { names } => format!("您的机器：{}", names.join("、")),
            Self::AmbiguousNode { name } => format!("有多台机器符合“{name}”"),
            Self::MatchingNodes { names } => format!("请写完整：{}", names.join("、")),
            Self::WrongUse => "命令写法不对，没有改变任何东西".into(),
            Self::Usage { usage } => format!("用法：{usage}"),
            Self::Waiting { node } => format!("{node} 不在线，消息在等它"),
            Self::LastSeen { seconds: Some(s) } => {
                format!("最近一次心跳：{}", Self::Ago { seconds: *s }.zh())
            }
            Self::LastSeen { seconds: None } => "从未上线过".into(),
            Self::Place { place, hours } => {
                let line = place.map_or_else(String::new, |n| format!("排在第 {n} 位。"));
                format!("{line}机器上线后会按顺序执行，最多等 {hours} 小时。")
            }
            Self::QueueFull { node } => format!("{node} 的等待队列已满，这条没有收下"),
            Self::QueueFullHint { limit } => format!(
                "已有 {limit} 条消息在等这台机器。请等它上线后重新发送，或用 /node <名称> 换一台。"
            ),
            Self::HubFull => "中心机没有空间，这条没有收下".into(),
            Self::HubFullHint => {
                "等待中的消息太多。请稍后重新发送；如果一直这样，请管理员运行 phonework doctor。"
                    .into()
            }
            Self::Unsupported { what } => format!("暂时还不能处理{}", kind_zh(what)),
            Self::UnsupportedHint => "请发送文字、图片或文件。".into(),
            Self::TooLong => "文字太长，没有执行".into(),
            Self::TooLongHint { bytes, limit } => format!(
                "这条有 {bytes} 字节，最多 {limit} 字节。请分成几条发送，或把内容放进机器上的文件里。"
            ),
            Self::NotYours { node } => format!("机器 {node} 不在您的机器之中"),
            Self::NotYoursHint => "它可能已被移除，或不再为您服务。用 /nodes 查看您的机器。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::AskTitle => "Which machine?".into(),
            Self::AskHint => {
                "Several machines can take this. The one you choose gets what you send from then on."
                    .into()
            }
            Self::AskMore { count } => format!("And {count} more: choose with /node <name>."),
            Self::SentTo { node } => format!("Sent to {node}"),
            Self::SentHint { node } => {
                format!("What you send now goes to {node}; /node <name> changes that.")
            }
            Self::AlreadySent { node } => format!("This message had gone to {node} already"),
            Self::AlreadySentHint => "The first tap counted; this one changed nothing.".into(),
            Self::Expired => "This message is not kept any more".into(),
            Self::ExpiredHint { node } => format!(
                "A message waits 72 hours for a choice; this one was not run. {node} is the active machine now: please send it again."
            ),
            Self::NoNodes => "No machine yet".into(),
            Self::NoNodesHint { user } => format!(
                "Run `phonework enroll <name>` on the hub, on the machine that you want to use the line that it prints, and then `phonework host` there. \
                 If a machine is enrolled for certain people only, ask its owner to add --serves {user}."
            ),
            Self::Nodes => "Your machines".into(),
            Self::On => "on".into(),
            Self::Off => "off".into(),
            Self::Never => "never seen".into(),
            Self::Active => "active".into(),
            Self::Ago { seconds } => match age(*seconds) {
                (n, Unit::Second) => format!("{n} s ago"),
                (n, Unit::Minute) => format!("{n} min ago"),
                (n, Unit::Hour) => format!("{n} h ago"),
                (1, Unit::Day) => "1 day ago".into(),
                (n, Unit::Day) => format!("{n} days ago"),
            },
            Self::Sessions { open, running } => {
                let word = if *open == 1 { "session" } else { "sessions" };
                format!("{open} {word}, {running} running")
            }
            Self::Load { percent: Some(n) } => format!("load {n}%"),
            Self::Load { percent: None } => "load unknown".into(),
            Self::Queued { count: Some(1) } => "1 message waits".into(),
            Self::Queued { count: Some(n) } => format!("{n} messages wait"),
            Self::Queued { count: None } => "waiting messages unknown".into(),
            Self::NodesHint => "/node <name> changes the active machine".into(),
            Self::Use { node } => format!("Use {node}"),
            Self::Using { node } => format!("Now using {node}"),
            Self::UsingHint => "What you send now goes to this machine.".into(),
            Self::UsingOff { seconds } => format!(
                "It is off at the moment ({}). Messages wait for it.",
                match seconds {
                    Some(seconds) => format!("last sign of life {}", Self::Ago { seconds: *seconds }.en()),
                    None => "it has never been on".into(),
                }
            ),
            Self::UnknownNode { name } => format!("There is no machine “{name}”"),
            Self::KnownNodes { names } => format!("Your machines: {}", names.join(", ")),
            Self::AmbiguousNode { name } => format!("Several machines match “{name}”"),
            Self::MatchingNodes { names } => format!("Write one of them in full: {}", names.join(", ")),
            Self::WrongUse => "That is not how this command is written; nothing was changed".into(),
            Self::Usage { usage } => format!("Usage: {usage}"),
            Self::Waiting { node } => format!("{node} is off; your message waits for it"),
            Self::LastSeen { seconds: Some(s) } => {
                format!("Last sign of life: {}", Self::Ago { seconds: *s }.en())
            }
            Self::LastSeen { seconds: None } => "It has never been on".into(),
            Self::Place { place, hours } => {
                let line = place.map_or_else(String::new, |n| format!("Place in line: {n}. "));
                format!("{line}It runs in order once the machine is back, within {hours} hours.")
            }
            Self::QueueFull { node } => format!("Not taken: too much waits for {node}"),
            Self::QueueFullHint { limit } => format!(
                "{limit} messages wait for this machine already. Send it again when the machine is back, or take another one with /node <name>."
            ),
            Self::HubFull => "Not taken: the hub has no room".into(),
            Self::HubFullHint => {
                "Too many messages are waiting. Please send it again later; if this goes on, the owner should run phonework doctor."
                    .into()
            }
            Self::Unsupported { what } => format!("Cannot handle {} yet", kind_en(what)),
            Self::UnsupportedHint => "Please send text, pictures or files.".into(),
            Self::TooLong => "Too long: this was not run".into(),
            Self::TooLongHint { bytes, limit } => format!(
                "It has {bytes} bytes, at most {limit} are taken. Send it in pieces, or put the content into a file on the machine."
            ),
            Self::NotYours { node } => format!("{node} is not one of your machines"),
            Self::NotYoursHint => {
                "It may have been removed, or serves you no longer. /nodes lists your machines.".into()
            }
        }
    }
}
