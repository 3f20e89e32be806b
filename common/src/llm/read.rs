//! Reading what a vendor sends, whole or in chunks. Every field may be missing or of another kind;
//! nothing here fails. Pure; chunks are put together by `gather`.

use serde_json::Value;

use super::types::Usage;

/// One message or one piece of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Piece {
    /// Text for the person.
    pub text: String,
    /// Thoughts, with the vendor's name for the field.
    pub thoughts: Option<(&'static str, String)>,
    /// Calls, or pieces of them.
    pub calls: Vec<CallPiece>,
    /// Why it ended; empty where it did not, or the vendor does not say.
    pub finish: String,
    /// The model's name of itself.
    pub model: Option<String>,
    /// What was counted.
    pub usage: Usage,
    /// Whether there was a choice in it at all.
    pub has_choice: bool,
}

/// A call, or a piece of one.
#[derive(Debug, Default, PartialEq)]
pub(super) struct CallPiece {
    pub index: Option<u64>,
    pub id: String,
    pub name: String,
    pub arguments: String,
}

/// Reads a whole answer (`message`) or a chunk (`delta`); which of the two it is does not matter.
pub(super) fn piece(value: &Value) -> Piece {
    let mut piece = Piece {
        model: word(&value["model"]),
        usage: usage(&value["usage"]),
        ..Piece::default()
    };
    let Some(choice) = value["choices"].get(0) else {
        return piece;
    };
    piece.has_choice = true;
    piece.finish = word(&choice["finish_reason"]).unwrap_or_default();
    let (delta, whole) = (&choice["delta"], &choice["message"]);
    let message = if delta.is_object() { delta } else { whole };
    if !message.is_object() {
        piece.text = content(&choice["text"]);
        return piece;
    }
    piece.text = content(&message["content"]);
    if piece.text.is_empty() {
        // A refusal in the vendor's own field is what the model has to say.
        piece.text = content(&message["refusal"]);
    }
    piece.thoughts = thoughts(message);
    let calls = &message["tool_calls"];
    if let Some(list) = calls.as_array() {
        piece.calls = list.iter().map(call).collect();
    } else if calls.is_object() {
        piece.calls = vec![call(calls)];
    }
    if !delta.is_object() {
        // In one piece each is a call of its own, whatever ids and indexes the vendor gives.
        for (at, call) in piece.calls.iter_mut().enumerate() {
            call.index = u64::try_from(at).ok();
        }
    }
    piece
}

/// The thoughts, under the name that says something. An empty text counts as well: who sends the
/// field wants it back.
fn thoughts(message: &Value) -> Option<(&'static str, String)> {
    let fields = ["reasoning_content", "reasoning"];
    let said = |field| Some((field, message[field].as_str()?.to_owned()));
    let mut all: Vec<_> = fields.into_iter().filter_map(said).collect();
    all.sort_by_key(|(_, text)| text.is_empty());
    all.into_iter().next()
}

