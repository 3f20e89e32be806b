//! What every part of a host needs: who we are, where things are, and how to write them down.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use common::broker::Broker;
use common::health::Health;
use common::ids::{CardId, CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::Meta;
use common::message::inbound::Chat;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::View;
use common::message::work::Work;
use secrecy::SecretString;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::journal::{Change, Journal};
use crate::session::slots::Slots;
use crate::workdir::WorkDir;

/// How agents are started on this node.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// The program, when the owner named one; else it is looked for in PATH.
    pub program: Option<PathBuf>,
    /// The owner's extra arguments.
    pub args: Vec<String>,
    /// Directories whose own settings, hooks and servers the owner trusts.
    pub trust: Vec<PathBuf>,
    /// Values that no child process may see.
    pub secrets: Vec<SecretString>,
    /// Variables for the agent on top of our own environment.
    pub env: Vec<(String, String)>,
    /// Live processes at once; the least recently used idle one makes room.
    pub max_live: usize,
}

/// Shared by all tasks of a host.
#[derive(Debug)]
pub struct Context {
    /// This node.
    pub node: NodeId,
    /// What people call it.
    pub name: String,
    /// The memory.
    pub journal: Journal,
    /// The connection, for previews.
    pub broker: Broker,
    /// Where sessions may be.
    pub workdir: WorkDir,
    /// How agents are started.
    pub agents: AgentOptions,
    /// Who may have a live process.
    pub slots: Slots,
    /// For times of day on cards.
    pub timezone: Tz,
    /// What `/health` shows.
    pub health: Health,
    /// All tasks.
    pub tasks: TaskTracker,
    /// The end.
    pub cancel: CancellationToken,
}

impl Context {
    /// Writes `changes` down, again and again until it works: a full disk delays, it loses nothing.
    /// False when we are stopping and it still does not.
    pub async fn commit(self: &Arc<Self>, changes: Vec<Change>) -> bool {
        let mut failing = false;
        loop {
            match self.journal.commit(changes.clone()).await {
                Ok(()) => {
                    if failing {
                        self.health.set("journal", true, json!(null));
                    }
                    return true;
                }
                Err(why) => {
                    error!(%why, "a step cannot be written down; trying on");
                    self.health.set("journal", false, json!(why.to_string()));
                    failing = true;
                    if self.cancel.is_cancelled() {
                        return false;
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// The time of day, as people here read it.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.timezone).format("%H:%M").to_string()
    }
}

/// Where an answer goes, and on whose act.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Who.
    pub user: UserId,
    /// Where.
    pub chat: Chat,
    /// What caused it.
    pub cause: CauseId,
    /// The language to answer in.
    pub lang: Lang,
    /// Trace context.
    pub traceparent: String,
}

impl Origin {
    /// Of a piece of work.
    pub fn of(work: &Work) -> Self {
        Self {
            user: work.inbound.user.clone(),
            chat: work.inbound.chat.clone(),
            cause: work.inbound.meta.cause.clone(),
            lang: work.lang,
            traceparent: work.inbound.meta.traceparent.clone(),
        }
    }

    /// A state of a card, to be put into the outbox.
    pub fn card(&self, card: CardId, rev: u32, view: View) -> Change {
        let id = MessageId::derived(&[&card.to_string(), &rev.to_string()]);
        self.send(id, OutboundBody::Card { card, rev, view })
    }

    /// A card of its own that answers the act.
    pub fn reply(&self, view: View) -> Change {
        self.card(CardId::derived(&[self.cause.as_str(), "reply"]), 1, view)
    }

    /// A short message that rings; `what` tells it from others of the same cause.
    pub fn notice(&self, what: &str, text: String) -> Change {
        let id = MessageId::derived(&[self.cause.as_str(), "notice", what]);
        self.send(id, OutboundBody::Notice { text })
    }

    fn send(&self, id: MessageId, body: OutboundBody) -> Change {
        Change::Send(Box::new(Outbound {
            meta: Meta::new(id, self.cause.clone(), self.traceparent.clone()),
            user: self.user.clone(),
            chat: self.chat.clone(),
            body,
        }))
    }
}
