//! The search service, Metaso: search by scope, its reader, and answers with sources. Its answers
//! are taken as they come: every field may be missing, lists stand under several names, and an error
//! may come with status 200. What is shown of them is left to the commands and tools.

use std::time::Duration;

use common::config::MetasoSettings;
use common::http::HttpOptions;
use common::text::Say as _;
use common::text::host::web::WebText;
use reqwest::Client;
use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::{Hit, Page, Scope, WebAnswer};

/// A search.
const SEARCH_WITHIN: Duration = Duration::from_secs(20);
/// An answer is written by a model.
const ASK_WITHIN: Duration = Duration::from_secs(90);
/// Results that are kept of one search.
const HITS: usize = 20;
/// Sources that are kept of one answer.
const SOURCES: usize = 20;
/// Bytes of an answer that are read; more is no answer.
const BODY: usize = 4 * 1024 * 1024;
/// Bytes of one field of a result.
const FIELD: usize = 2_000;
/// Below these names, in this order, sources of an answer were seen or may be.
const SOURCE_NAMES: [&str; 6] = [
    "citations",
    "sources",
    "references",
    "highlights",
    "webpages",
    "search_results",
];

/// What came of a search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// The best first.
    pub(crate) hits: Vec<Hit>,
    /// What is left on the account, when the service tells.
    pub(crate) credits: Option<u64>,
}

/// The service with our key.
#[derive(Debug, Clone)]
pub(super) struct Metaso {
    client: Client,
    base: String,
    key: SecretString,
}

impl Metaso {
    /// # Errors
    /// When there is no HTTP client.
    pub(super) fn new(settings: &MetasoSettings) -> Result<Self, common::http::HttpError> {
        Ok(Self {
            client: common::http::client(HttpOptions {
                timeout: Some(ASK_WITHIN),
                ..HttpOptions::default()
            })?,
            base: format!("{}/api/v1", settings.base_url.trim_end_matches('/')),
            key: settings.api_key.clone(),
        })
    }

    /// Searches in a scope.
    pub(super) async fn search(&self, query: &str, scope: Scope) -> Result<Found, WebText> {
        let ask = json!({ "q": query, "scope": scope.wire(), "includeSummary": true });
        let said = self.post("search", &ask, SEARCH_WITHIN).await?;
        Ok(Found {
            hits: list(&said, scope.lists())
                .iter()
                .filter_map(hit)
                .take(HITS)
                .collect(),
            credits: number(said.get("credits")),
        })
    }

    /// Answers a question from what it finds.
    pub(super) async fn ask(&self, question: &str, scope: Scope) -> Result<WebAnswer, WebText> {
        let ask = json!({ "q": question, "model": "fast", "format": "simple",
            "scope": scope.wire() });
        let said = self.post("chat/completions", &ask, ASK_WITHIN).await?;
        answer(&said).ok_or(WebText::ServiceUnclear)
    }

    /// Reads a page for us.
    pub(super) async fn read(&self, url: &str) -> Result<Page, WebText> {
        let said = self
            .post("reader", &json!({ "url": url }), SEARCH_WITHIN)
            .await?;
        let text = text(&said, &["markdown", "content", "text"]);
        if text.trim().is_empty() {
            return Err(WebText::Empty);
        }
        Ok(Page {
            url: url.to_owned(),
            title: text_of(&said, &["title"]),
            text,
            cut: false,
            plain: false,
            by_reader: true,
        })
    }

    async fn post(&self, call: &str, ask: &Value, within: Duration) -> Result<Value, WebText> {
        let request = self
            .client
            .post(format!("{}/{call}", self.base))
            .bearer_auth(self.key.expose_secret())
            .header(ACCEPT, "application/json")
            .timeout(within)
            .json(ask);
        let mut response = request.send().await.map_err(|why| {
            // Without the address: it is not needed, and the key is in no error of the library.
            tracing::warn!(call, why = %why.without_url(), "the search service did not answer");
            WebText::ServiceAway
        })?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| WebText::ServiceAway)? {
            body.extend_from_slice(&chunk);
            if body.len() > BODY {
                return Err(WebText::ServiceUnclear);
            }
        }
        let said: Option<Value> = serde_json::from_slice(&body).ok();
        let outcome = judge(status, said);
        if let Err(why) = &outcome {
            tracing::warn!(call, status, why = %why.en(), "the search service refused");
        }
        outcome
    }
}

