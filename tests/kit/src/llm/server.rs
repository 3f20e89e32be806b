//! The HTTP side: reads requests, records them, and writes what `reply` makes, with the silences and
//! breaks that come with it.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::reply::{self, Act};
use super::{Choice, Quirks, Raw, Request};
use crate::lock;
use crate::model::Step;

/// Requests kept for looking at; more than this is a runaway loop, and refused.
const MOST_REQUESTS: usize = 10_000;

/// Everything the handlers and the test share.
pub(super) struct Shared {
    pub(super) records: Mutex<Vec<Request>>,
    pub(super) choice: Mutex<Choice>,
    pub(super) quirks: Mutex<Quirks>,
    pub(super) gates: watch::Sender<Gates>,
    pub(super) cancel: CancellationToken,
}

/// Names of holds that a request has come to, and that were released.
#[derive(Debug, Default)]
pub(super) struct Gates {
    pub(super) reached: HashSet<String>,
    pub(super) released: HashSet<String>,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            records: Mutex::default(),
            choice: Mutex::default(),
            quirks: Mutex::default(),
            gates: watch::Sender::default(),
            cancel: CancellationToken::new(),
        })
    }

    async fn pause(&self, step: &Step) {
        if let Some(name) = &step.hold {
            self.gates.send_modify(|gates| {
                gates.reached.insert(name.clone());
            });
            let mut gates = self.gates.subscribe();
            let released = gates.wait_for(|gates| gates.released.contains(name));
            tokio::select! {
                _ = released => {}
                () = self.cancel.cancelled() => {}
            }
        }
        if let Some(seconds) = step.stall_s {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs_f64(seconds)) => {}
                () = self.cancel.cancelled() => {}
            }
        }
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(completions))
        .layer(DefaultBodyLimit::max(16 << 20))
        .with_state(shared)
}

async fn completions(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return refuse(400, "the body is not JSON", None);
    };
    let raw = lock(&shared.choice).raw.pop_front();
    let step = match &raw {
        Some(_) => Step::default(),
        None => lock(&shared.choice).choose(&body),
    };
    let quirks = lock(&shared.quirks).clone();
    let headers = headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let at = {
        let mut records = lock(&shared.records);
        if records.len() >= MOST_REQUESTS {
            return refuse(500, "too many requests in one test", None);
        }
        records.push(Request {
            path: uri.to_string(),
            headers,
            body: body.clone(),
            step: step.clone(),
            left: false,
        });
        records.len() - 1
    };
    if let Some(objection) = reply::objection(&body, &quirks) {
        return refuse(400, &objection, None);
    }
    if let Some(raw) = raw {
        return said(raw);
    }
    if let Some(status) = step.error {
        let said = step.message.as_deref().unwrap_or("scripted refusal");
        return refuse(status, said, step.retry_after);
    }
    if quirks.no_stream || body["stream"] != true {
        shared.pause(&step).await;
        let whole = reply::whole(&step, &body, &quirks).to_string();
        return ([("content-type", "application/json")], whole).into_response();
    }
    let acts = reply::stream(&step, &body, &quirks);
    let (writes, body) = written();
    tokio::spawn(async move {
        tokio::select! {
            // The receiver goes with the connection.
            () = writes.closed() => {
                if let Some(request) = lock(&shared.records).get_mut(at) {
                    request.left = true;
                }
            }
            () = perform(&shared, &step, acts, &writes) => {}
        }
    });
    ([("content-type", "text/event-stream; charset=utf-8")], body).into_response()
}

async fn perform(
    shared: &Shared,
    step: &Step,
    acts: Vec<Act>,
    writes: &mpsc::Sender<Option<Bytes>>,
) {
    for act in acts {
        match act {
            Act::Write(text) => drop(writes.send(Some(Bytes::from(text))).await),
            Act::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Act::Pause => shared.pause(step).await,
            Act::Break => {
                let _ = writes.send(None).await;
                return;
            }
        }
    }
}

/// An answer as it was given.
fn said(raw: Raw) -> Response {
    let status = if raw.status == 0 { 200 } else { raw.status };
    let (writes, body) = written();
    tokio::spawn(async move {
        for piece in raw.pieces {
            tokio::time::sleep(raw.pause).await;
            if writes.send(Some(piece.into())).await.is_err() {
                return;
            }
        }
        if raw.breaks {
            let _ = writes.send(None).await;
        }
    });
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).expect("status");
    for (name, value) in raw.headers {
        let value = value.parse().expect("header");
        response.headers_mut().insert(name, value);
    }
    response
}

/// A body fed through a channel; `None` breaks it off.
fn written() -> (mpsc::Sender<Option<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel::<Option<Bytes>>(16);
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let item = if let Some(bytes) = receiver.recv().await? {
            Ok(bytes)
        } else {
            // Being pending once makes the server write out what was said so far.
            tokio::task::yield_now().await;
            Err(io::Error::other("scripted break"))
        };
        Some((item, receiver))
    });
    (sender, Body::from_stream(pieces))
}

fn refuse(status: u16, said: &str, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).expect("status");
    let body = json!({"error": {"code": status.as_str(), "message": said}}).to_string();
    let body = if status == StatusCode::OK {
        json!({"error": {"code": "1234", "message": said}}).to_string()
    } else {
        body
    };
    let mut response = (status, [("content-type", "application/json")], body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}
