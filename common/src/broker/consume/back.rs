//! Getting back what the only reader of a consumer was given and never settled: it died, or the line
//! broke while the message was on its way. The broker would keep it until its time is up, and with
//! one message in flight everything else behind it.
//!
//! The broker takes back a message by its place alone, so nothing of the lost delivery is needed.
//! Its count of deliveries stays, unlike after a reset: what kills its reader is still given up one
//! day. Where several could read, what is open may be in another's hand; `begin` is for those.

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::{Info, PullConsumer};
use tracing::{debug, info};

use crate::broker::Broker;

/// Hands back what is open, for whoever holds nothing and is the only reader. Crashing before it, or
/// a word that is lost: it comes again when its time is up. Were it on its way to us after all, it
/// comes twice, which every handler knows.
pub(super) async fn give(broker: &Broker, consumer: &PullConsumer) {
    let info = consumer.cached_info();
    let Some(subject) = open_one(info) else {
        return;
    };
    info!(
        stream = info.stream_name,
        consumer = info.name,
        "asking again for what was in hand before"
    );
    let subject = broker.settles_at(subject.into());
    let word = AckKind::Nak(None).into();
    if let Err(why) = broker.client().publish(subject, word).await {
        debug!(%why, "it comes again when its time is up");
    }
}

/// Where the one message is settled that is open. None: nothing is, or more than one may be.
///
/// `$JS.ACK.<stream>.<consumer>.<deliveries>.<place>.<number>.<time>.<waiting>`: the broker reads the
/// place, and for the rest only whether it is a number.
fn open_one(info: &Info) -> Option<String> {
    if info.config.max_ack_pending != 1 || info.num_ack_pending != 1 {
        return None;
    }
    let last = &info.delivered;
    Some(format!(
        "$JS.ACK.{}.{}.1.{}.{}.0.0",
        info.stream_name, info.name, last.stream_sequence, last.consumer_sequence
    ))
}
