//! The end: the first SIGTERM drains within 10 s, the second ends at once, and nothing is left
//! over.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::crash::lives_in;
use crate::world::{LONG, World, processes, until};

fn left_over(world: &World) -> Vec<u32> {
    let data = world.data().display().to_string();
    let home = world.home.root().display().to_string();
    let mut left = processes(&["nats-server", &data]);
    left.extend(
        processes(&["--input-format stream-json"])
            .into_iter()
            .filter(|pid| lives_in(*pid, &home)),
    );
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_in_a_turn_drains_and_offers_to_continue() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    assert!(!left_over(&world).is_empty(), "broker and claude run");
    let (status, took) = phonework.stop().await;
    assert!(status.success(), "{status:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let card = world.sees_that(|m| m.has_button("Continue")).await;
    assert!(card.text().contains("never-seen"), "{}", card.text());
    assert_eq!(left_over(&world), Vec::<u32>::new());
    let _again = world.standalone().await;
    world.model.queue("text went-on");
    anna.tap(&card.message_id, "Continue").await.unwrap();
    world.sees("went-on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let world = World::start().await;
    let mut phonework = world.standalone().await;
    world.anna().say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    phonework.signal(Signal::TERM);
    phonework.says("stopping").await;
    let since = Instant::now();
    phonework.signal(Signal::TERM);
    phonework.ended(Duration::from_secs(5)).await;
    // At once, rather than when the turn is drained.
    assert!(since.elapsed() < Duration::from_secs(3));
    // The broker goes with us; claude ends by itself once the model lets it.
    world.model.release("mid");
    until(LONG, "nothing left over", || left_over(&world).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_phonework_on_the_same_folder_refuses() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let (status, said) = world.command(&[]);
    assert!(!status.success());
    assert!(said.contains("already running"), "{said}");
}
