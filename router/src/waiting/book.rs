//! What people were told of messages that wait, kept in the bucket PW_WAITING so that a button works
//! and an end is told whatever restarts in between.
//!
//! How it is kept is `kept`'s; what a change means is `owner`'s, `look`'s and `withdraw`'s.

use std::sync::Arc;

use async_nats::jetstream::kv::Store;
use chrono::{DateTime, Utc};
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::Chat;
use common::message::view::WaitingChoice;
use common::message::work::Work;
use common::message::{decode, encode};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Item;
use crate::kept::{Kept, Record};
use crate::users::Stopped;

/// How long an entry is kept in memory; the bucket's own age.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(8);

/// A message that a person was told of because it waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The act that brought it.
    pub(crate) cause: CauseId,
    pub(crate) user: UserId,
    pub(crate) chat: Chat,
    pub(crate) lang: Lang,
    #[serde(default)]
    pub(crate) traceparent: String,
    /// The node it is for now, and what people call that.
    pub(crate) node: NodeId,
    pub(crate) name: String,
    /// It is a tap and no text.
    #[serde(default)]
    pub(crate) tap: bool,
    /// Its place in PW_WORK.
    pub(crate) sequence: u64,
    /// When it was put there.
    pub(crate) at: DateTime<Utc>,
    /// The first of those that waited together: they are told of once when the node is back.
    pub(crate) first: CauseId,
    /// The card's newest revision.
    pub(crate) rev: u32,
    /// That revision may not have been shown yet, and nobody's tap will see to it.
    #[serde(default)]
    pub(crate) open: bool,
    pub(crate) state: State,
}

/// How such a message stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum State {
    /// It waits, and the person knows.
    Waiting(Waits),
    /// The node has it; so many waited with it, itself included.
    Taken { count: usize },
    /// A tap takes it back at this moment.
    Withdrawing {
        by: CauseId,
        choice: WaitingChoice,
        /// How it waited, should it have to go on waiting.
        waits: Waits,
    },
    /// It was taken back and never runs.
    Withdrawn { by: CauseId },
    /// It was taken out, and the node is asked whether it has it all the same.
    Asked { by: CauseId },
    /// It was taken back and given to another node.
    Moved { by: CauseId, from: String },
    /// It waited too long. `sure`: no node had it. `kept`: it can be sent again.
    Expired { sure: bool, kept: bool },
    /// The machine was removed. `sure`: it never had it. `kept`: it can be sent to one of the others.
    Removed {
        sure: bool,
        kept: bool,
        #[serde(default)]
        others: Vec<Other>,
    },
    /// It was sent once more.
    Again { by: CauseId },
}

/// What is told of a message that waits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Waits {
    /// The node's last sign of life; none if there was none.
    #[serde(default)]
    pub(crate) since: Option<DateTime<Utc>>,
    /// Place in the person's line, from 1.
    pub(crate) place: u64,
    /// Nodes that could take it instead.
    #[serde(default)]
    pub(crate) others: Vec<Other>,
    /// The node is on, and this keeps it from taking work.
    #[serde(default)]
    pub(crate) trouble: Option<String>,
    /// It could not be moved to this one, as it may run where it is.
    #[serde(default)]
    pub(crate) kept_from: Option<String>,
    /// It could not be moved to this one, as that takes no more.
    #[serde(default)]
    pub(crate) full: Option<String>,
}

/// A node that could take a message instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Other {
    pub(crate) node: NodeId,
    pub(crate) name: String,
}

impl Entry {
    /// The first entry for a message.
    pub(super) fn new(item: &Item, first: CauseId, state: State) -> Self {
        Self {
            cause: item.cause.clone(),
            user: item.user.clone(),
            chat: item.chat.clone(),
            lang: item.lang,
            traceparent: item.traceparent.clone(),
            node: item.node.clone(),
            name: item.name.clone(),
            tap: item.tap,
            sequence: item.sequence,
            at: item.at,
            first,
            rev: 1,
            open: false,
            state,
        }
    }

    /// The next state, with the next revision of the card.
    pub(super) fn to(&self, state: State) -> Self {
        Self {
            rev: self.rev.saturating_add(1),
            state,
            ..self.clone()
        }
    }

    /// Whether the entry is about this very message and not an earlier or later one of its cause.
    pub(super) fn is_at(&self, node: &NodeId, sequence: u64) -> bool {
        self.node == *node && self.sequence == sequence
    }

