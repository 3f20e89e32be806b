//! A scripted stand-in for a chat model behind an OpenAI-compatible API, with the odd ways of the
//! vendors on demand. What it answers is written in the prompt or queued by the test; steps are those of
//! `model`, behind another mark, so that one text may speak to both.
//!
//! # What is answered, first match wins
//! 0. bytes from [`Llm::queue_raw`], one for each request
//! 1. a step from [`Llm::always`], to everything
//! 2. a step from [`Llm::queue`], one for each request
//! 3. a request without tools, as for a summary: `summary of N messages`
//! 4. the directive in the newest words of the person: `llm: STEP ;; STEP …` to the end of its line; the
//!    n-th answer behind these words is the n-th step, and after the last one it is `ok`
//! 5. `echo: ` and the newest words
//!
//! Steps beyond those of `model`: `error200 WORDS`, an error under status 200. In texts, `{tool_result}`,
//! `{user}` and `{n}` (messages) are filled in.

mod reply;
mod server;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;

use crate::lock;
use crate::model::{Step, parse};
use server::{Shared, router};

/// How long [`Llm::waiting`] waits before it fails the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// The odd ways of a vendor. By default it does what the form says.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// Thinks first, in `reasoning_content`.
    pub thinks: bool,
    /// Answers 400 when the thoughts of a tool call do not come back as they were.
    pub wants_thoughts: bool,
    /// Comments in front of the first word and between words.
    pub keep_alive: bool,
    /// Knows no streams: answers JSON whatever was asked for.
    pub no_stream: bool,
    /// Calls have neither id nor index, in any piece.
    pub bare_calls: bool,
    /// All calls have the index 0.
    pub one_index: bool,
    /// Arguments are an object.
    pub object_arguments: bool,
    /// Content is an array of parts.
    pub parts: bool,
    /// The role is in no chunk.
    pub no_role: bool,
    /// The role is in each chunk.
    pub role_everywhere: bool,
    /// This word for the end.
    pub finish: Option<&'static str>,
    /// Behind the end a chunk without choices, with empty counts.
    pub bare_last: bool,
    /// No `[DONE]`.
    pub no_done: bool,
    /// No blank lines between events.
    pub tight: bool,
    /// Thoughts in the text, between `<think>` marks.
    pub think_marks: bool,
    /// Answers 400 and names the field, when one of these is in the request.
    pub refuses: Vec<&'static str>,
}

impl Quirks {
    /// As GLM's models were seen.
    pub fn glm() -> Self {
        Self {
            thinks: true,
            role_everywhere: true,
            ..Self::default()
        }
    }

    /// As DeepSeek's thinking models were seen.
    pub fn deepseek() -> Self {
        Self {
            thinks: true,
            wants_thoughts: true,
            keep_alive: true,
            bare_last: true,
            ..Self::default()
        }
    }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path and query.
    pub path: String,
    /// All headers, names in lower case; keys are test keys.
    pub headers: BTreeMap<String, String>,
    /// The parsed body.
    pub body: Value,
    /// The step it got.
    pub step: Step,
    /// The client went before the answer was out.
    pub left: bool,
}

