//! How often strangers may try. Pure: time is handed in.
//!
//! Every knock takes from one bucket for all, so that nobody keeps the router busy; a failed one takes from a bucket of
//! the id and from one for all failures, so that nobody guesses.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Knocks at once, and how soon another one is let through.
const ALL: (f64, Duration) = (100.0, Duration::from_millis(20));
/// Failures of one id.
const OF_ONE: (f64, Duration) = (5.0, Duration::from_secs(10));
/// Failures of all ids together.
const FAILURES: (f64, Duration) = (50.0, Duration::from_secs(1));
/// Ids that are remembered. At the bound those that may try again anyhow are forgotten; when all others are in use, new
/// ids count for the bucket of all only.
const IDS: usize = 1_024;

/// So many at once, refilled one by one.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Option<Instant>,
}

impl Bucket {
    const fn new(size: f64) -> Self {
        Self {
            left: size,
            at: None,
        }
    }

    fn refill(&mut self, (size, each): (f64, Duration), now: Instant) {
        let passed = self.at.map_or(Duration::ZERO, |at| now - at);
        self.at = Some(now);
        self.left = (self.left + passed.as_secs_f64() / each.as_secs_f64()).min(size);
    }

    /// Seconds until there is one again; none if there is one.
    fn empty(&mut self, rate: (f64, Duration), now: Instant) -> Option<u64> {
        self.refill(rate, now);
        if self.left >= 1.0 {
            return None;
        }
        let wait = rate.1.mul_f64(1.0 - self.left);
        Some(wait.as_secs().saturating_add(1))
    }

    fn take(&mut self, rate: (f64, Duration), now: Instant) {
        self.refill(rate, now);
        self.left = (self.left - 1.0).max(0.0);
    }
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Limits {
    all: Bucket,
    failures: Bucket,
    of: HashMap<String, Bucket>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            all: Bucket::new(ALL.0),
            failures: Bucket::new(FAILURES.0),
            of: HashMap::new(),
        }
    }
}

impl Limits {
    /// Counts a knock; seconds to wait if it is one too many.
    pub(super) fn any(&mut self, now: Instant) -> Option<u64> {
        let wait = self.all.empty(ALL, now);
        if wait.is_none() {
            self.all.take(ALL, now);
        }
        wait
    }

    /// Whether this id has failed too often to be looked at: seconds to wait.
    pub(super) fn failed(&mut self, id: &str, now: Instant) -> Option<u64> {
        let own = self
            .of
            .get_mut(id)
            .and_then(|bucket| bucket.empty(OF_ONE, now));
        own.or_else(|| self.failures.empty(FAILURES, now))
    }

    /// Counts a failure.
    pub(super) fn wrong(&mut self, id: &str, now: Instant) {
        self.failures.take(FAILURES, now);
        if !self.of.contains_key(id) && self.of.len() >= IDS {
            self.of.retain(|_, bucket| {
                bucket.refill(OF_ONE, now);
                bucket.left < OF_ONE.0
            });
            if self.of.len() >= IDS {
                return;
            }
        }
        self.of
            .entry(id.to_owned())
            .or_insert_with(|| Bucket::new(OF_ONE.0))
            .take(OF_ONE, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_and_others_do_not() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for n in 0..5 {
            assert_eq!(limits.failed("a", start), None, "{n}");
            limits.wrong("a", start);
        }
        let wait = limits.failed("a", start).unwrap();
        assert!((10..=11).contains(&wait), "{wait}");
        assert_eq!(limits.failed("b", start), None);
        let later = start + Duration::from_secs(11);
        assert_eq!(limits.failed("a", later), None);
        limits.wrong("a", later);
        assert!(limits.failed("a", later).is_some());
    }

    #[test]
    fn many_ids_are_no_way_around_it_and_take_no_memory() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        for n in 0..50 {
            limits.wrong(&format!("id-{n}"), start);
        }
        assert!(limits.failed("another", start).is_some());
        for n in 0..5_000 {
            limits.wrong(&format!("more-{n}"), start);
        }
        assert_eq!(limits.of.len(), IDS);
        let later = start + Duration::from_secs(120);
        limits.wrong("new", later);
        assert_eq!(limits.of.len(), 1);
    }

    #[test]
    fn all_knocks_together_are_bounded() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        let through = (0..1_000).filter(|_| limits.any(start).is_none()).count();
        assert_eq!(through, 100);
        assert_eq!(limits.any(start), Some(1));
        assert_eq!(limits.any(start + Duration::from_millis(25)), None);
    }
}
