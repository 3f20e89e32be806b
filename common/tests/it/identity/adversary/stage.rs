//! Where the attacks happen: a hub of ours, or one server with one account and no permissions; on it a victim whose
//! messages are under way, and ears that hear what is said to the others. What a round is, is in `round`.

mod round;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, Context, kv};
use async_nats::{Client, ConnectOptions, Subscriber};
use common::ids::Surface;
use common::stream as ours;
use futures_util::StreamExt as _;
use kit::nats::Broker;
use tokio::time::{Instant, sleep, timeout};

use super::super::imported;
use super::super::leaf::port_of;
use super::picture::Picture;
use super::{Who, is_honest, is_passed_over};
pub(super) use round::Round;

pub(super) const SOON: Duration = Duration::from_secs(20);
const QUICK: Duration = Duration::from_secs(120);
/// What a start of b has in its control subject; nobody else is told.
pub(super) const BOOT: &str = "0198f3c2d6e07a51b1c94f0e8d2a7b36";

/// A server for everybody, as the control.
pub(super) struct Plain {
    child: Child,
    _dir: tempfile::TempDir,
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) struct Stage {
    /// `127.0.0.1:port`.
    pub(super) address: String,
    pub(super) leaf_address: String,
    /// None on the server without permissions.
    pub(super) broker: Option<Broker>,
    _plain: Option<Plain>,
    pub(super) router: Client,
    gateway: Client,
    b: Client,
    ears: Vec<Ear>,
    round: usize,
}

/// Somebody honest who listens.
struct Ear {
    who: Client,
    /// The starts of b meet here.
    meeting: bool,
    heard: Subscriber,
}

impl Stage {
    /// Our hub, with a door for leaves.
    pub(super) async fn ours() -> Self {
        let mut broker = Broker::start().await;
        broker.stop().await;
        let mut conf = OpenOptions::new()
            .append(true)
            .open(broker.hub().conf_path())
            .unwrap();
        conf.write_all(b"leafnodes { listen: \"127.0.0.1:-1\" }\n")
            .unwrap();
        broker.restart().await;
        let log = broker.log();
        let (_, leaf) = log
            .rsplit_once("Listening for leafnode connections on ")
            .unwrap();
        let leaf_address = leaf.lines().next().unwrap().trim().to_owned();
        let router = broker.connect(&broker.creds("router")).await;
        let gateway = broker.connect(&broker.creds("gateway")).await;
        let b = broker.connect(&broker.enroll("b")).await;
        let mut stage = Self {
            address: format!("127.0.0.1:{}", broker.port()),
            leaf_address,
            broker: Some(broker),
            _plain: None,
            router,
            gateway,
            b,
            ears: Vec::new(),
            round: 0,
        };
        stage.furnish().await;
        stage.listen().await;
        stage
    }

