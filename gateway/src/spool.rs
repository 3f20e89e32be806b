//! Taps that the broker could not confirm in time, kept on our own disk until it does.
//!
//! A platform asks once what becomes of a tap and never repeats it, so a tap that has to wait for
//! the broker would be lost, or the person would have to look after it. Here it is written down, and
//! the person is told so; `drain` publishes it under its own cause as soon as the broker is back.
//! Messages do not come here: the platform, or the page, repeats them until they are safe.
//!
//! One thread owns the file (`store`); the handle in front is cheap to clone. While acts of a person
//! are kept, later ones have to go behind them ([`Spool::holds`], [`Spool::wait_for_none_of`]).

mod drain;
mod store;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::broker::Broker;
use common::health::Health;
use common::ids::{CauseId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use self::store::Store;

/// Acts kept, over all people; one more is not taken, and the person is told.
const MOST: usize = 2_000;
/// Acts of one person kept; the same.
const MOST_OF_ONE: usize = 100;
/// What is older goes, with a line in the log: the turn that it was about has long been settled.
const LIFE: Duration = Duration::from_secs(72 * 3600);
/// Requests waiting for the owner. At the bound callers wait.
const QUEUE: usize = 256;
/// Acts written in one step, so that many at once cost one wait for the disk.
const AT_ONCE: usize = 64;

/// An act that waits for the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Who did it.
    pub user: UserId,
    /// Its id; what the stream recognises a repeat by.
    pub cause: CauseId,
    /// Where it is to be published.
    pub subject: String,
    /// W3C trace context of the act.
    pub trace: String,
    /// The whole message, JSON.
    pub payload: String,
    /// When it was written down.
    pub at: DateTime<Utc>,
}

/// Why an act was not kept. Nothing is remembered of it.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The bound of one person, or of all.
    #[error("{0} acts are waiting for the broker already")]
    Full(usize),
    /// The file cannot be written now; it is tried again with the next act, and every 10 s.
    #[error("{0}")]
    Disk(String),
    /// Its owner has ended.
    #[error("the gateway is stopping")]
    Closed,
}

enum Request {
    Keep(Box<Kept>, oneshot::Sender<Result<(), SpoolError>>),
    /// The oldest acts of each person: people in order of their oldest.
    Next(oneshot::Sender<Vec<Vec<(u64, Kept)>>>),
    Remove(Vec<u64>),
    /// Opens what can be opened, takes over what other processes left, drops what is too old.
    Tidy(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// The handle.
#[derive(Debug, Clone)]
pub struct Spool {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
}

/// What callers may look at without asking the owner, who alone changes it.
#[derive(Debug, Default)]
struct Shared {
    people: Mutex<HashMap<UserId, usize>>,
    changed: Notify,
}

impl Shared {
    fn of(&self, user: &UserId) -> usize {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.get(user).copied().unwrap_or(0)
    }

    fn is_empty(&self) -> bool {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.is_empty()
    }

    fn set(&self, people: HashMap<UserId, usize>) {
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) = people;
        self.changed.notify_waiters();
    }
}

impl Spool {
    /// Starts the owner and the drainer on `tracker`. A folder that cannot be written is no error
    /// here: acts are then not kept, which people and `/health` are told, and it is tried again.
    pub fn start(
        folder: PathBuf,
        broker: &Broker,
        health: Health,
        tracker: &TaskTracker,
        cancel: &CancellationToken,
    ) -> std::io::Result<Self> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let spool = Self {
            requests,
            shared: Arc::default(),
        };
        let owner = Owner {
            folder,
            store: None,
            shared: Arc::clone(&spool.shared),
            health,
            told: None,
        };
        std::thread::Builder::new()
            .name("tap-spool".into())
            .spawn(move || owner.run(queue))?;
        tracker.spawn(drain::run(spool.clone(), broker.clone(), cancel.clone()));
        Ok(spool)
    }

    /// Whether acts of this person are kept.
    pub fn holds(&self, user: &UserId) -> bool {
        self.shared.of(user) > 0
    }

    /// Returns once no acts of this person are kept.
    pub async fn wait_for_none_of(&self, user: &UserId) {
        loop {
            let changed = self.shared.changed.notified();
            if !self.holds(user) {
                return;
            }
            changed.await;
        }
    }

    /// Writes an act down. On `Ok` it is on the disk and will be published; a repeat of the same
    /// cause is kept once. Dropped before its end, the act is in general not kept.
    pub async fn keep(&self, kept: Kept) -> Result<(), SpoolError> {
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(Request::Keep(Box::new(kept), answer))
            .await
            .map_err(|_| SpoolError::Closed)?;
        answered.await.map_err(|_| SpoolError::Closed)?
    }

