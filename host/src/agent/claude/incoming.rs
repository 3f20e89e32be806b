//! Reading the CLI's lines. The protocol changes weekly and is not documented, so nothing here
//! fails: what is unknown becomes [`Line::Unknown`], missing fields become nothing, and the order
//! of keys never counts. What the lines mean together is left to `conversation`.

mod line;

use serde_json::Value;
use uuid::Uuid;

use super::fields::{
    items, status_at, str_at, string_at, strings_at, text_of, u32_at, u64_at, uuid_at,
};
use crate::agent::{CommandInfo, ModelInfo, RunState};

pub(super) use line::{
    Assistant, Block, HostRequest, Incoming, Init, Lifecycle, Line, Permission, Stream, ToolResult,
    TurnEnd,
};

/// Reads one line, without its line feed.
pub(super) fn parse(line: &[u8]) -> Incoming {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return Incoming {
            session_id: None,
            line: Line::Unknown("not JSON".to_owned()),
        };
    };
    Incoming {
        session_id: uuid_at(&value, "session_id"),
        line: classify(&value),
    }
}

fn classify(value: &Value) -> Line {
    let kind = str_at(value, "type").unwrap_or_default();
    let line = match kind {
        "system" => system(value),
        "assistant" => Some(Line::Assistant(assistant(value))),
        "user" => user(value),
        "stream_event" => Some(Line::Stream {
            nested: str_at(value, "parent_tool_use_id").is_some(),
            event: stream(value.get("event").unwrap_or(&Value::Null)),
        }),
        "result" => Some(Line::Result(Box::new(turn_end(value)))),
        "command_lifecycle" => lifecycle(value),
        "rate_limit_event" => value.get("rate_limit_info").map(rate_limit),
        "control_request" => request(value),
        "control_response" => response(value),
        "control_cancel_request" => string_at(value, "request_id").map(Line::CancelRequest),
        _ => None,
    };
    line.unwrap_or_else(|| {
        let subtype = str_at(value, "subtype").unwrap_or_default();
        Line::Unknown(format!("{kind} {subtype}").trim().to_owned())
    })
}

fn system(value: &Value) -> Option<Line> {
    match str_at(value, "subtype")? {
        "init" => Some(Line::Init(Init {
            model: string_at(value, "model").unwrap_or_default(),
            slash_commands: strings_at(value, "slash_commands"),
            version: string_at(value, "claude_code_version").unwrap_or_default(),
            permission_mode: string_at(value, "permissionMode").unwrap_or_default(),
        })),
        "session_state_changed" => match str_at(value, "state")? {
            "running" => Some(Line::State(RunState::Running)),
            "requires_action" => Some(Line::State(RunState::RequiresAction)),
            "idle" => Some(Line::State(RunState::Idle)),
            _ => None,
        },
        "status" if str_at(value, "status") == Some("compacting") => Some(Line::Compacting),
        "compact_boundary" => {
            let meta = value.get("compact_metadata");
            Some(Line::Compacted {
                before: meta.and_then(|meta| u64_at(meta, "pre_tokens")),
                after: meta.and_then(|meta| u64_at(meta, "post_tokens")),
            })
        }
        "api_retry" => Some(Line::Retry {
            attempt: u32_at(value, "attempt"),
            max: u32_at(value, "max_retries"),
            delay_ms: u64_at(value, "retry_delay_ms").unwrap_or_default(),
            status: status_at(value, "error_status"),
            error: string_at(value, "error").unwrap_or_default(),
        }),
        _ => None,
    }
}

fn assistant(value: &Value) -> Assistant {
    let message = value.get("message").unwrap_or(&Value::Null);
    let blocks = items(message, "content").map(block).collect();
    Assistant {
        message_id: string_at(message, "id").unwrap_or_default(),
        parent: string_at(value, "parent_tool_use_id"),
        model: string_at(message, "model").filter(|model| model != SYNTHETIC),
        blocks,
        error: string_at(value, "error").or_else(|| {
            let flagged = value.get("is_api_error_message") == Some(&Value::Bool(true));
            flagged.then(|| "unknown".to_owned())
        }),
        tokens: message.get("usage").and_then(tokens),
    }
}

