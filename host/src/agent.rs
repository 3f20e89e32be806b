//! One interface to a coding agent that runs as a child process: what is said to it
//! ([`AgentHandle`]), what it says ([`AgentEvent`]), how it failed ([`AgentFault`]). The only
//! backend so far is the `claude` CLI; another one is a new variant of [`Backend`] whose driver
//! takes the same orders and speaks the same events. Sessions, queues, cards and the journal are
//! left to others: nothing here knows of the broker or of people.

pub mod claude;
mod event;
mod fault;
mod handle;
pub mod orphan;
mod spec;
pub(crate) mod table;
mod text;

use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

pub use event::{
    AgentEvent, CommandInfo, Exit, ModelInfo, PermissionRequest, RunState, TurnOutcome, TurnResult,
};
pub use fault::{AgentFault, Evidence};
pub use handle::{
    AgentHandle, Allow, HandleError, Image, PermissionAnswer, PermissionMode, UserMessage,
};
pub use spec::{AgentSpec, ChildEnv, SessionStart, StartError};

/// The agents that can be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Claude Code, over its stream-json protocol.
    Claude,
}

/// A running agent: the means to talk to it, and what it says.
#[derive(Debug)]
pub struct Agent {
    /// Cheap to clone. When the last clone is dropped the agent is closed in good order.
    pub handle: AgentHandle,
    /// Bounded. A reader who stops reading slows the agent down, and loses previews
    /// ([`AgentEvent::TextDelta`]) while it is closing, nothing else. Ends after
    /// [`AgentEvent::Exited`].
    pub events: mpsc::Receiver<AgentEvent>,
}

/// Starts an agent. All its tasks are counted by `tasks`; they end with the process.
///
/// # Errors
/// When the program or the directory is not there or may not be used. A program that starts and
/// then fails says so by [`AgentEvent::Exited`].
pub fn start(backend: Backend, spec: AgentSpec, tasks: &TaskTracker) -> Result<Agent, StartError> {
    match backend {
        Backend::Claude => claude::start(spec, tasks),
    }
}