    /// Lets go of the file, after what was asked before. What is kept is published by whoever opens
    /// it next.
    pub async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Close(answer)).await.is_ok() {
            // An error means that it is closed already.
            let _ = answered.await;
        }
    }

    async fn next(&self) -> Vec<Vec<(u64, Kept)>> {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Next(answer)).await.is_err() {
            return Vec::new();
        }
        answered.await.unwrap_or_default()
    }

    async fn remove(&self, places: Vec<u64>) {
        // An error means that we are stopping: what is left is published again, and recognised.
        let _ = self.requests.send(Request::Remove(places)).await;
    }

    async fn tidy(&self) {
        let (answer, answered) = oneshot::channel();
        if self.requests.send(Request::Tidy(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

/// The thread that owns the file.
struct Owner {
    folder: PathBuf,
    store: Option<Store>,
    shared: Arc<Shared>,
    health: Health,
    /// What `/health` was told last: how many, and what is wrong.
    told: Option<(usize, Option<String>)>,
}

impl Owner {
    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        self.tidy();
        let mut ahead = None;
        while let Some(request) = ahead.take().or_else(|| queue.blocking_recv()) {
            match request {
                Request::Keep(kept, answer) => {
                    let mut batch = vec![(*kept, answer)];
                    while batch.len() < AT_ONCE {
                        match queue.try_recv() {
                            Ok(Request::Keep(kept, answer)) => batch.push((*kept, answer)),
                            Ok(other) => {
                                ahead = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.keep(batch);
                }
                Request::Next(answer) => {
                    let next = self.store.as_ref().map(Store::next).unwrap_or_default();
                    let _ = answer.send(next);
                }
                Request::Remove(places) => {
                    // If that fails they are published again, and the stream recognises them.
                    let _ = self.on_disk(|store| store.remove(&places));
                }
                Request::Tidy(answer) => {
                    self.tidy();
                    let _ = answer.send(());
                }
                Request::Close(answer) => {
                    drop(self);
                    let _ = answer.send(());
                    return;
                }
            }
        }
    }

    fn keep(&mut self, batch: Vec<(Kept, oneshot::Sender<Result<(), SpoolError>>)>) {
        let mut people = self.people();
        let mut all: usize = people.values().sum();
        let (mut acts, mut answers) = (Vec::new(), Vec::new());
        for (kept, answer) in batch {
            // Whoever asked has given up, and has told the person so.
            if answer.is_closed() {
                continue;
            }
            let mine = people.entry(kept.user.clone()).or_default();
            if *mine >= MOST_OF_ONE || all >= MOST {
                let count = if *mine >= MOST_OF_ONE { *mine } else { all };
                let _ = answer.send(Err(SpoolError::Full(count)));
                continue;
            }
            *mine += 1;
            all += 1;
            acts.push(kept);
            answers.push(answer);
        }
        let done = self.on_disk(|store| store.add(acts));
        for answer in answers {
            let _ = answer.send(done.clone().map_err(SpoolError::Disk));
        }
    }

    fn tidy(&mut self) {
        let oldest = Utc::now() - chrono::TimeDelta::from_std(LIFE).unwrap_or_default();
        // What is wrong was told, and it is tried again.
        let _ = self.on_disk(|store| {
            store.take_over_others()?;
            for gone in store.drop_older(oldest)? {
                error!(user = %gone.user, cause = %gone.cause, at = %gone.at,
                    "a tap that was kept for the broker is too old and is let go");
            }
            Ok(())
        });
    }

    /// Does something with the file, opening it first where it is not; shows how it stands.
    fn on_disk<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, store::Any>,
    ) -> Result<T, String> {
        let outcome = Self::opened(&mut self.store, &self.folder)
            .and_then(work)
            .map_err(|why| format!("{} cannot be written: {why}", self.folder.display()));
        if outcome.is_err() {
            // A database that met an error of the disk stays useless until it is opened again.
            self.store = None;
        }
        // What the disk holds is what counts for the order, also while it cannot be read.
        if self.store.is_some() {
            self.shared.set(self.people());
        }
        self.tell(outcome.as_ref().err().cloned());
        outcome
    }

    fn opened<'a>(
        store: &'a mut Option<Store>,
        folder: &Path,
    ) -> Result<&'a mut Store, store::Any> {
        match store {
            Some(open) => Ok(open),
            None => Ok(store.insert(Store::open(folder)?)),
        }
    }

    fn people(&self) -> HashMap<UserId, usize> {
        self.store.as_ref().map(Store::people).unwrap_or_default()
    }

    fn tell(&mut self, wrong: Option<String>) {
        let count = self.people().values().sum();
        let now = (count, wrong);
        if self.told.as_ref() == Some(&now) {
            return;
        }
        let was_wrong = self.told.as_ref().is_some_and(|(_, wrong)| wrong.is_some());
        match &now.1 {
            Some(why) if !was_wrong => warn!(%why, "taps cannot be kept while the broker is away"),
            None if was_wrong => info!("taps can be kept again"),
            Some(_) | None => {}
        }
        let detail = json!({"kept": now.0, "why": now.1});
        self.health.set("taps", now.1.is_none(), detail);
        self.told = Some(now);
    }
}
