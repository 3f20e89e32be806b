//! Sessions: one task each, which owns the session's queue, its running turn, its questions and
//! its agent process. Others talk to it through [`SessionHandle`]; `desk` decides which session a
//! message is for.

mod actor;
mod ask;
pub(crate) mod progress;
mod recover;
pub(crate) mod slots;
mod turn;

use std::sync::Arc;

use common::ids::{PromptId, TurnId};
use common::message::view::{Answer, QueueChoice, Recovery};
use tokio::sync::{mpsc, oneshot, watch};

use crate::context::{Context, Origin};
use crate::journal::Change;
use crate::record::{PromptRecord, SessionRecord, TurnRecord};

/// Messages that wait for a session's task; above that the desk waits, and with it the node's
/// intake, so that they stay on the broker.
const MAILBOX: usize = 64;
/// Turns that wait in one session; the next is refused and the person told.
pub(crate) const MAX_QUEUED: usize = 50;

/// What a session is asked to do. `place` is the act's place in the inbox: the session marks it as
/// dealt with in the same step that carries it out.
#[derive(Debug)]
pub(crate) enum Msg {
    /// Run this, now or after what runs.
    Turn { place: u64, turn: Box<TurnRecord> },
    /// The person's answer to a question.
    Answer {
        place: u64,
        origin: Box<Origin>,
        prompt: Box<PromptRecord>,
        answer: Answer,
    },
    /// Interrupt the running turn; `turn` is the one that was meant, if the person pointed at one.
    Stop {
        place: u64,
        origin: Box<Origin>,
        turn: Option<TurnId>,
    },
    /// A choice on a turn that was cut off.
    Recover {
        place: u64,
        turn: TurnId,
        choice: Recovery,
    },
    /// A choice on a turn that waits.
    Queued {
        place: u64,
        turn: TurnId,
        choice: QueueChoice,
    },
    /// End for good, in one step with `changes`. Answered when that is done.
    Close {
        changes: Vec<Change>,
        done: oneshot::Sender<()>,
    },
}

/// How a session stands, for `/status` and the heartbeat.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    pub(crate) record: SessionRecord,
    pub(crate) running: bool,
    pub(crate) waiting: bool,
    pub(crate) queued: usize,
    pub(crate) live: bool,
}

/// A handle on a session's task. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct SessionHandle {
    mailbox: mpsc::Sender<Msg>,
    brief: watch::Receiver<Brief>,
}

impl SessionHandle {
    /// Starts a session's task with what the journal knows of it.
    pub(crate) fn start(
        context: Arc<Context>,
        record: SessionRecord,
        turns: Vec<TurnRecord>,
        prompts: Vec<PromptRecord>,
    ) -> Self {
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        let (brief_tx, brief) = watch::channel(Brief {
            record: record.clone(),
            running: false,
            waiting: false,
            queued: turns.len(),
            live: false,
        });
        let tasks = context.tasks.clone();
        let actor = actor::Actor::new(context, record, inbox, brief_tx);
        tasks.spawn(actor.run(turns, prompts));
        Self { mailbox, brief }
    }

    /// How it stands right now.
    pub(crate) fn brief(&self) -> Brief {
        self.brief.borrow().clone()
    }

    /// Hands something over; false when the session is ending.
    pub(crate) async fn send(&self, msg: Msg) -> bool {
        self.mailbox.send(msg).await.is_ok()
    }

    /// Ends the session for good, in one step with `changes`, and waits for it. False when the
    /// session's task is gone, and nothing was done.
    pub(crate) async fn close(&self, changes: Vec<Change>) -> bool {
        let (done, ended) = oneshot::channel();
        self.send(Msg::Close { changes, done }).await && ended.await.is_ok()
    }
}

/// The turn of a question that is asked outside any turn takes its place from the session.
pub(crate) fn prompt_ids(request: &str, session: &SessionRecord) -> PromptId {
    PromptId::derived(&[
        &session.id.to_string(),
        &session.agent_session.to_string(),
        request,
    ])
}
