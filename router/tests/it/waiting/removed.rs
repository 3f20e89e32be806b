//! A machine is removed after it was asked whether it has a message, and before it said so: the card says what is
//! known, whoever of ours was there then.

use super::{takes_and_dies, tapped};
use crate::node::Node;
use crate::world::{Shown, World};

/// The card of a message that was to be taken back, and that its machine was asked about.
async fn asked(world: &World) -> Shown {
    let home = Node::start(world, "home").await;
    world.on(1).await;
    world.says("ou_1", "om_0", "/node home").await;
    world.shown().await;
    world.says("ou_1", "om_1", "in hand").await;
    let work = takes_and_dies(home).await;
    assert_eq!(work.inbound.body.text(), "in hand");
    let card = world.shown().await;
    world.taps("ou_1", "tap_1", card.button("Cancel")).await;
    let asked = world.shown().await;
    assert_eq!(asked.view.title, "HOME may have it already");
    asked
}

fn says_so(shown: &Shown, asked: &Shown) {
    assert_eq!(shown.card, asked.card);
    assert!(shown.rev > asked.rev);
    insta::assert_snapshot!(shown.text(), @"
    Not delivered: HOME was removed
    HOME may have had it before it was removed: look there before you send it elsewhere.
    ");
    assert!(shown.view.buttons.is_empty());
}

#[tokio::test]
async fn it_is_told_when_that_is_known() {
    let world = World::start(&["home", "lab"]).await;
    let asked = asked(&world).await;
    world.nats.hub().revoke("home").unwrap();
    says_so(&world.shown().await, &asked);
}

#[tokio::test]
async fn it_is_told_by_the_next_router() {
    let mut world = World::start(&["home", "lab"]).await;
    let asked = asked(&world).await;
    world.stop_router().await;
    world.nats.hub().revoke("home").unwrap();
    world.start_router().await;
    says_so(&world.shown().await, &asked);
    // Once.
    world.stop_router().await;
    world.start_router().await;
    assert!(world.list("ou_1").await.contains("Your machines"));
}

/// What the machine says comes above whatever is shown here.
#[tokio::test]
async fn what_it_said_before_stays() {
    let world = World::start(&["home", "lab"]).await;
    let asked = asked(&world).await;
    let back = Node::start(&world, "home").await;
    let work = back.work().await;
    assert!(matches!(
        tapped(&work),
        common::message::view::Action::Waiting { .. }
    ));
    world.nats.hub().revoke("home").unwrap();
    let told = world.shown().await;
    assert_eq!(told.card, asked.card);
    assert!(told.rev < common::message::work::WAITING_LAST_REV);
}