/// Errors come by status or, with status 200, by `errCode`.
fn judge(status: u16, said: Option<Value>) -> Result<Value, WebText> {
    let code = said.as_ref().and_then(|said| {
        number(said.get("errCode").or_else(|| said.get("code")))
            .filter(|code| ![0, 200].contains(code))
    });
    let why = said
        .as_ref()
        .map(|said| {
            let own = text_of(said, &["errMsg", "message", "msg"]);
            let inner = said.get("error").map(|error| match error {
                Value::String(words) => words.clone(),
                _ => text_of(error, &["message"]),
            });
            inner.filter(|_| own.is_empty()).unwrap_or(own)
        })
        .map(|why| crate::session::progress::one_line(&why, 300))
        .unwrap_or_default();
    match (status, code) {
        // Its own number says more than the status.
        (_, Some(3003)) | (402, _) => Err(WebText::Exhausted),
        (_, Some(2005)) | (401 | 403, _) => Err(WebText::BadKey),
        (429, _) => Err(WebText::TooFast),
        (200..=299, None) => match said {
            Some(said)
                if said
                    .get("errMsg")
                    .is_none_or(|why| why.as_str().is_none_or(str::is_empty)) =>
            {
                Ok(said)
            }
            Some(_) => Err(WebText::ServiceRefused { why }),
            None => Err(WebText::ServiceUnclear),
        },
        (200..=499, _) => Err(WebText::ServiceRefused { why }),
        _ => Err(WebText::ServiceFailed { status }),
    }
}

/// The list of results: under one of its usual names, else the first list of objects.
fn list<'a>(said: &'a Value, names: &[&str]) -> &'a [Value] {
    let here = |said: &'a Value| -> Option<&'a Vec<Value>> {
        let fields = said.as_object()?;
        let named = names.iter().find_map(|name| objects(fields.get(*name)?));
        named.or_else(|| fields.values().find_map(objects))
    };
    here(said)
        .or_else(|| here(said.get("data")?))
        .or_else(|| here(said.get("result")?))
        .map_or(&[], Vec::as_slice)
}

fn objects(value: &Value) -> Option<&Vec<Value>> {
    let list = value.as_array()?;
    list.first()?.is_object().then_some(list)
}

fn hit(one: &Value) -> Option<Hit> {
    let hit = Hit {
        title: text_of(one, &["title", "name"]),
        link: text_of(one, &["link", "url", "href"]),
        snippet: text_of(
            one,
            &["snippet", "abstract", "description", "content", "text"],
        ),
        summary: text_of(one, &["summary"]),
        date: text_of(one, &["date", "publishedDate", "published"]),
        authors: authors(one.get("authors").or_else(|| one.get("author"))),
    };
    (!hit.title.is_empty() || !hit.link.is_empty()).then_some(hit)
}

fn authors(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) if !one.trim().is_empty() => vec![bounded(one)],
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(|one| one.as_str().or_else(|| one.get("name")?.as_str()))
            .map(bounded)
            .take(10)
            .collect(),
        _ => Vec::new(),
    }
}

fn answer(said: &Value) -> Option<WebAnswer> {
    let choice = said.get("choices").and_then(|all| all.get(0));
    let message = choice.and_then(|choice| choice.get("message"));
    let direct = |at: &Value| {
        let words = text(at, &["content", "answer", "text"]);
        (!words.trim().is_empty()).then_some(words)
    };
    let text = message
        .and_then(direct)
        .or_else(|| direct(said))
        .or_else(|| direct(said.get("data")?))
        .or_else(|| said.get("answer")?.as_str().map(str::to_owned))?;
    let places = [message, choice, Some(said), said.get("data")];
    let sources = places.into_iter().flatten().find_map(sources);
    Some(WebAnswer {
        text,
        sources: sources.unwrap_or_default(),
        credits: number(said.get("credits")),
    })
}

/// Sources in whatever shape: objects, or bare addresses.
fn sources(at: &Value) -> Option<Vec<Hit>> {
    let fields: &Map<String, Value> = at.as_object()?;
    let found: Vec<Hit> = SOURCE_NAMES
        .iter()
        .filter_map(|name| fields.get(*name)?.as_array())
        .find(|list| !list.is_empty())?
        .iter()
        .filter_map(|one| match one {
            Value::String(link) => Some(Hit {
                link: bounded(link),
                ..Hit::default()
            }),
            other => hit(other),
        })
        .take(SOURCES)
        .collect();
    (!found.is_empty()).then_some(found)
}

fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(n) => n.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The first of these fields that is a text, whole.
fn text(at: &Value, names: &[&str]) -> String {
    names
        .iter()
        .filter_map(|name| at.get(*name)?.as_str())
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// The same, in bounds.
fn text_of(at: &Value, names: &[&str]) -> String {
    bounded(&text(at, names))
}

fn bounded(text: &str) -> String {
    super::head(text.trim(), FIELD).to_owned()
}

#[cfg(test)]
mod tests;
