//! Which message may be what ends the process. A killer takes all that is in hand with it, so after
//! a few ends everything that was in hand has been delivered as often as the killer itself.
//!
//! So what has come several times is handled one after the other in the stream's order, and alone
//! for its first moment. Whatever ends the process then is the first of them in the next life, and
//! only that first one can be given up for having come too often: its neighbours never are.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use super::{Held, MAX_ATTEMPTS};

/// Delivered more often than this: handled alone at first.
const SUSPECT: i64 = 3;

/// The right to be handled alone. Ends when it is dropped.
pub(super) struct Trial {
    /// It has come too often and is given up without another try.
    pub(super) given_up: bool,
    /// Dropped with us, which is how the next one hears of the end.
    _over: oneshot::Sender<()>,
}

/// Those that wait for their trial, at most one of which is out.
#[derive(Default)]
pub(super) struct Suspects {
    waiting: BTreeMap<u64, (String, Held)>,
    out: Option<oneshot::Receiver<()>>,
    /// One has been given up since this reader began.
    struck: bool,
}

impl Suspects {
    /// Whether this one is to be handled alone at first.
    pub(super) fn is_one(held: &Held) -> bool {
        held.delivery.attempt > SUSPECT && !held.tried
    }

    /// Adds one; `held` bounds how many there are.
    pub(super) fn add(&mut self, key: String, held: Held) {
        self.waiting.insert(held.delivery.sequence, (key, held));
    }

    /// The next one, if no other is out.
    pub(super) fn next(&mut self) -> Option<(String, Held, Trial)> {
        if self.out.is_some() {
            return None;
        }
        let (_, (key, held)) = self.waiting.pop_first()?;
        let (over, out) = oneshot::channel();
        self.out = Some(out);
        let given_up = held.delivery.attempt > MAX_ATTEMPTS && !self.struck;
        self.struck |= given_up;
        let trial = Trial {
            given_up,
            _over: over,
        };
        Some((key, held, trial))
    }

    /// Forgets all of them: they come again.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.out = None;
    }

    /// Waits for the end of the trial that is out; for ever if none is.
    pub(super) async fn over(&mut self) {
        match &mut self.out {
            Some(out) => {
                let _ = out.await;
                self.out = None;
            }
            None => std::future::pending().await,
        }
    }
}
