//! The hub of a fleet: a real broker with the files of `phonework init`, a real router, and who is
//! enrolled. Both processes may be killed and started again.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::broker::{Broker, BrokerOptions};
use common::identity::{Creds, EnrollOptions, Hub};
use common::ids::UserId;
use common::stream;
use kit::http::Pages;
use kit::usage::{self, Usage};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// How long anything may take before the measurement is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process of ours, killed when dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn usage(&self) -> Usage {
        usage::of(self.0.id())
    }

    fn kill(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Broker and router.
pub(crate) struct Site {
    // Processes first: they go before their folder.
    pub(crate) router: Process,
    pub(crate) broker: Process,
    hub: Hub,
    pages: Pages,
    place: Place,
}

/// Folders, ports, the program.
struct Place {
    root: TempDir,
    program: PathBuf,
    port: u16,
    health: u16,
}

impl Place {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .arg("--config")
            .arg(self.root.path().join("keyring.yaml"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path())
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.log("router"));
        command
    }

    fn log(&self, of: &str) -> std::fs::File {
        let path = self.root.path().join(format!("{of}.log"));
        let file = std::fs::File::options()
            .append(true)
            .create(true)
            .open(path);
        file.expect("a file for the log")
    }

    fn broker(&self) -> Process {
        let started = Command::new(kit::nats::server_binary())
            .arg("-c")
            .arg(self.root.path().join("data/hub.conf"))
            .stdout(self.log("broker"))
            .stderr(self.log("broker"))
            .spawn();
        Process(started.expect("start the broker"))
    }

    fn router(&self) -> Process {
        Process(self.command(&["router"]).spawn().expect("start the router"))
    }
}

impl Site {
    /// A hub with nobody enrolled, and a router that leads.
    pub(crate) async fn start() -> Self {
        let program = std::env::var_os("FLEET_BIN")
            .map_or_else(|| env!("CARGO_BIN_EXE_phonework").into(), PathBuf::from);
        let place = Place {
            root: tempfile::tempdir().expect("a folder"),
            program,
            port: kit::process::free_port(),
            health: kit::process::free_port(),
        };
        let data = place.root.path().join("data");
        let text = format!(
            "NATS_URL: nats://127.0.0.1:{}\nPORT: {}\nDATA_DIR: {}\nLOCALE: en\n",
            place.port,
            place.health,
            data.display()
        );
        std::fs::write(place.root.path().join("keyring.yaml"), text).expect("write the settings");
        let done = place.command(&["init"]).status().expect("run the program");
        assert!(done.success(), "`phonework init` failed: see its log");
        let hub = Hub::open(&data).expect("the hub");
        let site = Self {
            broker: place.broker(),
            router: place.router(),
            hub,
            pages: Pages::default(),
            place,
        };
        site.leads().await;
        site
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.place.port)
    }

    /// Enrols a node as `phonework enroll` does, and gives its credentials.
    pub(crate) fn enroll(&self, id: &str, serves: &[UserId]) -> Creds {
        let options = EnrollOptions {
            serves: serves.iter().map(ToString::to_string).collect(),
            ..EnrollOptions::default()
        };
        self.hub.enroll(id, &options).expect("enrolled").creds
    }

    /// A connection as `router` or `gateway`.
    pub(crate) async fn connect(&self, who: &str) -> Broker {
        let creds = Creds::read(&self.hub.creds_path(who)).expect("credentials");
        connect(&self.url(), creds).await
    }

    /// A plain connection as the router's identity, with room for a whole fleet's beats, and back before
    /// any node when the broker was away.
    pub(crate) async fn ears(&self) -> async_nats::Client {
        let creds = Creds::read(&self.hub.creds_path("router")).expect("credentials");
        let options = creds.connect_options().expect("credentials");
        let options = options
            .subscription_capacity(1 << 20)
            .reconnect_delay_callback(|_| Duration::from_millis(5));
        options.connect(self.url()).await.expect("a connection")
    }

    /// What `/health` says of the router; nothing while it does not answer.
    pub(crate) async fn health(&self) -> Value {
        let address = format!("http://127.0.0.1:{}/health", self.place.health);
        let report = self.pages.get(&address).await.unwrap_or_default();
        report["parts"]["router"]["detail"].clone()
    }

    /// Waits until the router leads.
    pub(crate) async fn leads(&self) {
        until("the router leads", || async {
            self.health().await["role"] == "leads"
        })
        .await;
    }

    /// Waits until the router counts so many nodes as being on.
    pub(crate) async fn counts(&self, on: usize) {
        until("the router sees all nodes", || async {
            self.health().await["on"] == on
        })
        .await;
    }

    pub(crate) fn kill_broker(&mut self) {
        self.broker.kill();
    }

    pub(crate) fn start_broker(&mut self) {
        self.broker = self.place.broker();
    }

    pub(crate) fn kill_router(&mut self) {
        self.router.kill();
    }

    pub(crate) fn start_router(&mut self) {
        self.router = self.place.router();
    }

    /// What the broker has counted.
    pub(crate) async fn counts_of_broker(&self) -> Counts {
        let port = self.monitor();
        let page = async |name: &str| -> Value {
            let address = format!("http://127.0.0.1:{port}/{name}");
            self.pages
                .get(&address)
                .await
                .expect("the broker's numbers")
        };
        let number = |value: &Value| value.as_u64().expect("a number of the broker");
        Counts {
            requests: number(&page("jsz").await["api"]["total"]),
            messages: number(&page("varz").await["in_msgs"]),
        }
    }

    fn monitor(&self) -> u16 {
        let run = self.hub.run_dir();
        let pid = std::fs::read_to_string(run.join("nats.pid")).expect("the broker's pid");
        let ports = run.join(format!("nats-server_{}.ports", pid.trim()));
        let text = std::fs::read_to_string(ports).expect("the broker's ports");
        let ports: Value = serde_json::from_str(&text).expect("ports");
        let address = ports["monitoring"][0].as_str().expect("a page");
        let port = address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        port.expect("a port")
    }
}

/// What a broker has counted since its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Requests to the stream API.
    pub(crate) requests: u64,
    /// Messages that came in.
    pub(crate) messages: u64,
}

/// How many nodes have a consumer.
pub(crate) async fn consumers(inside: &Broker) -> usize {
    let work = inside.jetstream().get_stream(stream::WORK).await;
    work.map_or(0, |work| work.cached_info().state.consumer_count)
}

/// Connects as a node, `gateway` or `router`.
pub(crate) async fn connect(url: &str, creds: Creds) -> Broker {
    let options = BrokerOptions {
        url: url.to_owned(),
        owner: creds.name() == "router",
        creds,
        ca: None,
    };
    let never = CancellationToken::new();
    Box::pin(Broker::connect(&options, &never))
        .await
        .expect("a connection")
}

/// Polls until `look` says yes; gives how long that took.
pub(crate) async fn until<F: Future<Output = bool>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> Duration {
    let begun = Instant::now();
    while !look().await {
        assert!(
            begun.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
    begun.elapsed()
}
