//! The conversation files that the CLI keeps. After a crash of ours they tell how a turn ended: the
//! CLI goes on without us and saves what it did. Sending is left to the driver; what to do with an
//! outcome, to the sessions.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;
use uuid::Uuid;

use super::fields::{items, str_at, string_at, text_of};
use super::incoming::SYNTHETIC;
use crate::agent::text::for_people;
use crate::agent::{AgentFault, Evidence};

/// So much of a file's end is read, in steps, until the message is found. A turn that wrote more
/// than the last of these after its message is not found.
const WINDOWS: [u64; 4] = [1 << 20, 8 << 20, 64 << 20, 256 << 20];
/// Folder names longer than this are cut by the CLI and get a suffix that we do not compute.
const LONGEST_SLUG: usize = 200;

/// How the turn that a message began, or was folded into, ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TranscriptOutcome {
    /// There is no trace of the message. The file is written a little behind, so after a sudden
    /// end this does **not** prove that nothing was done. Nor do messages leave one that were
    /// merged with a later one into one turn, and slash commands on older versions.
    NotFound,
    /// It began, and has no end: it is still running, or the process died.
    Unfinished,
    /// Somebody stopped it.
    Interrupted,
    /// It ended with an error of the service.
    Failed(AgentFault),
    /// It ended with this answer.
    Finished {
        /// The final text.
        text: String,
    },
}

/// [`TranscriptOutcome`], and whose turn it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How it ended.
    pub outcome: TranscriptOutcome,
    /// The message was taken into a turn that ran already, and has that turn's answer.
    pub folded: bool,
}

/// Where the CLI keeps its things, judging by a child's environment.
pub fn config_dir(var: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| var(name).filter(|value| !value.is_empty());
    set("CLAUDE_CONFIG_DIR").map_or_else(
        || set("HOME").map(|home| PathBuf::from(home).join(".claude")),
        |dir| Some(PathBuf::from(dir)),
    )
}

/// The name of the folder for the conversations of a directory, whose real path this is. Not
/// reversible, and cut where it is long.
pub fn project_slug(real_cwd: &Path) -> String {
    real_cwd
        .to_string_lossy()
        .chars()
        // One for each unit of UTF-16, as the CLI counts.
        .flat_map(|c| std::iter::repeat_n(c, c.len_utf16()))
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(LONGEST_SLUG)
        .collect()
}

/// The file of a conversation, if it exists. It is looked for in the directory's folder first and
/// then in all: conversations move, and long names are cut. None exists before the first turn.
pub fn transcript_path(config_dir: &Path, cwd: &Path, session_id: Uuid) -> Option<PathBuf> {
    let projects = config_dir.join("projects");
    let name = format!("{session_id}.jsonl");
    let real = std::fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned());
    let usual = projects.join(project_slug(&real)).join(&name);
    if usual.is_file() {
        return Some(usual);
    }
    std::fs::read_dir(projects)
        .ok()?
        .flatten()
        .map(|folder| folder.path().join(&name))
        .find(|path| path.is_file())
}

/// How the turn of our message `message` ended, by the conversation's file.
///
/// # Errors
/// When the file cannot be read.
pub async fn outcome_of(path: PathBuf, message: Uuid) -> std::io::Result<TranscriptOutcome> {
    Ok(ending_of(path, message).await?.outcome)
}

/// The same, with whose turn it was.
///
/// # Errors
/// When the file cannot be read.
pub async fn ending_of(path: PathBuf, message: Uuid) -> std::io::Result<Ending> {
    tokio::task::spawn_blocking(move || read_ending(&path, message))
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

fn read_ending(path: &Path, message: Uuid) -> std::io::Result<Ending> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    for window in WINDOWS {
        let from = size.saturating_sub(window);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut file).take(window).read_to_end(&mut bytes)?;
        // A window that begins inside a line loses that line, and finds it in the next window.
        let mut lines = bytes.split(|byte| *byte == b'\n');
        if from > 0 {
            lines.next();
        }
        let ending = ending(lines, message);
        if ending.outcome != TranscriptOutcome::NotFound || from == 0 {
            return Ok(ending);
        }
    }
    Ok(NO_TRACE)
}

/// Nothing of the message is there.
const NO_TRACE: Ending = Ending {
    outcome: TranscriptOutcome::NotFound,
    folded: false,
};

fn ending<'a>(lines: impl Iterator<Item = &'a [u8]>, message: Uuid) -> Ending {
    let mut turn: Option<Turn> = None;
    for line in lines {
        // Most bytes of a file are copies of requests, which are not part of the tree.
        let Some(value) = is_of_the_tree(line).then(|| serde_json::from_slice::<Value>(line).ok())
        else {
            continue;
        };
        let Some(value) = value else { continue };
        match &mut turn {
            Some(turn) => turn.take_in(&value),
            None => turn = Turn::begin(&value, message),
        }
    }
    turn.map_or(NO_TRACE, |turn| Ending {
        folded: turn.folded,
        outcome: turn.outcome(),
    })
}

fn is_of_the_tree(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"parentUuid\"";
    line.windows(KEY.len()).any(|window| window == KEY)
}

