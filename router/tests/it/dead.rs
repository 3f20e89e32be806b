//! What can never be handled: the person is asked once, nobody waits for it, and what they choose is
//! done once.

mod claims;

use async_nats::HeaderMap;
use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, MAX_ATTEMPTS, Outcome, consume};
use common::broker::dead::{DeadWhy, Letter, store};
use common::ids::CardId;
use common::lang::Lang;
use common::message::encode;
use common::message::inbound::InboundBody;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::{Action, DeadChoice, View};
use common::{stream, subject};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use crate::world::{Shown, World, id, inbound, until, user};

fn about(action: &Action) -> u64 {
    match action {
        Action::Dead { sequence, .. } => *sequence,
        other => panic!("{other:?}"),
    }
}

fn dead(sequence: u64, choice: DeadChoice) -> Action {
    Action::Dead { sequence, choice }
}

/// Garbage on a person's way in, as no gateway sends it.
async fn garbage(world: &World, who: &str, key: &str) {
    let subject = subject::inbound_message(&user(who));
    world.gate.publish(&subject, key, "", "{").await.unwrap();
}

async fn letters(world: &World) -> usize {
    world.count(stream::DLQ, subject::DEAD_ALL).await
}

fn labels(card: &Shown) -> Vec<&str> {
    let buttons = card.view.buttons.iter();
    buttons.map(|button| button.label.as_str()).collect()
}

#[tokio::test]
async fn a_bad_act_is_asked_about_once_and_its_neighbours_go_on() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    world.says("ou_1", "om_1", "before").await;
    garbage(&world, "ou_1", "bad-1").await;
    world.says("ou_1", "om_2", "after").await;
    assert_eq!(home.text().await, "before");
    assert_eq!(home.text().await, "after");
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @r"
    A message of yours could not be handled
    Where: on the hub
    As it is, it can never be handled.
    Reason: not a readable inbound: EOF while parsing an object at line 1 column 1
    Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    ");
    assert_eq!(labels(&question), ["Retry", "Discard"]);
    assert_eq!(question.view.footer.as_deref(), Some("dead-refused"));
    assert_eq!((question.rev, question.outbound.chat.id.as_str()), (1, ""));

    // Once more, and it fails once more: the same is said of the first, and a new card asks.
    let retry = question.button("Retry");
    world.taps("ou_1", "tap_1", retry.clone()).await;
    let retried = world.shown().await;
    assert_eq!((&retried.card, retried.rev), (&question.card, 2));
    assert_eq!(retried.view.title, "Handed in again");
    assert!(retried.view.buttons.is_empty());
    let second = world.shown().await;
    assert_ne!(second.card, question.card);
    assert_eq!(second.text(), question.text());

    // A second tap on the first changes nothing.
    world.taps("ou_1", "tap_2", retry).await;
    assert_eq!(world.shown().await.view.title, "Handed in again");
    world
        .taps("ou_1", "tap_3", question.button("Discard"))
        .await;
    let late = world.shown().await;
    assert_eq!((&late.card, late.rev), (&question.card, 3));
    assert!(
        late.text().contains("The first tap counted"),
        "{}",
        late.text()
    );
    assert_eq!(letters(&world).await, 2);

    world.taps("ou_1", "tap_4", second.button("Discard")).await;
    let discarded = world.shown().await;
    assert_eq!((&discarded.card, discarded.rev), (&second.card, 2));
    assert_eq!(discarded.view.title, "Discarded");
    assert_eq!(letters(&world).await, 1, "it is gone");
    world.taps("ou_1", "tap_5", second.button("Retry")).await;
    let late = world.shown().await;
    assert_eq!((late.view.title.as_str(), late.rev), ("Discarded", 3));
    world.says("ou_1", "om_3", "still there").await;
    assert_eq!(home.text().await, "still there");
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 0);
}

