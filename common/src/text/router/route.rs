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
        }
    }
}
