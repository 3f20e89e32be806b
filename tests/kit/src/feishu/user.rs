//! A person with a chat app: says things, sends files, takes messages back.
//!
//! Exists to make the events the bot lives on, in the platform's own shape. Pressing buttons is left
//! to `tap`, carrying the events to `delivery`.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Feishu;
use super::delivery::{Order, Outgoing, Plan, deliver};
use super::record::{BotMessage, Entry};
use super::world::{Media, Message, World, id};

/// A person; cheap to clone.
#[derive(Clone)]
pub struct User {
    pub(crate) feishu: Feishu,
    pub(crate) open_id: String,
}

/// How something is said; the default is a plain text in the private chat.
#[derive(Clone, Debug, Default)]
pub struct SayOptions {
    /// The message's id; nothing makes a new one. An id said before repeats its event.
    pub message_id: Option<String>,
    /// The event's id; nothing makes a new one.
    pub event_id: Option<String>,
    /// Frames the event is cut into; 0 and 1 are the same.
    pub parts: usize,
    /// In which order they go out.
    pub order: Order,
    /// `message_type`; nothing is `text`.
    pub msg_type: Option<String>,
    /// The parsed content, instead of the text.
    pub content: Option<Value>,
    /// A group's chat id; nothing is the private chat.
    pub chat: Option<String>,
    /// Mention the bot: puts `@_user_1 ` before the text and the bot among the mentions.
    pub mention: bool,
    /// When it was said, in ms since 1970; nothing is now.
    pub create_time: Option<u128>,
    /// The message it replies to.
    pub reply_to: Option<String>,
    /// The topic it stands in.
    pub thread_id: Option<String>,
}

impl Feishu {
    /// The person with this open_id; known from the first call on, with a private chat.
    pub fn user(&self, open_id: &str) -> User {
        self.core.step(|w| {
            w.person(open_id);
        });
        User {
            feishu: self.clone(),
            open_id: open_id.to_owned(),
        }
    }

    /// Tells the bot of a person's message once more, under another event id.
    ///
    /// # Panics
    /// If no person said it.
    pub fn redeliver(&self, message_id: &str, new_event_id: Option<&str>) {
        let event = self
            .core
            .look(|w| w.messages.get(message_id).and_then(|m| m.event.clone()));
        let event = event.unwrap_or_else(|| panic!("nobody said {message_id}"));
        self.emit_as(
            new_event_id,
            "im.message.receive_v1",
            &event,
            Some(message_id),
            Plan::default(),
        );
    }

    /// Sends the bot any event, in a schema 2.0 envelope with a new event id, which is returned.
    pub fn emit(&self, event_type: &str, event: &Value) -> String {
        self.emit_as(None, event_type, event, None, Plan::default())
    }

    fn emit_as(
        &self,
        event_id: Option<&str>,
        event_type: &str,
        event: &Value,
        message_id: Option<&str>,
        plan: Plan,
    ) -> String {
        let event_id = event_id.map_or_else(|| id("ev"), str::to_owned);
        let envelope = self.core.look(|w| w.envelope(&event_id, event_type, event));
        let message_id = message_id.map(str::to_owned);
        deliver(
            &self.core,
            Outgoing {
                envelope,
                message_id,
                plan,
            },
        );
        event_id
    }
}

impl User {
    /// `ou_…`.
    pub fn open_id(&self) -> &str {
        &self.open_id
    }

    /// The private chat with the bot.
    pub fn chat_id(&self) -> String {
        self.feishu
            .core
            .look(|w| w.people[&self.open_id].chat.clone())
    }

    /// Says a text in the private chat; returns the message id.
    pub fn say(&self, text: &str) -> String {
        self.say_with(text, SayOptions::default())
    }

    /// Says something in a particular way; returns the message id.
    pub fn say_with(&self, text: &str, options: SayOptions) -> String {
        let plan = Plan {
            parts: options.parts,
            order: options.order,
        };
        let event_id = options.event_id.clone();
        let (message_id, event) = self.feishu.core.step(|w| self.put(w, text, options));
        let kind = "im.message.receive_v1";
        self.feishu
            .emit_as(event_id.as_deref(), kind, &event, Some(&message_id), plan);
        message_id
    }

    /// Sends an image; returns the message id.
    pub fn send_image(&self, bytes: impl Into<Bytes>) -> String {
        let (message_id, key) = (id("om"), id("img_v3"));
        self.attach(&message_id, &key, "image", "", bytes.into());
        let content = Some(json!({"image_key": key}));
        let msg_type = Some("image".to_owned());
        let options = SayOptions {
            message_id: Some(message_id),
            msg_type,
            content,
            ..SayOptions::default()
        };
        self.say_with("", options)
    }

    /// Sends a file; returns the message id.
    pub fn send_file(&self, name: &str, bytes: impl Into<Bytes>) -> String {
        let (message_id, key) = (id("om"), id("file_v3"));
        self.attach(&message_id, &key, "file", name, bytes.into());
        let content = Some(json!({"file_key": key, "file_name": name}));
        let msg_type = Some("file".to_owned());
        let options = SayOptions {
            message_id: Some(message_id),
            msg_type,
            content,
            ..SayOptions::default()
        };
        self.say_with("", options)
    }

    /// Puts bytes behind a key of a message that is said next with this id, for content of one's
    /// own making. `kind` is `image` or `file`.
    pub fn attach(&self, message_id: &str, key: &str, kind: &str, name: &str, bytes: Bytes) {
        let media = Media {
            kind: kind.to_owned(),
            name: name.to_owned(),
            bytes,
            message_id: Some(message_id.to_owned()),
        };
        self.feishu
            .core
            .step(|w| w.media.insert(key.to_owned(), media));
    }