    /// Whether it waits and the person knows.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether the message is to be watched there. One that is being taken back lies there only
    /// because somebody died doing it: the tap comes again and goes on.
    pub(super) fn lies_at(&self, node: &NodeId, sequence: u64) -> bool {
        let lies = match self.state {
            State::Waiting(_) | State::Moved { .. } | State::Again { .. } => true,
            State::Taken { .. }
            | State::Withdrawing { .. }
            | State::Withdrawn { .. }
            | State::Asked { .. }
            | State::Expired { .. }
            | State::Removed { .. } => false,
        };
        lies && self.is_at(node, sequence)
    }

    /// The message to watch for.
    pub(super) fn item(&self) -> Item {
        Item {
            cause: self.cause.clone(),
            user: self.user.clone(),
            chat: self.chat.clone(),
            lang: self.lang,
            traceparent: self.traceparent.clone(),
            node: self.node.clone(),
            name: self.name.clone(),
            tap: self.tap,
            sequence: self.sequence,
            at: self.at,
        }
    }
}

/// Handle on the entries. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    told: Kept<Entry>,
}

impl Record for Entry {
    type Key = CauseId;
    /// Whose it is, as long as it waits.
    type Group = UserId;
    const WHAT: &'static str = "what was told of a waiting message";
    const PREFIX: &'static str = "told.";

    fn key(&self) -> CauseId {
        self.cause.clone()
    }

    fn group(&self) -> Option<UserId> {
        self.waits().then(|| self.user.clone())
    }

    fn place(cause: &CauseId) -> String {
        let id = MessageId::derived(&[cause.as_str(), "waiting"]);
        format!("{}{id}", Self::PREFIX)
    }
}

fn work_key(cause: &CauseId) -> String {
    format!("work.{}", MessageId::derived(&[cause.as_str(), "waiting"]))
}

impl Book {
    /// Reads what there is.
    pub(super) async fn open(
        store: Store,
        cancel: CancellationToken,
    ) -> Result<Self, async_nats::Error> {
        let told = Kept::open(store, cancel).await?;
        Ok(Self { told })
    }

    /// What was told of an act.
    pub(crate) fn get(&self, cause: &CauseId) -> Option<Arc<Entry>> {
        self.told.get(cause)
    }

    /// What waits of one person; looks at nothing of others.
    pub(super) fn waiting_of(&self, user: &UserId) -> Vec<Arc<Entry>> {
        self.told.of(user)
    }

    /// All entries that fit; looks at every one.
    pub(super) fn all(&self, fits: impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        self.told.all(fits)
    }

    /// Changes what is known of an act: `next` makes the new entry of what stands, or declines.
    /// Gives what stands then. Waits for the broker where it must.
    pub(super) async fn change(
        &self,
        cause: &CauseId,
        next: impl Fn(Option<&Entry>) -> Option<Entry>,
    ) -> Result<Option<Arc<Entry>>, Stopped> {
        self.told.change(cause, next).await
    }

    /// Keeps a message whole, for the time when the stream does not have it any more.
    pub(super) async fn keep_work(&self, work: &Work) -> Result<(), Stopped> {
        let cause = &work.inbound.meta.cause;
        loop {
            match self
                .told
                .store
                .put(work_key(cause), encode(work).into())
                .await
            {
                Ok(_) => return Ok(()),
                Err(why) => self.told.pause(cause, &why.to_string()).await?,
            }
        }
    }

    /// A message that was kept whole.
    pub(super) async fn work(&self, cause: &CauseId) -> Result<Option<Work>, Stopped> {
        loop {
            match self.told.store.get(work_key(cause)).await {
                Ok(None) => return Ok(None),
                Ok(Some(value)) => {
                    let read = decode::<Work>("work", &value);
                    return Ok(read
                        .inspect_err(|why| warn!(%cause, %why, "a kept message cannot be read"))
                        .ok());
                }
                Err(why) => self.told.pause(cause, &why.to_string()).await?,
            }
        }
    }

    /// Lets go of what the bucket does not hold any more either.
    pub(super) fn forget_old(&self, now: DateTime<Utc>) {
        // An entry that still waits is younger than its message, and that goes after 72 h.
        let fits = |entry: &Entry| now - entry.at < KEPT || entry.waits();
        self.told.retain(fits);
    }
}
