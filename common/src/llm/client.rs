//! The talking: one request, tried again where that may help, within limits of time and size, and
//! given up when the caller gives up. How a stream is read is in `stream`, how a refusal is
//! in `refusal`, what is around both in `headers`.
//!
//! Logged are sizes, times and ids, never what is said.

mod headers;
mod refusal;
mod stream;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::fault::{LlmFault, Stage};
use super::gather::Gather;
use super::read;
use super::types::{Answer, Ask, Choice, Heard, Message, Tool};
use super::vendor;
use crate::config::LlmSettings;
use crate::http::{self, HttpError, HttpOptions};
use headers::{is_packed, request_id};
use stream::{Form, Source};

/// Fields that belong to the request itself, whatever the configuration says.
const OURS: [&str; 3] = ["messages", "tools", "stream"];

/// How long, how often, how much.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To connect.
    pub connect: Duration,
    /// From the request to the first sign of an answer.
    pub first: Duration,
    /// Silence within an answer.
    pub silence: Duration,
    /// One answer, with all that is tried again.
    pub whole: Duration,
    /// How often what may pass is tried, the first time included.
    pub tries: u32,
    /// Longest pause before it is tried again; a vendor that wants more has refused.
    pub pause: Duration,
    /// Largest answer in bytes.
    pub body: usize,
}

impl Default for Limits {
    /// For work in a conversation: 5 minutes, 90 s to the first word, 60 s of silence, 3 tries.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first: Duration::from_secs(90),
            silence: Duration::from_secs(60),
            whole: Duration::from_secs(300),
            tries: 3,
            pause: Duration::from_secs(20),
            body: 4 << 20,
        }
    }
}

impl Limits {
    /// For a decision that somebody waits for: all of it within `whole`, tried once.
    pub fn decision(whole: Duration) -> Self {
        Self {
            connect: whole.min(Duration::from_secs(3)),
            first: whole,
            silence: whole,
            whole,
            tries: 1,
            pause: Duration::ZERO,
            body: 256 << 10,
        }
    }
}

/// Why nothing can be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupFault {
    /// No HTTP client.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The address is none.
    #[error("OPENAI_BASE_URL is not an address; write for example https://api.openai.com/v1")]
    Address,
    /// The key cannot be sent.
    #[error("OPENAI_API_KEY has characters that no key has; copy it again")]
    Key,
}

/// A model that can be asked. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Llm(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Client,
    url: Url,
    auth: HeaderValue,
    settings: LlmSettings,
    limits: Limits,
    /// Fields of ours that this vendor refused; at most as many as we have.
    refused: Mutex<BTreeSet<String>>,
}

/// Why one try failed.
#[derive(Debug)]
struct Failed {
    fault: LlmFault,
    /// When the vendor wants to be asked again.
    after: Option<Duration>,
    /// The field of ours that it does not take.
    field: Option<String>,
}

impl From<LlmFault> for Failed {
    fn from(fault: LlmFault) -> Self {
        Self {
            fault,
            after: None,
            field: None,
        }
    }
}

impl Llm {
    /// Makes ready to ask; asks nothing yet.
    ///
    /// # Errors
    /// See [`SetupFault`].
    pub fn new(settings: LlmSettings, limits: Limits) -> Result<Self, SetupFault> {
        let url = vendor::endpoint(&settings.base_url).ok_or(SetupFault::Address)?;
        let auth = format!("Bearer {}", settings.api_key.expose_secret());
        let mut auth = HeaderValue::from_str(&auth).map_err(|_| SetupFault::Key)?;
        auth.set_sensitive(true);
        let http = http::builder(HttpOptions {
            timeout: None,
            connect_timeout: limits.connect,
            ..HttpOptions::default()
        })?
        // A key is for the address it was given for.
        .redirect(Policy::none())
        .build()
        .map_err(HttpError::from)?;
        Ok(Self(Arc::new(Inner {
            http,
            url,
            auth,
            settings,
            limits,
            refused: Mutex::default(),
        })))
    }

    /// Name of the model, as it is configured.
    pub fn model(&self) -> &str {
        &self.0.settings.model
    }

    /// Asks and waits for the whole answer.
    ///
    /// # Errors
    /// See [`LlmFault`].
    pub async fn ask(&self, ask: &Ask, cancel: &CancellationToken) -> Result<Answer, LlmFault> {
        self.within(ask, false, &mut |_| {}, cancel).await
    }

    /// Asks, and tells what is heard while the answer comes. Only what is returned counts.
    ///
    /// # Errors
    /// See [`LlmFault`].
    pub async fn stream(
        &self,
        ask: &Ask,
        hear: &mut (dyn FnMut(Heard) + Send),
        cancel: &CancellationToken,
    ) -> Result<Answer, LlmFault> {
        self.within(ask, true, hear, cancel).await
    }

