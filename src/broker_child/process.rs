//! One run of `nats-server` as a child process: started, watched, ended. When to start the next is the parent module's.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::BrokerError;

/// How long a start may take. It is milliseconds, or seconds after a crash with much on disk.
const START: Duration = Duration::from_secs(60);
/// How long an orderly stop may take before it is forced.
const STOP: Duration = Duration::from_secs(5);
/// How often to look for what has no event: the ports file, a process that is not our child.
const LOOK: Duration = Duration::from_millis(10);
/// How much of the log goes into an error.
const TAIL_LINES: usize = 12;

/// What a run needs.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) binary: PathBuf,
    pub(super) conf: PathBuf,
    pub(super) run_dir: PathBuf,
    /// Overrides the port in the configuration.
    pub(super) port: Option<u16>,
}

impl Plan {
    pub(super) fn log(&self) -> PathBuf {
        self.run_dir.join("nats.log")
    }

    fn pid_file(&self) -> PathBuf {
        self.run_dir.join("nats.pid")
    }
}

/// A running server.
pub(super) struct Process {
    pid: Pid,
    exited: oneshot::Receiver<std::io::Result<ExitStatus>>,
    /// Address clients connect to, `nats://127.0.0.1:<port>`.
    pub(super) url: String,
    /// The port it really listens on.
    pub(super) port: u16,
    /// Its monitoring page, `host:port`; none where `hub.conf` has none.
    pub(super) monitor: Option<String>,
}

impl Process {
    /// Starts the server and waits until it listens.
    pub(super) async fn start(plan: &Plan) -> Result<Self, BrokerError> {
        clear_ports_files(&plan.run_dir);
        let log = plan.log();
        // The log is appended to over the runs; an error shows this run only.
        let already = std::fs::metadata(&log).map_or(0, |meta| meta.len());
        let (pid, exited) = spawn(plan)?;
        let mut process = Self {
            pid,
            exited,
            url: String::new(),
            port: 0,
            monitor: None,
        };
        let until = Instant::now() + START;
        loop {
            if let Some(ports) = read_ports(&plan.run_dir, pid) {
                process.url = ports.url;
                process.port = ports.port;
                process.monitor = ports.monitor;
                return Ok(process);
            }
            match timeout(LOOK, process.ended()).await {
                Err(_) if Instant::now() < until => {}
                Err(_) => {
                    process.stop().await;
                    return Err(failed(plan, already, "it did not come up within 60 s"));
                }
                Ok(how) => return Err(failed(plan, already, &format!("it ended at once ({how})"))),
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Returns when the server has ended, with how.
    pub(super) async fn ended(&mut self) -> String {
        if self.exited.is_terminated() {
            return "told before".to_owned();
        }
        match (&mut self.exited).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "unknown".to_owned(),
        }
    }

    /// Ends it in order, by force after 5 s.
    pub(super) async fn stop(mut self) {
        self.signal(Signal::TERM);
        if timeout(STOP, self.ended()).await.is_err() {
            tracing::warn!(
                pid = self.pid(),
                "nats-server did not stop within 5 s; killing it"
            );
            self.signal(Signal::KILL);
            self.ended().await;
        }
    }

    /// Signals it, unless it has ended: then the number may be somebody else's.
    fn signal(&mut self, signal: Signal) {
        if self.exited.is_empty() && !self.exited.is_terminated() {
            let _ = kill_process(self.pid, signal);
        }
    }
}

impl Drop for Process {
    /// A start that is given up must not leave a server behind.
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}

/// Starts the server from a thread of its own which then waits for it: Linux ties the parent's death signal to the
/// thread that started the child, and the runtime's threads come and go.
fn spawn(
    plan: &Plan,
) -> Result<(Pid, oneshot::Receiver<std::io::Result<ExitStatus>>), BrokerError> {
    let start_failed = |why: std::io::Error| BrokerError::Start {
        binary: plan.binary.clone(),
        why: why.to_string(),
        log: plan.log(),
        tail: String::new(),
    };
    let errors = File::create(plan.run_dir.join("nats.err")).map_err(start_failed)?;
    let mut command = Command::new(&plan.binary);
    command.arg("-c").arg(&plan.conf).arg("-l").arg(plan.log());
    if let Some(port) = plan.port {
        command.arg("-p").arg(port.to_string());
    }
    // A group of its own: Ctrl-C at the terminal is for us, who stop the broker last.
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .process_group(0);
    die_with_parent(&mut command);

    let (started_tx, started) = std::sync::mpsc::sync_channel(1);
    let (exited_tx, exited) = oneshot::channel();
    std::thread::Builder::new()
        .name("nats-server".into())
        .spawn(move || match command.spawn() {
            Ok(mut child) => {
                let _ = started_tx.send(Ok(child.id()));
                // Nobody listens any more when the runtime has gone.
                let _ = exited_tx.send(child.wait());
            }
            Err(error) => {
                let _ = started_tx.send(Err(error));
            }
        })
        .map_err(start_failed)?;
    let id = started
        .recv()
        .unwrap_or_else(|_| Err(std::io::Error::other("its thread ended")))
        .map_err(start_failed)?;
    let pid = i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| start_failed(std::io::Error::other("no process id")))?;
    Ok((pid, exited))
}

/// Has the kernel end the child when we die, however we die.
#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    #[expect(
        unsafe_code,
        reason = "the only way to run something between fork and exec"
    )]
    // SAFETY: both calls are plain system calls, which are allowed between fork and exec; nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
            // We may have died before the line above took effect.
            if rustix::process::getppid() == Some(parent) {
                Ok(())
            } else {
                Err(std::io::Error::from(rustix::io::Errno::CHILD))
            }
        });
    }
}

