//! Turns that go well: what is told, in which order, and what it cost.

use host::agent::{AgentEvent, Image, RunState, TurnOutcome, UserMessage};
use uuid::Uuid;

use super::Setting;

/// A red dot.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

#[tokio::test]
async fn a_plain_turn_from_greeting_to_end() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let uuid = agent.say("fake: text Hello from afar").await;
    let result = agent.finished().await;
    agent.idle().await;

    assert_eq!(result.outcome, TurnOutcome::Success);
    assert_eq!(result.text, "Hello from afar");
    assert_eq!(result.session_id, Some(agent.session));
    assert_eq!(result.user_messages, [uuid]);
    assert!(
        result.cost_usd > 0.0 && result.model.is_some(),
        "{result:?}"
    );
    let (used, window) = (result.context_used.unwrap(), result.context_window.unwrap());
    assert!(used > 100 && used < window, "{used} of {window}");
    assert_eq!(agent.texts(), ["Hello from afar"]);

    let place = |what: &str, fits: &dyn Fn(&AgentEvent) -> bool| {
        let place = agent.seen.iter().position(fits);
        place.unwrap_or_else(|| panic!("no {what} in {:#?}", agent.seen))
    };
    place("menus", &|event| {
        matches!(event, AgentEvent::Ready { commands, models }
            if commands.iter().any(|c| c.name == "compact") && !models.is_empty())
    });
    let order = [
        place("running", &|e| *e == AgentEvent::State(RunState::Running)),
        place("init", &|e| {
            matches!(e, AgentEvent::Init { version, slash_commands, .. }
                if version.starts_with("2.") && !slash_commands.is_empty())
        }),
        place("consumed", &|e| *e == AgentEvent::Consumed(uuid)),
        place("text", &|e| matches!(e, AgentEvent::Text { .. })),
        place("finished", &|e| matches!(e, AgentEvent::Finished(_))),
        place("idle", &|e| *e == AgentEvent::State(RunState::Idle)),
    ];
    // When a message counts as consumed differs by version: before the first text or after it.
    let mut sorted = order;
    sorted.sort_unstable();
    let consumed = order[2];
    assert!(sorted == order || consumed < order[4], "{:#?}", agent.seen);

    let exit = agent.handle.close().await;
    assert_eq!(
        (exit.code, exit.requested, exit.mid_turn),
        (Some(0), true, false)
    );
    assert_eq!(exit.fault(), None);
    assert!(exit.left_behind.is_empty());
    assert_eq!(agent.exited().await, exit);
    assert!(agent.events.recv().await.is_none());
    setting.tasks.close();
    setting.tasks.wait().await;
}

#[tokio::test]
async fn deltas_are_a_draft_of_the_text() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let result = agent
        .turn("fake: slow 6 15 one two three four five six")
        .await;
    let mut draft = String::new();
    let mut blocks = Vec::new();
    for event in &agent.seen {
        match event {
            AgentEvent::TextDelta { block, text } => {
                draft.push_str(text);
                blocks.push(*block);
            }
            AgentEvent::Text { block, text } => {
                assert_eq!(*text, draft);
                blocks.push(*block);
            }
            _ => {}
        }
    }
    assert_eq!(draft, result.text);
    assert!(
        blocks.len() > 4,
        "it was to come in pieces: {:?}",
        agent.seen
    );
    blocks.dedup();
    assert_eq!(blocks.len(), 1);

    agent.turn("fake: think deep thoughts").await;
    assert!(agent.seen.contains(&AgentEvent::Thinking));
    agent.handle.close().await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_leaves_only_the_truth() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let result = agent.turn("fake: drop 1 ;; text recovered").await;
    assert_eq!(result.outcome, TurnOutcome::Success);
    // Whatever was previewed is either replaced or taken away.
    let mut open = std::collections::BTreeMap::new();
    for event in &agent.seen {
        match event {
            AgentEvent::TextDelta { block, text } => {
                open.entry(*block)
                    .or_insert_with(String::new)
                    .push_str(text);
            }
            AgentEvent::DraftDropped { block } | AgentEvent::Text { block, .. } => {
                open.remove(block);
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?} in {:#?}", agent.seen);
    assert_eq!(agent.texts().last(), Some(&result.text));
    agent.handle.close().await;
}

#[tokio::test]
async fn three_turns_in_one_process_then_a_resume() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let mut costs = Vec::new();
    for n in 1..=3 {
        let result = agent.turn(&format!("fake: text answer {n}")).await;
        assert_eq!(result.text, format!("answer {n}"));
        costs.push(result.cost_usd);
    }
    let session = agent.session;
    agent.handle.close().await;

    let mut agent = setting.resume(session);
    let result = agent.turn("fake: text of {n} messages").await;
    assert_eq!(result.session_id, Some(session));
    assert_ne!(result.text, "of 1 messages", "it remembers nothing");
    costs.push(result.cost_usd);
    // Each turn's own cost, no totals: the prompts are alike, so are the costs.
    let (least, most) = (
        costs.iter().copied().fold(f64::MAX, f64::min),
        costs.iter().copied().fold(0.0, f64::max),
    );
    assert!(least > 0.0 && most < least * 1.7, "{costs:?}");
    agent.handle.close().await;
}

#[tokio::test]
async fn the_same_message_is_never_run_twice() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let message = UserMessage::text(Uuid::new_v4(), "fake: text only-once");
    let repeated = AgentEvent::AlreadyRun(message.uuid);
    agent.handle.send(message.clone()).await.unwrap();
    agent.finished().await;
    agent.idle().await;

    agent.handle.send(message.clone()).await.unwrap();
    agent.until("word of the repeat", |e| *e == repeated).await;
    agent.turn("fake: text between").await;
    agent.handle.close().await;

    let mut agent = setting.resume(agent.session);
    agent.handle.send(message.clone()).await.unwrap();
    agent.until("word of the repeat", |e| *e == repeated).await;
    assert_eq!(agent.turn("fake: text alive").await.text, "alive");
    agent.handle.close().await;
    assert_eq!(setting.model.turns_containing("only-once"), 1);
}

