//! A node that somebody uses goes off and comes back: told once each, whatever happens to the router.
//! When exactly is the rule's own business, tested where it stands; here its times are short.

use std::time::Duration;

use common::health::Health;
use common::message::control::Heartbeat;
use common::message::outbound::OutboundBody;
use router::NoticeTimes;
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use crate::world::{World, connect, until};

/// A hub with these nodes and a router that tells soon.
async fn world(nodes: &[&str]) -> World {
    let mut world = World::hub(nodes).await;
    world.notices = NoticeTimes {
        off: Duration::from_secs(1),
        steady: Duration::from_secs(6),
        ..NoticeTimes::default()
    };
    world.start_router().await;
    world
}

/// The next thing shown, which is a short message, and to whom.
async fn notice(world: &World) -> (String, String) {
    let out = world.out().await;
    match out.body {
        OutboundBody::Notice { text } => (out.user.to_string(), text),
        OutboundBody::Card { view, .. } => panic!("a notice was expected: {view:?}"),
        OutboundBody::File { .. } | OutboundBody::Fetch { .. } => panic!("a router sends no files"),
    }
}

async fn told(world: &World, who: &str, begins: &str) {
    let (user, text) = notice(world).await;
    assert_eq!(user, crate::world::user(who).to_string(), "{text}");
    assert!(text.starts_with(begins), "{text}");
}

async fn leaves(node: &Node) {
    node.send(&Heartbeat {
        leaving: true,
        ..node.beat.clone()
    })
    .await;
}

/// This person uses that node from now on.
async fn uses(world: &World, who: &str, node: &str) {
    world
        .says(
            who,
            &format!("om_use_{who}_{node}"),
            &format!("/node {node}"),
        )
        .await;
    let title = world.shown().await.view.title;
    assert!(title.starts_with("Now using"), "{title}");
}

#[tokio::test]
async fn off_is_told_once_and_back_once_also_over_a_restart() {
    let mut world = world(&["home", "lab", "spare"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    let spare = Node::start(&world, "spare").await;
    world.on(3).await;
    uses(&world, "ou_1", "home").await;
    uses(&world, "ou_2", "lab").await;
    // Nobody uses this one.
    leaves(&spare).await;
    leaves(&home).await;
    told(&world, "ou_1", "HOME went off (last sign of life ").await;
    world.kill_router().await;
    world.start_router().await;
    // What comes next shows that nothing came before it: they are looked at together.
    leaves(&lab).await;
    told(&world, "ou_2", "LAB went off").await;
    let _home = Node::start(&world, "home").await;
    told(&world, "ou_1", "HOME is back.").await;
    world.stop_router().await;
    world.start_router().await;
    let _lab = Node::start(&world, "lab").await;
    told(&world, "ou_2", "LAB is back.").await;
    assert!(world.list("ou_1").await.starts_with("Your machines"));
}

#[tokio::test]
async fn what_happened_while_no_router_ran_is_told_once() {
    let mut world = world(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    uses(&world, "ou_1", "home").await;
    uses(&world, "ou_2", "lab").await;
    leaves(&home).await;
    until("it is off", || async {
        let off = world.part("router")["detail"]["on"] == 1;
        off.then_some(())
    })
    .await;
    world.kill_router().await;
    world.start_router().await;
    told(&world, "ou_1", "HOME went off").await;
    // It comes back while nobody looks.
    world.kill_router().await;
    let back = Node::start(&world, "home").await;
    world.start_router().await;
    back.beats().await;
    told(&world, "ou_1", "HOME is back.").await;
    // Two notices were told: the third is held back until that is sure.
    leaves(&back).await;
    told(
        &world,
        "ou_1",
        "HOME has been coming and going, and is off now",
    )
    .await;
    leaves(&lab).await;
    told(&world, "ou_2", "LAB went off").await;
}

#[tokio::test]
async fn of_two_routers_one_tells() {
    let mut world = world(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    uses(&world, "ou_1", "home").await;
    let broker = connect(&world.nats, &world.nats.creds("router")).await;
    let (health, cancel) = (Health::default(), CancellationToken::new());
    let other = router::run(world.options(), broker, health.clone(), cancel.clone());
    let other = tokio::spawn(other);
    until("the other one stands by", || async {
        let part = health.report().1["parts"]["router"].clone();
        (part["detail"]["role"] == "standby" && part["detail"]["on"] == 1).then_some(())
    })
    .await;
    leaves(&home).await;
    told(&world, "ou_1", "HOME went off").await;
    world.kill_router().await;
    let back = Node::start(&world, "home").await;
    until("the other one leads", || async {
        (health.report().1["parts"]["router"]["detail"]["role"] == "leads").then_some(())
    })
    .await;
    back.beats().await;
    told(&world, "ou_1", "HOME is back.").await;
    assert!(world.list("ou_1").await.starts_with("Your machines"));
    cancel.cancel();
    other.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_hears_that_what_waited_runs_hears_it_once() {
    let world = world(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    uses(&world, "ou_1", "home").await;
    uses(&world, "ou_2", "home").await;
    uses(&world, "ou_3", "lab").await;
    home.dies().await;
    world.says("ou_1", "om_1", "hi").await;
    let waits = world.shown().await.view.title;
    assert_eq!(waits, "HOME is off; your message waits for it");
    let mut both = [notice(&world).await.0, notice(&world).await.0];
    both.sort();
    assert_eq!(both, ["feishu/ou_1", "feishu/ou_2"]);
    let back = Node::start(&world, "home").await;
    assert_eq!(back.text().await, "hi");
    // One has its message run, the other one only the machine.
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let out = world.out().await;
        if let OutboundBody::Notice { text } = out.body {
            heard.push(text);
        }
    }
    heard.sort();
    assert_eq!(
        heard,
        ["HOME is back and runs your message", "HOME is back."]
    );
    leaves(&lab).await;
    told(&world, "ou_3", "LAB went off").await;
}
