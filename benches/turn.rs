//! How much longer a turn takes through PhoneWork than with the agent alone: from the person's
//! words to the finished answer, in a session that is already warm. Run with `make bench`.
//!
//! Both sides run the same CLI, started with the same command line, against the same scripted
//! model, by turns, so that whatever else the machine does hits both. PhoneWork's side is the real
//! program with everything it does to be safe: a chat platform's event, the broker's files, the
//! router, the host's journal, and the platform's card at the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for developers, which may end with a panic and prints its table"
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use host::agent::{
    Agent, AgentEvent, AgentSpec, Backend, ChildEnv, PermissionMode, RunState, SessionStart,
    UserMessage, start,
};
use kit::claude::ClaudeHome;
use kit::feishu::Feishu;
use kit::model::Model;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Turns whose time counts, of each kind and side.
const TURNS: usize = 21;
/// Turns before that: the first of a process is slower, the second a little.
const WARM_UP: usize = 2;
/// Between two turns: nobody writes faster, and the platform's limits are not what is measured.
const PAUSE: Duration = Duration::from_millis(700);
const PATIENCE: Duration = Duration::from_secs(60);
const USER: &str = "ou_bench";
/// What PhoneWork may add to a turn.
const AIM: Duration = Duration::from_millis(100);

/// A kind of turn: its name and the model's script, which must end with the turn's marker.
const KINDS: [(&str, &str); 2] = [
    ("short answer", "text answer"),
    (
        "streamed for 1.5 s",
        "slow 15 100 a longer answer that comes in many pieces one after the other",
    ),
];

fn main() {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(bench());
}

async fn bench() {
    let model = Model::start().await;
    let mut phonework = PhoneWork::start(&model).await;
    let mut bare = Bare::start(&model);
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    println!("\nOne turn of a warm session, {profile} build, median of {TURNS}, in ms");
    println!(
        "{:<20} {:>9} {:>11} {:>11} {:>7}   {:>21}   {:>21}",
        "",
        "CLI alone",
        "PhoneWork",
        "difference",
        "ratio",
        "to the model (diff)",
        "from it (diff)"
    );
    let mut met = true;
    for (name, script) in KINDS {
        let (mut alone, mut through) = (Vec::new(), Vec::new());
        for n in 0..WARM_UP + TURNS {
            // Markers of one length, so that both answers are cut into the same pieces.
            let (first, second) = (marker(name, n, "cli"), marker(name, n, "all"));
            // Whoever comes second may find the machine warmer: take turns at that, too.
            let (one, other) = if n % 2 == 0 {
                let one = bare.turn(&model, script, &first).await;
                (one, phonework.turn(&model, script, &second).await)
            } else {
                let other = phonework.turn(&model, script, &second).await;
                (bare.turn(&model, script, &first).await, other)
            };
            if n >= WARM_UP {
                alone.push(one);
                through.push(other);
            }
        }
        met &= row(name, &alone, &through);
    }
    let verdict = if met { "met" } else { "NOT met" };
    println!(
        "The aim, at most {} ms more, is {verdict}.\n",
        AIM.as_millis()
    );
    bare.end().await;
    phonework.end();
}

fn marker(kind: &str, n: usize, side: &str) -> String {
    format!("{}-{side}-{n:02}", kind.replace(' ', "-"))
}

/// What a turn took: all of it, and its two ways, to the model and back from its first call.
#[derive(Clone, Copy)]
struct Took {
    all: Duration,
    there: Duration,
    back: Duration,
}

impl Took {
    fn new(model: &Model, marker: &str, said: (Instant, SystemTime), done: Instant) -> Self {
        let requests = model.requests();
        let asked = requests.iter().find(|request| {
            let opening = request.opening.as_deref();
            request.kind.is_turn() && opening.is_some_and(|words| words.contains(marker))
        });
        let asked = asked.expect("the model was asked").at;
        let all = done - said.0;
        let there = asked.duration_since(said.1).unwrap_or_default();
        Self {
            all,
            there,
            back: all.saturating_sub(there),
        }
    }
}

