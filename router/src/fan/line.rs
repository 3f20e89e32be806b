//! One node's line: how it stands with its part of the message, and which news change that. Pure.

use chrono::{DateTime, Utc};
use common::ids::NodeId;
use common::message::turn::{MAX_HEAD, TurnReport, TurnState};
use serde::{Deserialize, Serialize};

use crate::waiting::{Entry, Refusal, State};

/// A node that the message went to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) node: NodeId,
    /// What people called it when the message went out.
    pub(crate) name: String,
    pub(crate) state: LineState,
    /// The beginning of what its turn says; empty if it said nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) head: String,
}

/// How a node stands with its part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum LineState {
    /// It is to be handed out.
    Pending,
    /// It lies in the node's line, or the node has it and said nothing yet.
    Sent,
    /// It waits: the node is off, or on and in trouble.
    Waits {
        /// The last sign of life; none if there was none.
        #[serde(default)]
        since: Option<DateTime<Utc>>,
        /// What keeps it from taking work.
        #[serde(default)]
        trouble: Option<String>,
    },
    /// On the node, behind the turn before it.
    Queued,
    /// It runs.
    Working,
    /// The person is asked for a permission.
    Asking,
    /// It has its answer.
    Done,
    /// It ended without one.
    Stopped,
    /// It was cut off, and the person may let it go on.
    CutOff,
    /// It failed.
    Failed,
    /// There was no room for it.
    Refused { why: Refusal },
    /// It was taken back and never runs.
    Cancelled,
    /// It was taken back, and the node is asked whether it has it all the same.
    Unsure,
    /// It waited too long. `kept`: it can be sent again.
    Expired { kept: bool },
    /// The node was removed.
    Removed,
}

impl LineState {
    /// Whether it stays so, unless the person does something.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Done
            | Self::Stopped
            | Self::Failed
            | Self::Refused { .. }
            | Self::Cancelled
            | Self::Expired { .. }
            | Self::Removed => true,
            Self::Pending
            | Self::Sent
            | Self::Waits { .. }
            | Self::Queued
            | Self::Working
            | Self::Asking
            | Self::CutOff
            | Self::Unsure => false,
        }
    }

    /// Whether the node itself said so: then what is known of waiting is older.
    fn is_reported(&self) -> bool {
        match self {
            Self::Queued
            | Self::Working
            | Self::Asking
            | Self::Done
            | Self::Stopped
            | Self::CutOff
            | Self::Failed => true,
            Self::Pending
            | Self::Sent
            | Self::Waits { .. }
            | Self::Refused { .. }
            | Self::Cancelled
            | Self::Unsure
            | Self::Expired { .. }
            | Self::Removed => false,
        }
    }
}

impl Line {
    /// In another state, with nothing said.
    pub(crate) fn to(&self, state: LineState) -> Self {
        Self {
            state,
            head: String::new(),
            ..self.clone()
        }
    }

    /// After a report of its node; none if that changes nothing.
    pub(super) fn reported(&self, report: &TurnReport) -> Option<Self> {
        let state = match report.state {
            TurnState::Queued => LineState::Queued,
            TurnState::Working => LineState::Working,
            TurnState::Asking => LineState::Asking,
            // Of several questions another one may be open; that turn's next card says so.
            TurnState::GoesOn => match self.state {
                LineState::Asking
                | LineState::Pending
                | LineState::Sent
                | LineState::Waits { .. }
                | LineState::Unsure => LineState::Working,
                LineState::Queued
                | LineState::Working
                | LineState::Done
                | LineState::Stopped
                | LineState::CutOff
                | LineState::Failed
                | LineState::Refused { .. }
                | LineState::Cancelled
                | LineState::Expired { .. }
                | LineState::Removed => return None,
            },
            TurnState::Done => LineState::Done,
            TurnState::Stopped => LineState::Stopped,
            TurnState::CutOff => LineState::CutOff,
            TurnState::Failed => LineState::Failed,
        };
        // A node may say anything.
        let head = report.head.chars().filter(|c| !c.is_control());
        let next = Self {
            head: head.take(MAX_HEAD + 1).collect(),
            ..self.to(state)
        };
        (next != *self).then_some(next)
    }

    /// After news of how it waits; none if that changes nothing.
    pub(super) fn waits(&self, entry: &Entry) -> Option<Self> {
        if self.state.is_reported() {
            return None;
        }
        let state = match &entry.state {
            State::Waiting(waits) => LineState::Waits {
                since: waits.since,
                trouble: waits.trouble.clone(),
            },
            // Moved: parts have no button for that.
            State::Taken { .. } | State::Again { .. } | State::Moved { .. } => LineState::Sent,
            State::Withdrawing { .. } | State::Withdrawn { .. } => LineState::Cancelled,
            State::Asked { .. } => LineState::Unsure,
            State::Expired { kept, .. } => LineState::Expired { kept: *kept },
            State::Removed { .. } => LineState::Removed,
        };
        let next = self.to(state);
        (next != *self).then_some(next)
    }
}
