//! The host dies with a command of a person in hand: one that was allowed runs once; one that was begun
//! is told as interrupted and not run again.

use std::time::Duration;

use kit::feishu::BotMessage;

use super::job::lines_in;
use crate::world::{LONG, World, processes, until};

/// The answer to its question.
pub(super) const ANSWERED: [&str; 1] = ["host.confirm.kept"];
/// On its way, and how often it has run then.
pub(super) const BEGUN: [&str; 2] = ["host.task.kept", "host.task.over"];

/// The person asks for the commands: behind that nothing of before is on its way, no card waits for
/// anything, and what `part` stands in is one card and its line in the list.
async fn is_over(world: &World, at: &str, part: &str) {
    let id = world.anna().say("/tasks");
    let list = world
        .sees_that(|m| m.reply_to.as_deref() == Some(id.as_str()))
        .await;
    assert_eq!(
        list.text().matches(part).count(),
        1,
        "{at}: {}",
        list.text()
    );
    let all = world.anna().messages();
    let open: Vec<_> = all.iter().filter(|m| !m.buttons().is_empty()).collect();
    assert!(open.is_empty(), "{at}: {open:?}");
    let is_card = |m: &&BotMessage| {
        m.msg_type == "interactive"
            && m.message_id != list.message_id
            && m.text().contains(part)
            && !m.text().starts_with("May I")
    };
    let cards = all.iter().filter(is_card).count();
    assert_eq!(cards, 1, "{at}: cards\n{}", world.feishu.story());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_answer_that_allows_it() {
    for at in ANSWERED {
        let world = World::start().await;
        let mut dying = world.standalone_dying(at);
        world.connected().await;
        std::fs::create_dir_all(world.work().join("build")).unwrap();
        let ran = world.work().join("ran");
        let anna = world.anna();
        anna.say(
            "/shell echo line >> ran; /usr/bin/python3 -c \"import shutil; shutil.rmtree('build')\"",
        );
        let question = world.sees_that(|m| m.has_button("Allow once")).await;
        assert!(question.text().starts_with("May I"), "{}", question.text());
        // The app may hear of it or not, as everything dies with it.
        let _ = anna.tap(&question.message_id, "Allow once").await;
        dying.ended(LONG).await;
        assert_eq!(lines_in(&ran), 0, "{at}");
        let _again = world.standalone().await;
        world
            .sees_that(|m| m.text().contains("rmtree") && m.text().contains("exit 0"))
            .await;
        is_over(&world, at, "python3").await;
        assert_eq!(lines_in(&ran), 1, "{at}");
        assert!(!world.work().join("build").exists(), "{at}");
        assert_eq!(world.count("waits for your permission"), 1, "{at}");
        let asked = |m: &BotMessage| m.text().starts_with("May I");
        let asked = anna.messages().into_iter().filter(asked).count();
        assert_eq!(asked, 1, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_command_on_its_way() {
    for at in BEGUN {
        let world = World::start().await;
        let mut dying = world.standalone_dying(at);
        world.connected().await;
        let ran = world.work().join("ran");
        world
            .anna()
            .say("/shell echo line >> ran; echo out-$((40 + 2)); setsid sleep 98741 & echo begun");
        dying.ended(LONG).await;
        let _again = world.standalone().await;
        let card = world
            .sees_that(|m| {
                m.msg_type == "interactive"
                    && m.text().contains("98741")
                    && m.text().contains("interrupted")
            })
            .await;
        world.sees("Task 1 has ended (interrupted").await;
        is_over(&world, at, "98741").await;
        let lines = usize::from(at == "host.task.over");
        assert_eq!(lines_in(&ran), lines, "{at}");
        assert_eq!(
            card.text().matches("out-42").count(),
            lines,
            "{at}: {}",
            card.text()
        );
        assert_eq!(world.count("Task 1 has ended"), 1, "{at}");
        until(Duration::from_secs(10), "the end of what it began", || {
            processes(&["sleep 98741"]).is_empty()
        })
        .await;
    }
}
