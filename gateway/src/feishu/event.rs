//! Reads what the platform delivers into our own words.
//!
//! Tolerant by design: every field may be missing or of another shape, and no
//! input makes this fail. Who is allowed to speak, and recognising repeats, is
//! decided elsewhere. The text inside a message is read in `content`.

mod content;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;

pub use content::Content;

/// A delivery, read.
#[derive(Debug, Clone)]
pub enum Event {
    /// A person wrote something that is meant for the bot.
    Message(Box<FeishuMessage>),
    /// A person pressed something on a card.
    Tap(Box<FeishuTap>),
    /// Nothing for us; acknowledge and forget.
    Ignored {
        /// The platform's name of the event; may be empty.
        event_type: String,
        /// Why.
        why: Ignored,
    },
}

/// Why an event is not for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// A kind that we do not handle.
    UnknownType,
    /// Written by a bot, perhaps ourselves.
    FromBot,
    /// Said in a group without mentioning the bot.
    NotAddressed,
    /// A field without which nothing can be done is missing.
    Malformed(&'static str),
}

/// A message to the bot.
#[derive(Debug, Clone, PartialEq)]
pub struct FeishuMessage {
    /// The chat message: the key by which repeats are recognised.
    pub message_id: String,
    /// This event; differs between repeats of one message.
    pub event_id: String,
    /// The chat.
    pub chat_id: String,
    /// `p2p`, `group`, or something newer.
    pub chat_type: String,
    /// The topic, if it is in one.
    pub thread_id: Option<String>,
    /// First message of the reply chain.
    pub root_id: Option<String>,
    /// The message it replies to.
    pub parent_id: Option<String>,
    /// The person, as this app knows them.
    pub open_id: String,
    /// `user`, as far as known.
    pub sender_type: String,
    /// When it was written, by the platform's clock.
    pub create_time: Option<DateTime<Utc>>,
    /// What it says.
    pub content: Content,
    /// Whether the bot itself is mentioned.
    pub mentions_bot: bool,
}

/// A press on a card.
#[derive(Debug, Clone)]
pub struct FeishuTap {
    /// This event.
    pub event_id: String,
    /// Who pressed.
    pub open_id: String,
    /// The message that shows the card.
    pub message_id: String,
    /// The chat it is in.
    pub chat_id: String,
    /// What the button carried.
    pub value: Value,
    /// The form's fields by name, or null.
    pub form_value: Value,
    /// For two late updates of the card within 30 minutes.
    pub token: SecretString,
}

/// Reads one delivery. `bot` is the bot's own open id; while it is unknown, a
/// mention counts only if the platform marks it as one of a bot.
pub fn parse(payload: &[u8], bot: Option<&str>) -> Event {
    let whole: Value = match serde_json::from_slice(payload) {
        Ok(whole) => whole,
        Err(_) => return ignored("", Ignored::Malformed("the payload is not JSON")),
    };
    let event_type = text(&whole, "/header/event_type");
    let result = match event_type.as_str() {
        "im.message.receive_v1" => message(&whole, bot).map(|m| Event::Message(Box::new(m))),
        "card.action.trigger" => tap(&whole).map(|t| Event::Tap(Box::new(t))),
        _ => Err(Ignored::UnknownType),
    };
    result.unwrap_or_else(|why| ignored(&event_type, why))
}

fn ignored(event_type: &str, why: Ignored) -> Event {
    Event::Ignored {
        event_type: event_type.to_owned(),
        why,
    }
}

