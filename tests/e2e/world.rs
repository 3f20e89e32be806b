//! One user's world for one test: a chat platform, a model, a home folder, and PhoneWork's own
//! processes, all on free ports and in a folder of their own, gone at the end.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use kit::claude::ClaudeHome;
use kit::feishu::{BotMessage, Feishu, Settings, User};
use kit::model::Model;
use rustix::process::{Pid, Signal};

/// Long enough for the slowest machine that builds us; every wait ends as soon as it can.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// The person of most tests.
pub(crate) const ANNA: &str = "ou_anna";
/// What must never be seen in a log.
pub(crate) const SECRETS: [&str; 2] = ["sk-ant-test", "SUA"];

/// Everything around the processes.
pub(crate) struct World {
    pub(crate) feishu: Feishu,
    pub(crate) model: Model,
    pub(crate) home: ClaudeHome,
    /// The program under test.
    pub(crate) program: PathBuf,
    /// CLAUDE_BIN.
    pub(crate) claude: PathBuf,
    /// LOCALE; empty for each person's own.
    pub(crate) locale: &'static str,
    /// PORT; 0 for any.
    pub(crate) port: u16,
    /// More lines for keyring.yaml.
    pub(crate) extra: String,
}

impl World {
    /// A platform whose reconnects and redeliveries do not take minutes.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with other settings of the platform.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            client_config: serde_json::json!({"ReconnectCount": -1, "ReconnectInterval": 1,
                "ReconnectNonce": 1, "PingInterval": 2}),
            redelivery: vec![Duration::from_secs(2); 20],
            ..Settings::default()
        };
        change(&mut settings);
        Self {
            feishu: Feishu::start_with(settings).await,
            model: Model::start().await,
            home: ClaudeHome::new(),
            locale: "en",
            program: env!("CARGO_BIN_EXE_phonework").into(),
            claude: kit::claude::binary(),
            port: 0,
            extra: String::new(),
        }
    }

    pub(crate) fn anna(&self) -> User {
        self.feishu.user(ANNA)
    }

    /// Where sessions may be.
    pub(crate) fn work(&self) -> PathBuf {
        self.home.root().join("work")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.root().join("data")
    }

    pub(crate) fn keyring(&self) -> PathBuf {
        let path = self.home.root().join("keyring.yaml");
        let text = format!(
            "FEISHU_APP_ID: {}\nFEISHU_APP_SECRET: {}\nFEISHU_BASE_URL: {}\nPORT: {}\nDATA_DIR: {}\nWORKING_DIR: {}\nLOG: debug\nLOCALE: {}\n{}",
            self.feishu.app_id(),
            self.feishu.app_secret(),
            self.feishu.base_url(),
            self.port,
            self.data().display(),
            self.work().display(),
            self.locale,
            self.extra,
        );
        // In one step, and only when something changed: a process may be reading it right now.
        if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            let whole = path.with_extension("new");
            std::fs::write(&whole, text).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&whole, private).unwrap();
            std::fs::rename(&whole, &path).unwrap();
        }
        path
    }

    /// Everything in one process.
    pub(crate) async fn standalone(&self) -> Phonework {
        let keyring = self.keyring();
        let program = self.spawn("standalone", &[], &keyring);
        program.says("PhoneWork is ready").await;
        self.connected().await;
        program
    }

    /// One role at an external broker, with the hub's configuration.
    pub(crate) fn role(&self, role: &str) -> Phonework {
        let keyring = self.keyring();
        self.spawn(role, &[role], &keyring)
    }

    /// A second one of a role, with a configuration of its own.
    pub(crate) fn role_with(&self, role: &str, config: &Path) -> Phonework {
        self.spawn(&format!("{role}-2"), &[role], config)
    }

    /// A host with the configuration that `enroll` wrote into `dir`.
    pub(crate) fn host(&self, node: &str, dir: &Path) -> Phonework {
        self.spawn(
            &format!("host-{node}"),
            &["host"],
            &dir.join("host_config.yaml"),
        )
    }

    /// Runs a one-shot command to its end: what it printed, and how it ended.
    pub(crate) fn command(&self, args: &[&str]) -> (ExitStatus, String) {
        let keyring = self.keyring();
        let output = self
            .prepare(args, Some(&keyring))
            .output()
            .expect("run the program");
        let text = [output.stdout, output.stderr].concat();
        (output.status, String::from_utf8_lossy(&text).into_owned())
    }

    pub(crate) fn prepare(&self, args: &[&str], config: Option<&Path>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PHONEWORK_CLAUDE_BIN", &self.claude)
            .env("PHONEWORK_NATS_SERVER", kit::nats::server_binary())
            .envs(self.home.env(&self.model))
            .current_dir(self.home.root())
            .stdin(Stdio::null());
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command
    }

    /// A command on another machine: in the folder `at`, with a home of its own and no configuration.
    pub(crate) fn prepare_on(&self, machine: &ClaudeHome, at: &Path, args: &[&str]) -> Command {
        let mut command = self.prepare(args, None);
        command.envs(machine.env(&self.model)).current_dir(at);
        command
    }

    /// The same, as a process that goes on.
    pub(crate) fn start_on(
        &self,
        name: &str,
        machine: &ClaudeHome,
        at: &Path,
        args: &[&str],
    ) -> Phonework {
        self.start_as(name, self.prepare_on(machine, at, args))
    }

    /// A role, or a host with the configuration in `host`, that dies at a crash point.
    pub(crate) fn dying(&self, role: &str, host: Option<&Path>, at: &str) -> Phonework {
        let config = host.map_or_else(|| self.keyring(), |dir| dir.join("host_config.yaml"));
        self.spawn_with(role, &[role], &config, &[("PHONEWORK_CRASH_AT", at)])
    }

    /// Everything in one process, which dies at a crash point.
    pub(crate) fn standalone_dying(&self, at: &str) -> Phonework {
        let keyring = self.keyring();
        self.spawn_with("standalone", &[], &keyring, &[("PHONEWORK_CRASH_AT", at)])
    }

    fn spawn(&self, name: &str, args: &[&str], config: &Path) -> Phonework {
        self.spawn_with(name, args, config, &[])
    }

    fn spawn_with(
        &self,
        name: &str,
        args: &[&str],
        config: &Path,
        env: &[(&str, &str)],
    ) -> Phonework {
        let mut command = self.prepare(args, Some(config));
        command.envs(env.iter().copied());
        self.start_as(name, command)
    }

    /// A command as a process that goes on, with a log of its own.
    pub(crate) fn start_as(&self, name: &str, mut command: Command) -> Phonework {
        let log = self.home.root().join(format!("{name}.log"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let from = file.metadata().unwrap().len();
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .expect("start the program");
        Phonework { child, log, from }
    }

    /// Waits until the platform has a connection of ours.
    pub(crate) async fn connected(&self) {
        let deadline = Instant::now() + LONG;
        let connections = || self.feishu.connections();
        while !connections().iter().any(kit::feishu::Connection::is_open) {
            assert!(
                Instant::now() < deadline,
                "never connected to the platform\n{}",
                self.logs()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a message to Anna that holds `part`.
    pub(crate) async fn sees(&self, part: &str) -> BotMessage {
        match self.anna().wait_text(part, LONG).await {
            Ok(message) => message,
            Err(why) => panic!("{why:#}\n{}", self.logs()),
        }
    }

    /// Waits for a message to Anna that `fits`.
    pub(crate) async fn sees_that(&self, fits: impl Fn(&BotMessage) -> bool) -> BotMessage {
        match self.anna().wait_message(fits, LONG).await {
            Ok(message) => message,
            Err(why) => panic!("{why:#}\n{}", self.logs()),
        }
    }

    /// Messages to Anna that hold `part` now.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.anna()
            .messages()
            .iter()
            .filter(|message| message.text().contains(part))
            .count()
    }

    /// What the processes wrote, without the debug lines, for a failing test.
    pub(crate) fn logs(&self) -> String {
        let mut all = String::new();
        for log in self.log_files() {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.contains("DEBUG"))
                .collect();
            let tail = lines.len().saturating_sub(60);
            all += &format!("--- {}\n{}\n", log.display(), lines[tail..].join("\n"));
        }
        all
    }

    fn log_files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.home.root())
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .collect()
    }

    /// No log holds a secret.
    pub(crate) fn no_secret_in_logs(&self) {
        let app_secret = self.feishu.app_secret();
        for log in self.log_files() {
            let text = std::fs::read_to_string(&log).unwrap();
            for secret in SECRETS.into_iter().chain([app_secret]) {
                assert!(!text.contains(secret), "{} holds a secret", log.display());
            }
        }
    }
}

