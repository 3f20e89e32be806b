//! Whatever comes in, something sensible comes out; and recorded lines of two versions.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// JSON of any shape, with the protocol's own words for keys and values now and then.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "type",
        "subtype",
        "system",
        "init",
        "result",
        "assistant",
        "user",
        "message",
        "content",
        "stream_event",
        "event",
        "content_block_delta",
        "delta",
        "text",
        "text_delta",
        "index",
        "control_request",
        "control_response",
        "control_cancel_request",
        "request_id",
        "request",
        "response",
        "can_use_tool",
        "tool_name",
        "input",
        "permission_suggestions",
        "usage",
        "tool_result",
        "isReplay",
        "uuid",
        "session_id",
        "modelUsage",
        "contextWindow",
        "errors",
        "command_lifecycle",
        "state",
        "queued",
        "rate_limit_event",
        "rate_limit_info",
        "resetsAt",
        "session_state_changed",
        "running",
        "api_retry",
        "retry_delay_ms",
        "user_message_uuids",
        "00000000-0000-4000-8000-000000000001",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(fields.collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn bytes_never_break_it(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn shapes_never_break_it(mut value in any_json(), kind in prop::sample::select(vec![
        "system", "assistant", "user", "stream_event", "result", "command_lifecycle",
        "rate_limit_event", "control_request", "control_response", "control_cancel_request", "new",
    ])) {
        if let Some(map) = value.as_object_mut() {
            map.insert("type".to_owned(), kind.into());
        }
        let _ = parse(value.to_string().as_bytes());
        let _ = menus(&value);
    }

    /// A truncated line is no line, and never another one.
    #[test]
    fn cut_lines_say_nothing(cut in 0..FIXTURE_RESULT.len()) {
        prop_assume!(FIXTURE_RESULT.is_char_boundary(cut));
        let line = parse(&FIXTURE_RESULT.as_bytes()[..cut]).line;
        prop_assert!(matches!(line, Line::Unknown(_)));
    }
}

/// As version 2.1.330 writes it, its keys in an order of their own.
const FIXTURE_RESULT: &str = r#"{"duration_api_ms":12,"stop_reason":"end_turn","session_id":"00000000-0000-4000-8000-000000000003","total_cost_usd":0.022,"modelUsage":{"claude-opus-5-5":{"inputTokens":5671,"costUSD":0.022,"contextWindow":1000000}},"permission_denials":[{"tool_name":"Bash","tool_use_id":"t","tool_input":{}}],"terminal_reason":"completed","is_error":false,"num_turns":1,"subtype":"success","api_error_status":null,"result":"alive","type":"result","duration_ms":88,"user_message_uuids":["00000000-0000-4000-8000-000000000020"],"model_usage_since_last_result":{"claude-opus-5-5":{"costUSD":0.011,"contextWindow":1000000}},"uuid":"00000000-0000-4000-8000-000000000032"}"#;

fn line(value: &Value) -> Line {
    parse(value.to_string().as_bytes()).line
}

#[test]
fn a_result_in_any_order_of_keys() {
    let incoming = parse(FIXTURE_RESULT.as_bytes());
    let session = Uuid::parse_str("00000000-0000-4000-8000-000000000003").unwrap();
    assert_eq!(incoming.session_id, Some(session));
    let Line::Result(end) = incoming.line else {
        panic!("{incoming:?}");
    };
    assert_eq!(end.text.as_deref(), Some("alive"));
    assert_eq!(end.own_cost, Some(0.011));
    assert_eq!(end.denied_tools, ["Bash"]);
    assert_eq!(end.user_messages.map(|list| list.len()), Some(1));
    assert_eq!(
        end.context_window,
        [("claude-opus-5-5".to_owned(), 1_000_000)]
    );
    assert_eq!(
        (end.status, end.is_error, end.duration_ms),
        (None, false, 88)
    );
}

#[test]
fn delays_with_a_fraction() {
    let retry = json!({"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 10,
        "retry_delay_ms": 604.586, "error_status": 529, "error": "overloaded"});
    let expected = Line::Retry {
        attempt: 1,
        max: 10,
        delay_ms: 604,
        status: Some(529),
        error: "overloaded".to_owned(),
    };
    assert_eq!(line(&retry), expected);
}

#[test]
fn unknown_things_are_named_and_nothing_more() {
    for (value, expected) in [
        (json!({"type": "tool_progress", "x": 1}), "tool_progress"),
        (
            json!({"type": "system", "subtype": "brand_new"}),
            "system brand_new",
        ),
        (
            json!({"type": "system", "subtype": "session_state_changed", "state": "dreaming"}),
            "system session_state_changed",
        ),
        (json!([1, 2]), ""),
        (json!({"type": 7}), ""),
        (
            json!({"type": "conversation_reset", "new_conversation_id": Uuid::nil()}),
            "conversation_reset",
        ),
        (
            json!({"type": "user", "message": {"role": "user", "content": "words"}}),
            "user",
        ),
    ] {
        assert_eq!(line(&value), Line::Unknown(expected.to_owned()));
    }
    assert_eq!(
        parse(b"plain words").line,
        Line::Unknown("not JSON".to_owned())
    );
    let deep = "[".repeat(100_000);
    assert_eq!(
        parse(deep.as_bytes()).line,
        Line::Unknown("not JSON".to_owned())
    );
}

#[test]
fn results_of_tools_come_as_text_or_blocks() {
    let results = json!({"type": "user", "message": {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "a", "content": "plain", "is_error": true},
        {"type": "tool_result", "tool_use_id": "b",
         "content": [{"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two"}]},
    ]}});
    let Line::ToolResults(results) = line(&results) else {
        panic!("{results}");
    };
    let seen: Vec<_> = results
        .iter()
        .map(|result| (result.id.as_str(), result.is_error, result.text.as_str()))
        .collect();
    assert_eq!(seen, [("a", true, "plain"), ("b", false, "one\ntwo")]);
}

#[test]
fn requests_with_an_id_are_never_lost() {
    for subtype in ["hook_callback", "mcp_message", "elicitation", "brand_new"] {
        let request =
            json!({"type": "control_request", "request_id": "r", "request": {"subtype": subtype}});
        let expected = Line::Request {
            id: "r".to_owned(),
            request: HostRequest::Unsupported(subtype.to_owned()),
        };
        assert_eq!(line(&request), expected);
    }
    let broken = json!({"type": "control_request", "request_id": "r"});
    assert!(matches!(line(&broken), Line::Request { .. }));
}
