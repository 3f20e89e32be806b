//! The floor: two durable hand-overs and nothing else. A gateway's identity publishes to PW_IN and
//! waits for the stream's word; a router's pulls it and publishes to PW_WORK likewise; a node's
//! pulls that. Same broker, accounts, streams and kinds of consumer as the real path.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use common::broker::{Broker, BrokerOptions};
use common::identity::Creds;
use common::stream;
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::site::{FLOOR_NODE, Site};

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
            message.double_ack().await.expect("acknowledged");
        }
        sending.await.expect("sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
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

async fn connect(site: &Site, creds: &std::path::Path, owner: bool) -> Broker {
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
