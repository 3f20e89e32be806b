//! Following another reader of the same consumer, or ourselves before a cut, without changing the
//! order. What that one had in hand would come again only when its time is up, in no certain order,
//! while newer messages come at once. So the consumer is reset to its floor: everything that is not
//! settled comes again, first and by its place in the stream.
//!
//! From there on the broker numbers its deliveries without a gap. A number that is missing went to
//! somebody else, such as a reader that was frozen and asked once more when it woke, or was lost on
//! its way; then reading begins anew. How often that may be is `floor`'s.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use tokio::time::Instant;
use tracing::info;

use super::{ConsumeOptions, Earlier, Lead, floor};
use crate::broker::Broker;
use crate::broker::lease::PULL_LIVES;

/// How long after its time is up a request for messages may still be open.
const SLACK: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Where reading begins.
pub(super) struct Begun {
    pub(super) consumer: PullConsumer,
    pub(super) earlier: Earlier,
    /// The number of the delivery that has to come next.
    pub(super) next: u64,
}

/// What was counted already, so that no restart is counted twice.
#[derive(Default)]
pub(super) struct Counted(Option<(u64, Earlier)>);

/// Begins with the oldest message that is not acknowledged.
pub(super) async fn begin(
    broker: &Broker,
    options: &ConsumeOptions<'_>,
    lead: Lead<'_>,
    counted: &mut Counted,
) -> Result<Begun, String> {
    let link = broker.cuts();
    let consumer = quiet(broker, options).await?;
    let state = consumer.cached_info();
    let known = counted.0.filter(|(counted_on, _)| *counted_on == link);
    let mut earlier = known.map(|(_, earlier)| earlier).unwrap_or_default();
    if state.num_ack_pending == 0 {
        let next = state.delivered.consumer_sequence.saturating_add(1);
        return Ok(Begun {
            consumer,
            earlier,
            next,
        });
    }
    info!(
        stream = options.stream,
        consumer = options.consumer,
        unsettled = state.num_ack_pending,
        "taking up what was in hand before"
    );
    if known.is_none() {
        let (floor, last) = (&state.ack_floor, &state.delivered);
        earlier = floor::begin(
            broker,
            lead.floor,
            floor.stream_sequence,
            last.stream_sequence,
        )
        .await?;
        counted.0 = Some((link, earlier));
    }
    let stream = broker
        .jetstream()
        .get_stream_no_info(options.stream)
        .await
        .map_err(|error| error.to_string())?;
    stream
        .reset_consumer(options.consumer, None)
        .await
        .map_err(|error| error.to_string())?;
    // The numbers begin anew with the reset.
    let next = 1;
    Ok(Begun {
        consumer,
        earlier,
        next,
    })
}

/// Waits until no earlier reader's request for messages is open any more: what it would be given
/// would go nowhere, or to somebody frozen. Gives up when such a request cannot be older.
async fn quiet(broker: &Broker, options: &ConsumeOptions<'_>) -> Result<PullConsumer, String> {
    let until = Instant::now() + PULL_LIVES + SLACK;
    loop {
        let found = super::find(broker, options).await?;
        if found.cached_info().num_waiting == 0 || Instant::now() >= until {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
