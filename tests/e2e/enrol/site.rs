//! A hub with its processes, and machines that are not the hub: folders and homes of their own.

use std::path::{Path, PathBuf};

use kit::claude::ClaudeHome;

use crate::processes::Hub;
use crate::world::{Phonework, World};

/// Hub, router and gateway, and no machine yet.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) hub: Hub,
    pub(crate) router: Phonework,
    _gateway: Phonework,
}

/// A machine that is not the hub.
pub(crate) struct Machine {
    pub(crate) home: ClaudeHome,
    /// Where its configuration is.
    pub(crate) dir: PathBuf,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let home = ClaudeHome::new();
        let dir = home.root().join("phonework");
        std::fs::create_dir(&dir).unwrap();
        Self { home, dir }
    }

    /// Runs a line as it was printed on the hub: whether it went well, and what it said.
    pub(crate) fn run(&self, world: &World, line: &str) -> (bool, String) {
        self.run_in(world, &self.dir, line)
    }

    pub(crate) fn run_in(&self, world: &World, dir: &Path, line: &str) -> (bool, String) {
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("phonework"));
        let args: Vec<&str> = words.collect();
        let mut command = world.prepare_on(&self.home, dir, &args);
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    /// Starts a line that goes on running.
    pub(crate) fn starts(&self, world: &World, line: &str) -> Phonework {
        let args: Vec<&str> = line.split_whitespace().skip(1).collect();
        world.start_as("joined", world.prepare_on(&self.home, &self.dir, &args))
    }

    pub(crate) fn host(&self, world: &World, name: &str) -> Phonework {
        world.start_on(name, &self.home, &self.dir, &["host"])
    }

    pub(crate) fn host_with(&self, world: &World, name: &str, env: &[(&str, &str)]) -> Phonework {
        let mut command = world.prepare_on(&self.home, &self.dir, &["host"]);
        command.envs(env.iter().copied());
        world.start_as(name, command)
    }

    /// Writes the configuration of a machine that knows the secret.
    pub(crate) fn knows(&self, world: &World, secret: &str, node: &str) {
        let url = world.extra.lines().next().unwrap();
        let text = format!("NODE_ID: {node}\n{url}\nROUTER_SECRET: {secret}\n");
        let path = self.path("host_config.yaml");
        std::fs::write(&path, text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).unwrap();
    }

    /// The credentials that it gets for itself.
    pub(crate) fn own_creds(&self, node: &str) -> PathBuf {
        let data = self.home.home().join(".local/share/phonework");
        data.join(format!("creds/{node}.creds"))
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }
}

impl Site {
    /// `more`: further lines of the hub's configuration.
    pub(crate) async fn start(more: &str) -> Self {
        let mut world = World::start().await;
        let hub = Hub::start(&mut world).await;
        world.extra += more;
        let router = world.role("router");
        let gateway = world.role("gateway");
        world.connected().await;
        router.says("the router is ready").await;
        Self {
            world,
            hub,
            router,
            _gateway: gateway,
        }
    }

    /// The same with TLS, by an authority of its own.
    pub(crate) async fn start_tls() -> Self {
        let mut world = World::start().await;
        let mut hub = Hub::start(&mut world).await;
        serve_tls(&world, "hub.pem");
        hub.restart(&world);
        let url = world.extra.replace("nats://", "tls://");
        world.extra = format!("{url}NATS_CA: {}\n", tls("ca.pem").display());
        let router = world.role("router");
        let gateway = world.role("gateway");
        router.says("the router is ready").await;
        Self {
            world,
            hub,
            router,
            _gateway: gateway,
        }
    }

    /// What `phonework enroll` prints on standard output.
    pub(crate) fn enroll(&self, args: &[&str]) -> String {
        let keyring = self.world.keyring();
        let args = [&["enroll"], args].concat();
        let output = self.world.prepare(&args, Some(&keyring)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("60 minutes"), "{said}");
        let line = String::from_utf8(output.stdout).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        line
    }

    pub(crate) async fn is_on(&self, node: &str) {
        self.router.says(&format!("node is on node={node}")).await;
    }
}

/// ROUTER_SECRET.
pub(crate) const SECRET: &str = "one-secret-of-some-32-characters";

/// A certificate or key of the tests, good for a hundred years and for 127.0.0.1.
pub(crate) fn tls(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/e2e/enrol/tls").join(file)
}

/// Has the broker show this certificate from its next start on.
pub(crate) fn serve_tls(world: &World, certificate: &str) {
    let path = world.data().join("hub.conf");
    let text = std::fs::read_to_string(&path).unwrap();
    let text: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("tls "))
        .collect();
    let line = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
        tls(certificate).display(),
        tls("hub.key").display()
    );
    std::fs::write(&path, format!("{}\n{line}\n", text.join("\n"))).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
