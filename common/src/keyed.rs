//! Order within a key, parallel across keys: the shape of "each person in order, people at once".
//!
//! Pure bookkeeping; whoever owns it runs the jobs and bounds how many are held.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Jobs by key: at most one of each key is out at a time, the others wait in order.
#[derive(Debug)]
pub struct Keyed<K, J> {
    waiting: HashMap<K, VecDeque<J>>,
}

impl<K: Hash + Eq + Clone, J> Default for Keyed<K, J> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
        }
    }
}

impl<K: Hash + Eq + Clone, J> Keyed<K, J> {
    /// Adds a job. It is given back at once if nothing of its key is out: start it then.
    pub fn push(&mut self, key: K, job: J) -> Option<J> {
        if let Some(queue) = self.waiting.get_mut(&key) {
            queue.push_back(job);
            return None;
        }
        self.waiting.insert(key, VecDeque::new());
        Some(job)
    }

    /// Says that the job of `key` that was out is finished; gives the next one to start.
    pub fn done(&mut self, key: &K) -> Option<J> {
        let next = self.waiting.get_mut(key)?.pop_front();
        if next.is_none() {
            self.waiting.remove(key);
        }
        next
    }

    /// Keys that have a job out.
    pub fn busy(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_key_runs_in_order_and_nothing_is_left(jobs in prop::collection::vec((0_u8..4, any::<u16>()), 0..60), picks in prop::collection::vec(any::<usize>(), 200)) {
            let mut keyed = Keyed::default();
            let mut out: Vec<(u8, (usize, u16))> = Vec::new();
            let mut seen: HashMap<u8, Vec<usize>> = HashMap::new();
            for (at, (key, job)) in jobs.iter().enumerate() {
                if let Some(job) = keyed.push(*key, (at, *job)) {
                    out.push((*key, job));
                }
            }
            let mut picks = picks.into_iter().cycle();
            while !out.is_empty() {
                let at = picks.next().unwrap_or(0) % out.len();
                let (key, job) = out.swap_remove(at);
                prop_assert!(out.iter().all(|(other, _)| *other != key));
                seen.entry(key).or_default().push(job.0);
                if let Some(next) = keyed.done(&key) {
                    out.push((key, next));
                }
            }
            prop_assert_eq!(keyed.busy(), 0);
            prop_assert_eq!(seen.values().map(Vec::len).sum::<usize>(), jobs.len());
            for order in seen.values() {
                prop_assert!(order.is_sorted());
            }
        }
    }
}
