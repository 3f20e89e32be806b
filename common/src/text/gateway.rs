//! What the gateway says by itself: admission, and pieces that only a surface adds.

use super::Say;

/// A text of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayText {
    /// The person is not on the allowlist; their id is what the owner must add.
    NotAllowed {
        /// The platform's id of the person.
        id: String,
    },
    /// Small print on a part of a long answer.
    Part {
        /// From 1.
        n: usize,
        /// How many.
        of: usize,
    },
    /// A tap was taken and is on its way.
    TapTaken,
    /// A tap could not be taken; nothing happened.
    TapFailed,
}

impl Say for GatewayText {
    fn zh(&self) -> String {
        match self {
            Self::NotAllowed { id } => format!(
                "抱歉，您还没有使用权限。请管理员把 {id} 加入 keyring.yaml 的 ALLOWED_OPEN_IDS。"
            ),
            Self::Part { n, of } => format!("第 {n}/{of} 部分"),
            Self::TapTaken => "收到".into(),
            Self::TapFailed => "没有收到，请再点一次".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::NotAllowed { id } => format!(
                "Sorry, you may not use this bot yet. Ask its owner to add {id} to ALLOWED_OPEN_IDS in keyring.yaml."
            ),
            Self::Part { n, of } => format!("Part {n} of {of}"),
            Self::TapTaken => "Got it".into(),
            Self::TapFailed => "That did not arrive, please tap again".into(),
        }
    }
}
