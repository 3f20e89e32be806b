//! A node as the broker and the router see one: its own identity and connection, its consumer read
//! by the code that hosts read theirs with, the beats, the answers to the router, and for each piece
//! of work a card, three previews and an answer.
//!
//! What a whole host has beside this stays at home and is left out: a journal that flushes the disk
//! twice for a message, and a process of the agent for each session. Thousands of those would measure
//! this machine's disk and memory and nothing of hub or router.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, Outcome, consume};
use common::identity::Creds;
use common::ids::{BootId, CardId, CauseId, MessageId, NodeId, TurnId};
use common::message::control::{HEARTBEAT_EVERY, Heartbeat, Verb};
use common::message::outbound::{Outbound, OutboundBody, Preview};
use common::message::view::{Block, View};
use common::message::work::Work;
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use futures_util::StreamExt as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::hub::connect;

/// As `host/src/beat.rs` beats just after its start.
const EAGER_BEATS: u32 = 8;
const EAGER_EVERY: Duration = Duration::from_secs(1);
const PREVIEWS: u32 = 3;
const PREVIEW_EVERY: Duration = Duration::from_millis(250);

/// What was sent, and what came of it. Shared by all nodes.
#[derive(Default)]
pub(crate) struct Board {
    /// What is under way, and since when.
    sent: Mutex<HashMap<CauseId, Instant>>,
    took: Mutex<Vec<Duration>>,
    /// Work that nobody had sent, or that came a second time.
    pub(crate) strange: AtomicU64,
}

impl Board {
    pub(crate) fn sends(&self, cause: &CauseId) {
        lock(&self.sent).insert(cause.clone(), Instant::now());
    }

    fn came(&self, cause: &CauseId) {
        match lock(&self.sent).remove(cause) {
            Some(since) => lock(&self.took).push(since.elapsed()),
            None => {
                self.strange.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many are under way.
    pub(crate) fn under_way(&self) -> usize {
        lock(&self.sent).len()
    }

    /// How long each took that has arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut lock(&self.took))
    }

    /// Forgets what is under way, as what waits for nodes that are off.
    pub(crate) fn forget(&self) {
        lock(&self.sent).clear();
    }
}

/// One node that runs.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    broker: Broker,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    pub(crate) async fn start(url: &str, creds: Creds, board: Arc<Board>) -> Self {
        let id: NodeId = creds.name().parse().expect("a node's id");
        let broker = connect(url, creds).await;
        let stop = CancellationToken::new();
        let boot = BootId::new();
        // Other starts of the same id would say so here; see host/src/claim.rs.
        let alive = subject::alive("node", id.as_str());
        let rivals = broker.client().subscribe(alive).await.expect("subscribed");
        let asked = subject::control_of(&id, boot);
        let asked = broker.client().subscribe(asked).await.expect("subscribed");
        let life = Life {
            id: id.clone(),
            boot,
            broker: broker.clone(),
        };
        let tasks = vec![
            tokio::spawn(life.live(rivals, asked, stop.clone())),
            tokio::spawn(work(id.clone(), broker.clone(), board, stop.clone())),
        ];
        Self {
            id,
            broker,
            stop,
            tasks,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        *self.broker.up().borrow()
    }

    /// An orderly end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.expect("no panic in a node");
        }
        self.broker.close().await;
    }
}

/// What tells others that the node lives.
struct Life {
    id: NodeId,
    boot: BootId,
    broker: Broker,
}

impl Life {
    fn beat(&self, leaving: bool) -> Vec<u8> {
        encode(&Heartbeat {
            node: self.id.clone(),
            boot: self.boot,
            name: format!("Machine {}", self.id),
            description: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            serves: Vec::new(),
            sessions: 1,
            running: 0,
            load: None,
            trouble: None,
            leaving,
            sent_at: Utc::now(),
        })
    }

    async fn say(&self, subject: String, payload: Vec<u8>) {
        let sent = self.broker.client().publish(subject, payload.into());
        let _ = tokio::time::timeout(Duration::from_secs(1), sent).await;
    }