    async fn within(
        &self,
        ask: &Ask,
        stream: bool,
        hear: &mut (dyn FnMut(Heard) + Send),
        cancel: &CancellationToken,
    ) -> Result<Answer, LlmFault> {
        let whole = tokio::time::timeout(self.0.limits.whole, self.tries(ask, stream, hear));
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(LlmFault::Cancelled),
            done = whole => done.unwrap_or(Err(LlmFault::Slow { stage: Stage::Whole })),
        }
    }

    async fn tries(
        &self,
        ask: &Ask,
        stream: bool,
        hear: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<Answer, LlmFault> {
        let limits = &self.0.limits;
        let mut tried = 0;
        loop {
            let mut was_heard = false;
            let mut listen = |heard| {
                was_heard = true;
                hear(heard);
            };
            let Failed {
                fault,
                after,
                field,
            } = match self.once(ask, stream, &mut listen).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if let Some(field) = field {
                // Once for each field, as it is left away from now on.
                info!(field, "the model's API does not take this field");
                self.refused().insert(field);
                continue;
            }
            tried += 1;
            if !fault.passes() || tried >= limits.tries {
                return Err(fault.without(self.0.settings.api_key.expose_secret()));
            }
            let pause = after.unwrap_or(Duration::from_millis(500) * 2_u32.pow(tried.min(8) - 1));
            if pause > limits.pause {
                return Err(fault);
            }
            info!(%fault, tried, "the model is asked again");
            tokio::time::sleep(pause).await;
            if was_heard {
                hear(Heard::Again);
            }
        }
    }

    /// The request as it goes out, and the fields in it that a vendor may not know.
    fn body(&self, ask: &Ask, stream: bool) -> (Value, Vec<String>) {
        let Inner { url, settings, .. } = &*self.0;
        let mut body = Map::new();
        body.insert("model".to_owned(), settings.model.clone().into());
        let extra = settings.extra.iter();
        body.extend(
            extra
                .filter(|(name, _)| !OURS.contains(&name.as_str()))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let messages: Vec<Value> = ask.messages.iter().map(Message::wire).collect();
        body.insert("messages".to_owned(), messages.into());
        body.insert("stream".to_owned(), stream.into());
        let mut special = Map::new();
        if !ask.tools.is_empty() {
            let tools: Vec<Value> = ask.tools.iter().map(Tool::wire).collect();
            body.insert("tools".to_owned(), tools.into());
            if let Choice::Named(name) = &ask.choice {
                let choice = json!({"type": "function", "function": {"name": name}});
                special.insert("tool_choice".to_owned(), choice);
            }
        }
        if ask.quick {
            special.extend(vendor::quick(url, &settings.model));
        }
        let refused = self.refused();
        special.retain(|name, _| !refused.contains(name));
        let names = special.keys().cloned().collect();
        body.extend(special);
        (Value::Object(body), names)
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn once(
        &self,
        ask: &Ask,
        stream: bool,
        hear: &mut (dyn FnMut(Heard) + Send),
    ) -> Result<Answer, Failed> {
        let Inner {
            http,
            url,
            auth,
            limits,
            ..
        } = &*self.0;
        let (body, special) = self.body(ask, stream);
        let began = Instant::now();
        let first = began + limits.first;
        let body = body.to_string();
        let sent = body.len();
        let request = http
            .post(url.clone())
            .header(AUTHORIZATION, auth)
            .header("content-type", "application/json")
            .body(body)
            .send();
        let response = tokio::time::timeout_at(first, request)
            .await
            .map_err(|_| LlmFault::Slow {
                stage: Stage::First,
            })?
            .map_err(|why| LlmFault::Unreachable { why: chain(why) })?;
        let status = response.status();
        let id = request_id(response.headers());
        if status != StatusCode::OK {
            debug!(%status, id, sent, "the model's API refuses");
            return Err(refusal::read(response, &special).await);
        }
        if is_packed(response.headers()) {
            return Err(LlmFault::Nonsense {
                why: "it is compressed, which nobody asked for",
            }
            .into());
        }
        let mut source = Source::new(response, *limits, first);
        // Servers that do not know streams answer as if none was asked for, with whatever type:
        // what the body begins with tells.
        let gather = match source.form().await? {
            Form::Json => {
                let whole = source.whole().await?;
                Self::whole(&whole, hear)?
            }
            Form::Page => {
                let status = status.as_u16();
                return Err(LlmFault::NoApi { status }.into());
            }
            Form::Events => stream::events(source, hear).await?,
        };
        let answer = gather.finish()?;
        debug!(
            id,
            sent,
            text = answer.said.text.len(),
            calls = answer.said.calls.len(),
            prompt_tokens = answer.usage.prompt,
            completion_tokens = answer.usage.completion,
            ms = began.elapsed().as_millis(),
            "the model answered"
        );
        Ok(answer)
    }

    /// An answer in one piece, which may be an error under status 200.
    fn whole(body: &[u8], hear: &mut (dyn FnMut(Heard) + Send)) -> Result<Gather, LlmFault> {
        let value: Value = serde_json::from_slice(body).map_err(|_| LlmFault::Cut)?;
        if let Some((code, said)) = read::error(&value) {
            return Err(LlmFault::of(200, &code, &said, None));
        }
        let piece = read::piece(&value);
        if !piece.has_choice {
            return Err(LlmFault::Nonsense {
                why: "it has no choices",
            });
        }
        let mut gather = Gather::default();
        for heard in gather.take(piece) {
            hear(heard);
        }
        gather.end();
        Ok(gather)
    }
}

/// All that the library knows of a failure, without the address, which may hold secrets.
fn chain(why: reqwest::Error) -> String {
    let why = why.without_url();
    let mut text = why.to_string();
    let mut source = std::error::Error::source(&why);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
