//! The connection to the broker, and publishing that is sure: a message counts as sent when the
//! stream has confirmed it, never before.
//!
//! Reading is `broker::consume`. What streams exist is `stream`'s, who may do what `identity`'s.

pub mod consume;
pub mod dead;
pub mod lease;
mod storing;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use bytes::Bytes;
use rand::RngExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::storing::{Ending, Storing};
use crate::identity::Creds;

/// The API prefix under which accounts without streams of their own reach the services they may.
pub const IMPORTED_API: &str = "PWJS.API";
/// Oldest server with all that we use: schedules with periods and time zones.
pub const MIN_SERVER: (u32, u32) = (2, 14);

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The library gives a connection up with the third ping that nothing has come after: a line on
/// which everything vanishes is given up after 24 s.
const PING_EVERY: Duration = Duration::from_secs(8);
const FIRST_DELAY: Duration = Duration::from_millis(400);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Where and as whom to connect.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// `nats://` or `tls://` address.
    pub url: String,
    /// Who we are: `router`, `gateway` or a node.
    pub creds: Creds,
    /// PEM of a private certificate authority.
    pub ca: Option<PathBuf>,
    /// Whether the account owns the streams (the router's does) or imports a few services.
    pub owner: bool,
}

/// Why there is no connection, or no longer one worth keeping.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The server refused the credentials.
    #[error(
        "the broker at {url} refused the credentials of `{name}`: they are expired, revoked or of another hub; enrol again"
    )]
    Refused {
        /// Address.
        url: String,
        /// Identity.
        name: String,
    },
    /// Not an address, not a creds file, not a certificate.
    #[error("cannot connect to {url}: {detail}")]
    Setup {
        /// Address.
        url: String,
        /// What is wrong.
        detail: String,
    },
    /// An old server.
    #[error(
        "the broker at {url} is nats-server {found}; {}.{} or newer is needed: install it and start it again",
        MIN_SERVER.0,
        MIN_SERVER.1
    )]
    TooOld {
        /// Address.
        url: String,
        /// Its version.
        found: String,
    },
    /// Stopped while trying.
    #[error("stopped before the broker at {url} was reached")]
    Cancelled {
        /// Address.
        url: String,
    },
}

/// Why a publish is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The stream is full, for this subject or altogether: nothing was stored.
    #[error("the stream has no room: {0}")]
    Full(String),
    /// No answer, or none that says yes: it may or may not be stored. Repeat it with the same id.
    #[error("not confirmed: {0}")]
    Unsure(String),
}

/// The stream's word that it has a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The message's place in the stream; of a repeat, the place of the first.
    pub sequence: u64,
    /// The stream had this id already and stored nothing.
    pub repeat: bool,
}

/// A connection with one identity. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Broker {
    client: Client,
    js: jetstream::Context,
    api: &'static str,
    up: watch::Receiver<bool>,
    refusals: Arc<AtomicU64>,
    cuts: Arc<AtomicU64>,
    storing: Storing,
}

