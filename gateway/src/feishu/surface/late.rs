//! Edits that may come late. One whose end nobody saw went over a line that was dead, a newer one
//! over another; both arrive when the lines live again, in any order, and then an unfinished text
//! would stay where the answer should. Such edits are ours (`Api::dangling`), or of a gateway that
//! ended without a word, of which we know nothing.
//!
//! What has to stay is therefore edited once more, when the older edit has come or never will: the
//! system tries it again after at most as long as it has tried already.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::ids::CardId;
use moka::sync::Cache;
use tokio::time::Instant;
use tracing::info;

use super::super::api::Api;

/// For so long after the gateway before us died, what it had sent last may still arrive, if we have
/// heard nothing of the platform either.
const AFTERMATH: Duration = Duration::from_secs(30);
/// The pause before an edit is made once more.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(20);
/// Cards of which the newest revision is remembered.
const CARDS: u64 = 10_000;

/// Since when something may be on its way.
#[derive(Debug)]
pub(super) struct Late {
    seized: Mutex<Option<Seized>>,
    /// The newest revision that was begun, which counts as shown only later: what is given up in
    /// between must not let an older preview through.
    begun: Cache<CardId, u32>,
}

impl Default for Late {
    fn default() -> Self {
        Self {
            seized: Mutex::default(),
            begun: Cache::new(CARDS),
        }
    }
}

/// We lead in place of a gateway that had not given up in order.
#[derive(Debug, Clone, Copy)]
struct Seized {
    at: Instant,
    /// The platform's first answer to us: the line lives.
    heard: Option<Instant>,
}

impl Seized {
    /// Until when what the other one had sent may arrive: as long again as the line was dead, and a
    /// little.
    fn until(&self) -> Instant {
        match self.heard {
            Some(heard) => heard + heard.duration_since(self.at) + 2 * SHORTEST,
            None => self.at + AFTERMATH,
        }
    }
}

impl Late {
    /// This revision of a card is being shown.
    pub(super) fn begins(&self, card: CardId, rev: u32) {
        self.begun.insert(card, rev);
    }

    /// Whether a newer revision than this was begun.
    pub(super) fn is_past(&self, card: CardId, rev: u32) -> bool {
        self.begun.get(&card).is_some_and(|begun| begun > rev)
    }

    pub(super) fn seized(&self) {
        let (at, heard) = (Instant::now(), None);
        *self.lock() = Some(Seized { at, heard });
    }

    /// The platform has answered.
    pub(super) fn heard(&self) {
        if let Some(seized) = &mut *self.lock() {
            seized.heard.get_or_insert_with(Instant::now);
        }
    }

    /// Since when an older edit of this message may be out; none if none is.
    pub(super) fn since(&self, api: &Api, message_id: &str) -> Option<Instant> {
        let seized = self.lock().filter(|seized| Instant::now() < seized.until());
        let seized = seized.map(|seized| seized.at);
        api.dangling(message_id).into_iter().chain(seized).min()
    }

    /// Waits until what is out since then has come, or is given up.
    pub(super) async fn over(since: Instant) {
        let pause = since.elapsed().clamp(SHORTEST, LONGEST);
        info!(
            ?pause,
            "an older edit may still arrive; editing once more then"
        );
        tokio::time::sleep(pause).await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Seized>> {
        self.seized.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_had_sent_is_waited_for_as_long_again_as_the_line_was_dead() {
        let at = Instant::now();
        let after = |heard: Option<u64>| {
            let heard = heard.map(|secs| at + Duration::from_secs(secs));
            Seized { at, heard }.until() - at
        };
        assert_eq!(after(Some(0)), Duration::from_secs(2));
        assert_eq!(after(Some(8)), Duration::from_secs(18));
        assert_eq!(after(None), AFTERMATH);
    }
}
