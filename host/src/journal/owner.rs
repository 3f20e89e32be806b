//! The journal's thread: carries out what is asked, in whole transactions, and keeps the file open
//! for as long as the disk lets it.
//!
//! After one write that failed the database refuses everything until it is opened anew, and whether
//! that write is on the disk shows only then. So a step that fails is refused to whoever asked for
//! it, the file is closed, and opened again every second until it works; what a failed step may have
//! left is then taken back (acts, which the broker delivers again) or remembered (messages, which
//! their sender adds again). All other changes mean the same however often they are made.
//!
//! That a message is sent is all that is not waited for: it goes to the disk with the next step, or
//! by itself soon after. Dying before that sends the message once more under its id, as dying
//! between sending and marking does anyway; and a flush for it would hold up the next act.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::mpsc::{self as thread, RecvTimeoutError};
use std::time::{Duration, Instant};

use chrono::Utc;
use common::ids::MessageId;
use tokio::sync::watch;
use tracing::{error, info};

use super::store::{Added, Step, Store};
use super::{Change, JournalError, QUEUE, Request};

/// How often a file that had to be closed is tried again.
const REOPEN_EVERY: Duration = Duration::from_secs(1);
/// How often a journal that stays open lets go of what is old.
const PRUNE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// How long marks of what was sent may be in memory alone.
const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// Tells a caller how its step went, once the transaction is decided.
type Answer = Box<dyn FnOnce(Result<(), JournalError>)>;

/// Owner of the file.
pub(super) struct Owner {
    data_dir: PathBuf,
    /// None while the disk refuses.
    store: Option<Store>,
    /// What failed steps may have left. Two at most: a step, and the one that opened the file again.
    unclear: Vec<Added>,
    /// Messages of failed steps that are in the outbox all the same, until they are added again.
    /// Bounded by what the sessions write at once: each goes on when its step is written.
    there: HashSet<MessageId>,
    grown: watch::Sender<u64>,
    trouble: watch::Sender<Option<String>>,
    pruned: Instant,
    /// By when what is committed in memory alone has to be on the disk; none if all is.
    settle: Option<Instant>,
}

impl Owner {
    pub(super) fn new(
        data_dir: PathBuf,
        store: Store,
        grown: watch::Sender<u64>,
        trouble: watch::Sender<Option<String>>,
    ) -> Self {
        Self {
            data_dir,
            store: Some(store),
            unclear: Vec::new(),
            there: HashSet::new(),
            grown,
            trouble,
            pruned: Instant::now(),
            settle: None,
        }
    }

    /// Works until all handles are gone.
    pub(super) fn run(mut self, inbox: &thread::Receiver<Request>) {
        let mut next_try = Instant::now();
        loop {
            let first = if let Some(store) = &self.store {
                let next = match self.settle {
                    None => inbox.recv().map_err(RecvTimeoutError::from),
                    Some(due) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
                };
                match next {
                    Ok(first) => first,
                    Err(ended) => {
                        let settled = match self.settle.take() {
                            None => Ok(()),
                            Some(_) => store.begin().and_then(Step::commit),
                        };
                        if ended == RecvTimeoutError::Disconnected {
                            return;
                        }
                        if let Err(why) = settled {
                            next_try = self.close(why.to_string());
                        }
                        continue;
                    }
                }
            } else {
                let wait = next_try.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    self.reopen();
                    next_try = Instant::now() + REOPEN_EVERY;
                    continue;
                }
                match inbox.recv_timeout(wait) {
                    Ok(first) => first,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            };
            // Requests that have piled up share one transaction, so one disk flush.
            let batch: Vec<Request> = std::iter::once(first)
                .chain(inbox.try_iter().take(QUEUE))
                .collect();
            match self.store.take() {
                Some(store) => match self.serve(&store, batch) {
                    Ok(()) => self.store = Some(store),
                    Err(why) => next_try = self.close(why),
                },
                None => self.refuse(batch),
            }
        }
    }

    /// Closes the file, which is tried again at the time given back.
    fn close(&mut self, why: String) -> Instant {
        error!(%why, "the journal is closed and opened again");
        self.store = None;
        // What was in memory alone is forgotten: those messages are sent again.
        self.settle = None;
        self.tell(Some(why));
        Instant::now()
    }

