//! What the router says about dead letters: messages that could not be handled.

use crate::text::Say;

/// A text about a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadText {
    /// Title: something that the person wrote.
    Message,
    /// Title: a tap of the person.
    Tap,
    /// Title: something that was to be shown.
    Answer {
        /// The machine that it is from; none: the hub's own.
        node: Option<String>,
    },
    /// Where it could not be handled.
    Where {
        /// The machine; none: the hub.
        node: Option<String>,
    },
    /// Why: its handler said that it never can.
    Refused,
    /// Why: its handler broke off.
    Failed,
    /// Why: it was begun too often without an end.
    TooOften {
        /// How often.
        attempts: i64,
    },
    /// The reason in the program's words.
    Detail {
        /// One line.
        detail: String,
    },
    /// What the buttons do.
    Hint,
    /// It is not whole, so it cannot be handed in again.
    Cut {
        /// Bytes that it had.
        bytes: usize,
    },
    /// Button.
    Retry,
    /// Button.
    Discard,
    /// Title: it cannot be handed in again now.
    NoRoom,
    /// What that means.
    NoRoomHint,
    /// Title: handed in again.
    Retried,
    /// What comes of that.
    RetriedHint,
    /// Title: thrown away.
    Discarded,
    /// What comes of that.
    DiscardedHint,
    /// Title: it is not kept any more.
    Gone,
    /// What to do about it.
    GoneHint,
}

impl Say for DeadText {
    fn zh(&self) -> String {
        match self {
            Self::Message => "您的一条消息无法处理".into(),
            Self::Tap => "您的一次点击无法处理".into(),
            Self::Answer { node: Some(node) } => format!("{node} 的一条回复无法显示"),
            Self::Answer { node: None } => "中心机的一条回复无法显示".into(),
            Self::Where { node: Some(node) } => format!("机器：{node}"),
            Self::Where { node: None } => "位置：中心机".into(),
            Self::Refused => "按它现在的样子永远无法处理。".into(),
            Self::Failed => "处理中途出错了，这是 PhoneWork 的缺陷。".into(),
            Self::TooOften { attempts } => {
                format!("已经开始 {attempts} 次，每次都在完成之前中断。")
            }
            Self::Detail { detail } => format!("原因：{detail}"),
            Self::Hint => {
                "其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。".into()
            }
            Self::Cut { bytes } => {
                format!("它有 {bytes} 字节，太大而没有完整保留，不能重试。其他消息不受影响。")
            }
            Self::Retry => "重试".into(),
            Self::Discard => "丢弃".into(),
            Self::NoRoom => "现在没有空间，没有重新提交".into(),
            Self::NoRoomHint => "已有太多消息在等待。它仍然保留，请稍后再点“重试”。".into(),
            Self::Retried => "已重新提交".into(),
            Self::RetriedHint => "如果再次失败，会有一张新的卡片。".into(),
            Self::Discarded => "已丢弃".into(),
            Self::DiscardedHint => "它已不再保留。".into(),
            Self::Gone => "它已不再保留".into(),
            Self::GoneHint => "无法处理的内容最多保留一周。如果仍然需要，请重新发送。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Message => "A message of yours could not be handled".into(),
            Self::Tap => "A tap of yours could not be handled".into(),
            Self::Answer { node: Some(node) } => format!("An answer of {node} could not be shown"),
            Self::Answer { node: None } => "An answer of the hub could not be shown".into(),
            Self::Where { node: Some(node) } => format!("Machine: {node}"),
            Self::Where { node: None } => "Where: on the hub".into(),
            Self::Refused => "As it is, it can never be handled.".into(),
            Self::Failed => "Handling it broke off: a defect of PhoneWork.".into(),
            Self::TooOften { attempts } => {
                format!("It was begun {attempts} times and never came to an end.")
            }
            Self::Detail { detail } => format!("Reason: {detail}"),
            Self::Hint => {
                "Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week."
                    .into()
            }
            Self::Cut { bytes } => format!(
                "It had {bytes} bytes, too many to be kept whole, so it cannot be retried. Nothing else waits for it."
            ),
            Self::Retry => "Retry".into(),
            Self::Discard => "Discard".into(),
            Self::NoRoom => "Not handed in again: there is no room".into(),
            Self::NoRoomHint => {
                "Too many messages are waiting. It is still kept: tap Retry again later.".into()
            }
            Self::Retried => "Handed in again".into(),
            Self::RetriedHint => "If it fails again, there will be a new card.".into(),
            Self::Discarded => "Discarded".into(),
            Self::DiscardedHint => "It is not kept any more.".into(),
            Self::Gone => "It is not kept any more".into(),
            Self::GoneHint => {
                "What could not be handled is kept for a week at most. If it still matters, please send it again."
                    .into()
            }
        }
    }
}
