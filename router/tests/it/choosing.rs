//! Which machine: the question, its answer, late and foreign taps, `/nodes` and `/node`.

use common::ids::NodeId;
use common::message::control::Heartbeat;
use common::message::view::Action;
use common::{stream, subject};

use crate::node::Node;
use crate::world::{World, id, user};

fn pending(action: &Action) -> u64 {
    match action {
        Action::UseNode {
            pending: Some(pending),
            ..
        } => *pending,
        other => panic!("{other:?}"),
    }
}

fn choose(node: &str, pending: Option<u64>) -> Action {
    Action::UseNode {
        node: id(node),
        pending,
    }
}

async fn waiting(world: &World, node: &NodeId) -> usize {
    world.count(stream::WORK, &subject::work_of(node)).await
}

#[tokio::test]
async fn the_answered_question_sends_the_message_once() {
    let world = World::start(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "build it").await;
    let question = world.shown().await;
    assert_eq!(
        question.text().lines().take(2).collect::<Vec<_>>(),
        ["Which machine?", "“build it”"]
    );
    assert_eq!(question.rev, 1);
    let to_lab = question.button("LAB");
    world.taps("ou_1", "tap_1", to_lab.clone()).await;
    let answer = world.shown().await;
    assert_eq!(
        (answer.card.as_str(), answer.rev),
        (question.card.as_str(), 2)
    );
    assert_eq!(answer.view.title, "Sent to LAB");
    assert!(answer.view.buttons.is_empty());
    assert_eq!(lab.text().await, "build it");

    // The same tap once more, under another event id: nothing runs twice.
    world.taps("ou_1", "tap_2", to_lab).await;
    assert_eq!(world.shown().await.view.title, "Sent to LAB");
    // A late tap on the other button: told, and neither sent nor chosen.
    world.taps("ou_1", "tap_3", question.button("HOME")).await;
    let late = world.shown().await;
    assert_eq!(late.card, question.card);
    assert_eq!(late.view.title, "This message had gone to LAB already");
    assert_eq!(waiting(&world, &home.id).await, 0);
    assert_eq!(waiting(&world, &lab.id).await, 0);

    world.says("ou_1", "om_2", "and now").await;
    assert_eq!(lab.text().await, "and now");
}

#[tokio::test]
async fn a_tap_cannot_fetch_what_is_not_a_waiting_message_of_ones_own() {
    let world = World::start(&["home", "lab"]).await;
    let (_home, _lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "secret").await;
    let theirs = pending(&world.shown().await.button("HOME"));
    for (n, sequence) in [theirs, theirs + 1_000, 0].into_iter().enumerate() {
        world
            .taps("ou_2", &format!("tap_{n}"), choose("home", Some(sequence)))
            .await;
        assert_eq!(
            world.shown().await.view.title,
            "This message is not kept any more"
        );
    }
    // Its own tap is no message that waits.
    let own = world.taps("ou_2", "tap_9", choose("lab", None)).await;
    assert_eq!(world.shown().await.view.title, "Now using LAB");
    world
        .taps("ou_2", "tap_10", choose("home", Some(theirs + 4)))
        .await;
    assert_eq!(
        world.shown().await.view.title,
        "This message is not kept any more"
    );
    assert_eq!(own.user, user("ou_2"));
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

#[tokio::test]
async fn taps_for_strange_nodes_are_refused() {
    let world = World::start(&["home"]).await;
    world.taps("ou_1", "tap_1", choose("nowhere", None)).await;
    let refused = world.shown().await;
    assert_eq!(refused.view.title, "nowhere is not one of your machines");
    assert_eq!(refused.view.footer.as_deref(), Some("not-yours"));
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

#[tokio::test]
async fn nodes_are_listed_and_chosen_by_name() {
    let mut world = World::start(&["home", "lab", "new"]).await;
    let (_home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "/nodes").await;
    let list = world.shown().await;
    let text = list.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "Your machines");
    assert!(lines[1].starts_with("HOME (home): on · "), "{text}");
    assert!(
        lines[1].ends_with(
            " s ago · 2 sessions, 1 running · load unknown · v0.1.0 · “The home machine”"
        ),
        "{text}"
    );
    assert_eq!(lines[3], "new: never seen");
    assert_eq!(list.button("Use LAB"), choose("lab", None));
    // What waits is this person's own.
    lab.send(&Heartbeat {
        load: Some(0.25),
        ..lab.beat.clone()
    })
    .await;
    for (who, cause) in [("ou_1", "om_q1"), ("ou_2", "om_q2"), ("ou_2", "om_q3")] {
        world.says(who, cause, "@new hi").await;
        assert!(world.shown().await.view.title.contains("waits for it"));
    }
    let text = world.list("ou_1").await;
    assert!(text.contains("1 running · load 25% · v0.1.0"), "{text}");
    assert!(
        text.ends_with("new: never seen · 1 message waits"),
        "{text}"
    );
    assert!(world.list("ou_2").await.ends_with("· 2 messages wait"));

    world.says("ou_1", "om_2", "/node LA").await;
    assert_eq!(world.shown().await.view.title, "Now using LAB");
    assert!(world.list("ou_1").await.contains("LAB (lab) · active: on"));
    world.says("ou_1", "om_3", "hello").await;
    assert_eq!(lab.text().await, "hello");

    // The choice outlives the router.
    world.stop_router().await;
    world.start_router().await;
    world.says("ou_1", "om_4", "again").await;
    assert_eq!(lab.text().await, "again");

    world.says("ou_1", "om_5", "/node x").await;
    insta::assert_snapshot!(world.shown().await.text(), @"
    There is no machine “x”
    Your machines: HOME (home), LAB (lab), new
    ");
    world.says("ou_1", "om_6", "/node").await;
    assert!(world.shown().await.text().contains("Usage: /node <name>"));
    world.says("ou_1", "om_7", "/node new").await;
    assert!(world.shown().await.text().contains("it has never been on"));
    world.taps("ou_1", "tap_1", choose("home", None)).await;
    assert_eq!(world.shown().await.view.title, "Now using HOME");
}
