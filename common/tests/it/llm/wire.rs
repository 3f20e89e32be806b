//! What comes over the wire, byte for byte: every odd way to answer, to refuse and to break is either an
//! answer or a fault with its right name.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::config::LlmSettings;
use common::llm::{Finish, Limits, Llm, LlmFault, Stage};
use kit::llm::Raw;
use serde_json::{Map, Value, json};

use super::{asks, client, limits, streamed};

/// One try: what is wrong is seen as it is.
fn once() -> Limits {
    Limits {
        tries: 1,
        ..limits()
    }
}

async fn answered(raw: Raw) -> Result<(String, Finish), LlmFault> {
    let server = kit::llm::Llm::start().await;
    server.queue_raw(raw);
    let llm = client(&server, "m", once());
    let (heard, answer) = streamed(&llm, &asks("hi")).await;
    let answer = answer?;
    assert_eq!(heard, answer.said.text, "what is heard is what is said");
    Ok((answer.said.text, answer.finish))
}

fn chunk(delta: &Value, finish: &Value) -> String {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).to_string()
}

fn text(text: &str) -> String {
    chunk(&json!({"content": text}), &Value::Null)
}

fn end(word: &str) -> String {
    chunk(&json!({}), &json!(word))
}

/// A stream of these events.
fn events(all: &[String]) -> String {
    let all = all.iter().map(|event| format!("data: {event}\n\n"));
    all.collect()
}

