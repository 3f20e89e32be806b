//! What is remembered of a person: the active node, the language, and which of their waiting messages have been
//! decided. Pure.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use common::ids::{CardId, NodeId};
use common::lang::Lang;
use common::message::view::DeadChoice;
use serde::{Deserialize, Serialize};

/// Decisions remembered per person; an older one is forgotten. Its card has long lost its buttons.
const DECIDED: usize = 64;
/// Answers of a chat model remembered per person; an older one is forgotten, long after its act is settled.
const ROUTED: usize = 24;
/// Choices of a node remembered per person; an older one is forgotten. Nobody changes machines that
/// often while one act waits to be settled.
const CHOSEN: usize = 64;
/// Nodes remembered as used; of more the one used longest ago is forgotten.
const USED: usize = 32;
/// How often it is written down that a node is used.
const USED_EVERY: TimeDelta = TimeDelta::hours(12);

/// What is remembered of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// The node that gets what they send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<NodeId>,
    /// Their language, as their platform last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lang: Option<Lang>,
    /// The language that they chose; it counts before what their platform tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chosen_lang: Option<Lang>,
    /// The zone whose clock they chose for reminders, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// Messages that waited for a choice, by place in the stream, and where they went.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    decided: VecDeque<(u64, NodeId)>,
    /// Places in PW_IN at which the active node was chosen, in order, and which it was. After a
    /// crash acts that are settled come again: each is decided by what held when it first came.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    chosen: VecDeque<(u64, NodeId)>,
    /// Messages that named a node, by place in PW_IN, and which it was.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    addressed: VecDeque<(u64, NodeId)>,
    /// Messages for which a chat model was asked, by place in PW_IN, and what came of that.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    routed: VecDeque<(u64, Route)>,
    /// Nodes that they chose or sent something to, and when they last did, to half a day.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    used: BTreeMap<NodeId, DateTime<Utc>>,
    /// Dead letters that they have settled.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    settled: VecDeque<Settled>,
}

/// What came of asking a chat model where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Route {
    /// It did not know; the rules decided.
    Rules,
    /// The person was asked.
    Ask,
    /// It goes there.
    To(Routed),
}

/// Where a chat model sent a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Routed {
    pub(crate) node: NodeId,
    /// That node became the active one.
    pub(crate) active: bool,
    /// Why, a line.
    #[serde(default)]
    pub(crate) reason: String,
    /// The tap, by its place in PW_IN, after which they were told that this node has begun it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warned: Option<u64>,
}

/// What a person did with a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settled {
    /// Its place in PW_DLQ.
    pub(crate) sequence: u64,
    /// The card that asked.
    pub(crate) card: CardId,
    /// What they chose.
    pub(crate) choice: DeadChoice,
}

impl User {
    /// Their language, as far as it is known.
    pub(crate) fn language(&self) -> Option<Lang> {
        self.chosen_lang.or(self.lang)
    }

    /// The zone that they chose.
    pub(crate) fn zone(&self) -> Option<Tz> {
        self.zone.as_ref()?.parse().ok()
    }

    /// Remembers the zone that they chose; whether that is news.
    pub(crate) fn set_zone(&mut self, zone: Tz) -> bool {
        let name = Some(zone.name().to_owned());
        let news = self.zone != name;
        self.zone = name;
        news
    }

    /// The node that was the active one for the act at that place of PW_IN.
    pub(crate) fn active_at(&self, sequence: u64) -> Option<&NodeId> {
        let held = self.chosen.iter().rev().find(|(at, _)| *at <= sequence);
        held.map(|(_, node)| node).or(self.active.as_ref())
    }

    /// Makes a node the active one, by the act at that place of PW_IN. The same act again changes
    /// nothing.
    pub(crate) fn choose(&mut self, sequence: u64, node: &NodeId) {
        if self.chosen.iter().any(|(at, _)| *at == sequence) {
            return;
        }
        if let (Some(active), true) = (&self.active, self.chosen.is_empty()) {
            // What held before the first choice that is remembered.
            self.chosen.push_back((0, active.clone()));
        }
        let place = self.chosen.partition_point(|(at, _)| *at < sequence);
        self.chosen.insert(place, (sequence, node.clone()));
        if self.chosen.len() > CHOSEN {
            self.chosen.pop_front();
        }
        self.active = self.chosen.back().map(|(_, node)| node.clone());
    }

    /// Where the waiting message went, if that has been decided.
    pub(crate) fn decided(&self, sequence: u64) -> Option<&NodeId> {
        self.decided
            .iter()
            .find(|(of, _)| *of == sequence)
            .map(|(_, node)| node)
    }

    /// Remembers where the waiting message goes.
    pub(crate) fn decide(&mut self, sequence: u64, node: NodeId) {
        if self.decided.len() >= DECIDED {
            self.decided.pop_front();
        }
        self.decided.push_back((sequence, node));
    }

    /// Which node the message at that place of PW_IN named, if it came before.
    pub(crate) fn addressed(&self, sequence: u64) -> Option<&NodeId> {
        let found = self.addressed.iter().find(|(of, _)| *of == sequence);
        found.map(|(_, node)| node)
    }

    /// Remembers which node a message named.
    pub(crate) fn address(&mut self, sequence: u64, node: NodeId) {
        if self.addressed.len() >= DECIDED {
            self.addressed.pop_front();
        }
        self.addressed.push_back((sequence, node));
    }

