//! Reading a stream as the router that leads, where all that can go wrong is to be stopped: what was not settled then
//! comes again, to us or to the next one.

use std::time::Duration;

use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, Lead, Outcome, consume};
use common::broker::lease::{Lease, Place};
use common::stream;
use tokio_util::sync::CancellationToken;

use crate::users::Stopped;

/// How long running handlers may go on at the end.
const DRAIN: Duration = Duration::from_secs(1);

/// What is read. What cannot be read is passed over by whoever takes it: no dead letter is made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) stream: &'static str,
    pub(crate) consumer: &'static str,
    /// Held at once; the rest stays in the stream.
    pub(crate) in_flight: usize,
    /// Under which name it is kept how far reading came.
    pub(crate) floor: &'static str,
}

impl Reading {
    /// Reads as long as we lead and until `cancel`; those of one `key` one after the other.
    pub(crate) async fn run<K, T, F>(
        self,
        broker: &Broker,
        lease: &Lease,
        cancel: CancellationToken,
        key: K,
        take: T,
    ) where
        K: Fn(&str) -> String,
        T: Fn(Delivery) -> F,
        F: Future<Output = Result<(), Stopped>> + Send + 'static,
    {
        let floor = Place {
            bucket: stream::KV_ROUTER.into(),
            key: self.floor.into(),
        };
        let options = ConsumeOptions {
            stream: self.stream,
            consumer: self.consumer,
            in_flight: self.in_flight,
            drain: DRAIN,
            dead: None,
            lead: Some(Lead {
                lease,
                floor: &floor,
            }),
        };
        let handle = |delivery| {
            let taken = take(delivery);
            async move {
                match taken.await {
                    Ok(()) => Outcome::Done,
                    Err(Stopped) => Outcome::Again(Duration::ZERO),
                }
            }
        };
        consume(broker, options, cancel, key, handle).await;
    }
}
