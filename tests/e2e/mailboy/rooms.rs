//! Each tool once, with its effect seen on disk or in the chat.

use super::started;

#[tokio::test(flavor = "multi_thread")]
async fn tools_about_sessions() {
    let (world, _llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("a llm: tool new_session {\"dir\":\"one\",\"text\":\"fake: text from-session-one\"} ;; text handed-one {tool_result}");
    world.sees("Handed over to the session in one").await;
    world
        .sees_that(|m| m.text().contains("from-session-one") && m.text().contains("· one"))
        .await;
    assert!(world.work().join("one").is_dir());
    anna.say("b llm: tool new_session {\"dir\":\"two\"} ;; tool switch_session {\"session\":1} ;; tool list_sessions {} ;; text listed {tool_result}");
    let card = world.sees("listed").await;
    let text = card.text();
    assert!(
        text.contains("1. one (idle, active") && text.contains("2. two (idle,"),
        "{text}"
    );
    anna.say("c llm: tool send_to_session {\"session\":\"two\",\"text\":\"fake: text from-session-two\"} ;; text handed-two");
    world.sees("from-session-two").await;
    anna.say("d llm: tool close_session {\"session\":2} ;; text closing {tool_result}");
    world.sees("Session 2 (two) is closed").await;
    anna.say("/status");
    let status = world.sees("Sessions on").await;
    assert!(!status.text().contains("two"), "{}", status.text());
    anna.say("e llm: tool node_info {} ;; text info {tool_result}");
    let card = world.sees("working directory:").await;
    assert!(card.text().contains("time zone:"), "{}", card.text());
}
