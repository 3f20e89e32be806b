//! Node or router → gateway: what to show. The platform's limits are the gateway's business: a
//! view may hold any text, the gateway splits it.

use serde::{Deserialize, Serialize};

use super::Meta;
use super::inbound::{Chat, FileRef};
use super::view::View;
use crate::ids::{CardId, MessageId, NodeId, UserId};
use crate::lang::Lang;

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
    /// A file, as a message of its own. Its bytes lie in PW_UP, below the node that sends it.
    File {
        /// The node; a gateway believes the subject only.
        node: NodeId,
        /// Where its pieces are.
        xfer: MessageId,
        /// What it is called; no path.
        name: String,
        /// What it is in pieces.
        #[serde(flatten)]
        of: Pieces,
        /// Whether it is a picture that chats can show.
        image: bool,
        /// The language of what has to be said about it.
        lang: Lang,
    },
    /// Nothing to show: the node asks for the bytes of a file that this person sent. They come in
    /// PW_DOWN. May be asked again; each asking has an id of its own.
    Fetch {
        /// The node; a gateway believes the subject only.
        node: NodeId,
        /// Where the pieces shall be.
        xfer: MessageId,
        /// Which.
        file: FileRef,
    },
}

/// Bytes in a piece of a file.
pub const CHUNK: usize = 256 * 1024;

/// A file in pieces: what tells whether all of it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pieces {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of all of it, in hex.
    pub sha256: String,
    /// In how many pieces of at most [`CHUNK`] bytes.
    pub chunks: u32,
}

/// How a file that was asked for comes along, at `subject::down_head`. The last one counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum DownHead {
    /// A gateway is at it; said again every few seconds.
    Working {
        /// Grows with each time that it is said.
        n: u64,
    },
    /// All pieces are there.
    Here(Pieces),
    /// It cannot be had.
    Failed {
        /// Why.
        why: DownFailure,
    },
}

/// Why a file cannot be had from its platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum DownFailure {
    /// Larger than is taken or given out.
    TooLarge,
    /// Not there any more: taken back, or too old.
    Gone,
    /// The app lacks a right at its platform.
    NotAllowed {
        /// The platform's word.
        detail: String,
    },
    /// Too much is under way.
    Full,
    /// Anything else.
    Other {
        /// In the platform's words.
        detail: String,
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
