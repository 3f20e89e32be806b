//! The app's access token: fetched once, shared, renewed in time.
//!
//! The lock is held while a token is fetched, so that many callers cause one
//! request. Retrying a call with a new token is up to `api`.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::FeishuOptions;
use super::error::{Answer, ApiError, ErrorKind};

/// A token is renewed this long before its end. Below 30 minutes the platform
/// hands out a new one, so asking this late is sure to help.
const MARGIN: Duration = Duration::from_secs(7 * 60);
/// After refused credentials nobody asks again for this long.
const REFUSED_PAUSE: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(10);
const CALL: &str = "token";

/// A token and which fetch it came from.
#[derive(Debug, Clone)]
pub struct Token {
    secret: Arc<SecretString>,
    fetch: u64,
}

impl Token {
    /// The bearer token itself, for the request header only.
    pub(crate) fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

#[derive(Debug)]
struct Held {
    token: Token,
    renew_at: Instant,
    ends_at: Instant,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    fetches: u64,
    refused: Option<(ApiError, Instant)>,
}

/// The shared token of one app.
#[derive(Debug)]
pub struct Tokens {
    options: FeishuOptions,
    http: reqwest::Client,
    state: Mutex<State>,
}

impl Tokens {
    /// Nothing is fetched before the first [`Tokens::get`].
    pub fn new(options: FeishuOptions, http: reqwest::Client) -> Self {
        Self {
            options,
            http,
            state: Mutex::default(),
        }
    }

    /// A token good for use now. If renewing fails while the old one still has
    /// time left, the old one is given.
    pub async fn get(&self) -> Result<Token, ApiError> {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(held) = state.held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.token.clone());
        }
        if let Some((error, until)) = &state.refused
            && now < *until
        {
            return Err(error.clone());
        }
        match self.fetch().await {
            Ok((secret, life)) => {
                state.fetches += 1;
                let token = Token {
                    secret: Arc::new(secret),
                    fetch: state.fetches,
                };
                state.refused = None;
                state.held = Some(Held {
                    token: token.clone(),
                    // Short lives keep half of their time.
                    renew_at: now + life.saturating_sub(MARGIN).max(life / 2),
                    ends_at: now + life,
                });
                Ok(token)
            }
            Err(error) => {
                if error.kind == ErrorKind::Credentials {
                    state.refused = Some((error.clone(), Instant::now() + REFUSED_PAUSE));
                }
                match &state.held {
                    Some(held) if Instant::now() < held.ends_at => {
                        tracing::warn!(%error, "could not renew the Feishu token; going on with the present one");
                        Ok(held.token.clone())
                    }
                    Some(_) | None => Err(error),
                }
            }
        }
    }

    /// To be told when the platform refused this token. Forgets it, unless a
    /// newer one has taken its place meanwhile.
    pub async fn refused(&self, token: &Token) {
        let mut state = self.state.lock().await;
        if state
            .held
            .as_ref()
            .is_some_and(|held| held.token.fetch == token.fetch)
        {
            state.held = None;
        }
    }

    async fn fetch(&self) -> Result<(SecretString, Duration), ApiError> {
        let url = self
            .options
            .url("/open-apis/auth/v3/tenant_access_token/internal");
        let body = json!({
            "app_id": self.options.app_id,
            "app_secret": self.options.app_secret.expose_secret(),
        });
        let response = self.http.post(url).timeout(TIMEOUT).json(&body).send();
        let response = response
            .await
            .map_err(|error| ApiError::network(CALL, error))?;
        let answer = Answer::read(response)
            .await
            .map_err(|error| ApiError::network(CALL, error))?;
        if !answer.is_ok() {
            let mut error = ApiError::answer(CALL, &answer);
            // Which number stands for a wrong secret is not settled; every
            // refusal of this call is about the credentials.
            if answer.code.is_some() && !error.is_retryable() {
                error.kind = ErrorKind::Credentials;
            }
            return Err(error);
        }
        let token = answer.body.get("tenant_access_token");
        let token = token.and_then(|value| value.as_str()).unwrap_or("");
        if token.is_empty() {
            let message = "the answer holds no tenant_access_token";
            return Err(ApiError::local(CALL, ErrorKind::Permanent, message));
        }
        let life = answer
            .body
            .get("expire")
            .and_then(serde_json::Value::as_u64);
        let life = Duration::from_secs(life.unwrap_or(60).min(7200));
        Ok((SecretString::from(token), life))
    }
}
