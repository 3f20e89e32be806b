//! Tells people that a node they use went off, or is back: once each, and no stream of it.
//!
//! `rule` says when, `uses` who; here it is watched and told, by the router that leads. What is told
//! is written down in the bucket PW_NOTICES first, under ids that the next router derives again.

mod rule;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use chrono::{DateTime, TimeDelta, Utc};
use common::broker::Broker;
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::outbound::OutboundBody;
use common::text::Say as _;
use common::text::router::NodeText;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use rule::Times;
pub(crate) use uses::Uses;

use crate::act::candidates;
use crate::kept::Kept;
use crate::presence::{Presence, State, seconds_since};
use crate::registry::Registry;
use crate::reply::{Replies, To, their_own};
use crate::users::{Stopped, Users};
use crate::waiting::Waiting;
use rule::{Notice, Sight, Step, Told};

/// How often nodes are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// The most people who are told of one node; the others see it in `/nodes`.
const PEOPLE: usize = 500;
/// Before the bucket of people is read again.
const PAUSE: Duration = Duration::from_secs(2);

/// What telling needs.
pub(crate) struct Notices {
    pub(crate) broker: Broker,
    pub(crate) replies: Replies,
    pub(crate) presence: Presence,
    pub(crate) registry: Registry,
    pub(crate) waiting: Waiting,
    pub(crate) users: Users,
    pub(crate) uses: Uses,
    /// PW_USERS and PW_NOTICES.
    pub(crate) people: Store,
    pub(crate) told: Store,
    pub(crate) times: Times,
    /// For people whose platform does not tell theirs.
    pub(crate) lang: Option<Lang>,
}

/// What is remembered from look to look.
#[derive(Default)]
struct Memory {
    /// Since when we hear nodes without a break; none while the broker is away.
    listens: Option<DateTime<Utc>>,
    /// Nodes that are on, since we saw them come.
    on: BTreeMap<NodeId, DateTime<Utc>>,
    /// Nodes that are off and that nobody used when that could have been told.
    unused: BTreeSet<NodeId>,
}

/// Watches until `stop`.
pub(crate) async fn run(notices: Notices, stop: CancellationToken) {
    let watched = async {
        let told = notices.begin().await?;
        for open in told.all(|told| told.open.is_some()) {
            notices.tell(&told, &open).await?;
        }
        let mut memory = Memory::default();
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            notices.look(&told, &mut memory).await?;
        }
    };
    let _: Option<Result<(), Stopped>> = stop.run_until_cancelled(Box::pin(watched)).await;
}

