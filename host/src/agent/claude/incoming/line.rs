//! What the CLI's lines can say, as far as we care. Reading them is left to the parent module.

use serde_json::Value;
use uuid::Uuid;

use crate::agent::RunState;

/// One line, with the conversation it belongs to if it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Incoming {
    pub(crate) session_id: Option<Uuid>,
    pub(crate) line: Line,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    Init(Init),
    State(RunState),
    Lifecycle {
        uuid: Uuid,
        state: Lifecycle,
    },
    /// Echo of a message of ours.
    Replay(Uuid),
    Stream {
        /// Not the main conversation but a subagent's.
        nested: bool,
        event: Stream,
    },
    Assistant(Assistant),
    ToolResults(Vec<ToolResult>),
    Result(Box<TurnEnd>),
    Retry {
        attempt: u32,
        max: u32,
        delay_ms: u64,
        status: Option<u16>,
        error: String,
    },
    RateLimit {
        rejected: bool,
        resets_at: Option<i64>,
        window: Option<String>,
    },
    Compacting,
    Compacted {
        before: Option<u64>,
        after: Option<u64>,
    },
    Request {
        id: String,
        request: HostRequest,
    },
    Response {
        id: String,
        answer: Result<Value, String>,
    },
    CancelRequest(String),
    /// Known and of no interest, unknown, or not JSON at all. The name is for the log.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Init {
    pub(crate) model: String,
    pub(crate) slash_commands: Vec<String>,
    pub(crate) version: String,
    pub(crate) permission_mode: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    Queued,
    Started,
    Completed,
    Cancelled,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stream {
    MessageStart {
        id: String,
        /// What the call read.
        tokens: Option<u64>,
    },
    TextStart {
        index: u64,
    },
    ThinkingStart,
    Text {
        index: u64,
        text: String,
    },
    /// Tokens written so far.
    Written {
        tokens: u64,
    },
    Other,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Assistant {
    pub(crate) message_id: String,
    pub(crate) parent: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) blocks: Vec<Block>,
    /// Set on texts that the CLI made up to tell of an error.
    pub(crate) error: Option<String>,
    /// Tokens that the call read and wrote, if the line tells.
    pub(crate) tokens: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    Text(String),
    Tool {
        id: String,
        name: String,
        input: Value,
    },
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolResult {
    pub(crate) id: String,
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

/// A `result` line.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TurnEnd {
    pub(crate) subtype: String,
    pub(crate) is_error: bool,
    pub(crate) terminal_reason: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) errors: Vec<String>,
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: u64,
    /// Running total of the process, or of the conversation, depending on the version.
    pub(crate) total_cost: f64,
    /// Cost since the last result, where the version says.
    pub(crate) own_cost: Option<f64>,
    pub(crate) context_window: Vec<(String, u64)>,
    pub(crate) user_messages: Option<Vec<Uuid>>,
    pub(crate) denied_tools: Vec<String>,
}

/// What the CLI asks of us.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HostRequest {
    Permission(Box<Permission>),
    /// We offer no tools, hooks or forms: answered with an error. The name is for the text of it.
    Unsupported(String),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Permission {
    pub(crate) tool: String,
    pub(crate) input: Value,
    pub(crate) description: Option<String>,
    pub(crate) suggestions: Vec<Value>,
    pub(crate) blocked_path: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) tool_use_id: Option<String>,
}
