//! What goes out, and how pauses are read. Answers are tried against a server in `tests/it`.

use reqwest::header::HeaderMap;

use super::headers::retry_after;
use super::*;

fn llm(extra: &Value) -> Llm {
    let options = LlmSettings {
        base_url: "https://open.bigmodel.cn/api/paas/v4".into(),
        api_key: "k".into(),
        model: "glm-4.7".into(),
        extra: extra.as_object().unwrap().clone(),
    };
    Llm::new(options, Limits::default()).unwrap()
}

#[test]
fn the_request_has_what_is_configured_and_ours_counts() {
    let llm = llm(&json!({"temperature": 0.3, "stream": 7, "thinking": {"type": "enabled"}}));
    let mut ask = Ask {
        messages: vec![Message::User { text: "hi".into() }],
        tools: vec![Tool {
            name: "route",
            description: "d".into(),
            parameters: json!({"type": "object"}),
        }],
        choice: Choice::Named("route".into()),
        quick: true,
    };
    let (body, special) = llm.body(&ask, true);
    assert_eq!(body["temperature"], 0.3);
    assert_eq!(body["stream"], true);
    assert_eq!(body["thinking"]["type"], "disabled");
    assert_eq!(body["tool_choice"]["function"]["name"], "route");
    assert_eq!(special, ["thinking", "tool_choice"]);
    llm.refused().insert("tool_choice".into());
    ask.quick = false;
    let (body, special) = llm.body(&ask, false);
    assert_eq!(body["thinking"]["type"], "enabled");
    assert_eq!(body["tool_choice"], Value::Null);
    assert!(special.is_empty());
}

#[test]
fn pauses_are_read_in_every_form() {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let of = |name: &'static str, value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        retry_after(&headers, now)
    };
    assert_eq!(of("retry-after", "2"), Some(Duration::from_secs(2)));
    assert_eq!(of("retry-after-ms", "30"), Some(Duration::from_millis(30)));
    assert_eq!(
        of("retry-after", "Thu, 01 Jan 2026 00:00:07 GMT"),
        Some(Duration::from_secs(7))
    );
    assert_eq!(
        of("retry-after", "Thu, 01 Jan 2015 00:00:07 GMT"),
        Some(Duration::ZERO)
    );
    assert_eq!(of("retry-after", "-1"), None);
    assert_eq!(of("retry-after", "soon"), None);
}

#[test]
fn a_key_with_a_line_break_is_told() {
    let options = LlmSettings {
        base_url: "http://127.0.0.1:1/v1".into(),
        api_key: "a\nb".into(),
        model: "m".into(),
        extra: Map::new(),
    };
    assert!(matches!(
        Llm::new(options, Limits::default()),
        Err(SetupFault::Key)
    ));
}
