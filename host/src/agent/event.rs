//! What an agent says, in words that no backend owns. Turning a backend's lines into these is left
//! to its driver; showing them to a person is left to the session.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::AgentFault;

/// One thing that happened, in the order it happened.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// The agent answered the greeting: it works, and these are its menus. At most once.
    Ready {
        /// Its own slash commands, without the slash.
        commands: Vec<CommandInfo>,
        /// The models it offers.
        models: Vec<ModelInfo>,
    },
    /// What the coming turn runs with. Said at the first turn and whenever it changed.
    Init {
        /// The conversation.
        session_id: Option<Uuid>,
        /// Full name of the model.
        model: String,
        /// Names of the slash commands that work here, without the slash.
        slash_commands: Vec<String>,
        /// The program's version.
        version: String,
        /// The permission mode in force, as the agent names it.
        permission_mode: String,
    },
    /// The conversation has another id from here on (it was cleared): keep this one.
    SessionId(Uuid),
    /// A message of ours was taken into a turn.
    Consumed(Uuid),
    /// A message of ours has run in this conversation before and was **not** run again. No turn
    /// and no [`AgentEvent::Finished`] follow from it.
    AlreadyRun(Uuid),
    /// A message of ours was taken back before it was consumed.
    Withdrawn(Uuid),
    /// More of a text that is being written; a preview, see [`AgentEvent::Text`].
    TextDelta {
        /// Which text; numbers are never used twice by one process.
        block: u64,
        /// What to append.
        text: String,
    },
    /// The preview of this block will not be finished (the connection broke, or the turn was
    /// stopped before anything was kept): take it away.
    DraftDropped {
        /// Which text.
        block: u64,
    },
    /// A finished text: this is the truth and replaces whatever was previewed under `block`, of
    /// which there may have been nothing at all.
    Text {
        /// Which text.
        block: u64,
        /// All of it.
        text: String,
    },
    /// The model began to think.
    Thinking,
    /// The model called a tool. It may still be asked for permission.
    ToolStarted {
        /// The call.
        id: String,
        /// The tool.
        name: String,
        /// One line for people: the command, the path, the address.
        summary: String,
        /// The whole input.
        input: Value,
        /// The call of a subagent that this one was made by, if it was not the main conversation.
        parent: Option<String>,
    },
    /// A tool call ended.
    ToolFinished {
        /// The call.
        id: String,
        /// It failed, was refused, or was stopped.
        is_error: bool,
        /// The first words of what came out, one line, at most 200 characters.
        short: String,
    },
    /// The agent waits, without limit, for [`AgentHandle::answer`](super::AgentHandle::answer).
    /// Not tied to a turn: background work asks too.
    Permission(PermissionRequest),
    /// The question was withdrawn; an answer would have no effect.
    PermissionWithdrawn {
        /// Which question.
        request_id: String,
    },
    /// The model's service failed and is asked again by itself.
    Retry {
        /// From 1.
        attempt: u32,
        /// After so many it gives up.
        max: u32,
        /// Time until the next attempt.
        delay: Duration,
        /// HTTP status; `None` when there was no connection.
        status: Option<u16>,
        /// The agent's word for the error.
        error: String,
    },
    /// Word of a subscription's limit.
    RateLimit {
        /// The service refuses now, rather than warning.
        rejected: bool,
        /// When the window ends, seconds since 1970.
        resets_at: Option<i64>,
        /// Which window, for instance `five_hour`.
        window: Option<String>,
    },
    /// Whether it works. [`RunState::Idle`] is the true end of work.
    State(RunState),
    /// The conversation is being shortened; that takes a while.
    Compacting,
    /// The conversation was shortened.
    Compacted {
        /// Tokens before.
        before: Option<u64>,
        /// Tokens after.
        after: Option<u64>,
    },
    /// A turn ended. Not one for each message: see [`TurnResult::user_messages`]. Background work
    /// that ends starts turns that nobody asked for.
    Finished(TurnResult),
    /// The agent wrote a line of this size, which is over the limit and was thrown away.
    LineDropped {
        /// Its length in bytes.
        bytes: u64,
    },
    /// The process is gone; always the last event.
    Exited(Exit),
}

