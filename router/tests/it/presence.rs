//! Whether a node is there, how soon that is known, and what the person is told.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use common::message::control::{HEARTBEAT_EVERY, Heartbeat, OFF_AFTER};
use common::stream;
use serde_json::Value;

use crate::node::Node;
use crate::world::{World, until};

/// A router that starts with a beat of this age in its memory.
async fn with_memory(world: &mut World, node: &Node, age: Duration) {
    node.beats().await;
    world.on(1).await;
    let inside = world.inside.clone();
    let kept = inside
        .jetstream()
        .get_key_value(stream::KV_PRESENCE)
        .await
        .unwrap();
    let value = until("the beat is kept", || async {
        kept.get(node.id.as_str()).await.unwrap()
    })
    .await;
    world.stop_router().await;
    let mut seen: Value = serde_json::from_slice(&value).unwrap();
    let last: DateTime<Utc> = Utc::now() - age;
    seen["last"] = serde_json::to_value(last).unwrap();
    kept.put(node.id.as_str(), seen.to_string().into())
        .await
        .unwrap();
    world.start_router().await;
}

#[tokio::test]
async fn a_killed_node_is_off_within_a_second() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    assert!(world.list("ou_1").await.contains("active: on"));
    home.dies().await;
    let dead = Instant::now();
    until("it is off", || async {
        world
            .list("ou_1")
            .await
            .contains("active: off")
            .then_some(())
    })
    .await;
    let known = dead.elapsed();
    // By the broker's word, that is, and not by silence; how fast that is depends on the machine.
    assert!(known < OFF_AFTER / 3, "{known:?}");
    // And a message is answered at once, with its place in line.
    for n in 1..=2 {
        let begun = Instant::now();
        world.says("ou_1", &format!("om_{n}"), "hi").await;
        let card = world.shown().await;
        assert_eq!(card.view.title, "HOME is off; your message waits for it");
        assert!(
            card.text().contains(&format!("Place in line: {n}.")),
            "{}",
            card.text()
        );
        assert!(begun.elapsed() < OFF_AFTER / 3, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_orderly_end_is_off_at_once_and_a_new_start_is_on() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    home.send(&Heartbeat {
        leaving: true,
        ..home.beat.clone()
    })
    .await;
    until("it is off", || async {
        world
            .list("ou_1")
            .await
            .contains("active: off")
            .then_some(())
    })
    .await;
    let again = Node::start(&world, "home").await;
    world.on(1).await;
    // The goodbye of the earlier start comes late: it changes nothing.
    home.send(&Heartbeat {
        leaving: true,
        ..home.beat.clone()
    })
    .await;
    world.says("ou_1", "om_1", "hi").await;
    assert_eq!(again.text().await, "hi");
    assert!(world.list("ou_1").await.contains("active: on"));
}

#[tokio::test]
async fn a_node_that_is_back_is_not_called_off() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let beat = home.beat.clone();
    home.dies().await;
    until("it is off", || async {
        let list = world.list("ou_1").await;
        list.contains("active: off").then_some(())
    })
    .await;
    // The same process over a new connection, before its next beat.
    let back = Node::mute(&world, "home").await.answering(beat).await;
    world.says("ou_1", "om_1", "hi").await;
    assert_eq!(back.text().await, "hi");
    until("its answer counts", || async {
        let list = world.list("ou_1").await;
        list.contains("active: on").then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_fresh_beat_the_node_is_asked() {
    let mut world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    with_memory(&mut world, &home, Duration::from_secs(20)).await;
    assert!(
        world.list("ou_1").await.contains("on · 2"),
        "a beat of 20 s ago"
    );
    world.says("ou_1", "om_1", "hi").await;
    assert_eq!(home.text().await, "hi");
    // It answered, which is a sign of life, and so nothing was shown but the list.
    until("the answer counts", || async {
        world.list("ou_1").await.contains("on · 0 s").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_told_within_a_second() {
    let mut world = World::start(&["home"]).await;
    let home = Node::mute(&world, "home").await;
    // It listens, so the broker cannot say that nobody does; but it never answers.
    let control = common::subject::control_of(&home.id, home.boot);
    let _deaf = home.broker.client().subscribe(control).await.unwrap();
    with_memory(&mut world, &home, Duration::from_secs(20)).await;
    let begun = Instant::now();
    world.says("ou_1", "om_1", "hi").await;
    let card = world.shown().await;
    let took = begun.elapsed();
    // A second, and what a busy machine adds.
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(
        card.text().contains("Last sign of life: 2"),
        "{}",
        card.text()
    );
}

#[tokio::test]
async fn silence_turns_a_node_off_after_34_seconds() {
    let mut world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    with_memory(&mut world, &home, Duration::from_secs(31)).await;
    assert!(world.list("ou_1").await.contains("active: on"));
    let begun = Instant::now();
    until("it is off", || async {
        world
            .list("ou_1")
            .await
            .contains("active: off")
            .then_some(())
    })
    .await;
    assert!(begun.elapsed() < OFF_AFTER / 2, "{:?}", begun.elapsed());
    home.beats().await;
    world.on(1).await;
}

#[tokio::test]
async fn a_node_enrolled_meanwhile_is_known_by_its_first_beat() {
    let world = World::start(&[]).await;
    let creds = world.nats.enroll("late");
    creds
        .write(&world.nats.data_dir().join("test-late.creds"))
        .unwrap();
    let begun = Instant::now();
    let late = Node::start(&world, "late").await;
    world.on(1).await;
    assert!(begun.elapsed() < HEARTBEAT_EVERY, "{:?}", begun.elapsed());
    world.says("ou_1", "om_1", "hi").await;
    assert_eq!(late.text().await, "hi");

    world.nats.hub().revoke("late").unwrap();
    until("it is no longer listed", || async {
        world
            .list("ou_1")
            .await
            .contains("No machine yet")
            .then_some(())
    })
    .await;
    // Its beats count no more, though this broker was not told of the revocation.
    late.beats().await;
    assert!(world.list("ou_1").await.contains("No machine yet"));
}

#[tokio::test]
async fn a_beat_for_another_node_is_passed_over() {
    let world = World::start(&["home", "lab"]).await;
    let home = Node::mute(&world, "home").await;
    home.send(&Heartbeat {
        node: "lab".parse().unwrap(),
        ..home.beat.clone()
    })
    .await;
    home.beats().await;
    world.on(1).await;
    let list = world.list("ou_1").await;
    assert!(
        list.contains("HOME (home): on") && list.contains("lab: never seen"),
        "{list}"
    );
}