fn message(whole: &Value, bot: Option<&str>) -> Result<FeishuMessage, Ignored> {
    let open_id = text(whole, "/event/sender/sender_id/open_id");
    let sender_type = text(whole, "/event/sender/sender_type");
    let by_bot = !matches!(sender_type.as_str(), "" | "user");
    if by_bot || (!open_id.is_empty() && bot == Some(open_id.as_str())) {
        return Err(Ignored::FromBot);
    }
    let message_id = required(whole, "/event/message/message_id", "no message_id")?;
    let chat_id = required(whole, "/event/message/chat_id", "no chat_id")?;
    if open_id.is_empty() {
        return Err(Ignored::Malformed("no open_id of the sender"));
    }
    let chat_type = text(whole, "/event/message/chat_type");
    let mentions = content::Mentions::read(whole.pointer("/event/message/mentions"), bot);
    let mentions_bot = mentions.bot();
    if chat_type != "p2p" && !mentions_bot {
        return Err(Ignored::NotAddressed);
    }
    let kind = text(whole, "/event/message/message_type");
    let raw = text(whole, "/event/message/content");
    Ok(FeishuMessage {
        message_id,
        event_id: text(whole, "/header/event_id"),
        chat_id,
        chat_type,
        thread_id: optional(whole, "/event/message/thread_id"),
        root_id: optional(whole, "/event/message/root_id"),
        parent_id: optional(whole, "/event/message/parent_id"),
        open_id,
        sender_type,
        create_time: time(whole.pointer("/event/message/create_time")),
        content: Content::read(&kind, &raw, &mentions),
        mentions_bot,
    })
}

fn tap(whole: &Value) -> Result<FeishuTap, Ignored> {
    let first = |paths: [&str; 2]| {
        let mut found = paths.into_iter().map(|path| text(whole, path));
        found.find(|text| !text.is_empty()).unwrap_or_default()
    };
    let member = |path: &str| whole.pointer(path).cloned().unwrap_or(Value::Null);
    Ok(FeishuTap {
        event_id: text(whole, "/header/event_id"),
        open_id: required(
            whole,
            "/event/operator/open_id",
            "no open_id of the operator",
        )?,
        message_id: first(["/event/context/open_message_id", "/event/open_message_id"]),
        chat_id: first(["/event/context/open_chat_id", "/event/open_chat_id"]),
        value: member("/event/action/value"),
        form_value: member("/event/action/form_value"),
        token: SecretString::from(text(whole, "/event/token")),
    })
}

/// The string or number at a path, as text; empty if there is none.
fn text(whole: &Value, path: &str) -> String {
    match whole.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    }
}

fn optional(whole: &Value, path: &str) -> Option<String> {
    Some(text(whole, path)).filter(|text| !text.is_empty())
}

fn required(whole: &Value, path: &str, missing: &'static str) -> Result<String, Ignored> {
    optional(whole, path).ok_or(Ignored::Malformed(missing))
}

