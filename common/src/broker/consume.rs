//! Reading a durable consumer so that nothing is lost: each key in order, keys in parallel, a
//! message acknowledged (and the acknowledgement confirmed) only after its handler says so.
//!
//! What a message means, and how a repeat is recognised, is the handler's. How one message is
//! carried to its end, a dead letter included, is `carry`'s; which of them may be what ends the
//! process, `suspects`'; how one reader follows another in order, `resume`'s.

mod carry;
mod reader;
mod resume;
mod suspects;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::Broker;
use super::lease::{Lease, PULL_LIVES};
use crate::keyed::Keyed;
use crate::stream::ACK_WAIT;
use carry::{Carrier, Ended};
use reader::Reader;
use resume::Resume;
pub use resume::quiet;
use suspects::Suspects;

/// How often a message is delivered before it is given up. Each restart of its reader and each cut
/// link counts one, and a bad evening has several of them; so many without an end, while others
/// get through, has no other explanation than the message itself.
pub const MAX_ATTEMPTS: i64 = 12;
/// All that is in hand is said to be so often while it may stay there unacknowledged.
const TICKS: u32 = 4;
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
    /// Whose dead letters these are: a node's id, `router` or `gateway`. None: what cannot be
    /// handled is logged and gone.
    pub dead: Option<&'a str>,
    /// Deliveries that the broker has forgotten.
    pub earlier: Earlier,
    /// The lease under which is read, where several processes could: without it nothing is taken
    /// in and no handler takes another step. Give its [`Lease::over`] as `cancel`.
    pub lease: Option<&'a Lease>,
}

/// Deliveries that the broker does not count any more, because the consumer was reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Messages up to this place of the stream …
    pub through: u64,
    /// … had been delivered so often before.
    pub times: i64,
}

/// One message in the hand of its handler.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it was published.
    pub subject: String,
    /// What it says.
    pub payload: Bytes,
    /// Its headers; empty if it has none.
    pub headers: HeaderMap,
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
    /// Not now: it stays in hand and is handled again after a pause, as often as it takes. When
    /// the reader stops, it goes back to the broker.
    Again(Duration),
    /// It can never be handled: to the dead letters, with the reason (one line, no secrets).
    Dead(String),
}

/// A message that is not settled yet.
struct Held {
    message: jetstream::Message,
    delivery: Delivery,
    /// When the stream got it, in nanoseconds.
    stored_at: i128,
    /// Has been handled alone, and the process still lives.
    tried: bool,
}

