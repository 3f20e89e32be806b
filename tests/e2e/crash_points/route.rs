//! The router dies with what a chat model said in hand: where a message goes. It goes there once, and the card says
//! where; nothing goes to any other machine.

use kit::feishu::BotMessage;

use super::stage::enroll;
use crate::mailboy;
use crate::world::LONG;

pub(super) const ROUTED: [&str; 2] = ["router.route.heard", "router.route.kept"];

/// Where the model sends it: to a machine that is off, so that it stays there to be seen.
const TO_B: &str = r#"tool route {"node":"b","reason":"it-says-so"}"#;

fn says_where(message: &BotMessage) -> bool {
    message.has_button("Other machine") && message.text().contains("Sent to Machine B")
}

fn waits(message: &BotMessage) -> bool {
    message.has_button("Cancel") && message.text().contains("Machine B is off")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_choice_of_the_model() {
    for at in ROUTED {
        let (world, llm) = mailboy::world().await;
        llm.always(TO_B);
        let mut dying = world.standalone_dying(at);
        world.connected().await;
        enroll(&world, "b");
        // Both machines are known before anything is said.
        let list =
            |m: &BotMessage| m.text().contains("Your machines") && m.text().contains("Machine B");
        world.anna().say("/nodes");
        world.sees_that(list).await;
        let anna = world.anna();
        anna.say("see how full the disk is");
        dying.ended(LONG).await;
        if at == "router.route.kept" {
            // What it said once counts, whatever it would say now.
            llm.always(r#"tool route {"node":"ask","reason":"changed-its-mind"}"#);
        }
        let _again = world.standalone().await;
        world.sees_that(says_where).await;
        let card = world.sees_that(waits).await;
        // Behind this nothing of before is on its way.
        let id = anna.say("/lang");
        let answers = |m: &BotMessage| m.reply_to.as_deref() == Some(id.as_str());
        world.sees_that(answers).await;
        let story = || format!("{}\n{}", world.feishu.story(), world.logs());
        let all = anna.messages();
        let count = |fits: &dyn Fn(&BotMessage) -> bool| all.iter().filter(|m| fits(m)).count();
        assert_eq!(count(&says_where), 1, "{at}: where it went\n{}", story());
        assert_eq!(count(&waits), 1, "{at}: that it waits\n{}", story());
        let asked = if at == "router.route.heard" { 2 } else { 1 };
        assert_eq!(llm.requests().len(), asked, "{at}: questions\n{}", story());
        anna.tap(&card.message_id, "Cancel").await.unwrap();
        let taken_back = |m: &BotMessage| {
            m.message_id == card.message_id && m.text().contains("it will not run")
        };
        world.sees_that(taken_back).await;
    }
}
