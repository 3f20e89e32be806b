//! A whole host at a real broker: `wire` is about what crosses it, `turns` about what becomes of
//! messages with the real CLI, `ends` about how turns end, `questions` about the CLI's own, `crowd`
//! about people who do not hold each other up, `handed` about messages handed to a running turn. Here: a hub with the streams, hosts that can be killed, and a person
//! who writes and reads.

mod commands;
mod crowd;
mod ends;
mod handed;
mod questions;
mod turns;
mod unasked;
mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::broker::{Broker, BrokerOptions};
use common::health::Health;
use common::identity::Creds;
use common::ids::{CardId, CauseId, MessageId, NodeId, Surface, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, ChatKind, Inbound, InboundBody};
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::{Action, Block, View};
use common::message::work::Work;
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use host::context::AgentOptions;
use host::{HostError, HostOptions};
use kit::claude::ClaudeHome;
use kit::model::Model;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Nothing that is waited for takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A hub, a home for the CLI, and a model.
struct World {
    nats: kit::nats::Broker,
    /// A connection that may do everything.
    inside: Broker,
    home: ClaudeHome,
    model: Model,
    creds: HashMap<String, Creds>,
}

/// Polls until `look` gives something.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn id(node: &str) -> NodeId {
    node.parse().unwrap()
}

fn anna() -> UserId {
    "ou_anna".parse().unwrap()
}

/// An act of Anna's for a node.
fn act(node: &str, cause: &str, body: InboundBody) -> Work {
    act_of(anna(), node, cause, body)
}

/// An act of somebody's.
fn act_of(user: UserId, node: &str, cause: &str, body: InboundBody) -> Work {
    let cause = CauseId::new(Surface::Feishu, cause);
    let meta = |what: &str| {
        Meta::new(
            MessageId::derived(&[cause.as_str(), what]),
            cause.clone(),
            "",
        )
    };
    Work {
        meta: meta("work"),
        node: id(node),
        lang: Lang::En,
        inbound: Inbound {
            meta: meta("inbound"),
            user,
            chat: Chat {
                id: "oc_1".into(),
                kind: ChatKind::Direct,
                message: Some("om_1".into()),
            },
            lang: None,
            body,
        },
    }
}

fn text(node: &str, cause: &str, text: &str) -> Work {
    act(node, cause, InboundBody::Text { text: text.into() })
}

/// All words of a view, one a line.
fn words(view: &View) -> String {
    let mut lines = vec![view.title.clone()];
    for block in &view.blocks {
        match block {
            Block::Markdown { text } | Block::Plain { text } | Block::Code { text, .. } => {
                lines.push(text.clone());
            }
            Block::Steps { steps, .. } => lines.extend(steps.iter().map(|step| step.text.clone())),
            Block::Fields { rows } => {
                lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
            }
        }
    }
    lines.extend(view.footer.clone());
    lines.join("\n")
}

impl World {
    /// A hub with these nodes and their streams, as the router makes them.
    async fn start(nodes: &[&str]) -> Self {
        let nats = Box::pin(kit::nats::Broker::start()).await;
        let creds = nodes
            .iter()
            .map(|node| ((*node).to_owned(), nats.enroll(node)))
            .collect();
        let inside = connect(nats.url(), nats.creds("router")).await;
        for config in stream::streams() {
            inside.jetstream().create_stream(config).await.unwrap();
        }
        for node in nodes {
            let js = inside.jetstream();
            let config = stream::work_node(&id(node));
            js.create_consumer_on_stream(config, stream::WORK)
                .await
                .unwrap();
        }
        Self {
            nats,
            inside,
            home: ClaudeHome::new(),
            model: Model::start().await,
            creds,
        }
    }

    fn dir(&self, node: &str, what: &str) -> PathBuf {
        self.home.root().join(node).join(what)
    }

    fn options(&self, node: &str) -> HostOptions {
        let mut env = self.home.env(&self.model);
        env.push(("CLAUDE_CODE_MAX_RETRIES".to_owned(), "1".to_owned()));
        HostOptions {
            node: id(node),
            name: "Home".into(),
            description: String::new(),
            serves: vec![anna()],
            working_dir: self.dir(node, "work"),
            data_dir: self.dir(node, "data"),
            model: None,
            metaso: None,
            shell_read: Vec::new(),
            shell: host::ShellOptions::default(),
            audit_days: 90,
            agents: AgentOptions {
                program: Some(kit::claude::binary()),
                args: Vec::new(),
                trust: Vec::new(),
                secrets: Vec::new(),
                env,
                max_live: 6,
                question_waits: host::context::QUESTION_WAITS,
            },
            timezone: chrono_tz::UTC,
        }
    }

    /// A host of its own that can be killed.
    async fn host(&self, node: &str) -> Host {
        self.host_with(self.options(node)).await
    }

    async fn host_with(&self, options: HostOptions) -> Host {
        let creds = self.creds[options.node.as_str()].clone();
        let host = Host::start(options, self.nats.url(), creds, async {}).await;
        host.up().await;
        host
    }

    /// What the router does with an act.
    async fn send(&self, work: &Work) {
        let subject = subject::work(&work.node, &work.inbound.user);
        self.raw(&subject, &work.meta.id.to_string(), encode(work))
            .await;
    }

