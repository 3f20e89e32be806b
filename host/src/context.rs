//! What every part of a host needs: who we are, where things are, and how to write them down.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use common::audit::{Audit, Entry, Kind};
use common::broker::Broker;
use common::health::Health;
use common::ids::{CardId, CauseId, MessageId, NodeId, PromptId, TurnId, UserId};
use common::lang::Lang;
use common::message::Meta;
use common::message::inbound::Chat;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::View;
use common::message::work::Work;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error};

use crate::confirm::Confirms;
use crate::desk::door::Door;
use crate::files::Files;
use crate::journal::{Change, Journal, JournalError, Kept, Shelf};
use crate::mailboy::Mailboy;
use crate::record::{PromptRecord, TurnRecord};
use crate::remind::Reminders;
use crate::session::slots::Slots;
use crate::task::Tasks;
use crate::web::Web;
use crate::workdir::WorkDir;

/// Between two tries of a journal that refuses.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// How long a question waits for its answer. Unanswered it would hold its process, and with
    /// that a place among [`AgentOptions::max_live`], for ever.
    pub question_waits: Duration,
}

/// What [`AgentOptions::question_waits`] is in use: somebody who is away for a day finds it.
pub const QUESTION_WAITS: Duration = Duration::from_secs(24 * 3600);

/// Shared by all tasks of a host.
#[derive(Debug)]
pub struct Context {
    /// This node.
    pub node: NodeId,
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The memory.
    pub journal: Journal,
    /// The connection, for previews.
    pub broker: Broker,
    /// Where sessions may be.
    pub workdir: WorkDir,
    /// How agents are started.
    pub agents: AgentOptions,
    /// Begins the marks of all processes that this host starts: its own, and the same after a
    /// restart.
    pub family: String,
    /// Who may have a live process.
    pub slots: Slots,
    /// Files of this machine.
    pub(crate) files: Files,
    /// Questions of commands and tools.
    pub(crate) confirms: Confirms,
    /// The desk, for those who work beside it.
    pub(crate) door: Door,
    /// The web.
    pub(crate) web: Web,
    /// What was done, and by whose word.
    pub audit: Audit,
    /// Commands of people.
    pub(crate) shell: Tasks,
    /// The assistant of smart mode; none without a model.
    pub(crate) mailboy: Option<Mailboy>,
    /// Reminders, which the router keeps.
    pub reminders: Reminders,
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
        let written = self
            .insist("a step cannot be written down", || {
                self.journal.commit(changes.clone())
            })
            .await
            .is_some();
        if written {
            crate::audit::note(&self.audit, &self.node, &changes);
        }
        written
    }

    /// A question, as it is written down. Waits for a journal that cannot be read now: a tap must
    /// not pass for one on a question that never was. None also when we are stopping.
    pub async fn prompt(&self, id: PromptId) -> Option<PromptRecord> {
        let read = || self.journal.prompt(id);
        self.insist("a question cannot be read", read)
            .await
            .flatten()
    }

    /// A turn that is not finished; as [`Context::prompt`].
    pub async fn turn(&self, id: TurnId) -> Option<TurnRecord> {
        let read = || self.journal.turn(id);
        self.insist("a turn cannot be read", read).await.flatten()
    }

    /// All records of a shelf; as [`Context::prompt`].
    pub async fn shelf(&self, shelf: Shelf) -> Option<Vec<Kept>> {
        let read = || self.journal.shelf(shelf);
        self.insist("a shelf cannot be read", read).await
    }

    /// One record of a shelf; as [`Context::prompt`].
    pub async fn kept(&self, shelf: Shelf, key: &str) -> Option<Vec<u8>> {
        let read = || self.journal.kept(shelf, key);
        self.insist("a record cannot be read", read).await.flatten()
    }

    /// Marks an act as seen that never came, with `changes`; false if it came. As
    /// [`Context::prompt`].
    pub async fn withdraw(&self, cause: &CauseId, changes: Vec<Change>) -> Option<bool> {
        let mark = || self.journal.withdraw(cause.clone(), changes.clone());
        self.insist("a message cannot be taken back", mark).await
    }

    /// Tries every second until it works; none when we are stopping and it still does not.
    async fn insist<T, F>(&self, what: &str, attempt: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, JournalError>>,
    {
        let mut told = false;
        loop {
            match attempt().await {
                Ok(value) => return Some(value),
                Err(why) if !std::mem::replace(&mut told, true) => {
                    error!(%why, "{what}; trying on");
                }
                Err(why) => debug!(%why, "{what}"),
            }
            if self.cancel.is_cancelled() {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The time of day, as people here read it.
    pub fn clock(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.timezone).format("%H:%M").to_string()
    }
}

/// Where an answer goes, and on whose act.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    #[serde(default)]
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

    /// A line of the audit about this act.
    pub fn entry(&self, kind: Kind) -> Entry {
        Entry::new(kind).act(&self.user, &self.chat, &self.cause)
    }

    /// A state of a card, to be put into the outbox.
    pub fn card(&self, card: CardId, rev: u32, view: View) -> Change {
        let id = MessageId::derived(&[&card.to_string(), &rev.to_string()]);
        self.send(id, OutboundBody::Card { card, rev, view })
    }

    /// A card of its own that answers the act.
    pub fn reply(&self, view: View) -> Change {
        self.card(crate::report::reply_of(&self.cause), 1, view)
    }

    /// A short message that rings; `what` tells it from others of the same cause.
    pub fn notice(&self, what: &str, text: String) -> Change {
        let id = MessageId::derived(&[self.cause.as_str(), "notice", what]);
        self.send(id, OutboundBody::Notice { text })
    }

    /// A file, or the wish for one; `key` tells it from others of the same cause.
    pub(crate) fn file(&self, key: &str, body: OutboundBody) -> Change {
        let id = MessageId::derived(&[self.cause.as_str(), "file", key]);
        self.send(id, body)
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
