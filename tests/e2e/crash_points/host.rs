//! The host dies: on the way of a message from the broker to the agent, of an answer to the outbox,
//! of what a person wants done meanwhile, and while it takes up what an earlier death left.

use kit::feishu::BotMessage;
use rustix::process::{Pid, Signal};

use super::job::Job;
use super::stage::{ASKS, Role, Stage, turn};
use crate::crash::lives_in;
use crate::world::processes;

/// The broker delivers these again only when their time is up, so each has a stage of its own.
pub(super) const WORK: [&str; 3] = ["host.work.read", "host.work.kept", "host.work.kept@2"];
/// From the journal to the agent. The agent's second line is the prompt.
pub(super) const BEGUN: [&str; 8] = [
    "host.desk.takes",
    "host.session.made",
    "host.turn.started",
    "host.agent.spawned",
    "host.agent.kept",
    "host.agent.line.written",
    "host.agent.line.written@2",
    "host.agent.heard",
];
/// A question, its answer (the tap is the second act, and the agent's third line), the result. The
/// third thing shown is what rings, the fifth is the result.
pub(super) const ASKED: [&str; 13] = [
    "host.question.heard",
    "host.question.kept",
    "host.desk.takes@2",
    "host.answer.kept",
    "host.agent.line.written@3",
    "host.result.heard",
    "host.result.kept",
    "host.outbox.read",
    "host.outbox.read@3",
    "host.outbox.read@5",
    "host.outbox.stored",
    "host.outbox.stored@3",
    "host.outbox.stored@5",
];
/// A message beside one that runs, given to the agent by [Send now] where it says so.
pub(super) const QUEUED: [&str; 1] = ["host.queue.kept"];
/// The agent's third line is the message that is handed in.
pub(super) const FOLDED: [&str; 2] = ["host.fold.kept", "host.agent.line.written@3"];
pub(super) const TAKEN: [&str; 1] = ["host.fold.taken"];
pub(super) const STOPPED: [&str; 1] = ["host.stop.kept"];
pub(super) const CLOSED: [&str; 3] = ["host.close.begun", "host.close.ended", "host.close.kept"];
/// The agent dies first.
pub(super) const EXITED: [&str; 2] = ["host.exit.heard", "host.exit.kept"];
/// Dead before, and again while it takes up what that left.
pub(super) const FOUND: [&str; 2] = ["host.found.asked", "host.found.offered"];
/// A second message, with an agent that waits for it.
pub(super) const SECOND: [&str; 2] = ["host.turn.started@2", "host.agent.line.written@4"];

