//! Reading a durable consumer so that nothing is lost: each key in order, keys in parallel, a
//! message acknowledged (and the acknowledgement confirmed) only after its handler says so.
//!
//! What a message means, and how a repeat is recognised, is the handler's.

use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::Broker;
use crate::keyed::Keyed;
use crate::stream::ACK_WAIT;

/// A consumer that is missing longer than this is worth a warning.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which consumer, and how much at once.
#[derive(Debug, Clone, Copy)]
pub struct ConsumeOptions<'a> {
    /// The stream.
    pub stream: &'a str,
    /// Its durable consumer; the router creates it.
    pub consumer: &'a str,
    /// Messages held at once, waiting ones included. At the bound no more are fetched.
    pub in_flight: usize,
    /// How long running handlers may go on after `cancel`; what is not done by then is delivered
    /// again to whoever reads next.
    pub drain: Duration,
}

/// One message in the hand of its handler.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it was published.
    pub subject: String,
    /// What it says.
    pub payload: Bytes,
    /// Its place in the stream.
    pub sequence: u64,
    /// 1 the first time.
    pub attempt: i64,
}

/// What a handler makes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is safe further down: acknowledge it.
    Done,
    /// Deliver it again after a pause.
    Again(Duration),
    /// It can never be handled: to the dead letters, with the reason.
    Dead(String),
}

struct Held {
    message: jetstream::Message,
    delivery: Delivery,
}

/// Reads until `cancel`. `key` gives the order's key of a message (by subject), `handle` does the
/// work. Survives restarts of the broker and a consumer that does not exist yet.
pub async fn consume<K, H, F>(
    broker: &Broker,
    options: ConsumeOptions<'_>,
    cancel: CancellationToken,
    key: K,
    handle: H,
) where
    K: Fn(&str) -> String,
    H: Fn(Delivery) -> F,
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut keyed: Keyed<String, Held> = Keyed::default();
    let mut running: JoinSet<(String, u64)> = JoinSet::new();
    // Everything taken and not yet settled, by place in the stream.
    let mut held: HashMap<u64, jetstream::Message> = HashMap::new();
    let mut tick = tokio::time::interval(ACK_WAIT / 4);
    let (mut told, mut since) = (false, Instant::now());
    'open: loop {
        if cancel.is_cancelled() {
            break;
        }
        let mut messages = match open(broker, &options).await {
            Ok(messages) => {
                (told, since) = (false, Instant::now());
                messages
            }
            Err(why) => {
                // Beside us, the router may be making it right now: that is no news.
                let waited = since.elapsed() > PATIENCE;
                if !told && waited {
                    warn!(stream = options.stream, consumer = options.consumer, %why,
                        "cannot read yet; is the router running? trying on");
                    told = true;
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(500)) => continue,
                    () = cancel.cancelled() => break,
                }
            }
        };
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => break 'open,
                Some(finished) = running.join_next() => {
                    if let Ok((key, sequence)) = finished {
                        held.remove(&sequence);
                        if let Some(next) = keyed.done(&key) {
                            start(&mut running, key, next, &handle);
                        }
                    }
                }
                // What waits behind another ages as well: say that all of it is in hand.
                _ = tick.tick() => for message in held.values() {
                    let _ = message.ack_with(AckKind::Progress).await;
                },
                next = messages.next(), if held.len() < options.in_flight => match next {
                    Some(Ok(message)) => {
                        let Some(one) = hold(message) else { continue };
                        // Delivered again while it is in hand, after a cut link: one is enough.
                        if held.contains_key(&one.delivery.sequence) { continue }
                        held.insert(one.delivery.sequence, one.message.clone());
                        let name = key(&one.delivery.subject);
                        if let Some(first) = keyed.push(name.clone(), one) {
                            start(&mut running, name, first, &handle);
                        }
                    }
                    // A missing heartbeat is not the end: the stream resumes by itself.
                    Some(Err(why)) => debug!(%why, "reading goes on after an error"),
                    None => continue 'open,
                },
            }
        }
    }
    let drained = tokio::time::timeout(options.drain, async {
        while let Some(finished) = running.join_next().await {
            // What still waits is not started any more; it comes again.
            drop(finished);
        }
    });
    if drained.await.is_err() {
        warn!(
            consumer = options.consumer,
            "stopped with work in hand; it will be delivered again"
        );
    }
}

async fn open(broker: &Broker, options: &ConsumeOptions<'_>) -> Result<pull::Stream, String> {
    let consumer: PullConsumer = broker
        .jetstream()
        .get_consumer_from_stream(options.consumer, options.stream)
        .await
        .map_err(|error| error.to_string())?;
    consumer
        .stream()
        // What waits in our buffer ages as well: fetch no more than can be held. At least two: the
        // client counts a message that arrives before it has noted its own request as none, and
        // with one at a time it would then wait for it until the request expires.
        .max_messages_per_batch(options.in_flight.clamp(2, 128))
        .heartbeat(Duration::from_secs(5))
        .expires(Duration::from_secs(30))
        .messages()
        .await
        .map_err(|error| error.to_string())
}

fn hold(message: jetstream::Message) -> Option<Held> {
    let (sequence, attempt) = match message.info() {
        Ok(info) => (info.stream_sequence, info.delivered),
        Err(why) => {
            error!(%why, subject = %message.subject, "a message without delivery data is passed over");
            return None;
        }
    };
    let delivery = Delivery {
        subject: message.subject.to_string(),
        payload: message.payload.clone(),
        sequence,
        attempt,
    };
    Some(Held { message, delivery })
}

fn start<H, F>(running: &mut JoinSet<(String, u64)>, key: String, held: Held, handle: &H)
where
    H: Fn(Delivery) -> F,
    F: Future<Output = Outcome> + Send + 'static,
{
    let work = handle(held.delivery.clone());
    running.spawn(async move {
        // A task of its own, so that a panic ends one message and not the reader.
        let outcome = match tokio::spawn(work).await {
            Ok(outcome) => outcome,
            Err(why) => Outcome::Dead(format!("the handler failed: {why}")),
        };
        settle(&held, outcome).await;
        (key, held.delivery.sequence)
    });
}

async fn settle(held: &Held, outcome: Outcome) {
    let subject = held.delivery.subject.as_str();
    let result = match &outcome {
        // If we die or the link breaks right here, the message comes again and is recognised.
        Outcome::Done => held.message.double_ack().await,
        Outcome::Again(pause) => held.message.ack_with(AckKind::Nak(Some(*pause))).await,
        Outcome::Dead(why) => {
            error!(%subject, sequence = held.delivery.sequence, %why, "dead letter");
            held.message.double_ack_with(AckKind::Term).await
        }
    };
    if let Err(why) = result {
        warn!(%subject, %why, ?outcome, "not acknowledged; it will be delivered again");
    }
}
