//! What stands in a line of the audit, and how it gets there: texts bounded, secrets masked.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::mask::{MASK, masked};
use crate::ids::{CauseId, NodeId, PromptId, TurnId, UserId};
use crate::message::inbound::Chat;

/// The longest text of a field, in bytes; more is cut, with a note of how long it was.
pub const MAX_TEXT: usize = 4_096;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person wrote.
    Message,
    /// A person tapped a button.
    Tap,
    /// It was decided where an act goes, or what answers it.
    Decision,
    /// A command was carried out on a node.
    Command,
    /// A command, or anything without a turn, was answered.
    Answer,
    /// A text was given to a session, or to the model.
    Prompt,
    /// A turn began.
    TurnBegan,
    /// A turn ended.
    TurnEnded,
    /// The person was asked.
    Asked,
    /// A question was answered, or expired.
    Answered,
    /// A model used a tool of ours.
    Tool,
    /// A shell command ran.
    Shell,
    /// A file came in, or was written.
    FileIn,
    /// A file went out, or was read.
    FileOut,
    /// The web was asked.
    Web,
    /// A reminder was set, fired or cancelled.
    Reminder,
    /// Lines could not be written.
    Lost,
    /// A kind of a newer version.
    #[serde(other)]
    Other,
}

impl Kind {
    /// As it stands in the line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Tap => "tap",
            Self::Decision => "decision",
            Self::Command => "command",
            Self::Answer => "answer",
            Self::Prompt => "prompt",
            Self::TurnBegan => "turn_began",
            Self::TurnEnded => "turn_ended",
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Tool => "tool",
            Self::Shell => "shell",
            Self::FileIn => "file_in",
            Self::FileOut => "file_out",
            Self::Web => "web",
            Self::Reminder => "reminder",
            Self::Lost => "lost",
            Self::Other => "other",
        }
    }
}

/// A line as it is on the disk. Whatever does not apply is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, in UTC with milliseconds.
    pub at: String,
    /// Who wrote the line: `router` or a node.
    pub by: String,
    /// What it is about.
    pub kind: Kind,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// In which chat: the platform's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<String>,
    /// For or on which node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// In which folder, below the working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// The act that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What: the text, the command, the button, the tool with its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl Record {
    /// When; none if it cannot be read.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.at)
            .ok()
            .map(|at| at.with_timezone(&Utc))
    }
}

/// A line in the making; its time is that of [`Entry::new`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Entry(Record);

impl Entry {
    /// About what.
    pub fn new(kind: Kind) -> Self {
        Self(Record {
            at: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            by: String::new(),
            kind,
            user: None,
            chat: None,
            node: None,
            dir: None,
            cause: None,
            turn: None,
            prompt: None,
            what: None,
            outcome: None,
        })
    }

    /// What the line says so far; secrets are masked only when it is written.
    pub fn record(&self) -> &Record {
        &self.0
    }

    /// Who, where, and by which act.
    pub fn act(mut self, user: &UserId, chat: &Chat, cause: &CauseId) -> Self {
        self.0.chat = Some(chat.id.clone());
        self.0.cause = Some(cause.to_string());
        self.user(user)
    }

    /// Who.
    pub fn user(mut self, user: &UserId) -> Self {
        self.0.user = Some(user.to_string());
        self
    }

    /// For or on which node.
    pub fn node(mut self, node: &NodeId) -> Self {
        self.0.node = Some(node.to_string());
        self
    }

    /// In which folder.
    pub fn dir(mut self, dir: impl Into<String>) -> Self {
        self.0.dir = Some(dir.into());
        self
    }

    /// In which turn.
    pub fn turn(mut self, turn: TurnId) -> Self {
        self.0.turn = Some(turn.to_string());
        self
    }

    /// By which question.
    pub fn prompt(mut self, prompt: PromptId) -> Self {
        self.0.prompt = Some(prompt.to_string());
        self
    }

    /// What.
    pub fn what(mut self, what: impl Into<String>) -> Self {
        self.0.what = Some(what.into());
        self
    }

    /// What came of it.
    pub fn outcome(mut self, outcome: impl Into<String>) -> Self {
        self.0.outcome = Some(outcome.into());
        self
    }

    /// Ready to be written: secrets masked, and only then cut, so that no half of one is left.
    pub(super) fn finish(self, by: &str, secrets: &[SecretString]) -> Record {
        let mut record = self.0;
        by.clone_into(&mut record.by);
        let texts = [
            &mut record.user,
            &mut record.chat,
            &mut record.node,
            &mut record.dir,
            &mut record.cause,
            &mut record.turn,
            &mut record.prompt,
            &mut record.what,
            &mut record.outcome,
        ];
        for text in texts.into_iter().flatten() {
            for secret in secrets {
                if text.contains(secret.expose_secret()) {
                    *text = text.replace(secret.expose_secret(), MASK);
                }
            }
            let whole = text.len();
            // Far more than is kept, and not more than is looked through in a moment.
            if whole > 4 * MAX_TEXT {
                cut(text, 4 * MAX_TEXT);
            }
            *text = masked(text);
            if text.len() > MAX_TEXT {
                cut(text, MAX_TEXT);
                // Writing to a String cannot fail.
                let _ = write!(text, "… ({whole} bytes)");
            }
        }
        record
    }
}

fn cut(text: &mut String, most: usize) {
    let mut at = most;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.truncate(at);
}
