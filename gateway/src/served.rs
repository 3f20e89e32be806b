//! Whom a node may speak to. The broker sees to it that a node speaks in its own name only; to whom,
//! is a matter of the hub's record of it, and that is looked at here, before anything is shown.
//!
//! The router looks at the same record before it gives a node work. This here is for a node that
//! speaks without having been asked.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::identity::{NodeRecord, Serves};
use common::ids::{NodeId, UserId};
use common::metrics::{Counts, Metrics};
use common::stream::KV_NODES;
use moka::sync::Cache;
use tokio::time::Instant;
use tracing::warn;

use crate::bucket::newest;

/// A record counts this long before it is read again, so this is how late a grant that was taken
/// back is noticed. One that was given is noticed at once: nothing is refused by an old record.
const FRESH: Duration = Duration::from_secs(5);
/// What is old is still good for previews, which wait for nothing; then it is forgotten.
const KEPT: Duration = Duration::from_secs(60);
/// Records in memory; any other is read again.
const CACHED: u64 = 20_000;

/// Whether a node may speak to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// It serves them.
    Yes,
    /// It does not.
    No,
    /// The hub's list does not have it, or not yet.
    Unknown,
}

/// What is known without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glance {
    /// Whether it may be shown.
    pub(crate) shows: bool,
    /// Whether the record is to be read again, with [`Served::look`].
    pub(crate) look: bool,
}

#[derive(Debug, Clone)]
struct Held {
    serves: Arc<Serves>,
    read_at: Instant,
}

/// The hub's records, as far as they are needed. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    broker: Broker,
    held: Cache<NodeId, Held>,
    refused: Counts,
}

impl Served {
    pub(crate) fn new(broker: Broker, metrics: &Metrics) -> Self {
        Self {
            broker,
            held: Cache::builder()
                .max_capacity(CACHED)
                .time_to_live(KEPT)
                .build(),
            refused: metrics.counts(
                "gateway_replies_refused",
                "Replies of a node to people whom it does not serve; they were dropped",
                "node",
            ),
        }
    }

    /// Whether `node` may speak to `user`.
    ///
    /// # Errors
    /// Why the record cannot be read now, for the log.
    pub(crate) async fn lets_in(&self, node: &NodeId, user: &UserId) -> Result<Word, String> {
        if let Some(held) = self.held.get(node)
            && held.read_at.elapsed() < FRESH
            && held.serves.lets_in(user)
        {
            return Ok(Word::Yes);
        }
        Ok(match self.read(node).await? {
            Some(serves) if serves.lets_in(user) => Word::Yes,
            Some(_) => Word::No,
            None => Word::Unknown,
        })
    }

    /// The same by what is in memory, without waiting.
    pub(crate) fn glance(&self, node: &NodeId, user: &UserId) -> Glance {
        let Some(held) = self.held.get(node) else {
            return Glance {
                shows: false,
                look: true,
            };
        };
        Glance {
            shows: held.serves.lets_in(user),
            look: held.read_at.elapsed() >= FRESH,
        }
    }

    /// Reads a node's record for the next glance.
    pub(crate) async fn look(&self, node: &NodeId) {
        if let Err(why) = self.read(node).await {
            warn!(%node, %why, "cannot read whom a node serves; its previews wait");
        }
    }

    /// Says in the log and the metric that something was dropped.
    pub(crate) fn refuse(&self, node: &NodeId, user: &UserId, what: &str) {
        warn!(code = "not-served", %node, %user, what, "dropped: this node does not serve this person");
        self.refused.add(node.as_str());
    }

    async fn read(&self, node: &NodeId) -> Result<Option<Arc<Serves>>, String> {
        let read_at = Instant::now();
        let Some(found) = newest(&self.broker, KV_NODES, node.as_str()).await? else {
            return Ok(None);
        };
        // A record that was deleted is an empty one.
        let record: Option<NodeRecord> = serde_json::from_slice(&found.payload).ok();
        let serves = record
            .filter(|record| record.id == node.as_str())
            .map(|record| Arc::new(record.served()));
        match &serves {
            Some(serves) => {
                let serves = Arc::clone(serves);
                self.held.insert(node.clone(), Held { serves, read_at });
            }
            None => self.held.invalidate(node),
        }
        Ok(serves)
    }
}
