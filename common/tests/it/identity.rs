//! Identity against a real broker: what is made on disk, what each role reaches, and what it does not.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a failure is a panic"
)]

mod admission;
mod adversary;
mod hub;
mod leaf;
mod picture;
mod reach;
mod transport;

use async_nats::Client;
use async_nats::jetstream::{self, consumer, kv, stream};
use common::identity::{API_PREFIX, Creds, HubOptions, Tls};
use kit::nats::Broker;

/// A hub with the streams the permissions speak of, two nodes `a` and `b`, and everybody connected.
struct World {
    broker: Broker,
    router: Client,
    gateway: Client,
    a: Client,
    creds_a: Creds,
    creds_b: Creds,
}

impl World {
    async fn start() -> Self {
        // Boxed, because setting up everything makes one very large future.
        Box::pin(Self::set_up(Broker::start().await)).await
    }

    /// The same with TLS, and a door for the servers of sites.
    async fn start_encrypted() -> Self {
        let options = HubOptions {
            port: -1,
            tls: Some(Tls::Own {
                name: "127.0.0.1".into(),
            }),
            leaf_port: Some(-1),
            ..HubOptions::default()
        };
        Box::pin(Self::set_up(Broker::start_with(&options).await)).await
    }

    async fn set_up(broker: Broker) -> Self {
        let router = broker.connect(&broker.creds("router")).await;
        let js = jetstream::new(router.clone());
        let queue = stream::RetentionPolicy::WorkQueue;
        for (name, subject, retention) in [
            ("PW_IN", "pw.in.>", stream::RetentionPolicy::Limits),
            ("PW_WORK", "pw.work.>", queue),
            ("PW_OUT", "pw.out.>", queue),
            ("PW_TURN", "pw.turn.>", queue),
            ("PW_UP", "pw.up.>", stream::RetentionPolicy::Limits),
            ("PW_DOWN", "pw.down.>", stream::RetentionPolicy::Limits),
        ] {
            let config = stream::Config {
                name: name.into(),
                subjects: vec![subject.into()],
                retention,
                allow_direct: matches!(name, "PW_UP" | "PW_DOWN"),
                ..Default::default()
            };
            js.create_stream(config).await.unwrap();
        }
        for (stream, name, filter) in [
            ("PW_WORK", "a", "pw.work.a.>"),
            ("PW_WORK", "b", "pw.work.b.>"),
            ("PW_OUT", "feishu", "pw.out.*.feishu.*"),
            ("PW_OUT", "web", "pw.out.*.web.*"),
        ] {
            let config = consumer::pull::Config {
                durable_name: Some(name.into()),
                filter_subject: filter.into(),
                ..Default::default()
            };
            js.create_consumer_on_stream(config, stream).await.unwrap();
        }
        for bucket in ["PW_GATE_feishu", "PW_GATE_web", "PW_PRESENCE", "PW_USERS"] {
            let config = kv::Config {
                bucket: bucket.into(),
                ..Default::default()
            };
            js.create_key_value(config).await.unwrap();
        }
        let gateway = broker.connect(&broker.creds("gateway")).await;
        let (creds_a, creds_b) = (broker.enroll("a"), broker.enroll("b"));
        let a = broker.connect(&creds_a).await;
        Self {
            broker,
            router,
            gateway,
            a,
            creds_a,
            creds_b,
        }
    }

    fn js(&self) -> jetstream::Context {
        jetstream::new(self.router.clone())
    }

    async fn stored(&self, stream: &str) -> u64 {
        self.js()
            .get_stream(stream)
            .await
            .unwrap()
            .get_info()
            .await
            .unwrap()
            .state
            .messages
    }
}

/// JetStream as an account without streams of its own sees it.
fn imported(client: &Client) -> jetstream::Context {
    jetstream::with_prefix(client.clone(), API_PREFIX)
}

/// The message as a node may settle it.
fn settling(mut message: jetstream::Message) -> jetstream::Message {
    let reply = message.message.reply.as_deref();
    let ours = reply.and_then(common::identity::ack_of_node).unwrap();
    message.message.reply = Some(ours.into());
    message
}

/// Returns when the server has handled everything `client` sent before. Flushing alone only fills the socket.
async fn roundtrip(client: &Client) {
    let inbox = client.new_inbox();
    let who = inbox
        .trim_start_matches("_INBOX_")
        .split('.')
        .next()
        .unwrap();
    let request = match who {
        "router" => "$JS.API.INFO".to_owned(),
        "gateway" => format!("{API_PREFIX}.CONSUMER.INFO.PW_OUT.web"),
        node => format!("{API_PREFIX}.CONSUMER.INFO.PW_WORK.{node}"),
    };
    client.request(request, "".into()).await.unwrap();
}