    /// What came of asking a chat model about the message at that place of PW_IN, if it was asked before.
    pub(crate) fn routed(&self, sequence: u64) -> Option<&Route> {
        let found = self.routed.iter().find(|(of, _)| *of == sequence);
        found.map(|(_, route)| route)
    }

    /// Remembers what a chat model made of a message.
    pub(crate) fn route(&mut self, sequence: u64, route: Route) {
        if self.routed.len() >= ROUTED {
            self.routed.pop_front();
        }
        self.routed.push_back((sequence, route));
    }

    /// Remembers that they were told, by the tap at `place`, that the message has begun where a chat model sent it.
    /// The first time counts; whether this was it.
    pub(crate) fn warn(&mut self, sequence: u64, place: u64) -> bool {
        let route = self.routed.iter_mut().find(|(of, _)| *of == sequence);
        match route {
            Some((_, Route::To(to))) if to.warned.is_none() => {
                to.warned = Some(place);
                true
            }
            Some((_, Route::To(_) | Route::Ask | Route::Rules)) | None => false,
        }
    }

    /// Remembers that they use a node; whether that is news. Told often, it is news twice a day, so
    /// that a message costs no write.
    pub(crate) fn uses(&mut self, node: &NodeId, now: DateTime<Utc>) -> bool {
        let known = self.used.get(node);
        if known.is_some_and(|at| now - *at < USED_EVERY) {
            return false;
        }
        self.used.insert(node.clone(), now);
        while self.used.len() > USED {
            let oldest = self.used.iter().min_by_key(|(_, at)| **at);
            let Some(oldest) = oldest.map(|(node, _)| node.clone()) else {
                break;
            };
            self.used.remove(&oldest);
        }
        true
    }

    /// Nodes that they use, and when they last did.
    pub(crate) fn used(&self) -> impl Iterator<Item = (&NodeId, DateTime<Utc>)> {
        self.used.iter().map(|(node, at)| (node, *at))
    }

    /// What they did with the dead letter at that place.
    pub(crate) fn settled(&self, sequence: u64) -> Option<&Settled> {
        self.settled
            .iter()
            .rev()
            .find(|one| one.sequence == sequence)
    }

    /// Remembers what they did with a dead letter.
    pub(crate) fn settle(&mut self, settled: Settled) {
        if self.settled.len() >= DECIDED {
            self.settled.pop_front();
        }
        self.settled.push_back(settled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_decided_by_what_held_when_it_came() {
        let node = |name: &str| -> NodeId { name.parse().unwrap() };
        let mut user = User::default();
        assert_eq!(user.active_at(1), None);
        user.choose(5, &node("a"));
        user.choose(9, &node("b"));
        let at = |user: &User, sequence| user.active_at(sequence).map(ToString::to_string);
        assert_eq!(at(&user, 5).as_deref(), Some("a"));
        assert_eq!(at(&user, 8).as_deref(), Some("a"));
        assert_eq!(at(&user, 12).as_deref(), Some("b"));
        // Before the first choice: as if asked now.
        assert_eq!(at(&user, 4).as_deref(), Some("b"));
        // The first choice comes again, as after a crash.
        user.choose(5, &node("a"));
        assert_eq!(user.active, Some(node("b")));
        // An entry from before there was such a memory.
        let mut old = User {
            active: Some(node("a")),
            ..User::default()
        };
        old.choose(9, &node("b"));
        assert_eq!(at(&old, 8).as_deref(), Some("a"));
        for sequence in 100..300 {
            old.choose(sequence, &node("c"));
        }
        assert_eq!(old.chosen.len(), CHOSEN);
    }

    #[test]
    fn that_a_node_is_used_is_news_twice_a_day() {
        let (mut user, now) = (User::default(), Utc::now());
        let node: NodeId = "pc".parse().unwrap();
        assert!(user.uses(&node, now));
        assert!(!user.uses(&node, now + TimeDelta::hours(11)));
        assert!(user.uses(&node, now + TimeDelta::hours(13)));
        for n in 0..100 {
            let other = NodeId::try_from(format!("n-{n}")).unwrap();
            assert!(user.uses(&other, now + TimeDelta::hours(n)));
        }
        assert_eq!(user.used.len(), USED);
        assert!(!user.used.contains_key(&node));
    }

    #[test]
    fn decisions_are_remembered_up_to_a_bound() {
        let node: NodeId = "pc".parse().unwrap();
        let mut user = User::default();
        for sequence in 0..100 {
            user.decide(sequence, node.clone());
        }
        assert_eq!(user.decided(99), Some(&node));
        assert_eq!(user.decided(35), None);
        assert_eq!(user.decided(36), Some(&node));
        // A full entry fits the bucket's largest value with ease.
        let longest = NodeId::try_from("x".repeat(32)).unwrap();
        for _ in 0..DECIDED {
            user.decide(u64::MAX, longest.clone());
            user.address(u64::MAX, longest.clone());
            let routed = Routed {
                node: longest.clone(),
                active: true,
                reason: "理".repeat(60),
                warned: Some(u64::MAX),
            };
            user.route(u64::MAX, Route::To(routed));
            let other = format!("{}-{}", "x".repeat(28), user.used.len());
            user.uses(&NodeId::try_from(other).unwrap(), Utc::now());
            user.settle(Settled {
                sequence: u64::MAX,
                card: CardId::new(),
                choice: DeadChoice::Discard,
            });
        }
        let bytes = serde_json::to_vec(&user).unwrap().len();
        assert!(
            bytes < usize::try_from(crate::provision::MAX_VALUE).unwrap() / 2,
            "{bytes}"
        );
    }
}
