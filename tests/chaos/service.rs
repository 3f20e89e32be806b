//! One process of ours under the test's hand: started, killed, frozen, started again, and noticed
//! when it ends by itself. Which one, and when, is left to `storm`.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// Makes the command of a process, anew for each start.
pub(crate) type Make = Box<dyn Fn() -> Command + Send + Sync>;

/// A process and how to start it.
pub(crate) struct Service {
    name: String,
    make: Make,
    log: PathBuf,
    child: Option<Child>,
    /// How often it was started.
    pub(crate) starts: usize,
    /// Each end that was not ordered.
    pub(crate) ended_alone: Vec<String>,
}

impl Service {
    /// Started at once.
    pub(crate) fn start(name: &str, log: PathBuf, make: Make) -> Self {
        let mut service = Self {
            name: name.to_owned(),
            make,
            log,
            child: None,
            starts: 0,
            ended_alone: Vec::new(),
        };
        service.spawn();
        service
    }

    /// Starts it if it does not run.
    pub(crate) fn spawn(&mut self) {
        if self.child.is_some() {
            return;
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("a log file");
        let child = (self.make)()
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("start a process"));
        self.starts += 1;
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// `kill -9`, and waits until it is gone. False when it did not run.
    pub(crate) fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return false;
        };
        let _ = child.kill();
        let _ = child.wait();
        true
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let _ = rustix::process::kill_process(Pid::from_child(child), signal);
        }
    }

    /// Whether it has ended though nobody asked it to; noted.
    pub(crate) fn has_ended(&mut self) -> bool {
        let Some(child) = &mut self.child else {
            return false;
        };
        let Some(status) = child.try_wait().expect("look at a process") else {
            return false;
        };
        self.child = None;
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().next_back().unwrap_or_default();
        self.ended_alone
            .push(format!("{} ended by itself, {status}: {last}", self.name));
        true
    }

    /// SIGTERM, and waits for the end; none if that takes longer than `within`.
    pub(crate) async fn stop(&mut self, within: Duration) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        let child = self.child.as_mut()?;
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().expect("look at a process") {
                self.child = None;
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}
