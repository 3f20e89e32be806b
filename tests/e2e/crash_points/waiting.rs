//! The router dies while a message waits for a machine that is off: before the person is told, when
//! the machine is back, and on each step of taking it back or sending it to another one.

use kit::feishu::BotMessage;

use super::job::Job;
use super::stage::{ASKS, Role, Stage, enroll};
use crate::world::World;

/// The person is told that it waits; that the machine is back.
pub(super) const TOLD: [&str; 2] = ["router.waiting.told", "router.waiting.taken"];
/// [Cancel].
pub(super) const BACK: [&str; 3] = [
    "router.waiting.claimed",
    "router.waiting.out",
    "router.waiting.settled",
];
/// [Send to …].
pub(super) const MOVED: [&str; 2] = ["router.waiting.out", "router.waiting.placed"];

/// What rings when the machine is back, whatever happened in between: once for each message.
const BACK_AGAIN: &str = "is back and runs your message";

#[tokio::test(flavor = "multi_thread")]
async fn with_a_message_that_waits() {
    let mut stage = Stage::start().await;
    stage.leaves_sessions();
    for (before, at) in TOLD.into_iter().enumerate() {
        let job = stage.job(at, None, ASKS);
        say(&mut stage, at, &job).await;
        if at == "router.waiting.told" {
            stage.dies(Role::Router, at).await;
        }
        let card = stage.world.sees_that(waits).await;
        stage.begin(Role::Host, None).await;
        if at == "router.waiting.taken" {
            stage.dies(Role::Router, at).await;
        }
        stage.goes_on(at, |world| job.is_answered(world)).await;
        stage.check(&job);
        stage.nothing_is_open().await;
        let told = |world: &World| world.count(BACK_AGAIN) == before + 1;
        stage.goes_on(at, told).await;
        let taken = stage.world.feishu.message(&card.message_id).unwrap();
        assert!(
            taken.text().contains("has taken it"),
            "{at}: {}",
            taken.text()
        );
        stage.closes(&job).await;
    }
    for at in BACK {
        let mut job = stage.job(at, None, ASKS);
        stage.never_runs(&mut job);
        say(&mut stage, at, &job).await;
        let card = stage.world.sees_that(waits).await;
        let anna = stage.world.anna();
        anna.tap(&card.message_id, "Cancel").await.unwrap();
        stage.dies(Role::Router, at).await;
        stage.nothing_is_open().await;
        let card = stage.world.feishu.message(&card.message_id).unwrap();
        assert!(
            card.text().contains("it will not run"),
            "{at}: {}",
            card.text()
        );
        stage.begin(Role::Host, None).await;
    }
    assert_eq!(stage.world.count(BACK_AGAIN), TOLD.len());
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_message_that_is_sent_elsewhere() {
    let mut stage = Stage::start().await;
    stage.leaves_sessions();
    // The only machine becomes the active one; the second comes after it.
    let id = stage.world.anna().say("/status");
    let reply = |m: &BotMessage| m.reply_to.as_deref() == Some(id.as_str());
    stage.world.sees_that(reply).await;
    let dir = enroll(&stage.world, "b");
    let other = stage.world.host("b", &dir);
    stage.is_on("b").await;
    for at in MOVED {
        let job = stage.job(at, None, "{answer}");
        say(&mut stage, at, &job).await;
        let card = stage.world.sees_that(waits).await;
        let anna = stage.world.anna();
        anna.tap(&card.message_id, "Send to Machine B")
            .await
            .unwrap();
        stage
            .plays(Role::Router, at, |world| job.is_answered(world))
            .await;
        stage.begin(Role::Host, None).await;
        stage.is_on("a").await;
        stage.check(&job);
    }
    let (status, _) = other.stop().await;
    assert!(status.success(), "{status}");
    stage.curtain().await;
}

/// The host is off, the router dies at `at`, and the person says it.
async fn say(stage: &mut Stage, at: &str, job: &Job) {
    stage.end(Role::Host).await;
    stage.nobody_reads("a").await;
    stage.arm(Role::Router, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
}

fn waits(message: &BotMessage) -> bool {
    message.has_button("Cancel") && message.text().contains("waits for it")
}
