//! Lines in, events out; recorded lines, shortened, of both versions that the driver knows.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agent::claude::drafts::MAX_DRAFTS;
use crate::agent::claude::incoming::parse;
use crate::agent::{AgentFault, TurnOutcome};

const SESSION: &str = "00000000-0000-4000-8000-00000000000a";

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn conversation() -> Conversation {
    let session = Uuid::parse_str(SESSION).unwrap();
    Conversation::new(session, PathBuf::from("/home/user/project"))
}

fn feed(conversation: &mut Conversation, lines: &str) -> Vec<Effect> {
    lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| conversation.on_line(parse(line.as_bytes())))
        .collect()
}

fn events(effects: &[Effect]) -> Vec<&AgentEvent> {
    let event = |effect: &'_ Effect| matches!(effect, Effect::Event(_));
    effects
        .iter()
        .filter(|effect| event(effect))
        .filter_map(|effect| match effect {
            Effect::Event(event) => Some(event),
            Effect::Write(_) | Effect::Answered { .. } => None,
        })
        .collect()
}

fn finished(effects: &[Effect]) -> &crate::agent::TurnResult {
    let result = events(effects).into_iter().find_map(|event| match event {
        AgentEvent::Finished(result) => Some(result),
        _ => None,
    });
    result.expect("a result")
}

/// A short name for each event, for comparing whole sequences.
fn names(effects: &[Effect]) -> Vec<String> {
    events(effects)
        .iter()
        .map(|event| match event {
            AgentEvent::State(state) => format!("{state:?}"),
            AgentEvent::TextDelta { block, text } => format!("delta {block} {text}"),
            AgentEvent::Text { block, text } => format!("text {block} {text}"),
            AgentEvent::DraftDropped { block } => format!("dropped {block}"),
            AgentEvent::Finished(result) => format!("finished {}", result.text),
            other => {
                let name = format!("{other:?}");
                name.split([' ', '(']).next().unwrap_or_default().to_owned()
            }
        })
        .collect()
}

const TURN_330: &str = include_str!("../../../../tests/fixtures/turn-2.1.330.jsonl");
const TURN_197: &str = include_str!("../../../../tests/fixtures/turn-2.1.197.jsonl");

#[test]
fn a_turn_of_the_newer_version() {
    let mut conversation = conversation();
    conversation.sent(uuid(1));
    let effects = feed(&mut conversation, TURN_330);
    let expected = [
        "Running",
        "Consumed",
        "Init",
        "ToolStarted",
        "RequiresAction",
        "Permission",
        "Running",
        "ToolFinished",
        "delta 1 did ",
        "delta 1 it",
        "text 1 did it",
        "finished did it",
        "Idle",
    ];
    assert_eq!(names(&effects), expected);
    assert_eq!(finished(&effects).user_messages, [uuid(1)]);
    assert_eq!(finished(&effects).context_used, Some(2906));
    assert!(!conversation.is_busy());
}

#[test]
fn a_turn_of_the_older_version() {
    let mut conversation = conversation();
    conversation.sent(uuid(1));
    assert!(conversation.is_busy());
    let effects = feed(&mut conversation, TURN_197);
    let expected = [
        "Running",
        "Init",
        "delta 1 hello",
        "Consumed",
        "text 1 hello",
        "finished hello",
        "Idle",
    ];
    assert_eq!(names(&effects), expected);
    assert_eq!(finished(&effects).user_messages, [uuid(1)]);
    assert!(!conversation.is_busy());

    // Its totals run on: the second turn cost the difference.
    let second = TURN_197.replace("0.009115", "0.0192");
    conversation.sent(uuid(1));
    let effects = feed(&mut conversation, &second);
    assert!((finished(&effects).cost_usd - 0.010_085).abs() < 1e-9);
}

#[test]
fn a_command_that_the_older_version_does_not_echo() {
    let mut conversation = conversation();
    feed(&mut conversation, TURN_197);
    conversation.sent(uuid(7));
    let effects = feed(
        &mut conversation,
        r#"{"type":"system","subtype":"session_state_changed","state":"running"}
{"type":"assistant","message":{"model":"<synthetic>","content":[{"type":"text","text":"(no content)"}]}}
{"type":"result","subtype":"success","is_error":false,"result":"","num_turns":0,"total_cost_usd":0.009115}
{"type":"system","subtype":"session_state_changed","state":"idle"}"#,
    );
    assert_eq!(
        names(&effects),
        ["Running", "Consumed", "finished ", "Idle"]
    );
    assert_eq!(finished(&effects).user_messages, [uuid(7)]);
    assert!(!conversation.is_busy());
}

