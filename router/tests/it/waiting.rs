//! Messages to a node that is off: what the person is told and when, taking them back, giving them
//! to another node, and what happens when they waited in vain.

mod removed;

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use common::message::decode;
use common::message::inbound::InboundBody;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::{Action, WaitingChoice};
use common::message::work::Work;
use common::{stream, subject};
use futures_util::{FutureExt as _, StreamExt as _};

use crate::node::Node;
use crate::world::{Shown, World, id, until, user};

/// More than may wait.
const SENT: u64 = 300;
/// A second, and what a busy machine adds to it.
const SOON: Duration = Duration::from_secs(2);

async fn lying(world: &World, node: &str) -> usize {
    world
        .count(stream::WORK, &subject::work_of(&id(node)))
        .await
}

/// The short message that rings, which is the next thing shown.
async fn notice(world: &World) -> String {
    match world.out().await.body {
        OutboundBody::Notice { text } => text,
        OutboundBody::Card { view, .. } => panic!("a notice was expected: {view:?}"),
        OutboundBody::File { .. } | OutboundBody::Fetch { .. } => panic!("a router sends no files"),
    }
}

/// Nothing more is shown to the person once what they say now has been answered.
async fn nothing_else(world: &World, who: &str) {
    assert!(world.list(who).await.contains("Your machines"));
}

fn labels(shown: &Shown) -> Vec<&str> {
    let buttons = shown.view.buttons.iter();
    buttons.map(|button| button.label.as_str()).collect()
}

/// Takes the next work of a node and dies with it in hand.
async fn takes_and_dies(node: Node) -> Work {
    let consumer: PullConsumer = node
        .broker
        .jetstream()
        .get_consumer_from_stream(node.id.as_str(), stream::WORK)
        .await
        .unwrap();
    let mut batch = consumer
        .batch()
        .max_messages(1)
        .expires(Duration::from_secs(10))
        .messages()
        .await
        .unwrap();
    let message = batch.next().await.unwrap().unwrap();
    let work = decode("work", &message.payload).unwrap();
    node.dies().await;
    work
}

fn tapped(work: &Work) -> &Action {
    match &work.inbound.body {
        InboundBody::Tap { action } => action,
        other => panic!("not a tap: {other:?}"),
    }
}

/// A thousand machines that are off, with a message for each, must not be a thousand questions to the
/// broker in each second of each day.
#[tokio::test]
async fn the_line_of_a_node_that_is_off_is_left_alone_once_all_is_told() {
    let world = World::start(&["home"]).await;
    world.says("ou_1", "om_1", "first").await;
    world.shown().await;
    let inside = world.inside.clone();
    let mut asked = inside
        .client()
        .subscribe("$JS.API.CONSUMER.INFO.PW_WORK.home")
        .await
        .unwrap();
    inside.client().flush().await.unwrap();
    // A stretch to count in; a look may be under way as it begins.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut questions = 0;
    while asked.next().now_or_never().is_some() {
        questions += 1;
    }
    assert!(questions <= 1, "{questions} in 4 s");
    // What is new is told all the same, and the node's first beat is enough.
    world.says("ou_1", "om_2", "second").await;
    assert!(world.shown().await.text().contains("home"));
    let home = Node::start(&world, "home").await;
    assert_eq!(home.text().await, "first");
    assert_eq!(home.text().await, "second");
    let begun = Instant::now();
    let back = until("it is told that the node is back", || async {
        match world.out().await.body {
            OutboundBody::Notice { text } => Some(text),
            OutboundBody::Card { .. } | OutboundBody::File { .. } | OutboundBody::Fetch { .. } => {
                None
            }
        }
    })
    .await;
    assert!(back.contains("home"), "{back}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_person_is_told_within_a_second_also_of_a_silent_node() {
    let world = World::start(&["home"]).await;
    let begun = Instant::now();
    world.says("ou_1", "om_1", "hi").await;
    let told = world.shown().await;
    assert_eq!(told.view.title, "home is off; your message waits for it");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());

    // It beats, it listens, and it neither answers nor takes its work.
    let world = World::start(&["home"]).await;
    let home = Node::mute(&world, "home").await;
    let control = subject::control_of(&home.id, home.boot);
    let _deaf = home.broker.client().subscribe(control).await.unwrap();
    home.beats().await;
    world.on(1).await;
    for n in 1..=2 {
        home.beats().await;
        let begun = Instant::now();
        world.says("ou_1", &format!("om_{n}"), "hi").await;
        let told = world.shown().await;
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        assert_eq!(told.view.title, "HOME is off; your message waits for it");
        let text = told.text();
        assert!(text.contains(&format!("Place in line: {n}.")), "{text}");
    }
}

