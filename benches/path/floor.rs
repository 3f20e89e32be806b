//! The floor: two durable hand-overs and nothing else. A gateway's identity publishes to PW_IN and
//! waits for the stream's word; a router's pulls it and publishes to PW_WORK likewise; a node's
//! pulls that. Same broker, accounts, streams and kinds of consumer as the real path.

use std::collections::HashMap;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use common::broker::{Broker, BrokerOptions};
use common::identity::Creds;
use common::stream;
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::site::{FLOOR_NODE, PAUSE, Site};

/// As long as a message and its head are on the real path.
const PAYLOAD: usize = 400;

pub(crate) async fn measure(site: &Site, people: usize, rounds: usize) -> Vec<Duration> {
    let gateway = connect(site, &site.creds("gateway"), false).await;
    let router = connect(site, &site.creds("router"), true).await;
    let node = connect(site, &site.floor_creds(), false).await;
    let cancel = CancellationToken::new();
    let routing = tokio::spawn(route(router.clone(), cancel.clone()));
    let begun: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let mut work = messages(&node, stream::WORK, FLOOR_NODE).await;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let sends = (0..people).map(|person| {
            let (gateway, begun) = (gateway.clone(), Arc::clone(&begun));
            async move {
                let id = Uuid::new_v4().to_string();
                let payload = format!("{id}{}", "x".repeat(PAYLOAD));
                begun
                    .lock()
                    .expect("no panic")
                    .insert(id.clone(), Instant::now());
                let subject = format!("pw.in.feishu.floor{person}.msg");
                gateway
                    .publish(&subject, &id, "", payload)
                    .await
                    .expect("stored");
            }
        });
        let sending = tokio::spawn(futures_util::future::join_all(sends));
        for _ in 0..people {
            let message = work
                .next()
                .await
                .expect("the stream goes on")
                .expect("a message");
            let id = String::from_utf8_lossy(&message.payload[..36]).into_owned();
            let since = begun.lock().expect("no panic").remove(&id);
            times.push(since.expect("one of ours").elapsed());
            let message = node.settling(&message);
            message.double_ack().await.expect("acknowledged");
        }
        sending.await.expect("sent");
        // Processes, broker and processor have as long to go to sleep as on the real path.
        tokio::time::sleep(PAUSE).await;
    }
    cancel.cancel();
    routing.await.expect("routed");
    for broker in [gateway, router, node] {
        broker.close().await;
    }
    times
}

/// Hands on what comes, people side by side.
async fn route(router: Broker, cancel: CancellationToken) {
    let mut acts = messages(&router, stream::IN, stream::IN_ROUTER).await;
    loop {
        let message = tokio::select! {
            message = acts.next() => message.expect("the stream goes on").expect("a message"),
            () = cancel.cancelled() => return,
        };
        let router = router.clone();
        tokio::spawn(async move {
            let id = String::from_utf8_lossy(&message.payload[..36]).into_owned();
            let user = message
                .subject
                .split('.')
                .nth(3)
                .expect("a user")
                .to_owned();
            let subject = format!("pw.work.{FLOOR_NODE}.feishu.{user}");
            router
                .publish(&subject, &id, "", message.payload.clone())
                .await
                .expect("stored");
            message.double_ack().await.expect("acknowledged");
        });
    }
}

/// What a flush of this disk takes: some pages of a file written and waited for, in the same rhythm.
/// The broker does not flush for each message; a host does, twice before its agent hears it.
pub(crate) async fn flushes(beside: &Path, rounds: usize) -> Vec<Duration> {
    const PAGES: usize = 8;
    let file = std::fs::File::create(beside.with_extension("flushes")).expect("a file");
    // As in a journal that has its size, no flush has to make the file longer.
    file.write_all_at(&vec![1; 16 * PAGES * 4096], 0)
        .expect("room");
    file.sync_all().expect("flushed");
    let pages = vec![2; PAGES * 4096];
    let mut times = Vec::new();
    for round in 0..rounds {
        let at = u64::try_from(round % 16 * PAGES * 4096).expect("small");
        let begun = Instant::now();
        file.write_all_at(&pages, at).expect("room");
        file.sync_data().expect("flushed");
        times.push(begun.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    times
}

async fn messages(
    broker: &Broker,
    stream: &str,
    consumer: &str,
) -> async_nats::jetstream::consumer::pull::Stream {
    let consumer: PullConsumer = broker
        .jetstream()
        .get_consumer_from_stream(consumer, stream)
        .await
        .expect("the consumer");
    consumer
        .stream()
        .max_messages_per_batch(128)
        .messages()
        .await
        .expect("messages")
}

async fn connect(site: &Site, creds: &Path, owner: bool) -> Broker {
    let options = BrokerOptions {
        url: site.url(),
        creds: Creds::read(creds).expect("credentials"),
        ca: None,
        owner,
    };
    Broker::connect(&options, &CancellationToken::new())
        .await
        .expect("a connection")
}
