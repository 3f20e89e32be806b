//! A person at the page without a browser: uses the login link once, keeps the cookie, says things until
//! they are safe, taps, and reads the timeline. Looking at the page itself is left to `browser`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::StreamExt as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use uuid::Uuid;

/// Between two tries while the gateway is away.
const PAUSE: Duration = Duration::from_millis(250);
/// How often the timeline is read anew if its connection tells nothing.
const SILENCE: Duration = Duration::from_secs(20);

/// Somebody who is logged in.
pub struct Person {
    http: reqwest::Client,
    origin: String,
    cookie: String,
}

impl Person {
    /// Uses the printed link up.
    ///
    /// # Errors
    /// If it cannot be reached or was used already.
    pub async fn log_in(link: &str) -> Result<Self> {
        let http = crate::http::client();
        let (origin, _) = link
            .split_once("/login")
            .with_context(|| format!("{link} is no login link"))?;
        let answer = http.get(link).send().await?;
        ensure!(
            answer.status() == StatusCode::OK,
            "the link was answered with {}",
            answer.status()
        );
        let set = answer.headers().get("set-cookie").context("no cookie")?;
        let cookie = set.to_str()?.split(';').next().unwrap_or_default();
        Ok(Self {
            http,
            origin: origin.to_owned(),
            cookie: cookie.to_owned(),
        })
    }

    /// As a text that [`Person::from_kept`] reads, so that a later process is logged in as well.
    pub fn kept(&self) -> String {
        format!("{}\n{}\n", self.origin, self.cookie)
    }

    /// The one of [`Person::kept`].
    ///
    /// # Errors
    /// If it is something else.
    pub fn from_kept(kept: &str) -> Result<Self> {
        let mut lines = kept.lines().map(str::to_owned);
        let (origin, cookie) = lines.next().zip(lines.next()).context("no kept login")?;
        Ok(Self {
            http: crate::http::client(),
            origin,
            cookie,
        })
    }

    /// Sends it under one id until it is safe, as the page does.
    ///
    /// # Errors
    /// If it is refused for good, or not safe within `patience`.
    pub async fn say(&self, text: &str, patience: Duration) -> Result<()> {
        let body = json!({"id": Uuid::new_v4(), "text": text, "lang": "en"});
        self.post("/api/messages", &body, patience).await
    }

    /// Taps the button of a card of [`Person::follow`] that has this label.
    ///
    /// # Errors
    /// As [`Person::say`]; if there is no such button.
    pub async fn tap(&self, card: &Value, label: &str, patience: Duration) -> Result<()> {
        let button = buttons(card).find(|button| button["label"] == label);
        let action = &button.context("no such button")?["action"];
        let body =
            json!({"id": Uuid::new_v4(), "card": card["card"], "action": action, "lang": "en"});
        self.post("/api/taps", &body, patience).await
    }

    async fn post(&self, path: &str, body: &Value, patience: Duration) -> Result<()> {
        let until = Instant::now() + patience;
        loop {
            let request = self.http.post(format!("{}{path}", self.origin));
            let request = request.header("origin", &self.origin);
            let request = request.header("cookie", &self.cookie).json(body);
            let answer = request.timeout(patience).send().await;
            let said = match &answer {
                Ok(answer) if answer.status() == StatusCode::ACCEPTED => return Ok(()),
                Ok(answer) if answer.status().is_client_error() => {
                    bail!("{path} was refused with {}", answer.status())
                }
                Ok(answer) => answer.status().to_string(),
                Err(why) => why.to_string(),
            };
            ensure!(
                Instant::now() < until,
                "{path} was not taken within {patience:?}, last: {said}"
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads the timeline from its beginning and goes on with it, over lost connections, until `done` says
    /// so of all that is there; then returns it. `done` is asked once what was missed is there, and after each
    /// change.
    ///
    /// # Errors
    /// After `patience`, with the last items.
    pub async fn follow(
        &self,
        patience: Duration,
        mut done: impl AsyncFnMut(&[Value]) -> Result<bool>,
    ) -> Result<Vec<Value>> {
        let mut items = BTreeMap::new();
        let followed = async {
            loop {
                items.clear();
                if self.follow_once(&mut items, &mut done).await? {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let followed: Result<Result<()>, _> = tokio::time::timeout(patience, followed).await;
        let all: Vec<Value> = items.into_values().collect();
        match followed {
            Ok(Ok(())) => Ok(all),
            Ok(Err(why)) => Err(why),
            Err(_) => {
                let last = all.get(all.len().saturating_sub(4)..).unwrap_or_default();
                bail!("not within {patience:?}; the end of the page is {last:#?}")
            }
        }
    }

    /// One connection: whether `done` was satisfied before it ended.
    async fn follow_once(
        &self,
        items: &mut BTreeMap<u64, Value>,
        done: &mut impl AsyncFnMut(&[Value]) -> Result<bool>,
    ) -> Result<bool> {
        let address = self.origin.trim_start_matches("http://");
        let mut request = format!("ws://{address}/api/follow").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("origin", self.origin.parse()?);
        headers.insert("cookie", self.cookie.parse()?);
        let Ok((mut socket, _)) = tokio_tungstenite::connect_async(request).await else {
            return Ok(false);
        };
        let mut all_there = false;
        while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE, socket.next()).await {
            let Ok(told) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default())
            else {
                continue;
            };
            for entry in told["entries"].as_array().into_iter().flatten() {
                let place = entry["pos"].as_u64().context("an entry without a place")?;
                items.insert(place, entry["item"].clone());
            }
            all_there |= told["type"] == "caught_up";
            if all_there {
                let now: Vec<Value> = items.values().cloned().collect();
                if done(&now).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// The buttons of a card.
pub fn buttons(item: &Value) -> impl Iterator<Item = &Value> {
    item["view"]["buttons"].as_array().into_iter().flatten()
}

/// What a card or notice tells; nothing for what the person wrote.
pub fn told(item: &Value) -> String {
    match item["kind"].as_str() {
        Some("card") => format!("{} {}", item["view"]["title"], item["view"]["blocks"]),
        Some("notice") => item["text"].to_string(),
        _ => String::new(),
    }
}
