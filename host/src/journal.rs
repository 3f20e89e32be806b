//! The node's memory: one file, one thread that owns it, changes in whole transactions that are on
//! the disk before anybody acts on them.
//!
//! The rules that make "nothing lost, nothing twice" hold here: an act is in `seen` and in `inbox`
//! in one step, and only then acknowledged to the broker; what an act leads to (records, messages
//! in `outbox`) and its removal from `inbox` are one step as well. Dying between two steps
//! therefore repeats a step that is recognised, or finds its work still waiting. Nobody acts on it
//! that a message is sent, so that alone does not wait for the disk.
//!
//! A disk that refuses a write closes the file; `owner` opens it again by itself once the disk takes
//! something, and until then every request is refused with the reason.

mod owner;
mod store;

use std::path::Path;
use std::sync::mpsc as thread;
use std::time::Duration;

use common::ids::{CauseId, PromptId, SessionId, TurnId};
use common::message::outbound::Outbound;
use common::message::work::Work;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use crate::record::{PromptRecord, SessionRecord, TurnRecord, UserRecord};

/// Requests that wait for the journal's thread; above that, callers wait.
const QUEUE: usize = 256;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file.
    #[error("the journal {path} cannot be opened: {why}")]
    Open {
        /// Where it is.
        path: String,
        /// Why.
        why: String,
    },
    /// A step that cannot be written as it is; the file is as it was.
    #[error("the journal refused a step: {0}")]
    Step(String),
    /// The disk. Whether the step is written is decided when the file is opened again, which goes on
    /// by itself; to ask the same again is safe and right.
    #[error("the journal cannot be used: {0}; it is tried again every second")]
    Trouble(String),
    /// The thread is gone.
    #[error("the journal is closed")]
    Closed,
}

/// One change. A list of them is one transaction.
#[derive(Debug, Clone)]
pub enum Change {
    /// The act in this place of the inbox is dealt with.
    Done(u64),
    /// A person.
    User(UserRecord),
    /// A session.
    Session(Box<SessionRecord>),
    /// A closed session.
    DropSession(SessionId),
    /// A turn.
    Turn(Box<TurnRecord>),
    /// A finished turn.
    DropTurn(TurnId),
    /// A question.
    Prompt(Box<PromptRecord>),
    /// A record that a room keeps for itself, under its key; it takes the place of an older one.
    Put(Shelf, String, Vec<u8>),
    /// Such a record is not needed any more.
    Take(Shelf, String),
    /// Something to show.
    Send(Box<Outbound>),
    /// The message in this place of the outbox is confirmed. Forgotten, it is sent once more under
    /// its id, and recognised.
    Sent(u64),
}

impl Change {
    /// What it shows, if it does.
    pub(crate) fn shows(&self) -> Option<&Outbound> {
        match self {
            Self::Send(outbound) => Some(outbound),
            Self::Done(_)
            | Self::User(_)
            | Self::Session(_)
            | Self::DropSession(_)
            | Self::Turn(_)
            | Self::DropTurn(_)
            | Self::Prompt(_)
            | Self::Put(..)
            | Self::Take(..)
            | Self::Sent(_) => None,
        }
    }
}

/// Where a room keeps records that only it reads. The journal knows their keys and nothing of what is
/// in them; how many there may be is the room's to bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Commands that run, or ran.
    Task,
    /// Where a person's commands run.
    Place,
    /// Questions of commands and tools.
    Confirm,
    /// Texts that the model works on.
    Chat,
    /// What was said to the model, and by it.
    Mail,
    /// Files on their way.
    File,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Task,
        Self::Place,
        Self::Confirm,
        Self::Chat,
        Self::Mail,
        Self::File,
    ];

    /// Its name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "shelf_task",
            Self::Place => "shelf_place",
            Self::Confirm => "shelf_confirm",
            Self::Chat => "shelf_chat",
            Self::Mail => "shelf_mail",
            Self::File => "shelf_file",
        }
    }
}

/// A record of a shelf: its key, and what the room wrote.
pub type Kept = (String, Vec<u8>);

/// An act that is written down and not yet dealt with.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its place in the inbox.
    pub place: u64,
    /// The act.
    pub work: Work,
}

/// A message that waits to be confirmed by the broker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Waiting {
    /// Its place in the outbox.
    pub place: u64,
    /// The message.
    pub outbound: Outbound,
}

/// All that was there at the start.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// People.
    pub users: Vec<UserRecord>,
    /// Sessions.
    pub sessions: Vec<SessionRecord>,
    /// Unfinished turns, oldest first.
    pub turns: Vec<TurnRecord>,
    /// Questions of the last days.
    pub prompts: Vec<PromptRecord>,
    /// Acts not yet dealt with, oldest first.
    pub inbox: Vec<Accepted>,
}

