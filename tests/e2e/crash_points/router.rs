//! The router dies: between what came in and what it made of it.

use common::stream;
use kit::feishu::BotMessage;

use super::stage::{ASKS, Role, Stage, enroll, turn};

/// The message, and the tap on its question.
pub(super) const TURN: [&str; 4] = [
    "router.act.read",
    "router.act.read@2",
    "router.work.stored",
    "router.work.stored@2",
];
/// Something that the router answers itself.
pub(super) const REPLY: [&str; 1] = ["router.reply.stored"];
/// A choice of the node.
pub(super) const CHOICE: [&str; 3] = [
    "router.choice.kept",
    "router.work.stored",
    "router.reply.stored@2",
];

/// At its own start: before it does anything, and when it takes up what an earlier death left.
pub(super) const START: [&str; 2] = ["broker.lease.taken", "broker.floor.kept"];

#[tokio::test(flavor = "multi_thread")]
async fn with_an_act_in_hand() {
    let mut stage = Stage::start().await;
    for at in TURN {
        turn(&mut stage, Role::Router, at).await;
    }
    for at in REPLY {
        stage.arm(Role::Router, at).await;
        let id = stage.world.anna().say("/nodes");
        let reply = |m: &BotMessage| m.reply_to.as_deref() == Some(id.as_str());
        stage.dies(Role::Router, at).await;
        stage.world.sees_that(reply).await;
        // What comes after it comes behind it.
        let after = stage.world.anna().say("/nodes");
        stage
            .world
            .sees_that(|m| m.reply_to.as_deref() == Some(after.as_str()))
            .await;
        let all = stage.world.anna().messages();
        assert_eq!(all.into_iter().filter(reply).count(), 1, "{at}");
    }
    for at in START {
        let job = stage.job(at, None, ASKS);
        let first = "router.act.read";
        stage.arm(Role::Router, first).await;
        let anna = stage.world.anna();
        anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
        stage.waits_for_the_death(Role::Router, first).await;
        let before = stage.stored(stream::WORK).await;
        stage.begin(Role::Router, Some(at)).await;
        let behind = stage.world.anna().say("/nodes");
        let reply = |m: &BotMessage| m.reply_to.as_deref() == Some(behind.as_str());
        stage.dies(Role::Router, at).await;
        stage.world.sees_that(reply).await;
        let work = stage.stored(stream::WORK).await;
        assert!(work > before, "{at}: what came later was first");
        stage.goes_on(at, |world| job.is_answered(world)).await;
        stage.check(&job);
        stage.closes(&job).await;
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_choice_in_hand() {
    let each = CHOICE.map(|at| {
        tokio::spawn(async move {
            let mut stage = Stage::start().await;
            enroll(&stage.world, "b");
            if at == "router.choice.kept" {
                both_chosen(&mut stage, at).await;
            } else {
                turn(&mut stage, Role::Router, at).await;
            }
            stage.curtain().await;
        })
    });
    for one in each {
        one.await.unwrap();
    }
}

/// The other machine is chosen as well, while nobody is there who knows of the first choice.
async fn both_chosen(stage: &mut Stage, at: &str) {
    let job = stage.job(at, None, ASKS);
    stage.arm(Role::Router, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
    let ask = stage.world.sees_that(|m| m.has_button("Machine B")).await;
    anna.tap(&ask.message_id, "Machine A").await.unwrap();
    stage.waits_for_the_death(Role::Router, at).await;
    anna.tap(&ask.message_id, "Machine B").await.unwrap();
    stage.comes_back(Role::Router).await;
    stage.goes_on(at, |world| job.is_answered(world)).await;
    stage.nothing_comes_again(at).await;
    stage.check(&job);
    let elsewhere = stage.world.count("waits for it");
    assert_eq!(elsewhere, 0, "{at}: it went to the other one as well");
    stage.closes(&job).await;
}
