//! Looking at the platform and waiting for something to happen on it.
//!
//! Exists so that no test sleeps: everything that changes wakes the waiting. The values are those of
//! `record`.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::bail;

use super::Feishu;
use super::record::{Ack, Attempt, BotMessage, Call, Connection, Entry, Reaction};

impl Feishu {
    /// The bot's messages in a chat, or in a person's private chat, in the order they appear.
    pub fn messages(&self, chat_or_user: &str) -> Vec<BotMessage> {
        self.core.look(|w| w.bot_messages(chat_or_user))
    }

    /// One message of the bot.
    pub fn message(&self, message_id: &str) -> Option<BotMessage> {
        self.core.look(|w| {
            w.messages
                .get(message_id)
                .filter(|m| m.from.is_none())
                .map(|m| w.view(m))
        })
    }

    /// The bot's messages that reply to this one, in the order they appear.
    pub fn replies(&self, message_id: &str) -> Vec<BotMessage> {
        self.core.look(|w| {
            let said = w.messages.get(message_id);
            let log = said
                .and_then(|m| w.chats.get(&m.chat_id))
                .map_or(&[][..], |c| &c.log);
            // From the end: what is asked about is mostly new, and a chat may be long.
            let behind = log.iter().rev().take_while(|id| *id != message_id);
            let mut found: Vec<BotMessage> = behind
                .filter_map(|id| w.messages.get(id))
                .filter(|m| m.from.is_none() && m.reply_to.as_deref() == Some(message_id))
                .map(|m| w.view(m))
                .collect();
            found.reverse();
            found
        })
    }

    /// Everything in a chat, the person's and the bot's, in the order it appears.
    pub fn timeline(&self, chat_or_user: &str) -> Vec<Entry> {
        self.core.look(|w| w.timeline(chat_or_user))
    }

    /// The chats a person is in, the one with the newest message first.
    pub fn chats(&self, open_id: &str) -> Vec<String> {
        self.core.look(|w| {
            let last = |chat: &super::world::Chat| {
                chat.log
                    .last()
                    .and_then(|id| w.messages.get(id))
                    .map(|m| m.sent_at)
            };
            let mine = w
                .chats
                .iter()
                .filter(|(_, c)| c.members.iter().any(|m| m == open_id));
            let mut mine: Vec<_> = mine.map(|(id, chat)| (last(chat), id.clone())).collect();
            mine.sort_by(|a, b| b.cmp(a));
            mine.into_iter().map(|(_, id)| id).collect()
        })
    }

    /// The reactions on any message, a person's or the bot's.
    pub fn reactions(&self, message_id: &str) -> Vec<Reaction> {
        self.core.look(|w| {
            w.messages
                .get(message_id)
                .map(|m| m.reactions.clone())
                .unwrap_or_default()
        })
    }

    /// All requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.core.look(|w| w.calls.clone())
    }

    /// All answers to deliveries so far.
    pub fn acks(&self) -> Vec<Ack> {
        self.core.look(|w| w.acks.clone())
    }

    /// All tries to deliver an event so far, in their order.
    pub fn attempts(&self) -> Vec<Attempt> {
        let attempt = |pending: &super::world::Pending| Attempt {
            event_type: pending.event_type.clone(),
            message_id: pending.message_id.clone(),
            connection: pending.connection,
            sent_at: pending.sent_at,
        };
        let mut all: Vec<Attempt> = self
            .core
            .look(|w| w.pending.values().map(attempt).collect());
        all.sort_by_key(|attempt| attempt.sent_at);
        all
    }

    /// All websocket connections so far, also those that are gone.
    pub fn connections(&self) -> Vec<Connection> {
        self.core.look(|w| w.connections.clone())
    }

    /// What a client did against the protocol: bad frames, used URLs, … Should stay empty.
    pub fn violations(&self) -> Vec<String> {
        self.core.look(|w| w.violations.clone())
    }

    /// Waits until the bot's messages hold one that `wanted` likes, and returns it.
    ///
    /// # Errors
    /// After `within`, with all there is to see.
    pub async fn wait_message(
        &self,
        chat_or_user: &str,
        wanted: impl Fn(&BotMessage) -> bool,
        within: Duration,
    ) -> anyhow::Result<BotMessage> {
        self.wait_for(
            |f| f.messages(chat_or_user).into_iter().find(&wanted),
            within,
        )
        .await
    }

    /// Waits until `reached` holds.
    ///
    /// # Errors
    /// After `within`, with all there is to see.
    pub async fn wait_until(
        &self,
        reached: impl Fn(&Self) -> bool,
        within: Duration,
    ) -> anyhow::Result<()> {
        self.wait_for(|f| reached(f).then_some(()), within).await
    }

    /// Waits until `look` finds something.
    ///
    /// # Errors
    /// After `within`, with all there is to see.
    pub async fn wait_for<T>(
        &self,
        look: impl Fn(&Self) -> Option<T>,
        within: Duration,
    ) -> anyhow::Result<T> {
        let mut changed = self.core.changed.subscribe();
        let search = async {
            loop {
                changed.borrow_and_update();
                if let Some(found) = look(self) {
                    return found;
                }
                // The sender lives in `self`; an error cannot happen while we wait.
                let _ = changed.changed().await;
            }
        };
        match tokio::time::timeout(within, search).await {
            Ok(found) => Ok(found),
            Err(_) => bail!(
                "not seen within {within:?}; the platform's record:\n{}",
                self.story()
            ),
        }
    }

    /// Waits until `count` connections are open and hear.
    ///
    /// # Errors
    /// After `within`, with all there is to see.
    pub async fn wait_connected(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        let open = |f: &Self| {
            f.connections()
                .iter()
                .filter(|c| c.is_open() && !c.half_open)
                .count()
                == count
        };
        self.wait_until(open, within).await
    }

    /// The last of everything, for a failed test's output.
    pub fn story(&self) -> String {
        let mut story = String::new();
        let chats: Vec<String> = self.core.look(|w| w.chats.keys().cloned().collect());
        for chat in chats {
            let _ = writeln!(story, "chat {chat}");
            for entry in self.timeline(&chat) {
                let from = entry.from.as_deref().unwrap_or("bot");
                let _ = writeln!(story, "  {from}: {:?}", entry.text);
            }
        }
        let calls = self.calls();
        for call in calls.iter().skip(calls.len().saturating_sub(40)) {
            let (status, code) = (
                call.status.unwrap_or_default(),
                call.code.unwrap_or_default(),
            );
            let body: String = call.body.to_string().chars().take(300).collect();
            let _ = writeln!(
                story,
                "{} {} -> {status} {code} {body}",
                call.method, call.path
            );
        }
        for ack in self.acks().iter().rev().take(20).rev() {
            let _ = writeln!(
                story,
                "ack {} {} {:?} {:?}",
                ack.event_type, ack.code, ack.latency, ack.problem
            );
        }
        for connection in self.connections() {
            let _ = writeln!(
                story,
                "connection {} open={}",
                connection.index,
                connection.is_open()
            );
        }
        let _ = writeln!(story, "violations {:?}", self.violations());
        story
    }
}
