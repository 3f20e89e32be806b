//! What a test of a surface stands on: a real broker with the router's streams, the gateway in a
//! runtime of its own, so that it can be made to crash, and the far side's ways to speak and hear.

use std::time::Duration;

use async_nats::jetstream;
use common::broker::{Broker, BrokerOptions};
use common::health::Health;
use common::identity::NodeRecord;
use common::ids::{CardId, CauseId, MessageId, NodeId, Surface, TurnId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind, Inbound};
use common::message::outbound::{Outbound, OutboundBody, Preview};
use common::message::view::{Block, Tone, View};
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use gateway::GatewayOptions;
use gateway::feishu::FeishuOptions;
use gateway::web::{WebOptions, WebReady};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; reaching it is a failure.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The broker, and the router's and nodes' side of it.
pub(crate) struct Stage {
    pub(crate) nats: kit::nats::Broker,
    pub(crate) router: Broker,
    node: NodeId,
}

impl Stage {
    /// A broker with the streams, consumers and buckets that the gateway uses.
    pub(crate) async fn start() -> Self {
        let nats = kit::nats::Broker::start().await;
        let router = connect(&nats, "router", true).await;
        let js = router.jetstream();
        for config in stream::streams() {
            js.create_stream(config).await.unwrap();
        }
        for surface in Surface::ALL {
            let out = js.get_stream(stream::OUT).await.unwrap();
            let consumer = stream::out_surface(surface);
            out.create_consumer(consumer).await.unwrap();
            let bucket = jetstream::kv::Config {
                bucket: stream::kv_gate(surface),
                ..jetstream::kv::Config::default()
            };
            js.create_key_value(bucket).await.unwrap();
        }
        let nodes = jetstream::kv::Config {
            bucket: stream::KV_NODES.into(),
            ..jetstream::kv::Config::default()
        };
        js.create_key_value(nodes).await.unwrap();
        let stage = Self {
            nats,
            router,
            node: "home-pc".parse().unwrap(),
        };
        stage.serves(&[]).await;
        stage
    }

    /// Writes the node's record, as the router does; `serves` empty is everybody.
    pub(crate) async fn serves(&self, serves: &[&str]) {
        let record = NodeRecord {
            id: self.node.to_string(),
            name: String::new(),
            serves: serves.iter().map(|&user| user.to_owned()).collect(),
            public_key: "U".into(),
            enrolled_at: 1,
            revoked_at: None,
            former_keys: Vec::new(),
        };
        let store = self.router.jetstream().get_key_value(stream::KV_NODES);
        let record = serde_json::to_vec(&record).unwrap();
        let key = self.node.as_str();
        store.await.unwrap().put(key, record.into()).await.unwrap();
    }

    /// Takes the node's record out of the list.
    pub(crate) async fn unlisted(&self) {
        let store = self.router.jetstream().get_key_value(stream::KV_NODES);
        store
            .await
            .unwrap()
            .purge(self.node.as_str())
            .await
            .unwrap();
    }

