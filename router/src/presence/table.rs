//! The table of last beats and what follows from it. Pure: time is handed in.
//!
//! All ages are by the router's clock; a node's own clock may be wrong by hours.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{BootId, NodeId, UserId};
use common::message::control::{Heartbeat, MAX_DESCRIPTION, OFF_AFTER};
use serde::{Deserialize, Serialize};

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is.
    On,
    /// It is not.
    Off {
        /// Its last sign of life.
        since: DateTime<Utc>,
    },
    /// It was never heard of.
    Never,
}

/// The last beat of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// When, by our clock.
    pub(crate) last: DateTime<Utc>,
    /// Which start of the process.
    pub(crate) boot: BootId,
    /// What the node calls itself.
    pub(crate) name: String,
    /// What it says that it is for, a line; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    /// Its program.
    pub(crate) version: String,
    /// Whom its owner lets in; empty: all that the hub grants.
    pub(crate) serves: BTreeSet<UserId>,
    /// Open sessions.
    pub(crate) sessions: u32,
    /// Turns running.
    pub(crate) running: u32,
    /// Load of each processor, 1.0 when it has just enough to do; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) load: Option<f32>,
    /// What keeps it from taking work; none while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trouble: Option<String>,
    /// That start is over for sure: it said so, or nobody listens on its subject any more.
    pub(crate) gone: bool,
}

impl Seen {
    /// The state that follows.
    pub(crate) fn state(&self, now: DateTime<Utc>) -> State {
        let silence = TimeDelta::from_std(OFF_AFTER).unwrap_or(TimeDelta::MAX);
        if self.gone || now - self.last > silence {
            State::Off { since: self.last }
        } else {
            State::On
        }
    }
}

/// All nodes at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Overview {
    /// How many are on.
    pub(crate) on: usize,
    /// Those of them that cannot take work, and why.
    pub(crate) trouble: BTreeMap<NodeId, String>,
}

/// What a beat meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// The node was not there before, or has started anew.
    Came,
    /// It still is.
    Usual,
    /// It has left in order.
    Left,
    /// An earlier start says goodbye while a later one is there: nothing changes.
    Stale,
}

/// What a node says of itself, as one line of at most [`MAX_DESCRIPTION`] characters, whatever it sends.
fn line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let shown = |c: &char| !c.is_control();
    let words = words.join(" ");
    words.chars().filter(shown).take(MAX_DESCRIPTION).collect()
}

/// The beats. Bounded by the number of enrolled nodes.
#[derive(Debug, Default)]
pub(super) struct Table {
    nodes: BTreeMap<NodeId, Seen>,
    /// Nodes that were on when last looked at, so that falling silent is noticed once.
    on: BTreeSet<NodeId>,
}

impl Table {
    /// A table that begins with what an earlier router knew.
    pub(super) fn new(nodes: BTreeMap<NodeId, Seen>) -> Self {
        Self {
            nodes,
            on: BTreeSet::new(),
        }
    }

    pub(super) fn get(&self, node: &NodeId) -> Option<&Seen> {
        self.nodes.get(node)
    }

    /// How each node stands.
    pub(super) fn states(&self, now: DateTime<Utc>) -> BTreeMap<NodeId, State> {
        let state = |(node, seen): (&NodeId, &Seen)| (node.clone(), seen.state(now));
        self.nodes.iter().map(state).collect()
    }

    /// How many nodes are on, and which of those say that something is wrong.
    pub(super) fn overview(&self, now: DateTime<Utc>) -> Overview {
        let mut overview = Overview::default();
        for (node, seen) in &self.nodes {
            if matches!(seen.state(now), State::On) {
                overview.on += 1;
                if let Some(trouble) = &seen.trouble {
                    overview.trouble.insert(node.clone(), trouble.clone());
                }
            }
        }
        overview
    }

    /// Takes a beat that came just now.
    pub(super) fn beat(&mut self, beat: Heartbeat, now: DateTime<Utc>) -> Beat {
        let before = self.nodes.get(&beat.node);
        let same_start = before.is_some_and(|seen| seen.boot == beat.boot);
        if beat.leaving && before.is_some() && !same_start {
            return Beat::Stale;
        }
        let was_on = same_start && before.is_some_and(|seen| matches!(seen.state(now), State::On));
        let seen = Seen {
            last: now,
            boot: beat.boot,
            name: beat.name,
            description: line(&beat.description),
            version: beat.version,
            serves: beat.serves.into_iter().collect(),
            sessions: beat.sessions,
            running: beat.running,
            // A node may say anything; what is no load is not known.
            load: beat.load.filter(|load| (0.0..=10_000.0).contains(load)),
            trouble: beat.trouble,
            gone: beat.leaving,
        };
        self.nodes.insert(beat.node.clone(), seen);
        if beat.leaving {
            self.on.remove(&beat.node);
            return Beat::Left;
        }
        self.on.insert(beat.node);
        if was_on { Beat::Usual } else { Beat::Came }
    }

    /// Nobody listens for that start any more. None if nothing changed: it is off already, or has
    /// started anew.
    pub(super) fn gone(&mut self, node: &NodeId, boot: BootId) -> Option<&Seen> {
        let seen = self.nodes.get_mut(node)?;
        if seen.boot != boot || seen.gone {
            return None;
        }
        seen.gone = true;
        self.on.remove(node);
        Some(seen)
    }

