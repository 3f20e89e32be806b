//! How an answer looks on the wire, with the odd ways that are switched on. Pure.

use serde_json::{Value, json};

use super::Quirks;
use crate::model::Step;

/// What it says that it thinks: blanks and a line break, which must come back as they are.
pub(super) const THOUGHTS: &str = " Let me think,\nstep by step. ";

/// What a request says.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) user: String,
    pub(super) tool_result: String,
    /// Answers behind the newest words of the person.
    pub(super) answers: usize,
    messages: usize,
}

/// One thing to do while a stream is written.
#[derive(Debug)]
pub(super) enum Act {
    Write(String),
    Wait(u64),
    /// Silence, as the step says.
    Pause,
    Break,
}

impl Seen {
    pub(super) fn new(body: &Value) -> Self {
        let mut seen = Self::default();
        let messages = body["messages"].as_array().cloned().unwrap_or_default();
        seen.messages = messages.len();
        for message in messages {
            let text = message["content"].as_str().unwrap_or_default().to_owned();
            match message["role"].as_str() {
                Some("user") => {
                    seen.user = text;
                    seen.answers = 0;
                }
                Some("assistant") => seen.answers += 1,
                Some("tool") => seen.tool_result = text,
                _ => {}
            }
        }
        seen
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{tool_result}", &self.tool_result)
            .replace("{user}", &self.user)
            .replace("{n}", &self.messages.to_string())
    }
}

/// What is wrong with a request, for a vendor with these ways.
pub(super) fn objection(body: &Value, quirks: &Quirks) -> Option<String> {
    if let Some(field) = quirks.refuses.iter().find(|field| !body[**field].is_null()) {
        return Some(format!("Unrecognized request argument supplied: {field}"));
    }
    let messages = body["messages"].as_array()?;
    if let Some(objection) = out_of_order(messages) {
        return Some(objection);
    }
    for message in messages {
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            if serde_json::from_str::<Value>(arguments).is_err() {
                return Some("arguments are not JSON".to_owned());
            }
            let id = &call["id"];
            let answers = messages.iter().filter(|m| m["tool_call_id"] == *id);
            if answers.count() != 1 {
                return Some(format!("tool_call_id {id} has no response message"));
            }
        }
        let has_calls = message["tool_calls"].is_array();
        if quirks.wants_thoughts && has_calls && message["reasoning_content"] != THOUGHTS {
            return Some("Missing `reasoning_content` field in the assistant message".to_owned());
        }
    }
    None
}

/// Each call has its result right behind it, and each result its call; nobody says nothing.
fn out_of_order(messages: &[Value]) -> Option<String> {
    let mut open: Vec<&Value> = Vec::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = &message["tool_call_id"];
            let Some(at) = open.iter().position(|call| *call == id) else {
                return Some(format!("a result of {id}, which was not called before it"));
            };
            open.remove(at);
            continue;
        }
        if !open.is_empty() {
            return Some(format!("tool_call_ids {open:?} have no response messages"));
        }
        let calls = message["tool_calls"].as_array().into_iter().flatten();
        open = calls.map(|call| &call["id"]).collect();
        let is_empty = message["content"].as_str().is_none_or(str::is_empty);
        if is_empty && open.is_empty() {
            return Some(format!("a message of {} is empty", message["role"]));
        }
    }
    (!open.is_empty()).then(|| format!("tool_call_ids {open:?} have no response messages"))
}

fn calls(step: &Step) -> Vec<(String, Value)> {
    let one = step.tool.clone().map(|name| {
        let input = step.input.clone().unwrap_or_else(|| json!({}));
        (name, input)
    });
    one.into_iter()
        .chain(step.tools.clone().unwrap_or_default())
        .collect()
}

/// A string is what the model wrote, even if it is no JSON.
fn arguments(input: &Value, quirks: &Quirks) -> Value {
    match input {
        Value::String(_) => input.clone(),
        object if quirks.object_arguments => object.clone(),
        object => object.to_string().into(),
    }
}

fn text(step: &Step, seen: &Seen) -> String {
    let text = if let Some(bytes) = step.long {
        let lines = (1..).map(|n| format!("line {n}\n"));
        let mut all = String::new();
        for line in lines {
            if all.len() >= bytes {
                break;
            }
            all += &line;
        }
        all
    } else {
        let text = step.text.as_ref().or(step.say.as_ref());
        seen.fill(text.map_or("", String::as_str))
    };
    if text.is_empty() && calls(step).is_empty() {
        "ok".to_owned()
    } else {
        text
    }
}

fn content(text: &str, quirks: &Quirks) -> Value {
    if quirks.parts {
        json!([{"type": "text", "text": text}])
    } else {
        text.into()
    }
}

fn finish(step: &Step, quirks: &Quirks) -> String {
    let usual = if calls(step).is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    let said = step.stop_reason.as_deref().or(quirks.finish);
    said.unwrap_or(usual).to_owned()
}

