//! What the router keeps of single things in a bucket, so that whoever leads next goes on with it.
//!
//! The router in office is the only writer, so its memory is exact; each change is checked against
//! the bucket all the same. What a change means is for whoever makes it.

mod shelf;

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::{Operation, Store, UpdateErrorKind};
use common::message::{decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::bucket;
use crate::users::Stopped;
use shelf::Shelf;

const PAUSE: Duration = Duration::from_millis(300);

/// A record of its own in a bucket.
pub(crate) trait Record: Serialize + DeserializeOwned + PartialEq + Clone {
    /// What it is about.
    type Key: Ord + Clone + Display + Debug;
    /// By what several are asked for at once.
    type Group: Eq + Hash + Clone + Debug;
    /// For log lines.
    const WHAT: &'static str;
    /// How the bucket's keys of these begin.
    const PREFIX: &'static str;

    /// What this one is about.
    fn key(&self) -> Self::Key;

    /// The group that this one belongs to as it is now, if it does.
    fn group(&self) -> Option<Self::Group>;

    /// The bucket's key, which begins with [`Record::PREFIX`].
    fn place(key: &Self::Key) -> String;
}

/// Handle on the records of one kind. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Kept<T: Record> {
    pub(crate) store: Store,
    /// At most what the bucket holds, without what was forgotten.
    shelf: Arc<Mutex<Shelf<T>>>,
    cancel: CancellationToken,
}

impl<T: Record> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            shelf: Arc::clone(&self.shelf),
            cancel: self.cancel.clone(),
        }
    }
}

impl<T: Record> Kept<T> {
    /// Reads what there is.
    pub(crate) async fn open(
        store: Store,
        cancel: CancellationToken,
    ) -> Result<Self, async_nats::Error> {
        let mut shelf = Shelf::default();
        bucket::each(&store, |found| {
            if found.operation != Operation::Put || !found.key.starts_with(T::PREFIX) {
                return;
            }
            match decode::<T>(T::WHAT, &found.value) {
                Ok(record) => shelf.put(Arc::new(record), found.revision),
                Err(why) => warn!(key = found.key, what = T::WHAT, %why, "cannot be read"),
            }
        })
        .await?;
        Ok(Self {
            store,
            shelf: Arc::new(Mutex::new(shelf)),
            cancel,
        })
    }

    /// What is known of this one.
    pub(crate) fn get(&self, key: &T::Key) -> Option<Arc<T>> {
        let shelf = self.lock();
        shelf.known.get(key).map(|known| Arc::clone(&known.record))
    }

    /// All of one group; looks at nothing of others.
    pub(crate) fn of(&self, group: &T::Group) -> Vec<Arc<T>> {
        self.lock().of(group)
    }

    /// All records that fit; looks at every one.
    pub(crate) fn all(&self, fits: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let shelf = self.lock();
        let fitting = shelf.known.values().filter(|known| fits(&known.record));
        fitting.map(|known| Arc::clone(&known.record)).collect()
    }

    /// Changes a record: `next` makes the new one of what stands, or declines. Gives what stands
    /// then. Waits for the broker where it must.
    pub(crate) async fn change(
        &self,
        key: &T::Key,
        next: impl Fn(Option<&T>) -> Option<T>,
    ) -> Result<Option<Arc<T>>, Stopped> {
        loop {
            let (before, revision) = match self.lock().known.get(key) {
                Some(known) => (Some(Arc::clone(&known.record)), known.revision),
                None => (None, 0),
            };
            let Some(wanted) = next(before.as_deref()) else {
                return Ok(before);
            };
            let update = self
                .store
                .update(&T::place(key), encode(&wanted).into(), revision)
                .await;
            match update {
                Ok(revision) => {
                    let record = Arc::new(wanted);
                    self.remember(key, Arc::clone(&record), revision);
                    return Ok(Some(record));
                }
                Err(why) => match why.kind() {
                    // Ours after all, after an answer that was lost, or another router's.
                    UpdateErrorKind::WrongLastRevision => {
                        debug!(%key, what = T::WHAT, "it has changed; read again");
                        if self.refresh(key).await? == Some(wanted) {
                            return Ok(self.get(key));
                        }
                    }
                    UpdateErrorKind::InvalidKey
                    | UpdateErrorKind::TimedOut
                    | UpdateErrorKind::Other => self.pause(key, &why.to_string()).await?,
                },
            }
        }
    }

    async fn refresh(&self, key: &T::Key) -> Result<Option<T>, Stopped> {
        loop {
            match self.store.entry(T::place(key)).await {
                Ok(Some(found)) if found.operation == Operation::Put => {
                    let Ok(record) = decode::<T>(T::WHAT, &found.value) else {
                        warn!(%key, what = T::WHAT, "cannot be read");
                        self.lock().remove(key);
                        return Ok(None);
                    };
                    self.remember(key, Arc::new(record.clone()), found.revision);
                    return Ok(Some(record));
                }
                Ok(_) => {
                    self.lock().remove(key);
                    return Ok(None);
                }
                Err(why) => self.pause(key, &why.to_string()).await?,
            }
        }
    }

    /// Lets go, in memory, of what does not fit.
    pub(crate) fn retain(&self, fits: impl Fn(&T) -> bool) {
        self.lock().retain(fits);
    }

    /// Before the broker is asked once more.
    pub(crate) async fn pause(&self, key: &T::Key, why: &str) -> Result<(), Stopped> {
        warn!(%key, what = T::WHAT, why, "the bucket cannot be reached; again");
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => Ok(()),
            () = self.cancel.cancelled() => Err(Stopped),
        }
    }

    fn remember(&self, key: &T::Key, record: Arc<T>, revision: u64) {
        let mut shelf = self.lock();
        // Somebody beside us may have come further meanwhile.
        let known = shelf.known.get(key);
        if known.is_none_or(|known| known.revision < revision) {
            shelf.put(record, revision);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<T>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