    /// Nodes that have fallen silent since the last call.
    pub(super) fn silent(&mut self, now: DateTime<Utc>) -> Vec<NodeId> {
        let is_on = |node: &NodeId| {
            let seen = self.nodes.get(node);
            seen.is_some_and(|seen| matches!(seen.state(now), State::On))
        };
        let (on, silent) = std::mem::take(&mut self.on).into_iter().partition(is_on);
        self.on = on;
        let silent: BTreeSet<NodeId> = silent;
        silent.into_iter().collect()
    }

    /// Drops the nodes that are not enrolled any more.
    pub(super) fn forget(&mut self, strange: impl Fn(&NodeId) -> bool) {
        self.nodes.retain(|node, _| !strange(node));
        self.on.retain(|node| !strange(node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(boot: BootId) -> Heartbeat {
        Heartbeat {
            node: "pc".parse().unwrap(),
            boot,
            name: "PC".into(),
            description: String::new(),
            version: "0.1.0".into(),
            serves: Vec::new(),
            sessions: 1,
            running: 0,
            load: None,
            trouble: None,
            leaving: false,
            sent_at: DateTime::UNIX_EPOCH,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn silence_turns_a_node_off_once() {
        let (mut table, boot, node) = (Table::default(), BootId::new(), "pc".parse().unwrap());
        assert_eq!(table.beat(beat(boot), at(0)), Beat::Came);
        assert_eq!(table.beat(beat(boot), at(10)), Beat::Usual);
        let silence = i64::try_from(OFF_AFTER.as_secs()).unwrap();
        assert!(table.silent(at(10 + silence)).is_empty());
        assert_eq!(table.get(&node).unwrap().state(at(10 + silence)), State::On);
        let late = at(11 + silence);
        assert_eq!(table.silent(late).len(), 1);
        assert!(table.silent(late).is_empty());
        assert_eq!(
            table.get(&node).unwrap().state(late),
            State::Off { since: at(10) }
        );
        assert_eq!(table.beat(beat(boot), late), Beat::Came);
    }

    #[test]
    fn nodes_in_trouble_are_listed_while_they_are_on() {
        let (mut table, boot) = (Table::default(), BootId::new());
        let troubled = |trouble: Option<&str>| Heartbeat {
            trouble: trouble.map(str::to_owned),
            ..beat(boot)
        };
        table.beat(troubled(Some("no room")), at(0));
        let overview = table.overview(at(1));
        assert_eq!(overview.on, 1);
        assert_eq!(overview.trouble.values().collect::<Vec<_>>(), ["no room"]);
        assert_eq!(table.overview(at(1000)), Overview::default());
        table.beat(troubled(None), at(2));
        assert!(table.overview(at(3)).trouble.is_empty());
    }

    #[test]
    fn a_description_is_one_short_line() {
        let mut table = Table::default();
        let told = Heartbeat {
            description: format!(" builds\n\u{1b}[31mand {}", "x".repeat(1_000)),
            ..beat(BootId::new())
        };
        table.beat(told, at(0));
        let kept = &table.get(&"pc".parse().unwrap()).unwrap().description;
        assert!(kept.starts_with("builds [31mand xxx"), "{kept}");
        assert_eq!(kept.chars().count(), MAX_DESCRIPTION);
    }

    #[test]
    fn a_load_that_is_none_is_not_known() {
        let node: NodeId = "pc".parse().unwrap();
        for (told, known) in [
            (Some(0.5), Some(0.5)),
            (None, None),
            (Some(f32::NAN), None),
            (Some(-1.0), None),
            (Some(f32::INFINITY), None),
        ] {
            let mut table = Table::default();
            let load = Heartbeat {
                load: told,
                ..beat(BootId::new())
            };
            table.beat(load, at(0));
            assert_eq!(table.get(&node).unwrap().load, known, "{told:?}");
        }
    }

    #[test]
    fn leaving_counts_at_once_and_only_for_its_own_start() {
        let (mut table, old, new) = (Table::default(), BootId::new(), BootId::new());
        let node: NodeId = "pc".parse().unwrap();
        table.beat(beat(old), at(0));
        assert_eq!(table.beat(beat(new), at(1)), Beat::Came);
        let goodbye = |boot| Heartbeat {
            leaving: true,
            ..beat(boot)
        };
        assert_eq!(table.beat(goodbye(old), at(2)), Beat::Stale);
        assert_eq!(table.get(&node).unwrap().state(at(2)), State::On);
        assert_eq!(table.beat(goodbye(new), at(3)), Beat::Left);
        assert_eq!(
            table.get(&node).unwrap().state(at(3)),
            State::Off { since: at(3) }
        );
    }

    #[test]
    fn nobody_listening_is_off_until_the_next_beat() {
        let (mut table, boot) = (Table::default(), BootId::new());
        let node: NodeId = "pc".parse().unwrap();
        table.beat(beat(boot), at(0));
        assert!(table.gone(&node, BootId::new()).is_none());
        assert!(table.gone(&node, boot).is_some());
        assert!(table.gone(&node, boot).is_none());
        assert_eq!(
            table.get(&node).unwrap().state(at(1)),
            State::Off { since: at(0) }
        );
        assert_eq!(table.beat(beat(boot), at(2)), Beat::Came);
    }
}
