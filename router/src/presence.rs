//! Which nodes are there: from their beats, from what the broker tells of lost connections, and,
//! where it matters, by asking the node itself.
//!
//! One task owns the table (`table`); [`Presence`] is the handle. Who may beat at all is
//! `registry`'s; what people are told is `dispatch`'s.

pub(crate) mod keep;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::jetstream::kv::Store;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use common::broker::Broker;
use common::identity::{NODE_DISCONNECTED, node_of_event};
use common::ids::{BootId, NodeId};
use common::message::control::{Heartbeat, Verb};
use common::message::decode;
use common::subject;
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

pub(crate) use table::{Overview, Seen, State};

use crate::registry::Registry;
use table::{Beat, Table};

/// How long a node has to answer a live request.
const ASK_WAIT: Duration = Duration::from_secs(2);
/// A beat not older than this is as good as an answer: one interval and a little.
const FRESH: chrono::TimeDelta = chrono::TimeDelta::seconds(12);
/// Beats of nodes that are not on the list (yet), kept until the list has been read again. At the
/// bound further ones are dropped; an enrolled node beats again.
const STRANGERS: usize = 64;

/// What the owner is asked or told.
#[derive(Debug)]
enum Ask {
    Life(NodeId, oneshot::Sender<Option<Seen>>),
    Of(Vec<NodeId>, oneshot::Sender<BTreeMap<NodeId, Seen>>),
    Overview(oneshot::Sender<Overview>),
    States(oneshot::Sender<BTreeMap<NodeId, State>>),
    Beat(Heartbeat),
    Gone(NodeId, BootId),
}

/// Handle on who is there. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Presence {
    ask: mpsc::Sender<Ask>,
    broker: Broker,
}

/// Opens the bucket of last beats, takes them in, and starts listening. The tasks end with
/// `cancel`.
pub(crate) async fn start(
    broker: &Broker,
    store: Store,
    registry: &Registry,
    tasks: &TaskTracker,
    cancel: &CancellationToken,
) -> Result<Presence, async_nats::Error> {
    let beats = broker.client().subscribe(subject::HEARTBEAT_ALL).await?;
    let lost = broker.client().subscribe(NODE_DISCONNECTED).await?;
    let table = Table::new(keep::read(&store).await);
    // Whoever asks waits for an answer, so the bound only slows down a burst of beats.
    let (ask, asked) = mpsc::channel(256);
    let presence = Presence {
        ask,
        broker: broker.clone(),
    };
    let keeper = keep::Keeper::start(store, tasks, cancel);
    tasks.spawn(own(table, asked, registry.clone(), keeper, cancel.clone()));
    tasks.spawn(listen(beats, presence.clone(), cancel.clone()));
    tasks.spawn(follow(
        lost,
        presence.clone(),
        tasks.clone(),
        cancel.clone(),
    ));
    Ok(presence)
}

impl Presence {
    /// What is known of a node, without asking it; none if it was never heard of.
    pub(crate) async fn life(&self, node: &NodeId) -> Option<Seen> {
        let (tell, told) = oneshot::channel();
        self.ask.send(Ask::Life(node.clone(), tell)).await.ok()?;
        told.await.ok().flatten()
    }

    /// What is known of these nodes; those never heard of are missing.
    pub(crate) async fn of(&self, nodes: Vec<NodeId>) -> BTreeMap<NodeId, Seen> {
        let (tell, told) = oneshot::channel();
        self.tell(Ask::Of(nodes, tell)).await;
        told.await.unwrap_or_default()
    }

    /// How many enrolled nodes are on, and which of those are in trouble.
    pub(crate) async fn overview(&self) -> Overview {
        let (tell, told) = oneshot::channel();
        self.tell(Ask::Overview(tell)).await;
        told.await.unwrap_or_default()
    }

