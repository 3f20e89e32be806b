//! Who is enrolled: the bucket PW_NODES, fed from the hub's own records, with a consumer for the
//! work of each node.
//!
//! One task owns the list; everybody else reads the newest through [`Registry`]. Minting and
//! revoking identities is `common::identity`'s, whether a node is there is `presence`'s.

mod consumers;
mod records;
mod serving;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_nats::jetstream::kv::{Entry, Operation, Store, Watch};
use common::broker::Broker;
use common::identity::{NodeRecord, Serves};
use common::ids::{NodeId, UserId};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::bucket;
use consumers::Consumers;
use records::Stamps;
use serving::Serving;

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
pub(crate) type Nodes = Arc<BTreeMap<NodeId, Arc<Enrolled>>>;

/// Handle on the list. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    nodes: watch::Receiver<Nodes>,
    serving: Arc<RwLock<Serving>>,
    look: Arc<Notify>,
}

impl Registry {
    /// The nodes that the hub lets a person use, by id. What it costs grows with their number and not
    /// with that of all nodes.
    pub(crate) fn serving(&self, user: &UserId) -> Vec<(NodeId, Arc<Enrolled>)> {
        let granted = {
            let serving = self.serving.read().unwrap_or_else(PoisonError::into_inner);
            serving.of(user)
        };
        let nodes = self.nodes.borrow();
        let known = |node: NodeId| nodes.get(&node).map(|one| (node, Arc::clone(one)));
        // The list may be a moment behind or ahead: both have to say so.
        let known = granted.into_iter().filter_map(known);
        known.filter(|(_, one)| one.serves.lets_in(user)).collect()
    }

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
    store: Store,
    /// The folder `nodes` of the hub's data; none where the router is not on the hub.
    folder: Option<PathBuf>,
    folder_read_at: Option<SystemTime>,
    stamps: Stamps,
    records: BTreeMap<NodeId, NodeRecord>,
    /// Records from the folder that the bucket does not have yet.
    unwritten: BTreeSet<NodeId>,
    /// What the records come to, and whether everybody has been told.
    enrolled: BTreeMap<NodeId, Arc<Enrolled>>,
    changed: bool,
    serving: Arc<RwLock<Serving>>,
    consumers: Consumers,
    nodes: watch::Sender<Nodes>,
    look: Arc<Notify>,
}

/// Opens the bucket, takes in what it holds and what the hub's records say, and begins to make the
/// missing consumers. The task then keeps all of it up to date.
///
/// # Errors
/// When the bucket cannot be read.
pub(crate) async fn open(
    broker: &Broker,
    store: Store,
    data_dir: Option<PathBuf>,
) -> Result<(Registry, Task), async_nats::Error> {
    let (nodes, receiver) = watch::channel(Nodes::default());
    let registry = Registry {
        nodes: receiver,
        serving: Arc::default(),
        look: Arc::new(Notify::new()),
    };
    let mut task = Task {
        store,
        folder: data_dir.map(|dir| dir.join("nodes")),
        folder_read_at: None,
        stamps: Stamps::default(),
        records: BTreeMap::new(),
        unwritten: BTreeSet::new(),
        enrolled: BTreeMap::new(),
        changed: false,
        serving: Arc::clone(&registry.serving),
        consumers: Consumers::new(broker.clone()),
        nodes,
        look: Arc::clone(&registry.look),
    };
    bucket::each(&task.store.clone(), |entry| task.take(&entry)).await?;
    task.read_folder().await;
    task.publish();
    task.consumers.find().await;
    task.consumers.make().await;
    Ok((registry, task))
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
                        self.consumers.again();
                        self.consumers.clear(&self.records).await;
                    }
                    entry = next(&mut changes) => if !self.take_all(entry, &mut changes) {
                        break;
                    },
                    // A few at a time, so that a thousand new nodes hold up nothing else.
                    () = std::future::ready(()), if self.consumers.wants() => {
                        self.consumers.make().await;
                    }
                }
            }
        }
    }

    /// Takes a change of the bucket and all that have come with it: the whole bucket comes when the
    /// watch begins, and everybody is told of it once. False when the watch has ended.
    fn take_all(&mut self, first: Option<Entry>, changes: &mut Watch) -> bool {
        let mut entry = Some(first);
        let going = loop {
            match entry {
                Some(Some(found)) => self.take(&found),
                Some(None) => break false,
                None => break true,
            }
            entry = next(changes).now_or_never();
        };
        self.publish();
        going
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
        let mut stamps = std::mem::take(&mut self.stamps);
        let read = tokio::task::spawn_blocking(move || {
            let found = records::read(&folder, &mut stamps);
            (found, stamps)
        });
        // Without the stamps all of them are read again.
        let Ok((found, stamps)) = read.await else {
            return;
        };
        self.stamps = stamps;
        for (id, record) in found {
            if self.records.get(&id) != Some(&record) {
                self.unwritten.insert(id.clone());
                self.set(id, Some(record));
            }
        }
        // They count from here on, whether the bucket can be written now or later.
        self.publish();
        if self.write_bucket().await {
            // The folder's time moves in steps of milliseconds: two changes in one step look like
            // one. A time counts as read only once it is surely over.
            self.folder_read_at = changed_at.filter(|at| records::is_over(*at));
        }
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
                Ok(record) if record.id == id.as_str() => self.set(id, Some(record)),
                Ok(record) => {
                    warn!(node = %id, says = %record.id, "a record is about another node; passed over");
                }
                Err(why) => warn!(node = %id, %why, "a record cannot be read; passed over"),
            },
            Operation::Delete | Operation::Purge => self.set(id, None),
        }
    }

    /// Puts one record into the list, or takes it out. What it costs does not grow with the list.
    fn set(&mut self, id: NodeId, record: Option<NodeRecord>) {
        if self.records.get(&id) == record.as_ref() {
            return;
        }
        let valid = record.as_ref().filter(|one| one.revoked_at.is_none());
        let now = valid.map(|one| Arc::new(records::enrolled(one)));
        match record {
            Some(record) => self.records.insert(id.clone(), record),
            None => self.records.remove(&id),
        };
        if self.enrolled.get(&id) == now.as_ref() {
            return;
        }
        let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = self.enrolled.remove(&id) {
            serving.remove(&id, &before);
        }
        match now {
            Some(now) => {
                serving.add(&id, &now);
                self.consumers.want(&id);
                self.enrolled.insert(id, now);
            }
            None => self.consumers.forget(&id),
        }
        self.changed = true;
    }

    /// Tells everybody of the list, if it has changed.
    fn publish(&mut self) {
        if std::mem::take(&mut self.changed) {
            info!(nodes = self.enrolled.len(), "the list of nodes has changed");
            self.nodes.send_replace(Arc::new(self.enrolled.clone()));
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