/// The "model" of messages that no model wrote.
pub(super) const SYNTHETIC: &str = "<synthetic>";

fn block(value: &Value) -> Block {
    match str_at(value, "type") {
        Some("text") => Block::Text(string_at(value, "text").unwrap_or_default()),
        Some("tool_use" | "server_tool_use" | "mcp_tool_use") => Block::Tool {
            id: string_at(value, "id").unwrap_or_default(),
            name: string_at(value, "name").unwrap_or_default(),
            input: value.get("input").cloned().unwrap_or(Value::Null),
        },
        _ => Block::Other,
    }
}

fn user(value: &Value) -> Option<Line> {
    if value.get("isReplay") == Some(&Value::Bool(true)) {
        return uuid_at(value, "uuid").map(Line::Replay);
    }
    let message = value.get("message")?;
    let results: Vec<ToolResult> = items(message, "content")
        .filter(|block| str_at(block, "type") == Some("tool_result"))
        .map(|block| ToolResult {
            id: string_at(block, "tool_use_id").unwrap_or_default(),
            is_error: block.get("is_error") == Some(&Value::Bool(true)),
            text: text_of(block.get("content").unwrap_or(&Value::Null)),
        })
        .collect();
    (!results.is_empty()).then_some(Line::ToolResults(results))
}

fn stream(event: &Value) -> Stream {
    let index = || u64_at(event, "index").unwrap_or_default();
    match str_at(event, "type") {
        Some("message_start") => {
            let message = event.get("message").unwrap_or(&Value::Null);
            Stream::MessageStart {
                id: string_at(message, "id").unwrap_or_default(),
                tokens: message.get("usage").and_then(|usage| sum(usage, &READ)),
            }
        }
        Some("content_block_start") => {
            let block = event.get("content_block").unwrap_or(&Value::Null);
            match str_at(block, "type") {
                Some("text") => Stream::TextStart { index: index() },
                Some("thinking" | "redacted_thinking") => Stream::ThinkingStart,
                _ => Stream::Other,
            }
        }
        Some("content_block_delta") => {
            let delta = event.get("delta").unwrap_or(&Value::Null);
            match (str_at(delta, "type"), str_at(delta, "text")) {
                (Some("text_delta"), Some(text)) => Stream::Text {
                    index: index(),
                    text: text.to_owned(),
                },
                _ => Stream::Other,
            }
        }
        Some("message_delta") => event
            .get("usage")
            .and_then(|usage| u64_at(usage, "output_tokens"))
            .map_or(Stream::Other, |tokens| Stream::Written { tokens }),
        _ => Stream::Other,
    }
}

/// What a call reads.
const READ: [&str; 3] = [
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
];

/// What a call read and wrote.
fn tokens(usage: &Value) -> Option<u64> {
    let read = sum(usage, &READ)?;
    let written = u64_at(usage, "output_tokens").unwrap_or_default();
    Some(read.saturating_add(written))
}

/// `None` where nothing was counted: messages that no model wrote have zeros.
fn sum(usage: &Value, names: &[&str]) -> Option<u64> {
    let sum = names
        .iter()
        .filter_map(|name| u64_at(usage, name))
        .fold(0_u64, u64::saturating_add);
    (sum > 0).then_some(sum)
}

