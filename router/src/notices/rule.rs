//! When people are told that a node went off or came back. Pure: time and what is seen are handed in.
//!
//! The rule:
//! - A node that has been off for [`Times::off`] without a break is told, once.
//! - It is told that it is back when that was told before, and as soon as it is.
//! - After two notices within [`Times::window`] the next one is held back until the node has been as
//!   it is, off or on, for [`Times::steady`]; then one notice says how it is and that it has been
//!   coming and going.
//! - What is older than [`Times::stale`] when it is first seen is no news: it counts as told.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{NodeId, UserId};
use serde::{Deserialize, Serialize};

use crate::kept::Record;

/// Notices within the window that are not held back.
const FREE: usize = 2;

/// How long is long.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Off for so long is told.
    pub off: Duration,
    /// In which two notices are free.
    pub window: Duration,
    /// As it is for so long is steady.
    pub steady: Duration,
    /// Off for so long is no news.
    pub stale: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            off: Duration::from_secs(60),
            window: Duration::from_secs(30 * 60),
            steady: Duration::from_secs(10 * 60),
            stale: Duration::from_secs(72 * 3600),
        }
    }
}

/// How a node is seen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Whether it is there.
    pub(crate) on: bool,
    /// Since when it is as it is: off since its last sign of life, on since it was seen to come.
    pub(crate) since: DateTime<Utc>,
}

/// What was told of a node, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) node: NodeId,
    /// The last notice said that it is off, since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) off: Option<DateTime<Utc>>,
    /// A notice is held back.
    #[serde(default)]
    pub(crate) held: bool,
    /// When the last notices were, at most two.
    #[serde(default)]
    pub(crate) recent: Vec<DateTime<Utc>>,
    /// How many notices there were.
    #[serde(default)]
    pub(crate) count: u64,
    /// Who got the last one.
    #[serde(default)]
    pub(crate) people: Vec<UserId>,
    /// The last one, while it may not have been shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<Notice>,
}

impl Record for Told {
    type Key = NodeId;
    type Group = ();
    const WHAT: &'static str = "what was told of a node";
    const PREFIX: &'static str = "node.";

    fn key(&self) -> NodeId {
        self.node.clone()
    }

    fn group(&self) -> Option<()> {
        None
    }

    fn place(node: &NodeId) -> String {
        format!("{}{node}", Self::PREFIX)
    }
}

/// A notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Off since then; none: it is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) off: Option<DateTime<Utc>>,
    /// It was told to be off since then, and is not any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was_off: Option<DateTime<Utc>>,
    /// It has been coming and going.
    #[serde(default)]
    pub(crate) restless: bool,
}

/// What follows from how a node is seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Nothing.
    Nothing,
    /// This is to be remembered, and told to nobody.
    Keep(Told),
    /// This is to be remembered and told.
    Tell(Told, Notice),
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

impl Told {
    pub(crate) fn nothing(node: NodeId) -> Self {
        Self {
            node,
            off: None,
            held: false,
            recent: Vec::new(),
            count: 0,
            people: Vec::new(),
            open: None,
        }
    }

    /// What is to be done when the node is seen like this.
    pub(crate) fn step(&self, seen: Sight, times: &Times, now: DateTime<Utc>) -> Step {
        let lasts = now - seen.since;
        let steady = lasts >= delta(times.steady);
        let as_told = seen.on == self.off.is_none();
        if as_told {
            return if self.held && steady {
                self.tell(seen, true, now)
            } else {
                Step::Nothing
            };
        }
        if !seen.on && lasts < delta(times.off) {
            return Step::Nothing;
        }
        if !seen.on && lasts >= delta(times.stale) {
            return Step::Keep(Self {
                off: Some(seen.since),
                held: false,
                people: Vec::new(),
                ..self.clone()
            });
        }
        let window = delta(times.window);
        let lately = self.recent.iter().filter(|at| now - **at < window).count();
        if self.held || lately >= FREE {
            return match (steady, self.held) {
                (true, _) => self.tell(seen, true, now),
                (false, true) => Step::Nothing,
                (false, false) => Step::Keep(Self {
                    held: true,
                    ..self.clone()
                }),
            };
        }
        self.tell(seen, false, now)
    }

    fn tell(&self, seen: Sight, restless: bool, now: DateTime<Utc>) -> Step {
        let off = (!seen.on).then_some(seen.since);
        let notice = Notice {
            off,
            was_off: self.off.filter(|_| seen.on),
            restless,
        };
        let last = self.recent.last().copied();
        let next = Self {
            off,
            held: false,
            recent: last.into_iter().chain([now]).collect(),
            count: self.count.saturating_add(1),
            open: Some(notice),
            ..self.clone()
        };
        Step::Tell(next, notice)
    }
}

#[cfg(test)]
mod tests;
