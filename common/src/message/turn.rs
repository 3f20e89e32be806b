//! Node → router: how a turn goes, in one line, for a message that went to several nodes at once.
//!
//! Sent behind each card that such a turn shows, from the same place in the node's outbox. What the
//! turn says in full is in its cards, which go to the gateway; this only tells how it stands.

use serde::{Deserialize, Serialize};

use super::Meta;
use crate::ids::{NodeId, UserId};

/// The most characters of a turn's words that a report carries.
pub const MAX_HEAD: usize = 160;

/// How a turn stands now. `meta.cause` is the node's part of the act ([`crate::ids::CauseId::part`]);
/// `meta.id` is derived from the card's, so that a repeat is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnReport {
    /// Head.
    #[serde(flatten)]
    pub meta: Meta,
    /// Who runs it; must equal the subject's token.
    pub node: NodeId,
    /// Whose turn it is; must equal the subject's tokens.
    pub user: UserId,
    /// How it stands.
    pub state: TurnState,
    /// The beginning of what it says, one line of at most [`MAX_HEAD`] characters; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub head: String,
}

/// How a turn stands, as its newest card shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnState {
    /// It waits for the turn before it.
    Queued,
    /// It runs.
    Working,
    /// The person is asked for a permission.
    Asking,
    /// Nobody is asked any more; it goes on.
    GoesOn,
    /// It ended with an answer.
    Done,
    /// It ended without one: stopped, taken back, or answered with another.
    Stopped,
    /// It was cut off, and the person may let it go on.
    CutOff,
    /// It failed.
    Failed,
}
