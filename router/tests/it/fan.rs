//! One message for several nodes: each gets its part once, one card collects how they stand, and
//! neither a crash nor a lying node changes that.

use bytes::Bytes;
use common::ids::{CauseId, MessageId, NodeId, Surface};
use common::message::turn::{TurnReport, TurnState};
use common::message::view::Tone;
use common::message::work::Work;
use common::message::{Meta, encode};
use common::{stream, subject};

use crate::node::Node;
use crate::repeats::all_come_again;
use crate::world::{Shown, World, id, until, user};

fn part(cause: &str, node: &str) -> CauseId {
    CauseId::new(Surface::Feishu, cause).at_node(&id(node))
}

/// A node tells how a turn goes, as its outbox does; `cause` may be none of its own.
async fn tells(
    node: &Node,
    as_node: &NodeId,
    cause: CauseId,
    who: &str,
    state: TurnState,
    head: &str,
) {
    let report = TurnReport {
        meta: Meta::new(MessageId::new(), cause, ""),
        node: as_node.clone(),
        user: user(who),
        state,
        head: head.into(),
    };
    let subject = subject::turn(&node.id, &user(who));
    let key = report.meta.id.to_string();
    let payload = Bytes::from(encode(&report));
    node.broker
        .publish(&subject, &key, "", payload)
        .await
        .unwrap();
}

async fn goes(node: &Node, work: &Work, state: TurnState, head: &str) {
    let cause = work.inbound.meta.cause.clone();
    tells(node, &node.id, cause, "ou_1", state, head).await;
}

/// The collecting card, once it says this.
async fn becomes(world: &World, what: &str) -> Shown {
    loop {
        let shown = world.shown().await;
        if shown.text().contains(what) {
            return shown;
        }
        assert!(
            shown.text().contains("machines, "),
            "another card: {}",
            shown.text()
        );
    }
}

async fn all_read(world: &World) {
    until("every report is read", || async {
        (world.count(stream::TURN, subject::TURN_ALL).await == 0).then_some(())
    })
    .await;
}

async fn lying(world: &World) -> usize {
    world.count(stream::WORK, subject::WORK_ALL).await
}

