//! Answers in every spelling that vendors have for them.

use serde_json::{Value, json};

use super::super::read;
use super::*;

fn gather(deltas: &[Value], finish: Option<&str>) -> (Vec<Heard>, Result<Answer, LlmFault>) {
    let mut gather = Gather::default();
    let mut heard = Vec::new();
    for delta in deltas {
        heard.extend(gather.take(read::piece(&json!({"choices": [{"delta": delta}]}))));
    }
    if let Some(finish) = finish {
        let last = json!({"choices": [{"delta": {}, "finish_reason": finish}]});
        heard.extend(gather.take(read::piece(&last)));
    }
    (heard, gather.finish())
}

fn calls(deltas: &[Value]) -> Vec<(String, String, String)> {
    let deltas: Vec<Value> = deltas
        .iter()
        .map(|call| json!({"tool_calls": [call]}))
        .collect();
    let answer = gather(&deltas, Some("tool_calls")).1.unwrap();
    let calls = answer.said.calls.into_iter();
    calls
        .map(|call| (call.id, call.name, call.arguments))
        .collect()
}

fn named(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.into(), name.into(), arguments.into())
}

#[test]
fn a_text_in_pieces() {
    let pieces = [
        json!({"role": "assistant", "content": null, "reasoning_content": "a"}),
        json!({"role": "assistant", "reasoning_content": "b"}),
        json!({"content": "x"}),
        json!({"role": "", "content": "y"}),
    ];
    let (heard, answer) = gather(&pieces, Some("stop"));
    assert_eq!(
        heard,
        [
            Heard::Thinking,
            Heard::Thinking,
            Heard::Text("x".into()),
            Heard::Text("y".into())
        ]
    );
    let said = answer.unwrap().said;
    assert_eq!(said.text, "xy");
    assert_eq!(said.reasoning.unwrap().text, "ab");
}

