//! Streams that are full: unread acts are never pushed out, settled ones make room, and what has to
//! wait goes on by itself.

use async_nats::jetstream::stream::{Config, DiscardPolicy};
use common::broker::PublishError;
use common::message::encode;
use common::message::inbound::InboundBody;
use common::{stream, subject};

use crate::node::Node;
use crate::world::{World, inbound, until, user};

const KB: i64 = 1024;

/// A stream with less room than it has by right.
async fn shrink(world: &World, name: &str, max_bytes: i64) {
    let js = world.inside.jetstream();
    let found = js.get_stream(name).await.unwrap();
    let config = Config {
        max_bytes,
        ..found.cached_info().config.clone()
    };
    js.update_stream(config).await.unwrap();
}

async fn held(world: &World, name: &str) -> (u64, u64) {
    let mut stream = world.inside.jetstream().get_stream(name).await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    (state.messages, state.bytes)
}

fn long(n: usize) -> InboundBody {
    InboundBody::Text {
        text: format!("{n} {}", "x".repeat(10_000)),
    }
}

async fn publish(world: &World, n: usize) -> Result<bool, PublishError> {
    let inbound = inbound("ou_1", &format!("om_{n}"), long(n), None);
    let subject = subject::inbound_message(&inbound.user);
    let cause = inbound.meta.cause.clone();
    world
        .gate
        .publish(&subject, cause.as_str(), "", encode(&inbound))
        .await
}

#[tokio::test]
async fn a_stream_made_by_an_earlier_version_pushes_out_nothing_any_more() {
    let mut world = World::hub(&[]).await;
    let wanted = stream::streams().remove(0);
    let day = std::time::Duration::from_secs(24 * 3600);
    let old = Config {
        discard: DiscardPolicy::Old,
        max_age: day,
        ..wanted.clone()
    };
    world.inside.jetstream().create_stream(old).await.unwrap();
    world.start_router().await;
    let now = world
        .inside
        .jetstream()
        .get_stream(stream::IN)
        .await
        .unwrap();
    let config = &now.cached_info().config;
    assert_eq!(config.discard, DiscardPolicy::New);
    assert_eq!(config.max_age, day * 3);
    assert_eq!(config.duplicate_window, day);
}

#[tokio::test]
async fn a_full_stream_refuses_and_what_is_unread_stays() {
    let mut world = World::start(&["home"]).await;
    world.stop_router().await;
    shrink(&world, stream::IN, 200 * KB).await;
    let mut taken = 0;
    let why = loop {
        match publish(&world, taken).await {
            Ok(repeat) => assert!(!repeat),
            Err(why) => break why,
        }
        taken += 1;
        assert!(taken < 100, "it never filled up");
    };
    assert!(matches!(why, PublishError::Full(_)), "{why:?}");
    assert!(
        world
            .gate
            .trouble()
            .unwrap()
            .contains("no room in stream PW_IN")
    );
    assert_eq!(held(&world, stream::IN).await.0, taken as u64);
    // A repeat of what is there is recognised all the same.
    assert!(publish(&world, 0).await.unwrap());
}

#[tokio::test]
async fn settled_acts_make_room_and_are_still_known() {
    let world = World::start(&["home"]).await;
    shrink(&world, stream::IN, 400 * KB).await;
    let node = Node::start(&world, "home").await;
    world.on(1).await;
    for n in 0..60 {
        // More than fits: as the platform does, again until it is taken.
        until("room for an act", || async {
            publish(&world, n).await.ok()
        })
        .await;
        // Handed on once, in order.
        let text = node.text().await;
        assert!(text.starts_with(&format!("{n} ")), "{n}: {}", &text[..8]);
    }
    let (messages, bytes) = held(&world, stream::IN).await;
    assert!(messages < 60 && bytes <= 400 * 1024, "{messages} {bytes}");
    // The first has gone from the stream long since.
    assert!(
        publish(&world, 0).await.unwrap(),
        "a repeat must be recognised"
    );
    assert_eq!(world.gate.trouble(), None);
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

#[tokio::test]
async fn with_a_full_way_out_work_goes_on_and_answers_come_later() {
    let world = World::start(&["home"]).await;
    let node = Node::start(&world, "home").await;
    world.on(1).await;
    shrink(&world, stream::OUT, 100 * KB).await;
    // Of a surface whose gateway is away.
    let inside = world.inside.clone();
    let away = subject::out_router(&user("web/owner"));
    let mut taken = 0;
    while inside
        .publish(&away, &format!("o{taken}"), "", vec![b'x'; 5_000])
        .await
        .is_ok()
    {
        taken += 1;
        assert!(taken < 100, "it never filled up");
    }
    world.says("ou_1", "om_1", "/nodes").await;
    until("the way out is told as full", || async {
        let broker = world.part("broker");
        let told = broker["detail"]["trouble"].as_str()?;
        (broker["ok"] == false && told.contains("no room in stream PW_OUT")).then_some(())
    })
    .await;
    // Nobody else waits for that.
    for n in 2..6 {
        let text = format!("text {n}");
        world
            .says(&format!("ou_{n}"), &format!("om_{n}"), &text)
            .await;
        assert_eq!(node.text().await, text);
    }
    let out = inside.jetstream().get_stream(stream::OUT).await.unwrap();
    out.purge().filter(&away).await.unwrap();
    let shown = world.shown().await;
    assert_eq!(shown.outbound.meta.cause.as_str(), "feishu:om_1");
    until("well again", || async {
        (world.part("broker")["ok"] == true).then_some(())
    })
    .await;
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 0);
}

#[tokio::test]
async fn a_node_in_trouble_is_listed_with_its_reason() {
    let world = World::start(&["home"]).await;
    let node = Node::start(&world, "home").await;
    world.on(1).await;
    let mut beat = node.beat.clone();
    beat.trouble = Some("no room on the disk".into());
    node.send(&beat).await;
    let listed = || world.part("router")["detail"]["trouble"]["home"].clone();
    until("the node's trouble", || async {
        (listed() == "no room on the disk").then_some(())
    })
    .await;
    node.beats().await;
    until("no trouble any more", || async {
        listed().is_null().then_some(())
    })
    .await;
}
