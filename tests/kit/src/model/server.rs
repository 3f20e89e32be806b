//! The HTTP side: reads requests, records them, and carries out the plan of `reply`, with the
//! silences, breaks and vanished clients that come with it.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::Request;
use super::choice::{Choice, Kind};
use super::conversation::Conversation;
use super::reply::{self, Act, Pace};
use super::script::Step;
use crate::lock;

/// Requests kept for looking at; more than this is a runaway loop, and refused.
const MOST_REQUESTS: usize = 20_000;
/// The CLI sends whole conversations, pictures included.
const MOST_BODY: usize = 64 << 20;

/// Everything the handlers and the test share.
pub(crate) struct Shared {
    pub(crate) records: Mutex<Vec<Request>>,
    pub(crate) choice: Mutex<Choice>,
    pub(crate) pace: Mutex<Pace>,
    /// Without bodies, and how many requests then.
    pub(crate) slim: Mutex<Option<usize>>,
    pub(crate) gates: watch::Sender<Gates>,
    pub(crate) cancel: CancellationToken,
}

/// Names of holds that a turn has come to, and that were released.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    pub(crate) reached: HashSet<String>,
    pub(crate) released: HashSet<String>,
}

/// Why a silence did not end by itself.
struct Gone;

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            records: Mutex::default(),
            choice: Mutex::default(),
            pace: Mutex::new(Pace {
                chunks: 1,
                delay_ms: 0,
            }),
            slim: Mutex::default(),
            gates: watch::Sender::default(),
            cancel: CancellationToken::new(),
        })
    }

    /// `None` when the record is full.
    fn record(&self, mut request: Request) -> Option<usize> {
        let slim = *lock(&self.slim);
        if slim.is_some() {
            request.body = Arc::new(Value::Null);
        }
        let mut records = lock(&self.records);
        if records.len() >= slim.unwrap_or(MOST_REQUESTS) {
            return None;
        }
        records.push(request);
        Some(records.len() - 1)
    }

    fn note(&self, index: usize, note: &'static str) {
        if let Some(request) = lock(&self.records).get_mut(index) {
            request.note = Some(note);
        }
    }

    async fn pause(&self, step: &Step) -> Result<(), Gone> {
        if let Some(name) = &step.hold {
            self.gates.send_modify(|gates| {
                gates.reached.insert(name.clone());
            });
            let mut gates = self.gates.subscribe();
            let released = gates.wait_for(|gates| gates.released.contains(name));
            tokio::select! {
                _ = released => {}
                () = self.cancel.cancelled() => return Err(Gone),
            }
        }
        if let Some(seconds) = step.stall_s {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs_f64(seconds)) => {}
                () = self.cancel.cancelled() => return Err(Gone),
            }
        }
        Ok(())
    }
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", get(models))
        .route("/", get(alive))
        .fallback(elsewhere)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .with_state(shared)
}

async fn messages(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return refuse(400, Some("the body is not JSON"), &Step::default());
    };
    let seen = Conversation::new(body);
    let (kind, step) = lock(&shared.choice).choose(&seen);
    let mut request = Request::new(&method, &uri, &headers, kind);
    request.describe(&seen, &step);
    let Some(index) = shared.record(request) else {
        return refuse(500, Some("too many requests in one test"), &Step::default());
    };
    if let Some(status) = step.error {
        return refuse(status, step.message.as_deref(), &step);
    }
    if !seen.streams() {
        if shared.pause(&step).await.is_err() {
            return refuse(500, Some("the stand-in was stopped"), &Step::default());
        }
        return answer(StatusCode::OK, &reply::whole(&step, &seen), &step);
    }
    let acts = reply::stream(&step, &seen, *lock(&shared.pace));
    let (events, body) = event_body();
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    add_header(headers, "content-type", "text/event-stream; charset=utf-8");
    add_header(headers, "cache-control", "no-cache");
    finish_headers(headers, &step);
    tokio::spawn(async move {
        tokio::select! {
            // The receiver goes with the connection.
            () = events.closed() => shared.note(index, "the client closed the connection"),
            note = perform(&shared, &step, acts, &events) => {
                if let Some(note) = note {
                    shared.note(index, note);
                }
            }
        }
    });
    response
}

