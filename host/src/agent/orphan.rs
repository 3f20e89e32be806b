//! Processes that we did not wait for: an agent left over from before a crash of ours, a command
//! that an agent's tool began. A pid alone may meanwhile be somebody else's, so each is named by
//! its pid and its start. What to do about one is left to the caller.

use std::time::Duration;

use rustix::process::{Pid, Signal};

/// How often a process is looked at while its end is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A process that is not (or no longer) a child of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    pid: u32,
    started: String,
}

impl Orphan {
    /// Names a process by what was stored of it: see
    /// [`AgentHandle::started`](super::AgentHandle::started).
    pub fn new(pid: u32, started: impl Into<String>) -> Self {
        Self {
            pid,
            started: started.into(),
        }
    }

    /// The process that has this pid now, if there is one.
    pub async fn of(pid: u32) -> Option<Self> {
        blocking(move || Self::now(pid)).await
    }

    /// The same at once; reads files or runs a program, so it blocks.
    pub(crate) fn now(pid: u32) -> Option<Self> {
        let started = started(pid)?;
        Some(Self { pid, started })
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// When it started; only to be compared.
    pub fn started(&self) -> &str {
        &self.started
    }

    /// It runs. False for another process under the same pid, and for one that has ended and was
    /// not collected.
    pub async fn is_alive(&self) -> bool {
        let pid = self.pid;
        blocking(move || started(pid)).await.as_ref() == Some(&self.started)
    }

    /// Waits for its end; false if it still runs after `patience`.
    pub async fn wait(&self, patience: Duration) -> bool {
        let ended = async {
            while self.is_alive().await {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(patience, ended).await.is_ok()
    }

    /// Asks it to stop what it does: an agent then stops its turn, saves it, and exits. False if it
    /// is gone.
    pub async fn interrupt(&self) -> bool {
        self.signal(Signal::INT).await
    }

    /// Asks it to end. False if it is gone.
    pub async fn terminate(&self) -> bool {
        self.signal(Signal::TERM).await
    }

    /// Ends it. False if it is gone.
    pub async fn kill(&self) -> bool {
        self.signal(Signal::KILL).await
    }

    async fn signal(&self, signal: Signal) -> bool {
        let this = self.clone();
        blocking(move || this.signal_now(signal)).await
    }

    /// Sends a signal; false if it is gone. The handle is taken first and the start compared then, so
    /// that the signal cannot reach a later process under the same pid.
    #[cfg(target_os = "linux")]
    pub(crate) fn signal_now(&self, signal: Signal) -> bool {
        use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
        let Some(pid) = to_pid(self.pid) else {
            return false;
        };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
            return false;
        };
        started(self.pid).as_ref() == Some(&self.started)
            && pidfd_send_signal(&handle, signal).is_ok()
    }

    /// Sends a signal; false if it is gone.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn signal_now(&self, signal: Signal) -> bool {
        let Some(pid) = to_pid(self.pid) else {
            return false;
        };
        started(self.pid).as_ref() == Some(&self.started)
            && rustix::process::kill_process(pid, signal).is_ok()
    }
}

/// Looking at processes reads files or runs a program.
async fn blocking<T: Default + Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

pub(super) fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// When a running process started: which boot, and clock ticks since then.
#[cfg(target_os = "linux")]
pub(super) fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (state, ticks) = state_and_start(&stat)?;
    // Ended, and only kept until its parent asks.
    if matches!(state, "Z" | "X") {
        return None;
    }
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}:{ticks}", boot.trim()))
}

/// Third and twenty-second field. The second is the program's name in brackets and may hold
/// anything.
#[cfg(target_os = "linux")]
pub(super) fn state_and_start(stat: &str) -> Option<(&str, &str)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    Some((state, fields.nth(18)?))
}

/// When a running process started, in the words of `ps`, to the second.
#[cfg(not(target_os = "linux"))]
pub(super) fn started(pid: u32) -> Option<String> {
    let output = std::process::Command::new("ps")
        .env("LC_ALL", "C")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (state, started) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| started.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn names_with_brackets_do_not_confuse() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 93128 1 2";
        assert_eq!(state_and_start(stat), Some(("S", "93128")));
        assert_eq!(state_and_start("7 (x) S 1"), None);
        assert_eq!(state_and_start(""), None);
    }

    #[tokio::test]
    async fn lives_until_told_to_end() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let orphan = Orphan::of(child.id()).await.unwrap();
        assert!(orphan.is_alive().await);
        assert!(!orphan.wait(Duration::from_millis(120)).await);

        let other = Orphan::new(orphan.pid(), "another start");
        assert!(!other.is_alive().await);
        assert!(!other.kill().await, "not the process that was meant");
        assert!(orphan.is_alive().await);

        assert!(orphan.terminate().await);
        // Not collected yet: gone all the same.
        assert!(orphan.wait(Duration::from_secs(10)).await);
        child.wait().unwrap();
        assert!(!orphan.interrupt().await);
        assert_eq!(Orphan::of(orphan.pid()).await, None);
    }

    #[tokio::test]
    async fn interrupt_is_the_signal_of_the_keyboard() {
        let mut child = Command::new("sh")
            .args([
                "-c",
                "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let orphan = Orphan::of(child.id()).await.unwrap();
        assert!(orphan.interrupt().await);
        assert!(orphan.wait(Duration::from_secs(10)).await);
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
}
