//! What people were told, in memory, and found by what is asked for: an act, or all that waits of one
//! person. What the bucket holds is `book`'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use common::ids::{CauseId, UserId};

use super::book::Entry;

/// An entry and its revision in the bucket.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) entry: Arc<Entry>,
    pub(super) revision: u64,
}

/// The entries in memory, at most what the bucket holds: some hundred thousand small ones.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) known: BTreeMap<CauseId, Known>,
    /// Of these, what waits, by person: whoever asks wants those of one, and a hub with many machines
    /// that are off has many others.
    waiting: HashMap<UserId, BTreeSet<CauseId>>,
}

impl Shelf {
    /// What waits of one person; looks at nothing of others.
    pub(super) fn waiting_of(&self, user: &UserId) -> Vec<Arc<Entry>> {
        let causes = self.waiting.get(user).into_iter().flatten();
        let known = causes.filter_map(|cause| self.known.get(cause));
        known.map(|known| Arc::clone(&known.entry)).collect()
    }

    pub(super) fn put(&mut self, entry: Arc<Entry>, revision: u64) {
        let cause = entry.cause.clone();
        self.remove(&cause);
        if entry.waits() {
            let of = self.waiting.entry(entry.user.clone()).or_default();
            of.insert(cause.clone());
        }
        self.known.insert(cause, Known { entry, revision });
    }

    pub(super) fn remove(&mut self, cause: &CauseId) {
        let Some(Known { entry, .. }) = self.known.remove(cause) else {
            return;
        };
        if let Some(of) = self.waiting.get_mut(&entry.user) {
            of.remove(cause);
            if of.is_empty() {
                self.waiting.remove(&entry.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use common::lang::Lang;
    use common::message::inbound::{Chat, ChatKind};

    use super::super::book::{State, Waits};
    use super::*;

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
        let mut shelf = Shelf::default();
        let waits = || State::Waiting(Waits::default());
        let of = |shelf: &Shelf, user: &str| {
            let user: UserId = user.parse().unwrap();
            shelf.waiting_of(&user).len()
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
        assert!(shelf.waiting.is_empty() && shelf.known.len() == 1);
    }
}
