//! A hub, a router on it, and stand-ins for what is on both sides: a gateway that sends and shows,
//! and nodes that beat, answer and fetch their work.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use common::broker::{Broker, BrokerOptions};
use common::health::Health;
use common::identity::Creds;
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::{Action, Block, View};
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use futures_util::StreamExt as _;
use router::{EnrolOptions, NoticeTimes, RemindTimes, RouterError, RouterOptions};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a condition may take to come true before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) nats: kit::nats::Broker,
    pub(crate) gate: Broker,
    /// A connection with everything that the router may, to look at streams.
    pub(crate) inside: Broker,
    pub(crate) health: Health,
    /// How long messages wait for a node that is off, where a test cannot wait for days.
    pub(crate) waits: Option<Duration>,
    pub(crate) enrol: EnrolOptions,
    /// When people are told of nodes, where a test cannot wait for minutes.
    pub(crate) notices: NoticeTimes,
    /// The chat model that chooses machines.
    pub(crate) model: Option<common::config::LlmSettings>,
    /// What bounds reminders, where a test cannot wait for minutes.
    pub(crate) remind: RemindTimes,
    running: Option<(JoinHandle<Result<(), RouterError>>, CancellationToken)>,
}

pub(crate) fn id(text: &str) -> NodeId {
    text.parse().unwrap()
}

pub(crate) fn user(text: &str) -> UserId {
    text.parse().unwrap()
}

/// Polls until `look` gives something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
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
    let never = CancellationToken::new();
    Box::pin(Broker::connect(&options, &never)).await.unwrap()
}

impl World {
    /// A hub with these nodes enrolled, without a router.
    pub(crate) async fn hub(nodes: &[&str]) -> Self {
        let nats = Box::pin(kit::nats::Broker::start()).await;
        for node in nodes {
            nats.enroll(node).write(&creds_path(&nats, node)).unwrap();
        }
        let (gateway, router) = (nats.creds("gateway"), nats.creds("router"));
        let (gate, inside) = tokio::join!(connect(&nats, &gateway), connect(&nats, &router));
        Self {
            nats,
            gate,
            inside,
            health: Health::default(),
            waits: None,
            enrol: EnrolOptions::default(),
            notices: NoticeTimes::default(),
            model: None,
            remind: RemindTimes {
                soonest: Duration::from_secs(1),
                period: Duration::from_secs(1),
            },
            running: None,
        }
    }

    /// A hub with these nodes enrolled and a router that is ready.
    pub(crate) async fn start(nodes: &[&str]) -> Self {
        let mut world = Self::hub(nodes).await;
        world.start_router().await;
        world
    }

    pub(crate) fn options(&self) -> RouterOptions {
        RouterOptions {
            lang: Some(Lang::En),
            data_dir: Some(self.nats.data_dir().to_owned()),
            http: None,
            waits: self.waits,
            notices: self.notices,
            remind: self.remind,
            model: self.model.clone(),
            enrol: EnrolOptions {
                url: self.nats.url(),
                ..self.enrol.clone()
            },
            ..router::RouterOptions::default()
        }
    }

    pub(crate) async fn start_router(&mut self) {
        let broker = connect(&self.nats, &self.nats.creds("router")).await;
        let cancel = CancellationToken::new();
        let run = router::run(self.options(), broker, self.health.clone(), cancel.clone());
        self.running = Some((tokio::spawn(run), cancel));
        until("the router is ready", || async {
            self.part("router")["ok"].as_bool()?.then_some(())
        })
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

    /// Ends the router without a word: nothing that it does outlives this.
    pub(crate) async fn kill_router(&mut self) {
        let (task, _) = self.running.take().unwrap();
        task.abort();
        let _ = task.await;
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

    /// Publishes an act as a gateway does; the same `cause` is the same act.
    pub(crate) async fn act(&self, who: &str, cause: &str, body: InboundBody) -> Inbound {
        self.act_in(who, cause, body, None).await
    }

    pub(crate) async fn act_in(
        &self,
        who: &str,
        cause: &str,
        body: InboundBody,
        lang: Option<Lang>,
    ) -> Inbound {
        let inbound = inbound(who, cause, body, lang);
        self.publish(&inbound).await;
        inbound
    }

    pub(crate) async fn publish(&self, inbound: &Inbound) {
        let subject = match inbound.body {
            InboundBody::Tap { .. } => subject::inbound_card(&inbound.user),
            _ => subject::inbound_message(&inbound.user),
        };
        let (key, trace) = (
            inbound.meta.cause.as_str(),
            inbound.meta.traceparent.as_str(),
        );
        self.gate
            .publish(&subject, key, trace, encode(inbound))
            .await
            .unwrap();
    }

    pub(crate) async fn says(&self, who: &str, cause: &str, text: &str) -> Inbound {
        self.act(who, cause, InboundBody::Text { text: text.into() })
            .await
    }

    pub(crate) async fn taps(&self, who: &str, cause: &str, action: Action) -> Inbound {
        self.act(who, cause, InboundBody::Tap { action }).await
    }

    /// The next thing to show on Feishu, taken as its gateway takes it.
    pub(crate) async fn out(&self) -> Outbound {
        let found = next(&self.gate, stream::OUT, "feishu").await;
        let message = found.expect("nothing to show came");
        decode("outbound", &message.payload).unwrap()
    }

    /// The next thing to show, which is a card.
    pub(crate) async fn shown(&self) -> Shown {
        let outbound = self.out().await;
        let OutboundBody::Card { card, rev, view } = outbound.body.clone() else {
            panic!("a card was expected: {outbound:?}");
        };
        Shown {
            outbound,
            card: card.to_string(),
            rev,
            view,
        }
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
        let stream = self.inside.jetstream().get_stream(stream).await.unwrap();
        let counts = stream.info_with_subjects(filter).await.unwrap();
        counts
            .try_fold(0, |sum, (_, count)| async move { Ok(sum + count) })
            .await
            .unwrap()
    }
}

pub(crate) fn creds_path(nats: &kit::nats::Broker, node: &str) -> PathBuf {
    nats.data_dir().join(format!("test-{node}.creds"))
}

pub(crate) fn inbound(who: &str, cause: &str, body: InboundBody, lang: Option<Lang>) -> Inbound {
    let user = user(who);
    let cause = CauseId::new(user.surface(), cause);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Inbound {
        meta: Meta::new(MessageId::new(), cause.clone(), trace),
        user,
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Direct,
            message: Some(cause.to_string()),
        },
        lang,
        body,
    }
}

/// Takes the next message of a consumer and acknowledges it; none if none comes in time.
pub(crate) async fn next(
    broker: &Broker,
    stream: &str,
    consumer: &str,
) -> Option<async_nats::jetstream::Message> {
    let consumer: PullConsumer = broker
        .jetstream()
        .get_consumer_from_stream(consumer, stream)
        .await
        .unwrap();
    let mut batch = consumer
        .batch()
        .max_messages(1)
        .expires(PATIENCE)
        .messages()
        .await
        .unwrap();
    let message = batch.next().await?.unwrap();
    broker.settling(&message).double_ack().await.unwrap();
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
        let button = self
            .view
            .buttons
            .iter()
            .find(|button| button.label == label);
        button
            .unwrap_or_else(|| panic!("no {label} in {:?}", self.view.buttons))
            .action
            .clone()
    }
}
