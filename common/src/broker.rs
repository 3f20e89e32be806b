//! The connection to the broker, and publishing that is sure: a message counts as sent when the
//! stream has confirmed it, never before.
//!
//! Reading is `broker::consume`. What streams exist is `stream`'s, who may do what `identity`'s.

pub mod consume;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind};
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use bytes::Bytes;
use rand::RngExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::identity::Creds;

/// The API prefix under which accounts without streams of their own reach the services they may.
pub const IMPORTED_API: &str = "PWJS.API";
/// Oldest server with all that we use: schedules with periods and time zones.
pub const MIN_SERVER: (u32, u32) = (2, 14);

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const PING_EVERY: Duration = Duration::from_secs(10);

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

/// A connection with one identity. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Broker {
    client: Client,
    js: jetstream::Context,
    up: watch::Receiver<bool>,
    refusals: Arc<AtomicU64>,
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
        let mut told = false;
        let client = loop {
            let attempt = connect_options(options, up_tx.clone(), Arc::clone(&refusals))
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
            up,
            refusals,
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
        let mut message = PublishMessage::build()
            .payload(payload.into())
            .message_id(msg_id);
        if !traceparent.is_empty() {
            message = message.header("traceparent", traceparent);
        }
        // While the connection is down a send waits for room; the deadline covers that as well.
        let sent = tokio::time::timeout(REQUEST_TIMEOUT + Duration::from_secs(1), async {
            self.js
                .send_publish(subject.to_owned(), message)
                .await?
                .await
        })
        .await;
        match sent {
            Ok(Ok(ack)) => Ok(ack.duplicate),
            Ok(Err(error)) => {
                let text = error.to_string();
                let full = match error.kind() {
                    PublishErrorKind::Other => {
                        text.contains("maximum") || text.contains("insufficient")
                    }
                    _ => false,
                };
                if full {
                    Err(PublishError::Full(text))
                } else {
                    Err(PublishError::Unsure(text))
                }
            }
            Err(_) => Err(PublishError::Unsure("no answer in time".into())),
        }
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
        let mut pause = Duration::from_millis(100);
        loop {
            match self
                .publish(subject, msg_id, traceparent, payload.clone())
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

fn connect_options(
    options: &BrokerOptions,
    up: watch::Sender<bool>,
    refusals: Arc<AtomicU64>,
) -> Result<ConnectOptions, String> {
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
            let base = 250_u64.saturating_mul(1 << attempts.min(5)).min(5_000);
            Duration::from_millis(base + rand::rng().random_range(0..250))
        })
        .event_callback(move |event| {
            let (up, refusals, name) = (up.clone(), Arc::clone(&refusals), name.clone());
            async move {
                match event {
                    Event::Connected => {
                        up.send_replace(true);
                        info!(%name, "broker connection is up");
                    }
                    Event::Disconnected | Event::Closed => {
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
