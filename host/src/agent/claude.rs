//! The driver for Claude Code: one persistent process for each live conversation, spoken to over
//! pipes in the protocol that its SDKs use. Which conversations live, and for how long, is left to
//! the sessions.

mod command;
pub(crate) use command::SHELL_MARK;
mod conversation;
mod drafts;
mod driver;
mod fields;
mod incoming;
mod leftover;
mod lines;
mod live;
mod outgoing;
mod permission;
mod probe;
mod process;
mod result;
mod transcript;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use conversation::Conversation;
use driver::{Driver, Parts};
use process::Complaints;

use super::{Agent, AgentHandle, AgentSpec, StartError};

pub use leftover::{Leftover, end_group, end_group_of, end_tools, leftovers};
pub use live::{LiveSession, live_owner, live_sessions};
pub use probe::{OLDEST_TRIED, ProbeError, Version, locate, probe};
pub use transcript::{
    Ending, TranscriptOutcome, config_dir, ending_of, outcome_of, project_slug, transcript_path,
};

/// Events that wait in the channel for their reader.
const EVENTS: usize = 256;
/// Orders that wait for the driver; senders wait with them.
const ORDERS: usize = 64;
/// Lines that wait for the CLI to read; past it the CLI is taken to be stuck.
const LINES: usize = 256;

/// Starts a conversation's process. See [`super::start`].
///
/// # Errors
/// When the program or the directory is not there or may not be used.
pub fn start(spec: AgentSpec, tasks: &TaskTracker) -> Result<Agent, StartError> {
    let mark = format!("{}:{}", spec.family, Uuid::new_v4());
    let process = process::spawn(&spec, &mark)?;
    let (writer, lines) = mpsc::channel(LINES);
    let (orders_in, orders) = mpsc::channel(ORDERS);
    let (events, events_out) = mpsc::channel(EVENTS);
    let (exit, exit_out) = watch::channel(None);
    let (ended_in, ended) = oneshot::channel();
    let (let_go, let_go_out) = oneshot::channel();
    let complaints = Complaints::default();
    let stop = CancellationToken::new();

    tasks.spawn(process::watch(process.child, ended_in, let_go_out));
    tasks.spawn(process::write(process.stdin, lines));
    tasks.spawn(complaints.clone().collect(process.stderr, stop.clone()));
    let handle = AgentHandle::new(
        process.pid,
        process.started,
        mark.clone(),
        orders_in,
        exit_out,
    );
    let driver = Driver::new(Parts {
        pid: process.pid,
        mark,
        stdout: process.stdout,
        writer,
        complaints,
        conversation: Conversation::new(spec.session.id(), spec.cwd),
        orders,
        events,
        exit,
        ended,
        let_go,
        stop: stop.drop_guard(),
    });
    tasks.spawn(driver.run());
    Ok(Agent {
        handle,
        events: events_out,
    })
}
