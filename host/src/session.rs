//! Sessions: one task each, which owns the session's queue, its running turn, its questions and
//! its agent process. Others talk to it through [`SessionHandle`]; `desk` decides which session a
//! message is for.

mod actor;
mod ask;
pub(crate) mod progress;
pub(crate) mod recover;
pub(crate) mod slots;
mod turn;

pub(crate) use ask::settled;

use std::sync::Arc;

use common::ids::{PromptId, TurnId};
use common::message::view::{Answer, QueueChoice, Recovery};
use tokio::sync::{mpsc, oneshot, watch};

use crate::agent::claude::Leftover;
use crate::context::{Context, Origin};
use crate::journal::Change;
use crate::record::{PromptRecord, SessionRecord, TurnRecord};

/// Messages that wait for a session's task; above that its owner's further acts wait at the desk,
/// and nobody else's.
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
    /// Take a turn back if it still waits, and say which it was.
    TakeBack {
        place: u64,
        turn: TurnId,
        /// It was taken back.
        back: Box<Change>,
        /// It runs, or ran.
        late: Box<Change>,
    },
}

/// The end of a session for good, in one step with `changes`. Answered when that is done. Goes past
/// the mailbox, which may be full.
#[derive(Debug)]
pub(crate) struct Ending {
    changes: Vec<Change>,
    done: oneshot::Sender<()>,
}

/// What an earlier life of this host left of a session.
#[derive(Debug, Default)]
pub(crate) struct Remains {
    /// Unfinished turns, oldest first.
    pub(crate) turns: Vec<TurnRecord>,
    /// Questions.
    pub(crate) prompts: Vec<PromptRecord>,
    /// Processes that still run, also such as its record does not know.
    pub(crate) processes: Vec<Leftover>,
    /// It was being closed: nothing of it is taken up, and its [`Ending`] follows at once.
    pub(crate) closing: bool,
}

/// What became of a message for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handed {
    /// It is the session's now.
    Over,
    /// There is no room; wait for [`SessionHandle::room`].
    Full,
    /// The session's task has ended.
    Gone,
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
    endings: mpsc::Sender<Ending>,
    brief: watch::Receiver<Brief>,
}

impl SessionHandle {
    /// Starts a session's task with what the journal knows of it.
    pub(crate) fn start(context: Arc<Context>, record: SessionRecord, remains: Remains) -> Self {
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        // One is enough: it ends once.
        let (endings, ending) = mpsc::channel(1);
        let (brief_tx, brief) = watch::channel(Brief {
            record: record.clone(),
            running: false,
            waiting: false,
            queued: remains.turns.len(),
            live: false,
        });
        let tasks = context.tasks.clone();
        let actor = actor::Actor::new(context, record, (inbox, ending), brief_tx);
        tasks.spawn(actor.run(remains));
        Self {
            mailbox,
            endings,
            brief,
        }
    }

    /// How it stands right now.
    pub(crate) fn brief(&self) -> Brief {
        self.brief.borrow().clone()
    }

    /// Hands something over, without waiting.
    pub(crate) fn hand(&self, msg: Msg) -> Handed {
        match self.mailbox.try_send(msg) {
            Ok(()) => Handed::Over,
            Err(mpsc::error::TrySendError::Full(_)) => Handed::Full,
            Err(mpsc::error::TrySendError::Closed(_)) => Handed::Gone,
        }
    }

    /// Resolves when there is room again, or never will be.
    pub(crate) fn room(&self) -> impl Future<Output = ()> + Send + Sync + use<> {
        let mailbox = self.mailbox.clone();
        async move {
            // Given back at once: only the desk hands things over, and it looks after this.
            let _ = mailbox.reserve().await;
        }
    }

    /// Ends the session for good, in one step with `changes`, and waits for it, which may take as
    /// long as its process does. False when the session's task is gone, and nothing was done.
    pub(crate) async fn close(&self, changes: Vec<Change>) -> bool {
        let (done, ended) = oneshot::channel();
        let ending = Ending { changes, done };
        self.endings.send(ending).await.is_ok() && ended.await.is_ok()
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
