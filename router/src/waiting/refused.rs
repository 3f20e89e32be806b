//! Messages that may not even wait, as there is no room: the person is told once in a stretch, with
//! a count that follows, and not by a card for each.
//!
//! A stretch is kept in the bucket PW_WAITING before a refused act is settled. So no refusal is lost
//! from the count, and an act that comes again after a crash is still refused, room or not: the
//! person has been told so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::{Operation, Store};
use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{CardId, CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, Inbound};
use common::message::outbound::OutboundBody;
use common::message::{decode, encode};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tracing::warn;

use super::look::Looked;
use crate::decide::Candidate;
use crate::reply::{Replies, To};
use crate::users::Stopped;
use crate::{bucket, cards};

/// So long without a refusal ends a stretch; the next one gets a card of its own.
const QUIET: TimeDelta = TimeDelta::seconds(30);
/// A stretch is remembered so long after its end, for acts that come again.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// Refused acts that are recognised when they come again; older ones are not.
const RECENT: usize = 512;
/// Stretches in memory. At the bound those that have ended are let go of.
const STRETCHES: usize = 5_000;
const PAUSE: Duration = Duration::from_millis(300);

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// Too much of this person's waits for that node.
    Queue,
    /// The hub takes nothing at all.
    Hub,
}

impl Refusal {
    /// By which its log line is found.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Queue => "queue-full",
            Self::Hub => "hub-full",
        }
    }
}

/// Refusals of one person for one node, close together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stretch {
    /// The first refused act: the card answers it.
    cause: CauseId,
    user: UserId,
    chat: Chat,
    lang: Lang,
    #[serde(default)]
    traceparent: String,
    node: NodeId,
    name: String,
    why: Refusal,
    /// How many were refused, and how many the card tells of.
    count: u64,
    /// Not kept: the next router shows the count once more.
    #[serde(skip)]
    shown: u64,
    /// The card's newest revision.
    rev: u32,
    last: DateTime<Utc>,
    /// Places in PW_IN of the last refused acts.
    recent: VecDeque<u64>,
}

impl Stretch {
    fn begin(inbound: &Inbound, to: &Candidate, lang: Lang, why: Refusal, place: u64) -> Self {
        Self {
            cause: inbound.meta.cause.clone(),
            user: inbound.user.clone(),
            chat: inbound.chat.clone(),
            lang,
            traceparent: inbound.meta.traceparent.clone(),
            node: to.node.clone(),
            name: to.name.clone(),
            why,
            count: 1,
            shown: 1,
            rev: 1,
            last: Utc::now(),
            recent: VecDeque::from([place]),
        }
    }

    fn add(&mut self, why: Refusal, place: u64) {
        self.why = why;
        self.count += 1;
        self.last = Utc::now();
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(place);
    }
}

type Key = (UserId, NodeId);

/// Handle on the refusals. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Refusals {
    store: Store,
    replies: Replies,
    stretches: Arc<Mutex<BTreeMap<Key, Stretch>>>,
}

fn key_of((user, node): &Key) -> String {
    let id = MessageId::derived(&[&user.to_string(), node.as_str()]);
    format!("full.{id}")
}

impl Refusals {
    /// Reads the stretches of the last day.
    pub(super) async fn open(store: Store, replies: Replies) -> Result<Self, async_nats::Error> {
        let mut stretches = BTreeMap::new();
        let now = Utc::now();
        bucket::each(&store, |found| {
            if found.operation != Operation::Put || !found.key.starts_with("full.") {
                return;
            }
            match decode::<Stretch>("refusals", &found.value) {
                Ok(stretch) if now - stretch.last < REMEMBERED => {
                    stretches.insert((stretch.user.clone(), stretch.node.clone()), stretch);
                }
                Ok(_) => {}
                Err(why) => warn!(key = found.key, %why, "refusals cannot be read"),
            }
        })
        .await?;
        Ok(Self {
            store,
            replies,
            stretches: Arc::new(Mutex::new(stretches)),
        })
    }