/// A time in milliseconds, or in microseconds as some events have it.
fn time(value: Option<&Value>) -> Option<DateTime<Utc>> {
    let number: i64 = match value? {
        Value::String(text) => text.parse().ok()?,
        Value::Number(number) => number.as_i64()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if number.unsigned_abs() >= 100_000_000_000_000 {
        DateTime::from_timestamp_micros(number)
    } else {
        DateTime::from_timestamp_millis(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    use super::*;

    fn received(chat_type: &str, text: &str, mentions: &Value) -> Value {
        json!({
            "schema": "2.0",
            "header": {"event_id": "ev_1", "event_type": "im.message.receive_v1"},
            "event": {
                "sender": {"sender_id": {"open_id": "ou_me"}, "sender_type": "user"},
                "message": {
                    "message_id": "om_1", "chat_id": "oc_1", "chat_type": chat_type,
                    "create_time": "1609073151345", "message_type": "text",
                    "content": json!({"text": text}).to_string(), "mentions": mentions,
                },
            },
        })
    }

    fn read(whole: &Value) -> Event {
        parse(whole.to_string().as_bytes(), Some("ou_bot"))
    }

    fn as_message(whole: &Value) -> FeishuMessage {
        match read(whole) {
            Event::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    fn why(event: Event) -> Ignored {
        match event {
            Event::Ignored { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_private_message() {
        let message = as_message(&received("p2p", "/help", &Value::Null));
        assert_eq!(message.content, Content::Text("/help".into()));
        assert_eq!(
            message.create_time.unwrap().timestamp_millis(),
            1_609_073_151_345
        );
        assert_eq!(
            (message.open_id.as_str(), message.thread_id),
            ("ou_me", None)
        );
    }

    #[test]
    fn groups_need_a_mention_which_is_taken_out() {
        let bot = json!([
            {"key": "@_user_1", "id": {"open_id": "ou_bot"}, "name": "Helper"},
            {"key": "@_user_10", "id": {"open_id": "ou_tom"}, "name": "Tom"},
        ]);
        let message = as_message(&received("group", "@_user_1 ask @_user_10 please", &bot));
        assert!(message.mentions_bot);
        assert_eq!(message.content, Content::Text("ask @Tom please".into()));

        let other = json!([{"key": "@_user_1", "id": {"open_id": "ou_tom"}, "name": "Tom"}]);
        let event = read(&received("group", "@_user_1 hi", &other));
        assert_eq!(why(event), Ignored::NotAddressed);
        let everybody = json!([{"key": "@_all", "name": "all"}]);
        assert_eq!(
            why(read(&received("group", "@_all hi", &everybody))),
            Ignored::NotAddressed
        );
    }

    #[test]
    fn bots_are_not_listened_to() {
        let mut other = received("p2p", "hi", &Value::Null);
        other["event"]["sender"]["sender_type"] = "app".into();
        assert_eq!(why(read(&other)), Ignored::FromBot);
        let mut own = received("p2p", "hi", &Value::Null);
        own["event"]["sender"]["sender_id"]["open_id"] = "ou_bot".into();
        assert_eq!(why(read(&own)), Ignored::FromBot);
    }

    #[test]
    fn a_tap() {
        let whole = json!({
            "header": {"event_id": "ev_2", "event_type": "card.action.trigger", "create_time": "1609073151345000"},
            "event": {
                "operator": {"open_id": "ou_me"}, "token": "c-1",
                "action": {"value": {"do": "stop"}, "tag": "button", "form_value": {"why": "no"}},
                "context": {"open_message_id": "om_9", "open_chat_id": "oc_9"},
            },
        });
        let Event::Tap(tap) = read(&whole) else {
            panic!("not a tap");
        };
        assert_eq!(tap.value, json!({"do": "stop"}));
        assert_eq!(tap.form_value, json!({"why": "no"}));
        assert_eq!(
            (tap.message_id.as_str(), tap.chat_id.as_str()),
            ("om_9", "oc_9")
        );
        assert_eq!(tap.token.expose_secret(), "c-1");
        assert!(!format!("{tap:?}").contains("c-1"));
    }

    #[test]
    fn what_is_unknown_or_broken_is_ignored() {
        assert_eq!(
            why(parse(b"\xff", None)),
            Ignored::Malformed("the payload is not JSON")
        );
        assert_eq!(why(parse(b"[]", None)), Ignored::UnknownType);
        let new = json!({"header": {"event_type": "im.chat.something_v7"}});
        assert_eq!(why(read(&new)), Ignored::UnknownType);
        let empty = json!({"header": {"event_type": "im.message.receive_v1"}});
        assert_eq!(why(read(&empty)), Ignored::Malformed("no message_id"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = prop::sample::select(vec![
                "tag", "text", "content", "title", "mentions", "key", "id", "open_id", "name",
                "href", "language",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..5).prop_map(|pairs| {
                    let pairs = pairs
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value));
                    Value::Object(pairs.collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_shape_makes_it_fail(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            kind in prop::sample::select(vec!["text", "post", "image", "new"]),
            content in any_json(),
            mentions in any_json(),
            tag in prop::sample::select(vec!["text", "a", "at", "img", "code_block", "hr", "new"]),
        ) {
            let _ = parse(&bytes, None);
            let node = json!({"tag": tag, "text": content, "user_id": mentions, "href": content});
            for content in [content.clone(), json!({"title": content, "content": [[node]]})] {
                let mut whole = received("p2p", "", &mentions);
                whole["event"]["message"]["message_type"] = kind.into();
                whole["event"]["message"]["content"] = content.to_string().into();
                prop_assert!(matches!(read(&whole), Event::Message(_)));
            }
            for member in ["event", "header"] {
                let mut whole = received("group", "", &mentions);
                whole[member] = content.clone();
                let _ = read(&whole);
            }
        }
    }
}
