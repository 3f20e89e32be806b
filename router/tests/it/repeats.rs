//! Acts that come again after a crash, as the router reads them from the oldest unsettled on: what
//! was decided then holds, whatever has changed since.

use common::{stream, subject};

use crate::node::Node;
use crate::world::{World, creds_path, id, until};

async fn lying(world: &World, node: &str) -> usize {
    world
        .count(stream::WORK, &subject::work_of(&id(node)))
        .await
}

/// The router dies, and every act comes again, as if no acknowledgement had arrived.
pub(crate) async fn all_come_again(world: &mut World) {
    world.kill_router().await;
    let inside = world.inside.clone();
    let acts = inside.jetstream().get_stream(stream::IN).await.unwrap();
    let last = acts.cached_info().state.last_sequence;
    acts.reset_consumer(stream::IN_ROUTER, Some(1))
        .await
        .unwrap();
    world.start_router().await;
    until("all acts are settled again", || async {
        let state = acts.consumer_info(stream::IN_ROUTER).await.unwrap();
        (state.ack_floor.stream_sequence >= last).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_text_that_comes_again_goes_where_it_went() {
    let mut world = World::start(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "/node home").await;
    world.says("ou_1", "om_2", "for home").await;
    assert_eq!(home.text().await, "for home");
    world.says("ou_1", "om_3", "/node lab").await;
    world.says("ou_1", "om_4", "for lab").await;
    assert_eq!(lab.text().await, "for lab");
    all_come_again(&mut world).await;
    // The stream still knew both, so neither lies there again, and above all none on the other.
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (0, 0)
    );
    // And what was chosen last still holds.
    world.says("ou_1", "om_5", "for lab again").await;
    assert_eq!(lab.text().await, "for lab again");
}

#[tokio::test]
async fn a_machine_added_since_makes_no_question_of_what_was_sent() {
    let mut world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    world.says("ou_1", "om_1", "for the only one").await;
    assert_eq!(home.text().await, "for the only one");
    world
        .nats
        .enroll("lab")
        .write(&creds_path(&world.nats, "lab"))
        .unwrap();
    let _lab = Node::start(&world, "lab").await;
    world.on(2).await;
    all_come_again(&mut world).await;
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (0, 0)
    );
    // Nothing was asked: the next thing shown is what is asked for now.
    assert!(
        world
            .list("ou_1")
            .await
            .contains("HOME (home) · active: on")
    );
}

#[tokio::test]
async fn what_was_taken_back_stays_so_when_it_comes_again() {
    let mut world = World::start(&["home", "lab"]).await;
    world.says("ou_1", "om_0", "/node home").await;
    world.shown().await;
    world.says("ou_1", "om_1", "taken back").await;
    let first = world.shown().await;
    world.says("ou_1", "om_2", "moved").await;
    let second = world.shown().await;
    world.taps("ou_1", "tap_1", first.button("Cancel")).await;
    assert_eq!(world.shown().await.view.title, "Cancelled; it will not run");
    world
        .taps("ou_1", "tap_2", second.button("Send to lab"))
        .await;
    assert_eq!(
        world.shown().await.view.title,
        "Sent to lab instead of home"
    );
    let lab = Node::start(&world, "lab").await;
    assert_eq!(lab.text().await, "moved");
    // The stream forgets with a restart what it had of messages that are gone.
    world.kill_router().await;
    world.nats.kill().await;
    world.nats.restart().await;
    world.start_router().await;
    all_come_again(&mut world).await;
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (0, 0)
    );
}
