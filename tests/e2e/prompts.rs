//! A question of the agent waits for its answer whatever else dies meanwhile; the answer counts
//! once, also when it was given while something was down; and where nobody waits for it any more,
//! the card and the tap say so.

use std::time::Duration;

use kit::feishu::{BotMessage, CallbackAnswer};

use crate::crash::lives_in;
use crate::separate::{Part, Separate};
use crate::world::{LONG, World, processes, until};

/// A turn that asks before it adds a line to `ran.txt`, and then says `end`.
fn asks(end: &str) -> String {
    format!("fake: tool Bash {{\"command\":\"echo x >> ran.txt\"}} ;; text {end}")
}

/// The question that is open now.
async fn question(world: &World) -> BotMessage {
    world.sees_that(|m| m.has_button("Allow once")).await
}

async fn finished(world: &World, end: &str) {
    // The question's card and the first card quote the message, with its directive.
    let answer = |m: &BotMessage| m.text().contains(end) && m.text().contains("context");
    world.sees_that(answer).await;
    assert_eq!(world.count("Allowed once"), 1, "{}", world.logs());
}

async fn tap(world: &World, card: &BotMessage, label: &str) -> CallbackAnswer {
    world.anna().tap(&card.message_id, label).await.unwrap()
}

fn toast(answer: &CallbackAnswer) -> &str {
    answer.toast.as_ref().map_or("", |toast| &toast.content)
}

/// Presses a button that the card had before.
async fn tap_as_before(world: &World, before: &BotMessage, label: &str) {
    let buttons = before.buttons();
    let button = buttons.iter().find(|one| one.label == label).unwrap();
    let action = serde_json::json!({"tag": "button", "value": button.value});
    let answer = world
        .feishu
        .act(&before.message_id, Some(crate::world::ANNA), action)
        .await
        .unwrap();
    assert_eq!(answer.code, 0, "{answer:?}");
}

/// The question's card, once it needs no answer.
async fn closed(world: &World, before: &BotMessage) -> String {
    let card = world
        .sees_that(|m| m.message_id == before.message_id && m.buttons().is_empty())
        .await;
    card.text()
}