    /// Of all nodes that were ever heard of, whether they are there.
    pub(crate) async fn states(&self) -> BTreeMap<NodeId, State> {
        let (tell, told) = oneshot::channel();
        self.tell(Ask::States(tell)).await;
        told.await.unwrap_or_default()
    }

    /// Whether a node is there, as surely as can be known: with no fresh beat the node is asked,
    /// which takes at most 2 s. One that does not answer counts as off for the asker, though its
    /// state changes only after the usual silence.
    pub(crate) async fn check(&self, node: &NodeId) -> State {
        let Some(seen) = self.life(node).await else {
            return State::Never;
        };
        let now = Utc::now();
        if seen.state(now) == State::On && now - seen.last <= FRESH {
            return State::On;
        }
        // Also one that counts as off: it may have come back since, and where nobody listens the
        // broker says so at once.
        if self.reach(node, seen.boot).await {
            State::On
        } else {
            State::Off { since: seen.last }
        }
    }

    /// The same, asked whatever was heard last, and with at most `wait` for the answer.
    pub(crate) async fn ask(&self, node: &NodeId, wait: Duration) -> State {
        let Some(seen) = self.life(node).await else {
            return State::Never;
        };
        let reached = tokio::time::timeout(wait, self.reach(node, seen.boot)).await;
        if reached.unwrap_or(false) {
            return State::On;
        }
        // It may have started anew while we waited.
        match self.life(node).await {
            Some(now) if now.boot != seen.boot && now.state(Utc::now()) == State::On => State::On,
            Some(_) | None => State::Off { since: seen.last },
        }
    }

    /// Asks one start of a node whether it is there, and tells the table what comes of it.
    async fn reach(&self, node: &NodeId, boot: BootId) -> bool {
        let subject = subject::control(node, boot, Verb::Status);
        let request = self.broker.client().request(subject, Bytes::new());
        match tokio::time::timeout(ASK_WAIT, request).await {
            Ok(Ok(message)) => match decode::<Heartbeat>("heartbeat", &message.payload) {
                Ok(beat) if beat.node == *node && beat.boot == boot => {
                    self.tell(Ask::Beat(beat)).await;
                    true
                }
                Ok(beat) => {
                    warn!(%node, says = %beat.node, "a node answered for another; passed over");
                    false
                }
                Err(why) => {
                    warn!(%node, %why, "a node's answer cannot be read");
                    false
                }
            },
            Ok(Err(why)) if why.kind() == RequestErrorKind::NoResponders => {
                self.tell(Ask::Gone(node.clone(), boot)).await;
                false
            }
            Ok(Err(why)) => {
                debug!(%node, %why, "asking a node failed");
                false
            }
            Err(_) => {
                debug!(%node, "a node does not answer");
                false
            }
        }
    }

    async fn tell(&self, ask: Ask) {
        // The owner ends with the router; then nobody needs to know.
        let _ = self.ask.send(ask).await;
    }
}

