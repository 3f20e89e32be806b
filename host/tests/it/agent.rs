//! The driver against the real CLI, whose model is a stand-in that does what the prompt says. What
//! is here: starting one, and waiting for what it says.

mod faults;
mod permission;
mod stop;
mod turns;
mod unattended;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use host::agent::claude::Version;
use host::agent::{
    Agent, AgentEvent, AgentHandle, AgentSpec, Backend, ChildEnv, PermissionMode, RunState,
    SessionStart, TurnResult, UserMessage, start,
};
use kit::claude::ClaudeHome;
use kit::model::Model;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Nothing that is waited for takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home for the CLI, a model, and the tasks of the drivers.
struct Setting {
    home: ClaudeHome,
    model: Model,
    tasks: TaskTracker,
}

impl Setting {
    async fn new() -> Self {
        Self {
            home: ClaudeHome::new(),
            model: Model::start().await,
            tasks: TaskTracker::new(),
        }
    }

    fn spec(&self, session: SessionStart) -> AgentSpec {
        // What the person who runs the tests has set must not reach the CLI.
        let path = ("PATH".into(), std::env::var_os("PATH").unwrap());
        AgentSpec {
            program: kit::claude::binary(),
            extra_args: Vec::new(),
            cwd: self.home.project(),
            session,
            model: None,
            permission_mode: PermissionMode::Ask,
            trust_project: false,
            env: ChildEnv::filtered([path], &[]),
            extra_env: self.env(),
            family: "test".to_owned(),
        }
    }

    fn env(&self) -> Vec<(String, String)> {
        let mut env = self.home.env(&self.model);
        env.push(("CLAUDE_CODE_MAX_RETRIES".to_owned(), "1".to_owned()));
        env
    }

    fn start(&self, spec: AgentSpec) -> Running {
        let session = spec.session.id();
        let Agent { handle, events } = start(Backend::Claude, spec, &self.tasks).unwrap();
        Running {
            session,
            handle,
            events,
            seen: Vec::new(),
        }
    }

    /// A new conversation.
    fn begin(&self) -> Running {
        self.start(self.spec(SessionStart::New(Uuid::new_v4())))
    }

    /// A conversation that ended before.
    fn resume(&self, session: Uuid) -> Running {
        self.start(self.spec(SessionStart::Resume(session)))
    }

    /// A conversation whose commands run unasked.
    fn begin_trusting(&self) -> Running {
        let mut spec = self.spec(SessionStart::New(Uuid::new_v4()));
        spec.extra_args = vec!["--allowedTools".to_owned(), "Bash".to_owned()];
        self.start(spec)
    }

    fn transcript(&self, session: Uuid) -> Option<PathBuf> {
        let cwd = self.home.project();
        host::agent::claude::transcript_path(&self.home.config_dir(), &cwd, session)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.project().join(name)
    }
}

/// An agent and all it has said.
struct Running {
    session: Uuid,
    handle: AgentHandle,
    events: mpsc::Receiver<AgentEvent>,
    seen: Vec<AgentEvent>,
}

impl Running {
    /// Reads on until something fits.
    async fn until(&mut self, what: &str, fits: impl Fn(&AgentEvent) -> bool) -> AgentEvent {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let next = tokio::time::timeout_at(deadline, self.events.recv()).await;
            let Ok(next) = next else {
                panic!("no {what} within {PATIENCE:?}; it said {:#?}", self.seen);
            };
            let Some(event) = next else {
                panic!("it ended before {what}; it said {:#?}", self.seen);
            };
            self.seen.push(event.clone());
            if fits(&event) {
                return event;
            }
        }
    }

    async fn finished(&mut self) -> TurnResult {
        let is_end = |event: &AgentEvent| matches!(event, AgentEvent::Finished(_));
        match self.until("the end of the turn", is_end).await {
            AgentEvent::Finished(result) => result,
            other => panic!("{other:?}"),
        }
    }

    async fn idle(&mut self) {
        let idle = AgentEvent::State(RunState::Idle);
        self.until("idle", |event| *event == idle).await;
    }

    async fn delta(&mut self) {
        let is_delta = |event: &AgentEvent| matches!(event, AgentEvent::TextDelta { .. });
        self.until("text", is_delta).await;
    }

    async fn asked(&mut self) -> host::agent::PermissionRequest {
        let is_question = |event: &AgentEvent| matches!(event, AgentEvent::Permission(_));
        match self.until("a question", is_question).await {
            AgentEvent::Permission(request) => request,
            other => panic!("{other:?}"),
        }
    }

    async fn exited(&mut self) -> host::agent::Exit {
        let is_exit = |event: &AgentEvent| matches!(event, AgentEvent::Exited(_));
        match self.until("the end", is_exit).await {
            AgentEvent::Exited(exit) => exit,
            other => panic!("{other:?}"),
        }
    }

    async fn say(&self, text: &str) -> Uuid {
        let uuid = Uuid::new_v4();
        self.handle
            .send(UserMessage::text(uuid, text))
            .await
            .unwrap();
        uuid
    }

    /// Says something, and reads until the turn is over.
    async fn turn(&mut self, text: &str) -> TurnResult {
        self.seen.clear();
        self.say(text).await;
        let result = self.finished().await;
        self.idle().await;
        result
    }

    /// The CLI has this version.
    fn runs(&self, version: Version) -> bool {
        let said = |event: &AgentEvent| match event {
            AgentEvent::Init { version, .. } => Some(version.clone()),
            _ => None,
        };
        self.seen.iter().find_map(said) == Some(version.to_string())
    }

    fn questions(&self) -> usize {
        let is_question = |event: &&AgentEvent| matches!(event, AgentEvent::Permission(_));
        self.seen.iter().filter(is_question).count()
    }

    fn texts(&self) -> Vec<String> {
        let text = |event: &AgentEvent| match event {
            AgentEvent::Text { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.seen.iter().filter_map(text).collect()
    }
}

/// A prompt that makes the model call Bash with `command` and then say `then`.
fn bash(command: &str, then: &str) -> String {
    let input = serde_json::json!({ "command": command });
    format!("fake: tool Bash {input} ;; text {then}")
}

/// Waits for something that nobody announces.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let Ok(found) = tokio::time::timeout(PATIENCE, found).await else {
        panic!("no {what} within {PATIENCE:?}");
    };
    found
}

/// What a started command wrote into `name`: the pid of its shell.
async fn pid_in(setting: &Setting, name: &str) -> host::agent::orphan::Orphan {
    let path = setting.file(name);
    let pid = eventually("pid of the command", async || {
        std::fs::read_to_string(&path).ok()?.trim().parse().ok()
    })
    .await;
    host::agent::orphan::Orphan::of(pid).await.unwrap()
}

/// A command that tells its pid in `pid` and then runs for a long time.
fn endless() -> &'static str {
    "echo $$ > pid; for i in 1 2 3 4 5 6 7 8 9; do sleep 61; done"
}

fn os(text: &str) -> OsString {
    OsString::from(text)
}
