//! When refused credentials are refused for good: a broker that has just started, or changes, may refuse for a moment;
//! one that goes on refusing will not change its mind, and trying on for ever would help nobody.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::identity::Creds;

/// This often in a row, over at least this long.
const OFTEN: u32 = 4;
const LONG: Duration = Duration::from_secs(4);
/// A connection that stood this long was let in.
const STOOD: Duration = Duration::from_secs(10);

/// Who was refused where, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) why: String,
}

/// Counts refusals of one connection.
pub(super) struct Refusals {
    url: String,
    creds: Creds,
    refuse: watch::Sender<Option<Refused>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    first: Option<Instant>,
    count: u32,
    connected: Option<Instant>,
    said: Option<Instant>,
}

impl Refusals {
    pub(super) fn new(url: &str, creds: Creds, refuse: watch::Sender<Option<Refused>>) -> Self {
        Self {
            url: url.to_owned(),
            creds,
            refuse,
            state: Mutex::default(),
        }
    }

    /// The library says that the connection is up; the server may still refuse it.
    pub(super) fn connected(&self) {
        let mut state = self.lock();
        state.connected = Some(Instant::now());
        state.said = None;
    }

    pub(super) fn refused(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        if state
            .connected
            .take()
            .is_some_and(|since| now - since >= STOOD)
        {
            state.first = None;
            state.count = 0;
        }
        let first = *state.first.get_or_insert(now);
        state.count = state.count.saturating_add(1);
        if state.count >= OFTEN && now - first >= LONG {
            drop(state);
            self.refuse.send_if_modified(|told| {
                let news = told.is_none();
                if news {
                    *told = Some(Refused {
                        url: self.url.clone(),
                        name: self.creds.name().to_owned(),
                        why: why(&self.creds),
                    });
                }
                news
            });
        }
    }

    /// Whether it is time to say once more that the server cannot be reached.
    pub(super) fn say_again(&self, after: Duration) -> bool {
        let mut state = self.lock();
        let due = state.said.is_none_or(|at| at.elapsed() >= after);
        if due {
            state.said = Some(Instant::now());
        }
        due
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether these words of the server or the library say that we may not come in.
pub(super) fn is_refusal(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "authorization violation",
        "authentication revoked",
        "authentication expired",
        "account authentication",
        "authentication error",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

/// Why they are refused, as far as can be told from this side.
pub(super) fn why(creds: &Creds) -> String {
    why_at(creds.expires_at(), chrono::Utc::now().timestamp())
}

fn why_at(expires_at: Option<i64>, now: i64) -> String {
    let expired = expires_at
        .filter(|at| *at <= now)
        .and_then(|at| chrono::DateTime::from_timestamp(at, 0));
    match expired {
        Some(at) => format!("they expired at {}", at.format("%Y-%m-%d %H:%M UTC")),
        None => "they were revoked, or are those of another hub".into(),
    }
}

/// What to do about it.
pub(super) fn remedy(name: &str) -> String {
    match name {
        "router" | "gateway" => {
            format!(
                "copy creds/{name}.creds out of the hub's DATA_DIR once more, or check NATS_URL"
            )
        }
        _ => format!(
            "to let this machine in again, run `phonework enroll {name}` on the hub and `phonework join` here"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{EnrollOptions, Hub, HubOptions};

    #[tokio::test(start_paused = true)]
    async fn only_a_broker_that_goes_on_refusing_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        let hub = Hub::init(dir.path(), &HubOptions::default()).unwrap();
        let creds = hub.enroll("a", &EnrollOptions::default()).unwrap().creds;
        let (refuse, refused) = watch::channel(None);
        let seen = Refusals::new("nats://hub", creds, refuse);
        let wait = |seconds| tokio::time::advance(Duration::from_secs(seconds));

        // A flock in one moment, as at a start.
        for _ in 0..20 {
            seen.refused();
        }
        assert!(refused.borrow().is_none());
        // Let in after all, for long; then refused again: counted anew.
        seen.connected();
        wait(60).await;
        for _ in 0..3 {
            seen.refused();
            wait(2).await;
        }
        assert!(refused.borrow().is_none());
        // Let in for a blink is not let in.
        seen.connected();
        seen.refused();
        let why = refused.borrow().clone().unwrap().why;
        assert!(why.contains("revoked"), "{why}");
    }

    #[test]
    fn the_reason_is_told_as_far_as_it_is_known() {
        let expired = why_at(Some(1_700_000_000), 1_700_000_001);
        assert_eq!(expired, "they expired at 2023-11-14 22:13 UTC");
        for later in [None, Some(1_700_000_002)] {
            assert!(why_at(later, 1_700_000_001).contains("revoked"));
        }
        assert!(remedy("lab-1").contains("phonework enroll lab-1"));
        assert!(remedy("router").contains("creds/router.creds"));
    }

    #[test]
    fn refusals_are_known_by_their_words() {
        for text in [
            "authorization violation",
            "User Authentication Revoked",
            "user authentication expired",
            "authorization violation: nats: authorization violation",
        ] {
            assert!(is_refusal(text), "{text}");
        }
        for text in [
            "Permissions Violation for Publish to \"x\"",
            "IO error: connection refused",
        ] {
            assert!(!is_refusal(text), "{text}");
        }
    }
}