    /// Whether the act at that place of PW_IN was refused before.
    pub(crate) async fn has(&self, user: &UserId, node: &NodeId, place: u64) -> bool {
        let stretches = self.stretches.lock().await;
        let stretch = stretches.get(&(user.clone(), node.clone()));
        stretch.is_some_and(|stretch| stretch.recent.contains(&place))
    }

    /// Counts a refused act. The first of a stretch is told at once, the others follow on its card.
    /// Returns when the count is safe.
    pub(crate) async fn add(
        &self,
        inbound: &Inbound,
        to: &Candidate,
        lang: Lang,
        why: Refusal,
        place: u64,
    ) -> Result<(), Stopped> {
        let key = (inbound.user.clone(), to.node.clone());
        let goes_on = |stretch: &Stretch| Utc::now() - stretch.last < QUIET;
        let before = self.stretches.lock().await.get(&key).cloned();
        let fresh = if before.is_some_and(|stretch| goes_on(&stretch)) {
            None
        } else {
            let stretch = Stretch::begin(inbound, to, lang, why, place);
            // Shown before it is kept: if we die in between, the same act shows the same card.
            self.show(&stretch).await?;
            Some(stretch)
        };
        let mut stretches = self.stretches.lock().await;
        if stretches.len() >= STRETCHES {
            stretches.retain(|_, one| goes_on(one));
        }
        match (fresh, stretches.get_mut(&key)) {
            (None, Some(stretch)) => stretch.add(why, place),
            (fresh, _) => {
                let begin = || Stretch::begin(inbound, to, lang, why, place);
                stretches.insert(key.clone(), fresh.unwrap_or_else(begin));
            }
        }
        self.keep(&stretches, &key).await
    }

    /// Shows the counts that have grown, in a task of `tasks`.
    pub(super) fn show_news(&self, tasks: &mut JoinSet<Looked>) {
        // Taken by somebody: next time.
        let Ok(mut stretches) = self.stretches.try_lock() else {
            return;
        };
        let now = Utc::now();
        stretches.retain(|_, one| now - one.last < REMEMBERED);
        let mut grown = Vec::new();
        for (key, stretch) in stretches.iter_mut() {
            if stretch.count > stretch.shown.max(1) {
                stretch.shown = stretch.count;
                stretch.rev = stretch.rev.saturating_add(1);
                grown.push((key.clone(), stretch.clone()));
            }
        }
        drop(stretches);
        if grown.is_empty() {
            return;
        }
        let refusals = self.clone();
        tasks.spawn(async move {
            for (key, stretch) in grown {
                // Stopped in between, the next router shows it, with a revision above what is kept.
                let kept = {
                    let stretches = refusals.stretches.lock().await;
                    refusals.keep(&stretches, &key).await
                };
                if kept.is_err() || refusals.show(&stretch).await.is_err() {
                    break;
                }
            }
            Looked::nothing()
        });
    }

    async fn show(&self, stretch: &Stretch) -> Result<(), Stopped> {
        let card = CardId::derived(&["router", stretch.cause.as_str(), "refused"]);
        let rev = stretch.rev;
        let id = MessageId::derived(&[&card.to_string(), &rev.to_string()]);
        let view = cards::waiting::refused(stretch.lang, &stretch.name, stretch.why, stretch.count);
        let to = To {
            user: &stretch.user,
            chat: &stretch.chat,
            cause: &stretch.cause,
            traceparent: &stretch.traceparent,
        };
        let body = OutboundBody::Card { card, rev, view };
        self.replies.put(id, &to, body).await
    }

    /// Writes a stretch down as it is now. Under the lock, so that no older state comes after.
    async fn keep(&self, stretches: &BTreeMap<Key, Stretch>, key: &Key) -> Result<(), Stopped> {
        let Some(stretch) = stretches.get(key) else {
            return Ok(());
        };
        let (name, value) = (key_of(key), bytes::Bytes::from(encode(stretch)));
        loop {
            match self.store.put(&name, value.clone()).await {
                Ok(_) => return Ok(()),
                Err(why) => warn!(user = %key.0, %why, "refusals cannot be written down; again"),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.replies.cancel.cancelled() => return Err(Stopped),
            }
        }
    }
}
