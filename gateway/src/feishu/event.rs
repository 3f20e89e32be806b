//! Reads what the platform delivers into our own words.
//!
//! Tolerant by design: every field may be missing or of another shape, and no
//! input makes this fail. Who is allowed to speak, and recognising repeats, is
//! decided elsewhere. The text inside a message is read in `content`.

mod content;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::Value;

pub use content::{Attached, Content};

/// What is known of the bot's own open id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnId {
    /// Nothing yet; it has been asked for.
    Awaited,
    /// It.
    Known(String),
    /// The platform does not tell it to this app.
    Withheld,
}

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
    /// Said in a group with a mention that may be the bot's: to be read again once
    /// its own id is known.
    OwnIdAwaited,
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
    /// This event; may be empty.
    pub event_id: String,
    /// Who pressed.
    pub open_id: String,
    /// The message that shows the card.
    pub message_id: String,
    /// The chat it is in.
    pub chat_id: String,
    /// What the button carried; where that is JSON in a text, what the text says.
    pub value: Value,
    /// The form's fields by name, or null.
    pub form_value: Value,
    /// For two late updates of the card within 30 minutes.
    pub token: SecretString,
}

/// Reads one delivery. Without the bot's own id, a mention that the platform marks
/// as a bot's counts; one without a mark counts once it is clear that the id stays
/// unknown, as apps are commonly told of group messages only when mentioned.
pub fn parse(payload: &[u8], bot: &OwnId) -> Event {
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

fn message(whole: &Value, bot: &OwnId) -> Result<FeishuMessage, Ignored> {
    let open_id = text(whole, "/event/sender/sender_id/open_id");
    let sender_type = text(whole, "/event/sender/sender_type");
    let by_bot = !matches!(sender_type.as_str(), "" | "user");
    if by_bot || matches!(bot, OwnId::Known(bot) if *bot == open_id) {
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
    // Without a kind it is taken for what most people use: a lost message is worse
    // than an answer that nobody asked for.
    let private = matches!(chat_type.as_str(), "" | "p2p" | "private");
    if !private && !mentions_bot {
        return Err(if *bot == OwnId::Awaited && mentions.unclear() {
            Ignored::OwnIdAwaited
        } else {
            Ignored::NotAddressed
        });
    }
    let kind = text(whole, "/event/message/message_type");
    let raw = match whole.pointer("/event/message/content") {
        Some(object @ Value::Object(_)) => object.to_string(),
        Some(_) | None => text(whole, "/event/message/content"),
    };
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
    let value = match member("/event/action/value") {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => value,
    };
    Ok(FeishuTap {
        event_id: text(whole, "/header/event_id"),
        open_id: required(
            whole,
            "/event/operator/open_id",
            "no open_id of the operator",
        )?,
        message_id: first(["/event/context/open_message_id", "/event/open_message_id"]),
        chat_id: first(["/event/context/open_chat_id", "/event/open_chat_id"]),
        value,
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
mod tests;
