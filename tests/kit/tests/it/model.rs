//! The model stand-in over plain HTTP.

use std::time::Duration;

use futures_util::StreamExt as _;
use kit::model::{Kind, Model};
use serde_json::{Value, json};

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn body(messages: &[Value], stream: bool) -> Value {
    json!({"model": "m", "max_tokens": 10, "stream": stream, "tools": [{"name": "Bash"}],
        "messages": messages})
}

async fn post(model: &Model, body: &Value) -> reqwest::Response {
    let url = format!("{}/v1/messages", model.url());
    kit::http::client()
        .post(url)
        .json(body)
        .send()
        .await
        .unwrap()
}

async fn ask(model: &Model, messages: &[Value]) -> Value {
    post(model, &body(messages, false))
        .await
        .json()
        .await
        .unwrap()
}

fn text(answer: &Value) -> &str {
    answer["content"][0]["text"].as_str().unwrap()
}

/// The events of a streamed answer, and whether it ended as HTTP says it should.
async fn events(model: &Model, prompt: &str) -> (Vec<Value>, bool) {
    let response = post(model, &body(&[user(prompt)], true)).await;
    let mut chunks = response.bytes_stream();
    let mut seen = Vec::new();
    let mut whole = true;
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(bytes) => seen.extend_from_slice(&bytes),
            Err(_) => whole = false,
        }
    }
    let seen = String::from_utf8(seen).unwrap();
    let lines = seen.lines().filter_map(|line| line.strip_prefix("data: "));
    (
        lines
            .map(|data| serde_json::from_str(data).unwrap())
            .collect(),
        whole,
    )
}

fn streamed(events: &[Value]) -> String {
    events
        .iter()
        .filter_map(|event| event["delta"]["text"].as_str())
        .collect()
}