    /// Takes an own message back.
    pub fn recall(&self, message_id: &str) {
        let event = self.feishu.core.step(|w| {
            let time = w.now_ms().to_string();
            let message = w
                .messages
                .get_mut(message_id)
                .expect("a message to take back");
            message.recalled = true;
            json!({"message_id": message_id, "chat_id": message.chat_id, "recall_time": time,
                   "recall_type": "message_owner"})
        });
        self.feishu.emit("im.message.recalled_v1", &event);
    }

    /// Reacts to any message with an emoji.
    pub fn react(&self, message_id: &str, emoji: &str) {
        let event = self.feishu.core.step(|w| {
            super::reaction::put(w, message_id, emoji, false).expect("a message to react to");
            json!({"message_id": message_id, "reaction_type": {"emoji_type": emoji},
                   "operator_type": "user", "user_id": w.ids(&self.open_id),
                   "action_time": w.now_ms().to_string()})
        });
        self.feishu.emit("im.message.reaction.created_v1", &event);
    }

    /// Picks an entry of the bot's menu.
    pub fn menu(&self, event_key: &str) {
        let event = self.feishu.core.look(|w| {
            json!({"operator": {"operator_name": self.open_id, "operator_id": w.ids(&self.open_id)},
                   "event_key": event_key, "timestamp": w.now_ms().to_string()})
        });
        self.feishu.emit("application.bot.menu_v6", &event);
    }

    /// Opens the private chat.
    pub fn enter(&self) {
        let event = self.feishu.core.look(|w| {
            json!({"chat_id": w.people[&self.open_id].chat, "operator_id": w.ids(&self.open_id)})
        });
        self.feishu
            .emit("im.chat.access_event.bot_p2p_chat_entered_v1", &event);
    }

    /// The bot's messages in the private chat.
    pub fn messages(&self) -> Vec<BotMessage> {
        self.feishu.messages(&self.open_id)
    }

    /// Both sides of the private chat, in order.
    pub fn timeline(&self) -> Vec<Entry> {
        self.feishu.timeline(&self.open_id)
    }

    /// Waits for one of the bot's messages in the private chat.
    ///
    /// # Errors
    /// After `within`, with all there is to see.
    pub async fn wait_message(
        &self,
        wanted: impl Fn(&BotMessage) -> bool,
        within: Duration,
    ) -> anyhow::Result<BotMessage> {
        self.feishu
            .wait_message(&self.open_id, wanted, within)
            .await
    }

    /// Waits for a message of the bot in the private chat whose text holds `part`.
    ///
    /// # Errors
    /// After `within`, with all there is to see.
    pub async fn wait_text(&self, part: &str, within: Duration) -> anyhow::Result<BotMessage> {
        self.wait_message(|m| m.text().contains(part), within).await
    }

    /// Makes sends into the private chat fail with this code (for example 230053: the person has
    /// stopped the bot), or work again.
    pub fn refuse_messages(&self, code: Option<i64>) {
        self.feishu.refuse_messages(&self.chat_id(), code);
    }

    fn put(&self, world: &mut World, text: &str, options: SayOptions) -> (String, Value) {
        let message_id = options.message_id.unwrap_or_else(|| id("om"));
        if let Some(event) = world
            .messages
            .get(&message_id)
            .and_then(|m| m.event.clone())
        {
            return (message_id, event);
        }
        let chat_id = options
            .chat
            .unwrap_or_else(|| world.people[&self.open_id].chat.clone());
        let chat = world
            .chats
            .get(&chat_id)
            .unwrap_or_else(|| panic!("no chat {chat_id}"));
        let chat_type = if chat.group { "group" } else { "p2p" };
        let text = if options.mention {
            format!("@_user_1 {text}")
        } else {
            text.to_owned()
        };
        let content = options.content.unwrap_or_else(|| json!({ "text": text }));
        let msg_type = options.msg_type.unwrap_or_else(|| "text".to_owned());
        let create_ms = options.create_time.unwrap_or_else(|| world.now_ms());
        let mut message = json!({
            "message_id": message_id, "create_time": create_ms.to_string(),
            "update_time": create_ms.to_string(), "chat_id": chat_id, "chat_type": chat_type,
            "message_type": msg_type, "content": content.to_string(), "user_agent": "kit"});
        if let Some(parent) = &options.reply_to {
            let root = world
                .messages
                .get(parent)
                .and_then(|m| m.reply_to.as_ref())
                .unwrap_or(parent);
            message["root_id"] = json!(root);
            message["parent_id"] = json!(parent);
        }
        if let Some(thread) = &options.thread_id {
            message["thread_id"] = json!(thread);
        }
        if options.mention {
            message["mentions"] = json!([{"key": "@_user_1", "name": "PhoneWork",
                "id": {"union_id": "on_bot", "user_id": null, "open_id": world.bot_open_id},
                "mentioned_type": "bot", "tenant_key": "tenant_kit"}]);
            if world.settings.unmarked_mentions {
                message["mentions"][0]["mentioned_type"] = Value::Null;
            }
        }
        let event = json!({
            "sender": {"sender_id": world.ids(&self.open_id), "sender_type": "user",
                       "tenant_key": "tenant_kit"},
            "message": message});
        let sent_at = world.now();
        world.post(Message {
            id: message_id.clone(),
            chat_id,
            from: Some(self.open_id.clone()),
            msg_type,
            content,
            sent_at,
            create_ms,
            uuid: None,
            repeats: 0,
            reply_to: options.reply_to,
            in_thread: options.thread_id.is_some(),
            reactions: Vec::new(),
            edits: Vec::new(),
            recalled: false,
            card_id: None,
            event: Some(event.clone()),
        });
        (message_id, event)
    }
}
