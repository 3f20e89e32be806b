//! The platform repeats what it is not sure of, for hours and under new event ids: no second run,
//! no second answer, whatever was killed in between.

use crate::world::{Phonework, World};

async fn settled(world: &World, marker: &str) {
    // A message behind the repeat: once it is answered, the repeat has been dealt with.
    world.anna().say(&format!("fake: text {marker}"));
    world.sees(marker).await;
}

fn once(world: &World, marker: &str) {
    assert_eq!(world.model.turns_containing(marker), 1, "runs of {marker}");
    assert_eq!(world.count(marker), 1, "answers to {marker}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_under_a_new_event_id_runs_once() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    let id = anna.say("fake: text only-once");
    world.sees("only-once").await;
    for _ in 0..3 {
        world.feishu.redeliver(&id, None);
    }
    settled(&world, "behind-it").await;
    once(&world, "only-once");
}

#[tokio::test(flavor = "multi_thread")]
async fn also_after_kill_9_of_everything() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    let new = anna.say("/new demo");
    world.sees("is ready").await;
    let id = anna.say("fake: text only-once");
    world.sees("only-once").await;
    phonework.kill();
    let again: Phonework = world.standalone().await;
    world.feishu.redeliver(&id, None);
    world.feishu.redeliver(&new, None);
    settled(&world, "behind-it").await;
    once(&world, "only-once");
    assert_eq!(world.count("is ready"), 1);
    let (status, _) = again.stop().await;
    assert!(status.success());
}
