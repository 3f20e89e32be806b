//! The assistant of smart mode: plain text goes to a chat model with tools. One text of a person at a
//! time, in order; the texts behind it wait in the inbox of the journal, so nothing of them is lost.
//!
//! Owned here: who has what running and waiting. How one text is worked on is `chat`'s, what was cut off is
//! `cut_off`'s, what was said before is `history`'s, what the model may use is `tools`'.
//!
//! A text is written down as begun before the model hears of it. After a crash it is not run again by
//! itself, as its tools may have done something: the card says what was done, and the person decides.

mod chat;
mod cut_off;
mod history;
mod live;
mod owner;
mod persona;
mod record;
mod tools;

use std::collections::VecDeque;

use common::ids::TurnId;
use common::llm::Llm;
use common::message::view::Recovery;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::cards::Frame;
use crate::context::{Context, Origin};
use crate::grounds::Grounds;
use crate::journal::Change;
use history::{Exchange, History};
#[cfg(test)]
pub(crate) use live::{interrupted, queued};
pub(crate) use owner::run;
use record::ChatRecord;

/// Requests on their way to the owner; above that, the desk waits for the journal, which is what
/// the owner waits for.
const MAILBOX: usize = 64;
/// Texts of one person that wait; the next is refused with a word.
const MAX_WAITING: usize = 20;
/// A handle on the assistant. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Mailboy {
    requests: mpsc::Sender<Request>,
    llm: Llm,
}

/// Where the owner hears what is asked of it.
#[derive(Debug)]
pub(crate) struct Inbox(mpsc::Receiver<Request>);

/// What a person has here, as the model is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    /// The sessions, one line each; empty without any.
    pub(crate) sessions: String,
    /// Files that the person sent and that go with the next message to a session: their paths.
    pub(crate) files: Vec<String>,
}

/// A text for the model.
#[derive(Debug)]
pub(crate) struct Letter {
    /// Its place in the inbox.
    pub(crate) place: u64,
    pub(crate) origin: Origin,
    pub(crate) grounds: Grounds,
    pub(crate) scene: Scene,
    pub(crate) text: String,
}

#[derive(Debug)]
enum Request {
    Hand(Box<Letter>),
    Stop {
        place: u64,
        origin: Box<Origin>,
        turn: Option<TurnId>,
        known: oneshot::Sender<bool>,
    },
    Recover {
        letter: Box<Letter>,
        turn: TurnId,
        choice: Recovery,
        known: oneshot::Sender<bool>,
    },
    Forget {
        place: u64,
        origin: Box<Origin>,
    },
}

/// A letter, and what it takes up again.
struct Job {
    letter: Letter,
    again: Option<ChatRecord>,
}

/// What became of a text.
struct End {
    changes: Vec<Change>,
    /// What was said before, and now; none if nothing is to be remembered.
    said: Option<(History, Exchange)>,
    /// It can be taken up again.
    cut_off: bool,
}

struct Running {
    turn: TurnId,
    again: Option<TurnId>,
    cancel: CancellationToken,
    /// What was said is forgotten meanwhile.
    forget: bool,
}

/// One person; here only while something of theirs runs or waits.
#[derive(Default)]
struct Person {
    running: Option<Running>,
    waiting: VecDeque<Job>,
}

impl Mailboy {
    /// A handle, and what [`run`] needs; requests wait until that runs.
    pub(crate) fn new(llm: Llm) -> (Self, Inbox) {
        let (requests, inbox) = mpsc::channel(MAILBOX);
        (Self { requests, llm }, Inbox(inbox))
    }

    /// Name of the model.
    pub(crate) fn model(&self) -> &str {
        self.llm.model()
    }

    /// Hands a text over; its card follows.
    pub(crate) async fn hand(&self, letter: Letter) {
        let _ = self.requests.send(Request::Hand(Box::new(letter))).await;
    }

    /// Stops a text of this person that runs, or takes one back that waits: the one that was meant, or
    /// whatever runs. True: it was one of these, and the act is settled.
    pub(crate) async fn stop(&self, place: u64, origin: &Origin, turn: Option<TurnId>) -> bool {
        let (known, told) = oneshot::channel();
        let request = Request::Stop {
            place,
            origin: Box::new(origin.clone()),
            turn,
            known,
        };
        self.requests.send(request).await.is_ok() && told.await.unwrap_or(false)
    }

    /// A choice on a text that was cut off; `letter` is the act that chose. True: it was one of these,
    /// and the act is settled.
    pub(crate) async fn recover(&self, letter: Letter, turn: TurnId, choice: Recovery) -> bool {
        let (known, told) = oneshot::channel();
        let request = Request::Recover {
            letter: Box::new(letter),
            turn,
            choice,
            known,
        };
        self.requests.send(request).await.is_ok() && told.await.unwrap_or(false)
    }

    /// Forgets what was said, and says so.
    pub(crate) async fn forget(&self, place: u64, origin: &Origin) {
        let origin = Box::new(origin.clone());
        let _ = self.requests.send(Request::Forget { place, origin }).await;
    }
}

/// The frame of all cards here.
fn frame<'a>(context: &'a Context, origin: &Origin, name: &'a str) -> Frame<'a> {
    Frame {
        node: &context.name,
        dir: name,
        lang: origin.lang,
    }
}
