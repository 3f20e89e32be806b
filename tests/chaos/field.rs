//! What the storm goes over: a broker, a router, a gateway and two hosts as processes of their own,
//! a line that can be cut before each of them, and around them the platform, the model and the
//! disk. What happens to it is `storm`'s.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use kit::process::{Process, free_port};
use kit::proxy::Proxy;
use tokio::sync::Mutex;
use tokio_util::task::AbortOnDropHandle;

use crate::plan::{Options, Who, Wire};
use crate::service::{Make, Service};
use crate::tally::Tally;
use crate::world::{LONG, World, until};

/// The hosts' ids, which the people's sessions are spread over.
pub(crate) const NODES: [&str; 2] = ["a", "b"];
/// How long an orderly end may take.
const STOP: Duration = Duration::from_secs(15);
/// How often it is looked whether a process has ended by itself, and how long it then stays away:
/// as whoever keeps processes up would do.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const BACK_AFTER: Duration = Duration::from_secs(1);
/// Requests to the model in a long run, at most.
const MOST_REQUESTS: usize = 1_000_000;

type Shared = Arc<Mutex<Service>>;

/// Everything that runs.
pub(crate) struct Field {
    // The processes first: they must be gone before the folder that they write to.
    services: Vec<(Who, Shared)>,
    keepers: Vec<AbortOnDropHandle<()>>,
    wires: Vec<(Wire, Mutex<Proxy>)>,
    pub(crate) world: World,
}

impl Field {
    /// Starts everything, and returns once it is ready.
    pub(crate) async fn start(options: &Options, tally: Arc<Tally>) -> Self {
        let mut world = World::with(|_| {}).await;
        if options.is_long() {
            world.model.slim(MOST_REQUESTS);
        }
        if let Some(program) = std::env::var_os("PHONEWORK_CHAOS_BIN").filter(|p| !p.is_empty()) {
            world.program = program.into();
        }
        let port = free_port();
        world.extra = format!("NATS_URL: nats://127.0.0.1:{port}\n");
        let (status, said) = world.command(&["init"]);
        assert!(status.success(), "{said}");

        let broker = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let feishu = world.feishu.base_url();
        let feishu = feishu.strip_prefix("http://").unwrap().parse().unwrap();
        let mut wires = Vec::new();
        for wire in [
            Wire::RouterToBroker,
            Wire::GatewayToBroker,
            Wire::HostToBroker(0),
            Wire::HostToBroker(1),
        ] {
            wires.push((wire, Mutex::new(Proxy::start(broker).await)));
        }
        let platform = Proxy::start(feishu).await;
        let platform_at = platform.addr();
        world
            .feishu
            .set(|settings| settings.websocket_authority = Some(platform_at.to_string()));
        wires.push((Wire::GatewayToFeishu, Mutex::new(platform)));

        let mut field = Self {
            services: Vec::new(),
            keepers: Vec::new(),
            wires,
            world,
        };
        field.add_broker();
        until(LONG, "the broker", || {
            std::net::TcpStream::connect(broker).is_ok()
        })
        .await;
        field.add(Who::Router, "router", &[], None);
        let base = format!("http://{platform_at}");
        field.add(
            Who::Gateway,
            "gateway",
            &[("PHONEWORK_FEISHU_BASE_URL", base)],
            None,
        );
        for (at, node) in NODES.into_iter().enumerate() {
            field.add_host(at, node);
        }
        field.keepers = field.keep_up(&tally);
        field.world.connected().await;
        let on = |node: &str| format!("node is on node={node}");
        let router = field.log_path("router");
        until(LONG, "both hosts are on", || {
            let log = std::fs::read_to_string(&router).unwrap_or_default();
            NODES.iter().all(|node| log.contains(&on(node)))
        })
        .await;
        field
    }

    fn log_path(&self, name: &str) -> PathBuf {
        self.world.home.root().join(format!("{name}.log"))
    }

    /// Where the sessions of a host are.
    pub(crate) fn work(&self, host: usize) -> PathBuf {
        let machine = format!("machine-{}", NODES[host]);
        self.world.home.root().join(machine).join("work")
    }

    fn add_broker(&mut self) {
        let conf = self.world.data().join("hub.conf");
        let make = move || {
            let mut command = std::process::Command::new(kit::nats::server_binary());
            command.arg("-c").arg(&conf).stdin(Stdio::null());
            command
        };
        self.push(Who::Broker, "broker", Box::new(make));
    }

    fn add_host(&mut self, at: usize, node: &str) {
        let dir = self.world.home.root().join(format!("machine-{node}"));
        let out = dir.display().to_string();
        let name = format!("Machine {}", node.to_uppercase());
        let args = ["enroll", node, "--name", &name, "--out", &out];
        let (status, said) = self.world.command(&args);
        assert!(status.success(), "{said}");
        let config = dir.join("host_config.yaml");
        let mut text = std::fs::read_to_string(&config).unwrap();
        text += &format!("\nWORKING_DIR: {out}/work\nDATA_DIR: {out}/data\nLOG: debug\n");
        std::fs::write(&config, text).unwrap();
        self.add(Who::Host(at), "host", &[], Some(config));
    }

