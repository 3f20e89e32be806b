//! Router → node: an act of a person, with what the router knows about them.

use serde::{Deserialize, Serialize};

use super::Meta;
use super::inbound::Inbound;
use crate::ids::{CardId, CauseId, NodeId};
use crate::lang::Lang;

/// One act for one node. The node recognises a repeat by `inbound.meta.cause`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Head.
    #[serde(flatten)]
    pub meta: Meta,
    /// The node it is for.
    pub node: NodeId,
    /// The language to answer in.
    pub lang: Lang,
    /// The act itself.
    pub inbound: Inbound,
}

/// Revision with which a node ends the card of a message that the router said waits for it. The
/// router's own revisions stay below.
pub const WAITING_LAST_REV: u32 = 1_000;

/// The card that tells of a message that waits for a node. The router shows it; the node may end it
/// with [`WAITING_LAST_REV`] when it is asked to give the message back.
pub fn waiting_card(cause: &CauseId) -> CardId {
    CardId::derived(&["router", cause.as_str(), "waiting"])
}
