//! How a running CLI is ended: gently, in steps, and in the end by force; and what is told then.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use super::{Driver, Phase};
use crate::agent::claude::{leftover, process};
use crate::agent::orphan::Orphan;
use crate::agent::{AgentEvent, Exit, RunState};

/// How long each step of the end may take.
const INTERRUPT_GRACE: Duration = Duration::from_secs(5);
const INPUT_CLOSED_GRACE: Duration = Duration::from_secs(5);
const TERMINATE_GRACE: Duration = Duration::from_secs(3);
const KILL_GRACE: Duration = Duration::from_secs(3);
/// Output still read after the process ended; something it started may hold the pipe open.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a reader of events may take for the last ones.
const LAST_EVENTS: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn begin_close(&mut self) {
        if self.phase != Phase::Open {
            return;
        }
        let busy = self.conversation.is_busy();
        let effects = self.conversation.close();
        self.apply(effects);
        let stopping = busy && !self.has_ended && self.interrupt().is_ok();
        self.enter(if stopping {
            Phase::Interrupting
        } else {
            Phase::InputClosed
        });
    }

    pub(super) fn next_phase(&mut self) {
        if self.has_ended {
            // The last words are over.
            self.deadline = None;
            return;
        }
        match self.phase {
            Phase::Open => self.deadline = None,
            Phase::Interrupting => self.enter(Phase::InputClosed),
            Phase::InputClosed => self.enter(Phase::Terminating),
            Phase::Terminating => self.enter(Phase::Killed),
            Phase::Killed | Phase::GivenUp => self.enter(Phase::GivenUp),
        }
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        if self.has_ended {
            return;
        }
        tracing::debug!(pid = self.pid, ?phase, "ending the agent");
        let grace = match phase {
            Phase::Open => return,
            Phase::Interrupting => INTERRUPT_GRACE,
            Phase::InputClosed => {
                self.writer = None;
                INPUT_CLOSED_GRACE
            }
            Phase::Terminating => {
                process::signal_group(self.pid, Signal::TERM);
                TERMINATE_GRACE
            }
            Phase::Killed => {
                self.writer = None;
                process::signal_group(self.pid, Signal::KILL);
                KILL_GRACE
            }
            Phase::GivenUp => {
                tracing::error!(pid = self.pid, "the agent's process cannot be ended");
                Duration::ZERO
            }
        };
        self.phase = phase;
        self.deadline = Some(Instant::now() + grace);
    }

    pub(super) fn detach(&mut self) {
        if let Some(let_go) = self.let_go.take() {
            let _ = let_go.send(());
        }
    }

    /// Counts what is left, and tells the end.
    pub(super) async fn finish(mut self) {
        let mid_turn = self.conversation.is_busy();
        let (code, signal) = ending(self.status);
        // Asked to end, it exits with 1 if its last turn was stopped or failed.
        let by_itself = matches!(self.phase, Phase::Interrupting | Phase::InputClosed);
        let in_order = !mid_turn && (code == Some(0) || (by_itself && signal.is_none()));
        let mark = std::mem::take(&mut self.mark);
        if self.has_ended {
            leftover::end_group(self.pid).await;
        }
        let mut left = process::survivors(mark).await;
        if !in_order && !left.is_empty() {
            tracing::info!(
                pid = self.pid,
                count = left.len(),
                "ending what it left running"
            );
            left = process::end(left).await;
        }
        if mid_turn {
            self.tell(AgentEvent::State(RunState::Idle));
        }
        let exit = Exit {
            code,
            signal,
            requested: self.phase != Phase::Open,
            mid_turn,
            stderr_tail: self.complaints.text(),
            left_behind: left.iter().map(Orphan::pid).collect(),
        };
        self.exit.send_replace(Some(exit.clone()));
        self.orders.close();
        let Self {
            pending, events, ..
        } = self;
        let last = async {
            for event in pending.into_iter().chain([AgentEvent::Exited(exit)]) {
                if events.send(event).await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(LAST_EVENTS, last).await.is_err() {
            tracing::warn!("nobody reads an agent's last events");
        }
    }
}

fn ending(status: Option<ExitStatus>) -> (Option<i32>, Option<i32>) {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else {
        return (None, None);
    };
    (status.code(), status.signal())
}
