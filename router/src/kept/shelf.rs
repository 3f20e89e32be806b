//! Records in memory, and found by what is asked for: one of them, or all of one group. What the bucket
//! holds is `kept`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Record;

/// A record and its revision in the bucket.
#[derive(Debug)]
pub(super) struct Known<T> {
    pub(super) record: Arc<T>,
    pub(super) revision: u64,
}

/// The records in memory, at most what the bucket holds: some hundred thousand small ones.
#[derive(Debug)]
pub(super) struct Shelf<T: Record> {
    pub(super) known: BTreeMap<T::Key, Known<T>>,
    /// Those that belong to a group, by that: whoever asks wants those of one, and there are many others.
    groups: HashMap<T::Group, BTreeSet<T::Key>>,
}

impl<T: Record> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            groups: HashMap::new(),
        }
    }
}

impl<T: Record> Shelf<T> {
    /// All of one group; looks at nothing of others.
    pub(super) fn of(&self, group: &T::Group) -> Vec<Arc<T>> {
        let keys = self.groups.get(group).into_iter().flatten();
        let known = keys.filter_map(|key| self.known.get(key));
        known.map(|known| Arc::clone(&known.record)).collect()
    }

    pub(super) fn put(&mut self, record: Arc<T>, revision: u64) {
        let key = record.key();
        self.remove(&key);
        if let Some(group) = record.group() {
            self.groups.entry(group).or_default().insert(key.clone());
        }
        self.known.insert(key, Known { record, revision });
    }

    pub(super) fn remove(&mut self, key: &T::Key) {
        let Some(Known { record, .. }) = self.known.remove(key) else {
            return;
        };
        let Some(group) = record.group() else {
            return;
        };
        if let Some(of) = self.groups.get_mut(&group) {
            of.remove(key);
            if of.is_empty() {
                self.groups.remove(&group);
            }
        }
    }

    /// Lets go of what does not fit.
    pub(super) fn retain(&mut self, fits: impl Fn(&T) -> bool) {
        let old = self.known.iter().filter(|(_, known)| !fits(&known.record));
        let old: Vec<_> = old.map(|(key, _)| key.clone()).collect();
        for key in old {
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use common::ids::{CauseId, UserId};
    use common::lang::Lang;
    use common::message::inbound::{Chat, ChatKind};

    use super::*;
    use crate::waiting::{Entry, State, Waits};

    fn entry(cause: &str, user: &str, state: State) -> Entry {
        Entry {
            cause: CauseId::new(common::ids::Surface::Feishu, cause),
            user: user.parse().unwrap(),
            chat: Chat {
                id: "oc_1".into(),
                kind: ChatKind::Direct,
                message: None,
            },
            lang: Lang::En,
            traceparent: String::new(),
            node: "pc".parse().unwrap(),
            name: "PC".into(),
            tap: false,
            sequence: 1,
            at: DateTime::UNIX_EPOCH,
            first: CauseId::new(common::ids::Surface::Feishu, cause),
            rev: 1,
            open: false,
            state,
        }
    }

    #[test]
    fn what_waits_is_found_by_person_and_gone_when_it_does_not() {
        let mut shelf: Shelf<Entry> = Shelf::default();
        let waits = || State::Waiting(Waits::default());
        let of = |shelf: &Shelf<Entry>, user: &str| {
            let user: UserId = user.parse().unwrap();
            shelf.of(&user).len()
        };
        for (cause, user) in [("1", "ou_a"), ("2", "ou_a"), ("3", "ou_b")] {
            shelf.put(Arc::new(entry(cause, user, waits())), 1);
        }
        assert_eq!((of(&shelf, "ou_a"), of(&shelf, "ou_b")), (2, 1));
        let taken = Arc::new(entry("1", "ou_a", State::Taken { count: 1 }));
        shelf.put(Arc::clone(&taken), 2);
        assert_eq!(of(&shelf, "ou_a"), 1);
        // Sent again, it waits once more; the same twice is one.
        for _ in 0..2 {
            shelf.put(Arc::new(entry("1", "ou_a", waits())), 3);
        }
        assert_eq!(of(&shelf, "ou_a"), 2);
        shelf.put(taken, 4);
        shelf.remove(&entry("2", "ou_a", waits()).cause);
        shelf.remove(&entry("3", "ou_b", waits()).cause);
        assert!(shelf.groups.is_empty() && shelf.known.len() == 1);
        shelf.put(Arc::new(entry("5", "ou_a", waits())), 5);
        shelf.retain(|entry| !entry.waits());
        assert!(shelf.groups.is_empty() && shelf.known.len() == 1);
    }
}
