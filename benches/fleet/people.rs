//! The people of a fleet: who uses which node, what the router remembers of them, what they say, and
//! the gateway that carries it in and shows what comes back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use common::broker::{Ack, Broker};
use common::ids::{CauseId, MessageId, Surface, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};
use common::message::outbound::{Outbound, OutboundBody};
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::node::{Board, lock};

/// People who have a node as their chosen one; as many more may use it.
pub(crate) const OF_A_NODE: usize = 20;
/// Records written side by side.
const AT_ONCE: usize = 512;

/// A node's id, by number.
pub(crate) fn node_id(node: usize) -> String {
    format!("node-{node:05}")
}

/// A person's id, by number; as long as those of Feishu.
pub(crate) fn user_id(user: usize) -> UserId {
    UserId::new(Surface::Feishu, format!("ou_{user:032x}")).expect("an id")
}

/// The node that a person has chosen. Those beyond the fleet's room use none of it: the router knows
/// them from earlier, and they say nothing.
fn home(user: usize) -> usize {
    user / OF_A_NODE
}

/// Whom a node serves: its own people, and those of the node before it, so that everybody has two.
pub(crate) fn served_by(node: usize, nodes: usize) -> Vec<UserId> {
    let before = (node + nodes - 1) % nodes;
    let of = |node: usize| node * OF_A_NODE..(node + 1) * OF_A_NODE;
    let mut all: Vec<usize> = of(node).chain(of(before)).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(user_id).collect()
}

/// Writes the records of so many people into the users' bucket, as the router writes them.
pub(crate) async fn write_records(inside: &Broker, users: usize) {
    let puts = (0..users).map(|user| async move {
        let node = node_id(home(user));
        let record = serde_json::json!({"active": node, "lang": "en", "chosen": [[1, node]]});
        let subject = format!("$KV.{}.{}", stream::KV_USERS, user_id(user));
        let payload = record.to_string().into();
        inside.jetstream().publish(subject, payload).await?.await
    });
    futures_util::stream::iter(puts)
        .buffer_unordered(AT_ONCE)
        .try_for_each(async |_| Ok(()))
        .await
        .expect("the bucket takes all records");
}

/// The gateway's side.
pub(crate) struct Gateway {
    broker: Broker,
    board: Arc<Board>,
    run: Uuid,
    said: AtomicU64,
    shown: Arc<Shown>,
    tasks: TaskTracker,
    readers: [JoinHandle<()>; 2],
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

/// What came out.
#[derive(Default)]
struct Shown {
    previews: AtomicU64,
    cards: AtomicU64,
    /// Who waits for the router's own answer to what.
    asked: Mutex<HashMap<CauseId, oneshot::Sender<()>>>,
}

impl Gateway {
    pub(crate) async fn start(broker: Broker, board: Arc<Board>) -> Self {
        let shown = Arc::new(Shown::default());
        let previews = subject::delta_of(Surface::Feishu);
        let mut previews = broker.client().subscribe(previews).await.expect("heard");
        let count = Arc::clone(&shown);
        let hear = async move {
            while previews.next().await.is_some() {
                count.previews.fetch_add(1, Ordering::Relaxed);
            }
        };
        let readers = [
            tokio::spawn(hear),
            tokio::spawn(show(broker.clone(), Arc::clone(&shown))),
        ];
        Self {
            readers,
            broker,
            board,
            run: Uuid::new_v4(),
            said: AtomicU64::new(0),
            shown,
            tasks: TaskTracker::new(),
        }
    }

    /// Previews and cards so far.
    pub(crate) fn shown(&self) -> (u64, u64) {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (count(&self.shown.previews), count(&self.shown.cards))
    }

    fn cause(&self) -> CauseId {
        let number = self.said.fetch_add(1, Ordering::Relaxed);
        let native = format!("om_{}-{number}", self.run.simple());
        CauseId::new(Surface::Feishu, &native)
    }

    /// Carries in what a person says; returns when the stream has it.
    async fn put(&self, user: usize, cause: CauseId, text: &str) -> Ack {
        let user = user_id(user);
        let trace = format!("00-{}-b7ad6b7169203331-01", Uuid::new_v4().simple());
        let inbound = Inbound {
            meta: Meta::new(
                MessageId::derived(&["inbound", cause.as_str()]),
                cause.clone(),
                trace.clone(),
            ),
            user: user.clone(),
            chat: Chat {
                id: format!("oc_{}", user.native()),
                kind: ChatKind::Direct,
                message: Some(cause.to_string()),
            },
            lang: Some(Lang::En),
            body: InboundBody::Text { text: text.into() },
        };
        let subject = subject::inbound_message(&user);
        let never = CancellationToken::new();
        let payload = encode(&inbound).into();
        let stored =
            self.broker
                .publish_until_acked(&subject, cause.as_str(), &trace, payload, &never);
        stored.await.expect("room in PW_IN")
    }

    /// The same for work, whose arrival is waited for: the board knows since when it is under way.
    pub(crate) async fn send(&self, user: usize) {
        let cause = self.cause();
        self.board.sends(&cause);
        self.put(user, cause, &"Please look at the tests. ".repeat(4))
            .await;
    }

    /// People say something at a steady rate, one after the other; returns when all is said, in how
    /// many messages.
    pub(crate) async fn steady(self: &Arc<Self>, users: usize, rate: u32, time: Duration) -> u32 {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / rate);
        let count = rate * u32::try_from(time.as_secs()).expect("a short time");
        for one in 0..count {
            tick.tick().await;
            // A stride that meets everybody before anybody again.
            let user = (one as usize * 7919) % users;
            let gateway = Arc::clone(self);
            self.tasks.spawn(async move { gateway.send(user).await });
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
        count
    }

    /// Asks for `/nodes` and waits for the card; gives how long that took.
    pub(crate) async fn nodes(&self, user: usize) -> Duration {
        let cause = self.cause();
        let (tell, told) = oneshot::channel();
        lock(&self.shown.asked).insert(cause.clone(), tell);
        let begun = tokio::time::Instant::now();
        self.put(user, cause, "/nodes").await;
        told.await.expect("the gateway reads on");
        begun.elapsed()
    }
}

/// Takes what is to be shown, as fast as it comes. Platforms' limits are not what is measured.
async fn show(broker: Broker, shown: Arc<Shown>) {
    loop {
        let found = broker
            .jetstream()
            .get_consumer_from_stream(Surface::Feishu.as_str(), stream::OUT)
            .await;
        let Ok::<PullConsumer, _>(consumer) = found else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let reading = consumer.stream().max_messages_per_batch(256).messages();
        let Ok(mut messages) = reading.await else {
            continue;
        };
        while let Some(message) = messages.next().await {
            // A missing heartbeat, as after a restart; it goes on by itself.
            let Ok(message) = message else { continue };
            let _ = message.ack().await;
            let Ok(outbound) = decode::<Outbound>("outbound", &message.payload) else {
                continue;
            };
            if let OutboundBody::Card { .. } = outbound.body {
                shown.cards.fetch_add(1, Ordering::Relaxed);
            }
            if message.subject.starts_with("pw.out.router.")
                && let Some(tell) = lock(&shown.asked).remove(&outbound.meta.cause)
            {
                let _ = tell.send(());
            }
        }
    }
}
