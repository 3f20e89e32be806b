//! A machine that is off: what is sent to it waits, the person knows, and it runs once, or not at
//! all when it was taken back, or elsewhere when it was sent elsewhere.

use std::time::{Duration, Instant};

use kit::feishu::BotMessage;

use crate::processes::Fleet;
use crate::world::{LONG, World, until};

/// A second, and what a busy machine adds to it.
const SOON: Duration = Duration::from_secs(3);

/// Machine b with a session that is ready, and then off.
async fn b_is_off() -> Fleet {
    let mut fleet = Fleet::start().await;
    let anna = fleet.world.anna();
    anna.say("/node b");
    fleet.world.sees("Now using Machine B").await;
    anna.say("/new demo");
    fleet.world.sees("is ready").await;
    let (status, _) = fleet.hosts.remove(1).stop().await;
    assert!(status.success());
    fleet
}

/// The card about a message that waits; it answers that message.
async fn waits(world: &World, id: &str) -> BotMessage {
    world
        .sees_that(|m| m.reply_to.as_deref() == Some(id) && m.has_button("Cancel"))
        .await
}

/// The same card, later.
async fn becomes(world: &World, card: &BotMessage, part: &str) {
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains(part))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_two_notices_one_answer() {
    let fleet = b_is_off().await;
    let world = &fleet.world;
    let begun = Instant::now();
    let id = world.anna().say("fake: text waited-in-line");
    let card = waits(world, &id).await;
    let took = begun.elapsed();
    assert!(took < SOON, "{took:?}");
    let text = card.text();
    assert!(text.contains("Machine B is off"), "{text}");
    assert!(
        text.contains("Last sign of life: ") && text.contains("Place in line: 1."),
        "{text}"
    );
    assert!(card.has_button("Send to Machine A"), "{text}");
    assert_eq!(world.model.turns_containing("waited-in-line"), 0);

    let _back = world.host("b", &fleet.dirs[1]);
    world.sees("Machine B is back and runs your message").await;
    becomes(world, &card, "Machine B is back and has taken it").await;
    world.sees("waited-in-line").await;
    // What is said now comes after all of it.
    world.anna().say("fake: text behind-it-all");
    world.sees("behind-it-all").await;
    assert_eq!(world.model.turns_containing("waited-in-line"), 1);
    assert_eq!(world.count("waited-in-line"), 1);
    assert_eq!(world.count("is back and runs"), 1);
    assert_eq!(world.count("is back and has taken it"), 1);
    assert!(
        !world
            .feishu
            .message(&card.message_id)
            .unwrap()
            .has_button("Cancel")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_message_never_runs() {
    let mut fleet = b_is_off().await;
    let world = &fleet.world;
    let anna = world.anna();
    let cancelled = anna.say("fake: text cancelled-in-time");
    let card = waits(world, &cancelled).await;
    let kept = anna.say("fake: text kept-in-line");
    let other = waits(world, &kept).await;
    assert!(
        other.text().contains("Place in line: 2."),
        "{}",
        other.text()
    );
    anna.tap(&card.message_id, "Cancel").await.unwrap();
    becomes(world, &card, "Cancelled; it will not run").await;
    // Neither a repeat of the platform nor a new router brings it back.
    fleet.router.kill();
    world.feishu.redeliver(&cancelled, None);
    fleet.router = world.role("router");
    let _back = world.host("b", &fleet.dirs[1]);
    world.sees("kept-in-line").await;
    anna.say("fake: text behind-it-all");
    world.sees("behind-it-all").await;
    assert_eq!(world.model.turns_containing("kept-in-line"), 1);
    assert_eq!(world.model.turns_containing("cancelled-in-time"), 0);
    assert_eq!(world.count("cancelled-in-time"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_to_another_machine_it_runs_there_only() {
    let fleet = b_is_off().await;
    let world = &fleet.world;
    let anna = world.anna();
    let id = anna.say("/new elsewhere fake: text ran-elsewhere");
    let card = waits(world, &id).await;
    anna.tap(&card.message_id, "Send to Machine A")
        .await
        .unwrap();
    becomes(world, &card, "Sent to Machine A instead of Machine B").await;
    let answer = world.sees("ran-elsewhere").await;
    assert!(answer.text().contains("Machine A"), "{}", answer.text());
    let _back = world.host("b", &fleet.dirs[1]);
    anna.say("fake: text behind-it-all");
    let behind = world.sees("behind-it-all").await;
    assert!(behind.text().contains("Machine B"), "{}", behind.text());
    assert_eq!(world.model.turns_containing("ran-elsewhere"), 1);
    assert!(!fleet.dirs[1].join("work/elsewhere").exists());
}

/// [Cancel] on what a process had in hand when it was killed: the node says what came of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_host_had_in_hand_is_settled_by_the_next() {
    let fleet = b_is_off().await;
    let world = &fleet.world;
    let anna = world.anna();
    // It has read it, and nothing is written down: it never came.
    let mut dying = world.dying("host", Some(&fleet.dirs[1]), "host.work.read");
    let id = anna.say("fake: text never-written-down");
    dying.ended(LONG).await;
    let card = waits(world, &id).await;
    anna.tap(&card.message_id, "Cancel").await.unwrap();
    becomes(world, &card, "may have it already").await;
    let host = world.host("b", &fleet.dirs[1]);
    becomes(world, &card, "Taken back; it did not run.").await;
    anna.say("fake: text behind-the-first");
    world.sees("behind-the-first").await;
    assert_eq!(world.model.turns_containing("never-written-down"), 0);
    host.stop().await;

    // It is written down, and the broker was not told: it runs, and the card says so.
    let mut dying = world.dying("host", Some(&fleet.dirs[1]), "host.work.kept");
    let id = anna.say("fake: text written-down");
    dying.ended(LONG).await;
    let card = waits(world, &id).await;
    anna.tap(&card.message_id, "Cancel").await.unwrap();
    becomes(world, &card, "may have it already").await;
    let _host = world.host("b", &fleet.dirs[1]);
    becomes(world, &card, "Not cancelled: it was taken before").await;
    world.sees("written-down").await;
    until(LONG, "one run", || {
        world.model.turns_containing("written-down") == 1
    })
    .await;
    anna.say("fake: text behind-the-second");
    world.sees("behind-the-second").await;
    assert_eq!(world.model.turns_containing("fake: text written-down"), 1);
}
