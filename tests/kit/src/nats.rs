//! A real broker for one test: its own data folder, its own keys, a real `nats-server` on a free port.
//! It is killed and its folder removed when the value goes. What goes over it is the test's business.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::identity::{Creds, EnrollOptions, Hub, HubOptions};
use tempfile::TempDir;

/// How long a server may take to come up or go down before the test fails.
const DEADLINE: Duration = Duration::from_secs(20);
/// Oldest server with everything we use.
const MINIMUM: (u32, u32) = (2, 14);

/// A running hub. Several can run side by side.
pub struct Broker {
    // Declared first: the server must be gone before its folder.
    server: Option<Server>,
    hub: Hub,
    port: u16,
    websocket: Option<u16>,
    encrypted: bool,
    binary: PathBuf,
    _dir: TempDir,
}

impl Broker {
    /// Makes a hub and starts it; returns once its JetStream has answered a client.
    ///
    /// # Panics
    /// When no suitable `nats-server` is found or it does not come up; the text says what to do.
    pub async fn start() -> Self {
        Self::start_with(&HubOptions {
            port: -1,
            ..HubOptions::default()
        })
        .await
    }

    /// The same, listening as these options say; the certificate, if there is one, must be for `127.0.0.1`, too.
    ///
    /// # Panics
    /// As [`Broker::start`].
    pub async fn start_with(options: &HubOptions) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("pw-nats-")
            .tempdir()
            .expect("a temporary folder");
        let hub = Hub::init(&dir.path().join("data"), options).expect("making the hub");
        let mut broker = Self {
            server: None,
            hub,
            port: 0,
            websocket: None,
            encrypted: options.tls.is_some(),
            binary: server_binary(),
            _dir: dir,
        };
        broker.run(-1).await;
        broker
    }

    /// `nats://127.0.0.1:<port>` (`tls://…` with TLS); stays the same over a restart.
    pub fn url(&self) -> String {
        let scheme = if self.encrypted { "tls" } else { "nats" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The port for websockets, where there is one; another one after a restart if it was a free one.
    pub const fn websocket_port(&self) -> Option<u16> {
        self.websocket
    }

    /// The authority of its certificate, when it is the hub's own.
    pub fn ca(&self) -> Option<PathBuf> {
        Some(self.data_dir().join("creds/ca.pem")).filter(|path| path.exists())
    }

    fn options(&self, creds: &Creds) -> async_nats::ConnectOptions {
        common::http::install_tls();
        let options = creds.connect_options().expect("credentials");
        match self.ca() {
            Some(ca) => options.add_root_certificates(ca),
            None => options,
        }
    }

    /// The port on the loopback address.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The hub's data folder.
    pub fn data_dir(&self) -> &Path {
        self.hub.data_dir()
    }

    /// The hub behind it, for enrolling and revoking.
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Credentials of one of our own parts: `router`, `gateway`, `sys` or `enrol`.
    pub fn creds(&self, who: &str) -> Creds {
        Creds::read(&self.hub.creds_path(who)).expect("credentials of our own part")
    }

    /// Enrols a node and gives its credentials. A second time for one id fails.
    pub fn enroll(&self, node: &str) -> Creds {
        self.hub
            .enroll(node, &EnrollOptions::default())
            .expect("enrolling a node")
            .creds
    }

    /// A plain client with these credentials, for looking at the wire from a test. Its `flush` only empties the
    /// client's buffer: to know that a subscription is in place, ask for something and wait for the answer.
    pub async fn connect(&self, creds: &Creds) -> async_nats::Client {
        Box::pin(self.options(creds).connect(self.url()))
            .await
            .expect("connecting to the broker")
    }

    /// Process id of the running server.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(|server| server.child.id())
    }

    /// Ends the server in order (SIGTERM) and waits for it.
    pub async fn stop(&mut self) {
        self.end(rustix::process::Signal::TERM).await;
    }

    /// Kills the server (SIGKILL), as a crash would.
    pub async fn kill(&mut self) {
        self.end(rustix::process::Signal::KILL).await;
    }

    /// Starts it again on the same port, with what is on disk; ends it in order first when it still runs.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run(i32::from(self.port)).await;
    }

    /// Lets a running server read its configuration again.
    pub fn reload(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    /// Freezes the server (SIGSTOP): connections stay open, nothing answers.
    pub fn pause(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.hub.run_dir().join("nats.log")).unwrap_or_default()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.pid().expect("the server runs");
        let pid =
            rustix::process::Pid::from_raw(i32::try_from(pid).expect("a pid")).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("signalling the server");
    }

    async fn end(&mut self, signal: rustix::process::Signal) {
        if self.server.is_none() {
            return;
        }
        self.signal(signal);
        let mut server = self.server.take().expect("checked above");
        let until = Instant::now() + DEADLINE;
        while server
            .child
            .try_wait()
            .expect("waiting for the server")
            .is_none()
        {
            assert!(
                Instant::now() < until,
                "nats-server did not end after {signal:?}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn run(&mut self, port: i32) {
        let run_dir = self.hub.run_dir();
        // A killed server leaves its ports file behind, and a pid can come again.
        for entry in std::fs::read_dir(&run_dir).expect("run folder").flatten() {
            if entry.path().extension().is_some_and(|end| end == "ports") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let until = Instant::now() + DEADLINE;
        let mut server = self.spawn(port);
        let found = loop {
            if let Some(found) = read_port(&run_dir, server.child.id(), "nats") {
                break found;
            }
            if let Some(status) = server.child.try_wait().expect("looking at the server") {
                panic!("nats-server ended at once ({status})\n{}", self.output());
            }
            assert!(
                Instant::now() < until,
                "nats-server did not write its ports file\n{}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        self.port = found;
        self.websocket = read_port(&run_dir, server.child.id(), "websocket");
        self.server = Some(server);
        let creds = self.creds("router");
        loop {
            match Box::pin(self.options(&creds).connect(self.url())).await {
                Ok(client) if client.request("$JS.API.INFO", "".into()).await.is_ok() => return,
                Ok(_) | Err(_) if Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok(_) => panic!("nats-server does not answer\n{}", self.output()),
                Err(error) => panic!(
                    "cannot connect to the started nats-server: {error}\n{}",
                    self.output()
                ),
            }
        }
    }

    fn spawn(&self, port: i32) -> Server {
        let run_dir = self.hub.run_dir();
        let errors =
            std::fs::File::create(run_dir.join("nats.err")).expect("a file for its errors");
        let mut command = Command::new(&self.binary);
        command
            .arg("-c")
            .arg(self.hub.conf_path())
            .arg("-l")
            .arg(run_dir.join("nats.log"));
        if port > 0 {
            command.arg("-p").arg(port.to_string());
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("starting {}: {error}", self.binary.display()));
        Server { child }
    }

    fn output(&self) -> String {
        let errors =
            std::fs::read_to_string(self.hub.run_dir().join("nats.err")).unwrap_or_default();
        format!("{errors}{}", self.log())
    }
}

/// The process; killed when dropped, so that a failing test leaves nothing behind.
struct Server {
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port out of `nats-server_<pid>.ports`; none while it is not there or not whole.
fn read_port(run_dir: &Path, pid: u32, what: &str) -> Option<u16> {
    let text = std::fs::read_to_string(run_dir.join(format!("nats-server_{pid}.ports"))).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports[what][0].as_str()?.rsplit(':').next()?.parse().ok()
}

/// Where the real `nats-server` is: `NATS_SERVER`, else below `.deps`, else a recent one in `PATH`.
///
/// # Panics
/// When there is none that can be used, saying how to get it.
pub fn server_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("NATS_SERVER").map(PathBuf::from) {
        let version = version_of(&path);
        assert!(
            version >= Some(MINIMUM),
            "NATS_SERVER={} is {version:?}, need 2.14 or newer",
            path.display()
        );
        return path;
    }
    let deps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.deps");
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    find_below(&deps, 4)
        .into_iter()
        .chain(std::env::split_paths(&in_path).map(|dir| dir.join("nats-server")))
        .find(|path| path.is_file() && version_of(path) >= Some(MINIMUM))
        .unwrap_or_else(|| panic!("no nats-server 2.14 or newer in .deps or PATH: run `make test-deps`, or set NATS_SERVER"))
}

fn find_below(dir: &Path, depth: u8) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.is_ok_and(|kind| kind.is_dir()) {
            if depth > 0 {
                found.extend(find_below(&path, depth - 1));
            }
        } else if entry.file_name() == "nats-server" {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn version_of(binary: &Path) -> Option<(u32, u32)> {
    let output = Command::new(binary).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.trim().rsplit('v').next()?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}
