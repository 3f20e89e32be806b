//! Who leads reads in order, whatever others who read before it had in hand, or took.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, Lead, Outcome, consume};
use common::broker::lease::{Lease, Place};
use common::ids::Surface;
use common::stream;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::{One, PATIENCE, hub, place};

/// What is to be shown to one person, in a stream, with its consumer.
struct Shown {
    nats: kit::nats::Broker,
    router: Broker,
    out: PullConsumer,
}

impl Shown {
    async fn start() -> Self {
        let (nats, router) = hub().await;
        let js = router.jetstream();
        for config in stream::streams() {
            js.create_stream(config).await.unwrap();
        }
        let config = stream::out_surface(Surface::Feishu);
        let out = js.create_consumer_on_stream(config, stream::OUT);
        let out = out.await.unwrap();
        Self { nats, router, out }
    }

    async fn publish(&self, n: u32) {
        let (subject, text) = ("pw.out.a.feishu.ou_1", n.to_string());
        let stored = self.router.publish(subject, &text, "", text.clone());
        stored.await.unwrap();
    }

    /// Somebody who takes up to so many of what there is, and does nothing with them.
    async fn taken_elsewhere(&self, many: usize) -> Vec<jetstream::Message> {
        let taken = self.out.fetch().max_messages(many).messages().await;
        let taken: Vec<_> = taken.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(taken.len(), many);
        taken
    }
}

/// Reads as the one who leads; gives what comes.
fn read(one: &One, lease: &Lease) -> (JoinHandle<()>, UnboundedReceiver<Bytes>) {
    let (tell, told) = unbounded_channel();
    let (broker, reading) = (one.broker.clone(), lease.clone());
    let reader = one.runtime.as_ref().unwrap().spawn(async move {
        let floor = Place {
            key: "floor".into(),
            ..place()
        };
        let options = ConsumeOptions {
            stream: stream::OUT,
            consumer: "feishu",
            in_flight: 1024,
            drain: Duration::from_secs(1),
            dead: None,
            lead: Some(Lead {
                lease: &reading,
                floor: &floor,
            }),
        };
        let key = |subject: &str| subject.to_owned();
        let handle = move |delivery: Delivery| {
            let tell = tell.clone();
            async move {
                tell.send(delivery.payload).unwrap();
                Outcome::Done
            }
        };
        consume(&broker, options, reading.over().clone(), key, handle).await;
    });
    (reader, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_reader_had_in_hand_comes_before_newer_ones_and_in_order() {
    let shown = Box::pin(Shown::start()).await;
    for n in 0..6 {
        shown.publish(n).await;
    }
    // Somebody took them, and lets go of them in any order, or not at all.
    let held = shown.taken_elsewhere(6).await;
    for n in [4, 2, 5] {
        held[n].ack_with(AckKind::Nak(None)).await.unwrap();
    }
    shown.publish(6).await;

    let one = One::start(&shown.nats).await;
    let lease = one.lead().await;
    let (reader, mut told) = read(&one, &lease);
    shown.publish(7).await;
    for n in 0..8 {
        let next = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap();
        assert_eq!(next.unwrap(), n.to_string().as_bytes());
    }
    one.cancel.cancel();
    reader.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_a_reader_that_should_not_read_any_more_changes_no_order() {
    let shown = Box::pin(Shown::start()).await;
    let one = One::start(&shown.nats).await;
    let lease = one.lead().await;
    let (reader, mut told) = read(&one, &lease);
    shown.publish(0).await;
    let next = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap();
    assert_eq!(next.unwrap(), "0");
    // It was frozen, and asks once more as it wakes: the broker shares out between the two.
    let thief = shown.out.clone();
    let taking = tokio::spawn(async move {
        let asked = thief.batch().max_messages(3).expires(PATIENCE);
        let taken = asked.messages().await.unwrap();
        taken.map(Result::unwrap).collect::<Vec<_>>().await
    });
    let mut seen = BTreeSet::new();
    let (mut sent, mut behind) = (0, 0);
    // As it is not sure when the other one's request is there, go on until it got what it wanted.
    while behind < 5 {
        sent += 1;
        shown.publish(sent).await;
        behind += u32::from(taking.is_finished());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(taking.await.unwrap().len(), 3);
    let mut last = 0;
    while seen.len() < sent as usize {
        let next = tokio::time::timeout(PATIENCE, told.recv()).await.unwrap();
        let n: u32 = String::from_utf8_lossy(&next.unwrap()).parse().unwrap();
        // Some may come once more; nothing new before its time.
        if seen.insert(n) {
            assert_eq!(n, last + 1, "in order");
            last = n;
        }
    }
    one.cancel.cancel();
    reader.await.unwrap();
}
