//! The gateway dies: between the platform and the broker, in both directions.

use common::stream;
use kit::feishu::CallbackAnswer;
use rustix::process::Signal;

use super::stage::{ASKS, Role, Stage, turn};
use crate::world::{LONG, until};

/// The way in: the message, and the tap on its question.
pub(super) const IN: [&str; 4] = [
    "gateway.act.received",
    "gateway.act.received@2",
    "gateway.act.stored",
    "gateway.act.stored@2",
];
/// The way out. A new gateway waits until the broker gives out again what the dead one had in hand,
/// so these are on several stages at once. First come the card of the turn and the question, then
/// what rings, then the edits: the question answered, the turn done.
pub(super) const OUT: [[&str; 4]; 3] = [
    [
        "gateway.shown.read",
        "gateway.shown.read@5",
        "gateway.shown.created",
        "gateway.shown.created@2",
    ],
    [
        "gateway.shown.rung",
        "gateway.shown.read@3",
        "gateway.shown.edited",
        "gateway.shown.edited@2",
    ],
    [
        "gateway.shown.kept",
        "gateway.shown.kept@3",
        "gateway.shown.kept@5",
        "gateway.shown.part",
    ],
];

/// A tap while the broker does not answer; it counts, and nobody presses again.
pub(super) const KEPT: [&str; 2] = ["gateway.tap.kept", "gateway.tap.stored"];

#[tokio::test(flavor = "multi_thread")]
async fn with_a_tap_that_is_kept() {
    let mut stage = Stage::start().await;
    for at in KEPT {
        let job = stage.job(at, None, ASKS);
        let before = stage.stored(stream::IN).await;
        stage.arm(Role::Gateway, at).await;
        let anna = stage.world.anna();
        anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
        let question = stage.world.sees_that(|m| m.has_button("Allow once")).await;
        stage.hub.signal(Signal::STOP);
        // A machine that is very slow says that it could not keep it: then it is pressed again.
        let refused = |answer: &CallbackAnswer| {
            let toast = answer.toast.as_ref();
            toast.is_some_and(|toast| toast.kind == "error")
        };
        let mut answer = anna.tap(&question.message_id, "Allow once").await.unwrap();
        while refused(&answer) {
            answer = anna.tap(&question.message_id, "Allow once").await.unwrap();
        }
        stage.hub.signal(Signal::CONT);
        // The app says that something went wrong only where nobody was left to say otherwise.
        assert_eq!(
            answer.code == 0,
            at == "gateway.tap.stored",
            "{at}: {answer:?}"
        );
        stage.waits_for_the_death(Role::Gateway, at).await;
        stage.comes_back(Role::Gateway).await;
        until(LONG, at, || job.is_answered(&stage.world)).await;
        stage.check(&job);
        stage.closes(&job).await;
        // The message, the tap, and the end of the session, which waits behind a tap that is kept.
        let acts = stage.stored(stream::IN).await - before;
        assert_eq!(acts, 3, "{at}: acts in the stream");
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_platform_is_told() {
    let mut stage = Stage::start().await;
    for at in IN {
        turn(&mut stage, Role::Gateway, at).await;
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_shows() {
    let each = OUT.map(|points| {
        tokio::spawn(async move {
            let mut stage = Stage::start().await;
            for at in points {
                if at == "gateway.shown.part" {
                    long(&mut stage, at).await;
                } else {
                    turn(&mut stage, Role::Gateway, at).await;
                }
            }
            stage.curtain().await;
        })
    });
    for one in each {
        one.await.unwrap();
    }
}

/// An answer that takes several messages.
async fn long(stage: &mut Stage, at: &str) {
    let words: Vec<String> = (0..11_500).map(|n| format!("w{n:05}")).collect();
    let words = words.join(" ");
    let job = stage.job(at, None, &format!("{{answer}} {words} the-last-word"));
    stage.arm(Role::Gateway, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
    let whole =
        |world: &crate::world::World| job.is_answered(world) && world.count("the-last-word") > 0;
    stage.plays(Role::Gateway, at, whole).await;
    stage.check(&job);
    stage.closes(&job).await;
    assert_eq!(stage.world.count("the-last-word"), 1, "{at}");
    for n in (0..11_500).step_by(250) {
        let shown = stage.world.count(&format!("w{n:05}"));
        assert_eq!(shown, 1, "{at}: word {n}");
    }
}
