//! The connection to the broker, and publishing that is sure: a message counts as sent when the
//! stream has confirmed it, never before.
//!
//! Connecting is `connect`'s, reading `broker::consume`'s. What streams exist is `stream`'s, who may do what `identity`'s.

mod connect;
pub mod consume;
pub mod dead;
pub mod knock;
pub mod lease;
pub mod pieces;
mod refusal;
mod storing;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::{self, message::PublishMessage};
use async_nats::{Client, Subject};
use bytes::Bytes;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::connect::Link;
use self::storing::{Ending, Storing};
use crate::identity::{API_PREFIX, Creds, ack_of_node};

/// The API prefix under which accounts without streams of their own reach the services they may.
pub const IMPORTED_API: &str = "PWJS.API";
/// Oldest server with all that we use: schedules with periods and time zones.
pub const MIN_SERVER: (u32, u32) = (2, 14);

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

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
        "the broker at {url} refused the credentials of `{name}`: {why}; {}",
        refusal::remedy(name)
    )]
    Refused {
        /// Address.
        url: String,
        /// Identity.
        name: String,
        /// As far as it can be told.
        why: String,
    },
    /// Nobody there, as far as can be told.
    #[error(
        "the broker at {url} cannot be reached ({detail}): is it running, is the address right, and does no firewall stand \
         between?"
    )]
    Unreachable {
        /// Address.
        url: String,
        /// What the system said.
        detail: String,
    },
    /// Somebody is there who may not be the broker.
    #[error("the certificate of the broker at {url} is not accepted: {detail}")]
    Untrusted {
        /// Address.
        url: String,
        /// What is wrong with it, and what to do.
        detail: String,
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
    link: Link,
    storing: Storing,
}

impl Broker {
    /// Connects, and keeps trying while the server cannot be reached. Gives up only on what time
    /// does not mend: refused credentials, a bad setup, a server too old, or `cancel`.
    pub async fn connect(
        options: &BrokerOptions,
        cancel: &CancellationToken,
    ) -> Result<Self, BrokerError> {
        let (client, link) = connect::reach(options, cancel).await?;
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
            link,
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

    /// The message as this account may settle it: its acknowledgements go where they are let through.
    pub fn settling(&self, message: &jetstream::Message) -> jetstream::Message {
        let mut message = message.clone();
        if let Some(reply) = message.message.reply.take() {
            message.message.reply = Some(self.settles_at(reply));
        }
        message
    }

    /// Where this account settles what came with that reply subject.
    fn settles_at(&self, reply: Subject) -> Subject {
        match ack_of_node(&reply) {
            Some(ours) if self.api == API_PREFIX => ours.into(),
            _ => reply,
        }
    }

    /// Whether the connection stands, for `/health`; follows changes.
    pub fn up(&self) -> watch::Receiver<bool> {
        self.link.up.clone()
    }

    /// The prefix under which this account reaches the stream API.
    pub fn api(&self) -> &'static str {
        self.api
    }

    /// Waits until the server has refused our credentials for so long that trying on is of no use, as after the node
    /// was removed. For ever, while it does not.
    pub async fn refused(&self) -> BrokerError {
        let mut refused = self.link.refused.clone();
        let found = refused.wait_for(Option::is_some).await;
        let found = found.ok().and_then(|found| found.clone());
        match found {
            Some(found) => BrokerError::Refused {
                url: found.url,
                name: found.name,
                why: found.why,
            },
            // The connection is closed for good; nobody refuses anything any more.
            None => std::future::pending().await,
        }
    }

    /// Looks once whether the broker lets this identity in, and gives the server's version.
    ///
    /// # Errors
    /// [`BrokerError`]
    pub async fn look(options: &BrokerOptions) -> Result<String, BrokerError> {
        connect::look(options).await
    }

    /// How often the connection was cut. The same number means the same connection.
    pub fn cuts(&self) -> u64 {
        self.link.cuts.load(Ordering::SeqCst)
    }

    /// Which streams do not take what we send them, and what to do, in words for whoever runs the
    /// broker; none while they do, or while nothing was sent.
    pub fn trouble(&self) -> Option<String> {
        self.storing.trouble(self.cuts())
    }

    /// How often the server refused something to this identity. Above zero means a defect.
    pub fn refusals(&self) -> u64 {
        self.link.refusals.load(Ordering::Relaxed)
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

    /// Publishes under headers of the caller's own, without an id by which the stream would know a repeat: for what a
    /// repeat does no harm. Again and again until the stream confirms or says no, or `cancel`.
    pub async fn publish_headers_until(
        &self,
        subject: &str,
        headers: &async_nats::HeaderMap,
        payload: Bytes,
        cancel: &CancellationToken,
    ) -> Result<Ack, PublishError> {
        loop {
            let message = PublishMessage::build()
                .payload(payload.clone())
                .headers(headers.clone());
            match self.send_acked(subject, message).await {
                Err(PublishError::Unsure(why)) => {
                    debug!(%subject, %why, "publish not confirmed, again");
                    tokio::select! {
                        () = tokio::time::sleep(Duration::from_millis(300)) => {}
                        () = cancel.cancelled() => return Err(PublishError::Unsure(why)),
                    }
                }
                done => return done,
            }
        }
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
        let up = *self.link.up.borrow();
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