#[tokio::test]
async fn a_cancelled_message_is_never_handed_over() {
    let world = World::start(&["home", "lab", "old"]).await;
    let _lab = Node::start(&world, "lab").await;
    world.on(1).await;
    world.says("ou_1", "om_0", "/node home").await;
    world.shown().await;
    let mut cards = Vec::new();
    for n in 1..=3 {
        world
            .says("ou_1", &format!("om_{n}"), &format!("{n}"))
            .await;
        cards.push(world.shown().await);
    }
    // Those that are on come first.
    assert_eq!(labels(&cards[1]), ["Cancel", "Send to LAB", "Send to old"]);
    assert!(cards[1].text().contains("Place in line: 2."));
    // Nobody else can take it back.
    world.taps("ou_2", "tap_0", cards[1].button("Cancel")).await;
    let refused = world.shown().await;
    assert_eq!(refused.view.title, "This message does not wait any more");
    assert_eq!(lying(&world, "home").await, 3);

    world.taps("ou_1", "tap_1", cards[1].button("Cancel")).await;
    let gone = world.shown().await;
    assert_eq!((&gone.card, gone.rev), (&cards[1].card, 2));
    assert_eq!(gone.view.title, "Cancelled; it will not run");
    assert!(gone.view.buttons.is_empty());
    assert_eq!(lying(&world, "home").await, 2);
    // The first tap counted.
    world
        .taps("ou_1", "tap_2", cards[1].button("Send to LAB"))
        .await;
    let late = world.shown().await;
    assert_eq!((&late.card, late.rev), (&cards[1].card, 3));
    assert!(late.text().contains("The first tap counted"));

    let home = Node::start(&world, "home").await;
    assert_eq!(home.text().await, "1");
    assert_eq!(home.text().await, "3");
    assert_eq!(lying(&world, "home").await, 0);
    assert_eq!(lying(&world, "lab").await, 0);
}

#[tokio::test]
async fn a_node_that_is_back_is_told_once_for_all_that_waited() {
    let world = World::start(&["home"]).await;
    let mut cards = Vec::new();
    for n in 1..=3 {
        world
            .says("ou_1", &format!("om_{n}"), &format!("{n}"))
            .await;
        cards.push(world.shown().await);
    }
    let home = Node::start(&world, "home").await;
    for n in 1..=3 {
        assert_eq!(home.text().await, n.to_string());
    }
    let mut shown: Vec<Outbound> = Vec::new();
    while shown.len() < 4 {
        shown.push(world.out().await);
    }
    let mut edits = Vec::new();
    let mut notices = Vec::new();
    for one in &shown {
        match &one.body {
            OutboundBody::Card { card, rev, view } => {
                edits.push((card.to_string(), *rev, view.title.as_str()));
            }
            OutboundBody::Notice { text } => notices.push(text.as_str()),
            OutboundBody::File { .. } | OutboundBody::Fetch { .. } => {
                panic!("a router sends no files")
            }
        }
    }
    let back = "home is back and has taken it";
    assert!(
        edits.iter().all(|(_, _, title)| *title == back),
        "{edits:?}"
    );
    let wanted: Vec<_> = cards.iter().map(|card| (card.card.clone(), 2)).collect();
    let edits: Vec<_> = edits
        .into_iter()
        .map(|(card, rev, _)| (card, rev))
        .collect();
    assert_eq!(edits, wanted);
    assert_eq!(notices, ["home is back and runs your 3 messages"]);
    nothing_else(&world, "ou_1").await;
    // A tap that comes now is told so, and what was taken is left alone.
    world.taps("ou_1", "tap_1", cards[0].button("Cancel")).await;
    let late = world.shown().await;
    assert_eq!((&late.card, late.rev), (&cards[0].card, 3));
    assert!(late.text().contains("The first tap counted"));
    assert_eq!(lying(&world, "home").await, 0);
}

