//! Reminders for the chat model: asked of the router, which keeps them, so that they come whatever becomes of
//! this machine. The answers are texts in the person's language, for the model to pass on.

use std::time::Duration;

use bytes::Bytes;
use common::broker::Broker;
use common::ids::{MessageId, NodeId};
use common::message::remind::{ANSWERED_WITHIN, RemindAnswer, RemindAsk, RemindWish};
use common::message::{Meta, decode, encode};
use common::subject;
use common::text::Say as _;
use common::text::host::remind::RemindText;
use tokio::time::Instant;
use tracing::debug;

use crate::context::Origin;

/// Before the router is asked once more, where none listened.
const PAUSE: Duration = Duration::from_millis(300);

/// Handle. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reminders {
    broker: Broker,
    node: NodeId,
}

impl Reminders {
    /// For this node, over its own connection.
    pub fn new(broker: Broker, node: NodeId) -> Self {
        Self { broker, node }
    }

    /// Sets a reminder: `when` in words, `text` what it is about. Asked again with the same cause and `key` it is
    /// the same one. Gives what was understood.
    ///
    /// # Errors
    /// Why it is not set, in the person's language.
    pub async fn set(
        &self,
        origin: &Origin,
        key: &str,
        when: &str,
        text: &str,
    ) -> Result<String, String> {
        let (when, text) = (when.to_owned(), text.to_owned());
        self.ask(origin, key, RemindWish::Set { when, text }).await
    }

    /// What is set, a line for each.
    ///
    /// # Errors
    /// Why that cannot be told, in the person's language.
    pub async fn list(&self, origin: &Origin) -> Result<String, String> {
        self.ask(origin, "list", RemindWish::List).await
    }

    /// Takes back the one with that number of the list. Asked again with the same cause and `key` it takes back
    /// no other one.
    ///
    /// # Errors
    /// Why not, in the person's language.
    pub async fn cancel(&self, origin: &Origin, key: &str, number: u32) -> Result<String, String> {
        self.ask(origin, key, RemindWish::Cancel { number }).await
    }

    async fn ask(&self, origin: &Origin, key: &str, wish: RemindWish) -> Result<String, String> {
        let id = MessageId::derived(&[origin.cause.as_str(), "remind", key]);
        let ask = RemindAsk {
            meta: Meta::new(id, origin.cause.clone(), origin.traceparent.as_str()),
            node: self.node.clone(),
            user: origin.user.clone(),
            chat: origin.chat.clone(),
            key: key.to_owned(),
            wish,
        };
        match tokio::time::timeout(ANSWERED_WITHIN, self.answer(&ask)).await {
            Ok(RemindAnswer { done: true, text }) => Ok(text),
            Ok(RemindAnswer { done: false, text }) => Err(text),
            Err(_) => Err(RemindText::Silent.say(origin.lang)),
        }
    }

    /// Asks until there is an answer: for a moment, as one router takes over from another, nobody listens.
    async fn answer(&self, ask: &RemindAsk) -> RemindAnswer {
        let (to, payload) = (subject::remind(&self.node), Bytes::from(encode(ask)));
        loop {
            let since = Instant::now();
            let asked = self.broker.client().request(to.clone(), payload.clone());
            let why = match asked.await {
                Ok(answer) => match decode("answer about reminders", &answer.payload) {
                    Ok(answer) => return answer,
                    Err(why) => why.to_string(),
                },
                Err(why) => why.to_string(),
            };
            debug!(%why, took = ?since.elapsed(), "no answer about reminders; again");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
