//! Router ↔ node without storage: signs of life. Losing one is harmless by design.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{BootId, NodeId, UserId};

/// How often a node says that it lives.
pub const HEARTBEAT_EVERY: std::time::Duration = std::time::Duration::from_secs(10);
/// Silence after which a node counts as off: three beats and a little.
pub const OFF_AFTER: std::time::Duration = std::time::Duration::from_secs(34);

/// The longest description of a machine, in characters.
pub const MAX_DESCRIPTION: usize = 160;

/// Node → router, every [`HEARTBEAT_EVERY`], at start, and (`leaving`) at an orderly end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Who; must equal the subject's token.
    pub node: NodeId,
    /// This start of the process.
    pub boot: BootId,
    /// What people call the machine.
    pub name: String,
    /// What the machine is for, in its owner's words: one line of at most [`MAX_DESCRIPTION`] characters. Empty:
    /// nothing was said, or by an older program.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Version of the program.
    pub version: String,
    /// Users whom the node's owner lets in; empty: all that the hub grants.
    #[serde(default)]
    pub serves: Vec<UserId>,
    /// Open sessions.
    #[serde(default)]
    pub sessions: u32,
    /// Turns running now.
    #[serde(default)]
    pub running: u32,
    /// How busy the machine is: the load average of the last minute for each processor, 1.0 when all
    /// have just enough to do; none where the system does not say, or from an older program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<f32>,
    /// What keeps it from taking work, in a few words; none while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Set in the last beat of an orderly end.
    #[serde(default)]
    pub leaving: bool,
    /// When it was sent, by the node's clock.
    pub sent_at: DateTime<Utc>,
}

/// A live request of the router on `pw.ctl.<node>.<boot>.<verb>`; waits at most 2 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// "Are you there?" The answer is a fresh [`Heartbeat`].
    Status,
}

impl Verb {
    /// The subject token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
        }
    }
}
