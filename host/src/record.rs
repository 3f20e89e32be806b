//! What a node remembers, as it stands in the journal. Plain data: who changes it, and when, is
//! the desk's and the sessions'.

use chrono::{DateTime, Utc};
use common::ids::{CardId, CauseId, PromptId, SessionId, TurnId, UserId};
use common::lang::Lang;
use common::message::inbound::Chat;
use common::message::view::Answer;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::files::receive::Attachment;

/// One person on this node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserRecord {
    /// Who.
    pub user: UserId,
    /// Where plain text goes.
    pub active: Option<SessionId>,
    /// How plain text is handled.
    #[serde(default)]
    pub mode: Mode,
    /// Sessions that the person closed and that have not ended yet; at most as many as they had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closing: Vec<Closing>,
}

/// A session on its way out: what its owner is told once it has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Which.
    pub session: SessionId,
    /// Its number at the time.
    pub n: usize,
    /// Its directory.
    pub dir: String,
    /// Where to answer.
    pub chat: Chat,
    /// The language to answer in.
    pub lang: Lang,
    /// The act that closed it.
    pub cause: CauseId,
    /// Trace context.
    #[serde(default)]
    pub traceparent: String,
    /// Revision of the answer's card that tells the end.
    pub rev: u32,
    /// There is no such card: a tool closed it, whose own card tells.
    #[serde(default)]
    pub quiet: bool,
}

/// How plain text is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By what it asks for; until a model is set up that means: to the active session.
    #[default]
    Smart,
    /// To the active session, as it is.
    Direct,
}

/// One conversation with an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Ours, for good.
    pub id: SessionId,
    /// Owner; nobody else sees or drives it.
    pub user: UserId,
    /// Directory relative to the working directory, with `/`.
    pub dir: String,
    /// The agent's own id of the conversation; it may change on the way.
    pub agent_session: Uuid,
    /// When it was made; gives its number.
    pub created_at: DateTime<Utc>,
    /// Last time something happened in it.
    pub used_at: DateTime<Utc>,
    /// Seconds that one turn may take.
    pub timeout_s: u64,
    /// Seconds without work after which the process is closed.
    pub idle_s: u64,
    /// The live process, to find it again after a crash of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessRecord>,
}

/// A process, named so that another one with the same number is not taken for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Process id.
    pub pid: u32,
    /// When the system says it started; opaque.
    pub started: String,
    /// What it and all that it starts bear in their environment; empty in older records.
    #[serde(default)]
    pub mark: String,
}

/// One prompt to an agent, until its answer is in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnRecord {
    /// Derived from the cause, so that a repeat is the same turn.
    pub id: TurnId,
    /// In which session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Where to answer.
    pub chat: Chat,
    /// The language to answer in.
    pub lang: Lang,
    /// What caused it.
    pub cause: CauseId,
    /// Trace context.
    #[serde(default)]
    pub traceparent: String,
    /// What is sent to the agent.
    pub text: String,
    /// Files that the person sent, which go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What the person wrote, where `text` are words of ours that ask to go on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// Whether a process may have read `text`. Without it nothing was done; with it only the
    /// agent's transcript can tell what was. Records from before this was kept count as given.
    #[serde(default = "yes")]
    pub given: bool,
    /// The agent's key of this message: it runs a key once only.
    pub key: Uuid,
    /// Its card, and the last revision that was put into the outbox.
    pub card: CardId,
    /// Last revision.
    pub rev: u32,
    /// When it was taken.
    pub created_at: DateTime<Utc>,
    /// How it stands.
    pub state: TurnState,
}

impl TurnRecord {
    /// What the person wrote.
    pub fn request(&self) -> &str {
        self.asked.as_deref().unwrap_or(&self.text)
    }
}

fn yes() -> bool {
    true
}

/// How a turn stands. A finished turn is deleted in the step that puts its answer into the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TurnState {
    /// Waits for the turn before it.
    Queued,
    /// Given to the agent, or about to be.
    Started {
        /// When.
        at: DateTime<Utc>,
    },
    /// Handed to the agent inside a running turn.
    Folded,
    /// Cut off from us, while a process left over still works on it.
    Watched,
    /// Cut off; the person may let it go on or leave it.
    Interrupted,
}

/// A question that waits, or waited, for the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PromptRecord {
    /// Ours.
    pub id: PromptId,
    /// In which session.
    pub session: SessionId,
    /// Who may answer.
    pub user: UserId,
    /// Where it was asked.
    pub chat: Chat,
    /// The language it was asked in.
    pub lang: Lang,
    /// What caused the turn it belongs to.
    pub cause: CauseId,
    /// Its card.
    pub card: CardId,
    /// The agent's own id of the question.
    pub request: String,
    /// What is asked, for the card: title and content.
    pub ask: Ask,
    /// How it stands.
    pub state: PromptState,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
}

/// What an agent wants to do, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The tool.
    pub tool: String,
    /// Path, URL or the like, if the tool has one thing it is about.
    pub about: Option<String>,
    /// Command, diff or input in full.
    pub lang: String,
    /// The same, the text.
    pub body: String,
    /// Why it is asked, in the agent's words.
    pub reason: Option<String>,
}

/// How a question stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PromptState {
    /// Waits.
    Open,
    /// Answered; the first answer counts.
    Answered {
        /// The answer.
        answer: Answer,
        /// When.
        at: DateTime<Utc>,
    },
    /// Nobody answered in time, which counts as a no.
    Expired {
        /// When.
        at: DateTime<Utc>,
    },
    /// Nobody waits for an answer any more.
    Withdrawn {
        /// When.
        at: DateTime<Utc>,
    },
    /// Nobody waits for an answer any more, as the host died while it was open: it counted as no.
    CutOff {
        /// When that was found.
        at: DateTime<Utc>,
    },
}
