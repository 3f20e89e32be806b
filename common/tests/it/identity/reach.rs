//! What each role needs works, with exactly the permissions it has.

use std::time::Duration;

use async_nats::RequestErrorKind;
use async_nats::jetstream::{self, consumer::PullConsumer};
use common::identity::{NODE_CONNECTED, NODE_DISCONNECTED, node_of_event};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use super::{World, imported, roundtrip, settling};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn work_reaches_the_node_and_its_answer_the_gateway() {
    let world = World::start().await;
    world
        .js()
        .publish("pw.work.a.feishu.ou_1", "do".into())
        .await
        .unwrap()
        .await
        .unwrap();

    let js = imported(&world.a);
    let consumer: PullConsumer = js.get_consumer_from_stream("a", "PW_WORK").await.unwrap();
    let mut messages = consumer
        .stream()
        .max_messages_per_batch(1)
        .messages()
        .await
        .unwrap();
    let work = timeout(SOON, messages.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(work.subject.as_str(), "pw.work.a.feishu.ou_1");
    timeout(SOON, settling(work).double_ack())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        world.stored("PW_WORK").await,
        0,
        "acknowledged work is gone"
    );

    let out = js
        .publish("pw.out.a.feishu.ou_1", "done".into())
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!((out.stream.as_str(), out.duplicate), ("PW_OUT", false));
    let turn = js
        .publish("pw.turn.a.feishu.ou_1", "finished".into())
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(turn.stream, "PW_TURN");

    let gate = imported(&world.gateway);
    let consumer: PullConsumer = gate
        .get_consumer_from_stream("feishu", "PW_OUT")
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let reply = timeout(SOON, messages.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(reply.payload.as_ref(), b"done");
    timeout(SOON, reply.double_ack()).await.unwrap().unwrap();
    assert_eq!(world.stored("PW_OUT").await, 0);
}

#[tokio::test]
async fn what_people_say_goes_in_once() {
    let world = World::start().await;
    let gate = imported(&world.gateway);
    let publish = async || {
        let message = jetstream::message::PublishMessage::build()
            .payload("hi".into())
            .message_id("om_1");
        gate.send_publish("pw.in.feishu.ou_1.msg", message)
            .await
            .unwrap()
            .await
            .unwrap()
    };
    assert!(!publish().await.duplicate);
    assert!(
        publish().await.duplicate,
        "the dedupe answer passes the account border"
    );
    gate.publish("pw.in.feishu.ou_1.card", "tap".into())
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(world.stored("PW_IN").await, 2);
}

#[tokio::test]
async fn the_router_answers_people_itself() {
    let world = World::start().await;
    world
        .js()
        .publish("pw.out.router.web.u", "nodes: a, b".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let consumer: PullConsumer = imported(&world.gateway)
        .get_consumer_from_stream("web", "PW_OUT")
        .await
        .unwrap();
    let reply = timeout(
        SOON,
        consumer
            .fetch()
            .max_messages(1)
            .messages()
            .await
            .unwrap()
            .try_next(),
    )
    .await
    .unwrap()
    .unwrap()
    .unwrap();
    assert_eq!(reply.subject.as_str(), "pw.out.router.web.u");
}

#[tokio::test]
async fn previews_and_heartbeats_pass() {
    let world = World::start().await;
    let mut at_gateway = world
        .gateway
        .subscribe("pw.delta.*.feishu.*.*")
        .await
        .unwrap();
    let mut at_router = world.router.subscribe("pw.delta.>").await.unwrap();
    let mut beats = world.router.subscribe("pw.hb.*").await.unwrap();
    roundtrip(&world.gateway).await;
    roundtrip(&world.router).await;
    world
        .a
        .publish("pw.delta.a.feishu.ou_1.t1", "par".into())
        .await
        .unwrap();
    world.a.publish("pw.hb.a", "beat".into()).await.unwrap();
    roundtrip(&world.a).await;
    for subscription in [&mut at_gateway, &mut at_router] {
        let delta = timeout(SOON, subscription.next()).await.unwrap().unwrap();
        assert_eq!(delta.subject.as_str(), "pw.delta.a.feishu.ou_1.t1");
    }
    assert_eq!(
        timeout(SOON, beats.next())
            .await
            .unwrap()
            .unwrap()
            .subject
            .as_str(),
        "pw.hb.a"
    );
}

#[tokio::test]
async fn live_control_is_answered_or_refused_at_once() {
    let world = World::start().await;
    let subject = "pw.ctl.a.0f3c.status";
    let absent = timeout(SOON, world.router.request(subject, "".into()))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(absent.kind(), RequestErrorKind::NoResponders);

    let mut control = world.a.subscribe("pw.ctl.a.0f3c.*").await.unwrap();
    roundtrip(&world.a).await;
    let node = world.a.clone();
    let answering = tokio::spawn(async move {
        let request = control.next().await.unwrap();
        node.publish(request.reply.unwrap(), "busy".into())
            .await
            .unwrap();
    });
    let answer = timeout(SOON, world.router.request(subject, "".into()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer.payload.as_ref(), b"busy");
    answering.await.unwrap();
}

#[tokio::test]
async fn files_go_both_ways_by_direct_get() {
    let world = World::start().await;
    let (node, gate) = (imported(&world.a), imported(&world.gateway));
    node.publish("pw.up.a.x1.0", "up".into())
        .await
        .unwrap()
        .await
        .unwrap();
    gate.publish("pw.down.a.x2.0", "down".into())
        .await
        .unwrap()
        .await
        .unwrap();

    let up = gate.get_stream_no_info("PW_UP").await.unwrap();
    assert_eq!(
        up.direct_get_last_for_subject("pw.up.a.x1.0")
            .await
            .unwrap()
            .payload
            .as_ref(),
        b"up"
    );
    let down = node.get_stream_no_info("PW_DOWN").await.unwrap();
    assert_eq!(
        down.direct_get_last_for_subject("pw.down.a.x2.0")
            .await
            .unwrap()
            .payload
            .as_ref(),
        b"down"
    );
    let none = down
        .direct_get_last_for_subject("pw.down.a.x2.1")
        .await
        .unwrap_err();
    assert_eq!(none.kind(), jetstream::stream::DirectGetErrorKind::NotFound);
}

#[tokio::test]
async fn the_gateway_keeps_its_own_notes() {
    let world = World::start().await;
    let gate = imported(&world.gateway);
    let key = "$KV.PW_GATE_feishu.out.01";
    let first = gate
        .publish(key, "om_9".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let bucket = gate.get_stream_no_info("KV_PW_GATE_feishu").await.unwrap();
    let read = bucket.direct_get_last_for_subject(key).await.unwrap();
    assert_eq!(
        (read.payload.as_ref(), read.sequence),
        (b"om_9".as_ref(), first.sequence)
    );

    // A second instance that read the same revision must lose.
    let update = |revision: u64| {
        jetstream::message::PublishMessage::build()
            .payload("om_10".into())
            .expected_last_subject_sequence(revision)
    };
    let won = gate
        .send_publish(key, update(first.sequence))
        .await
        .unwrap()
        .await
        .unwrap();
    assert!(won.sequence > first.sequence);
    let lost = gate
        .send_publish(key, update(first.sequence))
        .await
        .unwrap()
        .await
        .unwrap_err();
    assert_eq!(
        lost.kind(),
        jetstream::context::PublishErrorKind::WrongLastSequence
    );
    let absent = bucket
        .direct_get_last_for_subject("$KV.PW_GATE_feishu.out.02")
        .await
        .unwrap_err();
    assert_eq!(
        absent.kind(),
        jetstream::stream::DirectGetErrorKind::NotFound
    );
}

#[tokio::test]
async fn the_router_hears_of_connections_coming_and_going() {
    let world = World::start().await;
    let mut gone = world.router.subscribe(NODE_DISCONNECTED).await.unwrap();
    let mut came = world.router.subscribe(NODE_CONNECTED).await.unwrap();
    roundtrip(&world.router).await;
    let c = world.broker.connect(&world.broker.enroll("c")).await;
    // Events of the connections made before may still be on their way.
    loop {
        let event = timeout(SOON, came.next()).await.unwrap().unwrap();
        if node_of_event(&event.payload).as_deref() == Some("c") {
            break;
        }
    }
    c.drain().await.unwrap();
    let event = timeout(SOON, gone.next()).await.unwrap().unwrap();
    assert_eq!(node_of_event(&event.payload).as_deref(), Some("c"));
}

#[tokio::test]
async fn equal_processes_learn_whether_another_lives() {
    let world = World::start().await;
    let gateway = world.broker.connect(&world.broker.creds("gateway")).await;
    let router = world.broker.connect(&world.broker.creds("router")).await;
    for (one, other, subject) in [
        (&world.gateway, &gateway, "pw.alive.gateway.one"),
        (&world.router, &router, "pw.alive.router.one"),
    ] {
        // Nobody listens: that is told at once.
        let nobody = other.request(subject, "".into()).await.unwrap_err();
        assert_eq!(
            nobody.kind(),
            async_nats::client::RequestErrorKind::NoResponders,
            "{subject}"
        );
        let mut asked = one.subscribe(subject).await.unwrap();
        roundtrip(one).await;
        let answering = async {
            let question = timeout(SOON, asked.next()).await.unwrap().unwrap();
            let reply = question.reply.unwrap();
            one.publish(reply, "here".into()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(other.request(subject, "".into()), answering);
        assert_eq!(answer.unwrap().payload.as_ref(), b"here", "{subject}");
    }
}

#[tokio::test]
async fn starts_of_a_node_hear_each_other() {
    let world = World::start().await;
    let again = world.broker.connect(&world.creds_a).await;
    let mut ears = Vec::new();
    for start in [&world.a, &again] {
        ears.push(start.subscribe("pw.alive.node.a").await.unwrap());
        roundtrip(start).await;
    }
    again
        .publish("pw.alive.node.a", "here".into())
        .await
        .unwrap();
    // The one who speaks hears it as well: it measures its way to the broker by that.
    for ear in &mut ears {
        let word = timeout(SOON, ear.next()).await.unwrap().unwrap();
        assert_eq!(word.payload.as_ref(), b"here");
        assert!(word.headers.is_none() && word.reply.is_none(), "{word:?}");
    }
}

#[tokio::test]
async fn the_gateways_services_are_found_from_the_routers_account() {
    use async_nats::service::ServiceExt as _;
    let world = World::start().await;
    let service = world
        .gateway
        .service_builder()
        .start("phonework-gateway-feishu", "0.1.0")
        .await
        .unwrap();
    let own = world
        .router
        .service_builder()
        .start("phonework-router", "0.1.0")
        .await
        .unwrap();
    roundtrip(&world.gateway).await;
    let inbox = world.router.new_inbox();
    let mut answers = world.router.subscribe(inbox.clone()).await.unwrap();
    world
        .router
        .publish_with_reply("$SRV.PING", inbox, "".into())
        .await
        .unwrap();
    let mut names = Vec::new();
    for _ in 0..2 {
        let answer = timeout(SOON, answers.next()).await.unwrap().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        names.push(answer["name"].as_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["phonework-gateway-feishu", "phonework-router"]);
    service.stop().await.unwrap();
    own.stop().await.unwrap();
}