fn whole(message: &Value, finish: &str) -> String {
    json!({"choices": [{"index": 0, "message": message, "finish_reason": finish}]}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_an_answer_is_read() {
    let (a, b, stop) = (text("天"), text("空"), end("stop"));
    let plain = format!("data: {a}\n\ndata: {b}\n\ndata: {stop}\n\ndata: [DONE]\n\n");
    // Cut in the middle of characters as well.
    let dripped = Raw {
        pieces: plain.bytes().map(|byte| vec![byte]).collect(),
        pause: Duration::from_millis(1),
        ..Raw::default()
    };
    let json = whole(&json!({"role": "assistant", "content": "天空"}), "stop");
    let table = [
        ("plain", Raw::body(plain.clone())),
        ("a byte at a time", dripped),
        ("CRLF", Raw::body(plain.replace('\n', "\r\n"))),
        ("no blank behind the colon", Raw::body(plain.replace("data: ", "data:"))),
        (
            "comments and other fields",
            Raw::body(format!(
                ": hello\n\nretry: 10\nevent: message\nid: 1\ndata: {a}\n\n: ping\n\nevent: ping\ndata: ping\n\ndata: \n\ndata: {{}}\n\ndata: {b}\n\ndata: {stop}\n\ndata: [DONE]\n\n"
            )),
        ),
        ("no [DONE]", Raw::body(events(&[a.clone(), b.clone(), stop.clone()]))),
        ("only [DONE]", Raw::body(events(&[a.clone(), b.clone(), "[DONE]".into()]))),
        ("no last blank line", Raw::body(plain.trim_end())),
        (
            "chunks without choices",
            Raw::body(events(&[
                json!({"choices": [], "prompt_filter_results": []}).to_string(),
                a.clone(),
                json!({"choices": [{"index": 0, "delta": {"content": "空"}}], "usage": {}, "error": null}).to_string(),
                stop,
                json!({"choices": [], "usage": {"prompt_tokens": 1}}).to_string(),
            ])),
        ),
        ("what comes behind the end", Raw::body(format!("{plain}data: {{\"broken"))),
        ("JSON", Raw::body(json.clone())),
        (
            "JSON that says it is a stream",
            Raw::body(json.clone()).with("content-type", "text/event-stream"),
        ),
        ("JSON behind a mark and blanks", Raw::body(format!("\u{feff}\n \n{json}\n"))),
        (
            "JSON with a refusal",
            Raw::body(whole(&json!({"content": null, "refusal": "天空"}), "stop")),
        ),
    ];
    for (name, raw) in table {
        let answer = answered(raw).await;
        let said = answer.map(|(said, _)| said);
        assert_eq!(said.as_deref(), Ok("天空"), "{name}");
    }
    for (word, finish) in [
        ("length", Finish::Length),
        ("content_filter", Finish::Filter),
        ("sensitive", Finish::Filter),
        ("model_context_window_exceeded", Finish::Length),
        ("brand_new", Finish::Other("brand_new".into())),
    ] {
        let answer = answered(Raw::body(events(&[text("half"), end(word)]))).await;
        assert_eq!(answer, Ok(("half".into(), finish)), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_break_has_its_name() {
    let half = text("half");
    let page = "<!DOCTYPE html><html><body>Welcome</body></html>";
    let nonsense = |why| LlmFault::Nonsense { why };
    let stream_error = |error: Value| {
        let error = json!({ "error": error }).to_string();
        Raw::body(events(&[half.clone(), error]))
    };
    let table = [
        ("nothing", Raw::body(""), LlmFault::Cut),
        ("blanks", Raw::body("\n\n \n"), LlmFault::Cut),
        (
            "no end",
            Raw::body(events(std::slice::from_ref(&half))),
            LlmFault::Cut,
        ),
        (
            "half an event",
            Raw::body(format!("data: {half}\n\ndata: {{\"choices\":[{{\"del")),
            LlmFault::Cut,
        ),
        (
            "a broken line",
            Raw {
                breaks: true,
                ..Raw::body(events(std::slice::from_ref(&half)))
            },
            LlmFault::Cut,
        ),
        (
            "half of JSON",
            Raw::body("{\"choices\": [{\"mess"),
            LlmFault::Cut,
        ),
        ("no choices", Raw::body("{}"), nonsense("it has no choices")),
        (
            "an empty list",
            Raw::body("[]"),
            nonsense("it has no choices"),
        ),
        (
            "an empty answer",
            Raw::body(events(&[end("stop")])),
            nonsense("it is empty"),
        ),
        (
            "cut before the first word",
            Raw::body(events(&[end("length")])),
            nonsense("it is cut before it says anything"),
        ),
        (
            "no room for the first word",
            Raw::body(events(&[end("model_context_window_exceeded")])),
            LlmFault::TooLong,
        ),
        (
            "withheld",
            Raw::body(events(&[end("sensitive")])),
            LlmFault::Filtered,
        ),
        ("a page", Raw::body(page), LlmFault::NoApi { status: 200 }),
        (
            "a page that is not there",
            Raw::status(404, page),
            LlmFault::NoApi { status: 404 },
        ),
        (
            "a page of a proxy",
            Raw::status(502, page),
            LlmFault::Broken { status: 502 },
        ),
        (
            "elsewhere",
            Raw::status(302, "").with("location", "https://example.com/"),
            LlmFault::NoApi { status: 302 },
        ),
        (
            "compressed",
            Raw::body([0x1f, 0x8b, 8, 0]).with("content-encoding", "gzip"),
            nonsense("it is compressed, which nobody asked for"),
        ),
        (
            "an error in the stream",
            stream_error(json!({"code": "1301", "message": "no"})),
            LlmFault::Filtered,
        ),
        (
            "too many requests in the stream",
            stream_error(json!({"code": "1302", "message": "slowly"})),
            LlmFault::Busy { after: None },
        ),
        (
            "a text as error in the stream",
            stream_error(json!("overloaded")),
            LlmFault::Broken { status: 200 },
        ),
        (
            "an error in a list",
            Raw::body("[{\"error\": {\"code\": 503, \"message\": \"down\"}}]"),
            LlmFault::Broken { status: 503 },
        ),
        (
            "no key",
            Raw::status(401, "{}"),
            LlmFault::Key { status: 401 },
        ),
        (
            "no right",
            Raw::status(403, "{\"error\": {\"message\": \"no\"}}"),
            LlmFault::Key { status: 403 },
        ),
        (
            "no money",
            Raw::status(402, ""),
            LlmFault::Unpaid { status: 402 },
        ),
        (
            "no such model",
            Raw::status(404, "{\"error\": {\"message\": \"no model m\"}}"),
            LlmFault::Refused {
                status: 404,
                said: "no model m".into(),
            },
        ),
        ("too much", Raw::status(413, page), LlmFault::TooLong),
        (
            "too long, in plain words",
            Raw::status(400, "prompt is too long: 9000 tokens > 8192 maximum"),
            LlmFault::TooLong,
        ),
        (
            "too slow",
            Raw::status(408, ""),
            LlmFault::Broken { status: 408 },
        ),
        (
            "fault",
            Raw::status(500, "oops"),
            LlmFault::Broken { status: 500 },
        ),
        (
            "down",
            Raw::status(503, ""),
            LlmFault::Broken { status: 503 },
        ),
        (
            "silent",
            Raw::status(504, ""),
            LlmFault::Broken { status: 504 },
        ),
        (
            "later, in seconds",
            Raw::status(429, "{}").with("retry-after", "30"),
            LlmFault::Busy {
                after: Some(Duration::from_secs(30)),
            },
        ),
        (
            "later, and nobody knows when",
            Raw::status(429, page).with("retry-after", "soon"),
            LlmFault::Busy { after: None },
        ),
    ];
    for (name, raw, fault) in table {
        assert_eq!(answered(raw).await, Err(fault), "{name}");
    }
    let at = (Utc::now() + TimeDelta::minutes(10)).to_rfc2822();
    let busy = answered(Raw::status(429, "{}").with("retry-after", at)).await;
    let Err(LlmFault::Busy { after: Some(after) }) = busy else {
        panic!("a date: {busy:?}");
    };
    assert!((500..=600).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_ends_is_given_up() {
    let server = kit::llm::Llm::start().await;
    server.queue_raw(Raw {
        pieces: vec![format!("data: {}\n\n", text("x")).into_bytes(); 2000],
        pause: Duration::from_millis(20),
        ..Raw::default()
    });
    let short = Limits {
        whole: Duration::from_secs(1),
        ..once()
    };
    let llm = client(&server, "m", short);
    let answer = streamed(&llm, &asks("hi")).await.1;
    let stage = Stage::Whole;
    assert_eq!(answer, Err(LlmFault::Slow { stage }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_may_be_written_as_people_do() {
    let server = kit::llm::Llm::start().await;
    let base = server.url().trim_end_matches("/v1").to_owned();
    for end in [
        "",
        "/",
        "/v1",
        "/v1/",
        "/v1//",
        "/v1/chat/completions",
        "/v1/chat/completions/",
    ] {
        let settings = LlmSettings {
            base_url: format!("{base}{end}"),
            api_key: "sk-llm-test".into(),
            model: "m".into(),
            extra: Map::new(),
        };
        let llm = Llm::new(settings, once()).unwrap();
        let answer = streamed(&llm, &asks("hi")).await.1;
        assert_eq!(answer.unwrap().said.text, "echo: hi", "{end}");
    }
    let settings = LlmSettings {
        base_url: format!("{base}/api"),
        api_key: "sk-llm-test".into(),
        model: "m".into(),
        extra: Map::new(),
    };
    let llm = Llm::new(settings, once()).unwrap();
    let answer = streamed(&llm, &asks("hi")).await.1;
    let said = String::new();
    assert_eq!(answer, Err(LlmFault::Refused { status: 404, said }));
}