#[tokio::test]
async fn what_a_dead_process_had_in_hand_is_for_the_node_to_say() {
    let world = World::start(&["home", "lab"]).await;
    let home = Node::start(&world, "home").await;
    let _lab = Node::start(&world, "lab").await;
    world.on(2).await;
    world.says("ou_1", "om_0", "/node home").await;
    world.shown().await;
    let first = world.says("ou_1", "om_1", "in hand").await;
    takes_and_dies(home).await;
    let card = world.shown().await;
    // It may run where it is, so it goes to no other node.
    world
        .taps("ou_1", "tap_1", card.button("Send to LAB"))
        .await;
    let kept = world.shown().await;
    assert_eq!((&kept.card, kept.rev), (&card.card, 2));
    assert!(kept.text().contains("Not sent to LAB"), "{}", kept.text());
    assert_eq!(labels(&kept), ["Cancel"]);
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (1, 0)
    );

    let cancel = kept.button("Cancel");
    world.taps("ou_1", "tap_2", cancel.clone()).await;
    let asked = world.shown().await;
    assert_eq!((&asked.card, asked.rev), (&card.card, 3));
    assert_eq!(asked.view.title, "HOME may have it already");
    // What comes to the node is the question, and not the message any more.
    let back = Node::start(&world, "home").await;
    let work = back.work().await;
    assert_eq!(tapped(&work), &cancel);
    assert_eq!(
        tapped(&work),
        &Action::Waiting {
            node: id("home"),
            cause: first.meta.cause,
            choice: WaitingChoice::Cancel,
        }
    );
    assert_eq!(lying(&world, "home").await, 0);
}

#[tokio::test]
async fn a_message_sent_to_another_node_runs_there_only() {
    let world = World::start(&["home", "lab"]).await;
    let lab = Node::start(&world, "lab").await;
    world.on(1).await;
    world.says("ou_1", "om_0", "/node home").await;
    world.shown().await;
    world.says("ou_1", "om_1", "wherever").await;
    let card = world.shown().await;
    world
        .taps("ou_1", "tap_1", card.button("Send to LAB"))
        .await;
    let moved = world.shown().await;
    assert_eq!((&moved.card, moved.rev), (&card.card, 2));
    assert_eq!(moved.view.title, "Sent to LAB instead of home");
    assert_eq!(lab.text().await, "wherever");
    // The node that it first waited for comes back to an empty line.
    let home = Node::start(&world, "home").await;
    world.says("ou_1", "om_2", "next").await;
    assert_eq!(home.text().await, "next");
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (0, 0)
    );
    nothing_else(&world, "ou_1").await;
}

#[tokio::test]
async fn where_it_was_sent_to_it_may_wait_as_well() {
    let world = World::start(&["home", "lab"]).await;
    world.says("ou_1", "om_0", "/node home").await;
    world.shown().await;
    world.says("ou_1", "om_1", "wherever").await;
    let card = world.shown().await;
    world
        .taps("ou_1", "tap_1", card.button("Send to lab"))
        .await;
    assert_eq!(
        world.shown().await.view.title,
        "Sent to lab instead of home"
    );
    let waits = world.shown().await;
    assert_eq!((&waits.card, waits.rev), (&card.card, 3));
    assert_eq!(waits.view.title, "lab is off; your message waits for it");
    world.taps("ou_1", "tap_2", waits.button("Cancel")).await;
    let gone = world.shown().await;
    assert_eq!(
        (gone.view.title.as_str(), gone.rev),
        ("Cancelled; it will not run", 4)
    );
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (0, 0)
    );
}