/// The answer in one piece.
pub(super) fn whole(step: &Step, body: &Value, quirks: &Quirks) -> Value {
    let seen = Seen::new(body);
    let text = text(step, &seen);
    let mut message = json!({"content": content(&text, quirks)});
    if !quirks.no_role {
        message["role"] = "assistant".into();
    }
    if quirks.thinks || step.thinking.is_some() {
        message["reasoning_content"] = THOUGHTS.into();
    }
    let calls = calls(step);
    if !calls.is_empty() {
        if text.is_empty() {
            message["content"] = Value::Null;
        }
        let calls = calls.iter().enumerate().map(|(at, (name, input))| {
            let mut call = json!({"type": "function",
                "function": {"name": name, "arguments": arguments(input, quirks)}});
            if !quirks.bare_calls {
                call["id"] = id(&seen, at).into();
            }
            call
        });
        message["tool_calls"] = calls.collect();
    }
    let mut whole = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish(step, quirks)}],
    });
    whole["usage"] = if quirks.bare_last {
        json!({})
    } else {
        json!({"prompt_tokens": 10, "completion_tokens": 5})
    };
    whole
}

fn id(seen: &Seen, at: usize) -> String {
    format!("call_{}_{at}", seen.messages)
}

/// The answer as a stream.
pub(super) fn stream(step: &Step, body: &Value, quirks: &Quirks) -> Vec<Act> {
    let seen = Seen::new(body);
    let mut acts = Vec::new();
    let blank = if quirks.tight { "\n" } else { "\n\n" };
    let event = |value: &Value| Act::Write(format!("data: {value}{blank}"));
    let chunk = |mut delta: Value, first: bool| {
        if quirks.role_everywhere || (first && !quirks.no_role) {
            delta["role"] = "assistant".into();
        }
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": body["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
    };
    if quirks.keep_alive {
        acts.push(Act::Write(": keep-alive\n\n".to_owned()));
    }
    acts.push(event(&chunk(json!({"content": null}), true)));
    if quirks.thinks || step.thinking.is_some() {
        let (first, rest) = THOUGHTS.split_at(5);
        for piece in [first, rest] {
            let delta = json!({"content": null, "reasoning_content": piece});
            acts.push(event(&chunk(delta, false)));
        }
    }
    let mut text = text(step, &seen);
    if quirks.think_marks {
        text = format!("<think>\n{THOUGHTS}</think>\n\n{text}");
    }
    let pieces = pieces(&text, step.chunks.unwrap_or(2));
    let half = pieces.len().div_ceil(2);
    for (at, piece) in pieces.iter().enumerate() {
        let delta = json!({"content": content(piece, quirks)});
        acts.push(event(&chunk(delta, false)));
        if quirks.keep_alive {
            acts.push(Act::Write(": keep-alive\n\n".to_owned()));
        }
        acts.extend(step.delay_ms.map(Act::Wait));
        if at + 1 == half {
            trouble(step, &mut acts);
        }
    }
    if pieces.is_empty() {
        trouble(step, &mut acts);
    }
    for (at, (name, input)) in calls(step).iter().enumerate() {
        let deltas = call_deltas(&seen, at, name, input, quirks);
        acts.extend(
            deltas
                .into_iter()
                .map(|call| event(&chunk(json!({"tool_calls": [call]}), false))),
        );
    }
    let mut last = chunk(json!({}), false);
    last["choices"][0]["finish_reason"] = finish(step, quirks).into();
    if !quirks.bare_last {
        last["usage"] = json!({"prompt_tokens": 10, "completion_tokens": 5});
    }
    acts.push(event(&last));
    if quirks.bare_last {
        acts.push(event(
            &json!({"id": "chatcmpl-1", "choices": [], "usage": {}}),
        ));
    }
    if !quirks.no_done {
        acts.push(Act::Write("data: [DONE]\n\n".to_owned()));
    }
    acts
}

/// What goes wrong in the middle.
fn trouble(step: &Step, acts: &mut Vec<Act>) {
    if step.hold.is_some() || step.stall_s.is_some() {
        acts.push(Act::Pause);
    }
    if let Some(code) = &step.sse_error {
        let error = json!({"error": {"code": code, "message": "scripted"}});
        acts.push(Act::Write(format!("data: {error}\n\n")));
    }
    if step.drop {
        acts.push(Act::Break);
    }
}

fn call_deltas(seen: &Seen, at: usize, name: &str, input: &Value, quirks: &Quirks) -> Vec<Value> {
    let arguments = arguments(input, quirks);
    let (first, rest) = match &arguments {
        Value::String(text) => {
            let half = (0..=text.len() / 2)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or_default();
            let (first, rest) = text.split_at(half);
            (first.into(), Some(rest.to_owned()))
        }
        other => (other.clone(), None),
    };
    let index = if quirks.one_index { 0 } else { at };
    let mut head = json!({"type": "function", "function": {"name": name, "arguments": first}});
    if !quirks.bare_calls {
        head["index"] = index.into();
        head["id"] = id(seen, at).into();
    }
    let tail = rest.map(|rest| {
        let mut tail = json!({"function": {"arguments": rest}});
        if !quirks.bare_calls {
            tail["index"] = index.into();
        }
        tail
    });
    std::iter::once(head).chain(tail).collect()
}

/// Cuts a text into about `n` pieces.
fn pieces(text: &str, n: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let size = chars.len().div_ceil(n.max(1)).max(1);
    chars
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect()
}
