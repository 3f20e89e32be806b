//! What cannot be handled, on a real broker: it ends among the dead letters, whole and once, and
//! holds nobody up; whatever dies on the way.

#![expect(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod back;
mod killer;
mod stage;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::stream::DiscardPolicy;
use common::broker::consume::{ConsumeOptions, Delivery, MAX_ATTEMPTS, Outcome, consume};
use common::broker::dead::{DeadWhy, Letter};
use common::broker::{Broker, BrokerOptions};
use common::ids::{NodeId, Surface};
use common::{stream, subject};
use futures_util::StreamExt as _;
use kit::nats::Broker as Nats;
use stage::*;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_dead_letter_is_whole_and_leaves_its_stream() {
    let world = World::start().await;
    let mine = work_of("ou_1");
    for text in ["one", "bad", "panic", "two"] {
        world.publish(&mine, text).await;
    }
    let reader = Reader::start(&world.node, node_options());
    world.empty(stream::WORK).await;
    assert_eq!(reader.texts(), ["one", "bad", "panic", "two"]);
    let letters = world.letters().await;
    let subjects: Vec<_> = letters
        .iter()
        .map(|(subject, _)| subject.as_str())
        .collect();
    assert_eq!(subjects, ["pw.dead.home.feishu.ou_1"; 2]);
    let (bad, broken) = (&letters[0].1, &letters[1].1);
    assert_eq!(bad.payload.as_ref(), b"bad");
    assert_eq!(
        (bad.subject.as_str(), bad.stream.as_str()),
        (mine.as_str(), "PW_WORK")
    );
    assert_eq!(
        (bad.sequence, bad.attempts, bad.why),
        (2, 1, DeadWhy::Refused)
    );
    assert_eq!(bad.detail, "not readable:  line 1");
    assert_eq!(bad.traceparent, "00-a-b-01");
    assert_eq!(bad.cut_from, None);
    assert_eq!((broken.sequence, broken.why), (3, DeadWhy::Failed));
    assert_eq!(broken.payload.as_ref(), b"panic");
    assert!(
        !broken.detail.contains("as ordered"),
        "what a panic says may be anything"
    );
    reader.stop().await;
}

#[tokio::test]
async fn a_message_that_comes_again_after_its_letter_was_stored_is_one_letter() {
    let mut world = World::start().await;
    let mine = subject::inbound_message(&"ou_1".parse().unwrap());
    world.publish(&mine, "bad").await;
    let reads = || Reader::start(&world.inside, options(stream::IN, "router", NodeId::ROUTER));
    let reader = reads();
    world.wait_letters(1).await;
    reader.stop().await;
    // As if the reader had died before it could say that the message is settled: it is not.
    let again = async |inside: &Broker| {
        let acts = inside.jetstream().get_stream(stream::IN).await.unwrap();
        acts.reset_consumer("router", Some(1)).await.unwrap();
    };
    again(&world.inside).await;
    let reader = reads();
    until("it has come again", async || {
        (reader.texts().len() == 1).then_some(())
    })
    .await;
    reader.stop().await;
    assert_eq!(world.letters().await.len(), 1);
    // Also when the broker has forgotten all that is not on its disk.
    world.nats.kill().await;
    world.nats.restart().await;
    until("the router is back", async || {
        world.inside.jetstream().get_stream(stream::IN).await.ok()
    })
    .await;
    again(&world.inside).await;
    world.publish(&mine, "good").await;
    let reader = Reader::start(&world.inside, options(stream::IN, "router", NodeId::ROUTER));
    until("both have come", async || {
        (reader.texts() == ["bad", "good"]).then_some(())
    })
    .await;
    reader.stop().await;
    assert_eq!(world.letters().await.len(), 1);
}

#[tokio::test]
async fn while_the_dead_letters_are_full_it_stays_and_only_its_own_wait() {
    let world = World::start().await;
    let js = world.inside.jetstream();
    let mut all = stream::streams().into_iter();
    let roomy = all.find(|one| one.name == stream::DLQ).unwrap();
    let full = async_nats::jetstream::stream::Config {
        max_messages: 1,
        max_messages_per_subject: -1,
        discard: DiscardPolicy::New,
        ..roomy.clone()
    };
    js.update_stream(full).await.unwrap();
    world
        .publish("pw.dead.router.feishu.ou_9", "takes the room")
        .await;
    world
        .consumer(stream::OUT, stream::out_surface(Surface::Feishu))
        .await;
    for (user, text) in [("ou_1", "bad"), ("ou_1", "after"), ("ou_2", "other")] {
        world.publish(&out_of(user), text).await;
    }
    let gateway = connect(world.nats.url(), &world.nats.creds("gateway")).await;
    let reader = Reader::start(&gateway, options(stream::OUT, "feishu", NodeId::GATEWAY));
    until("the other one is done", async || {
        (world.count(stream::OUT).await == 2).then_some(())
    })
    .await;
    // Longer than its first tries.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(reader.texts(), ["bad", "other"]);
    assert_eq!(world.count(stream::OUT).await, 2, "nothing has gone");
    js.update_stream(roomy).await.unwrap();
    js.get_stream(stream::DLQ)
        .await
        .unwrap()
        .delete_message(1)
        .await
        .unwrap();
    world.empty(stream::OUT).await;
    assert_eq!(reader.texts(), ["bad", "other", "after"]);
    let mut letters = until("the letter", async || {
        let letters = js.get_stream(stream::DLQ).await.unwrap();
        letters
            .get_last_raw_message_by_subject("pw.dead.>")
            .await
            .ok()
    })
    .await;
    let letter = Letter::read(&letters.headers, std::mem::take(&mut letters.payload)).unwrap();
    assert_eq!((letter.payload.as_ref(), letter.attempts), (&b"bad"[..], 1));
    reader.stop().await;
}