fn call(value: &Value) -> CallPiece {
    // Some put name and arguments beside the id instead of into `function`.
    let function = if value["function"].is_object() {
        &value["function"]
    } else {
        value
    };
    CallPiece {
        index: value["index"].as_u64(),
        id: word(&value["id"]).unwrap_or_default(),
        name: word(&function["name"]).unwrap_or_default(),
        arguments: match &function["arguments"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    }
}

/// A text, or the texts of an array of parts; parts with thoughts do not count.
fn content(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter(|part| !matches!(part["type"].as_str(), Some("thinking" | "reasoning")))
            .filter_map(|part| part.as_str().or_else(|| part["text"].as_str()))
            .collect(),
        Value::Object(_) => value["text"].as_str().unwrap_or_default().to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// A text that is not empty; numbers count as such.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn usage(value: &Value) -> Usage {
    Usage {
        prompt: value["prompt_tokens"].as_u64(),
        completion: value["completion_tokens"].as_u64(),
    }
}

/// The vendor's code and words, if this is an error: in `error`, or beside nothing else.
pub(super) fn error(value: &Value) -> Option<(String, String)> {
    // Some put it into a list.
    let value = value.get(0).unwrap_or(value);
    let error = &value["error"];
    if let Some(said) = error.as_str().filter(|said| !said.is_empty()) {
        return Some((String::new(), said.to_owned()));
    }
    let from = if error.as_object().is_some_and(|error| !error.is_empty()) {
        error
    } else if value["choices"].is_null()
        && (word(&value["code"]).is_some() || value["success"] == false)
    {
        value
    } else {
        return None;
    };
    let code = [&from["code"], &from["type"]]
        .into_iter()
        .find_map(word)
        .unwrap_or_default();
    let said = [&from["message"], &from["msg"]]
        .into_iter()
        .find_map(word)
        .unwrap_or_default();
    Some((code, said))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn content_may_be_null_text_or_parts() {
        let of =
            |content: Value| piece(&json!({"choices": [{"message": {"content": content}}]})).text;
        assert_eq!(of(Value::Null), "");
        assert_eq!(of(json!("a")), "a");
        let parts = json!([
            {"type": "thinking", "text": "hm"}, {"type": "text", "text": "a"}, "b", {"x": 1}
        ]);
        assert_eq!(of(parts), "ab");
    }

    #[test]
    fn arguments_may_be_text_or_an_object() {
        let of = |arguments: Value| {
            let calls = json!([{"function": {"name": "f", "arguments": arguments}}]);
            let read = piece(&json!({"choices": [{"delta": {"tool_calls": calls}}]}));
            read.calls.into_iter().next().unwrap().arguments
        };
        assert_eq!(of(json!("{\"a\":1}")), "{\"a\":1}");
        assert_eq!(of(json!({"a": 1})), "{\"a\":1}");
        assert_eq!(of(Value::Null), "");
    }

    #[test]
    fn thoughts_count_also_where_they_are_empty() {
        let of = |message: Value| piece(&json!({"choices": [{"delta": message}]})).thoughts;
        assert_eq!(of(json!({"content": "a"})), None);
        assert_eq!(of(json!({"reasoning_content": null})), None);
        assert_eq!(
            of(json!({"reasoning_content": ""})),
            Some(("reasoning_content", String::new()))
        );
        assert_eq!(
            of(json!({"reasoning_content": "", "reasoning": "hm"})),
            Some(("reasoning", "hm".to_owned()))
        );
    }

    #[test]
    fn calls_of_a_whole_answer_are_apart_whatever_their_ids() {
        let one = |name: &str| json!({"id": "call_0", "index": 0, "function": {"name": name}});
        let calls = json!([one("x"), one("y")]);
        let of = |kind: &str| {
            let read = piece(&json!({"choices": [{kind: {"tool_calls": calls}}]}));
            let indexes = read.calls.iter().map(|call| call.index);
            indexes.collect::<Vec<_>>()
        };
        assert_eq!(of("message"), [Some(0), Some(1)]);
        assert_eq!(of("delta"), [Some(0), Some(0)]);
    }

    #[test]
    fn errors_are_found_wherever_they_are() {
        let of = |value: Value| error(&value);
        let found = |code: &str, said: &str| Some((code.to_owned(), said.to_owned()));
        assert_eq!(
            of(json!({"error": {"code": "1302", "message": "slow down"}})),
            found("1302", "slow down")
        );
        assert_eq!(
            of(json!({"error": {"type": "x", "message": "y"}})),
            found("x", "y")
        );
        assert_eq!(of(json!({"error": "no"})), found("", "no"));
        assert_eq!(
            of(json!({"code": 500, "msg": "broken"})),
            found("500", "broken")
        );
        assert_eq!(
            of(json!([{"error": {"code": 429, "message": "slow down"}}])),
            found("429", "slow down")
        );
        assert_eq!(of(json!({"error": null, "choices": []})), None);
        assert_eq!(of(json!({"error": {}, "choices": []})), None);
        assert_eq!(of(json!({"code": 200, "choices": [{}]})), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u32>().prop_map(Value::from),
            "[a-z{]{0,6}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            "choices",
            "delta",
            "message",
            "content",
            "tool_calls",
            "function",
            "arguments",
            "index",
            "error",
            "code",
            "usage",
            "finish_reason"
        ];
        leaf.prop_recursive(6, 48, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(key.clone(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read(value in any_json()) {
            piece(&value);
            error(&value);
        }
    }
}
