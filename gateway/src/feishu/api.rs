//! The REST calls, with token, rate limits and retries.
//!
//! Every call waits for its turn, is repeated where that is safe and of use, and
//! gives up after a bounded time (all that in `call`). What to do then, and
//! remembering what was sent, is left to the user of this.

mod call;
mod dangling;
mod media;

use std::fmt::Write as _;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

pub use self::call::Patience;
use self::call::{Call, Caller, Repeat, Turn};
use super::FeishuOptions;
use super::error::{ApiError, ErrorKind};
use super::limits::{CARD_BYTES, TEXT_BYTES, UUID_CHARS, wire_len};
use super::tags;

/// Whom a new message goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// A chat by its `chat_id`.
    Chat(String),
    /// A person by `open_id`; makes the private chat if there is none.
    Person(String),
}

impl Receiver {
    fn kind(&self) -> &'static str {
        match self {
            Self::Chat(_) => "chat_id",
            Self::Person(_) => "open_id",
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Chat(id) | Self::Person(id) => id,
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Plain text.
    Text(String),
    /// Rich text: the object with the locale level.
    Post(Value),
    /// A card of schema 2.0.
    Card(Value),
    /// A picture by its key.
    Image(String),
    /// A file by its key.
    File(String),
}

impl Message {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Post(_) => "post",
            Self::Card(_) => "interactive",
            Self::Image(_) => "image",
            Self::File(_) => "file",
        }
    }

    /// The content as the platform wants it: JSON, to be put into a string.
    pub fn content(&self) -> String {
        match self {
            Self::Text(text) => json!({ "text": tags::without(text) }).to_string(),
            Self::Post(object) | Self::Card(object) => object.to_string(),
            Self::Image(key) => json!({ "image_key": key }).to_string(),
            Self::File(key) => json!({ "file_key": key }).to_string(),
        }
    }

    fn limit(&self) -> usize {
        match self {
            Self::Text(_) | Self::Image(_) | Self::File(_) => TEXT_BYTES,
            Self::Post(_) | Self::Card(_) => CARD_BYTES,
        }
    }

    /// [`Message::content`], unless it is over the limit.
    fn checked(&self, call: &'static str) -> Result<String, ApiError> {
        let content = self.content();
        let bytes = wire_len(&content);
        if bytes > self.limit() {
            let text = format!(
                "{} of {bytes} bytes is over the limit of {}",
                self.kind(),
                self.limit()
            );
            return Err(ApiError::local(call, ErrorKind::TooLong, text));
        }
        Ok(content)
    }
}

/// A message as the platform confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id; `None` if the platform confirmed without naming it, as it may for
    /// a repeated idempotency key.
    pub message_id: Option<String>,
    /// The chat it went to, where named.
    pub chat_id: Option<String>,
}

/// What the platform says about our bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotInfo {
    /// The bot's own id, as it stands in mentions.
    pub open_id: String,
    /// Its name.
    pub name: String,
    /// 2 means that the bot is on.
    pub activate_status: i64,
}

/// The calls of one app. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    caller: Arc<Caller>,
}

impl Api {
    /// Makes no call yet. All clones share token and rate limits; make one per app.
    pub fn new(options: FeishuOptions, http: reqwest::Client, patience: Patience) -> Self {
        Self {
            caller: Arc::new(Caller::new(options, http, patience)),
        }
    }

    /// Sends a new message. `uuid` (at most 50 characters) makes repeats harmless
    /// for an hour: keep it per message and part, also across restarts, and take
    /// another when the content changes. Without it a call of unknown outcome is not
    /// repeated.
    pub async fn send(
        &self,
        to: &Receiver,
        message: &Message,
        uuid: Option<&str>,
    ) -> Result<Sent, ApiError> {
        let name = "send";
        let mut body = message_body(name, message, uuid)?;
        insert(&mut body, "receive_id", to.id().into());
        self.caller
            .call(Call {
                name,
                method: Method::POST,
                path: "/open-apis/im/v1/messages".into(),
                query: &[("receive_id_type", to.kind())],
                body: Some(body),
                upload: None,
                repeat: repeat(uuid),
                turn: Turn::Chat(to.id()),
            })
            .await
            .map_or_else(or_repeated, |data| Ok(sent(&data)))
    }

    /// Answers a message, in its topic if `in_thread`. `chat_id` is the chat the
    /// message is in, for the rate limit; `uuid` as in [`Api::send`].
    pub async fn reply(
        &self,
        chat_id: &str,
        message_id: &str,
        message: &Message,
        in_thread: bool,
        uuid: Option<&str>,
    ) -> Result<Sent, ApiError> {
        let name = "reply";
        let mut body = message_body(name, message, uuid)?;
        if in_thread {
            insert(&mut body, "reply_in_thread", true.into());
        }
        self.caller
            .call(Call {
                name,
                method: Method::POST,
                path: format!("{}/reply", message_path(name, message_id)?),
                query: &[],
                body: Some(body),
                upload: None,
                repeat: repeat(uuid),
                turn: Turn::Chat(chat_id),
            })
            .await
            .map_or_else(or_repeated, |data| Ok(sent(&data)))
    }

    /// Replaces the card of one of our own messages.
    pub async fn patch(&self, message_id: &str, card: &Value) -> Result<(), ApiError> {
        let name = "patch";
        let content = Message::Card(card.clone()).checked(name)?;
        self.caller
            .call(Call {
                name,
                method: Method::PATCH,
                path: message_path(name, message_id)?,
                query: &[],
                body: Some(json!({ "content": content })),
                upload: None,
                repeat: Repeat::Safe,
                turn: Turn::Edit(message_id),
            })
            .await
            .map(drop)
    }