/// A process of ours.
pub(crate) struct Phonework {
    child: Child,
    log: PathBuf,
    from: u64,
}

impl Phonework {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What this process wrote so far.
    pub(crate) fn log(&self) -> String {
        let mut text = Vec::new();
        File::open(&self.log)
            .unwrap()
            .read_to_end(&mut text)
            .unwrap();
        let from = usize::try_from(self.from).unwrap();
        String::from_utf8_lossy(&text[from..]).into_owned()
    }

    /// Waits until it has written `part`.
    pub(crate) async fn says(&self, part: &str) {
        let deadline = Instant::now() + LONG;
        while !self.log().contains(part) {
            assert!(
                Instant::now() < deadline,
                "it never said `{part}`:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The login link that it printed.
    pub(crate) fn link(&self) -> String {
        self.log()
            .split_whitespace()
            .find(|word| word.contains("/login?token="))
            .expect("a login link")
            .to_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("signal");
    }

    /// `kill -9`, at once.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for the end: how it ended and how long it took.
    pub(crate) async fn stop(mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        self.signal(Signal::TERM);
        let status = self.ended(Duration::from_secs(15)).await;
        (status, since.elapsed())
    }

    /// How it ended, if it did.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still runs:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Phonework {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `done`.
pub(crate) async fn until(within: Duration, what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !done() {
        assert!(Instant::now() < deadline, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Processes whose command line holds all of `words`.
pub(crate) fn processes(words: &[&str]) -> Vec<u32> {
    let output = Command::new("ps")
        .args(["-axww", "-o", "pid=,command="])
        .output()
        .expect("ps");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| words.iter().all(|word| line.contains(word)))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}
