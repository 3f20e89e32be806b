//! Of several equal processes one does what only one may do: a lease on one key of a bucket, taken
//! and renewed by compare-and-set. What the holder does with it, and why its parts are safe to do
//! again, is the caller's.
//!
//! Who holds it renews it, and stops by its own clock when that was not possible for
//! [`LOST_AFTER`]. Others take it when it was released, when its holder is gone (nobody listens
//! where holders answer: its connection is closed), or when it was not renewed for [`TAKEN_AFTER`]
//! by *their* clock. The latter is longer, so that a holder which merely hangs has stopped before
//! it is followed.
//!
//! A holder that was frozen and wakes does no harm: [`Lease::guard`] looks at the clock before every
//! step of the work, so what it had begun ends where it stood. Its requests for messages have run out
//! at the broker before anybody follows it ([`PULL_LIVES`]); should it ask once more as it wakes,
//! [`super::consume`] notices that messages are missing. What was already handed to the system's network stack in the moment of
//! freezing can still arrive: the ids of everything sent are derived, so that is recognised as a
//! repeat by the streams, the ledger and the platform.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use super::Broker;

mod candidate;
mod key;

pub use candidate::{Candidate, Instance, Role, Standing};
pub use key::Place;

pub(super) use key::Cas;

/// How often the holder renews.
pub const RENEW_EVERY: Duration = Duration::from_millis(1500);
/// Without a confirmed renewal for this long, by its own clock, the holder has lost it.
pub const LOST_AFTER: Duration = Duration::from_secs(4);
/// A lease that does not change for this long is free, whoever held it.
pub const TAKEN_AFTER: Duration = Duration::from_secs(6);
/// A holder's requests for messages live no longer than this at the broker: a frozen holder's last
/// one, sent at most one renewal after the last renewal, is over before [`TAKEN_AFTER`] is.
pub const PULL_LIVES: Duration = Duration::from_secs(4);

/// The lease, held. Cheap to clone; renewed until [`Lease::release`], or until all clones are gone.
#[derive(Debug, Clone)]
pub struct Lease {
    inner: Arc<Inner>,
    /// Whether nobody else held it since this instance did.
    unbroken: bool,
    /// Whether its holder before us did not give it up.
    seized: bool,
    _renewing: Arc<DropGuard>,
}

#[derive(Debug)]
struct Inner {
    broker: Broker,
    place: Place,
    /// What is written at each renewal.
    value: Vec<u8>,
    last: Mutex<Confirmed>,
    /// Changes at each confirmation and at the loss.
    news: watch::Sender<()>,
    standing: watch::Sender<Standing>,
    lost: CancellationToken,
    over: CancellationToken,
    /// Ends the renewing.
    stop: CancellationToken,
    /// Whether the end is a release.
    release: AtomicBool,
    renewer: Mutex<Option<JoinHandle<()>>>,
}

/// The last renewal that the broker has confirmed.
#[derive(Debug, Clone, Copy)]
struct Confirmed {
    /// Its place in the bucket's stream.
    seq: u64,
    /// The connection it was on, by the number of cuts before.
    cuts: u64,
    /// When it was *sent*.
    at: Instant,
    /// The same by the wall clock, which goes on while a machine sleeps.
    wall: SystemTime,
}

impl Confirmed {
    fn is_fresh(&self) -> bool {
        // A wall clock that was set back says nothing.
        let by_wall = self.wall.elapsed().unwrap_or_default();
        self.at.elapsed() < LOST_AFTER && by_wall < LOST_AFTER
    }
}

impl Lease {
    /// Whether it is ours right now, by our own clock. Costs no I/O.
    pub fn is_mine(&self) -> bool {
        self.inner.is_mine()
    }

    /// Whether nobody else held it since this instance held it last: what this instance remembers
    /// is still true.
    pub fn is_unbroken(&self) -> bool {
        self.unbroken
    }

    /// Whether another instance held it and did not give it up: it may have left things half done.
    pub fn is_seized(&self) -> bool {
        self.seized
    }

    /// Cancelled when the lease is lost or when its holder was told to stop. In the latter case it
    /// is still ours, to finish what is under way, until [`Lease::release`].
    pub fn over(&self) -> &CancellationToken {
        &self.inner.over
    }

