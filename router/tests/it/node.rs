//! A stand-in for a node: it beats, answers live requests and fetches its work.

use chrono::Utc;
use common::broker::Broker;
use common::identity::Creds;
use common::ids::{BootId, NodeId};
use common::message::control::Heartbeat;
use common::message::inbound::InboundBody;
use common::message::work::Work;
use common::message::{decode, encode};
use common::{stream, subject};
use futures_util::StreamExt as _;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::world::{World, connect, creds_path, id, next};

/// A node's side of the wire.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) boot: BootId,
    pub(crate) broker: Broker,
    pub(crate) beat: Heartbeat,
    /// Ends the answering with the node.
    _answers: DropGuard,
}

impl Node {
    /// Connects, answers live requests, and beats once; later beats are the test's.
    pub(crate) async fn start(world: &World, node: &str) -> Self {
        let node = Self::mute(world, node).await;
        let beat = node.beat.clone();
        let node = node.answering(beat).await;
        node.beats().await;
        node
    }

    /// Answers the live requests to that beat's start with it.
    pub(crate) async fn answering(self, beat: Heartbeat) -> Self {
        let broker = self.broker.clone();
        let control = subject::control_of(&beat.node, beat.boot);
        let mut requests = broker.client().subscribe(control).await.unwrap();
        broker.client().flush().await.unwrap();
        let stop = CancellationToken::new();
        let answers = stop.clone().drop_guard();
        tokio::spawn(async move {
            while let Some(Some(request)) = stop.run_until_cancelled(requests.next()).await {
                let fresh = Heartbeat {
                    sent_at: Utc::now(),
                    ..beat.clone()
                };
                let reply = request.reply.unwrap();
                let answer = encode(&fresh).into();
                broker.client().publish(reply, answer).await.unwrap();
            }
        });
        Self {
            _answers: answers,
            ..self
        }
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
            description: format!("The {node} machine"),
            version: "0.1.0".into(),
            serves: Vec::new(),
            sessions: 2,
            running: 1,
            load: None,
            trouble: None,
            leaving: false,
            sent_at: Utc::now(),
        };
        Self {
            id,
            boot,
            broker,
            beat,
            _answers: CancellationToken::new().drop_guard(),
        }
    }

    pub(crate) async fn beats(&self) {
        self.send(&self.beat).await;
    }

    pub(crate) async fn send(&self, beat: &Heartbeat) {
        let subject = subject::heartbeat(&self.id);
        self.broker
            .client()
            .publish(subject, encode(beat).into())
            .await
            .unwrap();
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