fn row(name: &str, alone: &[Took], through: &[Took]) -> bool {
    let middle = |of: &[Took], part: fn(&Took) -> Duration| {
        let mut times: Vec<Duration> = of.iter().map(part).collect();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    let pair = |part| (middle(alone, part), middle(through, part));
    let (all, there, back) = (pair(|t| t.all), pair(|t| t.there), pair(|t| t.back));
    let way = |(alone, through): (f64, f64)| {
        format!("{alone:.0} → {through:.0} ({:+.0})", through - alone)
    };
    println!(
        "{name:<20} {:>9.0} {:>11.0} {:>+11.0} {:>7.2}   {:>21}   {:>21}",
        all.0,
        all.1,
        all.1 - all.0,
        all.1 / all.0,
        way(there),
        way(back)
    );
    all.1 - all.0 <= AIM.as_secs_f64() * 1000.0
}

/// The CLI alone, held open by the driver that PhoneWork uses.
struct Bare {
    agent: Agent,
    _home: ClaudeHome,
}

impl Bare {
    fn start(model: &Model) -> Self {
        let home = ClaudeHome::new();
        let path = ("PATH".into(), std::env::var_os("PATH").unwrap_or_default());
        let spec = AgentSpec {
            program: kit::claude::binary(),
            extra_args: Vec::new(),
            cwd: home.project(),
            session: SessionStart::New(Uuid::new_v4()),
            model: None,
            permission_mode: PermissionMode::Ask,
            trust_project: false,
            env: ChildEnv::filtered([path], &[]),
            extra_env: home.env(model),
            family: "bench".to_owned(),
        };
        let agent = start(Backend::Claude, spec, &TaskTracker::new()).expect("start the CLI");
        Self { agent, _home: home }
    }

    async fn turn(&mut self, model: &Model, script: &str, marker: &str) -> Took {
        let text = format!("fake: {script} {marker}");
        let message = UserMessage::text(Uuid::new_v4(), text);
        let said = (Instant::now(), SystemTime::now());
        self.agent
            .handle
            .send(message)
            .await
            .expect("the CLI takes it");
        let mut done = None;
        loop {
            let event = tokio::time::timeout(PATIENCE, self.agent.events.recv()).await;
            match event.expect("an answer in time").expect("a live CLI") {
                AgentEvent::Finished(result) => {
                    assert!(result.text.ends_with(marker), "{result:?}");
                    done = Some(Instant::now());
                }
                AgentEvent::State(RunState::Idle) => break,
                AgentEvent::Exited(exit) => panic!("the CLI ended: {exit:?}"),
                _ => {}
            }
        }
        let took = Took::new(model, marker, said, done.expect("a result"));
        tokio::time::sleep(PAUSE).await;
        took
    }

    async fn end(self) {
        self.agent.handle.close().await;
    }
}

/// The whole program, with a chat platform in front.
struct PhoneWork {
    feishu: Feishu,
    child: Child,
    begun: bool,
    _home: ClaudeHome,
}

impl PhoneWork {
    async fn start(model: &Model) -> Self {
        let home = ClaudeHome::new();
        let feishu = Feishu::start().await;
        let keyring = home.root().join("keyring.yaml");
        let root = home.root().display();
        let text = format!(
            "FEISHU_APP_ID: {}\nFEISHU_APP_SECRET: {}\nFEISHU_BASE_URL: {}\nPORT: 0\nDATA_DIR: {root}/data\nWORKING_DIR: {root}/work\nLOCALE: en\n",
            feishu.app_id(),
            feishu.app_secret(),
            feishu.base_url(),
        );
        std::fs::write(&keyring, text).expect("write the settings");
        let child = spawn(&keyring, &home, model);
        let connected = feishu.wait_until(
            |feishu| {
                feishu
                    .connections()
                    .iter()
                    .any(kit::feishu::Connection::is_open)
            },
            PATIENCE,
        );
        connected.await.expect("a connection to the platform");
        Self {
            feishu,
            child,
            begun: false,
            _home: home,
        }
    }

    async fn turn(&mut self, model: &Model, script: &str, marker: &str) -> Took {
        let begin = if self.begun { "" } else { "/new demo " };
        self.begun = true;
        let user = self.feishu.user(USER);
        let said = (Instant::now(), SystemTime::now());
        user.say(&format!("{begin}fake: {script} {marker}"));
        // The finished card is the one that has no button left.
        let finished = |message: &kit::feishu::BotMessage| {
            message.buttons().is_empty() && message.text().contains(marker)
        };
        let card = user
            .wait_message(finished, PATIENCE)
            .await
            .expect("the answer");
        let done = card.edits.last().map_or(card.sent_at, |edit| edit.at);
        let took = Took::new(model, marker, said, done);
        tokio::time::sleep(PAUSE).await;
        took
    }

    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Drop for PhoneWork {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(keyring: &Path, home: &ClaudeHome, model: &Model) -> Child {
    Command::new(env!("CARGO_BIN_EXE_phonework"))
        .arg("--config")
        .arg(keyring)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PHONEWORK_CLAUDE_BIN", kit::claude::binary())
        .env("PHONEWORK_NATS_SERVER", kit::nats::server_binary())
        .envs(home.env(model))
        .current_dir(home.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start the program")
}
