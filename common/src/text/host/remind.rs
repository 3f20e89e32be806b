//! What a node says about reminders itself; all else is said by the router, which keeps them.

use crate::text::Say;

/// A text about reminders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemindText {
    /// The router did not answer in time.
    Silent,
}

impl Say for RemindText {
    fn zh(&self) -> String {
        match self {
            Self::Silent => "中心机没有回答，不清楚是否已处理。请稍后用 /remind list 查看。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Silent => {
                "The hub did not answer, so it is not known whether that was done. /remind list shows it later."
                    .into()
            }
        }
    }
}
