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
