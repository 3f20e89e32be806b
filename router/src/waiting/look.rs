//! One look at one node's line: what the node has taken, what lies and is to be told, what has
//! waited too long. What people are told then is `tell`'s.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use common::ids::{NodeId, UserId};
use futures_util::StreamExt as _;
use tokio::time::Instant;
use tracing::debug;

use super::tell::Telling;
use super::{Item, Parts};
use crate::presence::{Seen, State};
use crate::users::Stopped;

/// Work that lies longer than this is asked after; with [`ASK`] the person is told within a second.
const LIES: TimeDelta = TimeDelta::milliseconds(400);
/// How long a node has to say that it is there.
const ASK: Duration = Duration::from_millis(400);
/// How long its answer holds: that it is on, and that it is not.
const ON_HOLDS: Duration = Duration::from_millis(300);
const OFF_HOLDS: Duration = Duration::from_secs(2);
/// Work lies this long with a node that is on and in trouble before the person is told.
const TROUBLED: TimeDelta = TimeDelta::seconds(3);
/// Work lies this long with a node that is on before we see whether it is there at all.
const STRANGE: TimeDelta = TimeDelta::seconds(5);
/// A line whose node is off, and all of whose people know, is looked at this seldom. Meanwhile the node's
/// beats say when it is back: a hub with a thousand such lines must not be asked for each every second.
const RESTS: Duration = Duration::from_secs(15);
/// Told of one person's in one look, so that nobody waits for a flood to be told.
const AT_ONCE: usize = 20;
/// People told side by side.
const PEOPLE: usize = 8;

/// What to look at.
pub(super) struct Question {
    pub(super) node: NodeId,
    /// By place; `true`: the person knows.
    pub(super) items: Vec<(Arc<Item>, bool)>,
    /// What the node answered last.
    pub(super) answer: Option<(Instant, State)>,
    /// When the line itself was looked at last.
    pub(super) seen: Option<Instant>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Looked {
    /// None: it was no look at a line.
    pub(super) node: Option<NodeId>,
    /// Need not be watched any more.
    pub(super) settled: Vec<u64>,
    pub(super) told: Vec<u64>,
    pub(super) answer: Option<(Instant, State)>,
    /// When the line itself was looked at last.
    pub(super) seen: Option<Instant>,
    /// When to look again.
    pub(super) again: Duration,
}

impl Looked {
    pub(super) fn nothing() -> Self {
        Self {
            node: None,
            settled: Vec::new(),
            told: Vec::new(),
            answer: None,
            seen: None,
            again: Duration::ZERO,
        }
    }
}

/// Looks once. Stopped in between, nothing is lost: what was told is in the book.
pub(super) async fn look(parts: &Parts, question: Question) -> Looked {
    let rests = rests(parts, &question).await;
    let Question {
        node,
        items,
        answer,
        seen,
    } = question;
    let mut looked = Looked {
        node: Some(node.clone()),
        answer,
        seen,
        again: Duration::from_millis(100),
        ..Looked::nothing()
    };
    if rests {
        looked.again = Duration::from_secs(1);
        return looked;
    }
    let marks = match parts.line.marks(&node).await {
        Ok(marks) => {
            looked.seen = Some(Instant::now());
            marks.unwrap_or_default()
        }
        Err(why) => {
            debug!(%node, %why, "cannot look at its line");
            looked.again = Duration::from_secs(1);
            return looked;
        }
    };
    let (taken, lying): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|(item, _)| item.sequence <= marks.settled);
    let taken: Vec<_> = taken.into_iter().map(|(item, _)| item).collect();
    if parts.taken(&taken).await.is_err() {
        return looked;
    }
    looked
        .settled
        .extend(taken.iter().map(|item| item.sequence));
    if !taken.is_empty() {
        // Whoever takes its work is there, whatever we have heard of it; asked where there is no
        // fresh beat, so that it counts as on.
        let _ = tokio::time::timeout(ASK, parts.presence.check(&node)).await;
    }
    // Stopped halfway, the next router goes on.
    let _ = if parts.registry.nodes().contains_key(&node) {
        look_at_lying(parts, &node, lying, &mut looked).await
    } else {
        give_up(parts, lying, &mut looked).await
    };
    looked
}

/// Whether there is nothing to see: the node is off as far as it was heard, everybody knows, and nothing
/// has waited too long.
async fn rests(parts: &Parts, question: &Question) -> bool {
    let longest = TimeDelta::from_std(parts.longest).unwrap_or(TimeDelta::MAX);
    let now = Utc::now();
    let told = |(item, told): &(Arc<Item>, bool)| *told && now - item.at < longest;
    if question.seen.is_none_or(|at| at.elapsed() >= RESTS)
        || !question.items.iter().all(told)
        || !parts.registry.nodes().contains_key(&question.node)
    {
        return false;
    }
    let seen = parts.presence.life(&question.node).await;
    seen.is_none_or(|seen| seen.state(now) != State::On)
}