#[tokio::test]
async fn what_came_too_often_is_given_up_before_its_handler_runs() {
    let world = World::start().await;
    let mine = work_of("ou_1");
    world.publish(&mine, "often").await;
    world.publish(&mine, "next").await;
    let consumer = world
        .consumer(stream::WORK, stream::work_node(&home()))
        .await;
    for attempt in 1..=MAX_ATTEMPTS {
        let mut batch = consumer
            .fetch()
            .max_messages(1)
            .expires(PATIENCE)
            .messages()
            .await
            .unwrap();
        let message = batch.next().await.unwrap().unwrap();
        assert_eq!(
            (message.payload.as_ref(), message.info().unwrap().delivered),
            (&b"often"[..], attempt)
        );
        message.ack_with(AckKind::Nak(None)).await.unwrap();
    }
    let reader = Reader::start(&world.node, node_options());
    world.empty(stream::WORK).await;
    assert_eq!(reader.texts(), ["next"]);
    let (_, letter) = world.letters().await.remove(0);
    assert_eq!(
        (letter.why, letter.attempts),
        (DeadWhy::TooOften, MAX_ATTEMPTS + 1)
    );
    assert_eq!(letter.payload.as_ref(), b"often");
    reader.stop().await;
}

#[tokio::test]
async fn not_now_is_no_attempt() {
    let world = World::start().await;
    world.publish(&work_of("ou_1"), "later").await;
    let (attempts, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let often = usize::try_from(MAX_ATTEMPTS).unwrap() + 3;
    let handle = |delivery: Delivery| {
        let attempts = Arc::clone(&attempts);
        async move {
            let mut attempts = attempts.lock().unwrap();
            attempts.push(delivery.attempt);
            if attempts.len() < often {
                Outcome::Again(Duration::from_millis(10))
            } else {
                Outcome::Done
            }
        }
    };
    world
        .inside
        .jetstream()
        .delete_consumer_from_stream("home", stream::WORK)
        .await
        .unwrap();
    let config = stream::work_node(&home());
    world
        .inside
        .jetstream()
        .create_consumer_on_stream(config, stream::WORK)
        .await
        .unwrap();
    let reading = consume(
        &world.node,
        node_options(),
        stop.clone(),
        str::to_owned,
        handle,
    );
    let looking = async {
        world.empty(stream::WORK).await;
        stop.cancel();
    };
    tokio::join!(reading, looking);
    assert_eq!(*attempts.lock().unwrap(), vec![1; often]);
    assert!(world.letters().await.is_empty());
}

#[tokio::test]
async fn too_large_for_its_headers_is_cut_and_says_so() {
    let world = World::start().await;
    let room = world.inside.client().server_info().max_payload - 300;
    let whole = "bad ".repeat(room / 4);
    world.publish(&work_of("ou_1"), &whole).await;
    let reader = Reader::start(&world.node, node_options());
    world.empty(stream::WORK).await;
    let (_, letter) = world.letters().await.remove(0);
    assert_eq!(letter.cut_from, Some(whole.len()));
    assert!(
        letter.payload.len() > whole.len() - 8192 && whole.as_bytes().starts_with(&letter.payload)
    );
    reader.stop().await;
}

#[tokio::test]
async fn what_is_of_nobody_is_taken_out_with_the_brokers_word_alone() {
    let world = World::start().await;
    world.publish("pw.in.feishu.ou_1.elsewhere", "bad").await;
    world.publish("pw.in.feishu.ou_1.msg", "good").await;
    let reader = Reader::start(&world.inside, options(stream::IN, "router", NodeId::ROUTER));
    until("the broker's word", async || {
        (world.count(stream::DLQ).await == 1).then_some(())
    })
    .await;
    until("the good one", async || {
        (reader.texts().len() == 2).then_some(())
    })
    .await;
    assert!(world.letters().await.is_empty());
    reader.stop().await;
}
