//! A site with a nats-server of its own: the template for operators works, and carries its nodes and no others.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, timeout};

use super::{World, imported, roundtrip, settling};

const TEMPLATE: &str = include_str!("../../../../nats/leaf.conf.example");
const SOON: Duration = Duration::from_secs(20);

struct Leaf {
    child: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Drop for Leaf {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a ports file, once it is there and whole.
pub(super) async fn port_of(run_dir: &Path, pid: u32) -> String {
    let until = Instant::now() + SOON;
    loop {
        let text = fs::read_to_string(run_dir.join(format!("nats-server_{pid}.ports")));
        if let Ok(ports) = serde_json::from_str::<serde_json::Value>(&text.unwrap_or_default()) {
            return ports["nats"][0]
                .as_str()
                .unwrap_or_else(|| panic!("{ports}"))
                .to_owned();
        }
        assert!(Instant::now() < until, "no ports file");
        sleep(Duration::from_millis(10)).await;
    }
}

impl World {
    /// Opens the hub for leaves and starts one for the given nodes.
    async fn site(&mut self, nodes: &[String]) -> Leaf {
        self.broker.stop().await;
        let mut conf = OpenOptions::new()
            .append(true)
            .open(self.broker.hub().conf_path())
            .unwrap();
        conf.write_all(b"leafnodes { listen: \"127.0.0.1:-1\" }\n")
            .unwrap();
        self.broker.restart().await;
        // The ports file does not list it; the server is up, so the line is there.
        let log = self.broker.log();
        let (_, address) = log
            .rsplit_once("Listening for leafnode connections on ")
            .unwrap_or_else(|| panic!("{log}"));
        let hub = address.lines().next().unwrap();

        let dir = tempfile::tempdir().unwrap();
        self.broker
            .hub()
            .mint_leaf("site-a", nodes)
            .unwrap()
            .write(&dir.path().join("leaf.creds"))
            .unwrap();
        let conf = TEMPLATE
            .replace("127.0.0.1:4222", "127.0.0.1:-1")
            .replace("tls://hub.example:7422", &format!("nats-leaf://{hub}"));
        let run_dir = dir.path().display();
        fs::write(
            dir.path().join("leaf.conf"),
            format!("{conf}\nports_file_dir: \"{run_dir}\"\n"),
        )
        .unwrap();
        let child = Command::new(kit::nats::server_binary())
            .args(["-c", "leaf.conf"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = port_of(dir.path(), child.id()).await;
        Leaf {
            child,
            url,
            _dir: dir,
        }
    }
}

#[tokio::test]
async fn a_leaf_carries_its_nodes_and_no_others() {
    let mut world = World::start().await;
    let leaf = world.site(&["a".to_owned()]).await;
    let node = world
        .creds_a
        .connect_options()
        .unwrap()
        .connect(&leaf.url)
        .await
        .unwrap();
    let js = imported(&node);
    // The link to the hub comes up by itself; the first answer through it says so.
    let until = Instant::now() + SOON;
    let consumer: PullConsumer = loop {
        match timeout(
            Duration::from_secs(1),
            js.get_consumer_from_stream("a", "PW_WORK"),
        )
        .await
        {
            Ok(Ok(consumer)) => break consumer,
            other => assert!(Instant::now() < until, "{other:?}"),
        }
        sleep(Duration::from_millis(20)).await;
    };

    world
        .js()
        .publish("pw.work.a.web.u", "do".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let work = timeout(SOON, messages.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    timeout(SOON, settling(work).double_ack())
        .await
        .unwrap()
        .unwrap();
    js.publish("pw.out.a.web.u", "done".into())
        .await
        .unwrap()
        .await
        .unwrap();

    let mut control = node.subscribe("pw.ctl.a.>").await.unwrap();
    roundtrip(&node).await;
    let answering = node.clone();
    let answer = tokio::spawn(async move {
        let request = control.next().await.unwrap();
        answering
            .publish(request.reply.unwrap(), "busy".into())
            .await
            .unwrap();
    });
    let reply = timeout(SOON, world.router.request("pw.ctl.a.x.status", "".into()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reply.payload.as_ref(), b"busy");
    answer.await.unwrap();

    // In b's place it can neither speak nor listen.
    let before = world.picture().await;
    let mut ear = node.subscribe("pw.ctl.b.>").await.unwrap();
    for subject in [
        "pw.out.b.web.u",
        "pw.turn.b.web.u",
        "PWJS.API.CONSUMER.MSG.NEXT.PW_WORK.b",
        "pw.work.a.web.u",
    ] {
        node.publish(subject, "forged".into()).await.unwrap();
    }
    world.settle(&node).await;
    assert_eq!(world.picture().await, before);
    let absent = timeout(SOON, world.router.request("pw.ctl.b.x.status", "".into()))
        .await
        .unwrap();
    assert!(absent.is_err(), "{absent:?}");
    assert!(timeout(Duration::ZERO, ear.next()).await.is_err());
}

#[tokio::test]
async fn a_leaf_is_minted_for_enrolled_nodes_only() {
    let world = World::start().await;
    let error = world
        .broker
        .hub()
        .mint_leaf("site-a", &["zz".to_owned()])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"zz\"") && error.contains("nodes/"),
        "{error}"
    );
    assert!(world.broker.hub().mint_leaf("site a", &[]).is_err());
}