#[tokio::test(flavor = "multi_thread")]
async fn with_work_of_the_broker_in_hand() {
    let each = WORK.map(|at| {
        tokio::spawn(async move {
            let mut stage = Stage::start().await;
            turn(&mut stage, Role::Host, at).await;
            stage.curtain().await;
        })
    });
    for one in each {
        one.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_agent_works() {
    let mut stage = Stage::start().await;
    for at in BEGUN {
        turn(&mut stage, Role::Host, at).await;
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_question_or_a_result() {
    let mut stage = Stage::start().await;
    for at in ASKED {
        turn(&mut stage, Role::Host, at).await;
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_message_behind_another() {
    let mut stage = Stage::start().await;
    for at in SECOND {
        second(&mut stage, at).await;
    }
    for at in QUEUED {
        let (first, behind) = held(&mut stage, at).await;
        stage.dies(Role::Host, at).await;
        both(&mut stage, at, &first, &behind).await;
    }
    for at in FOLDED {
        let (first, behind) = held(&mut stage, at).await;
        sends_now(&stage, &behind).await;
        stage.dies(Role::Host, at).await;
        both(&mut stage, at, &first, &behind).await;
    }
    for at in TAKEN {
        taken(&mut stage, at).await;
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_turn_is_ended() {
    let mut stage = Stage::start().await;
    for at in STOPPED {
        let job = begun(&mut stage, at).await;
        stage.world.anna().say("/stop");
        stage.dies(Role::Host, at).await;
        stage.world.model.release(&job.hold);
        stage.goes_on(at, |world| job.is_answered(world)).await;
        stage.check(&job);
        stage.closes(&job).await;
    }
    for at in EXITED {
        let job = stage.job(at, None, "{line} ;; {hold}");
        stage.arm(Role::Host, at).await;
        let anna = stage.world.anna();
        anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
        stage.goes_on(at, |_| job.has_run()).await;
        stage.world.model.waiting(&job.hold).await;
        kill_agents(&stage);
        stage
            .plays(Role::Host, at, |world| job.is_answered(world))
            .await;
        stage.check(&job);
        stage.closes(&job).await;
    }
    for at in CLOSED {
        let mut job = begun(&mut stage, at).await;
        stage.is_not_in_the_chat(&mut job);
        stage.world.anna().say("/close");
        stage.dies(Role::Host, at).await;
        let closed = format!("({}) is closed", job.folder);
        stage.goes_on(at, |world| world.count(&closed) == 1).await;
        stage.check(&job);
    }
    stage.curtain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn again_while_it_takes_up_what_was_left() {
    let mut stage = Stage::start().await;
    for at in FOUND {
        let job = stage.job(at, None, ASKS);
        let anna = stage.world.anna();
        anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
        stage.world.sees_that(|m| m.has_button("Allow once")).await;
        stage.kill(Role::Host);
        stage.begin(Role::Host, Some(at)).await;
        stage
            .plays(Role::Host, at, |world| job.is_answered(world))
            .await;
        stage.check(&job);
        stage.closes(&job).await;
    }
    stage.curtain().await;
}

/// A session in which a turn stands still, on a host that dies at `at`.
async fn begun(stage: &mut Stage, at: &str) -> Job {
    let job = stage.job(at, None, "{hold}");
    stage.arm(Role::Host, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", job.folder, job.prompt));
    stage.world.model.waiting(&job.hold).await;
    job
}

/// The same, and a message behind it.
async fn held(stage: &mut Stage, at: &str) -> (Job, Job) {
    let first = begun(stage, at).await;
    let behind = stage.job(at, Some(&first.folder), ASKS);
    let anna = stage.world.anna();
    anna.say(&format!("please do {}", behind.prompt));
    (first, behind)
}

/// Presses [Send now]; returns its card.
async fn sends_now(stage: &Stage, job: &Job) -> String {
    let waits = |m: &BotMessage| m.has_button("Send now") && m.text().contains(&job.prompt);
    let card = stage.world.sees_that(waits).await;
    let anna = stage.world.anna();
    anna.tap(&card.message_id, "Send now").await.unwrap();
    card.message_id
}

/// A message is handed in while the turn before it asks, and is taken with the result of its
/// command; what the model then says is about both.
async fn taken(stage: &mut Stage, at: &str) {
    let mut first = stage.job(at, None, "{line} ;; text not-said");
    stage.is_not_in_the_chat(&mut first);
    stage.arm(Role::Host, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", first.folder, first.prompt));
    stage.world.sees_that(|m| m.has_button("Allow once")).await;
    let mut behind = stage.job(at, Some(&first.folder), "text not-said ;; {answer}");
    stage.hands_in(&mut behind);
    anna.say(&format!("please do {}", behind.prompt));
    let card = sends_now(stage, &behind).await;
    stage
        .world
        .sees_that(|m| m.message_id == card && m.text().contains("Handed to"))
        .await;
    stage
        .plays(Role::Host, at, |world| behind.is_answered(world))
        .await;
    stage.check(&first);
    stage.check(&behind);
    stage.closes(&first).await;
}

/// Both come to their end.
async fn both(stage: &mut Stage, at: &str, first: &Job, behind: &Job) {
    stage.world.model.release(&first.hold);
    stage
        .goes_on(at, |world| {
            first.is_answered(world) && behind.is_answered(world)
        })
        .await;
    stage.check(first);
    stage.check(behind);
    stage.closes(first).await;
}

/// One message, and when it is answered another.
async fn second(stage: &mut Stage, at: &str) {
    let first = stage.job(at, None, "{answer}");
    stage.arm(Role::Host, at).await;
    let anna = stage.world.anna();
    anna.say(&format!("/new {} please do {}", first.folder, first.prompt));
    stage.goes_on(at, |world| first.is_answered(world)).await;
    let job = stage.job(at, Some(&first.folder), ASKS);
    anna.say(&format!("please do {}", job.prompt));
    stage
        .plays(Role::Host, at, |world| job.is_answered(world))
        .await;
    stage.check(&first);
    stage.check(&job);
    stage.closes(&job).await;
}

/// `kill -9` of every CLI of this stage.
fn kill_agents(stage: &Stage) {
    let home = stage.world.home.root().display().to_string();
    let mut killed = 0;
    for pid in processes(&["--input-format stream-json"]) {
        if lives_in(pid, &home) {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap();
            rustix::process::kill_process(pid, Signal::KILL).unwrap();
            killed += 1;
        }
    }
    assert_eq!(killed, 1, "live agents");
}
