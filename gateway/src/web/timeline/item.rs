//! What stands on the page, as it is kept and as it is told.

use chrono::{DateTime, Utc};
use common::ids::{CardId, MessageId};
use common::message::view::View;
use serde::{Deserialize, Serialize};

/// One thing on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Item {
    /// What the person wrote.
    Mine {
        /// The page's id for it.
        id: String,
        /// The text, cut when it was too long to be taken.
        text: String,
        /// Files that went with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<PageFile>,
        /// When it was taken.
        at: DateTime<Utc>,
    },
    /// A card.
    Card {
        /// The card.
        card: CardId,
        /// Its revision.
        rev: u32,
        /// Its whole content.
        view: View,
        /// When it was first shown.
        at: DateTime<Utc>,
    },
    /// A file from a node.
    File {
        /// The outbound that brought it.
        id: MessageId,
        /// What and where it is.
        file: PageFile,
        /// When it was shown.
        at: DateTime<Utc>,
    },
    /// A short message.
    Notice {
        /// The outbound that brought it.
        id: MessageId,
        /// Plain text.
        text: String,
        /// When it was shown.
        at: DateTime<Utc>,
    },
}

/// A file as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFile {
    /// Where it is, for the browser; empty for what is not to be had again.
    pub url: String,
    /// What it is called.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether it is a picture that browsers show.
    pub image: bool,
}

/// An item with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of its latest change; grows over all items.
    pub seq: u64,
    /// Its place from the top; never changes.
    pub pos: u64,
    /// What it is.
    pub item: Item,
}
