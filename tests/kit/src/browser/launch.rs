//! Finds a Chromium, starts it in a process group of its own, and ends the whole group.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tempfile::TempDir;

/// A start on a busy machine; on an idle one it is below a second.
const START: Duration = Duration::from_secs(60);
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const BUNDLES: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FLAGS: [&str; 15] = [
    "--headless=new",
    // Tests may run as root or in a container, where the browser's own sandbox cannot be set up.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--use-mock-keychain",
    "--password-store=basic",
    "--remote-debugging-port=0",
];

/// The browser's processes and their profile.
pub(super) struct Process {
    child: Child,
    profile: TempDir,
}

impl Process {
    pub(super) fn start() -> Self {
        let profile = tempfile::Builder::new()
            .prefix("browser-")
            .tempdir()
            .expect("temporary folder");
        let log =
            std::fs::File::create(profile.path().join("log.txt")).expect("log of the browser");
        let program = find();
        let child = Command::new(&program)
            .args(FLAGS)
            .arg(format!(
                "--user-data-dir={}",
                profile.path().join("profile").display()
            ))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn();
        let child = child.unwrap_or_else(|wrong| panic!("start {}: {wrong}", program.display()));
        Self { child, profile }
    }

    pub(super) fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until the browser says where it listens.
    pub(super) async fn devtools_url(&self) -> String {
        let file = self.profile.path().join("profile/DevToolsActivePort");
        let deadline = Instant::now() + START;
        loop {
            let said = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some((port, path)) = said.trim().split_once('\n') {
                return format!("ws://127.0.0.1:{port}{path}");
            }
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(self.profile.path().join("log.txt"));
                panic!(
                    "the browser did not start within {START:?}: {}",
                    log.unwrap_or_default()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = self.group();
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
        // The others write into the profile until they are gone, and it could not be removed.
        let deadline = Instant::now() + Duration::from_secs(5);
        while test_kill_process_group(group).is_ok() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn find() -> PathBuf {
    if let Some(path) = std::env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let named = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    named
        .chain(BUNDLES.iter().map(PathBuf::from))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "no Chromium: install it (Debian: `apt-get install chromium`, macOS: \
                 `brew install --cask chromium`), or set CHROMIUM to its path"
            )
        })
}
