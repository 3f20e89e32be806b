//! What a test sees of the platform: messages, requests, acks, connections.
//!
//! Exists so that tests read plain values instead of the platform's inner state. How they come
//! about is left to `world`.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::fault::{Class, Fault};
use super::read;

/// A message of the bot, as the person sees it now.
#[derive(Clone, Debug)]
pub struct BotMessage {
    /// `om_…`.
    pub message_id: String,
    /// `oc_…`.
    pub chat_id: String,
    /// `text`, `post`, `interactive`, `image`, `file`, …
    pub msg_type: String,
    /// The current content, parsed. For a card entity: the entity's card as it is now.
    pub content: Value,
    /// When it was sent.
    pub sent_at: Instant,
    /// Every change since, oldest first.
    pub edits: Vec<Edit>,
    /// The idempotency key it was sent with.
    pub uuid: Option<String>,
    /// How often the same uuid was sent again and answered with this message.
    pub repeats: usize,
    /// The message it replies to.
    pub reply_to: Option<String>,
    /// Whether the reply was put into a topic.
    pub in_thread: bool,
    /// The reactions on it, by whomever.
    pub reactions: Vec<Reaction>,
    /// Taken back.
    pub recalled: bool,
    /// The card entity it shows.
    pub card_id: Option<String>,
    /// The entity's streaming mode is on.
    pub streaming: bool,
}

/// One change of a message.
#[derive(Clone, Debug)]
pub struct Edit {
    /// When it was done.
    pub at: Instant,
    /// By which call.
    pub how: How,
    /// The whole content after it.
    pub content: Value,
}

/// The call that changed a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// `PATCH` of the message.
    Patch,
    /// `PUT` of the message.
    Put,
    /// A card in the answer to a tap.
    Callback,
    /// The delayed update after a tap.
    Delayed,
    /// Streamed text of a card entity's element.
    Stream,
    /// Settings of a card entity.
    Settings,
    /// A card entity replaced.
    Replace,
    /// Elements of a card entity added, changed or removed.
    Elements,
}

/// One reaction on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Id to remove it by.
    pub reaction_id: String,
    /// For example `OnIt`.
    pub emoji: String,
    /// Made by the bot; else by a person.
    pub by_bot: bool,
}

/// A button as it stands in a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// Its callback value; null when it only opens a page or submits a form without one.
    pub value: Value,
    /// Its component name.
    pub name: Option<String>,
    /// Cannot be pressed.
    pub disabled: bool,
    /// The form it stands in.
    pub form: Option<String>,
}

impl BotMessage {
    /// All text a person can read in it, line by line: also headers, buttons and options.
    pub fn text(&self) -> String {
        read::text(&self.msg_type, &self.content)
    }

    /// The buttons of a card, in reading order.
    pub fn buttons(&self) -> Vec<Button> {
        read::buttons(&self.content)
    }

    /// The card's line for the chat list (`config.summary.content`).
    pub fn summary(&self) -> Option<&str> {
        self.content.pointer("/config/summary/content")?.as_str()
    }

    /// Whether a button with this label is there and can be pressed.
    pub fn has_button(&self, label: &str) -> bool {
        self.buttons()
            .iter()
            .any(|b| b.label == label && !b.disabled)
    }
}

/// One line of a chat, the person's and the bot's mixed, in the order they appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `om_…`.
    pub message_id: String,
    /// The open_id of the sender, or nothing for the bot.
    pub from: Option<String>,
    /// Its text, as [`BotMessage::text`] has it.
    pub text: String,
}

/// One request the platform received.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came.
    pub at: Instant,
    /// What kind it is.
    pub class: Class,
    /// `GET`, `POST`, …
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query, or an empty text.
    pub query: String,
    /// Parsed JSON; null for uploads and empty bodies.
    pub body: Value,
    /// The HTTP status answered; nothing while it runs and when no answer was given.
    pub status: Option<u16>,
    /// The platform's code answered.
    pub code: Option<i64>,
    /// The ordered fault that struck it.
    pub fault: Option<Fault>,
}

/// One answer to a delivery.
#[derive(Clone, Debug)]
pub struct Ack {
    /// When it came.
    pub at: Instant,
    /// The delivery's own id (the header `message_id`).
    pub delivery_id: String,
    /// The event's id.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// The chat message the event was about.
    pub message_id: Option<String>,
    /// Index into [`Connection`]s of the one it was sent to.
    pub connection: usize,
    /// From the last frame sent to the ack's arrival.
    pub latency: Duration,
    /// 200 is good.
    pub code: i64,
    /// The handling time the client states, in ms. The Node SDK subtracts the wrong way round: 0 or
    /// less.
    pub biz_rt: Option<i64>,
    /// The handler's answer, decoded.
    pub data: Option<Value>,
    /// Whether the platform took it as "handled".
    pub accepted: bool,
    /// Why it was not taken although the code was 200: a header changed, too late, …
    pub problem: Option<String>,
}

/// One try to deliver an event, answered or not.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The event's type.
    pub event_type: String,
    /// The chat message the event was about.
    pub message_id: Option<String>,
    /// Index into [`Connection`]s of the one it was sent to.
    pub connection: usize,
    /// When its last frame was sent.
    pub sent_at: Instant,
}

/// One websocket connection, open or gone.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its index, in the order of connecting.
    pub index: usize,
    /// Out of its URL.
    pub device_id: String,
    /// Out of its URL.
    pub service_id: i32,
    /// When it was opened.
    pub opened_at: Instant,
    /// When it ended.
    pub closed_at: Option<Instant>,
    /// When each ping came.
    pub pings: Vec<Instant>,
    /// Fallen silent by [`Fault::HalfOpen`].
    pub half_open: bool,
}

impl Connection {
    /// Still connected, as far as the platform knows.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

/// What came of pressing a button.
#[derive(Clone, Debug)]
pub struct CallbackAnswer {
    /// 0, or the code the person's client shows: 200340 nobody connected, 200341 not within 3 s,
    /// 200671 the handler failed, 200672 an answer of the wrong shape, 200673 a bad card in it,
    /// 200830 a card that is not schema 2.0.
    pub code: i64,
    /// The toast shown.
    pub toast: Option<Toast>,
    /// The card that replaced the old one.
    pub card: Option<Value>,
    /// How long it took.
    pub latency: Duration,
    /// The token for a delayed update.
    pub token: String,
}

/// A short notice over the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// `info`, `success`, `error` or `warning`.
    pub kind: String,
    /// What it says.
    pub content: String,
    /// What an app in Chinese shows in its place, if that was said.
    pub zh_cn: Option<String>,
}