/// Plays the acts; says what went otherwise than a whole answer.
async fn perform(
    shared: &Shared,
    step: &Step,
    acts: Vec<Act>,
    events: &mpsc::Sender<Option<Bytes>>,
) -> Option<&'static str> {
    for act in acts {
        match act {
            Act::Event(event) => {
                let name = event["type"].as_str().unwrap_or_default();
                let text = format!("event: {name}\ndata: {event}\n\n");
                // A closed channel is seen by the caller.
                let _ = events.send(Some(Bytes::from(text))).await;
            }
            Act::Pause => {
                if shared.pause(step).await.is_err() {
                    let _ = events.send(None).await;
                    return Some("the stand-in was stopped");
                }
            }
            Act::Wait(time) => tokio::time::sleep(time).await,
            Act::Break => {
                let _ = events.send(None).await;
                return Some("dropped the connection");
            }
        }
    }
    None
}

/// A body fed through a channel; `None` breaks it off.
fn event_body() -> (mpsc::Sender<Option<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel::<Option<Bytes>>(16);
    let events = stream::unfold(receiver, |mut receiver| async move {
        let item = if let Some(bytes) = receiver.recv().await? {
            Ok(bytes)
        } else {
            // Being pending once makes the server write out what was said so far.
            tokio::task::yield_now().await;
            Err(io::Error::other("scripted break"))
        };
        Some((item, receiver))
    });
    (sender, Body::from_stream(events))
}

async fn count_tokens(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw: Bytes,
) -> Response {
    let mut request = Request::new(&method, &uri, &headers, Kind::CountTokens);
    request.body = Arc::new(serde_json::from_slice(&raw).unwrap_or_default());
    shared.record(request);
    let count = (raw.len() / 4).max(1);
    answer(
        StatusCode::OK,
        &json!({"input_tokens": count}),
        &Step::default(),
    )
}

async fn models(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    shared.record(Request::new(&method, &uri, &headers, Kind::Other));
    let model = json!({"type": "model", "id": "claude-fake-1", "display_name": "Fake 1",
        "created_at": "2025-01-01T00:00:00Z"});
    let list = json!({"data": [model], "has_more": false, "first_id": null, "last_id": null});
    answer(StatusCode::OK, &list, &Step::default())
}

async fn alive() -> Response {
    answer(StatusCode::OK, &json!({"ok": true}), &Step::default())
}

async fn elsewhere(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    shared.record(Request::new(&method, &uri, &headers, Kind::Other));
    refuse(
        404,
        Some(&format!("nothing is served at {}", uri.path())),
        &Step::default(),
    )
}

fn refuse(status: u16, message: Option<&str>, step: &Step) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = answer(code, &reply::refusal(status, message), step);
    if let Some(seconds) = step.retry_after {
        add_header(response.headers_mut(), "retry-after", &seconds.to_string());
    }
    if !matches!(status, 429 | 500 | 529) {
        add_header(response.headers_mut(), "x-should-retry", "false");
    }
    response
}

fn answer(status: StatusCode, body: &Value, step: &Step) -> Response {
    let mut response = (status, axum::Json(body)).into_response();
    finish_headers(response.headers_mut(), step);
    response
}

fn finish_headers(headers: &mut HeaderMap, step: &Step) {
    add_header(headers, "request-id", &reply::new_id("req"));
    for (name, value) in &step.headers {
        add_header(headers, name, value);
    }
}

fn add_header(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = axum::http::HeaderName::try_from(name);
    let value = axum::http::HeaderValue::try_from(value);
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.insert(name, value);
    }
}

impl Request {
    fn new(method: &Method, uri: &Uri, headers: &HeaderMap, kind: Kind) -> Self {
        let text = |value: &axum::http::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        Self {
            at: SystemTime::now(),
            method: method.to_string(),
            path: uri.to_string(),
            kind,
            step: None,
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: Arc::new(Value::Null),
            user_text: String::new(),
            opening: None,
            tool_result: String::new(),
            images: 0,
            note: None,
        }
    }

    fn describe(&mut self, seen: &Conversation, step: &Step) {
        self.step = Some(step.clone());
        self.body = Arc::new(seen.body.clone());
        self.user_text.clone_from(&seen.user_text);
        self.opening = seen.opening_words();
        self.tool_result.clone_from(&seen.tool_result);
        self.images = seen.images;
    }
}
