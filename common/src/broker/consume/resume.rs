//! Following another reader of the same consumer, or ourselves before a cut, without changing the
//! order: what that one had in hand comes again only when its time is up, and in no certain order,
//! while newer messages come at once.
//!
//! So what comes is kept back until all that is missing has come, and then goes on by its place in
//! the stream. The missing are counted by the broker: delivered, not acknowledged, and not with us.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use tokio::time::Instant;
use tracing::{debug, info};

use super::Held;
use crate::broker::Broker;
use crate::broker::lease::PULL_LIVES;

/// How long after the time of a missing message is up it may still be on its way.
const SLACK: Duration = Duration::from_millis(500);

/// What is kept back. Bounded by what the reader may hold.
#[derive(Default)]
pub(super) struct Resume {
    /// How many have not come again yet.
    missing: usize,
    /// When no more of them are expected: some were acknowledged at the last moment.
    until: Option<Instant>,
    kept: BTreeMap<u64, (String, Held)>,
}

impl Resume {
    /// Begins to keep back when any of what `consumer` counts is not among the `held`.
    pub(super) fn expect(&mut self, consumer: &PullConsumer, held: usize) {
        let info = consumer.cached_info();
        self.missing = info.num_ack_pending.saturating_sub(held);
        if self.missing > 0 {
            info!(stream = info.stream_name, consumer = info.name, missing = self.missing,
                "waiting for what was in hand before");
            self.until = Some(Instant::now() + info.config.ack_wait + SLACK);
        }
    }

    /// Gives the message back if nothing is kept back.
    pub(super) fn keep(&mut self, key: String, one: Held) -> Option<(String, Held)> {
        self.until?;
        if one.delivery.attempt > 1 {
            self.missing = self.missing.saturating_sub(1);
        }
        self.kept.insert(one.delivery.sequence, (key, one));
        if self.missing == 0 {
            self.until = Some(Instant::now());
        }
        None
    }
}