#[tokio::test]
async fn echoes_and_follows_directives() {
    let model = Model::start().await;
    assert_eq!(text(&ask(&model, &[user("hello")]).await), "echo: hello");
    assert_eq!(text(&ask(&model, &[user("x fake: text one")]).await), "one");
    assert_eq!(
        text(&ask(&model, &[user(r#"<fake>[{"text":"n={n}"}]</fake>"#)]).await),
        "n=1"
    );
}

#[tokio::test]
async fn plays_a_tool_loop() {
    let model = Model::start().await;
    let prompt = user(r#"fake: tool Bash {"command":"ls ;x"} ;; text got {tool_result}"#);
    let call = ask(&model, std::slice::from_ref(&prompt)).await;
    assert_eq!(call["stop_reason"], "tool_use");
    assert_eq!(call["content"][0]["input"], json!({"command": "ls ;x"}));
    let mut talk = vec![
        prompt,
        json!({"role": "assistant", "content": call["content"]}),
        json!({"role": "user", "content": [{"type": "tool_result", "content": "A"}]}),
    ];
    assert_eq!(text(&ask(&model, &talk).await), "got A");
    talk.extend([
        json!({"role": "assistant", "content": "got A"}),
        user("next"),
    ]);
    assert_eq!(text(&ask(&model, &talk).await), "ok");
    // The tool round is no turn of its own.
    assert_eq!(model.turns_containing("ls ;x"), 1);
    assert_eq!(model.turns_containing("next"), 1);
}

#[tokio::test]
async fn streams_in_pieces() {
    let model = Model::start().await;
    let (events, whole) = events(&model, "fake: slow 3 1 abcdef").await;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let expected = "message_start ping content_block_start content_block_delta content_block_delta \
        content_block_delta content_block_stop message_delta message_stop";
    assert_eq!(kinds.join(" "), expected);
    assert_eq!(streamed(&events), "abcdef");
    assert!(whole);
}

#[tokio::test]
async fn streams_long_texts_thoughts_and_tools() {
    let model = Model::start().await;
    assert_eq!(
        streamed(&events(&model, "fake: long 50000").await.0).len(),
        50_000
    );
    let (thought, _) = events(&model, "fake: think deeply").await;
    assert_eq!(
        thought[3]["delta"],
        json!({"type": "thinking_delta", "thinking": "deeply"})
    );
    let (tool, _) = events(&model, r#"fake: tool Bash {"command":"ls"}"#).await;
    let input: String = tool
        .iter()
        .filter_map(|e| e["delta"]["partial_json"].as_str())
        .collect();
    assert_eq!(input, r#"{"command":"ls"}"#);
    assert_eq!(tool[tool.len() - 2]["delta"]["stop_reason"], "tool_use");
}

#[tokio::test]
async fn refuses_so_often_then_answers() {
    let model = Model::start().await;
    let prompt = body(&[user("fake: error 529 2 ;; text fine")], false);
    for _ in 0..2 {
        let refused = post(&model, &prompt).await;
        assert_eq!(refused.status(), 529);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["error"]["type"], "overloaded_error");
    }
    assert_eq!(
        text(&post(&model, &prompt).await.json().await.unwrap()),
        "fine"
    );
}

#[tokio::test]
async fn refusals_carry_headers_and_usage_can_be_scripted() {
    let model = Model::start().await;
    let limit = r#"<fake>[{"error":429,"retry_after":3,"headers":{"x-limit":"0"}}]</fake>"#;
    let refused = post(&model, &body(&[user(limit)], false)).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "3");
    assert_eq!(refused.headers()["x-limit"], "0");
    let usage = user(r#"<fake>[{"text":"x","usage":{"input_tokens":123456}}]</fake>"#);
    assert_eq!(
        ask(&model, &[usage]).await["usage"]["input_tokens"],
        123_456
    );
}

#[tokio::test]
async fn breaks_streams_in_the_middle() {
    let model = Model::start().await;
    let (with_error, whole) = events(&model, "fake: sse_error").await;
    assert_eq!(with_error.last().unwrap()["type"], "error");
    assert!(whole);
    let (dropped, whole) = events(&model, "fake: drop").await;
    assert_eq!(streamed(&dropped), "this stream breaks off in the middle");
    assert!(!whole);
    let alone = ask(&model, &[user("fake: drop")]).await;
    assert_eq!(text(&alone), "answered without streaming");
}

#[tokio::test]
async fn holds_until_released() {
    let model = Model::start().await;
    let held = post(&model, &body(&[user("fake: hold h some words")], true)).await;
    model.waiting("h").await;
    let mut chunks = held.bytes_stream();
    let mut before = String::new();
    while !before.contains("some ") {
        before += std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap();
    }
    assert!(!before.contains("words"), "{before}");
    model.release("h");
    let rest: Vec<_> = chunks.map(|chunk| chunk.unwrap()).collect().await;
    let rest = String::from_utf8(rest.concat()).unwrap();
    assert!(
        rest.contains("words") && rest.contains("message_stop"),
        "{rest}"
    );
    // Released before it is reached, a hold does not hold.
    assert_eq!(
        text(&ask(&model, &[user("fake: hold h again")]).await),
        "again"
    );
}

#[tokio::test]
async fn stalls_and_notices_a_client_that_leaves() {
    let model = Model::start().await;
    let (stalled, whole) = events(&model, "fake: stall 0.05 some words").await;
    assert_eq!((streamed(&stalled).as_str(), whole), ("some words", true));
    let left = post(&model, &body(&[user("fake: hold never")], true)).await;
    model.waiting("never").await;
    drop(left);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while model.requests()[1].note != Some("the client closed the connection") {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{:?}",
            model.requests()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn queue_goes_before_rules_before_echo() {
    let model = Model::start().await;
    model.queue("text first ;; text second");
    model.rule(|words| words.contains("weather"), "text sunny");
    assert_eq!(text(&ask(&model, &[user("anything")]).await), "first");
    assert_eq!(text(&ask(&model, &[user("the weather?")]).await), "sunny");
    assert_eq!(text(&ask(&model, &[user("else")]).await), "echo: else");
    let kinds: Vec<Kind> = model
        .requests()
        .iter()
        .map(|request| request.kind)
        .collect();
    assert_eq!(kinds, [Kind::Queue, Kind::Rule, Kind::Echo]);
}

#[tokio::test]
async fn serves_the_chores_of_the_cli() {
    let model = Model::start().await;
    let mut title = body(&[user("<session>\nfix it\n</session>")], false);
    title["output_config"] = json!({"format": {"type": "json_schema", "schema": {
        "type": "object", "properties": {"title": {"type": "string"}}}}});
    let answer: Value = post(&model, &title).await.json().await.unwrap();
    assert_eq!(text(&answer), r#"{"title":"Fake session title"}"#);
    assert_eq!(model.turns_containing("fix it"), 0);
    let http = kit::http::client();
    let count = http.post(format!("{}/v1/messages/count_tokens", model.url()));
    let count: Value = count
        .json(&title)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(count["input_tokens"].as_u64().unwrap() > 0);
    let models: Value = http
        .get(format!("{}/v1/models", model.url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(models["data"][0]["type"], "model");
    assert_eq!(
        http.get(format!("{}/x", model.url()))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn a_slim_record_has_no_bodies_and_a_bound_of_its_own() {
    let model = Model::start().await;
    model.slim(2);
    for expected in [200, 200, 500] {
        let answer = post(&model, &body(&[user("hello")], false)).await;
        assert_eq!(answer.status(), expected);
    }
    let requests = model.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.body.is_null()));
    assert_eq!(model.turns_containing("hello"), 2);
}

#[tokio::test]
async fn stops_when_dropped() {
    let model = Model::start().await;
    let url = model.url().to_owned();
    let held = post(&model, &body(&[user("fake: hold never")], true)).await;
    drop(model);
    assert!(
        held.bytes().await.is_err(),
        "what was being said breaks off"
    );
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while kit::http::client().get(&url).send().await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "still answers");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
