//! Who is enrolled: the bucket PW_NODES, fed from the hub's own records, with a consumer for the
//! work of each node.
//!
//! One task owns the list; everybody else reads the newest through [`Registry`]. Minting and
//! revoking identities is `common::identity`'s, whether a node is there is `presence`'s.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_nats::jetstream::kv::{Entry, Operation, Store, Watch};
use common::broker::Broker;
use common::identity::{NodeRecord, Serves};
use common::ids::NodeId;
use futures_util::StreamExt as _;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{bucket, provision};

/// Age from which on a folder's time is surely over.
const SETTLED: Duration = Duration::from_secs(1);
/// Work that lies for a removed node is told within seconds; what is known of it is kept this long.
const CLEARED_AFTER: Duration = Duration::from_secs(120);
/// Removed nodes that are cleared in one look.
const CLEARED_AT_ONCE: usize = 16;
/// How often the folder of records is looked at; it is read only when it has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A node that may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enrolled {
    /// What the hub calls it; may be empty.
    pub(crate) name: String,
    /// Whom the hub lets use it.
    pub(crate) serves: Serves,
}

/// The enrolled nodes, without the revoked ones.
pub(crate) type Nodes = Arc<BTreeMap<NodeId, Enrolled>>;

/// Handle on the list. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    nodes: watch::Receiver<Nodes>,
    look: Arc<Notify>,
}

impl Registry {
    /// The list as it is now.
    pub(crate) fn nodes(&self) -> Nodes {
        Arc::clone(&self.nodes.borrow())
    }

    /// Follows changes of the list.
    pub(crate) fn changes(&self) -> watch::Receiver<Nodes> {
        self.nodes.clone()
    }

    /// Asks for a look at the hub's records now: somebody has come who is not on the list. Asking
    /// often is cheap; the folder is read only when it has changed.
    pub(crate) fn look(&self) {
        self.look.notify_one();
    }
}

/// The owner of the list, ready to run.
pub(crate) struct Task {
    broker: Broker,
    store: Store,
    /// The folder `nodes` of the hub's data; none where the router is not on the hub.
    folder: Option<PathBuf>,
    folder_read_at: Option<SystemTime>,
    records: BTreeMap<NodeId, NodeRecord>,
    /// Records from the folder that the bucket does not have yet.
    unwritten: BTreeSet<NodeId>,
    /// Nodes whose consumer is known to be there.
    consumers: BTreeSet<NodeId>,
    /// Removed nodes whose consumer is known not to be there.
    cleared: BTreeSet<NodeId>,
    nodes: watch::Sender<Nodes>,
    look: Arc<Notify>,
}

/// Opens the bucket, takes in what it holds and what the hub's records say, and makes the missing
/// consumers. The task then keeps all of it up to date.
///
/// # Errors
/// When the bucket cannot be read.
pub(crate) async fn open(
    broker: &Broker,
    store: Store,
    data_dir: Option<PathBuf>,
) -> Result<(Registry, Task), async_nats::Error> {
    let (nodes, receiver) = watch::channel(Nodes::default());
    let look = Arc::new(Notify::new());
    let mut task = Task {
        broker: broker.clone(),
        store,
        folder: data_dir.map(|dir| dir.join("nodes")),
        folder_read_at: None,
        records: BTreeMap::new(),
        unwritten: BTreeSet::new(),
        consumers: BTreeSet::new(),
        cleared: BTreeSet::new(),
        nodes,
        look: Arc::clone(&look),
    };
    for entry in bucket::read_all(&task.store).await? {
        task.take(&entry);
    }
    task.read_folder().await;
    task.publish();
    task.make_consumers().await;
    Ok((
        Registry {
            nodes: receiver,
            look,
        },
        task,
    ))
}