impl Broker {
    /// Connects, and keeps trying while the server cannot be reached. Gives up only on what time
    /// does not mend: refused credentials, a bad setup, a server too old, or `cancel`.
    pub async fn connect(
        options: &BrokerOptions,
        cancel: &CancellationToken,
    ) -> Result<Self, BrokerError> {
        crate::http::install_tls();
        let url = options.url.clone();
        let (up_tx, up) = watch::channel(false);
        let refusals = Arc::new(AtomicU64::new(0));
        let cuts = Arc::new(AtomicU64::new(0));
        let mut told = false;
        let client = loop {
            let told_of = Told {
                up: up_tx.clone(),
                refusals: Arc::clone(&refusals),
                cuts: Arc::clone(&cuts),
            };
            let attempt = connect_options(options, told_of)
                .map_err(|detail| BrokerError::Setup {
                    url: url.clone(),
                    detail,
                })?
                .connect(url.as_str());
            let outcome = tokio::select! {
                outcome = attempt => outcome,
                () = cancel.cancelled() => return Err(BrokerError::Cancelled { url }),
            };
            match outcome {
                Ok(client) => break client,
                Err(error) => match error.kind() {
                    ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                        return Err(BrokerError::Refused {
                            url,
                            name: options.creds.name().to_owned(),
                        });
                    }
                    ConnectErrorKind::ServerParse => {
                        return Err(BrokerError::Setup {
                            url,
                            detail: error.to_string(),
                        });
                    }
                    _ => {
                        if !told {
                            warn!(%url, %error, "the broker cannot be reached; trying on");
                            told = true;
                        }
                        let pause = Duration::from_millis(rand::rng().random_range(500..1500));
                        tokio::select! {
                            () = tokio::time::sleep(pause) => {}
                            () = cancel.cancelled() => return Err(BrokerError::Cancelled { url }),
                        }
                    }
                },
            }
        };
        let found = client.server_info().version;
        if !new_enough(&found) {
            return Err(BrokerError::TooOld { url, found });
        }
        up_tx.send_replace(true);
        info!(%url, name = options.creds.name(), server = %found, "connected to the broker");
        let prefix = if options.owner {
            "$JS.API"
        } else {
            IMPORTED_API
        };
        let js = ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            .api_prefix(prefix)
            .build(client.clone());
        Ok(Self {
            client,
            js,
            api: prefix,
            up,
            refusals,
            cuts,
            storing: Storing::default(),
        })
    }

    /// The plain connection, for core messages.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The stream API as this account sees it.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.js
    }

    /// Whether the connection stands, for `/health`; follows changes.
    pub fn up(&self) -> watch::Receiver<bool> {
        self.up.clone()
    }

    /// The prefix under which this account reaches the stream API.
    pub fn api(&self) -> &'static str {
        self.api
    }

    /// How often the connection was cut. The same number means the same connection.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::SeqCst)
    }

    /// Which streams do not take what we send them, and what to do, in words for whoever runs the
    /// broker; none while they do, or while nothing was sent.
    pub fn trouble(&self) -> Option<String> {
        self.storing.trouble(self.cuts())
    }

    /// How often the server refused something to this identity. Above zero means a defect.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Publishes once and waits for the stream's word. `Ok(true)` means the stream had this
    /// `msg_id` already and stored nothing.
    pub async fn publish(
        &self,
        subject: &str,
        msg_id: &str,
        traceparent: &str,
        payload: impl Into<Bytes>,
    ) -> Result<bool, PublishError> {
        let acked = self.publish_acked(subject, msg_id, traceparent, payload);
        acked.await.map(|ack| ack.repeat)
    }

    /// The same, and tells where the message is.
    pub async fn publish_acked(
        &self,
        subject: &str,
        msg_id: &str,
        traceparent: &str,
        payload: impl Into<Bytes>,
    ) -> Result<Ack, PublishError> {
        let mut message = PublishMessage::build()
            .payload(payload.into())
            .message_id(msg_id);
        if !traceparent.is_empty() {
            message = message.header("traceparent", traceparent);
        }
        self.send_acked(subject, message).await
    }

    /// Publishes a message with all its headers once and waits for the stream's word.
    async fn send(&self, subject: &str, message: PublishMessage) -> Result<bool, PublishError> {
        self.send_acked(subject, message)
            .await
            .map(|ack| ack.repeat)
    }

    async fn send_acked(
        &self,
        subject: &str,
        message: PublishMessage,
    ) -> Result<Ack, PublishError> {
        let attempt = self.storing.attempt(subject, self.cuts());
        // While the connection is down a send waits for room; the deadline covers that as well.
        let sent = tokio::time::timeout(REQUEST_TIMEOUT + Duration::from_secs(1), async {
            self.js
                .send_publish(subject.to_owned(), message)
                .await?
                .await
        })
        .await;
        let up = *self.up.borrow();
        let (ending, outcome) = match sent {
            Ok(Ok(ack)) => {
                let (sequence, repeat) = (ack.sequence, ack.duplicate);
                (Ending::Stored, Ok(Ack { sequence, repeat }))
            }
            Ok(Err(error)) => {
                let why = error.to_string();
                let ending = storing::ending(&error, up);
                let full = matches!(ending, Ending::Full(_));
                let failed = if full {
                    PublishError::Full
                } else {
                    PublishError::Unsure
                };
                (ending, Err(failed(why)))
            }
            Err(_) => {
                let ending = if up { Ending::Silent } else { Ending::Other };
                (
                    ending,
                    Err(PublishError::Unsure("no answer in time".into())),
                )
            }
        };
        attempt.ended(ending, self.cuts());
        outcome
    }

    /// Publishes with the same id until the stream confirms, or says that it is full, or `cancel`.
    pub async fn publish_until(
        &self,
        subject: &str,
        msg_id: &str,
        traceparent: &str,
        payload: Bytes,
        cancel: &CancellationToken,
    ) -> Result<bool, PublishError> {
        let acked = self.publish_until_acked(subject, msg_id, traceparent, payload, cancel);
        acked.await.map(|ack| ack.repeat)
    }

    /// The same, and tells where the message is.
    pub async fn publish_until_acked(
        &self,
        subject: &str,
        msg_id: &str,
        traceparent: &str,
        payload: Bytes,
        cancel: &CancellationToken,
    ) -> Result<Ack, PublishError> {
        let mut pause = Duration::from_millis(100);
        loop {
            match self
                .publish_acked(subject, msg_id, traceparent, payload.clone())
                .await
            {
                Err(PublishError::Unsure(why)) => {
                    debug!(%subject, %why, "publish not confirmed, again");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = cancel.cancelled() => return Err(PublishError::Unsure(why)),
                    }
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                done => return done,
            }
        }
    }

    /// Sends what is still buffered and closes.
    pub async fn close(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.client.flush()).await;
        let _ = tokio::time::timeout(Duration::from_secs(1), self.client.drain()).await;
    }
}

