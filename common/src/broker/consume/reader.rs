//! What one reader has in hand: each key in order, keys in parallel, and what may only go on later.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::PullConsumer;
use tokio::task::JoinSet;

use super::carry::{Carrier, Ended};
use super::resume::Resume;
use super::suspects::{Suspects, Trial};
use super::{Delivery, Held, Outcome};
use crate::broker::lease::Lease;
use crate::keyed::Keyed;

/// What one reader has in hand. Bounded by `in_flight`.
pub(super) struct Reader<H> {
    pub(super) carrier: Carrier,
    pub(super) handle: H,
    pub(super) lease: Option<Lease>,
    pub(super) keyed: Keyed<String, Held>,
    pub(super) running: JoinSet<Ended>,
    /// Everything taken and not yet settled, by place in the stream.
    pub(super) held: BTreeMap<u64, jetstream::Message>,
    pub(super) suspects: Suspects,
    pub(super) resume: Resume,
}

impl<H, F> Reader<H>
where
    H: Fn(Delivery) -> F,
    F: Future<Output = Outcome> + Send + 'static,
{
    pub(super) fn take(&mut self, key: String, one: Held) {
        // Delivered again while it is in hand, after a cut link: one is enough.
        if self.held.contains_key(&one.delivery.sequence) {
            return;
        }
        self.held.insert(one.delivery.sequence, one.message.clone());
        if self.resume.is_on() {
            self.resume.keep(key, one);
        } else {
            self.line_up(key, one);
        }
    }

    /// Accounts for what is in hand beside the message that has just come.
    pub(super) fn expect(&mut self, consumer: &PullConsumer, sequence: u64) {
        let new = usize::from(!self.held.contains_key(&sequence));
        let held = self.held.len();
        self.resume.expect(consumer, held + new, sequence);
    }

    pub(super) fn resume(&mut self) {
        for (key, one) in self.resume.release() {
            self.line_up(key, one);
        }
    }

    fn line_up(&mut self, key: String, one: Held) {
        if let Some(first) = self.keyed.push(key.clone(), one) {
            self.start(key, first, Duration::ZERO);
        }
    }

    fn start(&mut self, key: String, held: Held, pause: Duration) {
        if Suspects::is_one(&held) {
            self.suspects.add(key, held);
            self.next_suspect();
        } else {
            self.run(key, held, pause, None);
        }
    }

    pub(super) fn next_suspect(&mut self) {
        if let Some((key, held, trial)) = self.suspects.next() {
            self.run(key, held, Duration::ZERO, Some(trial));
        }
    }

    fn run(&mut self, key: String, held: Held, pause: Duration, trial: Option<Trial>) {
        let (work, lease) = ((self.handle)(held.delivery.clone()), self.lease.clone());
        let work = async move {
            match lease {
                None => work.await,
                // Lost half-way: it is the next holder's now.
                Some(lease) => lease
                    .guard(work)
                    .await
                    .unwrap_or(Outcome::Again(Duration::ZERO)),
            }
        };
        let carrier = self.carrier.clone();
        self.running
            .spawn(carrier.carry(key, held, pause, trial, work));
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        match ended {
            Ended::Settled { key, sequence } => {
                self.held.remove(&sequence);
                if let Some(next) = self.keyed.done(&key) {
                    self.start(key, next, Duration::ZERO);
                }
            }
            Ended::Again { key, held, pause } => self.start(key, *held, pause),
        }
    }
}
