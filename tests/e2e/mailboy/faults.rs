//! The model down, slow or lying: a clear answer, and the commands go on working.

use std::time::Duration;

use kit::llm::Quirks;

use super::started;

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_and_commands_go_on() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    for (script, told) in [
        ("error 401", "refuses the key (HTTP 401)"),
        ("error 402", "no means left"),
        ("error 400", "refuses the request (HTTP 400)"),
        ("error200 bad-model", "“bad-model”"),
    ] {
        anna.say(&format!("say llm: {script}"));
        let card = world
            .sees_that(|m| m.text().contains(told) && !m.has_button("Stop"))
            .await;
        assert!(card.text().contains("/direct"), "{}", card.text());
    }
    anna.say("/status");
    world.sees("Sessions on").await;
    anna.say("once more llm: text fine-now");
    world.sees("fine-now").await;
    drop(llm);
    anna.say("and with nobody there?");
    let card = world.sees("cannot be reached").await;
    assert!(card.has_button("Try again"), "{}", card.text());
    anna.say("/new demo fake: text session-works");
    world.sees("session-works").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_unseen_or_by_a_tap() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("one llm: error 429 1 ;; text past-the-limit");
    world.sees("past-the-limit").await;
    anna.say("two llm: drop 1 ;; text whole-at-last");
    let card = world
        .sees_that(|m| m.text().contains("whole-at-last") && m.buttons().is_empty())
        .await;
    assert!(!card.text().contains("ok"), "{}", card.text());
    // For ever: the person is told, and may try again.
    llm.always("error 503");
    anna.say("three please");
    let card = world.sees_that(|m| m.has_button("Try again")).await;
    assert!(card.text().contains("HTTP 503"), "{}", card.text());
    llm.always("text better-now");
    anna.tap(&card.message_id, "Try again").await.unwrap();
    world.sees("better-now").await;
    // A second tap does nothing.
    let before = llm.requests().len();
    anna.tap(&card.message_id, "Try again").await.ok();
    anna.say("/status");
    world.sees("Sessions on").await;
    assert_eq!(llm.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_calls_nonsense_is_told_so() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("a llm: tool rm_everything {} ;; text heard-a {tool_result}");
    let card = world.sees("heard-a").await;
    assert!(
        card.text().contains("there is no tool “rm_everything”"),
        "{}",
        card.text()
    );
    anna.say("b llm: tool send_to_session {\"session\":\"1\"} ;; text heard-b {tool_result}");
    let card = world.sees("heard-b").await;
    assert!(
        card.text().contains("the argument `text` is missing"),
        "{}",
        card.text()
    );
    anna.say("c llm: tool new_session \"{\\\"dir\\\":\" ;; text heard-c {tool_result}");
    let card = world.sees("heard-c").await;
    assert!(card.text().contains("not JSON"), "{}", card.text());
    anna.say("d llm: tool new_session {\"dir\":\"../out\"} ;; text heard-d {tool_result}");
    let card = world.sees("heard-d").await;
    assert!(card.text().contains("../out"), "{}", card.text());
    assert!(!world.home.root().join("out").exists());
    // A loop without an end.
    llm.always("tool node_info {}");
    anna.say("e");
    let card = world.sees("Stopped after 12 rounds").await;
    assert!(card.buttons().is_empty());
    let last = llm.requests().pop().unwrap();
    let results = last.said_by("tool");
    assert!(
        results
            .iter()
            .filter(|text| text.contains("time zone:"))
            .count()
            == 3,
        "the same call is carried out three times: {results:?}"
    );
    llm.always("");
    anna.say("/status");
    world.sees("Sessions on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vendor_is_understood_through_the_whole_way() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    let all = [
        ("glm", Quirks::glm()),
        ("deepseek", Quirks::deepseek()),
        (
            "json",
            Quirks {
                no_stream: true,
                ..Quirks::deepseek()
            },
        ),
        (
            "bare",
            Quirks {
                bare_calls: true,
                object_arguments: true,
                no_role: true,
                ..Quirks::default()
            },
        ),
        (
            "odd",
            Quirks {
                finish: Some(""),
                parts: true,
                one_index: true,
                ..Quirks::default()
            },
        ),
        (
            "marks",
            Quirks {
                think_marks: true,
                no_done: true,
                tight: true,
                ..Quirks::default()
            },
        ),
    ];
    for (name, quirks) in all {
        llm.quirks(quirks);
        anna.say(&format!(
            "{name} llm: tools [[\"node_info\",{{}}],[\"list_sessions\",{{}}]] ;; text answer-{name} {{tool_result}}"
        ));
        let card = world
            .sees_that(|m| m.text().contains(&format!("answer-{name}")) && m.buttons().is_empty())
            .await;
        let text = card.text();
        assert!(text.contains("There are no sessions"), "{name}: {text}");
        assert!(!text.contains("Let me think"), "{name}: {text}");
    }
}

/// A model that does not stop talking fills no chat.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_is_cut() {
    let (world, _llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("tell me llm: long 1000000");
    world.sees("cut: the model may not say more").await;
    let said: usize = anna.messages().iter().map(|m| m.text().len()).sum();
    assert!(said < 150_000, "{said}");
}

/// Somebody's slow model holds up nobody: not their commands, and not other people.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_model_holds_up_nobody() {
    let (world, llm, _phonework) = started().await;
    let (anna, bob) = (world.anna(), world.feishu.user(super::BOB));
    anna.say("llm: hold slow answer-slow");
    llm.waiting("slow").await;
    anna.say("/status");
    world.sees("Sessions on").await;
    bob.say("llm: text answer-bob");
    bob.wait_text("answer-bob", Duration::from_secs(30))
        .await
        .unwrap();
    llm.release("slow");
    world.sees("answer-slow").await;
}
