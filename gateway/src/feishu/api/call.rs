//! How any call is made: its turn in the rate limits, the token, the retries.
//!
//! Knows nothing of what is called.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use moka::sync::Cache;
use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::dangling::Dangling;
use super::media::{DOWNLOAD, UPLOAD, Upload};
use crate::feishu::FeishuOptions;
use crate::feishu::error::{Answer, ApiError, ErrorKind};
use crate::feishu::limits::Limits;
use crate::feishu::token::Tokens;

/// A waiting time that the platform names is kept up to this, whatever our patience.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// So long the platform knows an idempotency key.
const KEY_LIFE: Duration = Duration::from_secs(3600);
/// Keys remembered; beyond it the oldest are forgotten, and an unclear refusal of their repeat is
/// taken at its word.
const KEYS: u64 = 10_000;

/// How patient calls are.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For one try.
    pub timeout: Duration,
    /// Most tries of one call.
    pub tries: usize,
    /// Pause after the first failed try; doubles from there, with jitter.
    pub pause: Duration,
    /// No further try is begun after this time.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            tries: 6,
            pause: Duration::from_millis(500),
            total: Duration::from_secs(60),
        }
    }
}

/// What all calls of one app share.
#[derive(Debug)]
pub(super) struct Caller {
    options: FeishuOptions,
    http: reqwest::Client,
    tokens: Tokens,
    limits: Limits,
    patience: Patience,
    /// Until when the platform does not want to see a kind of call. One entry for each name.
    closed: Mutex<HashMap<&'static str, Instant>>,
    /// Idempotency keys of tries that may have been done.
    unsure: Cache<String, ()>,
    pub(super) dangling: Dangling,
}

/// Whether doing a call twice does harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat<'a> {
    Safe,
    /// Safe under this idempotency key.
    Keyed(&'a str),
    OnlyIfUndone,
}

/// Which rate limit of its own a call has, besides the app's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn<'a> {
    None,
    Chat(&'a str),
    Edit(&'a str),
}

/// One call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
    pub(super) upload: Option<Upload>,
    pub(super) repeat: Repeat<'a>,
    pub(super) turn: Turn<'a>,
}

impl Caller {
    pub(super) fn new(options: FeishuOptions, http: reqwest::Client, patience: Patience) -> Self {
        Self {
            tokens: Tokens::new(options.clone(), http.clone()),
            options,
            http,
            limits: Limits::default(),
            patience,
            closed: Mutex::default(),
            unsure: Cache::builder()
                .max_capacity(KEYS)
                .time_to_live(KEY_LIFE)
                .build(),
            dangling: Dangling::new(),
        }
    }

