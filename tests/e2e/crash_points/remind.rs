//! The router dies with a reminder in hand: when it is set, and when it comes. The person is told once
//! that it is set, and reminded once.

use kit::feishu::BotMessage;

use crate::world::{LONG, World};

pub(super) const REMINDED: [&str; 2] = ["router.remind.kept", "router.remind.came"];

fn is_due(message: &BotMessage) -> bool {
    message.has_button("Snooze 10 min") && message.text().contains("drink-some-water")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_reminder() {
    for at in REMINDED {
        let world = World::start().await;
        let mut dying = world.standalone_dying(at);
        world.connected().await;
        let anna = world.anna();
        let asked = anna.say("/remind 5s drink-some-water");
        dying.ended(LONG).await;
        let again = world.standalone().await;
        let card = world.sees_that(is_due).await;
        world.sees("⏰ drink-some-water").await;
        let answers = |m: &BotMessage| m.reply_to.as_deref() == Some(asked.as_str());
        world.sees_that(answers).await;
        // It may have been shown by the one that died: its successor is through with it as well.
        again.says("reminded user=").await;
        // Behind this nothing of before is on its way.
        let id = anna.say("/remind list");
        let list = world
            .sees_that(|m| m.reply_to.as_deref() == Some(id.as_str()))
            .await;
        assert!(
            list.text().contains("No reminders"),
            "{at}: {}",
            list.text()
        );
        let story = || format!("{}\n{}", world.feishu.story(), world.logs());
        let all = anna.messages();
        let count = |fits: &dyn Fn(&BotMessage) -> bool| all.iter().filter(|m| fits(m)).count();
        assert_eq!(count(&is_due), 1, "{at}: cards\n{}", story());
        assert_eq!(
            world.count("⏰ drink-some-water"),
            1,
            "{at}: bells\n{}",
            story()
        );
        assert_eq!(count(&answers), 1, "{at}: answers\n{}", story());
        anna.tap(&card.message_id, "Done").await.unwrap();
        world
            .sees_that(|m| m.message_id == card.message_id && m.buttons().is_empty())
            .await;
    }
}