async fn outlives(killed: &[Part]) {
    let mut parts = Separate::start().await;
    parts
        .world
        .anna()
        .say(&format!("/new demo {}", asks("the-end")));
    let question = question(&parts.world).await;
    for part in killed {
        parts.kill(*part);
    }
    for part in killed {
        parts.restart(*part).await;
    }
    parts.world.connected().await;
    let still = parts.world.feishu.message(&question.message_id).unwrap();
    assert!(still.has_button("Allow once"), "{}", still.text());
    let answer = tap(&parts.world, &question, "Allow once").await;
    assert_eq!(answer.code, 0, "{answer:?}");
    finished(&parts.world, "the-end").await;
    assert_eq!(parts.ran("demo/ran.txt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_the_gateway() {
    outlives(&[Part::Gateway]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_the_router() {
    outlives(&[Part::Router]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_the_broker() {
    outlives(&[Part::Broker]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_outlives_all_of_them_at_once() {
    outlives(&[Part::Broker, Part::Router, Part::Gateway]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_while_the_router_is_down_counts_when_it_is_back() {
    let mut parts = Separate::start().await;
    parts
        .world
        .anna()
        .say(&format!("/new demo {}", asks("the-end")));
    let question = question(&parts.world).await;
    parts.kill(Part::Router);
    let answer = tap(&parts.world, &question, "Allow once").await;
    assert_eq!((answer.code, toast(&answer)), (0, "Got it"));
    assert_eq!(parts.ran("demo/ran.txt"), 0);
    parts.restart(Part::Router).await;
    finished(&parts.world, "the-end").await;
    assert_eq!(parts.ran("demo/ran.txt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_while_the_broker_is_down_is_kept_and_counts_once() {
    let mut parts = Separate::start().await;
    parts
        .world
        .anna()
        .say(&format!("/new demo {}", asks("the-end")));
    let question = question(&parts.world).await;
    parts.kill(Part::Broker);
    // The person is not sure and taps again, and changes their mind: the first answer counts.
    for label in ["Allow once", "Allow once", "Deny"] {
        let answer = tap(&parts.world, &question, label).await;
        let kept = "Kept: it counts as soon as the connection is back";
        assert_eq!((answer.code, toast(&answer)), (0, kept));
    }
    assert_eq!(parts.ran("demo/ran.txt"), 0);
    parts.restart(Part::Broker).await;
    finished(&parts.world, "the-end").await;
    assert_eq!(parts.ran("demo/ran.txt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_kept_outlives_the_gateway_and_all_others() {
    let mut parts = Separate::start().await;
    parts
        .world
        .anna()
        .say(&format!("/new demo {}", asks("the-end")));
    let question = question(&parts.world).await;
    parts.kill(Part::Broker);
    let answer = tap(&parts.world, &question, "Allow once").await;
    assert!(toast(&answer).starts_with("Kept"), "{answer:?}");
    parts.kill(Part::Gateway);
    parts.kill(Part::Router);
    for part in [Part::Broker, Part::Router, Part::Gateway] {
        parts.restart(part).await;
    }
    finished(&parts.world, "the-end").await;
    assert_eq!(parts.ran("demo/ran.txt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_agent_is_gone_says_so() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    world
        .anna()
        .say(&format!("/new demo {}", asks("never-said")));
    let question = question(&world).await;
    let home = world.home.root().display().to_string();
    for pid in processes(&["--input-format stream-json"]) {
        if lives_in(pid, &home) {
            let pid = i32::try_from(pid).ok();
            let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
    }
    world.sees("ended unexpectedly").await;
    let text = closed(&world, &question).await;
    assert!(text.contains("No answer is needed any more"), "{text}");
    tap_as_before(&world, &question, "Allow once").await;
    world.sees("Nobody waits for this answer any more").await;
    assert!(!world.work().join("demo/ran.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_session_is_closed_says_so() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    world
        .anna()
        .say(&format!("/new demo {}", asks("never-said")));
    let question = question(&world).await;
    world.anna().say("/close");
    world.sees("is closed").await;
    let text = closed(&world, &question).await;
    assert!(text.contains("No answer is needed any more"), "{text}");
    tap_as_before(&world, &question, "Allow once").await;
    world.sees("Nobody waits for this answer any more").await;
    assert!(!world.work().join("demo/ran.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_host_was_killed_says_so() {
    let mut parts = Separate::start().await;
    parts
        .world
        .anna()
        .say(&format!("/new demo {}", asks("never-said")));
    let question = question(&parts.world).await;
    parts.kill(Part::Host);
    // Nobody can carry it out yet; it waits for the node.
    let answer = tap(&parts.world, &question, "Allow once").await;
    assert_eq!(answer.code, 0, "{answer:?}");
    parts.restart(Part::Host).await;
    let text = closed(&parts.world, &question).await;
    assert!(
        text.contains("PhoneWork restarted before there was one, so this was not done"),
        "{text}"
    );
    let world = &parts.world;
    world.sees("Nobody waits for this answer any more").await;
    assert_eq!(parts.ran("demo/ran.txt"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turns_time_stands_still_while_it_asks_and_runs_out_afterwards() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let limit = Duration::from_secs(5);
    world.anna().say(
        "/new demo --timeout 5 fake: tool Bash {\"command\":\"echo x >> ran.txt\"} ;; hold mid ;; text never-said",
    );
    let question = question(&world).await;
    // What is to be seen is that this much time changes nothing.
    tokio::time::sleep(limit + limit / 2).await;
    let still = world.feishu.message(&question.message_id).unwrap();
    assert!(still.has_button("Allow once"), "{}", still.text());
    tap(&world, &question, "Allow once").await;
    world.sees("Stopped after 5 seconds").await;
    until(LONG, "the tool ran", || {
        world.work().join("demo/ran.txt").exists()
    })
    .await;
    let text = closed(&world, &question).await;
    assert!(text.contains("Allowed once"), "{text}");
}
