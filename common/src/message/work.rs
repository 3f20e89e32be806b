//! Router → node: an act of a person, with what the router knows about them.

use serde::{Deserialize, Serialize};

use super::Meta;
use super::inbound::Inbound;
use crate::ids::NodeId;
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
