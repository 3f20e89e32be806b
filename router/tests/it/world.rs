//! A hub, a router on it, and stand-ins for what is on both sides: a gateway that sends and shows,
//! and nodes that beat, answer and fetch their work.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use chrono::Utc;
use common::broker::{Broker, BrokerOptions};
use common::health::Health;
use common::identity::Creds;
use common::ids::{BootId, CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::control::Heartbeat;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::{Action, Block, View};
use common::message::work::Work;
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use futures_util::StreamExt as _;
use router::{RouterError, RouterOptions};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a condition may take to come true before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) nats: kit::nats::Broker,
    pub(crate) gate: Broker,
    pub(crate) health: Health,
    running: Option<(JoinHandle<Result<(), RouterError>>, CancellationToken)>,
}

pub(crate) fn id(text: &str) -> NodeId {
    text.parse().unwrap()
}

pub(crate) fn user(text: &str) -> UserId {
    text.parse().unwrap()
}

/// Polls until `look` gives something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn connect(nats: &kit::nats::Broker, creds: &Creds) -> Broker {
    let options = BrokerOptions {
        url: nats.url(),
        creds: creds.clone(),
        ca: None,
        owner: creds.name() == "router",
    };
    Broker::connect(&options, &CancellationToken::new()).await.unwrap()
}

impl World {
    /// A hub with these nodes enrolled, without a router.
    pub(crate) async fn hub(nodes: &[&str]) -> Self {
        let nats = kit::nats::Broker::start().await;
        for node in nodes {
            nats.enroll(node).write(&creds_path(&nats, node)).unwrap();
        }
        let gate = connect(&nats, &nats.creds("gateway")).await;
        Self { nats, gate, health: Health::default(), running: None }
    }

    /// A hub with these nodes enrolled and a router that is ready.
    pub(crate) async fn start(nodes: &[&str]) -> Self {
        let mut world = Self::hub(nodes).await;
        world.start_router().await;
        world
    }

    pub(crate) fn options(&self) -> RouterOptions {
        RouterOptions {
            lang: Lang::En,
            data_dir: Some(self.nats.data_dir().to_owned()),
            http: None,
        }
    }

    pub(crate) async fn start_router(&mut self) {
        let broker = connect(&self.nats, &self.nats.creds("router")).await;
        let cancel = CancellationToken::new();
        let run = router::run(self.options(), broker, self.health.clone(), cancel.clone());
        self.running = Some((tokio::spawn(run), cancel));
        until("the router is ready", || async { self.part("router")["ok"].as_bool()?.then_some(()) })
            .await;
    }

    /// Ends the router in order; gives how long that took.
    pub(crate) async fn stop_router(&mut self) -> Duration {
        let (task, cancel) = self.running.take().unwrap();
        let begun = Instant::now();
        cancel.cancel();
        task.await.unwrap().unwrap();
        begun.elapsed()
    }

    pub(crate) fn part(&self, name: &str) -> Value {
        self.health.report().1["parts"][name].clone()
    }

    /// Waits until so many nodes are on.
    pub(crate) async fn on(&self, count: u64) {
        until("nodes are on", || async {
            (self.part("router")["detail"]["on"] == count).then_some(())
        })
        .await;
    }

    /// A plain connection with everything that the router may, to look at streams.
    pub(crate) async fn inside(&self) -> Broker {
        connect(&self.nats, &self.nats.creds("router")).await
    }

    /// Publishes an act as a gateway does; the same `cause` is the same act.
    pub(crate) async fn act(&self, who: &str, cause: &str, body: InboundBody) -> Inbound {
        self.act_in(who, cause, body, None).await
    }

    pub(crate) async fn act_in(&self, who: &str, cause: &str, body: InboundBody, lang: Option<Lang>) -> Inbound {
        let inbound = inbound(who, cause, body, lang);
        self.publish(&inbound).await;
        inbound
    }

    pub(crate) async fn publish(&self, inbound: &Inbound) {
        let subject = match inbound.body {
            InboundBody::Tap { .. } => subject::inbound_card(&inbound.user),
            _ => subject::inbound_message(&inbound.user),
        };
        let (key, trace) = (inbound.meta.cause.as_str(), inbound.meta.traceparent.as_str());
        self.gate.publish(&subject, key, trace, encode(inbound)).await.unwrap();
    }

    pub(crate) async fn says(&self, who: &str, cause: &str, text: &str) -> Inbound {
        self.act(who, cause, InboundBody::Text { text: text.into() }).await
    }

    pub(crate) async fn taps(&self, who: &str, cause: &str, action: Action) -> Inbound {
        self.act(who, cause, InboundBody::Tap { action }).await
    }

    /// The next thing to show on Feishu, taken as its gateway takes it.
    pub(crate) async fn shown(&self) -> Shown {
        let found = next(&self.gate, stream::OUT, "feishu").await;
        let message = found.expect("nothing to show came");
        let outbound: Outbound = decode("outbound", &message.payload).unwrap();
        let OutboundBody::Card { card, rev, view } = outbound.body.clone() else {
            panic!("the router shows cards only");
        };
        Shown { outbound, card: card.to_string(), rev, view }
    }

    /// Asks for the list of nodes and gives the card as text.
    pub(crate) async fn list(&self, who: &str) -> String {
        let cause = format!("list-{}", MessageId::new());
        self.says(who, &cause, "/nodes").await;
        self.shown().await.text()
    }

