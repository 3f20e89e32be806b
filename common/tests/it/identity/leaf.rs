//! A site with a nats-server of its own: the template for operators works, and carries its nodes and no others.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::ConnectError;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use common::identity::{Creds, SiteFiles, SiteOptions};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep, timeout};

use kit::nats::Broker;

use super::{World, imported, roundtrip, settling};

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

/// The site's server.
async fn run(files: &SiteFiles) -> Leaf {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().display();
    let conf = files.conf.replace("port: 4222", "port: -1");
    let conf = format!("{conf}\nports_file_dir: \"{run_dir}\"\n");
    for (name, text) in [
        ("leaf.conf", conf.as_str()),
        ("leaf.creds", files.creds.text().expose_secret()),
        ("leaf.pem", &files.certificate),
        ("leaf.key", files.key.expose_secret()),
        ("ca.pem", &files.ca),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let child = Command::new(kit::nats::server_binary())
        .args(["-c", "leaf.conf", "-l", "leaf.log"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = port_of(dir.path(), child.id()).await;
    let url = format!("tls://127.0.0.1:{}", url.rsplit_once(':').unwrap().1);
    Leaf {
        child,
        url,
        _dir: dir,
    }
}

impl World {
    /// Everything as `enroll --leaf` makes it, and the site's server running with it.
    async fn site(&self, nodes: &[&str]) -> (Leaf, SiteFiles) {
        let files = self.files(nodes);
        (run(&files).await, files)
    }

    fn files(&self, nodes: &[&str]) -> SiteFiles {
        // The ports file does not list it; the server is up, so the line is there.
        let log = self.broker.log();
        let (_, address) = log
            .rsplit_once("Listening for leafnode connections on ")
            .unwrap_or_else(|| panic!("{log}"));
        let hub = address.lines().next().unwrap();
        self.broker
            .hub()
            .enroll_site(
                "site-a",
                &SiteOptions {
                    host: Some("127.0.0.1".into()),
                    port: None,
                    nodes: nodes.iter().map(ToString::to_string).collect(),
                    hub: format!("tls://{hub}"),
                    hub_ca: Some("ca.pem"),
                },
            )
            .unwrap()
    }

    async fn at(&self, leaf: &Leaf, creds: &Creds) -> Result<async_nats::Client, ConnectError> {
        let options = creds.connect_options().unwrap();
        options
            .add_root_certificates(self.broker.ca().unwrap())
            .connect(&leaf.url)
            .await
    }

    /// Whether a node's request comes through the site's server and back.
    async fn passes(&self, client: &async_nats::Client, node: &str) -> bool {
        let js = imported(client);
        let asked = js.get_consumer_from_stream::<pull::Config, _, _>(node, "PW_WORK");
        matches!(timeout(Duration::from_secs(1), asked).await, Ok(Ok(_)))
    }
}

#[tokio::test]
async fn a_leaf_carries_its_nodes_and_no_others() {
    let world = World::start_encrypted().await;
    let (leaf, _) = world.site(&["a"]).await;
    let node = world.at(&leaf, &world.creds_a).await.unwrap();
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
async fn the_server_of_a_site_lets_in_whom_the_hub_knows_and_nobody_else() {
    let world = World::start_encrypted().await;
    let (leaf, files) = world.site(&["a"]).await;
    let a = world.at(&leaf, &world.creds_a).await.unwrap();
    let until = Instant::now() + SOON;
    while !world.passes(&a, "a").await {
        assert!(Instant::now() < until, "no way through the site");
    }
    // Without a key, with another hub's, and with that of the site's server.
    let stranger = async_nats::ConnectOptions::new()
        .add_root_certificates(world.broker.ca().unwrap())
        .connect(&leaf.url);
    assert!(stranger.await.is_err());
    let other = Broker::start().await.enroll("a");
    assert!(world.at(&leaf, &other).await.is_err());
    assert!(world.at(&leaf, &files.creds).await.is_err());
    // b has a key and comes in, but this site does not speak for it.
    let b = world.at(&leaf, &world.creds_b).await.unwrap();
    assert!(!world.passes(&b, "b").await);
    // As a it could not speak here either.
    assert!(!world.passes(&b, "a").await);
}

#[tokio::test]
async fn a_site_is_cut_off_by_its_id_and_with_a_machine_of_it() {
    let world = World::start_encrypted().await;
    let hub = world.broker.hub();
    let tell = async || {
        let ca = world.broker.ca();
        hub.tell_broker(&world.broker.url(), ca.as_deref())
            .await
            .unwrap();
    };
    let (leaf, _) = world.site(&["a"]).await;
    let a = world.at(&leaf, &world.creds_a).await.unwrap();
    let until = Instant::now() + SOON;
    while !world.passes(&a, "a").await {
        assert!(Instant::now() < until, "no way through the site");
    }
    // A node more: the key before goes on until the new one is there.
    let wider = world.files(&["a", "b"]);
    assert!(!wider.cut_off);
    tell().await;
    assert!(world.passes(&a, "a").await, "the old one still carries a");
    drop(leaf);
    let leaf = run(&wider).await;
    let b = world.at(&leaf, &world.creds_b).await.unwrap();
    let until = Instant::now() + SOON;
    while !world.passes(&b, "b").await {
        assert!(Instant::now() < until, "no way through the new key");
    }
    // One less: whoever could speak for b cannot speak at all.
    let narrow = world.files(&["a"]);
    assert!(narrow.cut_off);
    tell().await;
    let until = Instant::now() + SOON;
    while world.passes(&b, "b").await {
        assert!(Instant::now() < until, "b still passes");
    }
    drop(leaf);
    let narrow = run(&narrow).await;
    // A machine that is removed takes with it what could speak for it.
    let a = world.at(&narrow, &world.creds_a).await.unwrap();
    let until = Instant::now() + SOON;
    while !world.passes(&a, "a").await {
        assert!(Instant::now() < until, "no way through the newest key");
    }
    assert!(hub.site("site-a").unwrap().unwrap().carries("a"));
    hub.revoke("a").unwrap();
    assert!(hub.site("site-a").unwrap().unwrap().is_removed());
    tell().await;
    let until = Instant::now() + SOON;
    while world.passes(&a, "a").await {
        assert!(Instant::now() < until, "a still passes");
    }
    drop(narrow);
    let (last, _) = world.site(&["b"]).await;
    let b = world.at(&last, &world.creds_b).await.unwrap();
    let until = Instant::now() + SOON;
    while !world.passes(&b, "b").await {
        assert!(Instant::now() < until, "no way through the last key");
    }
    hub.revoke_site("site-a").unwrap().unwrap();
    tell().await;
    let until = Instant::now() + SOON;
    while world.passes(&b, "b").await {
        assert!(Instant::now() < until, "b still passes");
    }
    assert!(hub.node("b").unwrap().unwrap().revoked_at.is_none());
    assert!(hub.revoke_site("nowhere").unwrap().is_none());
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
