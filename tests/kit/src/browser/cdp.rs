//! The DevTools protocol over its WebSocket: calls matched to answers, and the page's complaints
//! collected on the way. What the calls mean is left to `browser`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// No single call takes longer, unless the browser hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Complaints kept; a page that complains without end says nothing new after that.
const MOST_ERRORS: usize = 200;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Answer = Result<Value, String>;

struct Call {
    method: String,
    params: Value,
    session: Option<String>,
    answer: oneshot::Sender<Answer>,
}

/// A handle on the connection, which a task owns.
pub(super) struct Cdp {
    calls: mpsc::Sender<Call>,
    session: Option<String>,
    errors: Arc<Mutex<Vec<String>>>,
}

impl Cdp {
    pub(super) async fn connect(url: &str) -> Self {
        let connected = tokio_tungstenite::connect_async(url).await;
        let (socket, _) =
            connected.unwrap_or_else(|wrong| panic!("connect to the browser at {url}: {wrong}"));
        let (calls, inbox) = mpsc::channel(16);
        let errors = Arc::default();
        tokio::spawn(run(socket, inbox, Arc::clone(&errors)));
        Self {
            calls,
            session: None,
            errors,
        }
    }

    /// Directs all further calls to this page.
    pub(super) fn use_session(&mut self, session: String) {
        self.session = Some(session);
    }

    pub(super) fn errors(&self) -> Vec<String> {
        crate::lock(&self.errors).clone()
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Value {
        match self.try_call(method, params).await {
            Ok(result) => result,
            Err(wrong) => panic!("{method}: {wrong}"),
        }
    }

    pub(super) async fn try_call(&self, method: &str, params: Value) -> Answer {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            method: method.to_owned(),
            params,
            session: self.session.clone(),
            answer,
        };
        let gone = || "the browser is gone".to_owned();
        self.calls.send(call).await.map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answer) => answer.map_err(|_| gone())?,
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        }
    }
}

/// Owns the socket and the open calls; ends with either side.
async fn run(mut socket: Socket, mut inbox: mpsc::Receiver<Call>, errors: Arc<Mutex<Vec<String>>>) {
    let mut open: HashMap<u64, oneshot::Sender<Answer>> = HashMap::new();
    let mut last_id = 0;
    loop {
        tokio::select! {
            call = inbox.recv() => {
                let Some(call) = call else { return };
                last_id += 1;
                let mut message = json!({"id": last_id, "method": call.method, "params": call.params});
                if let Some(session) = call.session {
                    message["sessionId"] = session.into();
                }
                open.insert(last_id, call.answer);
                if socket.send(Message::text(message.to_string())).await.is_err() {
                    return;
                }
            }
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let Ok(text) = message.to_text() else { continue };
                let Ok(mut message) = serde_json::from_str::<Value>(text) else { continue };
                if let Some(waiter) = message["id"].as_u64().and_then(|id| open.remove(&id)) {
                    let answer = match message.get("error") {
                        Some(error) => Err(error["message"].as_str().unwrap_or("refused").to_owned()),
                        None => Ok(message["result"].take()),
                    };
                    let _ = waiter.send(answer);
                } else if let Some(error) = complaint(&message) {
                    let mut errors = crate::lock(&errors);
                    if errors.len() < MOST_ERRORS {
                        errors.push(error);
                    }
                }
            }
        }
    }
}

/// What is wrong, if this event says that something is.
fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => {
            let thrown = &params["exceptionDetails"];
            let text = thrown["exception"]["description"]
                .as_str()
                .or(thrown["text"].as_str());
            Some(text.unwrap_or("an exception").to_owned())
        }
        "Runtime.consoleAPICalled" if params["type"] == "error" => {
            let arguments = params["args"].as_array()?.iter();
            let words = arguments.map(|argument| {
                let text = argument["value"]
                    .as_str()
                    .or(argument["description"].as_str());
                text.map_or_else(|| argument["value"].to_string(), str::to_owned)
            });
            Some(words.collect::<Vec<_>>().join(" "))
        }
        "Log.entryAdded" if params["entry"]["level"] == "error" => {
            let entry = &params["entry"];
            let text = entry["text"].as_str().unwrap_or_default();
            Some(format!(
                "{text} {}",
                entry["url"].as_str().unwrap_or_default()
            ))
        }
        _ => None,
    }
}