#[test]
fn a_repeated_message_is_told_from_a_new_one() {
    let echo =
        json!({"type": "user", "isReplay": true, "uuid": uuid(1), "message": {}}).to_string();
    let idle = r#"{"type":"system","subtype":"session_state_changed","state":"idle"}"#;

    // Nothing ran: it has run before.
    let mut older = conversation();
    older.sent(uuid(1));
    let effects = feed(&mut older, &format!("{echo}\n{idle}"));
    assert_eq!(names(&effects), ["AlreadyRun"]);
    assert!(!older.is_busy());

    // Another turn runs, but nothing was said of this message.
    let mut newer = conversation();
    newer.greeted(&json!({"capabilities": []}));
    feed(&mut newer, &idle.replace("idle", "running"));
    newer.sent(uuid(1));
    assert_eq!(names(&feed(&mut newer, &echo)), ["AlreadyRun"]);

    // Word of its end without word of its beginning.
    newer.sent(uuid(2));
    let end = json!({"type": "command_lifecycle", "command_uuid": uuid(2), "state": "completed"});
    assert_eq!(names(&feed(&mut newer, &end.to_string())), ["AlreadyRun"]);

    // Echoes of what we did not send are nobody's.
    assert!(feed(&mut newer, &echo).is_empty());
}

#[test]
fn a_broken_stream_gives_way_to_what_came_instead() {
    let mut conversation = conversation();
    let effects = feed(
        &mut conversation,
        r#"{"type":"stream_event","parent_tool_use_id":null,"event":{"type":"message_start","message":{"id":"m1"}}}
{"type":"stream_event","parent_tool_use_id":null,"event":{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}}
{"type":"stream_event","parent_tool_use_id":null,"event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"half of"}}}
{"type":"assistant","parent_tool_use_id":null,"message":{"id":"m2","model":"m","content":[{"type":"text","text":"another text"}]}}
{"type":"result","subtype":"success","is_error":false,"result":"another text"}"#,
    );
    let expected = [
        "delta 1 half of",
        "text 2 another text",
        "dropped 1",
        "finished another text",
    ];
    assert_eq!(names(&effects), expected);

    // A new message begins before the old one was finished.
    let effects = feed(
        &mut conversation,
        r#"{"type":"stream_event","event":{"type":"message_start","message":{"id":"m3"}}}
{"type":"stream_event","event":{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"x"}}}
{"type":"stream_event","event":{"type":"message_start","message":{"id":"m4"}}}"#,
    );
    assert_eq!(names(&effects), ["delta 3 x", "dropped 3"]);
}

#[test]
fn several_texts_of_one_message_keep_their_places() {
    let mut conversation = conversation();
    let delta = |index: u64, text: &str| {
        json!({"type": "stream_event", "event": {"type": "content_block_delta", "index": index,
            "delta": {"type": "text_delta", "text": text}}})
        .to_string()
    };
    let done = |text: &str| {
        json!({"type": "assistant", "message": {"id": "m", "model": "x",
            "content": [{"type": "text", "text": text}]}})
        .to_string()
    };
    let start = json!({"type": "stream_event", "event": {"type": "message_start",
        "message": {"id": "m"}}})
    .to_string();
    let lines = [start, delta(0, "a"), done("A"), delta(2, "b"), done("B")].join("\n");
    let effects = feed(&mut conversation, &lines);
    assert_eq!(
        names(&effects),
        ["delta 1 a", "text 1 A", "delta 2 b", "text 2 B"]
    );
}

#[test]
fn subagents_are_heard_only_through_their_tools() {
    let mut conversation = conversation();
    let effects = feed(
        &mut conversation,
        r#"{"type":"stream_event","parent_tool_use_id":"t1","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"inner"}}}
{"type":"assistant","parent_tool_use_id":"t1","message":{"id":"m","model":"x","content":[{"type":"text","text":"inner"},{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"ls"}}]}}"#,
    );
    let started = AgentEvent::ToolStarted {
        id: "t2".to_owned(),
        name: "Bash".to_owned(),
        summary: "ls".to_owned(),
        input: json!({"command": "ls"}),
        parent: Some("t1".to_owned()),
    };
    assert_eq!(events(&effects), [&started]);
}

