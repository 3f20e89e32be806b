//! What is said to a model and what it says, in our words. How it looks on the wire is here for
//! requests; answers are read by `read`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Characters a vendor takes in the name of a tool.
const NAME_CHARS: usize = 64;

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub choice: Choice,
    /// Thinking is switched off where the vendor has a switch: for decisions, not for work.
    pub quick: bool,
}

/// Whether the model has to call a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// As it likes.
    #[default]
    Auto,
    /// This one; a vendor that refuses to be told is asked again without.
    Named(String),
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name: letters, digits, `_`.
    pub name: &'static str,
    /// What it does and when to use it, for the model.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// What we tell the model about its place.
    System {
        /// The words.
        text: String,
    },
    /// What a person says.
    User {
        /// The words.
        text: String,
    },
    /// What the model said.
    Assistant(Said),
    /// What a call came to.
    Tool {
        /// Of which call.
        id: String,
        /// For the model.
        text: String,
    },
}

/// What a model said in one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// For the person; may be empty together with calls.
    #[serde(default)]
    pub text: String,
    /// What it thought; never shown, and sent back unchanged together with calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Reasoning>,
    /// Tools it wants to be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
}

/// Thoughts, under the vendor's own name for the field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasoning {
    /// `reasoning_content`, or `reasoning`.
    pub field: String,
    /// As they came.
    pub text: String,
}

/// One call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The vendor's id of it, or one of ours where it gave none.
    pub id: String,
    /// Name of the tool, as the model wrote it.
    pub name: String,
    /// Arguments: JSON in a string, as the model wrote it; not checked.
    pub arguments: String,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// It was all said.
    Stop,
    /// It became too long and is cut.
    Length,
    /// Tools are to be called.
    Calls,
    /// The vendor withholds the rest.
    Filter,
    /// The vendor's own word for it, or nothing.
    Other(String),
}

impl From<&str> for Finish {
    fn from(word: &str) -> Self {
        match word {
            "stop" | "end_turn" | "eos" => Self::Stop,
            "length" | "max_tokens" | "model_context_window_exceeded" => Self::Length,
            "tool_calls" | "function_call" | "tool_use" => Self::Calls,
            "content_filter" | "sensitive" | "safety" => Self::Filter,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What was counted, as far as the vendor tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the request.
    pub prompt: Option<u64>,
    /// Tokens of the answer.
    pub completion: Option<u64>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was said.
    pub said: Said,
    /// Why it ended there.
    pub finish: Finish,
    /// The model's own name of itself, where it tells.
    pub model: Option<String>,
    /// What was counted.
    pub usage: Usage,
}

/// What is heard while an answer comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It thinks.
    Thinking,
    /// More of the text.
    Text(String),
    /// It begins to call this tool.
    Call(String),
    /// The connection broke and it is asked again: what was heard so far does not count.
    Again,
}

impl Message {
    /// As it goes over the wire.
    pub(super) fn wire(&self) -> Value {
        match self {
            Self::System { text } => json!({"role": "system", "content": text}),
            Self::User { text } => json!({"role": "user", "content": text}),
            Self::Tool { id, text } => {
                json!({"role": "tool", "tool_call_id": id, "content": text})
            }
            Self::Assistant(said) => said.wire(),
        }
    }
}

impl Said {
    fn wire(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.text});
        if self.calls.is_empty() {
            return message;
        }
        let calls: Vec<Value> = self.calls.iter().map(Call::wire).collect();
        if let Some(fields) = message.as_object_mut() {
            fields.insert("tool_calls".to_owned(), calls.into());
            if let Some(thoughts) = &self.reasoning {
                fields.insert(thoughts.field.clone(), thoughts.text.clone().into());
            }
        }
        message
    }
}

impl Call {
    /// Vendors read back what the model wrote, and refuse what is not JSON or no name: such a call
    /// goes back in a form they take, and its result says what was wrong with it.
    fn wire(&self) -> Value {
        let name: String = self
            .name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            .take(NAME_CHARS)
            .collect();
        let name = if name.is_empty() { "unknown" } else { &name };
        let is_object = serde_json::from_str::<Value>(&self.arguments)
            .is_ok_and(|arguments| arguments.is_object());
        let arguments = if is_object { &self.arguments } else { "{}" };
        json!({
            "id": self.id,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        })
    }
}

impl Tool {
    pub(super) fn wire(&self) -> Value {
        json!({
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        })
    }
}

/// About how many tokens a text has: a quarter of one for each ASCII character, one for any other.
/// Rather too many than too few.
pub fn estimate(text: &str) -> usize {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    ascii.div_ceil(4) + text.chars().filter(|c| !c.is_ascii()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &str) -> Message {
        Message::Assistant(Said {
            text: String::new(),
            reasoning: Some(Reasoning {
                field: "reasoning_content".into(),
                text: " I look.\n".into(),
            }),
            calls: vec![Call {
                id: "c1".into(),
                name: name.into(),
                arguments: arguments.into(),
            }],
        })
    }

    #[test]
    fn thoughts_go_back_unchanged_with_calls_and_only_then() {
        let wire = call("list_dir", r#"{"path":"a"}"#).wire();
        assert_eq!(wire["reasoning_content"], " I look.\n");
        assert_eq!(wire["content"], "");
        assert_eq!(
            wire["tool_calls"][0]["function"],
            json!({"name": "list_dir", "arguments": r#"{"path":"a"}"#})
        );
        let plain = Message::Assistant(Said {
            text: "done".into(),
            reasoning: Some(Reasoning {
                field: "reasoning_content".into(),
                text: "hm".into(),
            }),
            calls: vec![],
        });
        assert_eq!(
            plain.wire(),
            json!({"role": "assistant", "content": "done"})
        );
    }

    #[test]
    fn a_broken_call_goes_back_in_a_form_that_is_taken() {
        for (name, arguments, sent) in [
            ("list dir!", "{\"path\":", "listdir"),
            ("列目录", "[1]", "unknown"),
            ("", "", "unknown"),
        ] {
            let wire = call(name, arguments).wire();
            assert_eq!(
                wire["tool_calls"][0]["function"],
                json!({"name": sent, "arguments": "{}"})
            );
        }
    }

    #[test]
    fn messages_are_kept_and_read_again() {
        let messages = [
            Message::User { text: "hi".into() },
            call("x", "{}"),
            Message::Tool {
                id: "c1".into(),
                text: "none".into(),
            },
        ];
        let kept = serde_json::to_string(&messages).unwrap();
        let read: Vec<Message> = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, messages);
    }

    #[test]
    fn the_estimate_counts_any_script() {
        assert_eq!(estimate(""), 0);
        assert_eq!(estimate("hello wo"), 2);
        assert_eq!(estimate("你好"), 2);
    }
}
