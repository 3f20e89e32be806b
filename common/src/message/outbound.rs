//! Node or router → gateway: what to show. The platform's limits are the gateway's business: a
//! view may hold any text, the gateway splits it.

use serde::{Deserialize, Serialize};

use super::Meta;
use super::inbound::Chat;
use super::view::View;
use crate::ids::{CardId, UserId};

/// The most text that one outbound carries, in bytes, so that it fits a broker message of 1 MB
/// with room for JSON escapes. The sender cuts longer answers into several outbounds.
pub const MAX_PART: usize = 150_000;

/// One thing to show in a chat. `meta.id` is its identity: shown once, however often delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outbound {
    /// Head; `id` identifies the outbound across redeliveries.
    #[serde(flatten)]
    pub meta: Meta,
    /// For whom.
    pub user: UserId,
    /// Where.
    pub chat: Chat,
    /// What.
    pub body: OutboundBody,
}

/// What to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutboundBody {
    /// Show a card, or edit it when it was shown before. A revision not above the last one shown
    /// is an old one and is passed over.
    Card {
        /// The card.
        card: CardId,
        /// Grows with each state of the card.
        rev: u32,
        /// Its whole content.
        view: View,
    },
    /// A short message of its own, which makes the phone ring.
    Notice {
        /// Plain text.
        text: String,
    },
}

/// Node → gateway on the delta subject: how a card looks in between. May be lost; the next one,
/// or the card's next revision, makes up for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The card.
    pub card: CardId,
    /// The card's revision that this preview follows; once a higher one is shown, it is stale.
    pub rev: u32,
    /// Grows with each preview of that revision; a lower one is stale.
    pub n: u32,
    /// For whom.
    pub user: UserId,
    /// Its whole content, with long text cut to its end.
    pub view: View,
}