    /// Makes the call, again and again within our patience. Returns the `data` of
    /// the answer, or the whole answer if it has none.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Value, ApiError> {
        let patience = &self.patience;
        let started = Instant::now();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(patience.pause)
            .with_max_delay(Duration::from_secs(15))
            .with_max_times(patience.tries.saturating_sub(1))
            .with_jitter();
        (|| self.once(&call))
            .retry(pauses)
            .when(|error| {
                error.is_retryable()
                    && (call.repeat != Repeat::OnlyIfUndone || error.is_surely_undone())
            })
            .adjust(|error, pause| {
                let asked = asked_to_wait(&error.kind).is_some();
                let pause = longer(pause?, &error.kind);
                (asked || started.elapsed() + pause < patience.total).then_some(pause)
            })
            .notify(|error, pause| {
                tracing::warn!(%error, ?pause, "Feishu call failed; trying again");
            })
            .await
    }

    /// One try, with its outcome remembered under its key.
    async fn once(&self, call: &Call<'_>) -> Result<Value, ApiError> {
        let result = self.with_token(call).await;
        let Repeat::Keyed(key) = call.repeat else {
            return result;
        };
        result.map_err(|mut error| {
            if error.kind == ErrorKind::Unsure {
                self.unsure.insert(key.to_owned(), ());
            }
            error.maybe_done = self.unsure.contains_key(key);
            error
        })
    }

    /// One try; two if the token was refused.
    async fn with_token(&self, call: &Call<'_>) -> Result<Value, ApiError> {
        match call.turn {
            Turn::None => {}
            Turn::Chat(chat) => self.limits.chat(chat).await,
            Turn::Edit(message_id) => self.limits.edit(message_id).await,
        }
        let mut refused = false;
        loop {
            self.open(call.name).await;
            self.limits.api(call.name).await;
            let token = self.tokens.get().await.map_err(before_the_call)?;
            let error = match self.request(call, token.expose()).await {
                Ok(data) => return Ok(data),
                Err(error) => error,
            };
            if let Some(wait) = asked_to_wait(&error.kind) {
                self.close(call.name, wait);
            }
            if error.kind != ErrorKind::TokenRefused || refused {
                return Err(error);
            }
            refused = true;
            self.tokens.refused(&token).await;
        }
    }

    /// Begins to read bytes; whoever asked goes on reading, and tries again. Only a refused token is
    /// seen to here.
    pub(super) async fn download(
        &self,
        name: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<reqwest::Response, ApiError> {
        let mut refused = false;
        loop {
            self.open(name).await;
            self.limits.api(name).await;
            let token = self.tokens.get().await.map_err(before_the_call)?;
            let network = |error| ApiError::network(name, error);
            let request = self
                .http
                .get(self.options.url(path))
                // Of all of it; in between, silence ends it much sooner.
                .timeout(DOWNLOAD)
                .bearer_auth(token.expose())
                .query(query);
            let sent = tokio::time::timeout(UPLOAD, request.send()).await;
            let response = sent
                .map_err(|_| ApiError::local(name, ErrorKind::Unsure, "no answer in time"))?
                .map_err(network)?;
            if response.status().is_success() {
                return Ok(response);
            }
            let answer = Answer::read(response).await.map_err(network)?;
            let error = ApiError::answer(name, &answer);
            if let Some(wait) = asked_to_wait(&error.kind) {
                self.close(name, wait);
            }
            if error.kind != ErrorKind::TokenRefused || refused {
                return Err(error);
            }
            refused = true;
            self.tokens.refused(&token).await;
        }
    }

    /// Waits while the platform does not want this kind of call.
    async fn open(&self, name: &'static str) {
        let until = {
            let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
            closed.get(name).copied()
        };
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    fn close(&self, name: &'static str, wait: Duration) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.insert(name, Instant::now() + wait);
    }

    async fn request(&self, call: &Call<'_>, token: &str) -> Result<Value, ApiError> {
        let url = self.options.url(&call.path);
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .timeout(match call.upload {
                Some(_) => UPLOAD,
                None => self.patience.timeout,
            })
            .bearer_auth(token)
            .query(call.query);
        if let Some(upload) = &call.upload {
            request = request.multipart(upload.form());
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let edit = match call.turn {
            Turn::Edit(message_id) => Some(self.dangling.begin(message_id)),
            Turn::None | Turn::Chat(_) => None,
        };
        let network = |error| ApiError::network(call.name, error);
        let read = async {
            Answer::read(request.send().await.map_err(network)?)
                .await
                .map_err(network)
        };
        let answer = read.await;
        let known = |error: &ApiError| error.kind != ErrorKind::Unsure;
        if let Some(edit) = edit.filter(|_| answer.as_ref().map_or_else(known, |_| true)) {
            edit.answered();
        }
        let answer = answer?;
        if !answer.is_ok() {
            return Err(ApiError::answer(call.name, &answer));
        }
        let mut body = answer.body;
        match body.get_mut("data") {
            Some(data) if !data.is_null() => Ok(data.take()),
            Some(_) | None => Ok(body),
        }
    }
}

/// Without a token the call itself was surely not made, and nothing is wrong with it: whatever
/// the platform said of the token, the call can be made later.
fn before_the_call(mut error: ApiError) -> ApiError {
    if !matches!(
        error.kind,
        ErrorKind::RateLimited { .. } | ErrorKind::Credentials
    ) {
        error.kind = ErrorKind::Unreached;
    }
    error
}

/// The waiting time that the platform named, unless it is beyond all reason.
fn asked_to_wait(kind: &ErrorKind) -> Option<Duration> {
    match kind {
        ErrorKind::RateLimited { wait } => wait.filter(|wait| *wait <= LONGEST_WAIT),
        ErrorKind::Unreached
        | ErrorKind::Unsure
        | ErrorKind::TokenRefused
        | ErrorKind::Credentials
        | ErrorKind::Permission { .. }
        | ErrorKind::Gone
        | ErrorKind::TooLong
        | ErrorKind::CardRefused { .. }
        | ErrorKind::BadContent
        | ErrorKind::NoSuchReader
        | ErrorKind::Permanent => None,
    }
}

/// A pause that respects what the platform asked for, spread a little so that
/// callers do not come back together.
fn longer(pause: Duration, kind: &ErrorKind) -> Duration {
    match kind {
        ErrorKind::RateLimited { wait } => {
            // Limits of a chat or message come without a time: about a second.
            let wait = wait.unwrap_or(Duration::from_secs(1));
            let spread = Duration::from_millis(rand::random_range(50..500));
            pause.max(wait + spread)
        }
        ErrorKind::Unreached
        | ErrorKind::Unsure
        | ErrorKind::TokenRefused
        | ErrorKind::Credentials
        | ErrorKind::Permission { .. }
        | ErrorKind::Gone
        | ErrorKind::TooLong
        | ErrorKind::CardRefused { .. }
        | ErrorKind::BadContent
        | ErrorKind::NoSuchReader
        | ErrorKind::Permanent => pause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_follow_the_platform() {
        let short = Duration::from_millis(10);
        let asked = ErrorKind::RateLimited {
            wait: Some(Duration::from_secs(4)),
        };
        assert!(longer(short, &asked) > Duration::from_secs(4));
        assert_eq!(longer(short, &ErrorKind::Unsure), short);
    }
}
