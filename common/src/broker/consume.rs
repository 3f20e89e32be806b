//! Reading a durable consumer so that nothing is lost: each key in order, keys in parallel, a
//! message acknowledged (and the acknowledgement confirmed) only after its handler says so.
//!
//! What a message means, and how a repeat is recognised, is the handler's. How one message is
//! carried to its end, a dead letter included, is `carry`'s; which of them may be what ends the
//! process, `suspects`'; how one reader follows another in order, `begin`'s; how the only reader gets
//! back what it was given before it died, `back`'s.

mod back;
mod begin;
mod carry;
mod floor;
mod reader;
mod suspects;

use std::future::Future;
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::Broker;
use super::lease::{Lease, PULL_LIVES, Place};
use crate::stream::ACK_WAIT;
use begin::{Begun, Counted, begin};
use carry::Ended;
use reader::Reader;

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
    /// Where several processes could read, and one of them does. Give its [`Lease::over`] as
    /// `cancel`. None: nobody else reads this consumer, and it has one message in flight, which
    /// keeps the order by itself.
    pub lead: Option<Lead<'a>>,
}

/// Reading as the one who leads. At its begin, after each cut link, and whenever a message went to
/// somebody else, reading begins anew with the oldest message that is not settled; handlers that
/// are under way then stop where they stand.
#[derive(Debug, Clone, Copy)]
pub struct Lead<'a> {
    /// Without it nothing is taken in and no handler takes another step.
    pub lease: &'a Lease,
    /// Where it is kept how often the oldest message was begun.
    pub floor: &'a Place,
}

/// Deliveries that the broker does not count any more, because the consumer was reset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Earlier {
    /// Messages up to this place of the stream …
    through: u64,
    /// … had been delivered so often before.
    times: i64,
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
    /// When the stream got it, by the broker's clock.
    pub stored_at: DateTime<Utc>,
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
    let mut reader = Reader::new(broker, &options, cancel.clone(), handle);
    let mut tick = interval(ACK_WAIT);
    let (mut told, mut since) = (false, Instant::now());
    let (mut up, mut counted) = (broker.up(), Counted::default());
    'open: loop {
        let opened = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            opened = open(broker, &options, reader.held.is_empty(), &mut counted) => opened,
        };
        let Open {
            mut messages,
            ack_wait,
            earlier,
            link,
            mut next,
        } = match opened {
            Ok(open) => open,
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
        (told, since) = (false, Instant::now());
        if tick.period() != ack_wait / TICKS {
            tick = interval(ack_wait);
        }
        loop {
            if broker.cuts() != link {
                // Another may lead by now; and what was under way into a dead link comes back later
                // than newer messages.
                if options.lead.is_some() {
                    reader.abandon().await;
                    continue 'open;
                }
                // What was on its way when the line broke is asked for again.
                if reader.held.is_empty() && *up.borrow() {
                    continue 'open;
                }
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => break 'open,
                Ok(()) = up.changed() => {}
                Some(finished) = reader.running.join_next() => {
                    if let Ok(ended) = finished {
                        reader.ended(ended);
                    }
                }
                () = reader.suspects.over() => reader.next_suspect(),
                // What waits behind another ages as well: say that all of it is in hand.
                _ = tick.tick() => {
                    if options.lead.is_some_and(|lead| !lead.lease.is_mine()) {
                        break 'open;
                    }
                    for message in reader.held.values() {
                        let _ = broker.settling(message).ack_with(AckKind::Progress).await;
                    }
                }
                came = mine(options.lead, messages.next()), if reader.held.len() < options.in_flight => match came {
                    Some(Ok(message)) => match hold(message, earlier) {
                        Some((_, number)) if next.is_some_and(|next| next != number) => {
                            info!(stream = options.stream, consumer = options.consumer, number, ?next,
                                "a message went elsewhere; beginning anew");
                            reader.abandon().await;
                            continue 'open;
                        }
                        Some((one, number)) => {
                            next = next.map(|_| number.saturating_add(1));
                            reader.take(key(&one.delivery.subject), one);
                        }
                        None => {}
                    },
                    // A missing heartbeat is not the end: the stream resumes by itself.
                    Some(Err(why)) => debug!(%why, "reading goes on after an error"),
                    None => {
                        if options.lead.is_some() {
                            reader.abandon().await;
                        }
                        continue 'open;
                    }
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
    } else if options.lead.is_none() {
        // For whoever reads next, at once and in order. Who leads next begins at the floor anyway.
        for message in reader.held.values() {
            let _ = broker.settling(message).ack_with(AckKind::Nak(None)).await;
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
async fn mine<T>(lead: Option<Lead<'_>>, next: impl Future<Output = T>) -> T {
    match lead {
        None => next.await,
        Some(lead) => match lead.lease.guard(next).await {
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

/// A consumer that is being read.
struct Open {
    messages: pull::Stream,
    /// How long a message may stay unacknowledged.
    ack_wait: Duration,
    earlier: Earlier,
    /// The connection, by the number of cuts before.
    link: u64,
    /// The number of the delivery that has to come next, where that is looked at.
    next: Option<u64>,
}

async fn open(
    broker: &Broker,
    options: &ConsumeOptions<'_>,
    idle: bool,
    counted: &mut Counted,
) -> Result<Open, String> {
    let mut link = broker.cuts();
    let (consumer, earlier, next) = match options.lead {
        None => {
            let consumer = find(broker, options).await?;
            if idle {
                back::give(broker, &consumer).await;
            }
            (consumer, Earlier::default(), None)
        }
        Some(lead) => {
            // After a cut somebody else may lead by now.
            if !lead.lease.settled().await {
                return Err("no longer leading".into());
            }
            link = broker.cuts();
            let Begun {
                consumer,
                earlier,
                next,
            } = begin(broker, options, lead, counted).await?;
            (consumer, earlier, Some(next))
        }
    };
    let (heartbeat, expires) = match options.lead {
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
    let ack_wait = consumer.cached_info().config.ack_wait;
    Ok(Open {
        messages,
        ack_wait: ack_wait.max(Duration::from_secs(1)),
        earlier,
        link,
        next,
    })
}

fn moment(nanos: i128) -> DateTime<Utc> {
    i64::try_from(nanos).map_or(DateTime::UNIX_EPOCH, DateTime::from_timestamp_nanos)
}

/// The message, and the number of its delivery.
fn hold(message: jetstream::Message, earlier: Earlier) -> Option<(Held, u64)> {
    let (sequence, number, attempt, stored_at) = match message.info() {
        Ok(info) => {
            let before = if info.stream_sequence <= earlier.through {
                earlier.times
            } else {
                0
            };
            let attempt = info.delivered.saturating_add(before);
            (
                info.stream_sequence,
                info.consumer_sequence,
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
        stored_at: moment(stored_at),
    };
    let held = Held {
        message,
        delivery,
        stored_at,
        tried: false,
    };
    Some((held, number))
}
