//! An act of a person becomes work of a node: once, in order, with everything it carried.

use async_nats::jetstream::consumer::PullConsumer;
use common::identity::EnrollOptions;
use common::ids::{MessageId, NodeId};
use common::lang::Lang;
use common::message::inbound::InboundBody;
use common::message::work::Work;
use common::message::{Meta, encode};
use common::{stream, subject};
use futures_util::StreamExt as _;

use crate::node::Node;
use crate::world::{World, creds_path, id, inbound, until, user};

#[tokio::test]
async fn a_text_reaches_the_only_node_whole() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let text = InboundBody::Text {
        text: "/new demo do it".into(),
    };
    let sent = world.act_in("ou_1", "om_1", text, Some(Lang::Zh)).await;
    let work = home.work().await;
    assert_eq!(work.inbound, sent);
    assert_eq!((work.node, work.lang), (id("home"), Lang::Zh));
    assert_eq!(work.meta.cause, sent.meta.cause);
    assert_eq!(work.meta.traceparent, sent.meta.traceparent);
    // Nothing was shown: the node is there, the rest is its business.
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 0);
}

#[tokio::test]
async fn a_crash_between_publish_and_ack_runs_nothing_twice_and_keeps_the_order() {
    let mut world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    world.stop_router().await;
    let inside = world.inside.clone();
    // Its last request for messages must be gone as well, or it would take the first one.
    until("nobody reads", || async {
        let acts = inside.jetstream().get_stream(stream::IN).await.unwrap();
        let state = acts.consumer_info(stream::IN_ROUTER).await.unwrap();
        (state.num_waiting == 0).then_some(())
    })
    .await;
    for n in 1..=5 {
        world
            .says("ou_1", &format!("om_{n}"), &format!("{n}"))
            .await;
    }
    // A router that takes three, publishes the work of the first two, acknowledges the second,
    // and is gone.
    let reader: PullConsumer = inside
        .jetstream()
        .get_consumer_from_stream(stream::IN_ROUTER, stream::IN)
        .await
        .unwrap();
    let mut taken = reader.fetch().max_messages(3).messages().await.unwrap();
    let mut held = Vec::new();
    while let Some(message) = taken.next().await {
        held.push(message.unwrap());
    }
    for (n, message) in held.iter().enumerate().take(2) {
        let act: common::message::inbound::Inbound =
            common::message::decode("inbound", &message.payload).unwrap();
        let work = Work {
            meta: Meta::new(MessageId::new(), act.meta.cause.clone(), ""),
            node: home.id.clone(),
            lang: Lang::En,
            inbound: act.clone(),
        };
        let key = format!("{}:home", act.meta.cause);
        let subject = subject::work(&home.id, &act.user);
        inside
            .publish(&subject, &key, "", encode(&work))
            .await
            .unwrap();
        if n == 1 {
            message.double_ack().await.unwrap();
        }
    }
    let begun = std::time::Instant::now();
    world.start_router().await;
    for n in 1..=5 {
        assert_eq!(home.text().await, n.to_string());
    }
    // At once, and not after the time in which the dead reader could still have answered.
    assert!(begun.elapsed() < stream::ACK_WAIT, "{:?}", begun.elapsed());
    settled(&world).await;
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

/// Waits until everything in PW_IN has been acknowledged.
async fn settled(world: &World) {
    let inside = world.inside.clone();
    until("all acts are settled", || async {
        let acts = inside.jetstream().get_stream(stream::IN).await.unwrap();
        let state = acts.consumer_info(stream::IN_ROUTER).await.unwrap();
        (state.num_pending == 0 && state.num_ack_pending == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_restart_of_the_broker_loses_doubles_and_reorders_nothing() {
    let mut world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    for n in 1..=10 {
        world
            .says("ou_1", &format!("om_{n}"), &format!("{n}"))
            .await;
    }
    world.nats.kill().await;
    world.nats.restart().await;
    for n in 11..=20 {
        let act = inbound(
            "ou_1",
            &format!("om_{n}"),
            InboundBody::Text {
                text: n.to_string(),
            },
            None,
        );
        let subject = subject::inbound_message(&act.user);
        let forever = tokio_util::sync::CancellationToken::new();
        let payload = encode(&act).into();
        world
            .gate
            .publish_until(&subject, act.meta.cause.as_str(), "", payload, &forever)
            .await
            .unwrap();
    }
    settled(&world).await;
    let mut seen = Vec::new();
    while world.count(stream::WORK, subject::WORK_ALL).await > 0 {
        seen.push(home.text().await.parse::<u32>().unwrap());
    }
    // Nothing was fetched before the end, so the stream's own window recognises every repeat.
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_and_blocks_nobody() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let me = user("ou_1");
    world
        .gate
        .publish(&subject::inbound_message(&me), "bad-1", "", "{")
        .await
        .unwrap();
    // Somebody else's name in the content.
    let other = inbound(
        "ou_2",
        "om_2",
        InboundBody::Text {
            text: "not mine".into(),
        },
        None,
    );
    world
        .gate
        .publish(&subject::inbound_message(&me), "bad-2", "", encode(&other))
        .await
        .unwrap();
    world.says("ou_1", "om_3", "good").await;
    assert_eq!(home.text().await, "good");
    let mine = subject::dead(NodeId::ROUTER, &me);
    until("two dead letters", || async {
        (world.count(stream::DLQ, &mine).await == 2).then_some(())
    })
    .await;
    // The person is asked about each, and the words of another are not quoted.
    for _ in 0..2 {
        let question = world.shown().await;
        assert_eq!(question.outbound.user, me);
        assert_eq!(
            question.view.title,
            "A message of yours could not be handled"
        );
        assert!(!question.text().contains("not mine"));
    }
    let advisories = format!(
        "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{}.>",
        stream::IN
    );
    until("the broker's word on both", || async {
        (world.count(stream::DLQ, &advisories).await == 2).then_some(())
    })
    .await;
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

#[tokio::test]
async fn people_reach_only_the_nodes_that_serve_them() {
    let mut world = World::hub(&["open", "own"]).await;
    let mine = EnrollOptions {
        serves: vec!["ou_1".into()],
        ..EnrollOptions::default()
    };
    world.nats.hub().enroll("mine", &mine).unwrap();
    world.start_router().await;
    // This one lets in whom the hub grants, less everybody but one.
    let own = Node::mute(&world, "own").await;
    let list = common::message::control::Heartbeat {
        serves: vec![user("ou_2")],
        ..own.beat.clone()
    };
    own.send(&list).await;
    // And this one says that it serves whom the hub does not let it serve.
    let hers = EnrollOptions {
        serves: vec!["ou_4".into()],
        ..EnrollOptions::default()
    };
    let creds = world.nats.hub().enroll("hers", &hers).unwrap().creds;
    creds.write(&creds_path(&world.nats, "hers")).unwrap();
    let wide = Node::mute(&world, "hers").await;
    let list = common::message::control::Heartbeat {
        serves: ["ou_1", "ou_2", "ou_3", "ou_4"].map(user).into(),
        ..wide.beat.clone()
    };
    wide.send(&list).await;
    world.on(2).await;
    let names = |card: String| {
        let names: Vec<_> = card
            .lines()
            .skip(1)
            .map(|l| l.split([':', ' ']).next().unwrap().to_owned())
            .collect();
        names.join(" ")
    };
    assert_eq!(names(world.list("ou_1").await), "mine open");
    assert_eq!(names(world.list("ou_2").await), "open OWN");
    assert_eq!(names(world.list("ou_3").await), "open");
    assert_eq!(names(world.list("ou_4").await), "HERS open");
}

#[tokio::test]
async fn language_is_remembered_over_a_restart() {
    let mut world = World::start(&[]).await;
    let help = || InboundBody::Text {
        text: "hello".into(),
    };
    world.act_in("ou_1", "om_1", help(), None).await;
    assert_eq!(world.shown().await.view.title, "No machine yet");
    world.act_in("ou_1", "om_2", help(), Some(Lang::Zh)).await;
    assert_eq!(world.shown().await.view.title, "还没有可用的机器");
    world.stop_router().await;
    world.start_router().await;
    world.act_in("ou_1", "om_3", help(), None).await;
    assert_eq!(world.shown().await.view.title, "还没有可用的机器");
}