    /// Waits until the lease is confirmed on the connection that stands now; false when it is lost.
    /// After a cut somebody else may hold it already, so nothing new may be taken before.
    pub async fn settled(&self) -> bool {
        let mut news = self.inner.news.subscribe();
        loop {
            if !self.is_mine() {
                return false;
            }
            if self.inner.last().cuts == self.inner.broker.cuts() {
                return true;
            }
            tokio::select! {
                _ = news.changed() => {}
                () = self.inner.lost.cancelled() => return false,
            }
        }
    }

    /// Does `work` as long as the lease is ours, which is looked at before every step of it; none
    /// when it was lost before the end, with the work left where it stood.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut lost = pin!(self.inner.lost.cancelled());
        poll_fn(|cx| {
            if !self.is_mine() || lost.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Gives it up, so that another may take it at once. Returns when the broker knows, or does not
    /// answer in time. One that is lost already is left alone.
    pub async fn release(&self) {
        self.inner.release.store(true, Ordering::SeqCst);
        self.inner.stop.cancel();
        let renewer = lock(&self.inner.renewer).take();
        if let Some(renewer) = renewer {
            let _ = renewer.await;
        }
    }
}

impl Inner {
    fn last(&self) -> Confirmed {
        *lock(&self.last)
    }

    fn is_mine(&self) -> bool {
        if self.lost.is_cancelled() {
            return false;
        }
        let fresh = self.last().is_fresh();
        if !fresh {
            self.lose("it could not be renewed in time");
        }
        fresh
    }

    fn lose(&self, why: &str) {
        if self.lost.is_cancelled() {
            return;
        }
        warn!(place = %self.place, why, "no longer leading");
        self.standing.send_replace(Standing::Seeks);
        // In this order: whoever sees the loss sees the end.
        self.over.cancel();
        self.lost.cancel();
        self.news.send_replace(());
    }

    /// One renewal. Whether the lease is lost.
    async fn renew(&self) -> bool {
        let (cuts, at, wall) = (self.broker.cuts(), Instant::now(), SystemTime::now());
        let seq = self.last().seq;
        match self.place.put(&self.broker, seq, &self.value).await {
            Ok(Cas::Won(seq)) => {
                self.confirm(Confirmed {
                    seq,
                    cuts,
                    at,
                    wall,
                });
                false
            }
            // One of ours whose answer was lost, or somebody else.
            Ok(Cas::Refused) => match self.place.read(&self.broker).await {
                Ok(Some(now)) if now.value == self.value => {
                    let mut last = lock(&self.last);
                    last.seq = now.seq;
                    false
                }
                Ok(_) => true,
                Err(_) => false,
            },
            Err(_) => false,
        }
    }

    fn confirm(&self, now: Confirmed) {
        // Too late is lost, also when it still was ours at the broker.
        if !self.lost.is_cancelled() && now.is_fresh() {
            *lock(&self.last) = now;
            self.news.send_replace(());
        }
    }
}

/// Renews until told to stop or lost.
async fn keep(inner: Arc<Inner>) {
    let mut up = inner.broker.up();
    while inner.is_mine() {
        let last = inner.last();
        // A renewal that is not confirmed is repeated sooner, and at once after a cut.
        let sure = last.cuts == inner.broker.cuts();
        let next = if sure && last.at.elapsed() < RENEW_EVERY {
            RENEW_EVERY.saturating_sub(last.at.elapsed())
        } else {
            Duration::from_millis(200)
        };
        if sure || !*up.borrow_and_update() {
            tokio::select! {
                () = inner.stop.cancelled() => break,
                () = tokio::time::sleep(next) => {}
                changed = up.changed() => if changed.is_err() { break },
            }
        }
        // While the connection is down a renewal would only wait in it, and arrive late.
        if !*up.borrow_and_update() {
            continue;
        }
        if inner.stop.is_cancelled() {
            break;
        }
        if inner.renew().await {
            inner.lose("somebody else has taken it over");
            return;
        }
        if inner.last().cuts != inner.broker.cuts() {
            // Not confirmed yet on this connection: no hot loop.
            tokio::select! {
                () = inner.stop.cancelled() => break,
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
    }
    if inner.release.load(Ordering::SeqCst) && inner.is_mine() {
        let seq = inner.last().seq;
        match inner.place.put(&inner.broker, seq, &[]).await {
            Ok(Cas::Won(_)) => info!(place = %inner.place, "leading is given up"),
            Ok(Cas::Refused) => {}
            Err(why) => info!(place = %inner.place, %why, "leading was not given up in order"),
        }
        inner.standing.send_replace(Standing::Seeks);
        inner.lost.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