/// Whether the agent works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// A turn or background work runs.
    Running,
    /// It waits for a permission.
    RequiresAction,
    /// Nothing runs.
    Idle,
}

/// A slash command of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandInfo {
    /// Name without the slash.
    pub name: String,
    /// What it does, in the agent's words.
    pub description: String,
    /// What may follow it.
    pub argument_hint: String,
}

/// A model on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// What to pass to [`AgentHandle::set_model`](super::AgentHandle::set_model).
    pub value: String,
    /// What to show.
    pub display_name: String,
}

/// A question that waits. Questions to the person (`AskUserQuestion`) and plans (`ExitPlanMode`)
/// come as this too; `tool` tells them apart, and they are answered with a changed input.
#[derive(Debug, Clone, PartialEq)]
pub struct PermissionRequest {
    /// What to answer to.
    pub request_id: String,
    /// The tool that wants to run.
    pub tool: String,
    /// Its whole input.
    pub input: Value,
    /// The agent's words for it.
    pub description: Option<String>,
    /// What "allow for this session" would allow from then on, one line each, such as
    /// `Bash(npm test *)`. Empty: it would allow this one call only.
    pub session_scope: Vec<String>,
    /// The rules that the agent proposes, as it wrote them.
    pub suggestions: Vec<Value>,
    /// The path that made it ask.
    pub blocked_path: Option<String>,
    /// Why it asks, in the agent's words.
    pub reason: Option<String>,
    /// The subagent that asks, if it is one.
    pub agent_id: Option<String>,
    /// The call that waits.
    pub tool_use_id: Option<String>,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnOutcome {
    /// With an answer.
    Success,
    /// Somebody stopped it.
    Interrupted,
    /// The model's service, or the way to it, failed.
    ApiError(AgentFault),
    /// It took as many steps as it may.
    MaxTurns,
    /// It cost as much as it may.
    MaxBudget,
    /// Anything else went wrong.
    Failed(AgentFault),
}

/// The end of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnResult {
    /// How it ended.
    pub outcome: TurnOutcome,
    /// The final text; for failures the agent's words for people, cleaned; may be empty.
    pub text: String,
    /// The conversation it ended in.
    pub session_id: Option<Uuid>,
    /// Wall time of the turn.
    pub duration: Duration,
    /// Cost of this turn alone, in US dollars; an estimate on a subscription.
    pub cost_usd: f64,
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens of the last model call: how full the conversation is.
    pub context_used: Option<u64>,
    /// Tokens that fit.
    pub context_window: Option<u64>,
    /// Our messages that this turn used up. Empty for turns that nobody asked for.
    pub user_messages: Vec<Uuid>,
    /// Tools whose calls were refused, one entry for each call.
    pub denied_tools: Vec<String>,
}

/// How the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, if it ended by itself. Not 0 also after an orderly end whose last turn was
    /// stopped or had failed.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It was asked to, by `close`, `kill` or the loss of every handle.
    pub requested: bool,
    /// A turn was running: its outcome is to be looked up in the transcript.
    pub mid_turn: bool,
    /// The last of what it wrote to standard error, cleaned; at most 16 KiB.
    pub stderr_tail: String,
    /// Processes begun by its tools that it left running. After a crash or a kill they have been
    /// ended, and this is empty again unless that failed; after an orderly end (a server that was
    /// meant to stay, say) they are left alone. Known on Linux only.
    pub left_behind: Vec<u32>,
}

impl Exit {
    /// What went wrong, or `None` if it ended as asked.
    pub fn fault(&self) -> Option<AgentFault> {
        if self.requested || (self.code == Some(0) && !self.mid_turn) {
            return None;
        }
        Some(AgentFault::of_exit(self))
    }
}
