//! Gateway → router: what a person said or tapped. Knows nothing of where it will go.

use serde::{Deserialize, Serialize};

use super::Meta;
use super::view::Action;
use crate::ids::UserId;
use crate::lang::Lang;

/// The longest text that is taken from a person, in bytes; a longer one is answered, not run.
pub const MAX_TEXT: usize = 100_000;

/// One act of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// Head; `cause` is the platform's id of this act.
    #[serde(flatten)]
    pub meta: Meta,
    /// Who.
    pub user: UserId,
    /// Where it was said.
    pub chat: Chat,
    /// The platform's locale for this person, when it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// What.
    pub body: InboundBody,
}

/// A chat on a surface.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chat {
    /// The platform's chat id.
    pub id: String,
    /// Between whom.
    pub kind: ChatKind,
    /// The chat message that started the act, to reply to; none for taps without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Between whom a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// The person and the bot.
    Direct,
    /// A group.
    Group,
    /// A topic in a group.
    Thread,
}

/// What a person did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InboundBody {
    /// They wrote; mentions of the bot are already removed.
    Text {
        /// At most [`MAX_TEXT`] bytes.
        text: String,
    },
    /// They sent files or pictures, with or without words.
    Files {
        /// What they sent, in order; at most [`MAX_FILES`].
        files: Vec<FileRef>,
        /// What they wrote with it; may be empty, at most [`MAX_TEXT`] bytes.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// They sent something that cannot be handled yet; `what` is the platform's word for it.
    Unsupported {
        /// `image`, `audio`, …
        what: String,
    },
    /// They wrote more than [`MAX_TEXT`]; the text itself is not carried.
    TooLong {
        /// How many bytes it had.
        bytes: usize,
    },
    /// They tapped a button.
    Tap {
        /// What the button stands for.
        action: Action,
    },
}

impl InboundBody {
    /// What was written; empty for what is no writing.
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text } | Self::Files { text, .. } => text,
            Self::Unsupported { .. } | Self::TooLong { .. } | Self::Tap { .. } => "",
        }
    }

    /// The same with other words.
    #[must_use]
    pub fn with_text(&self, text: String) -> Self {
        match self {
            Self::Files { files, .. } => Self::Files {
                files: files.clone(),
                text,
            },
            Self::Text { .. }
            | Self::Unsupported { .. }
            | Self::TooLong { .. }
            | Self::Tap { .. } => Self::Text { text },
        }
    }
}

/// The most files of one message; of more the first are taken, and the person is told by their number.
pub const MAX_FILES: usize = 20;
/// The largest file that is taken from a chat, in bytes: what the platforms hand out at most.
pub const MAX_RECEIVED: u64 = 100_000_000;

/// A file that a person sent, as their surface can find it again. Its bytes are fetched by the node
/// that gets the work, through that surface's gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// What it is called; empty where the platform gives no name. Not to be trusted as a path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is to the platform.
    pub kind: FileKind,
    /// Its size in bytes, where the platform tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The chat message that it came with.
    pub message: String,
    /// The platform's key of it.
    pub key: String,
    /// The gateway's word that this person sent it: who asks for it has to show that.
    pub seal: String,
}

/// What a file is to its platform, which decides how it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A picture.
    Image,
    /// Any file.
    File,
    /// Spoken words.
    Audio,
    /// A film.
    Video,
}
