//! Edits that may come late. One whose end nobody saw went over a line that was dead, a newer one
//! over another; both arrive when the lines live again, in any order, and then an unfinished text
//! would stay where the answer should. Such edits are ours (`Api::dangling`), or of a gateway that
//! ended without a word, of which we know nothing.
//!
//! What has to stay is therefore edited once more, when the older edit has come or never will: the
//! system tries it again after at most as long as it has tried already.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::super::api::Api;

/// For so long after the gateway before us died, what it had sent last may still arrive.
const AFTERMATH: Duration = Duration::from_secs(15);
/// The pause before an edit is made once more.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(20);

/// Since when something may be on its way.
#[derive(Debug, Default)]
pub(super) struct Late {
    /// When we took over from a gateway that had not given up in order.
    seized: Mutex<Option<Instant>>,
}

impl Late {
    pub(super) fn seized(&self) {
        *self.seized.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Since when an older edit of this message may be out; none if none is.
    pub(super) fn since(&self, api: &Api, message_id: &str) -> Option<Instant> {
        let seized = *self.seized.lock().unwrap_or_else(PoisonError::into_inner);
        let seized = seized.filter(|at| at.elapsed() < AFTERMATH);
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
}