#[test]
fn every_request_is_answered() {
    let mut conversation = conversation();
    let ask = |id: &str, subtype: &str| {
        json!({"type": "control_request", "request_id": id, "request":
            {"subtype": subtype, "tool_name": "Bash", "input": {}}})
        .to_string()
    };
    let effects = feed(&mut conversation, &ask("1", "mcp_message"));
    let [Effect::Write(line)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    insta::assert_snapshot!(line.trim(), @r#"{"response":{"error":"mcp_message is not supported by this host","request_id":"1","subtype":"error"},"type":"control_response"}"#);

    feed(&mut conversation, &ask("2", "can_use_tool"));
    let once = conversation.answer("2", &PermissionAnswer::ONCE).unwrap();
    assert!(once.contains(r#""behavior":"allow""#));
    let again = conversation.answer("2", &PermissionAnswer::ONCE);
    assert_eq!(again, Err(HandleError::NotOpen));

    // Withdrawn by the agent.
    feed(&mut conversation, &ask("3", "can_use_tool"));
    let cancel = r#"{"type":"control_cancel_request","request_id":"3"}"#;
    assert_eq!(
        names(&feed(&mut conversation, cancel)),
        ["PermissionWithdrawn"]
    );
    assert!(feed(&mut conversation, cancel).is_empty());

    // Open at the end, and asked after it.
    feed(&mut conversation, &ask("4", "can_use_tool"));
    let effects = conversation.close();
    assert!(
        matches!(effects.as_slice(), [Effect::Write(line), Effect::Event(_)]
        if line.contains(r#""behavior":"deny""#))
    );
    let effects = feed(&mut conversation, &ask("5", "can_use_tool"));
    assert!(matches!(effects.as_slice(), [Effect::Write(line)]
        if line.contains(r#""request_id":"5""#) && line.contains("deny")));
}

#[test]
fn questions_have_a_limit() {
    let mut conversation = conversation();
    for n in 0..=MAX_OPEN {
        let ask = json!({"type": "control_request", "request_id": n.to_string(),
            "request": {"subtype": "can_use_tool", "tool_name": "Bash", "input": {}}});
        let effects = feed(&mut conversation, &ask.to_string());
        let refused = matches!(effects.as_slice(), [Effect::Write(_)]);
        assert_eq!(refused, n == MAX_OPEN, "{n}: {effects:?}");
    }
}

#[test]
fn outcomes() {
    let table = [
        (
            json!({"subtype": "success", "is_error": false, "result": "x"}),
            TurnOutcome::Success,
        ),
        (
            json!({"subtype": "success", "is_error": false, "result": "x",
                "terminal_reason": "aborted_streaming"}),
            TurnOutcome::Success,
        ),
        (
            json!({"subtype": "error_during_execution", "is_error": true,
                "terminal_reason": "aborted_tools", "errors": ["[ede_diagnostic] x"]}),
            TurnOutcome::Interrupted,
        ),
        (
            json!({"subtype": "success", "is_error": true, "api_error_status": 529,
                "result": "API Error: 529 Overloaded"}),
            TurnOutcome::ApiError(AgentFault::Overloaded),
        ),
        (
            json!({"subtype": "error_max_turns", "is_error": true}),
            TurnOutcome::MaxTurns,
        ),
        (
            json!({"subtype": "error_max_budget_usd", "is_error": true}),
            TurnOutcome::MaxBudget,
        ),
        (
            json!({"subtype": "error_during_execution", "is_error": true,
                "errors": ["[ede_diagnostic] x", "disk full"]}),
            TurnOutcome::Failed(AgentFault::Other {
                message: "disk full".to_owned(),
            }),
        ),
        (
            json!({"subtype": "error_during_execution", "is_error": true,
                "errors": ["No conversation found with session ID: 1"]}),
            TurnOutcome::Failed(AgentFault::NoSuchSession),
        ),
    ];
    for (mut line, expected) in table {
        line["type"] = "result".into();
        let mut conversation = conversation();
        let effects = feed(&mut conversation, &line.to_string());
        assert_eq!(finished(&effects).outcome, expected, "{line}");
    }
}

#[test]
fn a_failed_turn_keeps_the_conversations_id() {
    let mut conversation = conversation();
    let failed = json!({"type": "result", "subtype": "error_during_execution", "is_error": true,
        "session_id": uuid(99), "errors": ["No conversation found"]});
    let effects = feed(&mut conversation, &failed.to_string());
    assert_eq!(finished(&effects).session_id, Uuid::parse_str(SESSION).ok());
    let good = json!({"type": "result", "subtype": "success", "is_error": false,
        "session_id": uuid(99), "result": ""});
    let effects = feed(&mut conversation, &good.to_string());
    assert!(events(&effects).contains(&&AgentEvent::SessionId(uuid(99))));
}

proptest! {
    /// In any order, twice, or with some missing: recorded lines never upset it.
    #[test]
    fn shuffled_turns_do_no_harm(picks in prop::collection::vec(0_usize..200, 0..120)) {
        let lines: Vec<&str> = TURN_330.lines().chain(TURN_197.lines()).collect();
        let mut conversation = conversation();
        conversation.sent(uuid(1));
        for pick in picks {
            let line = lines[pick % lines.len()];
            conversation.on_line(parse(line.as_bytes()));
        }
        conversation.close();
        prop_assert!(conversation.open.is_empty());
        prop_assert!(conversation.drafts.len() <= MAX_DRAFTS);
    }
}