#[tokio::test]
async fn only_its_own_person_reaches_a_letter() {
    let world = World::start(&[]).await;
    garbage(&world, "ou_1", "bad-1").await;
    let question = world.shown().await;
    let sequence = about(&question.button("Retry"));
    let gone = "It is not kept any more";
    for (n, choice) in [DeadChoice::Retry, DeadChoice::Discard]
        .into_iter()
        .enumerate()
    {
        world
            .taps("ou_2", &format!("tap_{n}"), dead(sequence, choice))
            .await;
        let refused = world.shown().await;
        assert_eq!(refused.outbound.user, user("ou_2"));
        assert_eq!(refused.view.title, gone);
    }
    assert_eq!(letters(&world).await, 1);
    // Neither is there one where the broker's own word on it is, nor where nothing is.
    assert_eq!(sequence, 1);
    for (n, other) in [2, 3, 0, 1_000, u64::MAX].into_iter().enumerate() {
        world
            .taps(
                "ou_1",
                &format!("mine_{n}"),
                dead(other, DeadChoice::Discard),
            )
            .await;
        assert_eq!(world.shown().await.view.title, gone);
    }
    world.taps("ou_1", "mine", question.button("Discard")).await;
    assert_eq!(world.shown().await.view.title, "Discarded");
    assert_eq!(letters(&world).await, 0);
}

#[tokio::test]
async fn a_tap_that_is_carried_out_twice_hands_in_once() {
    let mut world = World::start(&[]).await;
    garbage(&world, "ou_1", "bad-1").await;
    let question = world.shown().await;
    world.taps("ou_1", "tap_1", question.button("Retry")).await;
    assert_eq!(world.shown().await.rev, 2);
    assert_eq!(world.shown().await.rev, 1);
    // As if the router had died before it wrote down what it had done.
    world.stop_router().await;
    let users = world.inside.jetstream().get_key_value(stream::KV_USERS);
    users.await.unwrap().delete("feishu/ou_1").await.unwrap();
    world.start_router().await;
    world.taps("ou_1", "tap_2", question.button("Retry")).await;
    let again = world.shown().await;
    assert_eq!((&again.card, again.rev), (&question.card, 2));
    assert_eq!(
        world.list("ou_1").await.lines().next(),
        Some("No machine yet")
    );
    assert_eq!(
        letters(&world).await,
        2,
        "it was not handed in a third time"
    );
}

/// A node's reader that gives up `times` messages and then takes all.
fn reader(node: &Broker, times: usize) -> (tokio::sync::mpsc::Receiver<Delivery>, impl Drop) {
    let (heard, hears) = tokio::sync::mpsc::channel(16);
    let stop = CancellationToken::new();
    let (node, cancel) = (node.clone(), stop.clone());
    let left = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(times));
    tokio::spawn(async move {
        let options = ConsumeOptions {
            stream: stream::WORK,
            consumer: "home",
            in_flight: 1,
            drain: std::time::Duration::from_secs(1),
            dead: Some("home"),
            lead: None,
        };
        let handle = |delivery: Delivery| {
            let (heard, left) = (heard.clone(), std::sync::Arc::clone(&left));
            async move {
                use std::sync::atomic::Ordering::SeqCst;
                let bad = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
                assert!(bad.is_err(), "a defect, as ordered");
                heard.send(delivery).await.unwrap();
                Outcome::Done
            }
        };
        consume(&node, options, cancel, |_| String::new(), handle).await;
    });
    (hears, stop.drop_guard())
}

#[tokio::test]
async fn a_node_that_fails_at_a_message_gets_it_again_by_a_tap() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let (mut hears, _reading) = reader(&home.broker, 2);
    world
        .act_in(
            "ou_1",
            "om_1",
            InboundBody::Text {
                text: "build it\nand more".into(),
            },
            Some(Lang::Zh),
        )
        .await;
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @r"
    您的一条消息无法处理
    “build it…”
    机器：HOME
    处理中途出错了，这是 PhoneWork 的缺陷。
    其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。
    ");
    assert_eq!(question.outbound.chat.id, "oc_1");
    world.taps("ou_1", "tap_1", question.button("重试")).await;
    assert_eq!(world.shown().await.view.title, "已重新提交");
    // It fails once more, and then it works.
    let second = world.shown().await;
    assert_ne!(second.card, question.card);
    world.taps("ou_1", "tap_2", second.button("重试")).await;
    assert_eq!(world.shown().await.view.title, "已重新提交");
    let done = hears.recv().await.unwrap();
    assert!(String::from_utf8_lossy(&done.payload).contains("build it"));
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
    assert_eq!(letters(&world).await, 2);
}
