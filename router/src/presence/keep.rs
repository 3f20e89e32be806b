//! Last beats in the bucket PW_PRESENCE, so that a new router knows what the old one knew.
//!
//! It is a memory, not the truth: a write that fails is made up for by a later beat.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_nats::jetstream::kv::{Operation, Store};
use common::ids::NodeId;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::table::Seen;
use crate::bucket;

/// A node's usual beats are written no more often than this; what changes its state always is.
const EVERY: Duration = Duration::from_secs(30);
/// How long reading or writing may take before it is given up.
const WAIT: Duration = Duration::from_secs(5);

/// Writes beats behind the owner's back, so that a slow broker does not hold it up.
pub(super) struct Keeper {
    write: mpsc::Sender<(NodeId, Seen)>,
}

impl Keeper {
    pub(super) fn start(store: Store, tasks: &TaskTracker, cancel: &CancellationToken) -> Self {
        let (write, mut to_write) = mpsc::channel::<(NodeId, Seen)>(1024);
        let cancel = cancel.clone();
        tasks.spawn(async move {
            // Bounded by the enrolled nodes: only their beats come here.
            let mut written: HashMap<NodeId, (Seen, Instant)> = HashMap::new();
            loop {
                let (node, seen) = tokio::select! {
                    () = cancel.cancelled() => return,
                    next = to_write.recv() => match next {
                        Some(next) => next,
                        None => return,
                    },
                };
                let usual = written.get(&node).is_some_and(|(before, when)| {
                    before.boot == seen.boot && before.gone == seen.gone && when.elapsed() < EVERY
                });
                if usual {
                    continue;
                }
                let Ok(value) = serde_json::to_vec(&seen) else {
                    continue;
                };
                let put = store.put(node.as_str(), value.into());
                match tokio::time::timeout(WAIT, put).await {
                    Ok(Ok(_)) => {
                        written.insert(node, (seen, Instant::now()));
                    }
                    Ok(Err(why)) => debug!(%node, %why, "last beat not written"),
                    Err(_) => debug!(%node, "last beat not written in time"),
                }
            }
        });
        Self { write }
    }

    /// Writes it soon. At the bound it is dropped; the next beat comes in 10 s.
    pub(super) fn keep(&self, node: &NodeId, seen: &Seen) {
        let _ = self.write.try_send((node.clone(), seen.clone()));
    }
}

/// What an earlier router knew; nothing if it cannot be read, as beats come soon.
pub(crate) async fn read(store: &Store) -> BTreeMap<NodeId, Seen> {
    let entries = match tokio::time::timeout(WAIT, bucket::read_all(store)).await {
        Ok(Ok(entries)) => entries,
        Ok(Err(why)) => {
            warn!(%why, "earlier beats cannot be read; waiting for new ones");
            Vec::new()
        }
        Err(_) => {
            warn!("earlier beats cannot be read in time; waiting for new ones");
            Vec::new()
        }
    };
    entries
        .into_iter()
        .filter(|entry| entry.operation == Operation::Put)
        .filter_map(|entry| {
            Some((
                entry.key.parse().ok()?,
                serde_json::from_slice(&entry.value).ok()?,
            ))
        })
        .collect()
}
