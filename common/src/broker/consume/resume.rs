//! Following another reader of the same consumer, or ourselves before a cut, without changing the
//! order: what that one had in hand comes again only when its time is up, and in no certain order,
//! while newer messages come at once.
//!
//! So what comes is kept back until all that is missing has come, and then goes on by its place in
//! the stream. The missing are counted by the broker: delivered, not acknowledged, and not with us.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use tokio::time::Instant;
use tracing::info;

use super::Held;
use crate::broker::Broker;
use crate::broker::lease::PULL_LIVES;

/// How long after the time of a missing message is up it may still be on its way.
const SLACK: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until no earlier reader's request for messages is open any more: what it would be given
/// would go nowhere, or to somebody frozen. Gives up when such a request cannot be older. Gives the
/// consumer as it is then.
///
/// # Errors
/// When the consumer is not there, or the broker does not say.
pub async fn quiet(broker: &Broker, stream: &str, consumer: &str) -> Result<PullConsumer, String> {
    let until = Instant::now() + PULL_LIVES + SLACK;
    loop {
        let found: PullConsumer = broker
            .jetstream()
            .get_consumer_from_stream(consumer, stream)
            .await
            .map_err(|error| error.to_string())?;
        if found.cached_info().num_waiting == 0 || Instant::now() >= until {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What is kept back. Bounded by what the reader may hold.
#[derive(Default)]
pub(super) struct Resume {
    /// How many have not come again yet, and up to which place in the stream these are.
    missing: usize,
    through: u64,
    /// Among these, but counted already.
    counted: u64,
    /// When no more of them are expected, as some were acknowledged at the last moment; none when
    /// nothing is kept back.
    until: Option<Instant>,
    kept: BTreeMap<u64, (String, Held)>,
}

impl Resume {
    /// Begins to keep back if any of what `consumer` counts is not among the `held`, one of which,
    /// the one at `counted`, is still to be given to [`Resume::keep`].
    pub(super) fn expect(&mut self, consumer: &PullConsumer, held: usize, counted: u64) {
        let info = consumer.cached_info();
        self.missing = info.num_ack_pending.saturating_sub(held);
        self.through = info.delivered.stream_sequence;
        self.counted = counted;
        if self.missing == 0 {
            // All that an earlier cut had left missing is there.
            self.until = self.until.map(|_| Instant::now());
        } else {
            info!(
                stream = info.stream_name,
                consumer = info.name,
                missing = self.missing,
                "waiting for what was in hand before"
            );
            self.until = Some(Instant::now() + info.config.ack_wait + SLACK);
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.until.is_some()
    }

    pub(super) fn keep(&mut self, key: String, one: Held) {
        let sequence = one.delivery.sequence;
        if sequence <= self.through && sequence != self.counted {
            self.missing = self.missing.saturating_sub(1);
            if self.missing == 0 {
                self.until = Some(Instant::now());
            }
        }
        self.kept.insert(sequence, (key, one));
    }

    /// Waits until nothing is missing any more; for ever if nothing is kept back.
    pub(super) async fn over(&self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    /// Ends it, and gives all that was kept back, by place in the stream.
    pub(super) fn release(&mut self) -> impl Iterator<Item = (String, Held)> + use<> {
        self.until = None;
        std::mem::take(&mut self.kept).into_values()
    }
}
