//! What the router says of messages that wait for a machine that is off: how they wait, what became
//! of them, and what can be done.

use crate::text::Say;

/// A text about a message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingText {
    /// Title: the machine does not answer, a tap waits for it.
    Tap {
        /// The machine.
        node: String,
    },
    /// Title: the machine is on and takes nothing.
    Stuck {
        /// The machine.
        node: String,
    },
    /// Why it takes nothing, in its own words.
    Trouble {
        /// Its words.
        what: String,
    },
    /// Button: take it back.
    Cancel,
    /// Button: give it to another machine.
    SendTo {
        /// The other one.
        node: String,
    },
    /// Button: it waited in vain, send it once more.
    SendAgain,
    /// Title: the machine has taken it.
    Back {
        /// The machine.
        node: String,
    },
    /// Short message that rings: the machine is back.
    BackNotice {
        /// The machine.
        node: String,
        /// How many messages waited.
        count: usize,
    },
    /// Title: taken back.
    Cancelled,
    /// Why that is sure.
    CancelledHint {
        /// The machine.
        node: String,
    },
    /// Title: the machine may have it already.
    Asked {
        /// The machine.
        node: String,
    },
    /// What happens next.
    AskedHint {
        /// The machine.
        node: String,
    },
    /// Title: it went to another machine.
    Moved {
        /// Where it waited.
        from: String,
        /// Where it is now.
        to: String,
    },
    /// Why it runs there only.
    MovedHint {
        /// Where it waited.
        from: String,
    },
    /// It could not be moved, as it may run where it is.
    Kept {
        /// Where it waits.
        node: String,
        /// Where it should have gone.
        other: String,
    },
    /// It could not be moved, as the other machine takes no more.
    OtherFull {
        /// Where it should have gone.
        other: String,
    },
    /// Title: it waited in vain.
    Expired {
        /// The machine.
        node: String,
    },
    /// What that means.
    ExpiredHint {
        /// The machine.
        node: String,
        /// How long it waited, in hours.
        hours: u64,
        /// Whether the machine surely never had it.
        sure: bool,
        /// Whether it is kept to be sent again.
        kept: bool,
    },
    /// Title: its machine was removed.
    Removed {
        /// The machine.
        node: String,
    },
    /// What that means.
    RemovedHint {
        /// The machine.
        node: String,
        /// Whether the machine surely never had it.
        sure: bool,
        /// Whether there are buttons for other machines.
        others: bool,
    },
    /// Title: on its way once more.
    Again {
        /// The machine.
        node: String,
    },
    /// Title: the tap names a message that does not wait.
    Gone,
    /// What to do about it.
    GoneHint,
    /// How many messages were not taken lately.
    Refused {
        /// At least two.
        count: u64,
    },
}