#[test]
fn calls_in_every_spelling() {
    let f = |name: &str, arguments: &str| json!({"name": name, "arguments": arguments});
    // As the form wants it.
    assert_eq!(
        calls(&[
            json!({"index": 0, "id": "a", "function": f("x", "")}),
            json!({"index": 0, "function": {"arguments": "{\"n\""}}),
            json!({"index": 1, "id": "b", "function": f("y", "{}")}),
            json!({"index": 0, "function": {"arguments": ":1}"}}),
        ]),
        [named("a", "x", "{\"n\":1}"), named("b", "y", "{}")]
    );
    // Neither index nor id behind the first piece.
    assert_eq!(
        calls(&[
            json!({"id": "a", "function": f("x", "{\"n\"")}),
            json!({"function": {"arguments": ":1}"}}),
            json!({"id": "b", "function": f("y", "{}")}),
        ]),
        [named("a", "x", "{\"n\":1}"), named("b", "y", "{}")]
    );
    // Id and name in each piece.
    assert_eq!(
        calls(&[
            json!({"index": 0, "id": "a", "function": f("x", "{\"n\"")}),
            json!({"index": 0, "id": "a", "function": f("x", ":1}")}),
        ]),
        [named("a", "x", "{\"n\":1}")]
    );
    // The same index for all.
    assert_eq!(
        calls(&[
            json!({"index": 0, "id": "a", "function": f("x", "{}")}),
            json!({"index": 0, "id": "b", "function": f("y", "{}")}),
        ]),
        [named("a", "x", "{}"), named("b", "y", "{}")]
    );
    // The index only behind the first piece, or only in it.
    assert_eq!(
        calls(&[
            json!({"id": "a", "function": f("x", "")}),
            json!({"index": 0, "function": {"arguments": "{\"n\""}}),
            json!({"index": 0, "function": {"arguments": ":1}"}}),
        ]),
        [named("a", "x", "{\"n\":1}")]
    );
    assert_eq!(
        calls(&[
            json!({"index": 3, "id": "a", "function": f("x", "{\"n\"")}),
            json!({"function": {"name": null, "arguments": ":1}"}}),
        ]),
        [named("a", "x", "{\"n\":1}")]
    );
    // An id of its own in each piece, with the name and without.
    for name in [json!("x"), Value::Null] {
        assert_eq!(
            calls(&[
                json!({"index": 0, "id": "a", "function": f("x", "{\"n\"")}),
                json!({"index": 0, "id": "b", "function": {"name": name, "arguments": ":1}"}}),
            ]),
            [named("a", "x", "{\"n\":1}")]
        );
    }
    // The same id for all, told apart by the index.
    assert_eq!(
        calls(&[
            json!({"index": 0, "id": "a", "function": f("x", "{}")}),
            json!({"index": 1, "id": "a", "function": f("y", "{}")}),
        ]),
        [named("a", "x", "{}"), named("a", "y", "{}")]
    );
    // The name in pieces, growing, repeated.
    for (first, second) in [
        ("list", "_dir"),
        ("list", "list_dir"),
        ("list_dir", "list_dir"),
    ] {
        assert_eq!(
            calls(&[
                json!({"index": 0, "id": "a", "function": f(first, "")}),
                json!({"index": 0, "function": f(second, "{}")}),
            ]),
            [named("a", "list_dir", "{}")]
        );
    }
    // Neither ids nor indexes nor arguments.
    let bare = calls(&[
        json!({"function": f("x", "")}),
        json!({"function": f("y", "")}),
    ]);
    let names: Vec<&str> = bare.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    // The same index for all, and no ids.
    let bare = calls(&[
        json!({"index": 0, "function": f("x", "{}")}),
        json!({"index": 0, "function": f("y", "{}")}),
    ]);
    let names: Vec<&str> = bare.iter().map(|(_, name, _)| name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    // Whole calls without any id: they get one of ours.
    let bare = calls(&[
        json!({"function": {"name": "x", "arguments": {"n": 1}}}),
        json!({"function": {"name": "y", "arguments": {}}}),
    ]);
    assert_eq!(bare.len(), 2);
    assert!(bare[0].0.starts_with("call_") && bare[0].0 != bare[1].0);
    assert_eq!((bare[0].2.as_str(), bare[1].1.as_str()), ("{\"n\":1}", "y"));
}

#[test]
fn without_an_end_there_is_no_answer() {
    let half = [json!({"content": "half"})];
    assert_eq!(gather(&half, None).1, Err(LlmFault::Cut));
    assert_eq!(gather(&half, Some("")).1, Err(LlmFault::Cut));
    assert_eq!(gather(&half, Some("network_error")).1, Err(LlmFault::Cut));
    assert_eq!(
        gather(&half, Some("brand_new_word")).1.unwrap().finish,
        Finish::Other("brand_new_word".into())
    );
    let mut done = Gather::default();
    done.take(read::piece(
        &json!({"choices": [{"delta": {"content": "x"}}]}),
    ));
    done.end();
    assert_eq!(done.finish().unwrap().said.text, "x");
}

#[test]
fn nothing_is_no_answer() {
    assert_eq!(gather(&[], Some("sensitive")).1, Err(LlmFault::Filtered));
    assert_eq!(
        gather(&[], Some("model_context_window_exceeded")).1,
        Err(LlmFault::TooLong)
    );
    assert!(matches!(
        gather(&[], Some("stop")).1,
        Err(LlmFault::Nonsense { .. })
    ));
}

#[test]
fn thoughts_in_the_text_are_not_shown() {
    let pieces =
        ["<th", "ink>hm", "</thi", "nk>\n\nso", " be it"].map(|text| json!({"content": text}));
    let (heard, answer) = gather(&pieces, Some("stop"));
    let texts: Vec<Heard> = heard
        .into_iter()
        .filter(|h| *h != Heard::Thinking)
        .collect();
    assert_eq!(
        texts,
        [Heard::Text("so".into()), Heard::Text(" be it".into())]
    );
    assert_eq!(answer.unwrap().said.text, "so be it");
    let (heard, answer) = gather(
        &[json!({"content": "<"}), json!({"content": "3"})],
        Some("stop"),
    );
    assert_eq!(heard.last(), Some(&Heard::Text("<3".into())));
    assert_eq!(answer.unwrap().said.text, "<3");
}