    async fn live(
        self,
        mut rivals: async_nats::Subscriber,
        mut asked: async_nats::Subscriber,
        stop: CancellationToken,
    ) {
        let subject = subject::heartbeat(&self.id);
        let alive = subject::alive("node", self.id.as_str());
        let mut up = self.broker.up();
        let (mut eager, mut next) = (EAGER_BEATS, tokio::time::Instant::now());
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(next) => {
                    self.say(subject.clone(), self.beat(false)).await;
                    let pause = if eager > 0 { EAGER_EVERY } else { HEARTBEAT_EVERY };
                    eager = eager.saturating_sub(1);
                    next = tokio::time::Instant::now() + pause;
                }
                Ok(()) = up.changed() => if *up.borrow_and_update() {
                    // Asks for other starts, which comes back to itself, and beats at once.
                    self.say(alive.clone(), self.beat(false)).await;
                    self.say(subject.clone(), self.beat(false)).await;
                },
                Some(_) = rivals.next() => {}
                Some(request) = asked.next() => {
                    let status = request.subject.ends_with(Verb::Status.as_str());
                    if let Some(reply) = request.reply.filter(|_| status) {
                        self.say(reply.to_string(), self.beat(false)).await;
                    }
                }
            }
        }
        self.say(subject, self.beat(true)).await;
    }
}

/// Takes work as a host does, and carries each piece out beside the next.
async fn work(node: NodeId, broker: Broker, board: Arc<Board>, stop: CancellationToken) {
    let options = ConsumeOptions {
        stream: stream::WORK,
        consumer: node.as_str(),
        in_flight: 1,
        drain: Duration::from_secs(1),
        dead: Some(node.as_str()),
        lead: None,
    };
    let handle = |delivery: Delivery| {
        let (node, broker, board) = (node.clone(), broker.clone(), Arc::clone(&board));
        async move {
            let work: Work = match decode("work", &delivery.payload) {
                Ok(work) => work,
                Err(why) => return Outcome::Dead(why.to_string()),
            };
            board.came(&work.inbound.meta.cause);
            tokio::spawn(turn(node, broker, work));
            Outcome::Done
        }
    };
    consume(&broker, options, stop, |_| String::new(), handle).await;
}

/// A turn as it looks on the wire: its card, what it does meanwhile, its answer.
async fn turn(node: NodeId, broker: Broker, work: Work) {
    let cause = &work.inbound.meta.cause;
    let card = CardId::derived(&[cause.as_str(), "turn"]);
    let user = &work.inbound.user;
    let view = |text: &str| View {
        title: "Turn".into(),
        blocks: vec![Block::Markdown { text: text.into() }],
        ..View::default()
    };
    let show = async |rev: u32, text: &str| {
        let id = MessageId::derived(&[cause.as_str(), "shown", &rev.to_string()]);
        let outbound = Outbound {
            meta: Meta::new(id, cause.clone(), ""),
            user: user.clone(),
            chat: work.inbound.chat.clone(),
            body: OutboundBody::Card {
                card,
                rev,
                view: view(text),
            },
        };
        let never = CancellationToken::new();
        let (subject, id) = (subject::out(&node, user), id.to_string());
        let payload = encode(&outbound).into();
        let sent = broker.publish_until(&subject, &id, "", payload, &never);
        sent.await.expect("room in PW_OUT");
    };
    show(1, "Working").await;
    let subject = subject::delta(&node, user, TurnId::new());
    for n in 1..=PREVIEWS {
        tokio::time::sleep(PREVIEW_EVERY).await;
        let preview = Preview {
            card,
            rev: 1,
            n,
            user: user.clone(),
            view: view(&"It looks into a file. ".repeat(20)),
        };
        let sent = broker
            .client()
            .publish(subject.clone(), encode(&preview).into());
        let _ = tokio::time::timeout(Duration::from_secs(1), sent).await;
    }
    show(2, &"The answer, a paragraph long. ".repeat(30)).await;
}

/// What a panic elsewhere has not spoilt.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
