//! Group chats, and chats that refuse.
//!
//! Exists because a group changes who may be answered and how fast. Speaking in one is left to
//! `user` (`SayOptions::chat`).

use super::Feishu;
use super::world::{Chat, id};

/// A group with the bot in it; cheap to clone.
#[derive(Clone)]
pub struct Group {
    feishu: Feishu,
    chat_id: String,
}

impl Feishu {
    /// Makes a group of these people and the bot.
    pub fn group(&self, open_ids: &[&str]) -> Group {
        let chat_id = id("oc");
        let members = open_ids.iter().map(|m| (*m).to_owned()).collect();
        self.core.step(|w| {
            for open_id in open_ids {
                w.person(open_id);
            }
            let chat = Chat {
                group: true,
                members,
                log: Vec::new(),
                refuses: None,
            };
            w.chats.insert(chat_id.clone(), chat);
        });
        Group {
            feishu: self.clone(),
            chat_id,
        }
    }

    /// Makes sends into a chat fail with this code (230002: not in the group, 230053: stopped by the
    /// person, 232009: dissolved, …), or work again.
    ///
    /// # Panics
    /// If there is no such chat.
    pub fn refuse_messages(&self, chat_id: &str, code: Option<i64>) {
        self.core
            .step(|w| w.chats.get_mut(chat_id).expect("a known chat").refuses = code);
    }
}

impl Group {
    /// `oc_…`.
    pub fn chat_id(&self) -> &str {
        &self.chat_id
    }

    /// Throws the bot out.
    pub fn remove_bot(&self) {
        self.feishu.refuse_messages(&self.chat_id, Some(230_002));
    }

    /// The bot's messages in it.
    pub fn messages(&self) -> Vec<super::BotMessage> {
        self.feishu.messages(&self.chat_id)
    }
}
