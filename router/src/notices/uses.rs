//! Who uses which node, for all people at once: who has chosen it or sent something to it within the
//! last week. Read from PW_USERS once by whoever leads, and kept up to date by what is written there.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::jetstream::kv::{Operation, Store};
use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{NodeId, UserId};

use crate::bucket;
use crate::users::User;

/// How long somebody uses a node after they last did something there.
const USES: TimeDelta = TimeDelta::days(7);

/// Handle. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    /// At most one entry for each that the bucket holds, without those older than a week.
    people: Arc<Mutex<People>>,
}

type People = HashMap<NodeId, BTreeMap<UserId, DateTime<Utc>>>;

impl Uses {
    /// Takes in what the bucket holds.
    pub(crate) async fn read(&self, store: &Store) -> Result<(), async_nats::Error> {
        let now = Utc::now();
        bucket::each(store, |entry| {
            if entry.operation != Operation::Put {
                return;
            }
            // What cannot be read is told of where it is needed.
            if let (Ok(user), Ok(found)) = (
                entry.key.parse::<UserId>(),
                serde_json::from_slice::<User>(&entry.value),
            ) {
                self.learn(&user, &found, now);
            }
        })
        .await
    }

    /// What is remembered of a person now.
    pub(crate) fn learn(&self, user: &UserId, found: &User, now: DateTime<Utc>) {
        let used = found.used().filter(|(_, at)| now - *at < USES);
        let mut used = used.peekable();
        if used.peek().is_none() {
            return;
        }
        let mut people = self.lock();
        for (node, at) in used {
            let of_node = people.entry(node.clone()).or_default();
            of_node.insert(user.clone(), at);
        }
    }

    /// Who uses a node, most lately first, at most `limit`.
    pub(crate) fn of(&self, node: &NodeId, limit: usize, now: DateTime<Utc>) -> Vec<UserId> {
        let mut people = self.lock();
        let Some(of_node) = people.get_mut(node) else {
            return Vec::new();
        };
        of_node.retain(|_, at| now - *at < USES);
        let mut of_node: Vec<_> = of_node.iter().collect();
        of_node.sort_by_key(|(_, at)| std::cmp::Reverse(**at));
        let users = of_node.into_iter().take(limit);
        users.map(|(user, _)| user.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_used_for_a_week() {
        let (uses, now) = (Uses::default(), Utc::now());
        let (pc, lab): (NodeId, NodeId) = ("pc".parse().unwrap(), "lab".parse().unwrap());
        let person = |name: &str, node: &NodeId, days: i64| {
            let mut user = User::default();
            assert!(user.uses(node, now - TimeDelta::days(days)));
            let id: UserId = name.parse().unwrap();
            uses.learn(&id, &user, now);
            id
        };
        let anna = person("feishu/ou_a", &pc, 3);
        let ben = person("feishu/ou_b", &pc, 1);
        person("feishu/ou_c", &pc, 8);
        let dora = person("feishu/ou_d", &lab, 0);
        assert_eq!(uses.of(&pc, 10, now), [ben.clone(), anna]);
        assert_eq!(uses.of(&pc, 1, now), [ben]);
        assert_eq!(uses.of(&lab, 10, now), [dora]);
        assert_eq!(uses.of(&lab, 10, now + TimeDelta::days(8)), []);
        assert_eq!(uses.of(&"new".parse().unwrap(), 10, now), []);
    }
}