    /// How many messages a stream holds on a subject.
    pub(crate) async fn count(&self, stream: &str, filter: &str) -> usize {
        use futures_util::TryStreamExt as _;
        let inside = self.inside().await;
        let stream = inside.jetstream().get_stream(stream).await.unwrap();
        let counts = stream.info_with_subjects(filter).await.unwrap();
        counts.try_fold(0, |sum, (_, count)| async move { Ok(sum + count) }).await.unwrap()
    }
}

fn creds_path(nats: &kit::nats::Broker, node: &str) -> PathBuf {
    nats.data_dir().join(format!("test-{node}.creds"))
}

pub(crate) fn inbound(who: &str, cause: &str, body: InboundBody, lang: Option<Lang>) -> Inbound {
    let user = user(who);
    let cause = CauseId::new(user.surface(), cause);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Inbound {
        meta: Meta::new(MessageId::new(), cause.clone(), trace),
        user,
        chat: Chat { id: "oc_1".into(), kind: ChatKind::Direct, message: Some(cause.to_string()) },
        lang,
        body,
    }
}

/// Takes the next message of a consumer and acknowledges it; none if none comes in time.
async fn next(broker: &Broker, stream: &str, consumer: &str) -> Option<async_nats::jetstream::Message> {
    let consumer: PullConsumer =
        broker.jetstream().get_consumer_from_stream(consumer, stream).await.unwrap();
    let mut batch = consumer.batch().max_messages(1).expires(PATIENCE).messages().await.unwrap();
    let message = batch.next().await?.unwrap();
    message.double_ack().await.unwrap();
    Some(message)
}

/// A card that came.
pub(crate) struct Shown {
    pub(crate) outbound: Outbound,
    pub(crate) card: String,
    pub(crate) rev: u32,
    pub(crate) view: View,
}

impl Shown {
    /// Title and blocks, a line each.
    pub(crate) fn text(&self) -> String {
        let mut lines = vec![self.view.title.clone()];
        for block in &self.view.blocks {
            match block {
                Block::Plain { text } => lines.push(text.clone()),
                Block::Fields { rows } => {
                    lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
                }
                other => panic!("the router does not show {other:?}"),
            }
        }
        lines.join("\n")
    }

    /// What the button of that label does.
    pub(crate) fn button(&self, label: &str) -> Action {
        let button = self.view.buttons.iter().find(|button| button.label == label);
        button.unwrap_or_else(|| panic!("no {label} in {:?}", self.view.buttons)).action.clone()
    }
}

/// A node's side of the wire.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) boot: BootId,
    pub(crate) broker: Broker,
    pub(crate) beat: Heartbeat,
    _answers: DropGuard,
}

impl Node {
    /// Connects, answers live requests, and beats once; later beats are the test's.
    pub(crate) async fn start(world: &World, node: &str) -> Self {
        let node = Self::mute(world, node).await;
        let (broker, beat) = (node.broker.clone(), node.beat.clone());
        let control = subject::control_of(&node.id, node.boot);
        let mut requests = broker.client().subscribe(control).await.unwrap();
        let guard = node._answers.disarm();
        let stop = guard.clone();
        tokio::spawn(async move {
            while let Some(Some(request)) = stop.run_until_cancelled(requests.next()).await {
                let fresh = Heartbeat { sent_at: Utc::now(), ..beat.clone() };
                let reply = request.reply.unwrap();
                broker.client().publish(reply, encode(&fresh).into()).await.unwrap();
            }
        });
        let node = Self { _answers: guard.drop_guard(), ..node };
        node.beats().await;
        node
    }

    /// Connects, and neither answers nor beats.
    pub(crate) async fn mute(world: &World, node: &str) -> Self {
        let creds = Creds::read(&creds_path(&world.nats, node)).unwrap();
        let broker = connect(&world.nats, &creds).await;
        let (id, boot) = (id(node), BootId::new());
        let beat = Heartbeat {
            node: id.clone(),
            boot,
            name: node.to_uppercase(),
            version: "0.1.0".into(),
            serves: Vec::new(),
            sessions: 2,
            running: 1,
            leaving: false,
            sent_at: Utc::now(),
        };
        Self { id, boot, broker, beat, _answers: CancellationToken::new().drop_guard() }
    }

    pub(crate) async fn beats(&self) {
        self.send(&self.beat).await;
    }

    pub(crate) async fn send(&self, beat: &Heartbeat) {
        let subject = subject::heartbeat(&self.id);
        self.broker.client().publish(subject, encode(beat).into()).await.unwrap();
        self.broker.client().flush().await.unwrap();
    }

    /// The next work, fetched and acknowledged as a node does.
    pub(crate) async fn work(&self) -> Work {
        let message = next(&self.broker, stream::WORK, self.id.as_str()).await;
        let message = message.expect("no work came");
        let work: Work = decode("work", &message.payload).unwrap();
        assert_eq!(
            subject::parse_work(&message.subject),
            Some((self.id.clone(), work.inbound.user.clone()))
        );
        work
    }

    /// The text of the next work.
    pub(crate) async fn text(&self) -> String {
        match self.work().await.inbound.body {
            InboundBody::Text { text } => text,
            other => panic!("not a text: {other:?}"),
        }
    }

    /// The connection ends without a word, as when the process is killed.
    pub(crate) async fn dies(self) {
        self.broker.close().await;
    }
}
