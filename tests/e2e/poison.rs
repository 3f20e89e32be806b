//! What can never be handled blocks nobody: the person is told, with a button to try it once more
//! and one to forget it, wherever on the way it got stuck.

use std::cell::RefCell;
use std::path::PathBuf;

use common::broker::{Broker, BrokerOptions};
use common::identity::Creds;
use common::ids::{NodeId, UserId};
use common::subject;
use kit::feishu::BotMessage;
use tokio_util::sync::CancellationToken;

use crate::processes::Hub;
use crate::world::{ANNA, LONG, World, until};

/// A connection to the broker of a standalone, with all that its router may.
async fn inside(world: &World) -> Broker {
    let run = world.data().join("run");
    let ports = std::fs::read_dir(run)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "ports"))
        .expect("the broker's ports file");
    let ports: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(ports).unwrap()).unwrap();
    let options = BrokerOptions {
        url: ports["nats"][0].as_str().unwrap().to_owned(),
        creds: Creds::read(&world.data().join("creds/router.creds")).unwrap(),
        ca: None,
        owner: true,
    };
    Broker::connect(&options, &CancellationToken::new())
        .await
        .unwrap()
}

/// The only node of a standalone.
fn node(world: &World) -> NodeId {
    let nodes = std::fs::read_dir(world.data().join("nodes")).unwrap();
    let names: Vec<_> = nodes
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names[0].parse().unwrap()
}

/// Enrols a node; gives the folder of its machine.
fn enroll(world: &World, node: &str) -> PathBuf {
    let dir = world.home.root().join(format!("machine-{node}"));
    let out = dir.display().to_string();
    let (status, said) = world.command(&["enroll", node, "--out", &out]);
    assert!(status.success(), "{said}");
    let config = dir.join("host_config.yaml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text += &format!("\nWORKING_DIR: {out}/work\nDATA_DIR: {out}/data\nLOG: debug\n");
    std::fs::write(&config, text).unwrap();
    dir
}

/// A question about a dead letter that is still open.
fn asks(message: &BotMessage, title: &str) -> bool {
    message.text().contains(title) && message.has_button("Retry") && message.has_button("Discard")
}

async fn answered(world: &World, marker: &str) {
    world.anna().say(&format!("fake: text {marker}"));
    // A message that waits is quoted on its card, which has buttons.
    world
        .sees_that(|m| m.text().contains(marker) && m.buttons().is_empty())
        .await;
    assert_eq!(world.model.turns_containing(marker), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_anywhere_on_the_way_is_told_and_blocks_nobody() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    let (broker, node) = (inside(&world).await, node(&world));
    let me: UserId = ANNA.parse().unwrap();
    let places = [
        (
            subject::inbound_message(&me),
            "A message of yours could not be handled",
        ),
        (
            subject::work(&node, &me),
            "A message of yours could not be handled",
        ),
        (subject::out(&node, &me), "could not be shown"),
    ];
    for (n, (subject, title)) in places.into_iter().enumerate() {
        broker
            .publish(&subject, &format!("garbage-{n}"), "", "{\"v\":1,")
            .await
            .unwrap();
        // Whoever comes behind it is served, told or not.
        answered(&world, &format!("behind-{n}-end")).await;
        let first = world.sees_that(|m| asks(m, title)).await;

        // Once more: it fails once more, and a new card asks.
        anna.tap(&first.message_id, "Retry").await.unwrap();
        world
            .sees_that(|m| {
                m.message_id == first.message_id
                    && m.text().contains("Handed in again")
                    && m.buttons().is_empty()
            })
            .await;
        let second = world
            .sees_that(|m| asks(m, title) && m.message_id != first.message_id)
            .await;
        anna.tap(&second.message_id, "Discard").await.unwrap();
        world
            .sees_that(|m| {
                m.message_id == second.message_id
                    && m.text().contains("Discarded")
                    && m.buttons().is_empty()
            })
            .await;
        answered(&world, &format!("after-{n}-end")).await;
    }
    let cards = anna.messages();
    let told = |m: &&BotMessage| {
        let text = m.text();
        text.contains("Handed in again") || text.contains("Discarded")
    };
    assert_eq!(cards.iter().filter(told).count(), 6);
    assert!(!cards.iter().any(|m| m.has_button("Retry")));
    assert_eq!(world.feishu.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_kills_the_router_each_time_is_given_up_and_asked_about() {
    let mut world = World::start().await;
    let _hub = Hub::start(&mut world).await;
    let router = world.role("router");
    let _gateway = world.role("gateway");
    let dir = enroll(&world, "a");
    let _host = world.host("a", &dir);
    world.connected().await;
    router.says("node is on node=a").await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    router.kill();

    anna.say("fake: text ran-after-all");
    let mut deaths = 0;
    let armed = loop {
        // Dies whenever it is about to handle an act.
        let router = RefCell::new(world.dying("router", None, "router.act.read"));
        let dead = || router.borrow_mut().has_ended().is_some();
        let asked = || anna.messages().iter().any(|m| asks(m, "ran-after-all"));
        until(LONG, "its end, or a question", || dead() || asked()).await;
        if !dead() {
            break router.into_inner();
        }
        deaths += 1;
        assert!(deaths <= 20, "it never ends\n{}", world.logs());
    };
    assert!(deaths > 3, "{deaths}");
    assert_eq!(world.model.turns_containing("ran-after-all"), 0);
    armed.kill();

    // The next router is a good one.
    let _router = world.role("router");
    let question = world.sees_that(|m| asks(m, "ran-after-all")).await;
    assert!(
        question.text().contains("never came to an end"),
        "{}",
        question.text()
    );
    anna.tap(&question.message_id, "Retry").await.unwrap();
    let answer =
        |m: &BotMessage| m.text().contains("ran-after-all") && m.message_id != question.message_id;
    world.sees_that(answer).await;
    assert_eq!(world.model.turns_containing("ran-after-all"), 1);
    assert_eq!(anna.messages().iter().filter(|m| answer(m)).count(), 1);
}