/// Reads until `cancel`. `key` gives the order's key of a message (by subject), `handle` does the
/// work. Survives restarts of the broker and a consumer that does not exist yet.
///
/// What was delivered more than [`MAX_ATTEMPTS`] times, and what a handler calls dead, is published
/// to the dead letters and only then taken out of the stream. While they cannot be reached it stays
/// in hand, and holds up its own key alone.
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
    let mut reader = Reader {
        carrier: Carrier::new(broker, &options, cancel.clone()),
        handle,
        lease: options.lease.cloned(),
        keyed: Keyed::default(),
        running: JoinSet::new(),
        held: BTreeMap::new(),
        suspects: Suspects::default(),
        resume: Resume::default(),
    };
    let mut tick = interval(ACK_WAIT);
    let (mut told, mut since) = (false, Instant::now());
    // The connection whose deliveries are accounted for.
    let mut link = None;
    'open: loop {
        if cancel.is_cancelled() {
            break;
        }
        let opened = tokio::select! {
            opened = open(broker, &options) => opened,
            () = cancel.cancelled() => break,
        };
        let mut messages = match opened {
            Ok((messages, consumer)) => {
                let ack_wait = ack_wait(&consumer);
                if options.lease.is_some() && link.is_none() {
                    link = Some(broker.cuts());
                    reader.resume.expect(&consumer, 0, 0);
                }
                (told, since) = (false, Instant::now());
                if tick.period() != ack_wait / TICKS {
                    tick = interval(ack_wait);
                }
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
                Some(finished) = reader.running.join_next() => {
                    if let Ok(ended) = finished {
                        reader.ended(ended);
                    }
                }
                () = reader.suspects.over() => reader.next_suspect(),
                () = reader.resume.over() => reader.resume(),
                // What waits behind another ages as well: say that all of it is in hand.
                _ = tick.tick() => {
                    if options.lease.is_some_and(|lease| !lease.is_mine()) {
                        break 'open;
                    }
                    for message in reader.held.values() {
                        let _ = message.ack_with(AckKind::Progress).await;
                    }
                }
                next = mine(options.lease, messages.next()), if reader.held.len() < options.in_flight => match next {
                    Some(Ok(message)) => {
                        // After a cut somebody else may hold the lease by now.
                        if let Some(lease) = options.lease {
                            let sure = tokio::select! {
                                sure = lease.settled() => sure,
                                () = cancel.cancelled() => false,
                            };
                            if !sure {
                                break 'open;
                            }
                        }
                        if let Some(one) = hold(message, options.earlier) {
                            // What was on its way into the dead link comes again later.
                            let now = broker.cuts();
                            if options.lease.is_some() && link != Some(now)
                                && let Ok(consumer) = find(broker, &options).await
                            {
                                link = Some(now);
                                reader.expect(&consumer, one.delivery.sequence);
                            }
                            let key = key(&one.delivery.subject);
                            reader.take(key, one);
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
        while let Some(finished) = reader.running.join_next().await {
            // What still waits is not started any more; it comes again.
            if let Ok(Ended::Settled { sequence, .. }) = finished {
                reader.held.remove(&sequence);
            }
        }
    });
    if drained.await.is_err() {
        warn!(
            consumer = options.consumer,
            "stopped with work in hand; it will be delivered again"
        );
    } else if options.lease.is_none_or(Lease::is_mine) {
        // For whoever reads next, at once and in order. After a loss somebody else may have them.
        for message in reader.held.values() {
            let _ = message.ack_with(AckKind::Nak(None)).await;
        }
    }
}

/// How often all that is in hand is said to be, while it may stay there.
fn interval(ack_wait: Duration) -> Interval {
    let mut tick = tokio::time::interval(ack_wait / TICKS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// Asks for messages only as long as we hold the lease; without it for ever nothing comes, which
/// the lease's own end makes an end of.
async fn mine<T>(lease: Option<&Lease>, next: impl Future<Output = T>) -> T {
    match lease {
        None => next.await,
        Some(lease) => match lease.guard(next).await {
            Some(next) => next,
            None => std::future::pending().await,
        },
    }
}

async fn find(broker: &Broker, options: &ConsumeOptions<'_>) -> Result<PullConsumer, String> {
    let found = broker
        .jetstream()
        .get_consumer_from_stream(options.consumer, options.stream);
    found.await.map_err(|error| error.to_string())
}

fn ack_wait(consumer: &PullConsumer) -> Duration {
    let ack_wait = consumer.cached_info().config.ack_wait;
    ack_wait.max(Duration::from_secs(1))
}

async fn open(
    broker: &Broker,
    options: &ConsumeOptions<'_>,
) -> Result<(pull::Stream, PullConsumer), String> {
    let consumer = match options.lease {
        None => find(broker, options).await?,
        Some(_) => quiet(broker, options.stream, options.consumer).await?,
    };
    let (heartbeat, expires) = match options.lease {
        None => (Duration::from_secs(5), Duration::from_secs(30)),
        // A frozen holder must not be given messages for long.
        Some(_) => (PULL_LIVES / 3, PULL_LIVES),
    };
    let messages = consumer
        .stream()
        // What waits in our buffer ages as well: fetch no more than can be held. At least two: the
        // client counts a message that arrives before it has noted its own request as none, and
        // with one at a time it would then wait for it until the request expires.
        .max_messages_per_batch(options.in_flight.clamp(2, 128))
        .heartbeat(heartbeat)
        .expires(expires)
        .messages()
        .await
        .map_err(|error| error.to_string())?;
    Ok((messages, consumer))
}

fn hold(message: jetstream::Message, earlier: Earlier) -> Option<Held> {
    let (sequence, attempt, stored_at) = match message.info() {
        Ok(info) => {
            let before = if info.stream_sequence <= earlier.through {
                earlier.times
            } else {
                0
            };
            let attempt = info.delivered.saturating_add(before);
            (
                info.stream_sequence,
                attempt,
                info.published.unix_timestamp_nanos(),
            )
        }
        Err(why) => {
            error!(%why, subject = %message.subject, "a message without delivery data is passed over");
            return None;
        }
    };
    let delivery = Delivery {
        subject: message.subject.to_string(),
        payload: message.payload.clone(),
        headers: message.headers.clone().unwrap_or_default(),
        sequence,
        attempt,
    };
    Some(Held {
        message,
        delivery,
        stored_at,
        tried: false,
    })
}