impl Say for WaitingText {
    fn zh(&self) -> String {
        match self {
            Self::Tap { node } => format!("{node} 不在线，您的点击在等它"),
            Self::Stuck { node } => format!("{node} 暂时不能接收工作，消息在等它"),
            Self::Trouble { what } => format!("不能接收工作，请检查它的磁盘：{what}"),
            Self::Cancel => "取消".into(),
            Self::SendTo { node } => format!("改发给 {node}"),
            Self::SendAgain => "再次发送".into(),
            Self::Back { node } => format!("{node} 已上线并收下了它"),
            Self::BackNotice { node, count: 1 } => format!("{node} 已上线，开始执行您的消息"),
            Self::BackNotice { node, count } => {
                format!("{node} 已上线，开始执行您的 {count} 条消息")
            }
            Self::Cancelled => "已取消，不会执行".into(),
            Self::CancelledHint { node } => format!("{node} 还没有拿到它，它已被收回。"),
            Self::Asked { node } => format!("{node} 可能已经拿到它"),
            Self::AskedHint { node } => {
                format!("{node} 一有回应，就会收回还没开始的部分；结果会显示在这张卡片上。")
            }
            Self::Moved { from, to } => format!("已改发给 {to}，不再等 {from}"),
            Self::MovedHint { from } => format!("{from} 从未拿到它，所以只会执行一次。"),
            Self::Kept { node, other } => {
                format!(
                    "没有改发给 {other}：{node} 可能已经拿到它，改发会执行两次。它继续等 {node}。"
                )
            }
            Self::OtherFull { other } => {
                format!("没有改发给 {other}：等它的消息已经太多。")
            }
            Self::Expired { node } => format!("没有送达：{node} 一直没有收下"),
            Self::ExpiredHint {
                node,
                hours,
                sure,
                kept,
            } => {
                let what = match (sure, kept) {
                    (true, true) => "没有执行。".to_owned(),
                    (true, false) => "没有执行。请重新发送。".to_owned(),
                    (false, true) => {
                        format!("{node} 离线前可能已经拿到它；再次发送也不会执行两次。")
                    }
                    (false, false) => {
                        format!("{node} 离线前可能已经拿到它；重新发送之前请先看一下。")
                    }
                };
                format!("它等了 {hours} 小时，{what}")
            }
            Self::Removed { node } => format!("没有送达：{node} 已被移除"),
            Self::RemovedHint { node, sure, others } => {
                let had = if *sure {
                    "它没有执行。".to_owned()
                } else {
                    format!("{node} 被移除前可能已经拿到它；重新发送之前请先看一下。")
                };
                let next = if *others {
                    "可以改发给另一台机器。"
                } else {
                    ""
                };
                format!("{had}{next}")
            }
            Self::Again { node } => format!("已再次发给 {node}"),
            Self::Gone => "这条消息已不在等待".into(),
            Self::GoneHint => "没有改变任何东西。需要的话，请重新发送。".into(),
            Self::Refused { count } => format!("到现在共有 {count} 条没有收下。"),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Tap { node } => format!("{node} is off; your tap waits for it"),
            Self::Stuck { node } => {
                format!("{node} can take no work right now; your message waits for it")
            }
            Self::Trouble { what } => format!("can take no work: {what}"),
            Self::Cancel => "Cancel".into(),
            Self::SendTo { node } => format!("Send to {node}"),
            Self::SendAgain => "Send again".into(),
            Self::Back { node } => format!("{node} is back and has taken it"),
            Self::BackNotice { node, count: 1 } => format!("{node} is back and runs your message"),
            Self::BackNotice { node, count } => {
                format!("{node} is back and runs your {count} messages")
            }
            Self::Cancelled => "Cancelled; it will not run".into(),
            Self::CancelledHint { node } => {
                format!("It was taken back before {node} had it.")
            }
            Self::Asked { node } => format!("{node} may have it already"),
            Self::AskedHint { node } => format!(
                "If it has not begun, {node} takes it back as soon as it answers. This card will say what came of it."
            ),
            Self::Moved { from, to } => format!("Sent to {to} instead of {from}"),
            Self::MovedHint { from } => format!("{from} never had it, so it runs once."),
            Self::Kept { node, other } => format!(
                "Not sent to {other}: {node} may have it already, and it would run twice. It waits for {node}."
            ),
            Self::OtherFull { other } => {
                format!("Not sent to {other}: too much waits for that machine already.")
            }
            Self::Expired { node } => format!("Not delivered: {node} did not take it"),
            Self::ExpiredHint {
                node,
                hours,
                sure,
                kept,
            } => {
                let what = match (sure, kept) {
                    (true, true) => "and was not run.".to_owned(),
                    (true, false) => "and was not run. Please send it again.".to_owned(),
                    (false, true) => format!(
                        "and {node} may have had it when it went off. Sent again, it still runs once."
                    ),
                    (false, false) => format!(
                        "and {node} may have had it when it went off: look there before you send it again."
                    ),
                };
                format!("It waited {hours} hours, {what}")
            }
            Self::Removed { node } => format!("Not delivered: {node} was removed"),
            Self::RemovedHint { node, sure, others } => {
                let had = if *sure {
                    "It was not run.".to_owned()
                } else {
                    format!(
                        "{node} may have had it before it was removed: look there before you send it elsewhere."
                    )
                };
                let next = if *others {
                    " Another machine can have it."
                } else {
                    ""
                };
                format!("{had}{next}")
            }
            Self::Again { node } => format!("Sent to {node} again"),
            Self::Gone => "This message does not wait any more".into(),
            Self::GoneHint => "Nothing was changed. Send it again if you still need it.".into(),
            Self::Refused { count: 1 } => "1 message was not taken so far.".into(),
            Self::Refused { count } => format!("{count} messages were not taken so far."),
        }
    }
}