#[tokio::test]
async fn each_gets_its_part_and_one_card_collects_the_answers() {
    let mut world = World::start(&["home", "lab", "old"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world
        .says("ou_1", "om_1", "/all how full is the disk?")
        .await;
    let first = world.shown().await;
    insta::assert_snapshot!(first.text(), @r"
    To 3 machines, 0 finished
    “how full is the disk?”
    HOME: on its way
    LAB: on its way
    old: on its way
    ");
    let (at_home, at_lab) = (home.work().await, lab.work().await);
    for (work, node) in [(&at_home, "home"), (&at_lab, "lab")] {
        assert_eq!(work.inbound.meta.cause, part("om_1", node));
        assert!(format!("{:?}", work.inbound.body).contains("\"how full is the disk?\""));
    }
    // One that is off: told on its line and nowhere else, and it can be taken back.
    let off = becomes(&world, "old: it has never been on; the message waits").await;
    assert_eq!(off.card, first.card);
    assert!(off.rev > first.rev);
    world.taps("ou_1", "tap_1", off.button("Cancel old")).await;
    let back = becomes(&world, "old: cancelled; it will not run").await;
    assert!(back.view.buttons.is_empty());
    assert_eq!(lying(&world).await, 0);

    goes(&home, &at_home, TurnState::Working, "").await;
    becomes(&world, "HOME: working").await;
    goes(&home, &at_home, TurnState::Asking, "Bash: may I?").await;
    assert_eq!(
        becomes(&world, "HOME: asks you · Bash").await.view.tone,
        Tone::Asking
    );
    goes(&home, &at_home, TurnState::GoesOn, "").await;
    becomes(&world, "HOME: working").await;
    goes(&lab, &at_lab, TurnState::Failed, "Not logged in.").await;
    becomes(&world, "LAB: failed · Not logged in.").await;
    // What is said while nobody leads is read by whoever leads next.
    world.kill_router().await;
    goes(&home, &at_home, TurnState::Done, "42% are used").await;
    world.start_router().await;
    let last = becomes(&world, "3 finished").await;
    assert_eq!((&last.card, last.view.tone), (&first.card, Tone::Warning));
    insta::assert_snapshot!(last.text(), @r"
    To 3 machines, 3 finished
    “how full is the disk?”
    HOME: done · 42% are used
    LAB: failed · Not logged in.
    old: cancelled; it will not run
    ");
    // A restart shows nothing of it any more.
    world.stop_router().await;
    world.start_router().await;
    assert!(world.list("ou_1").await.starts_with("Your machines"));
}

#[tokio::test]
async fn what_waited_runs_once_its_node_is_back() {
    let world = World::start(&["home", "lab"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    world.says("ou_1", "om_1", "@home @lab hi").await;
    let at_home = home.work().await;
    goes(&home, &at_home, TurnState::Done, "hello").await;
    becomes(&world, "lab: it has never been on").await;
    let lab = Node::start(&world, "lab").await;
    let at_lab = lab.work().await;
    assert_eq!(at_lab.inbound.meta.cause, part("om_1", "lab"));
    goes(&lab, &at_lab, TurnState::Done, "hello from lab").await;
    let last = becomes(&world, "2 finished").await;
    assert_eq!(last.view.tone, Tone::Done);
    assert!(
        last.text().contains("lab: done · hello from lab"),
        "{}",
        last.text()
    );
    // Nothing rings for it: the card says it.
    assert!(world.list("ou_1").await.starts_with("Your machines"));
}

#[tokio::test]
async fn a_message_that_comes_again_goes_to_nobody_twice() {
    let mut world = World::start(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "/all hi").await;
    world.says("ou_1", "om_2", "@home @lab you").await;
    world.says("ou_1", "om_3", "@lab only you").await;
    for text in ["hi", "you"] {
        assert_eq!(home.text().await, text);
    }
    for text in ["hi", "you", "only you"] {
        assert_eq!(lab.text().await, text);
    }
    // A machine that came since is none of those it went to.
    world
        .nats
        .enroll("new")
        .write(&crate::world::creds_path(&world.nats, "new"))
        .unwrap();
    let _new = Node::start(&world, "new").await;
    world.on(3).await;
    all_come_again(&mut world).await;
    assert_eq!(lying(&world).await, 0);
}

#[tokio::test]
async fn a_single_name_changes_nothing_else() {
    let world = World::start(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "/node home").await;
    assert_eq!(world.shown().await.view.title, "Now using HOME");
    world.says("ou_1", "om_2", "@lab: hello lab").await;
    let work = lab.work().await;
    // The message itself, and no part of one.
    assert_eq!(
        work.inbound.meta.cause,
        CauseId::new(Surface::Feishu, "om_2")
    );
    world.says("ou_1", "om_3", "hello home").await;
    assert_eq!(home.text().await, "hello home");
    world.says("ou_1", "om_4", "@@lab is a word").await;
    assert_eq!(home.text().await, "@lab is a word");
    world.says("ou_1", "om_5", "@src/main.rs explain").await;
    assert_eq!(home.text().await, "@src/main.rs explain");
    // None of these goes anywhere.
    for (n, (text, told)) in [
        ("@home @nowhere hi", "There is no machine “nowhere”"),
        ("@lab", "There is nothing to send"),
        (
            "/all",
            "That is not how this command is written; nothing was changed",
        ),
        (
            "/all /nodes",
            "/nodes is answered by the hub; nothing was sent",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        world.says("ou_1", &format!("om_1{n}"), text).await;
        assert_eq!(world.shown().await.view.title, told, "{text}");
    }
    assert_eq!(lying(&world).await, 0);
}

#[tokio::test]
async fn who_has_no_room_says_so_on_its_line() {
    let world = World::start(&["home", "lab"]).await;
    let lab = Node::start(&world, "lab").await;
    world.on(1).await;
    let full = subject::work(&id("home"), &user("ou_1"));
    for n in 0..stream::WAITING_PER_USER {
        let key = format!("w{n}");
        world
            .inside
            .publish(&full, &key, "", Bytes::from("x"))
            .await
            .unwrap();
    }
    world.says("ou_1", "om_1", "/all hi").await;
    let work = lab.work().await;
    goes(&lab, &work, TurnState::Done, "hello").await;
    let last = becomes(&world, "2 finished").await;
    let told = last.text();
    assert!(
        told.contains("home: not taken: 200 messages wait for it already"),
        "{told}"
    );
    assert!(told.contains("LAB: done · hello"), "{told}");
    assert_eq!(world.count(stream::WORK, &full).await, 200);
}

#[tokio::test]
async fn a_node_speaks_of_its_own_line_only() {
    let world = World::start(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    world.says("ou_1", "om_1", "/all hi").await;
    let at_home = home.work().await;
    lab.work().await;
    becomes(&world, "LAB: sent").await;
    let (of_home, done) = (part("om_1", "home"), TurnState::Done);
    // In its own name about the other's part; in the other's name; to somebody else; of nothing.
    tells(&lab, &lab.id, of_home.clone(), "ou_1", done, "lie 1").await;
    tells(&lab, &home.id, of_home.clone(), "ou_1", done, "lie 2").await;
    tells(&lab, &lab.id, part("om_1", "lab"), "ou_2", done, "lie 3").await;
    tells(&lab, &lab.id, part("om_9", "lab"), "ou_1", done, "lie 4").await;
    let subject = subject::turn(&lab.id, &user("ou_1"));
    lab.broker
        .publish(&subject, "garbage", "", Bytes::from("{"))
        .await
        .unwrap();
    all_read(&world).await;
    goes(&home, &at_home, done, "the truth").await;
    let told = becomes(&world, "1 finished").await.text();
    assert!(told.contains("HOME: done · the truth"), "{told}");
    assert!(told.contains("LAB: sent"), "{told}");
}

#[tokio::test]
async fn reports_that_nobody_reads_hold_up_nobody() {
    let mut world = World::start(&["lab"]).await;
    let lab = Node::start(&world, "lab").await;
    world.stop_router().await;
    let of_lab = || part("om_1", "lab");
    for n in 0..stream::REPORTS_PER_USER + 50 {
        let head = format!("{n}");
        tells(&lab, &lab.id, of_lab(), "ou_1", TurnState::Working, &head).await;
    }
    let lying = world.count(stream::TURN, subject::TURN_ALL).await;
    assert_eq!(i64::try_from(lying).unwrap(), stream::REPORTS_PER_USER);
}