    /// One account, no permissions.
    pub(super) async fn plain() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display();
        std::fs::write(
            dir.path().join("plain.conf"),
            format!(
                "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{path}\"\njetstream {{ store_dir: \"{path}/js\", domain: hub }}\n"
            ),
        )
        .unwrap();
        let child = Command::new(kit::nats::server_binary())
            .args(["-c", "plain.conf"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = port_of(dir.path(), child.id()).await;
        let plain = Plain { child, _dir: dir };
        let connect = async |name: &str| {
            let options = ConnectOptions::new()
                .name(name)
                .custom_inbox_prefix(format!("_INBOX_{name}"));
            options.connect(&url).await.unwrap()
        };
        let (router, gateway, b) = (
            connect("router").await,
            connect("gateway").await,
            connect("b").await,
        );
        let mut stage = Self {
            address: url.trim_start_matches("nats://").to_owned(),
            leaf_address: String::new(),
            broker: None,
            _plain: Some(plain),
            router,
            gateway,
            b,
            ears: Vec::new(),
            round: 0,
        };
        stage.furnish().await;
        stage.listen().await;
        stage
    }

    fn js_of(&self, client: &Client) -> Context {
        match self.broker {
            Some(_) => imported(client),
            None => jetstream::new(client.clone()),
        }
    }

    /// Makes everything anew: streams and consumers as the router makes them, something of value in each.
    pub(super) async fn furnish(&mut self) {
        let js = jetstream::new(self.router.clone());
        let names: Vec<String> = js.stream_names().map(Result::unwrap).collect().await;
        for name in names {
            js.delete_stream(name).await.unwrap();
        }
        for config in ours::streams() {
            // The one of that name that was deleted just now may not be gone from the disk yet.
            let until = Instant::now() + SOON;
            while let Err(why) = js.create_stream(config.clone()).await {
                assert!(Instant::now() < until, "{why}");
                sleep(Duration::from_millis(20)).await;
            }
        }
        // Nothing may come again by itself while an attack is looked at.
        let slow = |config: pull::Config| pull::Config {
            ack_wait: QUICK,
            ..config
        };
        for node in ["a", "b"] {
            let config = ours::work_node(&node.parse().unwrap());
            js.create_consumer_on_stream(slow(config), ours::WORK)
                .await
                .unwrap();
        }
        for surface in [Surface::Feishu, Surface::Web] {
            js.create_consumer_on_stream(slow(ours::out_surface(surface)), ours::OUT)
                .await
                .unwrap();
        }
        js.create_consumer_on_stream(slow(ours::in_router()), ours::IN)
            .await
            .unwrap();
        for bucket in [
            "PW_GATE_feishu",
            "PW_GATE_web",
            "PW_PRESENCE",
            "PW_USERS",
            "PW_NODES",
            "PW_ROUTER",
            "PW_REMIND",
        ] {
            let config = kv::Config {
                bucket: bucket.into(),
                history: 2,
                ..kv::Config::default()
            };
            js.create_key_value(config).await.unwrap();
        }
        for subject in [
            "pw.turn.b.feishu.ou_b",
            "pw.dead.b.feishu.ou_b",
            "pw.in.feishu.ou_b.msg",
            "pw.up.b.x.0",
            "pw.down.b.x.0",
            "$KV.PW_PRESENCE.b",
            "$KV.PW_USERS.u",
            "$KV.PW_NODES.b",
            "$KV.PW_ROUTER.lead",
            "$KV.PW_REMIND.x",
            "pw.sched.feishu.ou_b.x",
            "pw.fire.feishu.ou_b.x",
            "$KV.PW_GATE_feishu.out",
            "$KV.PW_GATE_web.out",
        ] {
            js.publish(subject, "honest".into())
                .await
                .unwrap()
                .await
                .unwrap();
        }
        // A file for a, with what a would like b to have said in it.
        js.publish("pw.down.a.x.0", "forged".into())
            .await
            .unwrap()
            .await
            .unwrap();
    }

    /// Ears where b, router and gateway listen.
    async fn listen(&mut self) {
        let private = self.b.new_inbox();
        let meeting = "pw.alive.node.b";
        for (who, subject) in [
            (&self.b, format!("pw.ctl.b.{BOOT}.*")),
            (&self.b, format!("{private}.*")),
            (&self.b, meeting.to_owned()),
            (&self.router, "pw.hb.*".to_owned()),
            (&self.router, "pw.remind.*".to_owned()),
            (&self.router, "pw.presence.>".to_owned()),
            (&self.router, "pw.alive.router.*".to_owned()),
            (&self.router, "_INBOX_router.guess.*".to_owned()),
            (&self.gateway, "pw.delta.>".to_owned()),
            (&self.gateway, "pw.alive.gateway.*".to_owned()),
        ] {
            self.ears.push(Ear {
                who: who.clone(),
                meeting: subject == meeting,
                heard: who.subscribe(subject).await.unwrap(),
            });
        }
        self.settle().await;
    }

    /// Returns when the server has handled what the honest ones sent and what others sent before, and has handed over
    /// what came of it: each asks for something and waits for the answer.
    pub(super) async fn settle(&self) {
        let api = if self.broker.is_some() {
            "PWJS.API"
        } else {
            "$JS.API"
        };
        for (who, request) in [
            (&self.b, format!("{api}.CONSUMER.INFO.PW_WORK.b")),
            (&self.gateway, format!("{api}.CONSUMER.INFO.PW_OUT.web")),
            (&self.router, "$JS.API.INFO".to_owned()),
        ] {
            // On the plain server the consumer may be gone; the answer says so, and that is enough.
            let _ = timeout(SOON, who.request(request, "".into()))
                .await
                .unwrap();
        }
    }

    /// What the honest ones have heard that none of them said.
    pub(super) async fn overheard(&mut self) -> Vec<String> {
        self.settle().await;
        let mut strange = Vec::new();
        for ear in &mut self.ears {
            while let Ok(Some(message)) = timeout(Duration::ZERO, ear.heard.next()).await {
                let expected = is_honest(&message) || ear.meeting && is_passed_over(&message);
                if !expected {
                    let body = String::from_utf8_lossy(&message.payload).into_owned();
                    strange.push(format!("{} was heard: {body}", message.subject));
                }
            }
        }
        strange
    }

    /// What an attacker could have changed.
    pub(super) async fn picture(&self, who: Who) -> Picture {
        Picture::take(&self.router, who).await
    }
}