impl Task {
    /// Runs until `cancel`. The watch of the bucket is opened again whenever it ends.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last_look = Instant::now();
        while !cancel.is_cancelled() {
            let mut changes = match self.store.watch_with_history(">").await {
                Ok(changes) => changes,
                Err(why) => {
                    warn!(%why, "cannot watch the list of nodes yet; again");
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(500)) => continue,
                        () = cancel.cancelled() => return,
                    }
                }
            };
            loop {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    // Strangers may beat all the time; four looks a second are enough.
                    () = self.look.notified() => if last_look.elapsed() > Duration::from_millis(250) {
                        last_look = Instant::now();
                        self.read_folder().await;
                    },
                    _ = tick.tick() => {
                        self.read_folder().await;
                        self.make_consumers().await;
                        self.clear_consumers().await;
                    }
                    entry = next(&mut changes) => match entry {
                        Some(entry) => {
                            self.take(&entry);
                            self.publish();
                            self.make_consumers().await;
                        }
                        None => break,
                    },
                }
            }
        }
    }

    /// Reads the hub's records if the folder has changed, and puts what is new into the bucket.
    /// The hub's own word counts: a record of the same id in the bucket is replaced.
    async fn read_folder(&mut self) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        // Records are replaced by renaming, which changes the folder's own time. Taken before
        // reading, so that a change in between is seen at the next look.
        let changed_at = std::fs::metadata(&folder)
            .and_then(|data| data.modified())
            .ok();
        if changed_at.is_none() || changed_at == self.folder_read_at {
            return;
        }
        let read = tokio::task::spawn_blocking(move || records::read(&folder)).await;
        let Ok(found) = read else { return };
        for (id, record) in found {
            if self.records.get(&id) != Some(&record) {
                self.unwritten.insert(id.clone());
                self.records.insert(id, record);
            }
        }
        // They count from here on, whether the bucket can be written now or later.
        self.publish();
        if self.write_bucket().await {
            // The folder's time moves in steps of milliseconds: two changes in one step look like
            // one. A time counts as read only once it is surely over.
            self.folder_read_at =
                changed_at.filter(|at| at.elapsed().is_ok_and(|age| age > SETTLED));
        }
        self.make_consumers().await;
    }

    /// Puts what is new into the bucket; false if that has to be tried again.
    async fn write_bucket(&mut self) -> bool {
        while let Some(id) = self.unwritten.first() {
            if let Some(Ok(value)) = self.records.get(id).map(serde_json::to_vec)
                && let Err(why) = self.store.put(id.as_str(), value.into()).await
            {
                warn!(node = %id, %why, "cannot write the list of nodes yet; again");
                return false;
            }
            debug!(node = %id, "record taken into the list");
            self.unwritten.pop_first();
        }
        true
    }

    /// Takes one change of the bucket.
    fn take(&mut self, entry: &Entry) {
        let Ok(id) = entry.key.parse::<NodeId>() else {
            warn!(key = %entry.key, "a key in the list of nodes is not a node id; passed over");
            return;
        };
        if self.unwritten.contains(&id) {
            // The hub's own record is newer and on its way.
            return;
        }
        match entry.operation {
            Operation::Put => match serde_json::from_slice::<NodeRecord>(&entry.value) {
                Ok(record) if record.id == id.as_str() => {
                    self.records.insert(id, record);
                }
                Ok(record) => {
                    warn!(node = %id, says = %record.id, "a record is about another node; passed over");
                }
                Err(why) => warn!(node = %id, %why, "a record cannot be read; passed over"),
            },
            Operation::Delete | Operation::Purge => {
                self.records.remove(&id);
            }
        }
    }

    fn publish(&self) {
        let nodes: BTreeMap<NodeId, Enrolled> = self
            .records
            .iter()
            .filter(|(_, record)| record.revoked_at.is_none())
            .map(|(id, record)| (id.clone(), records::enrolled(record)))
            .collect();
        self.nodes.send_if_modified(|now| {
            let changed = **now != nodes;
            if changed {
                info!(nodes = nodes.len(), "the list of nodes has changed");
                *now = Arc::new(nodes);
            }
            changed
        });
    }

    /// Makes the consumers that are missing. What cannot be made now is tried again at each look;
    /// work for that node waits in the stream meanwhile.
    async fn make_consumers(&mut self) {
        let nodes = Arc::clone(&self.nodes.borrow());
        self.consumers.retain(|node| nodes.contains_key(node));
        for node in nodes.keys() {
            if self.consumers.contains(node) {
                continue;
            }
            match provision::node_consumer(&self.broker, node).await {
                Ok(()) => {
                    debug!(%node, "consumer for its work is in place");
                    self.consumers.insert(node.clone());
                }
                Err(why) => {
                    warn!(%node, %why, "cannot make the consumer for its work yet; again");
                    return;
                }
            }
        }
    }
}

impl Task {
    /// Removes the consumers of removed nodes, once nothing lies for them: until then it is known from them what a
    /// node can have had.
    async fn clear_consumers(&mut self) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let long_ago = |at: i64| {
            u64::try_from(at).is_ok_and(|at| at.saturating_add(CLEARED_AFTER.as_secs()) < now)
        };
        self.cleared.retain(|node| {
            let record = self.records.get(node);
            record.is_some_and(|record| record.revoked_at.is_some())
        });
        let due: Vec<NodeId> = self
            .records
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

/// The next change; none when the watch has ended and must be opened again.
async fn next(changes: &mut Watch) -> Option<Entry> {
    match changes.next().await {
        Some(Ok(entry)) => Some(entry),
        Some(Err(why)) => {
            debug!(%why, "the watch of the list of nodes ended");
            None
        }
        None => None,
    }
}
