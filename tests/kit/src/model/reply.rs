//! How a chosen step looks on the wire: a whole message as JSON, or the plan of an event stream
//! with its silences and breaks. Nothing here waits; `server` carries the plan out.

use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::conversation::Conversation;
use super::script::Step;

/// Signature of thinking blocks: the CLI only hands it back.
const SIGNATURE: &str = "ZmFrZQ==";
const LONG_CHUNK: usize = 2_000;

/// One act of a streamed answer.
#[derive(Debug)]
pub(crate) enum Act {
    /// Send this event.
    Event(Value),
    /// Be silent as long as the step says (`hold`, `stall_s`).
    Pause,
    /// Wait between two pieces.
    Wait(Duration),
    /// Close the connection without an end.
    Break,
}

/// How texts are cut when the step does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) chunks: usize,
    pub(crate) delay_ms: u64,
}

enum Block {
    Text(String),
    Thinking(String),
    Tool {
        id: String,
        name: String,
        input: Value,
    },
}

/// A fresh id with a prefix, in the form the service uses.
pub(crate) fn new_id(prefix: &str) -> String {
    format!("{prefix}_fake{}", Uuid::new_v4().simple())
}

/// Status, body and whether to ask again, for a refusal.
pub(crate) fn refusal(status: u16, message: Option<&str>) -> Value {
    let (kind, usual) = match status {
        400 => ("invalid_request_error", "bad request, as scripted"),
        401 => ("authentication_error", "invalid x-api-key"),
        403 => ("permission_error", "forbidden, as scripted"),
        404 => ("not_found_error", "not found, as scripted"),
        413 => ("request_too_large", "request too large, as scripted"),
        429 => ("rate_limit_error", "rate limit reached, as scripted"),
        500 => ("api_error", "internal error, as scripted"),
        529 => ("overloaded_error", "Overloaded"),
        _ => ("api_error", "failed, as scripted"),
    };
    let error = json!({"type": kind, "message": message.unwrap_or(usual)});
    json!({"type": "error", "error": error, "request_id": new_id("req")})
}

/// The answer as one JSON message.
pub(crate) fn whole(step: &Step, seen: &Conversation) -> Value {
    let (blocks, stop_reason) = blocks(step, seen);
    let content: Vec<Value> = blocks.iter().map(Block::whole).collect();
    let usage = usage(step, seen, &blocks);
    message(seen, &content, Some(&stop_reason), &usage)
}

/// The answer as a stream.
pub(crate) fn stream(step: &Step, seen: &Conversation, pace: Pace) -> Vec<Act> {
    let (blocks, stop_reason) = blocks(step, seen);
    let usage = usage(step, seen, &blocks);
    let delay = Duration::from_millis(step.delay_ms.unwrap_or(pace.delay_ms));
    let mut at_start = usage.clone();
    at_start.insert("output_tokens".into(), json!(1));
    let mut acts = vec![
        Act::Event(json!({"type": "message_start",
            "message": message(seen, &[], None, &at_start)})),
        Act::Event(json!({"type": "ping"})),
    ];
    for (index, block) in blocks.iter().enumerate() {
        acts.push(Act::Event(
            json!({"type": "content_block_start", "index": index,
            "content_block": block.opening()}),
        ));
        for (nth, delta) in block.deltas(step, pace).into_iter().enumerate() {
            acts.push(Act::Event(
                json!({"type": "content_block_delta", "index": index,
                "delta": delta}),
            ));
            if nth == 0 && matches!(block, Block::Text(_)) {
                if let Some(kind) = &step.sse_error {
                    let error = json!({"type": kind, "message": "Overloaded"});
                    acts.push(Act::Event(json!({"type": "error", "error": error})));
                    return acts;
                }
                acts.push(if step.drop { Act::Break } else { Act::Pause });
            }
            if !delay.is_zero() {
                acts.push(Act::Wait(delay));
            }
        }
        acts.push(Act::Event(
            json!({"type": "content_block_stop", "index": index}),
        ));
    }
    acts.push(Act::Event(json!({"type": "message_delta",
        "delta": {"stop_reason": stop_reason, "stop_sequence": null},
        "usage": {"output_tokens": usage.get("output_tokens")}})));
    acts.push(Act::Event(json!({"type": "message_stop"})));
    acts
}

fn message(
    seen: &Conversation,
    content: &[Value],
    stop_reason: Option<&str>,
    usage: &Map<String, Value>,
) -> Value {
    json!({
        "id": new_id("msg"), "type": "message", "role": "assistant", "model": seen.model(),
        "content": content, "stop_reason": stop_reason, "stop_sequence": null, "usage": usage,
    })
}

