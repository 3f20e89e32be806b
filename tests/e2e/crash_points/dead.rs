//! The router dies with a message that can never be handled: before it is out of the way, and on
//! each step of what the person wants done with it.

use common::ids::UserId;
use common::subject;
use kit::feishu::BotMessage;

use super::stage::{Role, Stage, inside};
use crate::world::ANNA;

/// It becomes a dead letter.
pub(super) const LETTER: [&str; 1] = ["broker.dead.stored"];
/// [Retry], [Discard].
pub(super) const RETRIED: [&str; 1] = ["router.dead.handed"];
pub(super) const DISCARDED: [&str; 1] = ["router.dead.settled"];

#[tokio::test(flavor = "multi_thread")]
async fn with_a_message_that_can_never_be_handled() {
    let mut stage = Stage::start().await;
    let broker = inside(&stage.world).await;
    let me: UserId = ANNA.parse().unwrap();
    let subject = subject::inbound_message(&me);
    for at in LETTER {
        stage.arm(Role::Router, at).await;
        broker.publish(&subject, at, "", "{\"v\":1,").await.unwrap();
        stage.dies(Role::Router, at).await;
        only(&stage, at, 1).await;
    }
    for at in RETRIED {
        let card = stage.world.sees_that(asks).await;
        stage.arm(Role::Router, at).await;
        let anna = stage.world.anna();
        anna.tap(&card.message_id, "Retry").await.unwrap();
        stage.dies(Role::Router, at).await;
        let handed = |m: &BotMessage| {
            m.message_id == card.message_id && m.text().contains("Handed in again")
        };
        stage.world.sees_that(handed).await;
        // It fails once more, and one new card asks.
        only(&stage, at, 2).await;
    }
    for at in DISCARDED {
        let card = stage.world.sees_that(asks).await;
        stage.arm(Role::Router, at).await;
        let anna = stage.world.anna();
        anna.tap(&card.message_id, "Discard").await.unwrap();
        stage.dies(Role::Router, at).await;
        stage.nothing_is_open().await;
        only(&stage, at, 2).await;
    }
    stage.curtain().await;
}

/// Waits until something that is said behind it is answered; then so many cards have asked.
async fn only(stage: &Stage, at: &str, cards: usize) {
    stage.world.sees_that(was_asked).await;
    let id = stage.world.anna().say("/status");
    let reply = |m: &BotMessage| m.reply_to.as_deref() == Some(id.as_str());
    stage.world.sees_that(reply).await;
    let all = stage.world.anna().messages();
    let asked = all.iter().filter(|m| was_asked(m)).count();
    assert_eq!(asked, cards, "{at}: {}", stage.world.feishu.story());
}

fn asks(message: &BotMessage) -> bool {
    message.has_button("Retry") && message.has_button("Discard")
}

/// A card about a dead letter, settled or not.
fn was_asked(message: &BotMessage) -> bool {
    let text = message.text();
    asks(message) || text.contains("Handed in again") || text.contains("Discarded")
}
