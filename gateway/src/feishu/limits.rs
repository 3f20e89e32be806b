//! The platform's limits: sizes in bytes, and how often what may be called.
//!
//! Callers wait for their turn; nothing is dropped. Rates are kept a little
//! tighter than allowed, as a bucket that refills may otherwise let nearly twice
//! its size through within one second.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Most bytes of a card or post, counted as [`wire_len`] does (the platform takes
/// 30 KB, and expands some tags before it counts).
pub const CARD_BYTES: usize = 28_000;
/// Most bytes of a text message, counted in the same way (the platform takes 150 KB).
pub const TEXT_BYTES: usize = 140_000;
/// Most elements and components of one card.
pub const CARD_ELEMENTS: usize = 200;
/// Most characters of an idempotency key.
pub const UUID_CHARS: usize = 50;

/// The bytes of a content as it stands in the request: JSON inside a JSON string.
/// Whether the platform counts this or the content alone is not documented; this
/// is the larger of the two.
pub fn wire_len(content: &str) -> usize {
    content.chars().map(json_cost).sum()
}

/// What a character costs inside a JSON string.
pub fn json_cost(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

/// What a character costs inside a JSON string inside another: [`wire_len`] of its
/// JSON.
pub fn nested_json_cost(c: char) -> usize {
    match c {
        '"' | '\\' => 4,
        '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 3,
        '\0'..='\u{1f}' => 7,
        other => other.len_utf8(),
    }
}

/// Keys looked at before idle ones are dropped. A key is idle within a second or
/// two and the app's own limit bounds how many can be busy, so the tables stay
/// near this size.
const PRUNE_EVERY: u32 = 512;

/// The waiting lines of one app.
#[derive(Debug)]
pub struct Limits {
    /// By kind of call: the platform counts each by itself, so edits do not wait for reactions.
    second: DefaultKeyedRateLimiter<&'static str>,
    minute: DefaultKeyedRateLimiter<&'static str>,
    chats: Keyed<String>,
    edits: Keyed<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // 20 + 30 within any second: the platform's 50 a second.
            second: RateLimiter::keyed(quota(Duration::from_nanos(33_333_334), 20)),
            // 250 + 750 within any minute: the platform's 1000 a minute.
            minute: RateLimiter::keyed(quota(Duration::from_millis(80), 250)),
            chats: Keyed::new(),
            edits: Keyed::new(),
        }
    }
}

impl Limits {
    /// Waits for leave to make this kind of call at all.
    pub async fn api(&self, name: &'static str) {
        self.second.until_key_ready(&name).await;
        self.minute.until_key_ready(&name).await;
    }

    /// Waits for leave to put a message into this chat (5 a second).
    pub async fn chat(&self, chat: &str) {
        self.chats.wait(chat.to_owned()).await;
    }

    /// Waits for leave to edit this message (5 a second).
    pub async fn edit(&self, message_id: &str) {
        self.edits.wait(message_id.to_owned()).await;
    }
}

#[derive(Debug)]
struct Keyed<K: Clone + Hash + Eq> {
    limiter: DefaultKeyedRateLimiter<K>,
    taken: AtomicU32,
}

impl<K: Clone + Hash + Eq> Keyed<K> {
    fn new() -> Self {
        Self {
            // 2 + 3 within any second: the platform's 5 a second.
            limiter: RateLimiter::keyed(quota(Duration::from_millis(300), 2)),
            taken: AtomicU32::new(0),
        }
    }

    async fn wait(&self, key: K) {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        if taken % PRUNE_EVERY == PRUNE_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.until_key_ready(&key).await;
    }
}

/// One call each `period`, with `burst` at once after a pause.
fn quota(period: Duration, burst: u32) -> Quota {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(period)
        .unwrap_or(Quota::per_second(NonZeroU32::MIN))
        .allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn costs_are_those_of_the_json() {
        let text: String = ('\0'..='\u{300}').chain("字👍".chars()).collect();
        let once = serde_json::to_string(&text).unwrap();
        let twice = serde_json::to_string(&once).unwrap();
        assert_eq!(wire_len(&text), once.len() - 2);
        // The inner quotes cost two each, the outer ones one.
        let nested: usize = text.chars().map(nested_json_cost).sum();
        assert_eq!(nested, twice.len() - 6);
    }

    #[tokio::test]
    async fn a_chat_takes_five_within_any_second() {
        let limits = Limits::default();
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..7 {
            limits.chat("oc_1").await;
            times.push(start.elapsed());
        }
        for window in times.windows(6) {
            // The sixth comes a second after the first, give or take the clock's grain.
            assert!(
                window[5] >= window[0] + Duration::from_millis(990),
                "{times:?}"
            );
        }
    }

    #[tokio::test]
    async fn chats_do_not_wait_for_each_other() {
        let limits = Limits::default();
        for n in 0..2 * PRUNE_EVERY {
            let chat = format!("oc_{n}");
            tokio::time::timeout(Duration::from_secs(1), limits.chat(&chat))
                .await
                .expect("a fresh chat is free");
        }
        // All are in use, so pruning may keep them; it must not lose the limit.
        assert!(limits.chats.limiter.len() <= 2 * PRUNE_EVERY as usize);
    }
}