fn usage(step: &Step, seen: &Conversation, blocks: &[Block]) -> Map<String, Value> {
    let asked = seen.body["messages"].to_string().len() / 4;
    let said: usize = blocks
        .iter()
        .map(|block| block.whole().to_string().len())
        .sum();
    let counts = [
        ("input_tokens", json!(asked.max(1))),
        ("cache_creation_input_tokens", json!(0)),
        ("cache_read_input_tokens", json!(0)),
        ("output_tokens", json!((said / 4).max(1))),
        ("service_tier", json!("standard")),
    ];
    let mut usage: Map<String, Value> = counts
        .map(|(name, count)| (name.to_owned(), count))
        .into_iter()
        .collect();
    usage.extend(step.usage.clone());
    usage
}

/// The blocks of the answer and its stop reason.
fn blocks(step: &Step, seen: &Conversation) -> (Vec<Block>, String) {
    let fill = |text: &String| Block::Text(seen.fill(text));
    let mut blocks = Vec::new();
    if let Some(thoughts) = &step.thinking {
        blocks.push(Block::Thinking(seen.fill(thoughts)));
    }
    let mut usual = "end_turn";
    let one = step.tool.iter().map(|name| (name, step.input.as_ref()));
    let many = step
        .tools
        .iter()
        .flatten()
        .map(|(name, input)| (name, Some(input)));
    let calls: Vec<_> = one.chain(many).collect();
    if step.sse_error.is_some() || step.drop {
        // After a stream that broke off the CLI may ask again without streaming.
        let text = if seen.streams() {
            "this stream breaks off in the middle"
        } else {
            "answered without streaming"
        };
        blocks.push(Block::Text(text.to_owned()));
    } else if !calls.is_empty() {
        usual = "tool_use";
        blocks.extend(step.say.as_ref().map(fill));
        blocks.extend(calls.into_iter().map(|(name, input)| Block::Tool {
            id: new_id("toolu"),
            name: name.clone(),
            input: input.cloned().unwrap_or_else(|| json!({})),
        }));
    } else if let Some(bytes) = step.long {
        blocks.push(Block::Text(long_text(bytes)));
    } else {
        blocks.extend(step.text.as_ref().map(fill));
    }
    if blocks.is_empty() {
        blocks.push(Block::Text("ok".to_owned()));
    }
    let stop_reason = step.stop_reason.clone().unwrap_or_else(|| usual.to_owned());
    (blocks, stop_reason)
}

impl Block {
    fn whole(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Thinking(text) => {
                json!({"type": "thinking", "thinking": text, "signature": SIGNATURE})
            }
            Self::Tool { id, name, input } => {
                json!({"type": "tool_use", "id": id, "name": name, "input": input})
            }
        }
    }

    fn opening(&self) -> Value {
        match self {
            Self::Text(_) => json!({"type": "text", "text": ""}),
            Self::Thinking(_) => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Self::Tool { id, name, .. } => {
                json!({"type": "tool_use", "id": id, "name": name, "input": {}})
            }
        }
    }

    fn deltas(&self, step: &Step, pace: Pace) -> Vec<Value> {
        let chunks = step.chunks.unwrap_or(pace.chunks);
        match self {
            Self::Text(text) => {
                let chunks = if step.long.is_some() {
                    text.len().div_ceil(LONG_CHUNK)
                } else if step.hold.is_some() || step.stall_s.is_some() {
                    chunks.max(2)
                } else {
                    chunks
                };
                let delta = |text| json!({"type": "text_delta", "text": text});
                pieces(text, chunks).into_iter().map(delta).collect()
            }
            Self::Thinking(text) => {
                let delta = |text| json!({"type": "thinking_delta", "thinking": text});
                let mut deltas: Vec<Value> = pieces(text, chunks).into_iter().map(delta).collect();
                deltas.push(json!({"type": "signature_delta", "signature": SIGNATURE}));
                deltas
            }
            Self::Tool { input, .. } => {
                let delta = |json| json!({"type": "input_json_delta", "partial_json": json});
                let json = input.to_string();
                pieces(&json, step.chunks.unwrap_or(2))
                    .into_iter()
                    .map(delta)
                    .collect()
            }
        }
    }
}

/// `text` in at most `count` pieces of equal length, at least one.
fn pieces(text: &str, count: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let size = chars.len().div_ceil(count.max(1)).max(1);
    let pieces: Vec<String> = chars
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect();
    if pieces.is_empty() {
        vec![String::new()]
    } else {
        pieces
    }
}

fn long_text(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 80);
    let mut number = 0;
    while text.len() < bytes {
        let line = format!("line {number:06} of a long scripted answer, 0123456789 abcdefghij\n");
        text.push_str(&line);
        number += 1;
    }
    text.truncate(bytes);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_even_and_lose_nothing() {
        assert_eq!(pieces("abcdef", 3), ["ab", "cd", "ef"]);
        assert_eq!(pieces("abcde", 2), ["abc", "de"]);
        assert_eq!(pieces("你好", 5), ["你", "好"]);
        assert_eq!(pieces("", 3), [""]);
        assert_eq!(pieces("abc", 0), ["abc"]);
    }

    #[test]
    fn long_texts_have_the_length_asked_for() {
        for bytes in [0, 1, 1_999, 50_000] {
            assert_eq!(long_text(bytes).len(), bytes);
        }
    }
}