    /// Starts the gateway with one surface.
    pub(crate) fn gateway(&self, set_up: SetUp) -> Running {
        let (ready_in, ready) = oneshot::channel();
        let SetUp {
            feishu,
            data_dir,
            port,
            allowed,
        } = set_up;
        let options = GatewayOptions {
            feishu,
            web: data_dir.map(|data_dir| WebOptions {
                bind: [127, 0, 0, 1].into(),
                port,
                data_dir,
                on_ready: ready_in,
            }),
            health_http: None,
            allowed,
            lang: Some(Lang::En),
            data_dir: self.spool_dir(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (cancel, health) = (CancellationToken::new(), Health::default());
        let broker = broker_options(&self.nats, "gateway", false);
        let (stop, board) = (cancel.clone(), health.clone());
        let run = runtime.spawn(async move {
            let broker = Broker::connect(&broker, &stop).await.unwrap();
            gateway::run(options, broker, board, stop).await.unwrap();
        });
        Running {
            runtime: Some(runtime),
            run: Some(run),
            cancel,
            health,
            ready: Some(ready),
        }
    }

    /// Where gateways of this stage keep taps.
    pub(crate) fn spool_dir(&self) -> std::path::PathBuf {
        self.nats.data_dir().join("gateway")
    }

    /// Everything that people did so far, in the stream's order.
    pub(crate) async fn said(&self) -> Vec<Inbound> {
        let stream = self
            .router
            .jetstream()
            .get_stream(stream::IN)
            .await
            .unwrap();
        let mut said = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            said.push(decode("inbound", &message.payload).unwrap());
        }
        said
    }

    /// Waits until `count` acts are in the stream.
    pub(crate) async fn wait_said(&self, count: usize) -> Vec<Inbound> {
        until(&format!("{count} acts"), async || {
            let said = self.said().await;
            (said.len() >= count).then_some(said)
        })
        .await
    }

    /// Sends something to be shown, as the node does.
    pub(crate) async fn show(&self, outbound: &Outbound) {
        self.show_as(outbound, &MessageId::new().to_string()).await;
    }

    /// The same under a chosen id on the wire, which the stream compares.
    pub(crate) async fn show_as(&self, outbound: &Outbound, wire_id: &str) {
        let subject = subject::out(&self.node, &outbound.user);
        self.router
            .publish(&subject, wire_id, "", encode(outbound))
            .await
            .unwrap();
    }

    /// Sends a preview, as the node does.
    pub(crate) async fn preview(&self, preview: &Preview) {
        let subject = subject::delta(&self.node, &preview.user, TurnId::new());
        let node = self.nats_node().await;
        node.publish(subject, encode(preview).into()).await.unwrap();
        node.flush().await.unwrap();
    }

    async fn nats_node(&self) -> async_nats::Client {
        let path = self.nats.data_dir().join("test-node.creds");
        let creds = if path.exists() {
            common::identity::Creds::read(&path).unwrap()
        } else {
            let creds = self.nats.enroll(self.node.as_str());
            creds.write(&path).unwrap();
            creds
        };
        self.nats.connect(&creds).await
    }

    /// Waits until nothing is left to be shown.
    pub(crate) async fn wait_all_shown(&self) {
        until("an empty PW_OUT", async || {
            let mut out = self.router.jetstream().get_stream(stream::OUT).await.ok()?;
            (out.info().await.ok()?.state.messages == 0).then_some(())
        })
        .await;
    }

    /// How many messages were given up, by their letters.
    pub(crate) async fn dead(&self) -> u64 {
        use futures_util::TryStreamExt as _;
        let js = self.router.jetstream();
        let dead = js.get_stream(stream::DLQ).await.unwrap();
        let counts = dead.info_with_subjects(subject::DEAD_ALL).await.unwrap();
        let counts: Vec<(String, usize)> = counts.try_collect().await.unwrap();
        counts.iter().map(|(_, count)| *count as u64).sum()
    }
}

/// Which surface, and how.
#[derive(Default)]
pub(crate) struct SetUp {
    pub(crate) feishu: Option<FeishuOptions>,
    pub(crate) data_dir: Option<std::path::PathBuf>,
    pub(crate) port: u16,
    pub(crate) allowed: Vec<UserId>,
}

/// The options for the fake platform.
pub(crate) fn app(feishu: &kit::feishu::Feishu) -> SetUp {
    SetUp {
        feishu: Some(FeishuOptions {
            app_id: feishu.app_id().to_owned(),
            app_secret: feishu.app_secret().into(),
            base_url: feishu.base_url(),
        }),
        ..SetUp::default()
    }
}

/// A gateway at work.
pub(crate) struct Running {
    runtime: Option<Runtime>,
    run: Option<tokio::task::JoinHandle<()>>,
    cancel: CancellationToken,
    pub(crate) health: Health,
    ready: Option<oneshot::Receiver<WebReady>>,
}

impl Running {
    /// Where the page is.
    pub(crate) async fn ready(&mut self) -> WebReady {
        let ready = self.ready.take().unwrap();
        tokio::time::timeout(SOON, ready).await.unwrap().unwrap()
    }

    /// Whether it comes up; [`Running::ready`] then says where.
    pub(crate) async fn is_ready(&mut self) -> bool {
        let Some(ready) = self.ready.take() else {
            return false;
        };
        match ready.await {
            Ok(found) => {
                let (again, held) = oneshot::channel();
                let _ = again.send(found);
                self.ready = Some(held);
                true
            }
            Err(_) => false,
        }
    }

    /// Ends it in order.
    pub(crate) async fn stop(mut self) {
        self.cancel.cancel();
        let run = self.run.take().unwrap();
        tokio::time::timeout(SOON, run).await.unwrap().unwrap();
    }

    /// Ends it where it stands: nothing it had under way is finished.
    pub(crate) fn crash(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn broker_options(nats: &kit::nats::Broker, who: &str, owner: bool) -> BrokerOptions {
    BrokerOptions {
        url: nats.url(),
        creds: nats.creds(who),
        ca: None,
        owner,
    }
}

async fn connect(nats: &kit::nats::Broker, who: &str, owner: bool) -> Broker {
    let options = broker_options(nats, who, owner);
    let cancel = CancellationToken::new();
    Broker::connect(&options, &cancel).await.unwrap()
}

/// Polls until `look` finds something.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let end = tokio::time::Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "not within {SOON:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A head for something to be shown.
pub(crate) fn meta() -> Meta {
    let cause = CauseId::new(Surface::Feishu, "om_cause");
    Meta::new(MessageId::new(), cause, "")
}

/// A private chat.
pub(crate) fn direct(id: &str) -> Chat {
    Chat {
        id: id.to_owned(),
        kind: ChatKind::Direct,
        message: None,
    }
}

/// A card to be shown.
pub(crate) fn card(user: &UserId, chat: &Chat, card: CardId, rev: u32, view: View) -> Outbound {
    Outbound {
        meta: meta(),
        user: user.clone(),
        chat: chat.clone(),
        body: OutboundBody::Card { card, rev, view },
    }
}

/// A notice to be shown.
pub(crate) fn notice(user: &UserId, chat: &Chat, text: &str) -> Outbound {
    Outbound {
        meta: meta(),
        user: user.clone(),
        chat: chat.clone(),
        body: OutboundBody::Notice { text: text.into() },
    }
}

/// A view of one Markdown block.
pub(crate) fn view(tone: Tone, text: &str) -> View {
    View {
        title: "home-pc · project".into(),
        tone,
        blocks: vec![Block::Markdown { text: text.into() }],
        ..View::default()
    }
}
