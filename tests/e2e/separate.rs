//! Broker, router, gateway and one host as processes of their own, each of which a test can kill and
//! start again, and put behind a bad line. What must be seen then is the tests'.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use kit::feishu::Settings;
use kit::proxy::Proxy;

use crate::world::{LONG, Phonework, World, until};

/// The one host's id.
pub(crate) const NODE: &str = "a";

/// A part that can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Broker,
    Router,
    Gateway,
    Host,
}

/// All parts. A part that is not there was killed.
pub(crate) struct Separate {
    pub(crate) world: World,
    port: u16,
    dir: PathBuf,
    broker: Option<Running>,
    router: Option<Phonework>,
    gateway: Option<Phonework>,
    host: Option<Phonework>,
    /// The part that reaches the broker through a proxy.
    behind: Option<(Part, SocketAddr)>,
}

/// The broker's process; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Separate {
    /// Everything up, the node known as on.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The same, with other settings of the platform.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut parts = Self::prepare(change).await;
        parts.start_all().await;
        parts
    }

    /// The same, with one part behind a proxy.
    pub(crate) async fn start_behind(part: Part) -> (Self, Proxy) {
        let mut parts = Self::prepare(|_| {}).await;
        let proxy = Proxy::start(([127, 0, 0, 1], parts.port).into()).await;
        parts.behind = Some((part, proxy.addr()));
        parts.start_all().await;
        (parts, proxy)
    }

    async fn prepare(change: impl FnOnce(&mut Settings)) -> Self {
        let mut world = World::with(change).await;
        let port = kit::process::free_port();
        world.extra = format!("NATS_URL: nats://127.0.0.1:{port}\n");
        let (status, said) = world.command(&["init"]);
        assert!(status.success(), "{said}");
        let dir = world.home.root().join("machine-a");
        let out = dir.display().to_string();
        let enroll = ["enroll", NODE, "--name", "Machine A", "--out", &out];
        let (status, said) = world.command(&enroll);
        assert!(status.success(), "{said}");
        Self {
            world,
            port,
            dir,
            broker: None,
            router: None,
            gateway: None,
            host: None,
            behind: None,
        }
    }

    async fn start_all(&mut self) {
        let config = self.dir.join("host_config.yaml");
        let out = self.dir.display();
        let mut text = std::fs::read_to_string(&config).unwrap();
        text += &format!("\nWORKING_DIR: {out}/work\nDATA_DIR: {out}/data\nLOG: debug\n");
        let direct = format!("127.0.0.1:{}", self.port);
        assert!(text.contains(&direct), "{text}");
        text = text.replace(&direct, &self.way(Part::Host));
        std::fs::write(&config, text).unwrap();
        for part in [Part::Broker, Part::Router, Part::Gateway, Part::Host] {
            self.restart(part).await;
        }
        self.node_is_on().await;
    }

    /// Where a part finds the broker.
    fn way(&self, part: Part) -> String {
        match self.behind {
            Some((behind, at)) if behind == part => at.to_string(),
            Some(_) | None => format!("127.0.0.1:{}", self.port),
        }
    }

    /// `kill -9`, at once.
    pub(crate) fn kill(&mut self, part: Part) {
        match part {
            Part::Broker => drop(self.broker.take()),
            Part::Router => self.router.take().unwrap().kill(),
            Part::Gateway => self.gateway.take().unwrap().kill(),
            Part::Host => self.host.take().unwrap().kill(),
        }
    }

    /// Starts a part; returns when it takes part.
    pub(crate) async fn restart(&mut self, part: Part) {
        self.world.extra = format!("NATS_URL: nats://{}\n", self.way(part));
        match part {
            Part::Broker => {
                // Guarded from the first moment: a failure below must not leave it running.
                let child = Command::new(kit::nats::server_binary())
                    .arg("-c")
                    .arg(self.world.data().join("hub.conf"))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn();
                self.broker = child.map(Running).ok();
                let port = self.port;
                until(LONG, "the broker", || {
                    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
                })
                .await;
            }
            Part::Router => {
                let router = self.world.role("router");
                // While the broker is away it cannot say more.
                if self.broker.is_some() {
                    router.says("connected to the broker").await;
                }
                self.router = Some(router);
            }
            Part::Gateway => {
                self.gateway = Some(self.world.role("gateway"));
                if self.broker.is_some() {
                    self.world.connected().await;
                }
            }
            Part::Host => self.host = Some(self.world.host(NODE, &self.dir)),
        }
    }

    /// Waits until the router has heard the node since it was started.
    pub(crate) async fn node_is_on(&self) {
        let router = self.router.as_ref().unwrap();
        router.says(&format!("node is on node={NODE}")).await;
    }

    pub(crate) fn router(&self) -> &Phonework {
        self.router.as_ref().unwrap()
    }

    /// Where sessions of the host are.
    pub(crate) fn work(&self) -> PathBuf {
        self.dir.join("work")
    }

    /// How often a tool that adds a line to `file` in the session's folder has run.
    pub(crate) fn ran(&self, file: &str) -> usize {
        std::fs::read_to_string(self.work().join(file)).map_or(0, |text| text.lines().count())
    }
}