#[tokio::test]
async fn commands_pass_through_and_clear_changes_the_conversation() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.turn("fake: text first").await;

    let result = agent.turn("/context").await;
    assert_eq!(result.outcome, TurnOutcome::Success);
    assert!(result.text.contains("Context Usage"), "{}", result.text);
    assert_eq!(result.user_messages.len(), 1);
    assert!(result.cost_usd.abs() < f64::EPSILON);

    agent.turn("/clear").await;
    let new = agent.seen.iter().find_map(|event| match event {
        AgentEvent::SessionId(id) => Some(*id),
        _ => None,
    });
    let new = new.expect("a new id");
    assert_ne!(new, agent.session);
    let result = agent.turn("fake: text of {n}").await;
    assert_eq!(result.session_id, Some(new));
    assert!(result.cost_usd > 0.0);
    agent.handle.close().await;
    assert!(setting.transcript(new).is_some());

    let mut agent = setting.resume(new);
    assert_eq!(agent.turn("fake: text back").await.session_id, Some(new));
    agent.handle.close().await;
}

#[tokio::test]
async fn a_waiting_message_can_be_withdrawn() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.say("fake: hold first begin and end").await;
    agent.delta().await;
    let second = agent.say("fake: text withdrawn-words").await;
    assert_eq!(agent.handle.withdraw(second).await, Ok(true));
    agent
        .until("word of it", |e| *e == AgentEvent::Withdrawn(second))
        .await;
    assert_eq!(agent.handle.withdraw(Uuid::new_v4()).await, Ok(false));
    setting.model.release("first");
    assert_eq!(agent.finished().await.text, "begin and end");
    agent.idle().await;
    agent.turn("fake: text after").await;
    assert_eq!(setting.model.turns_containing("withdrawn-words"), 0);
    agent.handle.close().await;
}

#[tokio::test]
async fn models_pictures_and_megabytes() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.turn("fake: text warm").await;
    agent
        .handle
        .set_model(Some("sonnet".to_owned()))
        .await
        .unwrap();
    let picture = UserMessage {
        images: vec![Image {
            media_type: "image/png".to_owned(),
            base64: PNG.to_owned(),
        }],
        ..UserMessage::text(Uuid::new_v4(), "fake: text {images} picture, {model}")
    };
    agent.handle.send(picture).await.unwrap();
    let result = agent.finished().await;
    assert!(result.text.starts_with("1 picture"), "{}", result.text);
    assert!(result.text.contains("sonnet"), "{}", result.text);
    assert!(result.model.unwrap().contains("sonnet"));
    agent.idle().await;

    let result = agent.turn("fake: long 3000000").await;
    assert!(result.text.len() >= 3_000_000, "{}", result.text.len());
    assert_eq!(agent.texts(), [result.text]);
    agent.handle.close().await;
}
