//! A message for two machines, and the router dies between them, or between what a machine said of
//! its turn and the line that tells it; or the machine's host dies before it has said it.

use kit::feishu::BotMessage;

use super::stage::{Role, Stage, enroll};
use crate::world::World;

/// Written down to whom it goes; one has it; both have it; a line changed, its card not.
pub(super) const SENT: [&str; 5] = [
    "router.fan.kept",
    "router.work.stored",
    "router.work.stored@2",
    "router.turn.kept",
    "router.turn.kept@3",
];
/// An answer is out, and nobody was told how the turn stands.
pub(super) const SAID: [&str; 2] = ["host.outbox.stored", "host.outbox.stored@2"];

#[tokio::test(flavor = "multi_thread")]
async fn with_a_message_for_two_machines() {
    let mut stage = Stage::start().await;
    stage.leaves_sessions();
    let dir = enroll(&stage.world, "b");
    let other = stage.world.host("b", &dir);
    stage.is_on("b").await;
    let anna = stage.world.anna();
    let id = anna.say("/all /new both");
    stage
        .goes_on("the sessions", |world| is_over(world, &id))
        .await;
    anna.say("/node a");
    stage.world.sees("Now using Machine A").await;
    let rows = SENT.map(|at| (Role::Router, at));
    let rows = rows.into_iter().chain(SAID.map(|at| (Role::Host, at)));
    for (n, (role, at)) in rows.enumerate() {
        stage.arm(role, at).await;
        let word = format!("for-both-{n}");
        let id = anna.say(&format!("/all fake: text {word}"));
        stage.dies(role, at).await;
        stage.goes_on(at, |world| is_over(world, &id)).await;
        // The card that collects, and an answer of each; more than these would be a double.
        let told = |world: &World| world.count(&word) == 3;
        stage.goes_on(at, told).await;
        stage.nothing_comes_again(at).await;
        assert_eq!(stage.world.count(&word), 3, "{at}");
        assert_eq!(stage.world.model.turns_containing(&word), 2, "{at}");
        let cards = anna.messages().into_iter().filter(|m| collects(m, &id));
        assert_eq!(cards.count(), 1, "{at}");
    }
    let (status, _) = other.stop().await;
    assert!(status.success(), "{status}");
    stage.curtain().await;
}

fn collects(message: &BotMessage, id: &str) -> bool {
    message.reply_to.as_deref() == Some(id) && message.text().contains("machines, ")
}

fn is_over(world: &World, id: &str) -> bool {
    let over = |m: &BotMessage| collects(m, id) && m.text().contains("2 machines, 2 finished");
    world.anna().messages().iter().any(over)
}