/// The node was removed: nobody will ever take what lies for it.
async fn give_up(
    parts: &Parts,
    lying: Vec<(Arc<Item>, bool)>,
    looked: &mut Looked,
) -> Result<(), Stopped> {
    for (item, _) in lying {
        parts.removed(&item).await?;
        looked.settled.push(item.sequence);
    }
    Ok(())
}

async fn look_at_lying(
    parts: &Parts,
    node: &NodeId,
    lying: Vec<(Arc<Item>, bool)>,
    looked: &mut Looked,
) -> Result<(), Stopped> {
    let longest = TimeDelta::from_std(parts.longest).unwrap_or(TimeDelta::MAX);
    let now = Utc::now();
    let (old, lying): (Vec<_>, Vec<_>) = lying
        .into_iter()
        .partition(|(item, _)| now - item.at >= longest);
    for (item, _) in old {
        parts.expire(&item).await?;
        looked.settled.push(item.sequence);
    }
    let due = |(item, told): &&(Arc<Item>, bool)| !told && now - item.at >= LIES;
    let seen = parts.presence.life(node).await;
    if lying.iter().any(|one| due(&one)) {
        let holds = looked.answer.filter(|(when, answer)| {
            let holds = match answer {
                State::On => ON_HOLDS,
                State::Off { .. } | State::Never => OFF_HOLDS,
            };
            when.elapsed() < holds
        });
        let answer = if let Some((_, answer)) = holds {
            answer
        } else {
            let answer = parts.presence.ask(node, ASK).await;
            looked.answer = Some((Instant::now(), answer));
            answer
        };
        tell_lying(parts, node, &lying, answer, seen.as_ref(), looked).await?;
    }
    let on = seen.is_some_and(|seen| seen.state(Utc::now()) == State::On);
    // A broker that died may have forgotten what a node had settled; the stream itself has not.
    let oldest = lying
        .first()
        .filter(|(item, _)| on && now - item.at > STRANGE);
    if let Some((item, _)) = oldest
        && parts.line.read(item.sequence).await?.is_none()
    {
        parts.taken(std::slice::from_ref(item)).await?;
        looked.settled.push(item.sequence);
    }
    let told = |item: &Item| looked.told.contains(&item.sequence);
    if lying.iter().all(|(item, known)| *known || told(item)) {
        let pause = if on { 250 } else { 1_000 };
        looked.again = Duration::from_millis(pause);
    } else if lying.iter().all(|(item, _)| now - item.at > STRANGE) {
        // A node that is on and slow: it will take them when it can.
        looked.again = Duration::from_millis(500);
    }
    Ok(())
}

async fn tell_lying(
    parts: &Parts,
    node: &NodeId,
    lying: &[(Arc<Item>, bool)],
    answer: State,
    seen: Option<&Seen>,
    looked: &mut Looked,
) -> Result<(), Stopped> {
    let now = Utc::now();
    let (since, trouble, after) = match answer {
        State::Off { since } => (Some(since), None, LIES),
        State::Never => (None, None, LIES),
        State::On => match seen.and_then(|seen| seen.trouble.as_ref()) {
            Some(trouble) => (None, Some(trouble), TROUBLED),
            // It is there; it will take it.
            None => return Ok(()),
        },
    };
    // Each person's own line, in order, with the places.
    let mut places: BTreeMap<&UserId, u64> = BTreeMap::new();
    let mut people: BTreeMap<UserId, Telling> = BTreeMap::new();
    for (item, told) in lying {
        let place = places.entry(&item.user).or_default();
        *place += 1;
        if *told || now - item.at < after {
            continue;
        }
        let telling = people.entry(item.user.clone()).or_insert_with(|| Telling {
            since,
            trouble: trouble.cloned(),
            items: Vec::new(),
        });
        if telling.items.len() < AT_ONCE {
            telling.items.push((Arc::clone(item), *place));
        }
    }
    let tellings = people.into_values().map(|telling| async move {
        let mut told = Vec::new();
        let done = parts.tell(node, &telling, &mut told).await;
        (told, done)
    });
    let mut tellings = futures_util::stream::iter(tellings).buffer_unordered(PEOPLE);
    while let Some((told, done)) = tellings.next().await {
        looked.told.extend(told);
        done?;
    }
    Ok(())
}