/// A turn that is being pieced together: everything that descends from our message, up to the next
/// person's words.
struct Turn {
    members: HashSet<String>,
    prompt_id: Option<String>,
    folded: bool,
    reply: Option<Reply>,
    command_output: Option<String>,
    fault: Option<AgentFault>,
    interrupted: bool,
}

struct Reply {
    message_id: String,
    texts: Vec<String>,
    stop_reason: Option<String>,
}

impl Turn {
    /// Our message is a line of its own, or an attachment when it was folded into a running turn.
    fn begin(value: &Value, message: Uuid) -> Option<Self> {
        let own = string_at(value, "uuid")?;
        let folded = value
            .get("attachment")
            .and_then(|attachment| str_at(attachment, "source_uuid"));
        let is_ours = |text: &str| Uuid::parse_str(text).is_ok_and(|uuid| uuid == message);
        let folded = folded.is_some_and(is_ours);
        if !is_ours(&own) && !folded {
            return None;
        }
        Some(Self {
            members: HashSet::from([own]),
            prompt_id: string_at(value, "promptId"),
            folded,
            reply: None,
            command_output: None,
            fault: None,
            interrupted: false,
        })
    }

    fn take_in(&mut self, value: &Value) {
        let descends = ["parentUuid", "logicalParentUuid"]
            .iter()
            .filter_map(|key| str_at(value, key))
            .any(|parent| self.members.contains(parent));
        if !descends || is_true(value, "isSidechain") {
            return;
        }
        let belongs = match str_at(value, "type") {
            Some("user") => self.take_in_user(value),
            Some("assistant") => {
                self.take_in_reply(value);
                true
            }
            Some("system") if str_at(value, "subtype") == Some("local_command") => {
                self.command_output = string_at(value, "content");
                true
            }
            _ => true,
        };
        if let (true, Some(uuid)) = (belongs, string_at(value, "uuid")) {
            self.members.insert(uuid);
        }
    }

    /// False for the words that begin the next turn.
    fn take_in_user(&mut self, value: &Value) -> bool {
        let content = value
            .get("message")
            .and_then(|message| message.get("content"));
        let content = content.unwrap_or(&Value::Null);
        let is_result = content
            .as_array()
            .into_iter()
            .flatten()
            .any(|block| str_at(block, "type") == Some("tool_result"));
        let prompt_id = str_at(value, "promptId");
        let same_prompt = prompt_id.is_some() && prompt_id == self.prompt_id.as_deref();
        let interrupted = text_of(content).starts_with("[Request interrupted by user");
        let by_itself = is_true(value, "isMeta") || is_true(value, "isCompactSummary");
        if !(is_result || same_prompt || interrupted || by_itself) {
            return false;
        }
        self.interrupted |= interrupted;
        // The model is called again.
        self.reply = None;
        true
    }

    fn take_in_reply(&mut self, value: &Value) {
        let message = value.get("message").unwrap_or(&Value::Null);
        let text = text_of(message.get("content").unwrap_or(&Value::Null));
        if is_true(value, "isApiErrorMessage") {
            self.fault = Some(AgentFault::of_turn(&Evidence {
                status: value
                    .get("apiErrorStatus")
                    .and_then(Value::as_u64)
                    .and_then(|status| u16::try_from(status).ok()),
                kind: string_at(value, "error"),
                text,
                ..Evidence::default()
            }));
            return;
        }
        // A placeholder that a later resume puts where an answer is missing.
        if str_at(message, "model") == Some(SYNTHETIC) {
            return;
        }
        self.fault = None;
        let message_id = string_at(message, "id").unwrap_or_default();
        let texts = items(message, "content")
            .filter(|block| str_at(block, "type") == Some("text"))
            .filter_map(|block| string_at(block, "text"));
        let stop_reason = string_at(message, "stop_reason");
        match &mut self.reply {
            // One line for each block of a message.
            Some(reply) if reply.message_id == message_id => {
                reply.texts.extend(texts);
                reply.stop_reason = stop_reason.or_else(|| reply.stop_reason.take());
            }
            Some(_) | None => {
                self.reply = Some(Reply {
                    message_id,
                    texts: texts.collect(),
                    stop_reason,
                });
            }
        }
    }

    fn outcome(self) -> TranscriptOutcome {
        if self.interrupted {
            return TranscriptOutcome::Interrupted;
        }
        if let Some(fault) = self.fault {
            return TranscriptOutcome::Failed(fault);
        }
        if let Some(reply) = self.reply {
            // After the other reasons the CLI calls the model again.
            let ended = !matches!(
                reply.stop_reason.as_deref(),
                None | Some("tool_use" | "pause_turn" | "max_tokens")
            );
            return if ended {
                let text = reply.texts.join("\n\n");
                TranscriptOutcome::Finished { text }
            } else {
                TranscriptOutcome::Unfinished
            };
        }
        match self.command_output {
            Some(output) => TranscriptOutcome::Finished {
                text: for_people(&output),
            },
            None => TranscriptOutcome::Unfinished,
        }
    }
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests;