async fn own(
    mut table: Table,
    mut asked: mpsc::Receiver<Ask>,
    registry: Registry,
    keeper: keep::Keeper,
    cancel: CancellationToken,
) {
    let mut strangers: BTreeMap<NodeId, Heartbeat> = BTreeMap::new();
    let mut changes = registry.changes();
    // The memory may hold nodes that have been removed since.
    changes.mark_changed();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let ask = tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {
                for node in table.silent(Utc::now()) {
                    info!(%node, "node is off: no sign of life");
                }
                continue;
            }
            Ok(()) = changes.changed() => {
                let nodes = registry.nodes();
                table.forget(|node| !nodes.contains_key(node));
                let (known, unknown) = std::mem::take(&mut strangers)
                    .into_iter()
                    .partition(|(node, _)| nodes.contains_key(node));
                strangers = unknown;
                let known: BTreeMap<NodeId, Heartbeat> = known;
                for beat in known.into_values() {
                    take(&mut table, beat, &keeper);
                }
                continue;
            }
            ask = asked.recv() => ask,
        };
        match ask {
            None => return,
            Some(Ask::Life(node, tell)) => {
                let _ = tell.send(table.get(&node).cloned());
            }
            Some(Ask::Of(nodes, tell)) => {
                let known = nodes
                    .into_iter()
                    .filter_map(|node| table.get(&node).cloned().map(|seen| (node, seen)))
                    .collect();
                let _ = tell.send(known);
            }
            Some(Ask::Overview(tell)) => {
                let _ = tell.send(table.overview(Utc::now()));
            }
            Some(Ask::States(tell)) => {
                let _ = tell.send(table.states(Utc::now()));
            }
            Some(Ask::Gone(node, boot)) => {
                if let Some(seen) = table.gone(&node, boot) {
                    info!(%node, "node is off: nobody listens any more");
                    keeper.keep(&node, seen);
                }
            }
            Some(Ask::Beat(beat)) => {
                if registry.nodes().contains_key(&beat.node) {
                    take(&mut table, beat, &keeper);
                } else {
                    registry.look();
                    if strangers.len() < STRANGERS || strangers.contains_key(&beat.node) {
                        debug!(node = %beat.node, "a node that is not enrolled (yet) beats");
                        strangers.insert(beat.node.clone(), beat);
                    }
                }
            }
        }
    }
}

fn take(table: &mut Table, beat: Heartbeat, keeper: &keep::Keeper) {
    let node = beat.node.clone();
    let now = Utc::now();
    match table.beat(beat, now) {
        Beat::Came => info!(%node, "node is on"),
        Beat::Left => info!(%node, "node has left"),
        Beat::Usual => {}
        Beat::Stale => {
            debug!(%node, "the end of an earlier start of this node; passed over");
            return;
        }
    }
    if let Some(seen) = table.get(&node) {
        keeper.keep(&node, seen);
    }
}

/// Hands on the beats whose subject and content agree.
async fn listen(mut beats: async_nats::Subscriber, presence: Presence, cancel: CancellationToken) {
    loop {
        let message = tokio::select! {
            () = cancel.cancelled() => return,
            message = beats.next() => match message {
                Some(message) => message,
                None => return,
            },
        };
        // The broker lets a node publish on its own subject only, so the subject is the truth.
        let sender = subject::parse_heartbeat(&message.subject);
        match decode::<Heartbeat>("heartbeat", &message.payload) {
            Ok(beat) if sender.as_ref() == Some(&beat.node) => presence.tell(Ask::Beat(beat)).await,
            Ok(beat) => {
                warn!(subject = %message.subject, says = %beat.node, "a beat for another node; passed over");
            }
            Err(why) => {
                warn!(subject = %message.subject, %why, "a beat cannot be read; passed over");
            }
        }
    }
}

/// The broker's word that a node's connection is gone: ask the node whether it is. It may have
/// another one already, so the word alone does not count.
async fn follow(
    mut lost: async_nats::Subscriber,
    presence: Presence,
    tasks: TaskTracker,
    cancel: CancellationToken,
) {
    loop {
        let message = tokio::select! {
            () = cancel.cancelled() => return,
            message = lost.next() => match message {
                Some(message) => message,
                None => return,
            },
        };
        let node: Option<NodeId> = node_of_event(&message.payload).and_then(|id| id.parse().ok());
        let Some(node) = node else { continue };
        let (presence, cancel) = (presence.clone(), cancel.clone());
        tasks.spawn(async move {
            let Some(seen) = presence.life(&node).await else {
                return;
            };
            if matches!(seen.state(Utc::now()), State::On) {
                tokio::select! {
                    there = presence.reach(&node, seen.boot) => {
                        debug!(%node, there, "its connection is gone; asked");
                    }
                    () = cancel.cancelled() => {}
                }
            }
        });
    }
}

/// Seconds from `then` to now; zero if `then` is ahead of our clock.
pub(crate) fn seconds_since(then: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    u64::try_from((now - then).num_seconds()).unwrap_or(0)
}
