//! Cards in words that every surface understands, and the actions behind their buttons.
//!
//! How a card looks on a platform is the renderer's of that surface.

use serde::{Deserialize, Serialize};

use crate::ids::{CauseId, MessageId, NodeId, PromptId, SessionId, TurnId};

/// A card.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct View {
    /// First line; plain text.
    pub title: String,
    /// Its mood.
    #[serde(default)]
    pub tone: Tone,
    /// Content, top to bottom.
    #[serde(default)]
    pub blocks: Vec<Block>,
    /// In one row where there is room.
    #[serde(default)]
    pub buttons: Vec<Button>,
    /// Small print; plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

/// The mood of a card: a colour where the platform has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Information.
    #[default]
    Plain,
    /// Something is going on.
    Working,
    /// The person is asked.
    Asking,
    /// Finished well.
    Done,
    /// Needs a look.
    Warning,
    /// Went wrong.
    Failed,
}

/// A piece of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// Markdown as the agent wrote it; shown whole, split over cards where it must be.
    Markdown {
        /// The text.
        text: String,
    },
    /// Text shown exactly as it is.
    Plain {
        /// The text.
        text: String,
    },
    /// Code, a command or a diff, monospaced.
    Code {
        /// Language for colours; may be empty.
        lang: String,
        /// The code.
        text: String,
    },
    /// What the agent did on the way, one line each; folded when `folded`.
    Steps {
        /// In order.
        steps: Vec<Step>,
        /// Hidden behind its count until tapped.
        folded: bool,
    },
    /// Names and values, a row each.
    Fields {
        /// In order.
        rows: Vec<(String, String)>,
    },
}

/// A line about one thing that the agent did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Plain text, one line.
    pub text: String,
    /// How it stands.
    pub state: StepState,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Going on.
    Running,
    /// Done.
    Done,
    /// Failed or refused.
    Failed,
    /// Words of the agent between two tools.
    Said,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// How it looks.
    #[serde(default)]
    pub style: ButtonStyle,
    /// What it does.
    pub action: Action,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonStyle {
    /// As any other.
    #[default]
    Normal,
    /// The likely choice.
    Primary,
    /// Refuses, stops or deletes.
    Danger,
}

/// What a tap asks for. Travels inside the button through the platform and back, so it is small
/// and carries ids only; whether this person may do it is checked by the one who carries it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Answer an agent's request for permission.
    Answer {
        /// Where the agent runs.
        node: NodeId,
        /// The question.
        prompt: PromptId,
        /// The choice.
        answer: Answer,
    },
    /// Interrupt a turn.
    Stop {
        /// Where it runs.
        node: NodeId,
        /// The turn.
        turn: TurnId,
    },
    /// What to do with a turn that a restart cut off.
    Recover {
        /// Where it ran.
        node: NodeId,
        /// The turn.
        turn: TurnId,
        /// The choice.
        choice: Recovery,
    },
    /// What to do with a message that waits for the running turn.
    Queued {
        /// Where it waits.
        node: NodeId,
        /// Its turn.
        turn: TurnId,
        /// The choice.
        choice: QueueChoice,
    },
    /// Make a session the active one.
    Switch {
        /// Where it is.
        node: NodeId,
        /// The session.
        session: SessionId,
    },
    /// Make a node the active one, and send it the message that raised the question.
    UseNode {
        /// The node.
        node: NodeId,
        /// Stream sequence of that message in PW_IN, if one waits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending: Option<u64>,
    },
    /// What to do with a message that waits for a node that is off, or waited in vain.
    Waiting {
        /// The node it waits for.
        node: NodeId,
        /// The act that brought it.
        cause: CauseId,
        /// The choice.
        choice: WaitingChoice,
    },
    /// What to do with a message that could not be handled.
    Dead {
        /// Its place in PW_DLQ.
        sequence: u64,
        /// The choice.
        choice: DeadChoice,
    },
    /// Whether a machine that asks is let in; for administrators.
    Enrol {
        /// The id that it wants; no node yet.
        id: NodeId,
        /// Its public key: another machine that asks for the same id is another question.
        key: String,
        /// The choice.
        choice: EnrolChoice,
    },
    /// Ask where else a message is to go that a chat model sent somewhere.
    OtherNode {
        /// Its place in PW_IN.
        pending: u64,
    },
    /// What to do with a reminder.
    Remind {
        /// Which.
        reminder: MessageId,
        /// The time of it that the card is about, in milliseconds since 1970; none: it is about all of
        /// them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<i64>,
        /// The choice.
        choice: RemindChoice,
    },
}

impl Action {
    /// The node that the action is about, where there is one.
    pub fn node(&self) -> Option<&NodeId> {
        match self {
            Self::Answer { node, .. }
            | Self::Stop { node, .. }
            | Self::Recover { node, .. }
            | Self::Queued { node, .. }
            | Self::Switch { node, .. }
            | Self::UseNode { node, .. }
            | Self::Waiting { node, .. } => Some(node),
            Self::Dead { .. }
            | Self::Enrol { .. }
            | Self::OtherNode { .. }
            | Self::Remind { .. } => None,
        }
    }
}

/// An answer to a request for permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// This time.
    AllowOnce,
    /// This and the like, until the session ends.
    AllowSession,
    /// No.
    Deny,
}

/// What to do with a turn that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Let the agent go on where it stopped.
    Continue,
    /// Leave it.
    Discard,
}

/// What to do with a waiting message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueChoice {
    /// Hand it to the agent inside the running turn.
    SendNow,
    /// Take it back.
    Cancel,
}

/// What to do with a message that waits for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum WaitingChoice {
    /// Take it back; it never runs.
    Cancel,
    /// Take it back and give it to another node.
    SendTo {
        /// Which.
        other: NodeId,
    },
    /// It waited in vain: send it once more.
    SendAgain,
}

/// Whether a machine is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolChoice {
    /// It may come in.
    Approve,
    /// It may not.
    Deny,
}

/// What to do with a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadChoice {
    /// Hand it in once more.
    Retry,
    /// Forget it.
    Discard,
}

/// What to do with a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemindChoice {
    /// Once more, in ten minutes.
    Snooze,
    /// It is dealt with.
    Done,
    /// Not any more.
    Cancel,
    /// The same, from a list: the list stays as it is.
    CancelListed,
}