#[tokio::test]
async fn what_waited_too_long_is_told_and_can_be_sent_again() {
    let mut world = World::hub(&["home"]).await;
    world.waits = Some(Duration::from_secs(3));
    world.start_router().await;
    let sent = world.says("ou_1", "om_1", "in vain").await;
    let card = world.shown().await;
    assert_eq!(card.rev, 1);
    let expired = world.shown().await;
    assert_eq!((&expired.card, expired.rev), (&card.card, 2));
    assert_eq!(expired.view.title, "Not delivered: home did not take it");
    assert_eq!(labels(&expired), ["Send again"]);
    until("it is taken out", || async {
        (lying(&world, "home").await == 0).then_some(())
    })
    .await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    for tap in ["tap_1", "tap_2"] {
        world.taps("ou_1", tap, expired.button("Send again")).await;
    }
    // Under the cause that the node knows it by, and once for two taps.
    let work = home.work().await;
    assert_eq!(work.inbound, sent);
    let mut titles = Vec::new();
    while !titles
        .iter()
        .any(|title| title == "home is back and runs your message")
    {
        titles.push(match world.out().await.body {
            OutboundBody::Card { view, .. } => view.title,
            OutboundBody::Notice { text } => text,
            OutboundBody::File { .. } | OutboundBody::Fetch { .. } => {
                panic!("a router sends no files")
            }
        });
    }
    assert!(
        titles.iter().any(|title| title == "Sent to home again"),
        "{titles:?}"
    );
    until("the second tap is answered", || async {
        let left = world.count(stream::IN, subject::IN_ALL).await;
        (left == 3).then_some(())
    })
    .await;
    assert_eq!(lying(&world, "home").await, 0);
}

#[tokio::test]
async fn a_router_that_dies_before_it_told_leaves_that_to_the_next() {
    let mut world = World::start(&["home"]).await;
    world.says("ou_1", "om_1", "hi").await;
    until("it lies in the line", || async {
        (lying(&world, "home").await == 1).then_some(())
    })
    .await;
    world.kill_router().await;
    assert_eq!(
        world.count(stream::OUT, subject::OUT_ALL).await,
        0,
        "not told yet"
    );
    world.start_router().await;
    let card = world.shown().await;
    assert_eq!(card.view.title, "home is off; your message waits for it");
    // And what was told before is not told anew, but goes on.
    world.kill_router().await;
    world.start_router().await;
    let home = Node::start(&world, "home").await;
    assert_eq!(home.text().await, "hi");
    let back = world.shown().await;
    assert_eq!((&back.card, back.rev), (&card.card, 2));
    assert_eq!(notice(&world).await, "home is back and runs your message");
}

#[tokio::test]
async fn a_flood_for_a_node_that_is_off_holds_up_nobody_and_is_told_once() {
    let world = World::start(&["home"]).await;
    for n in 0..SENT {
        world.says("ou_1", &format!("om_{n}"), "flood").await;
    }
    let begun = Instant::now();
    world.says("ou_2", "om_other", "hi").await;
    let theirs = subject::out_router(&user("ou_2"));
    until("the other person is told", || async {
        (world.count(stream::OUT, &theirs).await == 1).then_some(())
    })
    .await;
    let took = begun.elapsed();
    assert!(took < SOON * 2, "{took:?}");
    // One card for all that did not even wait, with the count.
    let refused = SENT - u64::try_from(stream::WAITING_PER_USER).unwrap();
    let wanted = format!("{refused} messages were not taken so far.");
    let mut cards = std::collections::BTreeSet::new();
    let mut edits = 0;
    loop {
        let shown = world.shown().await;
        if shown.view.footer.as_deref() == Some("queue-full") {
            cards.insert(shown.card.clone());
            edits += 1;
            if shown.text().contains(&wanted) {
                break;
            }
        }
    }
    assert_eq!(cards.len(), 1);
    assert!(edits < 20, "{edits}");
}