fn turn_end(value: &Value) -> TurnEnd {
    let model_numbers = |list: &str, number: &str| -> Vec<(String, Value)> {
        let Some(Value::Object(models)) = value.get(list) else {
            return Vec::new();
        };
        models
            .iter()
            .filter_map(|(model, usage)| Some((model.clone(), usage.get(number)?.clone())))
            .collect()
    };
    let own = "model_usage_since_last_result";
    let own_cost = value.get(own).map(|_| {
        model_numbers(own, "costUSD")
            .iter()
            .filter_map(|(_, cost)| cost.as_f64())
            .sum()
    });
    TurnEnd {
        subtype: string_at(value, "subtype").unwrap_or_default(),
        is_error: value.get("is_error") == Some(&Value::Bool(true)),
        terminal_reason: string_at(value, "terminal_reason"),
        text: string_at(value, "result"),
        errors: strings_at(value, "errors"),
        status: status_at(value, "api_error_status"),
        duration_ms: u64_at(value, "duration_ms").unwrap_or_default(),
        total_cost: value
            .get("total_cost_usd")
            .and_then(Value::as_f64)
            .unwrap_or_default(),
        own_cost,
        context_window: model_numbers("modelUsage", "contextWindow")
            .into_iter()
            .filter_map(|(model, window)| Some((model, window.as_u64()?)))
            .collect(),
        user_messages: value.get("user_message_uuids").map(|_| {
            strings_at(value, "user_message_uuids")
                .iter()
                .filter_map(|uuid| Uuid::parse_str(uuid).ok())
                .collect()
        }),
        denied_tools: items(value, "permission_denials")
            .filter_map(|denial| string_at(denial, "tool_name"))
            .collect(),
    }
}

fn lifecycle(value: &Value) -> Option<Line> {
    let state = match str_at(value, "state")? {
        "queued" => Lifecycle::Queued,
        "started" => Lifecycle::Started,
        "completed" => Lifecycle::Completed,
        "cancelled" => Lifecycle::Cancelled,
        _ => return None,
    };
    let uuid = uuid_at(value, "command_uuid")?;
    Some(Line::Lifecycle { uuid, state })
}

fn rate_limit(info: &Value) -> Line {
    Line::RateLimit {
        rejected: str_at(info, "status") == Some("rejected"),
        resets_at: info.get("resetsAt").and_then(Value::as_i64),
        window: string_at(info, "rateLimitType"),
    }
}

fn request(value: &Value) -> Option<Line> {
    let id = string_at(value, "request_id")?;
    let request = value.get("request").unwrap_or(&Value::Null);
    let subtype = str_at(request, "subtype").unwrap_or_default();
    let request = if subtype == "can_use_tool" {
        let reason = string_at(request, "decision_reason").filter(|reason| !reason.is_empty());
        HostRequest::Permission(Box::new(Permission {
            tool: string_at(request, "tool_name").unwrap_or_default(),
            input: request.get("input").cloned().unwrap_or(Value::Null),
            description: string_at(request, "description"),
            suggestions: items(request, "permission_suggestions").cloned().collect(),
            blocked_path: string_at(request, "blocked_path"),
            reason,
            agent_id: string_at(request, "agent_id"),
            tool_use_id: string_at(request, "tool_use_id"),
        }))
    } else {
        HostRequest::Unsupported(subtype.to_owned())
    };
    Some(Line::Request { id, request })
}

fn response(value: &Value) -> Option<Line> {
    let response = value.get("response")?;
    let id = string_at(response, "request_id")?;
    let answer = if str_at(response, "subtype") == Some("error") {
        let error = string_at(response, "error");
        Err(error.unwrap_or_else(|| "no reason given".to_owned()))
    } else {
        Ok(response.get("response").cloned().unwrap_or(Value::Null))
    };
    Some(Line::Response { id, answer })
}

/// The menus in the answer to the greeting.
pub(super) fn menus(answer: &Value) -> (Vec<CommandInfo>, Vec<ModelInfo>) {
    let commands = items(answer, "commands")
        .filter_map(|command| {
            Some(CommandInfo {
                name: string_at(command, "name")?,
                description: string_at(command, "description").unwrap_or_default(),
                argument_hint: string_at(command, "argumentHint").unwrap_or_default(),
            })
        })
        .collect();
    let models = items(answer, "models")
        .filter_map(|model| {
            let value = string_at(model, "value")?;
            let display_name = string_at(model, "displayName").unwrap_or_else(|| value.clone());
            Some(ModelInfo {
                value,
                display_name,
            })
        })
        .collect();
    (commands, models)
}

#[cfg(test)]
mod tests;