    /// Since when an edit of a message is out whose end nobody saw, if one is: it may still reach
    /// the platform after newer ones. Known for two minutes.
    pub fn dangling(&self, message_id: &str) -> Option<Instant> {
        self.caller.dangling.since(message_id)
    }

    /// Whatever dangled has been made up for.
    pub fn made_up_for(&self, message_id: &str) {
        self.caller.dangling.forget(message_id);
    }

    /// Puts a reaction under a message; returns its id for [`Api::unreact`].
    pub async fn react(&self, message_id: &str, emoji: &str) -> Result<String, ApiError> {
        let name = "react";
        let data = self
            .caller
            .call(Call {
                name,
                method: Method::POST,
                path: format!("{}/reactions", message_path(name, message_id)?),
                query: &[],
                body: Some(json!({"reaction_type": {"emoji_type": emoji}})),
                upload: None,
                repeat: Repeat::Safe,
                turn: Turn::None,
            })
            .await?;
        text(&data, "reaction_id").ok_or_else(|| {
            let message = "the answer holds no reaction_id";
            ApiError::local(name, ErrorKind::Permanent, message)
        })
    }

    /// Takes one of our own reactions away.
    pub async fn unreact(&self, message_id: &str, reaction_id: &str) -> Result<(), ApiError> {
        let name = "unreact";
        let path = message_path(name, message_id)?;
        self.caller
            .call(Call {
                name,
                method: Method::DELETE,
                path: format!("{path}/reactions/{}", segment(name, reaction_id)?),
                query: &[],
                body: None,
                upload: None,
                repeat: Repeat::Safe,
                turn: Turn::None,
            })
            .await
            .map(drop)
    }

    /// Who the bot is. Also a good test of the credentials.
    pub async fn bot_info(&self) -> Result<BotInfo, ApiError> {
        let name = "bot info";
        let answer = self
            .caller
            .call(Call {
                name,
                method: Method::GET,
                path: "/open-apis/bot/v3/info".into(),
                query: &[],
                body: None,
                upload: None,
                repeat: Repeat::Safe,
                turn: Turn::None,
            })
            .await?;
        let bot = answer.get("bot").unwrap_or(&Value::Null);
        let open_id = text(bot, "open_id").ok_or_else(|| {
            let message = "the answer holds no bot.open_id; is the bot ability of the app on?";
            ApiError::local(name, ErrorKind::Permanent, message)
        })?;
        Ok(BotInfo {
            open_id,
            name: text(bot, "app_name").unwrap_or_default(),
            activate_status: bot
                .get("activate_status")
                .and_then(Value::as_i64)
                .unwrap_or(0),
        })
    }
}

fn repeat(uuid: Option<&str>) -> Repeat<'_> {
    uuid.map_or(Repeat::OnlyIfUndone, Repeat::Keyed)
}

/// A key that was used before has done its work: the message is there, under an id that nobody
/// tells us.
fn or_repeated(error: ApiError) -> Result<Sent, ApiError> {
    if !error.is_repeat() {
        return Err(error);
    }
    tracing::warn!(%error, "the platform has this message already");
    Ok(Sent {
        message_id: None,
        chat_id: None,
    })
}

fn message_body(
    call: &'static str,
    message: &Message,
    uuid: Option<&str>,
) -> Result<Value, ApiError> {
    let mut body = json!({"msg_type": message.kind(), "content": message.checked(call)?});
    if let Some(uuid) = uuid {
        let chars = uuid.chars().count();
        if chars == 0 || chars > UUID_CHARS {
            let text = format!("the uuid has {chars} characters; it must have 1 to {UUID_CHARS}");
            return Err(ApiError::local(call, ErrorKind::Permanent, text));
        }
        insert(&mut body, "uuid", uuid.into());
    }
    Ok(body)
}

fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

fn message_path(call: &'static str, message_id: &str) -> Result<String, ApiError> {
    Ok(format!(
        "/open-apis/im/v1/messages/{}",
        segment(call, message_id)?
    ))
}

/// An id as a part of the path.
fn segment(call: &'static str, id: &str) -> Result<String, ApiError> {
    if matches!(id, "" | "." | "..") {
        let text = format!("not an id of the platform: {id:?}");
        return Err(ApiError::local(call, ErrorKind::Permanent, text));
    }
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-.=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out)
}

fn text(object: &Value, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn sent(data: &Value) -> Sent {
    Sent {
        message_id: text(data, "message_id"),
        chat_id: text(data, "chat_id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_in_bytes_before_sending() {
        let text = Message::Text("字".repeat(TEXT_BYTES / 3));
        let refused = message_body("send", &text, None).expect_err("over the limit");
        assert_eq!(refused.kind, ErrorKind::TooLong);
        insta::assert_snapshot!(refused.message, @"text of 140013 bytes is over the limit of 140000");
        let fits = Message::Text("a".repeat(TEXT_BYTES - 20));
        assert!(message_body("send", &fits, Some("u-1")).is_ok());
    }

    #[test]
    fn ids_and_uuids_are_checked() {
        for (id, path) in [
            ("om_a-b=1", "om_a-b=1"),
            ("a/../b?x", "a%2F..%2Fb%3Fx"),
            ("字", "%E5%AD%97"),
        ] {
            assert_eq!(segment("reply", id).unwrap(), path);
        }
        for id in ["", ".", ".."] {
            assert!(segment("reply", id).is_err(), "{id}");
        }
        let text = Message::Text("hi".into());
        assert!(message_body("send", &text, Some(&"x".repeat(51))).is_err());
    }
}
