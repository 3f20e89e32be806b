//! Edits whose end nobody saw, because no answer came or nobody waited for it any more. On a line
//! that was dead for a while such an edit may still reach the platform, after newer ones of the same
//! message that went over another connection. What to do about it is the surface's.

use std::time::Duration;

use moka::sync::Cache;
use tokio::time::Instant;

/// Messages of which this is known.
const MOST: u64 = 10_000;
/// No system tries to deliver what a process left behind for longer than about this.
const LIFE: Duration = Duration::from_secs(120);

/// When the oldest such edit of each message was sent, by the platform's id of the message.
#[derive(Debug, Clone)]
pub(super) struct Dangling(Cache<String, Instant>);

impl Dangling {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(MOST).time_to_live(LIFE);
        Self(cache.build())
    }

    /// An edit that begins now; it dangles unless [`Edit::answered`] is called.
    pub(super) fn begin<'a>(&'a self, message_id: &'a str) -> Edit<'a> {
        Edit {
            all: self,
            message_id,
            begun: Instant::now(),
            answered: false,
        }
    }

    pub(super) fn since(&self, message_id: &str) -> Option<Instant> {
        self.0.get(message_id)
    }

    pub(super) fn forget(&self, message_id: &str) {
        self.0.invalidate(message_id);
    }
}

/// One edit under way.
pub(super) struct Edit<'a> {
    all: &'a Dangling,
    message_id: &'a str,
    begun: Instant,
    answered: bool,
}

impl Edit<'_> {
    /// The platform has spoken, or surely never got it.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        if !self.answered && !self.all.0.contains_key(self.message_id) {
            self.all.0.insert(self.message_id.to_owned(), self.begun);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_dropped_dangles_since_its_begin() {
        let all = Dangling::new();
        all.begin("om_1").answered();
        assert_eq!(all.since("om_1"), None);
        let first = Instant::now();
        drop(all.begin("om_1"));
        tokio::time::advance(Duration::from_secs(3)).await;
        drop(all.begin("om_1"));
        all.begin("om_1").answered();
        assert_eq!(all.since("om_1"), Some(first), "the oldest counts");
        assert_eq!(all.since("om_2"), None);
        all.forget("om_1");
        assert_eq!(all.since("om_1"), None);
    }
}