impl Request {
    /// Messages of a role, as text.
    pub fn said_by(&self, role: &str) -> Vec<String> {
        let messages = self.body["messages"].as_array().into_iter().flatten();
        messages
            .filter(|message| message["role"] == role)
            .map(|message| message["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// An answer byte for byte, for what no step can say.
#[derive(Debug, Clone, Default)]
pub struct Raw {
    /// HTTP status; 0 is 200.
    pub status: u16,
    /// Headers, besides those of the transport.
    pub headers: Vec<(&'static str, String)>,
    /// The body, in the pieces in which it is written.
    pub pieces: Vec<Vec<u8>>,
    /// Before each piece.
    pub pause: Duration,
    /// The connection breaks behind the last piece.
    pub breaks: bool,
}

impl Raw {
    /// Status 200 and this body.
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self {
            pieces: vec![body.into()],
            ..Self::default()
        }
    }

    /// This status and body.
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            ..Self::body(body)
        }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What the test has prepared.
#[derive(Default)]
struct Choice {
    raw: VecDeque<Raw>,
    always: Option<Step>,
    queue: VecDeque<Step>,
    given: HashMap<(String, usize), u32>,
}

/// The running stand-in; dropping it stops it and breaks off what it was saying.
pub struct Llm {
    url: String,
    shared: Arc<Shared>,
}

impl Llm {
    /// Starts on a free port of the loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("bind the chat model stand-in");
        let url = format!("http://{}/v1", listener.local_addr().expect("own address"));
        let shared = Shared::new();
        let cancel = shared.cancel.clone();
        let server = axum::serve(listener, router(Arc::clone(&shared)))
            .with_graceful_shutdown(cancel.cancelled_owned());
        tokio::spawn(server.into_future());
        Self { url, shared }
    }

    /// The address for `OPENAI_BASE_URL`, with the version and without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on it has these ways.
    pub fn quirks(&self, quirks: Quirks) {
        *lock(&self.shared.quirks) = quirks;
    }

    /// Answers the next requests with the steps of this short script, whatever they say.
    pub fn queue(&self, script: &str) {
        lock(&self.shared.choice).queue.extend(steps(script));
    }

    /// Answers the next request with this step, for what the short form cannot say.
    pub fn queue_step(&self, step: Step) {
        lock(&self.shared.choice).queue.push_back(step);
    }

    /// Answers the next request so, before anything else.
    pub fn queue_raw(&self, raw: Raw) {
        lock(&self.shared.choice).raw.push_back(raw);
    }

    /// Answers everything with this step from now on; an empty one: as before.
    pub fn always(&self, script: &str) {
        lock(&self.shared.choice).always = steps(script).into_iter().next();
    }

    /// Lets every `hold NAME` go on, now or when a request comes to it. Names are used once.
    pub fn release(&self, name: &str) {
        self.shared.gates.send_modify(|gates| {
            gates.released.insert(name.to_owned());
        });
    }

    /// Waits until a request has come to `hold NAME`.
    ///
    /// # Panics
    /// After 60 seconds.
    pub async fn waiting(&self, name: &str) {
        let mut gates = self.shared.gates.subscribe();
        let reached = gates.wait_for(|gates| gates.reached.contains(name));
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(
            reached.is_ok(),
            "no request came to `hold {name}` within {PATIENCE:?}"
        );
    }

    /// Everything that came, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.records).clone()
    }
}

impl Drop for Llm {
    fn drop(&mut self) {
        self.shared.cancel.cancel();
    }
}

fn steps(script: &str) -> Vec<Step> {
    let mut steps = parse(script).expect("script");
    for step in &mut steps {
        let words = step.text.as_deref();
        if let Some(words) = words.and_then(|text| text.strip_prefix("error200 ")) {
            *step = Step {
                error: Some(200),
                message: Some(words.to_owned()),
                ..Step::default()
            };
        }
    }
    steps
}

impl Choice {
    fn choose(&mut self, body: &Value) -> Step {
        if let Some(step) = &self.always {
            return step.clone();
        }
        if let Some(step) = self.queue.pop_front() {
            return step;
        }
        if body["tools"].as_array().is_none_or(Vec::is_empty) {
            return Step::text("summary of {n} messages");
        }
        let seen = reply::Seen::new(body);
        let script = seen
            .user
            .lines()
            .rev()
            .find_map(|line| line.split_once("llm: "));
        let Some((_, script)) = script else {
            return Step::text("echo: {user}");
        };
        let mut passed = 0;
        for (at, step) in steps(script).into_iter().enumerate() {
            // A step with `times` stands in front of the one behind it and counts as no answer.
            let Some(times) = step.times else {
                if passed == seen.answers {
                    return step;
                }
                passed += 1;
                continue;
            };
            let given = self.given.entry((seen.user.clone(), at)).or_default();
            if passed == seen.answers && *given < times {
                *given += 1;
                return step;
            }
        }
        Step::text("ok")
    }
}