/// Elsewhere an orphan is ended at the next start, through its pid file.
#[cfg(not(target_os = "linux"))]
const fn die_with_parent(_command: &mut Command) {}

/// Ends a server that an earlier run of ours left behind on the same store. The pid file may be older than the
/// process that has the number now, so the process must be a nats-server with our configuration.
pub(super) async fn end_stale(plan: &Plan) -> Result<(), BrokerError> {
    let Some(pid) = std::fs::read_to_string(plan.pid_file())
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .and_then(Pid::from_raw)
    else {
        return Ok(());
    };
    if !is_ours(pid, &plan.conf) {
        return Ok(());
    }
    tracing::warn!(
        pid = pid.as_raw_nonzero(),
        "ending a nats-server left behind on this data folder"
    );
    for (signal, patience) in [(Signal::TERM, STOP), (Signal::KILL, STOP)] {
        let _ = kill_process(pid, signal);
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if !is_ours(pid, &plan.conf) {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }
    Err(BrokerError::Stale {
        pid: pid.as_raw_nonzero().get(),
        conf: plan.conf.clone(),
    })
}

/// Whether this process is a nats-server that runs our configuration. A dead one that nobody has waited for is not.
pub(super) fn is_ours(pid: Pid, conf: &Path) -> bool {
    let arguments = command_line(pid);
    arguments.contains("nats-server") && arguments.contains(&*conf.to_string_lossy())
}

#[cfg(target_os = "linux")]
fn command_line(pid: Pid) -> String {
    std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn command_line(pid: Pid) -> String {
    Command::new("ps")
        .args([
            "-ww",
            "-o",
            "args=",
            "-p",
            &pid.as_raw_nonzero().to_string(),
        ])
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

/// A killed server leaves its ports file, and its number may come again.
fn clear_ports_files(run_dir: &Path) {
    for entry in std::fs::read_dir(run_dir).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|end| end == "ports") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Where a server listens.
struct Ports {
    url: String,
    port: u16,
    monitor: Option<String>,
}

/// Where it listens, out of `nats-server_<pid>.ports`; none while the file is not there or not whole.
fn read_ports(run_dir: &Path, pid: Pid) -> Option<Ports> {
    let path = run_dir.join(format!("nats-server_{}.ports", pid.as_raw_nonzero()));
    let ports: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let address = ports.pointer("/nats/0")?.as_str()?;
    let (scheme, _) = address.split_once("://")?;
    let port = address.rsplit(':').next()?.parse().ok()?;
    let monitor = ports
        .pointer("/monitoring/0")
        .and_then(|address| address.as_str()?.strip_prefix("http://"))
        .map(str::to_owned);
    Some(Ports {
        // It may list every address of this machine; ours is the near one.
        url: format!("{scheme}://127.0.0.1:{port}"),
        port,
        monitor,
    })
}

/// The error of a start, with what the server itself said.
fn failed(plan: &Plan, skip: u64, how: &str) -> BrokerError {
    let errors = std::fs::read_to_string(plan.run_dir.join("nats.err")).unwrap_or_default();
    let log = std::fs::read(plan.log()).unwrap_or_default();
    let from = usize::try_from(skip).unwrap_or(0);
    // Shorter than before: it was begun anew in between.
    let log = String::from_utf8_lossy(log.get(from..).unwrap_or(&log)).into_owned();
    let all: Vec<&str> = errors
        .lines()
        .chain(log.lines())
        .filter(|line| !line.trim().is_empty())
        .collect();
    if let Some(line) = all
        .iter()
        .find(|line| line.contains("address already in use"))
    {
        return BrokerError::PortTaken(taken_address(line));
    }
    if let Some(line) = all
        .iter()
        .find(|line| line.contains("listen tcp ") && line.contains("permission denied"))
    {
        return BrokerError::PortDenied(taken_address(line));
    }
    let tail = all
        .get(all.len().saturating_sub(TAIL_LINES)..)
        .unwrap_or_default()
        .join("\n");
    BrokerError::Start {
        binary: plan.binary.clone(),
        why: how.to_owned(),
        log: plan.log(),
        tail,
    }
}

/// The address in `… listen tcp 127.0.0.1:4222: bind: address already in use`.
fn taken_address(line: &str) -> String {
    line.split("listen tcp ")
        .nth(1)
        .and_then(|rest| rest.split(": ").next())
        .unwrap_or(line)
        .to_owned()
}
