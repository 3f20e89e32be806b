//! Node → router, as a request: reminders that the chat model on a node sets, lists and takes back for a
//! person. Asked again under the same key it is the same reminder.

use serde::{Deserialize, Serialize};

use super::Meta;
use super::inbound::Chat;
use crate::ids::{NodeId, UserId};

/// How long a node waits for the answer.
pub const ANSWERED_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// What a node asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemindAsk {
    /// Head; `cause` is what the person did.
    #[serde(flatten)]
    pub meta: Meta,
    /// Who asks; must equal the subject's token.
    pub node: NodeId,
    /// For whom; the node must serve them.
    pub user: UserId,
    /// Where they will be reminded.
    pub chat: Chat,
    /// Tells several reminders of one cause apart.
    pub key: String,
    /// What.
    pub wish: RemindWish,
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RemindWish {
    /// A reminder.
    Set {
        /// When, in words: "10m", "明天9点", "every mon-fri 9:00".
        when: String,
        /// Of what.
        text: String,
    },
    /// What is set.
    List,
    /// One not any more.
    Cancel {
        /// Its number in the list.
        number: u32,
    },
}

/// What the router answers, in the person's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemindAnswer {
    /// Whether it was done.
    pub done: bool,
    /// What was understood and done, or why not.
    pub text: String,
}
