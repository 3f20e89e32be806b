//! A server whose disk takes nothing: it is told, and started again once there is room, with all
//! that it had confirmed.

use async_nats::jetstream::{self, stream};
use kit::disk::{Frozen, SmallDisk};

use super::*;

const MB: u64 = 1024 * 1024;

fn hub_in(data: &Path) -> Hub {
    let options = HubOptions {
        port: -1,
        ..HubOptions::default()
    };
    Hub::init(data, &options).unwrap()
}

/// Publishes into a stream and counts what was confirmed.
struct Sender {
    js: jetstream::Context,
    sent: u64,
    confirmed: u64,
}

impl Sender {
    async fn new(hub: &Hub, child: &BrokerChild) -> Self {
        let client = router(hub, child.url()).await;
        let mut js = jetstream::new(client);
        js.set_timeout(Duration::from_secs(2));
        let config = stream::Config {
            name: "S".into(),
            subjects: vec!["s".into()],
            max_bytes: 256 * 1024 * 1024,
            discard: stream::DiscardPolicy::New,
            ..Default::default()
        };
        js.create_stream(config).await.unwrap();
        Self {
            js,
            sent: 0,
            confirmed: 0,
        }
    }

    async fn send(&mut self) -> bool {
        self.sent += 1;
        let payload = vec![b'x'; 100_000].into();
        let done = match self.js.publish("s", payload).await {
            Ok(ack) => timeout(Duration::from_secs(2), ack)
                .await
                .is_ok_and(|ack| ack.is_ok()),
            Err(_) => false,
        };
        self.confirmed += u64::from(done);
        done
    }

    /// Sends until it is confirmed again.
    async fn recovers(&mut self) {
        let deadline = Instant::now() + SOON;
        while !self.send().await {
            assert!(Instant::now() < deadline, "nothing is stored any more");
        }
    }

    async fn stored(&self) -> u64 {
        let mut stream = self.js.get_stream("S").await.unwrap();
        stream.info().await.unwrap().state.messages
    }
}

async fn told(child: &BrokerChild, part: &str) {
    let mut trouble = child.trouble();
    let said = trouble.wait_for(|why| why.as_ref().is_some_and(|why| why.contains(part)));
    let found = timeout(SOON, said).await.is_ok();
    assert!(
        found,
        "never said `{part}`, but {:?}",
        child.trouble().borrow()
    );
}

async fn well(child: &BrokerChild) {
    let mut trouble = child.trouble();
    let well = trouble.wait_for(Option::is_none);
    timeout(SOON, well)
        .await
        .expect("never well again")
        .unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_got_over() {
    let disk = SmallDisk::new(32 * MB);
    let hub = hub_in(&disk.path().join("data"));
    let child = start(&hub).await;
    let mut sender = Sender::new(&hub, &child).await;
    assert!(sender.send().await);
    let first = child.pid().unwrap();
    disk.fill();
    while sender.send().await {}
    told(&child, "free some space").await;
    assert_eq!(
        child.pid(),
        Some(first),
        "without room it must not be started again"
    );
    disk.clear();
    well(&child).await;
    assert_ne!(child.pid(), Some(first));
    sender.recovers().await;
    assert!(sender.stored().await >= sender.confirmed);
    child.stop().await;
}

#[tokio::test]
async fn a_folder_that_takes_nothing_any_more_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub_in(&dir.path().join("data"));
    let child = start(&hub).await;
    let mut sender = Sender::new(&hub, &child).await;
    assert!(sender.send().await);
    let frozen = Frozen::freeze(hub.data_dir());
    assert!(!sender.send().await);
    told(&child, "no room").await;
    drop(frozen);
    well(&child).await;
    sender.recovers().await;
    assert!(sender.stored().await >= sender.confirmed);
    child.stop().await;
}

#[tokio::test]
async fn one_that_dies_on_a_full_disk_waits_for_room() {
    let disk = SmallDisk::new(32 * MB);
    let hub = hub_in(&disk.path().join("data"));
    let child = start(&hub).await;
    let mut sender = Sender::new(&hub, &child).await;
    assert!(sender.send().await);
    disk.fill();
    kill_process(pid(child.pid().unwrap()), Signal::KILL).unwrap();
    told(&child, "free some space").await;
    assert_eq!(child.pid(), None);
    disk.clear();
    well(&child).await;
    sender.recovers().await;
    assert!(sender.stored().await >= sender.confirmed);
    child.stop().await;
}