    /// A role of ours behind its line.
    fn add(&mut self, who: Who, role: &str, env: &[(&str, String)], config: Option<PathBuf>) {
        let wire = match who {
            Who::Broker => panic!("the broker has no line to itself"),
            Who::Router => Wire::RouterToBroker,
            Who::Gateway => Wire::GatewayToBroker,
            Who::Host(at) => Wire::HostToBroker(at),
        };
        let proxy = self.wires.iter_mut().find(|(one, _)| *one == wire);
        let addr = proxy.unwrap().1.get_mut().addr();
        let config = config.unwrap_or_else(|| self.world.home.root().join("keyring.yaml"));
        let mut command = self.world.prepare(&[role], Some(&config));
        command.env("PHONEWORK_NATS_URL", format!("nats://{addr}"));
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let name = match who {
            Who::Host(at) => format!("host-{}", NODES[at]),
            Who::Broker | Who::Router | Who::Gateway => role.to_owned(),
        };
        // A command starts as many processes as one likes, but is not to be shared.
        let command = std::sync::Mutex::new(command);
        let make = move || copy(&command.lock().unwrap());
        self.push(who, &name, Box::new(make));
    }

    fn push(&mut self, who: Who, name: &str, make: Make) {
        let service = Service::start(name, self.log_path(name), make);
        self.services.push((who, Arc::new(Mutex::new(service))));
    }

    pub(crate) fn service(&self, who: Who) -> Shared {
        let found = self.services.iter().find(|(one, _)| *one == who);
        Arc::clone(&found.expect("a service").1)
    }

    pub(crate) fn wire(&self, wire: Wire) -> &Mutex<Proxy> {
        let found = self.wires.iter().find(|(one, _)| *one == wire);
        &found.expect("a wire").1
    }

    /// Starts again what ends by itself, as an init system would; it is noted, and counts.
    fn keep_up(&self, tally: &Arc<Tally>) -> Vec<AbortOnDropHandle<()>> {
        let keep = |service: Shared, tally: Arc<Tally>| async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                // Whoever holds it is dealing with it.
                let Ok(mut service) = service.try_lock() else {
                    continue;
                };
                if service.has_ended() {
                    let why = service.ended_alone.last().cloned().unwrap_or_default();
                    tally.happened(why);
                    tokio::time::sleep(BACK_AFTER).await;
                    service.spawn();
                }
            }
        };
        self.services
            .iter()
            .map(|(_, service)| tokio::spawn(keep(Arc::clone(service), Arc::clone(tally))))
            .map(AbortOnDropHandle::new)
            .collect()
    }

    /// The living agents of a host's present process, oldest first.
    pub(crate) fn agents_of(host: u32) -> Vec<Process> {
        let mut all = kit::process::all();
        all.retain(|process| process.parent == host && is_agent(process));
        all.sort_by_key(|process| process.pid);
        all
    }

    /// Agents of this run whose host is gone.
    pub(crate) async fn orphans(&self) -> Vec<Process> {
        let mut hosts = Vec::new();
        for at in 0..NODES.len() {
            hosts.extend(self.service(Who::Host(at)).lock().await.pid());
        }
        let mut all = kit::process::all();
        let root = self.world.home.root();
        all.retain(|process| {
            is_agent(process)
                && !hosts.contains(&process.parent)
                && kit::process::lives_in(process.pid, root)
        });
        all
    }

    /// Ends everything in order; what was not in order, and what is left over.
    pub(crate) async fn stop(&self) -> Vec<String> {
        // Nothing is started again from here on.
        self.keepers
            .iter()
            .for_each(tokio_util::task::AbortOnDropHandle::abort);
        let mut wrong = Vec::new();
        // Whoever talks to the broker ends before it.
        for (who, service) in self.services.iter().rev() {
            let mut service = service.lock().await;
            wrong.append(&mut service.ended_alone);
            let Some(status) = service.stop(STOP).await else {
                wrong.push(format!("{who:?} did not end within {STOP:?} of SIGTERM"));
                continue;
            };
            if *who != Who::Broker && !status.success() {
                wrong.push(format!("{who:?} was told to end, and ended with {status}"));
            }
        }
        let root = self.world.home.root();
        let deadline = std::time::Instant::now() + STOP;
        loop {
            let mut left = kit::process::all();
            left.retain(|process| kit::process::lives_in(process.pid, root));
            if left.is_empty() {
                return wrong;
            }
            if std::time::Instant::now() > deadline {
                let left = left.iter().map(|process| format!("left over: {process:?}"));
                wrong.extend(left);
                return wrong;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Keeps logs, journals and transcripts, and tells where.
    pub(crate) fn keep(self) -> PathBuf {
        let Self {
            services, world, ..
        } = self;
        drop(services);
        world.home.keep()
    }
}

fn is_agent(process: &Process) -> bool {
    process.command.contains("--input-format stream-json")
}

/// The same command once more.
fn copy(command: &std::process::Command) -> std::process::Command {
    let mut again = std::process::Command::new(command.get_program());
    again.args(command.get_args()).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            again.env(name, value);
        }
    }
    if let Some(dir) = command.get_current_dir() {
        again.current_dir(dir);
    }
    again.stdin(Stdio::null());
    again
}
