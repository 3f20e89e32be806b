//! What the router does not take, and that the person is told.

use bytes::Bytes;
use common::message::inbound::InboundBody;
use common::{stream, subject};

use crate::node::Node;
use crate::world::{World, id, user};

#[tokio::test]
async fn a_full_queue_is_told_and_is_one_persons_own() {
    let world = World::start(&["home"]).await;
    let inside = world.inside.clone();
    let full = subject::work(&id("home"), &user("ou_1"));
    for n in 0..stream::WAITING_PER_USER {
        inside
            .publish(&full, &format!("w{n}"), "", Bytes::from("x"))
            .await
            .unwrap();
    }
    // What is stored already is recognised, full or not: a repeat after a crash is no refusal.
    let again = inside.publish(&full, "w199", "", Bytes::from("x")).await;
    assert!(again.unwrap(), "a repeat");
    world.says("ou_1", "om_1", "one more").await;
    let told = world.shown().await;
    assert_eq!(told.view.title, "Not taken: too much waits for home");
    assert_eq!(told.view.footer.as_deref(), Some("queue-full"));
    assert_eq!(world.count(stream::WORK, &full).await, 200);
    // Somebody else's message is taken; it waits, as the node was never on.
    world.says("ou_2", "om_2", "hi").await;
    insta::assert_snapshot!(world.shown().await.text(), @"
    home is off; your message waits for it
    It has never been on
    Place in line: 1. It runs in order once the machine is back, within 72 hours.
    ");
}

#[tokio::test]
async fn what_cannot_be_handled_is_answered_and_no_node_hears_of_it() {
    let world = World::start(&["home"]).await;
    let _home = Node::start(&world, "home").await;
    world.on(1).await;
    world
        .act(
            "ou_1",
            "om_1",
            InboundBody::Unsupported {
                what: "image".into(),
            },
        )
        .await;
    insta::assert_snapshot!(world.shown().await.text(), @"
    Cannot handle pictures yet
    Please send text, pictures or files.
    ");
    world
        .act("ou_1", "om_2", InboundBody::TooLong { bytes: 123_456 })
        .await;
    insta::assert_snapshot!(world.shown().await.text(), @"
    Too long: this was not run
    It has 123456 bytes, at most 100000 are taken. Send it in pieces, or put the content into a file on the machine.
    ");
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

#[tokio::test]
async fn an_answer_is_given_once_however_often_the_act_comes() {
    let mut world = World::start(&[]).await;
    let act = world.says("ou_1", "om_1", "hello").await;
    let first = world.shown().await;
    assert_eq!(first.outbound.meta.cause, act.meta.cause);
    assert_eq!(first.outbound.chat, act.chat);
    // All acts come again, as after a crash that lost every acknowledgement.
    world.stop_router().await;
    let inside = world.inside.clone();
    let acts = inside.jetstream().get_stream(stream::IN).await.unwrap();
    acts.reset_consumer(stream::IN_ROUTER, Some(1))
        .await
        .unwrap();
    world.start_router().await;
    world.says("ou_1", "om_2", "/nodes").await;
    assert_eq!(
        world.shown().await.outbound.meta.cause.as_str(),
        "feishu:om_2"
    );
}
