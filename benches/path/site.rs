//! What is measured: broker, router, gateway and a host as processes of their own, with a chat
//! platform in front and stand-ins for the agent behind; and the same in one process.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kit::feishu::{BotMessage, Feishu};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::agent;

/// Enrolled for the floor only.
pub(crate) const FLOOR_NODE: &str = "floor";
const NODE: &str = "bench";
/// Between two rounds: the platform's limits for a chat are not what is measured.
pub(crate) const PAUSE: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of ours, ended when dropped.
struct Process(Child);

impl Process {
    fn stop(mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Folders, settings, the platform.
struct Place {
    feishu: Feishu,
    root: TempDir,
    url: Option<String>,
}

impl Place {
    async fn new(url: Option<String>) -> Self {
        let place = Self {
            feishu: Feishu::start().await,
            root: tempfile::tempdir().expect("a folder"),
            url,
        };
        let agent = place.path("agent");
        let bench = std::env::current_exe().expect("our own path");
        let script = format!(
            "#!/bin/sh\nexec '{}' {} \"$@\"\n",
            bench.display(),
            agent::FLAG
        );
        std::fs::write(&agent, script).expect("write the stand-in");
        let may = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&agent, may).expect("make it a program");
        let root = place.root.path().display();
        let url = place
            .url
            .as_deref()
            .map_or_else(String::new, |url| format!("NATS_URL: {url}\n"));
        let text = format!(
            "FEISHU_APP_ID: {}\nFEISHU_APP_SECRET: {}\nFEISHU_BASE_URL: {}\nPORT: 0\nDATA_DIR: {root}/data\nWORKING_DIR: {root}/work\nLOCALE: en\n{url}",
            place.feishu.app_id(),
            place.feishu.app_secret(),
            place.feishu.base_url(),
        );
        std::fs::write(place.path("keyring.yaml"), text).expect("write the settings");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn command(&self, args: &[&str], config: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_phonework"));
        command
            .args(args)
            .arg("--config")
            .arg(config)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path())
            .env("PHONEWORK_CLAUDE_BIN", self.path("agent"))
            .env("PHONEWORK_CLAUDE_LIVE", "200")
            .env("PHONEWORK_NATS_SERVER", kit::nats::server_binary())
            .env(agent::NOTES, self.path("notes"))
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) {
        let done = self.command(args, &self.path("keyring.yaml")).output();
        let done = done.expect("run the program");
        assert!(done.status.success(), "{done:?}");
    }

    fn spawn(&self, args: &[&str], config: &Path) -> Process {
        Process(
            self.command(args, config)
                .spawn()
                .expect("start the program"),
        )
    }

    async fn connected(&self) {
        let open = |feishu: &Feishu| {
            let connections = feishu.connections();
            connections.iter().any(kit::feishu::Connection::is_open)
        };
        let connected = self.feishu.wait_until(open, PATIENCE).await;
        connected.expect("a connection to the platform");
    }
}

/// Everything as processes of its own.
pub(crate) struct Site {
    place: Place,
    hub: Process,
    parts: Vec<(&'static str, Process)>,
    said: usize,
    people: usize,
}

impl Site {
    /// A broker with its streams, and nobody at it.
    pub(crate) async fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let place = Place::new(Some(format!("nats://127.0.0.1:{port}"))).await;
        place.run(&["init"]);
        for node in [NODE, FLOOR_NODE] {
            let out = place.path(node).display().to_string();
            place.run(&["enroll", node, "--out", &out]);
        }
        let config = place.path(NODE).join("host_config.yaml");
        let mut text = std::fs::read_to_string(&config).expect("the host's settings");
        let root = place.root.path().display();
        write!(
            text,
            "\nWORKING_DIR: {root}/work\nDATA_DIR: {root}/{NODE}/data\n"
        )
        .expect("a text takes it");
        std::fs::write(&config, text).expect("the host's settings");
        let hub = Command::new(kit::nats::server_binary())
            .arg("-c")
            .arg(place.path("data/hub.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut site = Self {
            hub: Process(hub.expect("start the broker")),
            place,
            parts: Vec::new(),
            said: 0,
            people: 0,
        };
        // A router makes the streams, and what nodes are enrolled known to the broker; then it goes.
        site.part("router");
        let creds = common::identity::Creds::read(&site.creds("router")).expect("credentials");
        let options = common::broker::BrokerOptions {
            url: site.url(),
            creds,
            ca: None,
            owner: true,
        };
        let broker =
            common::broker::Broker::connect(&options, &tokio_util::sync::CancellationToken::new())
                .await
                .expect("a connection");
        let deadline = Instant::now() + PATIENCE;
        while broker
            .jetstream()
            .get_consumer_from_stream::<async_nats::jetstream::consumer::pull::Config, _, _>(
                FLOOR_NODE,
                common::stream::WORK,
            )
            .await
            .is_err()
        {
            assert!(Instant::now() < deadline, "the router makes no streams");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        broker.close().await;
        for (_, part) in site.parts.drain(..) {
            part.stop();
        }
        site
    }

    fn part(&mut self, role: &'static str) {
        let config = match role {
            "host" => self.place.path(NODE).join("host_config.yaml"),
            _ => self.place.path("keyring.yaml"),
        };
        self.parts.push((role, self.place.spawn(&[role], &config)));
    }

    /// Starts the parts.
    pub(crate) async fn run(&mut self) {
        for role in ["router", "gateway", "host"] {
            self.part(role);
        }
        self.place.connected().await;
        // The agent of the floor's node never runs; name the one that does.
        let first = self.place.feishu.user("ou_first");
        first.say(&format!("/node {NODE}"));
        self.shown(&["ou_first"], "bench").await;
    }

    /// Waits until each person sees a message that holds `part`.
    async fn shown(&self, people: &[&str], part: &str) {
        for person in people {
            let user = self.place.feishu.user(person);
            let seen = user.wait_message(|message| message.text().contains(part), PATIENCE);
            seen.await.expect("it is shown");
        }
    }

    /// Sessions for so many people, one each.
    async fn invite(&mut self, people: usize) {
        for person in self.people..people {
            let name = person_name(person);
            let user = self.place.feishu.user(&name);
            user.say(&format!("/node {NODE}"));
            self.shown(&[&name], "bench").await;
            let hello = format!("hello-{person}-end");
            user.say(&format!("/new dir-{person} {hello}"));
            self.finished(&name, &hello).await;
        }
        self.people = self.people.max(people);
    }

    /// When the final card with these words was on the platform.
    async fn finished(&self, person: &str, words: &str) -> Instant {
        let user = self.place.feishu.user(person);
        let done =
            |message: &BotMessage| message.buttons().is_empty() && message.text().contains(words);
        let card = user.wait_message(done, PATIENCE).await.expect("an answer");
        card.edits.last().map_or(card.sent_at, |edit| edit.at)
    }

    /// Lets so many people speak at the same instant, again and again: how long their words took to
    /// the agent, and its last word to the platform.
    pub(crate) async fn rounds(
        &mut self,
        people: usize,
        rounds: usize,
    ) -> (Vec<Duration>, Vec<Duration>) {
        self.invite(people).await;
        let mut said: HashMap<String, u128> = HashMap::new();
        let mut seen: HashMap<String, u128> = HashMap::new();
        for _ in 0..rounds {
            let mut waiting = Vec::new();
            for person in 0..people {
                self.said += 1;
                let words = format!("words-{}-end", self.said);
                let name = person_name(person);
                said.insert(words.clone(), agent::now());
                self.place.feishu.user(&name).say(&words);
                waiting.push((name, words));
            }
            for (name, words) in waiting {
                let at = self.finished(&name, &words).await;
                seen.insert(words, nanos(at));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let notes = agent::read(&self.place.path("notes"));
        let mut there = Vec::new();
        let mut back = Vec::new();
        for (words, heard, answered) in notes {
            let (Some(said), Some(seen)) = (said.get(&words), seen.get(&words)) else {
                continue;
            };
            there.push(between(*said, heard));
            back.push(between(answered, *seen));
        }
        assert_eq!(there.len(), people * rounds, "each was asked once");
        (there, back)
    }

    pub(crate) fn memory(&self) -> Vec<(&'static str, f64)> {
        let parts = self
            .parts
            .iter()
            .map(|(name, part)| (*name, resident(&part.0)));
        parts
            .chain([("nats-server", resident(&self.hub.0))])
            .collect()
    }

    pub(crate) fn end(self) {
        for (_, part) in self.parts {
            part.stop();
        }
        self.hub.stop();
    }

    pub(crate) fn url(&self) -> String {
        self.place.url.clone().expect("an address")
    }

    pub(crate) fn creds(&self, role: &str) -> PathBuf {
        self.place.path("data/creds").join(format!("{role}.creds"))
    }

    pub(crate) fn floor_creds(&self) -> PathBuf {
        self.place
            .path(FLOOR_NODE)
            .join(format!("{FLOOR_NODE}.creds"))
    }
}

fn person_name(person: usize) -> String {
    format!("ou_person{person}")
}

fn between(from: u128, to: u128) -> Duration {
    Duration::from_nanos(u64::try_from(to.saturating_sub(from)).unwrap_or(u64::MAX))
}

/// An instant by the clock that the stand-in uses.
fn nanos(at: Instant) -> u128 {
    let then = SystemTime::now() - at.elapsed();
    then.duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_nanos()
}

/// Resident memory of a process in MB.
fn resident(child: &Child) -> f64 {
    resident_of(child.id())
}

fn resident_of(pid: u32) -> f64 {
    let output = Command::new("ps")
        .args(["-o", "rss=", "-p", &pid.to_string()])
        .output()
        .expect("ps");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// Everything in one process, idle.
pub(crate) struct Standalone {
    place: Place,
    process: Process,
}

impl Standalone {
    pub(crate) async fn start() -> Self {
        let place = Place::new(None).await;
        let process = place.spawn(&[], &place.path("keyring.yaml"));
        place.connected().await;
        // A first answer: everything is up then.
        let user = place.feishu.user("ou_first");
        user.say("/nodes");
        let seen = user.wait_message(|message| !message.text().is_empty(), PATIENCE);
        seen.await.expect("an answer");
        Self { place, process }
    }

    pub(crate) fn memory(&self) -> Vec<(&'static str, f64)> {
        let output = Command::new("ps")
            .args(["-axww", "-o", "pid=,command="])
            .output()
            .expect("ps");
        let root = self.place.root.path().display().to_string();
        let broker: f64 = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| line.contains("nats-server") && line.contains(&root))
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .map(resident_of)
            .sum();
        let own = resident(&self.process.0);
        vec![
            ("standalone", own),
            ("its broker", broker),
            ("standalone with broker", own + broker),
        ]
    }

    pub(crate) fn end(self) {
        self.process.stop();
    }
}
