//! A consumer for the work of each node: which are there, making those that are missing, and
//! removing those of removed nodes.
//!
//! All that are there are found by reading their list, a page of hundreds at a time: asking for each
//! of them would make the start of a router as slow as its hub is large.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use common::broker::Broker;
use common::identity::NodeRecord;
use common::ids::NodeId;
use futures_util::StreamExt as _;
use tracing::{debug, warn};

use crate::provision;

/// Made in one step, and side by side.
const IN_A_STEP: usize = 64;
const AT_ONCE: usize = 16;
/// Work that lies for a removed node is told within seconds; what is known of it is kept this long.
const CLEARED_AFTER: Duration = Duration::from_secs(120);
/// Removed nodes that are cleared in one look.
const CLEARED_AT_ONCE: usize = 16;

/// What is known of the consumers. Bounded by the records.
pub(super) struct Consumers {
    broker: Broker,
    /// Known to be there.
    there: BTreeSet<NodeId>,
    /// To be made.
    missing: BTreeSet<NodeId>,
    /// The last attempt failed; the next one comes with the next look.
    held_up: bool,
    /// Removed nodes whose consumer is known not to be there.
    cleared: BTreeSet<NodeId>,
}

impl Consumers {
    pub(super) fn new(broker: Broker) -> Self {
        Self {
            broker,
            there: BTreeSet::new(),
            missing: BTreeSet::new(),
            held_up: false,
            cleared: BTreeSet::new(),
        }
    }

    /// A node is to have one.
    pub(super) fn want(&mut self, node: &NodeId) {
        if !self.there.contains(node) {
            self.missing.insert(node.clone());
        }
    }

    /// A node is to have none any more; it is removed later, by [`Self::clear`].
    pub(super) fn forget(&mut self, node: &NodeId) {
        self.there.remove(node);
        self.missing.remove(node);
    }

    /// Whether there is something to make now.
    pub(super) fn wants(&self) -> bool {
        !self.missing.is_empty() && !self.held_up
    }

    /// What could not be made is tried again.
    pub(super) fn again(&mut self) {
        self.held_up = false;
    }

    /// Finds those that are there already, as they have to be.
    pub(super) async fn find(&mut self) {
        if self.missing.is_empty() {
            return;
        }
        match provision::node_consumers(&self.broker).await {
            Ok(found) => {
                for node in found {
                    if self.missing.remove(&node) {
                        self.there.insert(node);
                    }
                }
            }
            // Making one that is there changes nothing.
            Err(why) => debug!(%why, "the list of consumers cannot be read; each is asked for"),
        }
    }

    /// Makes some of those that are missing. What cannot be made now is tried again; work for that
    /// node waits in the stream meanwhile.
    pub(super) async fn make(&mut self) {
        let step: Vec<NodeId> = self.missing.iter().take(IN_A_STEP).cloned().collect();
        let broker = &self.broker;
        let made = step.into_iter().map(|node| async move {
            let outcome = provision::node_consumer(broker, &node).await;
            (node, outcome)
        });
        let mut made = futures_util::stream::iter(made).buffer_unordered(AT_ONCE);
        while let Some((node, outcome)) = made.next().await {
            match outcome {
                Ok(()) => {
                    debug!(%node, "consumer for its work is in place");
                    self.missing.remove(&node);
                    self.there.insert(node);
                }
                Err(why) => {
                    warn!(%node, %why, "cannot make the consumer for its work yet; again");
                    self.held_up = true;
                    return;
                }
            }
        }
    }

    /// Removes the consumers of removed nodes, once nothing lies for them: until then it is known
    /// from them what a node can have had.
    pub(super) async fn clear(&mut self, records: &BTreeMap<NodeId, NodeRecord>) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let long_ago = |at: i64| {
            u64::try_from(at).is_ok_and(|at| at.saturating_add(CLEARED_AFTER.as_secs()) < now)
        };
        self.cleared.retain(|node| {
            let record = records.get(node);
            record.is_some_and(|record| record.revoked_at.is_some())
        });
        let due: Vec<NodeId> = records
            .iter()
            .filter(|(node, record)| {
                record.revoked_at.is_some_and(long_ago) && !self.cleared.contains(*node)
            })
            .map(|(node, _)| node.clone())
            .take(CLEARED_AT_ONCE)
            .collect();
        for node in due {
            match provision::clear_node(&self.broker, &node).await {
                Ok(true) => {
                    self.cleared.insert(node);
                }
                // Somebody is told of what lies there first.
                Ok(false) => {}
                Err(why) => debug!(%node, %why, "cannot remove the consumer of a removed node yet"),
            }
        }
    }
}
