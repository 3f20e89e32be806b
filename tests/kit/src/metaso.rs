//! A stand-in for the search service Metaso on the loopback: answers by scope with what the query says,
//! and fails in each way that the real one was seen to. What is asked is kept for the test to look at.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::lock;

/// The key that it accepts.
pub const KEY: &str = "mk-test-key";

/// How the next requests go.
#[derive(Debug, Clone, Default)]
pub enum Mood {
    /// Well.
    #[default]
    Well,
    /// With this HTTP status and body.
    Status(u16, Value),
    /// With status 200 and an error inside.
    Inside(i64, &'static str),
    /// With something that is no JSON.
    Garbage,
    /// After so long.
    Slow(Duration),
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Vec<(String, Value)>>,
    mood: Mutex<Mood>,
}

/// The running stand-in; dropping it stops it.
pub struct Metaso {
    url: String,
    shared: Arc<Shared>,
    cancel: CancellationToken,
}

impl Metaso {
    /// Starts on a free port of the loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind Metaso");
        let url = format!("http://{}", listener.local_addr().expect("own address"));
        let shared = Arc::new(Shared::default());
        let app = Router::new()
            .route("/api/v1/{*call}", post(answer))
            .with_state(Arc::clone(&shared));
        let cancel = CancellationToken::new();
        let server =
            axum::serve(listener, app).with_graceful_shutdown(cancel.clone().cancelled_owned());
        tokio::spawn(server.into_future());
        Self {
            url,
            shared,
            cancel,
        }
    }

    /// For `METASO_BASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How all requests go from now on.
    pub fn mood(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
    }

    /// What was asked so far: the call (`search`) and its body.
    pub fn asked(&self) -> Vec<(String, Value)> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for Metaso {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    body: axum::Json<Value>,
) -> Response {
    let ask = body.0;
    lock(&shared.asked).push((call.clone(), ask.clone()));
    let mood = lock(&shared.mood).clone();
    match mood {
        Mood::Well => {}
        Mood::Status(status, body) => {
            let status = StatusCode::from_u16(status).expect("a status");
            return (status, axum::Json(body)).into_response();
        }
        Mood::Inside(code, why) => {
            return axum::Json(json!({ "errCode": code, "errMsg": why })).into_response();
        }
        Mood::Garbage => return "<html>gateway</html>".into_response(),
        Mood::Slow(time) => tokio::time::sleep(time).await,
    }
    let key = headers
        .get("authorization")
        .and_then(|key| key.to_str().ok());
    if key != Some(&format!("Bearer {KEY}")) {
        let body = json!({ "errCode": 2005, "errMsg": "invalid key" });
        return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
    }
    // The real one refuses these unless they are wanted.
    if ask.get("page").is_some() || ask.get("size").is_some() {
        return axum::Json(json!({ "errCode": 1000, "errMsg": "bad parameter" })).into_response();
    }
    let said = match call.as_str() {
        "search" => search(&ask),
        "reader" => json!({ "title": "Read by the reader", "url": ask["url"],
            "markdown": format!("# Read\n\nThe words of {}", ask["url"].as_str().unwrap_or_default()),
            "credits": 3 }),
        "chat/completions" => json!({
            "choices": [{ "message": { "role": "assistant",
                "content": format!("The answer to {}.", ask["q"].as_str().unwrap_or_default()),
                "citations": [
                    { "title": "A source", "link": "https://example.org/source" },
                    { "title": "Another", "link": "https://example.org/other" },
                ] } }],
            "credits": 95 }),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    axum::Json(said).into_response()
}

fn search(ask: &Value) -> Value {
    let query = ask["q"].as_str().unwrap_or_default();
    let scope = ask["scope"].as_str().unwrap_or("webpage");
    let list = match scope {
        "scholar" => "scholars",
        "document" => "documents",
        "video" => "videos",
        "podcast" => "podcasts",
        _ => "webpages",
    };
    let results: Vec<Value> = if query.contains("nothing") {
        Vec::new()
    } else {
        (1..=3)
            .map(|n| {
                json!({ "title": format!("{scope} {n} about {query}"),
                    "link": format!("https://example.org/{scope}/{n}"), "score": "high",
                    "snippet": format!("Words around {query}"), "position": n,
                    "authors": ["A. Author"], "date": "2026-10-01" })
            })
            .collect()
    };
    let mut said = json!({ "credits": 97, "searchParameters": ask, "total": results.len() });
    said[list] = Value::Array(results);
    said
}