    /// Carries out a batch. An error means that the file has to be opened again.
    fn serve(&mut self, store: &Store, batch: Vec<Request>) -> Result<(), String> {
        let mut failed: Option<String> = None;
        let mut look = |why: &JournalError| {
            if let JournalError::Trouble(why) = why {
                failed.get_or_insert_with(|| why.clone());
            }
        };
        let mut replies: Vec<Answer> = Vec::new();
        // Messages that the step adds, or finds added.
        let mut sends: Vec<MessageId> = Vec::new();
        // A step that failed half-way must not be kept, and it shares its transaction: then all
        // of the batch is refused, and nothing of it has happened.
        let mut broken = false;
        // Whether somebody acts on it.
        let mut waited_for = false;
        let mut step = store
            .begin()
            .inspect_err(&mut look)
            .map_err(|why| why.to_string());
        for request in batch {
            match request {
                Request::Accept(work, reply) => {
                    waited_for = true;
                    let done = begun(&mut step, |step| step.accept(&work));
                    broken |= done.is_err();
                    let _ = done.as_ref().inspect_err(|why| look(why));
                    replies.push(Box::new(move |committed| {
                        let _ = reply.send(done.and_then(|value| committed.map(|()| value)));
                    }));
                }
                Request::Withdraw {
                    cause,
                    changes,
                    reply,
                } => {
                    waited_for = true;
                    sends.extend(changes.iter().filter_map(sent_by));
                    let done = begun(&mut step, |step| {
                        step.withdraw(&cause, &changes, &self.there)
                    });
                    broken |= done.is_err();
                    let _ = done.as_ref().inspect_err(|why| look(why));
                    replies.push(Box::new(move |committed| {
                        let _ = reply.send(done.and_then(|value| committed.map(|()| value)));
                    }));
                }
                Request::Commit(changes, reply) => {
                    waited_for |= !changes.iter().all(only_marks);
                    sends.extend(changes.iter().filter_map(sent_by));
                    let done = begun(&mut step, |step| step.apply(&changes, &self.there));
                    broken |= done.is_err();
                    let _ = done.as_ref().inspect_err(|why| look(why));
                    replies.push(Box::new(move |committed| {
                        let _ = reply.send(done.and(committed));
                    }));
                }
                Request::Outbox {
                    after,
                    limit,
                    reply,
                } => {
                    let _ = reply.send(store.outbox(after, limit).inspect_err(&mut look));
                }
                Request::Prompt(id, reply) => {
                    let _ = reply.send(store.prompt(id).inspect_err(&mut look));
                }
                Request::Turn(id, reply) => {
                    let _ = reply.send(store.turn(id).inspect_err(&mut look));
                }
                Request::Seen(cause, reply) => {
                    let _ = reply.send(store.seen(&cause).inspect_err(&mut look));
                }
                Request::Shelf(shelf, reply) => {
                    let _ = reply.send(store.shelf(shelf).inspect_err(&mut look));
                }
                Request::Kept(shelf, key, reply) => {
                    let _ = reply.send(store.kept(shelf, &key).inspect_err(&mut look));
                }
            }
        }
        if let Ok(step) = &step
            && !replies.is_empty()
            && self.pruned.elapsed() >= PRUNE_EVERY
        {
            waited_for = true;
            self.pruned = Instant::now();
            broken |= step.prune(Utc::now()).inspect_err(&mut look).is_err();
        }
        let committed = match step {
            Ok(_) if broken => Err(JournalError::Step("a step beside it failed".into())),
            Ok(step) if !replies.is_empty() && !waited_for => {
                let due = Instant::now() + SETTLE_AFTER;
                self.settle.get_or_insert(due);
                step.commit_later().inspect_err(&mut look)
            }
            Ok(mut step) if !replies.is_empty() => {
                self.settle = None;
                let added = step.take_added();
                step.commit().inspect_err(|why| {
                    look(why);
                    self.unclear.push(added);
                })
            }
            Ok(_) | Err(_) => Ok(()),
        };
        if committed.is_ok() && !broken {
            for id in &sends {
                self.there.remove(id);
            }
        }
        for reply in replies {
            reply(match &committed {
                Ok(()) => Ok(()),
                Err(JournalError::Trouble(why)) => Err(JournalError::Trouble(why.clone())),
                Err(other) => Err(JournalError::Step(other.to_string())),
            });
        }
        if !sends.is_empty() {
            self.grown.send_modify(|n| *n += 1);
        }
        failed.map_or(Ok(()), Err)
    }

    fn refuse(&self, batch: Vec<Request>) {
        let why = self.trouble.borrow().clone().unwrap_or_default();
        let why = || JournalError::Trouble(why.clone());
        // Whoever asked may be gone; then nobody needs to know.
        for request in batch {
            match request {
                Request::Accept(_, reply) => drop(reply.send(Err(why()))),
                Request::Withdraw { reply, .. } => drop(reply.send(Err(why()))),
                Request::Commit(_, reply) => drop(reply.send(Err(why()))),
                Request::Outbox { reply, .. } => drop(reply.send(Err(why()))),
                Request::Prompt(_, reply) => drop(reply.send(Err(why()))),
                Request::Turn(_, reply) => drop(reply.send(Err(why()))),
                Request::Seen(_, reply) => drop(reply.send(Err(why()))),
                Request::Shelf(_, reply) => drop(reply.send(Err(why()))),
                Request::Kept(_, _, reply) => drop(reply.send(Err(why()))),
            }
        }
    }

    fn reopen(&mut self) {
        match Store::reopen(&self.data_dir, &self.unclear) {
            Ok((store, there)) => {
                info!("the journal works again");
                self.store = Some(store);
                self.unclear.clear();
                self.there.extend(there);
                self.tell(None);
                // What a failed step left in the outbox waits there for nobody's word.
                self.grown.send_modify(|n| *n += 1);
            }
            Err(JournalError::Trouble(why)) => self.tell(Some(why)),
            Err(other) => self.tell(Some(other.to_string())),
        }
    }

    fn tell(&self, trouble: Option<String>) {
        self.trouble.send_if_modified(|told| {
            let news = *told != trouble;
            if news && let Some(why) = &trouble {
                error!(%why, "the journal cannot be used; trying on");
            }
            *told = trouble;
            news
        });
    }
}

/// A part of the step, if it could be begun at all.
fn begun<T>(
    step: &mut Result<Step, String>,
    act: impl FnOnce(&mut Step) -> Result<T, JournalError>,
) -> Result<T, JournalError> {
    match step {
        Ok(step) => act(step),
        Err(why) => Err(JournalError::Trouble(why.clone())),
    }
}

fn sent_by(change: &Change) -> Option<MessageId> {
    change.shows().map(|outbound| outbound.meta.id)
}

/// Whether a change is a mark that nobody acts on.
fn only_marks(change: &Change) -> bool {
    match change {
        Change::Sent(_) => true,
        Change::Done(_)
        | Change::User(_)
        | Change::Session(_)
        | Change::DropSession(_)
        | Change::Turn(_)
        | Change::DropTurn(_)
        | Change::Prompt(_)
        | Change::Put(..)
        | Change::Take(..)
        | Change::Send(_) => false,
    }
}