impl Notices {
    /// Reads who uses what, and what was told.
    async fn begin(&self) -> Result<Kept<Told>, Stopped> {
        loop {
            let cancel = self.replies.cancel.clone();
            let read = async {
                self.uses.read(&self.people).await?;
                Kept::open(self.told.clone(), cancel).await
            };
            match read.await {
                Ok(told) => return Ok(told),
                Err(why) => warn!(%why, "cannot read who uses which node; again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Looks at all nodes once.
    async fn look(&self, told: &Kept<Told>, memory: &mut Memory) -> Result<(), Stopped> {
        let now = Utc::now();
        if !*self.broker.up().borrow() {
            *memory = Memory::default();
            return Ok(());
        }
        let listens = *memory.listens.get_or_insert(now);
        let enrolled = self.registry.nodes();
        let states = self.presence.states().await;
        memory.on.retain(|node, _| enrolled.contains_key(node));
        memory.unused.retain(|node| enrolled.contains_key(node));
        // One that was removed is told otherwise, and begins anew when it comes back.
        for gone in told.all(|told| told.off.is_some() && !enrolled.contains_key(&told.node)) {
            let anew = |before: Option<&Told>| {
                let before = before.filter(|told| told.off.is_some())?;
                Some(Told {
                    count: before.count,
                    ..Told::nothing(before.node.clone())
                })
            };
            told.change(&gone.node, anew).await?;
        }
        for (node, state) in states {
            if !enrolled.contains_key(&node) {
                continue;
            }
            let seen = match state {
                State::Never => continue,
                State::On => {
                    memory.unused.remove(&node);
                    let since = *memory.on.entry(node.clone()).or_insert(listens.max(now));
                    Sight { on: true, since }
                }
                State::Off { since } => {
                    memory.on.remove(&node);
                    // After our own silence everybody seems to be off: they have time to speak.
                    let off = TimeDelta::from_std(self.times.off).unwrap_or(TimeDelta::MAX);
                    if now - listens < off {
                        continue;
                    }
                    Sight { on: false, since }
                }
            };
            self.step(told, memory, &node, seen, now).await?;
        }
        Ok(())
    }

    async fn step(
        &self,
        told: &Kept<Told>,
        memory: &mut Memory,
        node: &NodeId,
        seen: Sight,
        now: DateTime<Utc>,
    ) -> Result<(), Stopped> {
        if memory.unused.contains(node) {
            return Ok(());
        }
        let before = told.get(node);
        let nothing = || Told::nothing(node.clone());
        let before = before.map_or_else(nothing, |told| Told::clone(&told));
        let (next, notice) = match before.step(seen, &self.times, now) {
            Step::Nothing => return Ok(()),
            Step::Keep(next) => (next, None),
            Step::Tell(next, notice) => (next, Some(notice)),
        };
        let people = match notice {
            // Those who were told that it is off.
            Some(Notice { off: None, .. }) => before.people.clone(),
            Some(Notice { off: Some(_), .. }) => self.people_of(node, now).await,
            None => next.people.clone(),
        };
        if people.is_empty() && before.people.is_empty() && before.off.is_none() {
            // Nobody is told, so nothing is kept. Who begins to use it now is told right then.
            memory.unused.insert(node.clone());
            return Ok(());
        }
        let next = Told { people, ..next };
        let kept = told.change(node, |now| {
            // Nobody else writes here; a repeat after a lost answer is no second notice.
            let is_new = now.is_none_or(|now| now.count <= before.count);
            is_new.then(|| next.clone())
        });
        if let (Some(kept), true) = (kept.await?, notice.is_some()) {
            self.tell(told, &kept).await?;
        }
        Ok(())
    }

    /// Who uses a node and may.
    async fn people_of(&self, node: &NodeId, now: DateTime<Utc>) -> Vec<UserId> {
        let mut people = Vec::new();
        for user in self.uses.of(node, PEOPLE, now) {
            let theirs = candidates(&self.registry, &self.presence, &user).await;
            if theirs.iter().any(|one| one.node == *node) {
                people.push(user);
            }
        }
        people
    }

    /// Shows a notice that was written down; again after a crash, under the same ids.
    async fn tell(&self, all: &Kept<Told>, told: &Told) -> Result<(), Stopped> {
        let Some(notice) = told.open else {
            return Ok(());
        };
        let node = &told.node;
        info!(%node, people = told.people.len(), off = notice.off.is_some(), restless = notice.restless, "telling who uses it");
        // What waited for it says so itself.
        let hears = notice.was_off.map_or_else(BTreeSet::new, |since| {
            self.waiting.hear_that_it_is_back(node, since)
        });
        for user in &told.people {
            let theirs = candidates(&self.registry, &self.presence, user).await;
            let Some(name) = theirs.into_iter().find(|one| one.node == *node) else {
                continue;
            };
            if hears.contains(user) {
                continue;
            }
            let lang = self.users.peek(user).await?.language().or(self.lang);
            let text = words(notice, name.name, Utc::now()).say(lang.unwrap_or_default());
            let which = format!("notice-{node}-{}", told.count);
            let cause = CauseId::new(user.surface(), &which);
            let id = MessageId::derived(&[&user.to_string(), &which]);
            let chat = their_own();
            let to = To {
                user,
                chat: &chat,
                cause: &cause,
                traceparent: "",
            };
            let body = OutboundBody::Notice { text };
            self.replies.put(id, &to, body).await?;
        }
        let shown = |before: Option<&Told>| {
            let before = before.filter(|now| now.count == told.count && now.open.is_some())?;
            Some(Told {
                open: None,
                ..before.clone()
            })
        };
        all.change(node, shown).await.map(|_| ())
    }
}

fn words(notice: Notice, node: String, now: DateTime<Utc>) -> NodeText {
    match (notice.off, notice.restless) {
        (Some(since), restless) => NodeText::WentOff {
            node,
            seconds: seconds_since(since, now),
            restless,
        },
        (None, restless) => NodeText::IsBack { node, restless },
    }
}