/// Where the connection's events are kept.
#[derive(Clone)]
struct Told {
    up: watch::Sender<bool>,
    refusals: Arc<AtomicU64>,
    cuts: Arc<AtomicU64>,
}

fn connect_options(options: &BrokerOptions, told: Told) -> Result<ConnectOptions, String> {
    let name = options.creds.name().to_owned();
    let begun = AtomicBool::new(false);
    let mut connect = options
        .creds
        .connect_options()
        .map_err(|error| error.to_string())?
        .connection_timeout(Duration::from_secs(5))
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_EVERY)
        // Deltas are droppable: over this the newest are dropped and a warning is logged.
        .subscription_capacity(1024)
        // Without a floor a server that accepts and then kicks would be called in a hot loop. The
        // library asks for the very first attempt as well, which has nothing to wait for.
        .reconnect_delay_callback(move |attempts| {
            if !begun.swap(true, Ordering::Relaxed) {
                return Duration::ZERO;
            }
            reconnect_delay(attempts, rand::rng().random_range(0.0..1.0))
        })
        .event_callback(move |event| {
            let (told, name) = (told.clone(), name.clone());
            let Told { up, refusals, cuts } = told;
            async move {
                match event {
                    Event::Connected => {
                        up.send_replace(true);
                        info!(%name, "broker connection is up");
                    }
                    Event::Disconnected | Event::Closed => {
                        cuts.fetch_add(1, Ordering::SeqCst);
                        up.send_replace(false);
                        warn!(%name, "broker connection is down");
                    }
                    Event::ServerError(ServerError::AuthorizationViolation) => {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        warn!(%name, "the broker refused our credentials");
                    }
                    Event::ServerError(ServerError::Other(text)) => {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        warn!(%name, %text, "the broker refused something");
                    }
                    other => debug!(%name, ?other, "broker event"),
                }
            }
        });
    if let Some(ca) = &options.ca {
        connect = connect.add_root_certificates(ca.clone());
    }
    Ok(connect)
}

/// The pause before an attempt to connect again, the first being number 1. It doubles up to a bound
/// and is spread by a quarter each way, so that those who lost one server together come back over a
/// time that grows with its absence. `spread` is from 0 to 1.
fn reconnect_delay(attempt: usize, spread: f64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    let base = FIRST_DELAY * 2_u32.saturating_pow(doublings.min(8));
    base.min(LONGEST_DELAY).mul_f64(0.75 + spread / 2.0)
}

fn new_enough(version: &str) -> bool {
    let mut parts = version
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= MIN_SERVER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_to_reconnect_have_a_floor_a_bound_and_a_spread_that_grows() {
        let range = |attempt| {
            let ms = |spread| reconnect_delay(attempt, spread).as_millis();
            (ms(0.0), ms(1.0))
        };
        assert_eq!(range(0), range(1));
        assert_eq!(range(1), (300, 500));
        assert_eq!(range(2), (600, 1000));
        assert_eq!(range(4), (2400, 4000));
        for attempt in [5, 20, usize::MAX] {
            assert_eq!(range(attempt), (3750, 6250));
        }
    }

    #[test]
    fn old_servers_are_known() {
        for (version, good) in [
            ("2.15.1", true),
            ("2.14.0", true),
            ("3.0.0-dev", true),
            ("2.9.10", false),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(new_enough(version), good, "{version}");
        }
    }
}