    async fn raw(&self, subject: &str, id: &str, payload: Vec<u8>) {
        self.inside.publish(subject, id, "", payload).await.unwrap();
    }

    async fn say(&self, node: &str, cause: &str, said: &str) {
        self.send(&text(node, cause, said)).await;
    }

    async fn tap(&self, node: &str, cause: &str, action: Action) {
        self.send(&act(node, cause, InboundBody::Tap { action }))
            .await;
    }

    /// Messages that the stream still holds.
    async fn waiting(&self, name: &str) -> u64 {
        let stream = self.inside.jetstream().get_stream(name).await.unwrap();
        stream.cached_info().state.messages
    }

    /// All that was ever sent to be shown, oldest first; nobody takes it away here.
    async fn shown(&self) -> Vec<Outbound> {
        let stream = self
            .inside
            .jetstream()
            .get_stream(stream::OUT)
            .await
            .unwrap();
        let state = &stream.cached_info().state;
        let mut all = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            if state.messages == 0 {
                break;
            }
            let message = stream.get_raw_message(sequence).await.unwrap();
            let outbound: Outbound = decode("outbound", &message.payload).unwrap();
            let (sender, user) = subject::parse_out(&message.subject).unwrap();
            assert!(matches!(sender, subject::Sender::Node(_)));
            assert_eq!(user, outbound.user);
            all.push(outbound);
        }
        all
    }

    /// The cards as they stand, in the order in which they first came up. Revisions only grow.
    async fn cards(&self) -> Vec<(CauseId, View)> {
        let mut cards: Vec<(CardId, u32, CauseId, View)> = Vec::new();
        for outbound in self.shown().await {
            if let OutboundBody::Card { card, rev, view } = outbound.body {
                match cards.iter_mut().find(|(id, ..)| *id == card) {
                    Some(known) => {
                        assert!(rev > known.1, "revision {rev} came after {}", known.1);
                        (known.1, known.3) = (rev, view);
                    }
                    None => cards.push((card, rev, outbound.meta.cause, view)),
                }
            }
        }
        cards
            .into_iter()
            .map(|(.., cause, view)| (cause, view))
            .collect()
    }

    /// Waits for a card of this act that fits.
    async fn card(&self, cause: &str, what: &str, fits: impl Fn(&View) -> bool) -> View {
        let cause = CauseId::new(Surface::Feishu, cause);
        let end = Instant::now() + PATIENCE;
        loop {
            let cards = self.cards().await;
            let found = cards.iter().find(|(of, view)| *of == cause && fits(view));
            if let Some((_, view)) = found {
                return view.clone();
            }
            let seen: Vec<String> = cards
                .iter()
                .map(|(of, view)| format!("{of}: {}", words(view)))
                .collect();
            assert!(
                Instant::now() < end,
                "no {what} for {cause}; cards are {seen:#?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a card of this act that says this.
    async fn sees(&self, cause: &str, part: &str) -> View {
        self.card(cause, part, |view| words(view).contains(part))
            .await
    }
}

fn button<'a>(view: &'a View, label: &str) -> &'a Action {
    let found = view.buttons.iter().find(|button| button.label == label);
    &found
        .unwrap_or_else(|| panic!("no [{label}] on {view:#?}"))
        .action
}

async fn connect(url: String, creds: Creds) -> Broker {
    let options = BrokerOptions {
        url,
        owner: creds.name() == "router",
        creds,
        ca: None,
    };
    let never = CancellationToken::new();
    Box::pin(Broker::connect(&options, &never)).await.unwrap()
}

/// A host on a runtime of its own: all of it can be ended at once, as `kill -9` would.
struct Host {
    runtime: Option<Runtime>,
    task: JoinHandle<Result<(), HostError>>,
    cancel: CancellationToken,
    health: Health,
}

impl Host {
    /// A host at a connection; `connected` is done between the two.
    async fn start(
        options: HostOptions,
        url: String,
        creds: Creds,
        connected: impl Future<Output = ()>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let broker = runtime.spawn(connect(url, creds)).await.unwrap();
        connected.await;
        let (cancel, health) = (CancellationToken::new(), Health::default());
        let (end, board) = (cancel.clone(), health.clone());
        let task = runtime.spawn(async move {
            let ended = loop {
                let (options, broker) = (options.clone(), broker.clone());
                match host::run(options, broker, board.clone(), end.clone()).await {
                    // The journal of a killed host is closed a moment after its tasks have gone.
                    Err(HostError::Journal(why)) if why.to_string().contains("another process") => {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    ended => break ended,
                }
            };
            broker.close().await;
            ended
        });
        Self {
            runtime: Some(runtime),
            task,
            cancel,
            health,
        }
    }

    /// Whether it has come up.
    async fn up(&self) {
        until("the host is up", async || {
            let up = self.health.report().1["parts"]["host"]["ok"].as_bool()?;
            up.then_some(())
        })
        .await;
    }

    fn kill(self) {
        drop(self);
    }

    /// Ends it in order.
    async fn stop(mut self) {
        self.cancel.cancel();
        (&mut self.task).await.unwrap().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
