//! Several sessions, switching, queueing, stopping, closing, the agent's own commands; all of it
//! survives a restart of everything.

use crate::world::{LONG, World};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_survive_a_restart_and_are_resumed() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new one fake: text first-in-one");
    world.sees("first-in-one").await;
    anna.say("/new two fake: text first-in-two");
    world.sees("first-in-two").await;
    let (status, took) = phonework.stop().await;
    assert!(status.success() && took.as_secs() < 10, "{took:?}");

    let _again = world.standalone().await;
    anna.say("/status");
    let status = world.sees("Sessions on").await;
    let text = status.text();
    assert!(
        text.contains("one") && text.contains("two (active)"),
        "{text}"
    );
    anna.say("/switch 1");
    world.sees("Active session: 1 (one)").await;
    anna.say("fake: text {n} messages so far");
    // The conversation goes on: the model sees the first turn before this one.
    let card = world.sees("messages so far").await;
    let seen: usize = card
        .text()
        .lines()
        .find_map(|line| line.strip_suffix(" messages so far")?.parse().ok())
        .unwrap();
    assert!(seen >= 3, "{}", card.text());
    anna.say("/close");
    world.sees("Session 1 (one) is closed").await;
    anna.say("fake: text now-in-two");
    let answer = world.sees("now-in-two").await;
    assert!(answer.text().contains("two"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn text_sent_meanwhile_waits_its_turn_and_can_be_taken_back() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold one answer-one");
    world.model.waiting("one").await;
    anna.say("fake: text answer-two");
    let second = world.sees_that(|m| m.has_button("Cancel")).await;
    anna.say("fake: text answer-three");
    world
        .sees_that(|m| m.has_button("Cancel") && m.text().contains("place 2"))
        .await;
    anna.tap(&second.message_id, "Cancel").await.unwrap();
    world
        .sees_that(|m| m.message_id == second.message_id && m.text().contains("Taken back"))
        .await;
    world.model.release("one");
    world
        .sees_that(|m| m.text().contains("answer-one") && m.buttons().is_empty())
        .await;
    world
        .sees_that(|m| m.text().contains("answer-three") && m.buttons().is_empty())
        .await;
    assert_eq!(world.model.turns_containing("answer-two"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_interrupts_by_command_and_by_card() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold one begun-one");
    world.model.waiting("one").await;
    anna.say("/stop");
    world.sees("Stopped").await;
    anna.say("fake: hold two begun-two");
    world.model.waiting("two").await;
    let card = world.sees_that(|m| m.has_button("Stop")).await;
    anna.tap(&card.message_id, "Stop").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("Stopped"))
        .await;
    anna.say("/stop");
    world.sees("Nothing is running").await;
    anna.say("fake: text usable-after");
    world.sees("usable-after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_closes_the_question_that_is_open() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: tool Bash {\"command\":\"touch no.txt\"} ;; text never-said");
    let prompt = world.sees_that(|m| m.has_button("Allow once")).await;
    anna.say("/stop");
    world.sees("Stopped").await;
    let closed = world
        .sees_that(|m| m.message_id == prompt.message_id && m.buttons().is_empty())
        .await;
    assert!(
        closed.text().contains("No answer is needed"),
        "{}",
        closed.text()
    );
    assert!(!world.work().join("demo/no.txt").exists());
    anna.say("fake: text usable-after");
    world.sees("usable-after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_taps_count_once_and_denial_is_heard() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say(
        "/new demo fake: tool Bash {\"command\":\"touch no.txt\"} ;; text heard {tool_result}",
    );
    let prompt = world.sees_that(|m| m.has_button("Deny")).await;
    let (first, second) = tokio::join!(
        anna.tap(&prompt.message_id, "Deny"),
        anna.tap(&prompt.message_id, "Allow once")
    );
    assert!(first.is_ok() && second.is_ok());
    world.sees("heard").await;
    let settled = world.feishu.message(&prompt.message_id).unwrap().text();
    let denied = settled.contains("Denied");
    let allowed = settled.contains("Allowed once");
    assert!(denied ^ allowed, "one answer counts: {settled}");
    assert_eq!(world.work().join("demo/no.txt").exists(), allowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn allowing_for_the_session_does_not_ask_again() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: tool Bash {\"command\":\"touch a.txt\"} ;; text first-done");
    let prompt = world
        .sees_that(|m| m.has_button("Allow for this session"))
        .await;
    anna.tap(&prompt.message_id, "Allow for this session")
        .await
        .unwrap();
    world.sees("first-done").await;
    anna.say("fake: tool Bash {\"command\":\"touch a.txt\"} ;; text second-done");
    world.sees("second-done").await;
    let asked = anna
        .messages()
        .iter()
        .filter(|m| m.text().contains("May I use"))
        .count();
    assert_eq!(asked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_sessions_are_nobody_elses() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    let bob = world.feishu.user("ou_bob");
    anna.say("/new demo fake: tool Bash {\"command\":\"touch a.txt\"} ;; text annas-answer");
    let prompt = world.sees_that(|m| m.has_button("Allow once")).await;

    // Bob sees nothing of it, and cannot reach it by number.
    bob.say("/status");
    bob.wait_text("No sessions", LONG).await.unwrap();
    bob.say("/switch 1");
    bob.wait_text("no session 1", LONG).await.unwrap();
    bob.say("/close 1");
    bob.wait_message(
        |m| m.text().matches("no session 1").count() > 0 && m.reply_to.is_some(),
        LONG,
    )
    .await
    .unwrap();

    // A tap of his on her question does nothing; hers counts.
    let tap = kit::feishu::Tap {
        by: Some("ou_bob".into()),
        ..kit::feishu::Tap::default()
    };
    world
        .feishu
        .tap_with(&prompt.message_id, "Allow once", tap)
        .await
        .unwrap();
    world.sees("somebody else's").await;
    assert!(!world.work().join("demo/a.txt").exists());
    assert!(
        world
            .feishu
            .message(&prompt.message_id)
            .unwrap()
            .has_button("Allow once")
    );
    anna.tap(&prompt.message_id, "Allow once").await.unwrap();
    world.sees("annas-answer").await;
    assert!(
        bob.messages()
            .iter()
            .all(|m| !m.text().contains("annas-answer"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_chinese_is_answered_in_chinese() {
    let mut world = World::start().await;
    world.locale = "";
    let _phonework = world.standalone().await;
    world.anna().say("/new 项目");
    world.sees("就绪").await;
    world.anna().say("/status");
    world.sees("上的会话").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_of_the_agent_pass_through() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: text begun");
    world.sees("begun").await;
    anna.say("/context");
    world.sees("Context Usage").await;
    anna.say("//context");
    world
        .sees_that(|m| m.text().contains("Context Usage") && m.reply_to.is_some())
        .await;
    anna.say("/help");
    let help = world.sees("/switch <n>").await;
    for command in [
        "/new", "/status", "/close", "/direct", "/stop", "/nodes", "/node",
    ] {
        assert!(help.text().contains(command), "{command}");
    }
    anna.say("/direct");
    world.sees("Direct mode").await;
    anna.say("/status");
    world
        .sees_that(|m| m.text().contains("Sessions on") && m.text().contains("direct"))
        .await;
}
