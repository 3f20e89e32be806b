//! Asking to be let in, without credentials: the broker lets strangers send this one request and hear its answer.
//! What is asked and answered is `message::enrol`'s; when to ask again is the caller's.

use std::path::Path;
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{Client, ConnectOptions};

use super::BrokerError;
use super::connect::{explain, trust};
use crate::message::enrol::{Knock, Reply};
use crate::message::{decode, encode};
use crate::subject;

/// How long the hub may take to answer; it needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where strangers hear answers; the broker allows no other place.
const INBOX: &str = "_INBOX_enrol";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum KnockError {
    /// The broker cannot be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Nobody listens.
    #[error(
        "the broker at {url} is there, but nobody answers for the hub: is `phonework router` (or `phonework`) running on \
         the machine where the hub's DATA_DIR is?"
    )]
    NoRouter {
        /// Address.
        url: String,
    },
    /// No answer in time, or none that can be read.
    #[error(
        "the hub at {url} does not answer as it should ({detail}): try again, and see the router's log"
    )]
    Silent {
        /// Address.
        url: String,
        /// What happened.
        detail: String,
    },
}

/// A connection of a stranger.
#[derive(Debug, Clone)]
pub struct Door {
    client: Client,
    url: String,
}

impl Door {
    /// Goes to the door, once.
    ///
    /// # Errors
    /// [`BrokerError`] when the broker cannot be reached or is not to be trusted.
    pub async fn reach(url: &str, ca: Option<&Path>) -> Result<Self, BrokerError> {
        crate::http::install_tls();
        let options = ConnectOptions::new()
            .custom_inbox_prefix(INBOX)
            .name("enrol")
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE));
        let options = trust(options, url, ca)?;
        let client = Box::pin(options.connect(url))
            .await
            .map_err(|error| explain(&error, url, None))?;
        Ok(Self {
            client,
            url: url.to_owned(),
        })
    }

    /// Asks once.
    ///
    /// # Errors
    /// [`KnockError`]; asking again may help with all but some of [`KnockError::Broker`].
    pub async fn ask(&self, knock: &Knock) -> Result<Reply, KnockError> {
        let silent = |detail: String| KnockError::Silent {
            url: self.url.clone(),
            detail,
        };
        let answer = self
            .client
            .request(subject::ENROL, encode(knock).into())
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => KnockError::NoRouter {
                    url: self.url.clone(),
                },
                RequestErrorKind::TimedOut
                | RequestErrorKind::InvalidSubject
                | RequestErrorKind::MaxPayloadExceeded
                | RequestErrorKind::Other => silent(error.to_string()),
            })?;
        let reply: Reply =
            decode("answer", &answer.payload).map_err(|why| silent(why.to_string()))?;
        // All strangers hear in the same place, so it could be meant for another.
        if reply.key == knock.key {
            Ok(reply)
        } else {
            Err(silent("the answer is for another machine".into()))
        }
    }

    /// Leaves.
    pub async fn leave(self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.client.drain()).await;
    }
}