enum Request {
    Accept(
        Box<Work>,
        oneshot::Sender<Result<Option<u64>, JournalError>>,
    ),
    Withdraw {
        cause: CauseId,
        changes: Vec<Change>,
        reply: oneshot::Sender<Result<bool, JournalError>>,
    },
    Commit(Vec<Change>, oneshot::Sender<Result<(), JournalError>>),
    Outbox {
        after: u64,
        limit: usize,
        reply: oneshot::Sender<Result<Vec<Waiting>, JournalError>>,
    },
    Prompt(
        PromptId,
        oneshot::Sender<Result<Option<PromptRecord>, JournalError>>,
    ),
    Turn(
        TurnId,
        oneshot::Sender<Result<Option<TurnRecord>, JournalError>>,
    ),
    Seen(CauseId, oneshot::Sender<Result<bool, JournalError>>),
    Shelf(Shelf, oneshot::Sender<Result<Vec<Kept>, JournalError>>),
    Kept(
        Shelf,
        String,
        oneshot::Sender<Result<Option<Vec<u8>>, JournalError>>,
    ),
}

/// A handle on the journal. Cheap to clone; the last one dropped closes the file.
#[derive(Debug, Clone)]
pub struct Journal {
    requests: thread::SyncSender<Request>,
    outbox: watch::Receiver<u64>,
    trouble: watch::Receiver<Option<String>>,
}

impl Journal {
    /// Opens or makes `<data_dir>/journal.redb` and reads what is there. A file that is open in
    /// another process is refused.
    pub fn open(data_dir: &Path) -> Result<(Self, Snapshot), JournalError> {
        let mut store = store::Store::open(data_dir)?;
        let snapshot = store.snapshot()?;
        let (requests, inbox) = thread::sync_channel(QUEUE);
        let (grown, outbox) = watch::channel(0);
        let (told, trouble) = watch::channel(None);
        let owner = owner::Owner::new(data_dir.to_owned(), store, grown, told);
        std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || owner.run(&inbox))
            .map_err(|why| JournalError::Open {
                path: data_dir.display().to_string(),
                why: why.to_string(),
            })?;
        let journal = Self {
            requests,
            outbox,
            trouble,
        };
        Ok((journal, snapshot))
    }

    /// Writes an act down. `None` means that it was written down before, under whatever name.
    pub async fn accept(&self, work: Work) -> Result<Option<u64>, JournalError> {
        self.ask(|reply| Request::Accept(Box::new(work), reply))
            .await
    }

    /// Writes an act down as seen that never came, so that it is not taken if it comes later, and
    /// carries out `changes` with that. False when it came before: then nothing has changed.
    pub async fn withdraw(
        &self,
        cause: CauseId,
        changes: Vec<Change>,
    ) -> Result<bool, JournalError> {
        self.ask(|reply| Request::Withdraw {
            cause,
            changes,
            reply,
        })
        .await
    }

    /// Carries out all of `changes` or none. They are on the disk when this returns, unless all of them
    /// are [`Change::Sent`]: those follow within a second or so.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), JournalError> {
        self.ask(|reply| Request::Commit(changes, reply)).await
    }

    /// Messages behind place `after` that wait to be confirmed, oldest first.
    pub async fn outbox(&self, after: u64, limit: usize) -> Result<Vec<Waiting>, JournalError> {
        self.ask(|reply| Request::Outbox {
            after,
            limit,
            reply,
        })
        .await
    }

    /// A question, also one that is answered.
    pub async fn prompt(&self, id: PromptId) -> Result<Option<PromptRecord>, JournalError> {
        self.ask(|reply| Request::Prompt(id, reply)).await
    }

    /// A turn that is not finished.
    pub async fn turn(&self, id: TurnId) -> Result<Option<TurnRecord>, JournalError> {
        self.ask(|reply| Request::Turn(id, reply)).await
    }

    /// Whether an act was written down before.
    pub async fn seen(&self, cause: CauseId) -> Result<bool, JournalError> {
        self.ask(|reply| Request::Seen(cause, reply)).await
    }

    /// All records of a shelf, in the order of their keys.
    pub async fn shelf(&self, shelf: Shelf) -> Result<Vec<Kept>, JournalError> {
        self.ask(|reply| Request::Shelf(shelf, reply)).await
    }

    /// One record of a shelf.
    pub async fn kept(&self, shelf: Shelf, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let key = key.to_owned();
        self.ask(|reply| Request::Kept(shelf, key, reply)).await
    }

    /// Why nothing can be written at present, in words for the machine's owner; none while all is
    /// well. Follows changes.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.clone()
    }

    /// Changes whenever something new is in the outbox.
    pub fn outbox_grown(&self) -> watch::Receiver<u64> {
        self.outbox.clone()
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, JournalError>>) -> Request,
    ) -> Result<T, JournalError> {
        let (reply, answer) = oneshot::channel();
        let mut request = request(reply);
        // The thread's queue is bounded and drains in milliseconds: yield and try again when full.
        loop {
            match self.requests.try_send(request) {
                Ok(()) => break,
                Err(thread::TrySendError::Full(back)) => {
                    request = back;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Err(thread::TrySendError::Disconnected(_)) => return Err(JournalError::Closed),
            }
        }
        answer.await.map_err(|_| JournalError::Closed)?
    }
}
