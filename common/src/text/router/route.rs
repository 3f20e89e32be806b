//! What the router says when a chat model chose the machine.

use crate::text::Say;

/// A text about such a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteText {
    /// It goes there, and so does what follows.
    FromNowOn {
        /// The machine.
        node: String,
    },
    /// It goes there, and nothing else does.
    ThisOne {
        /// The machine.
        node: String,
    },
    /// Why, in the model's words.
    Reason(String),
    /// Button: another one.
    Other,
    /// It waits for a machine that is off.
    Waits,
    /// Where it is nobody has it yet.
    NotBegun {
        /// The machine.
        node: String,
    },
    /// Where it is it has begun, or may have.
    HasBegun {
        /// The machine.
        node: String,
    },
    /// There is no other machine.
    NoOther,
    /// It runs there as well.
    AsWell {
        /// The machine that had it first.
        node: String,
    },
    /// Title: it went nowhere else.
    Stays,
    /// Where to look.
    StaysHint,
}

impl Say for RouteText {
    fn zh(&self) -> String {
        match self {
            Self::FromNowOn { node } => {
                format!("由模型选择。之后的消息也会发给 {node}；用 /node <名称> 可以更换。")
            }
            Self::ThisOne { node } => {
                format!("由模型选择，只有这条发给 {node}；当前机器不变。")
            }
            Self::Reason(reason) => format!("理由：{reason}"),
            Self::Other => "换一台机器".into(),
            Self::Waits => "这条消息在等一台离线的机器；请用那张卡片上的按钮发给别的机器。".into(),
            Self::NotBegun { node } => {
                format!("{node} 还没有开始执行它；换一台时会从那里收回，只执行一次。")
            }
            Self::HasBegun { node } => {
                format!(
                    "{node} 已经收下它，可能已开始执行，无法收回。再选一台，它会在两台上都执行；不想这样，请先在 {node} 的卡片上点 [停止]。"
                )
            }
            Self::NoOther => "您没有别的机器。".into(),
            Self::AsWell { node } => {
                format!("{node} 也有这条消息，会继续执行；不需要的话，请在它的卡片上点 [停止]。")
            }
            Self::Stays => "没有改发".into(),
            Self::StaysHint => "这条消息现在怎样，写在它自己的卡片上。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::FromNowOn { node } => {
                format!("Chosen by the model. What you send now goes to {node} as well; /node <name> changes that.")
            }
            Self::ThisOne { node } => {
                format!("Chosen by the model: this message goes to {node}, the active machine stays as it is.")
            }
            Self::Reason(reason) => format!("Reason: {reason}"),
            Self::Other => "Other machine".into(),
            Self::Waits => {
                "This message waits for a machine that is off; the buttons of that card send it to another one.".into()
            }
            Self::NotBegun { node } => {
                format!("{node} has not begun it: it is taken back there, and runs once.")
            }
            Self::HasBegun { node } => {
                format!("{node} has it and may have begun: it cannot be taken back. Choose another machine and it runs on both; if you do not want that, tap [Stop] on the card of {node} first.")
            }
            Self::NoOther => "You have no other machine.".into(),
            Self::AsWell { node } => {
                format!("{node} has this message as well and goes on with it; [Stop] on its card ends that.")
            }
            Self::Stays => "Not sent elsewhere".into(),
            Self::StaysHint => "How this message stands is on its own card.".into(),
        }
    }
}
