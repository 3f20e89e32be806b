//! Reminders through the platform's own wire: each comes once, whoever was down when it was due.

use std::time::{Duration, Instant};

use kit::feishu::BotMessage;

use crate::processes::Fleet;
use crate::world::{LONG, until};

fn is_due(message: &BotMessage) -> bool {
    message.has_button("Snooze 10 min") && message.text().contains("stand-up-and-stretch")
}

#[tokio::test(flavor = "multi_thread")]
async fn set_and_everybody_killed_it_comes_once() {
    let mut fleet = Fleet::start().await;
    let anna = fleet.world.anna();
    anna.say("/remind 5s stand-up-and-stretch");
    fleet.world.sees("You will be reminded").await;
    let set = Instant::now();
    for host in fleet.hosts.drain(..) {
        host.kill();
    }
    fleet.router.kill();
    until(LONG, "time", || set.elapsed() > Duration::from_secs(7)).await;
    assert_eq!(fleet.world.count("⏰ stand-up-and-stretch"), 0);
    // Reminders need no machine.
    fleet.router = fleet.world.role("router");
    let card = fleet.world.sees_that(is_due).await;
    fleet.world.sees("⏰ stand-up-and-stretch").await;
    // The router that showed it dies as well; its successor shows nothing again.
    fleet.router.kill();
    fleet.router = fleet.world.role("router");
    anna.say("/remind list");
    fleet.world.sees("No reminders").await;
    assert_eq!(fleet.world.count("⏰ stand-up-and-stretch"), 1);
    let shown = anna.messages().iter().filter(|m| is_due(m)).count();
    assert_eq!(shown, 1);
    anna.tap(&card.message_id, "Done").await.unwrap();
    let done = |m: &BotMessage| m.message_id == card.message_id && !m.has_button("Done");
    fleet.world.sees_that(done).await;
}
