//! A scripted stand-in for the Anthropic Messages API that the real `claude` CLI talks to: what the
//! model answers is written in the prompt, everything around it is the real thing. It keeps no
//! conversations; running and configuring the CLI is left to `claude`.
//!
//! # What is answered, first match wins
//! 1. one of the CLI's own requests (title, summary, probe of the key): a fitting small answer
//! 2. a script from [`Model::queue`], one for each new prompt
//! 3. the newest directive in the conversation: `fake: STEP ;; STEP …` to the end of its line, or
//!    `<fake>[{…}, …]</fake>` with steps as JSON ([`Step`])
//! 4. the first [`Model::rule`] that fits the newest words
//! 5. `echo: ` and the newest words
//!
//! The n-th model call after a directive gets its n-th step, so a tool loop is a list:
//! `fake: tool Bash {"command":"ls"} ;; text found {tool_result}`. After the last step: `ok`.
//!
//! # Steps
//! | short form | it does |
//! | --- | --- |
//! | `text WORDS` | answers |
//! | `slow N MS WORDS` | answers in N pieces, MS milliseconds apart |
//! | `think WORDS` | thinks, then answers |
//! | `tool NAME {json}` | calls a tool |
//! | `tools [["NAME", {json}], …]` | calls several at once |
//! | `error STATUS [TIMES]` | refuses (529 is "overloaded"), for ever or so often |
//! | `sse_error [TYPE] [TIMES]` | an error event in the middle of the stream |
//! | `drop [TIMES]` | closes the connection in the middle of the stream |
//! | `stall SECONDS [WORDS]` | falls silent in the middle |
//! | `hold NAME [WORDS]` | falls silent in the middle until [`Model::release`] |
//! | `long BYTES` | a long text, its lines numbered |
//! | `stop REASON [WORDS]` | ends with that stop reason |
//!
//! Headers, `retry_after`, `usage` and the rest have a JSON form only. In texts, `{tool_result}`,
//! `{user}`, `{n}` (messages), `{images}` and `{model}` are filled in.

mod choice;
mod conversation;
mod reply;
mod script;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::net::TcpListener;

use crate::lock;
pub use choice::Kind;
pub use script::{Step, parse};
use server::{Shared, router};

/// How long [`Model::waiting`] waits before it fails the test.
const PATIENCE: Duration = Duration::from_secs(120);

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// When it came.
    pub at: SystemTime,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Why it got the answer it got.
    pub kind: Kind,
    /// The step it got.
    pub step: Option<Step>,
    /// All headers, names in lower case; keys are test keys.
    pub headers: BTreeMap<String, String>,
    /// The parsed body; null where there was none, and after [`Model::slim`].
    pub body: Arc<Value>,
    /// The newest words of the person anywhere in the conversation.
    pub user_text: String,
    /// The words of the last message of the person, if that message is a prompt and not a tool
    /// result: the call that begins a turn has them.
    pub opening: Option<String>,
    /// The newest tool result.
    pub tool_result: String,
    /// Images in the message that holds `user_text`.
    pub images: usize,
    /// What became of the answer, if it did not go through as planned.
    pub note: Option<&'static str>,
}

/// The running stand-in; dropping it stops it and breaks off what it was saying.
pub struct Model {
    url: String,
    shared: Arc<Shared>,
}

impl Model {
    /// Starts on a free port of the loopback.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// Starts on this address, for a CLI that is not on the loopback, as in a container of its own.
    pub async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address)
            .await
            .expect("bind the model stand-in");
        let url = format!("http://{}", listener.local_addr().expect("own address"));
        let shared = Shared::new();
        let cancel = shared.cancel.clone();
        let server = axum::serve(listener, router(Arc::clone(&shared)))
            .with_graceful_shutdown(cancel.cancelled_owned());
        tokio::spawn(server.into_future());
        Self { url, shared }
    }

    /// The address for `ANTHROPIC_BASE_URL`, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets every `hold NAME` go on, now or when a turn comes to it. Names are used once.
    pub fn release(&self, name: &str) {
        self.shared.gates.send_modify(|gates| {
            gates.released.insert(name.to_owned());
        });
    }

    /// Waits until a turn has come to `hold NAME`.
    ///
    /// # Panics
    /// After 60 seconds, with the requests that came instead.
    pub async fn waiting(&self, name: &str) {
        let mut gates = self.shared.gates.subscribe();
        let reached = gates.wait_for(|gates| gates.reached.contains(name));
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            let seen: Vec<_> = self
                .requests()
                .into_iter()
                .map(|r| (r.kind, r.user_text))
                .collect();
            panic!("no turn came to `hold {name}` within {PATIENCE:?}; requests were {seen:?}");
        }
    }

    /// Answers the next new prompt with this short script, whatever the prompt says.
    pub fn queue(&self, script: &str) {
        lock(&self.shared.choice).queue(parse(script).expect("script"));
    }

    /// Answers prompts without a directive whose newest words fit.
    pub fn rule(&self, fits: impl Fn(&str) -> bool + Send + 'static, script: &str) {
        lock(&self.shared.choice).rule(Box::new(fits), parse(script).expect("script"));
    }

    /// Cuts all texts that do not say otherwise into `chunks` pieces with `delay` between them.
    pub fn pace(&self, chunks: usize, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        *lock(&self.shared.pace) = reply::Pace { chunks, delay_ms };
    }

    /// For a test of many thousand turns: keeps no bodies from now on, and takes up to `most`
    /// requests before it holds them for a runaway loop.
    pub fn slim(&self, most: usize) {
        *lock(&self.shared.slim) = Some(most);
    }

    /// Everything that came, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.records).clone()
    }

    /// How many calls of the main conversation began a turn whose prompt contains `text`: tool
    /// rounds of the turn and the CLI's own requests do not count, retries after a fault do.
    pub fn turns_containing(&self, text: &str) -> usize {
        let records = lock(&self.shared.records);
        let begins = |request: &&Request| {
            let opening = request.opening.as_deref();
            request.kind.is_turn() && opening.is_some_and(|words| words.contains(text))
        };
        records.iter().filter(begins).count()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.shared.cancel.cancel();
    }
}
