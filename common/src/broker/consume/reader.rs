//! What one reader has in hand: each key in order, keys in parallel, and what may only go on later.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::carry::{Carrier, Ended};
use super::suspects::{Suspects, Trial};
use super::{ConsumeOptions, Delivery, Held, Outcome};
use crate::broker::Broker;
use crate::broker::lease::Lease;
use crate::keyed::Keyed;

/// What one reader has in hand. Bounded by `in_flight`.
pub(super) struct Reader<H> {
    carrier: Carrier,
    handle: H,
    lease: Option<Lease>,
    /// Ends the handlers that are under way.
    stretch: CancellationToken,
    keyed: Keyed<String, Held>,
    pub(super) running: JoinSet<Ended>,
    /// Everything taken and not yet settled, by place in the stream.
    pub(super) held: BTreeMap<u64, jetstream::Message>,
    pub(super) suspects: Suspects,
}

impl<H, F> Reader<H>
where
    H: Fn(Delivery) -> F,
    F: Future<Output = Outcome> + Send + 'static,
{
    pub(super) fn new(
        broker: &Broker,
        options: &ConsumeOptions<'_>,
        cancel: CancellationToken,
        handle: H,
    ) -> Self {
        Self {
            carrier: Carrier::new(broker, options, cancel),
            handle,
            lease: options.lead.map(|lead| lead.lease.clone()),
            stretch: CancellationToken::new(),
            keyed: Keyed::default(),
            running: JoinSet::new(),
            held: BTreeMap::new(),
            suspects: Suspects::default(),
        }
    }

    pub(super) fn take(&mut self, key: String, one: Held) {
        // Delivered again while it is in hand, after a cut link: one is enough.
        if self.held.contains_key(&one.delivery.sequence) {
            return;
        }
        self.held.insert(one.delivery.sequence, one.message.clone());
        if let Some(first) = self.keyed.push(key.clone(), one) {
            self.start(key, first, Duration::ZERO);
        }
    }

    /// Lets go of everything in hand, to begin anew: all of it comes again. Returns when nothing
    /// works on any of it any more, for that would work beside its own repeat.
    pub(super) async fn abandon(&mut self) {
        self.stretch.cancel();
        self.running.shutdown().await;
        self.carrier.all_ended().await;
        self.stretch = CancellationToken::new();
        self.keyed = Keyed::default();
        self.held.clear();
        self.suspects.forget();
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
        let over = self.stretch.clone();
        let work = async move {
            let work = async {
                match lease {
                    None => Some(work.await),
                    // Lost half-way: it is the next holder's now.
                    Some(lease) => lease.guard(work).await,
                }
            };
            tokio::select! {
                biased;
                () = over.cancelled() => Outcome::Again(Duration::ZERO),
                outcome = work => outcome.unwrap_or(Outcome::Again(Duration::ZERO)),
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
