//! The lines that we write to the CLI. One line that it cannot read ends its process, so every
//! line is made here, from values, by serde.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::{PermissionMode, UserMessage};

/// A request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// The greeting; brings the menus.
    Initialize,
    /// Stops the running turn, and what is queued where the version knows how.
    Interrupt,
    /// Takes a queued message back.
    Withdraw(Uuid),
    SetModel(Option<String>),
    SetMode(PermissionMode),
}

/// The CLI's word for a mode.
pub(super) fn mode_word(mode: PermissionMode) -> &'static str {
    match mode {
        PermissionMode::Ask => "default",
        PermissionMode::AcceptEdits => "acceptEdits",
        PermissionMode::Plan => "plan",
        PermissionMode::DontAsk => "dontAsk",
        PermissionMode::Bypass => "bypassPermissions",
    }
}

/// A message of the person.
pub(super) fn user(message: &UserMessage) -> String {
    let content = if message.images.is_empty() {
        json!(message.text)
    } else {
        let mut blocks: Vec<Value> = Vec::new();
        if !message.text.is_empty() {
            blocks.push(json!({"type": "text", "text": message.text}));
        }
        blocks.extend(message.images.iter().map(|image| {
            json!({"type": "image", "source": {
                "type": "base64", "media_type": image.media_type, "data": image.base64,
            }})
        }));
        Value::Array(blocks)
    };
    line(&json!({
        "type": "user",
        "uuid": message.uuid,
        "parent_tool_use_id": null,
        "message": {"role": "user", "content": content},
    }))
}

/// A request.
pub(super) fn request(id: &str, request: &Request) -> String {
    let request = match request {
        Request::Initialize => json!({"subtype": "initialize"}),
        Request::Interrupt => json!({"subtype": "interrupt", "cancel_queued": true}),
        Request::Withdraw(uuid) => {
            json!({"subtype": "cancel_async_message", "message_uuid": uuid})
        }
        Request::SetModel(model) => json!({"subtype": "set_model", "model": model}),
        Request::SetMode(mode) => {
            json!({"subtype": "set_permission_mode", "mode": mode_word(*mode)})
        }
    };
    line(&json!({"type": "control_request", "request_id": id, "request": request}))
}

/// The answer to a request of the CLI.
pub(super) fn success(id: &str, response: &Value) -> String {
    line(&json!({
        "type": "control_response",
        "response": {"subtype": "success", "request_id": id, "response": response},
    }))
}

/// The refusal of a request of the CLI.
pub(super) fn error(id: &str, error: &str) -> String {
    line(&json!({
        "type": "control_response",
        "response": {"subtype": "error", "request_id": id, "error": error},
    }))
}

/// Serde escapes line feeds inside strings, so this is one line whatever is in it.
fn line(value: &Value) -> String {
    let mut line = value.to_string();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::Image;

    proptest! {
        #[test]
        fn one_line_whatever_people_write(text in any::<String>(), error_text in any::<String>()) {
            let message = UserMessage::text(Uuid::nil(), text.clone());
            for line in [user(&message), error("id", &error_text)] {
                prop_assert_eq!(line.matches('\n').count(), 1);
                prop_assert!(line.ends_with('\n'));
            }
            let value: Value = serde_json::from_str(&user(&message)).unwrap();
            prop_assert_eq!(value["message"]["content"].as_str(), Some(text.as_str()));
            prop_assert_eq!(value["message"]["role"].as_str(), Some("user"));
        }
    }

    #[test]
    fn pictures_follow_the_words() {
        let message = UserMessage {
            images: vec![Image {
                media_type: "image/png".to_owned(),
                base64: "AAAA".to_owned(),
            }],
            ..UserMessage::text(Uuid::nil(), "look")
        };
        let value: Value = serde_json::from_str(&user(&message)).unwrap();
        insta::assert_json_snapshot!(value["message"]["content"], @r#"
        [
          {
            "text": "look",
            "type": "text"
          },
          {
            "source": {
              "data": "AAAA",
              "media_type": "image/png",
              "type": "base64"
            },
            "type": "image"
          }
        ]
        "#);
    }
}
