//! Stays with a command from its first process to its last. A command is started through this program
//! once more, which takes in whatever the command leaves behind, and ends all of it: once the command has
//! ended, when it is told to, and when the host dies. What a process does with its environment, its
//! session or its group makes no difference. Linux only; elsewhere commands are found by their mark.
//!
//! Its line to the host is its standard input, a socket. On it come the order and, by its closing, the
//! word that all is to end; on it goes how the command ended. So the host's death needs no message.
//! Shutting the command in is `sandbox`'s, which this starts it through.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::run::How;
use super::sandbox::{CANNOT_START, Cage};
use crate::agent::claude::SHELL_MARK;
use crate::agent::orphan::Orphan;
use crate::agent::table;

/// What is told to end may take this long, before it is ended by force.
const GRACE: Duration = Duration::from_secs(1);
/// Between two rounds of force.
const ROUND: Duration = Duration::from_millis(20);
/// What force does not end in this time never ends: it hangs in the kernel, or is somebody else's.
pub(crate) const GIVES_UP_AFTER: Duration = Duration::from_secs(5);
/// In a round, what multiplies is held still before it is ended; more looks than this are not taken.
const LOOKS: usize = 16;

/// What a keeper is told first, as one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// What the command's processes bear in their environment.
    pub(crate) mark: String,
    /// What they may reach; none: there is no sandbox.
    pub(crate) cage: Option<Cage>,
}

impl Order {
    /// As it goes over the line.
    pub(crate) fn line(&self) -> Vec<u8> {
        // An order of ours always becomes JSON.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Whether a command can have a keeper here.
pub(crate) fn is_there() -> bool {
    cfg!(target_os = "linux")
}

/// The words with which this program keeps `command`.
pub(crate) fn words(command: &[&str]) -> Vec<OsString> {
    let ours = ["sandbox", "keep", "--"];
    ours.iter().chain(command).map(OsString::from).collect()
}

/// What a keeper says of the command's end.
pub(crate) fn told(line: &str) -> Option<How> {
    let (what, number) = line.trim().split_once(' ')?;
    let number = number.parse().ok()?;
    match what {
        "exit" => Some(How::Exit(number)),
        "signal" => Some(How::Signal(number)),
        _ => None,
    }
}

/// Keeps a command: `program words…`. Comes back when nothing of it is left, with an exit code that says
/// whether it could be kept at all.
pub(super) fn keep(words: &[OsString]) -> i32 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(kept(words))) {
        Ok(()) => 0,
        Err(why) => {
            let _ = writeln!(io::stderr(), "phonework: {why}");
            CANNOT_START
        }
    }
}

async fn kept(words: &[OsString]) -> io::Result<()> {
    adopt()?;
    let line = io::stdin().as_fd().try_clone_to_owned()?;
    let line = std::os::unix::net::UnixStream::from(line);
    line.set_nonblocking(true)?;
    let mut line = BufReader::new(UnixStream::from_std(line)?);
    let mut order = String::new();
    line.read_line(&mut order).await?;
    let order: Order = serde_json::from_str(&order)?;
    // Before there is a child, so that no end of one is missed.
    let mut collect = signal(SignalKind::child())?;
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let command = start(words, &order)?;
    let mut end: Option<End> = None;
    let mut rest = [0; 16];
    loop {
        match collected(command) {
            Collected::Nobody => return Ok(()),
            Collected::Command(status) => {
                let (what, number) = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => ("exit", code),
                    (None, Some(signal)) => ("signal", signal),
                    (None, None) => ("exit", -1),
                };
                // Nobody may be there to hear it.
                let _ = line
                    .write_all(format!("{what} {number}\n").as_bytes())
                    .await;
                end.get_or_insert_with(End::begin);
                continue;
            }
            Collected::NobodyYet => {}
        }
        let due = end.as_ref().map(|end| end.due);
        tokio::select! {
            _ = collect.recv() => {}
            // Nothing is said to a keeper after its order.
            _ = line.read(&mut rest), if end.is_none() => end = Some(End::begin()),
            _ = term.recv() => { end.get_or_insert_with(End::begin); }
            _ = interrupt.recv() => { end.get_or_insert_with(End::begin); }
            _ = hangup.recv() => { end.get_or_insert_with(End::begin); }
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                if let Some(end) = &mut end && !end.force() {
                    return Err(io::Error::other("something that was run does not end"));
                }
            }
        }
    }
}

/// From here on this process is the parent of whatever below it loses its own.
#[cfg(target_os = "linux")]
fn adopt() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(
        rustix::process::getpid(),
    ))?)
}

/// Nobody else can be one.
#[cfg(not(target_os = "linux"))]
fn adopt() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Starts the command, shut in by `sandbox`, in a group of its own, so that a signal to its group is
/// none to its keeper.
fn start(words: &[OsString], order: &Order) -> io::Result<Pid> {
    // Also after an update has put another file in this one's place.
    let mut child = Command::new("/proc/self/exe")
        .args(["sandbox", "hold", "--"])
        .args(words)
        .env(SHELL_MARK, &order.mark)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        serde_json::to_writer(&mut stdin, &order.cage)?;
    }
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

enum Collected {
    /// The command itself has ended.
    Command(WaitStatus),
    /// Others have, or none.
    NobodyYet,
    /// Nothing is left, neither of its own nor adopted.
    Nobody,
}

/// Collects what has ended.
fn collected(command: Pid) -> Collected {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == command => return Collected::Command(status),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Collected::NobodyYet,
            Err(_) => return Collected::Nobody,
        }
    }
}

/// The end of all that is left.
struct End {
    /// When the next round of force is due.
    due: Instant,
    gives_up: Instant,
}

impl End {
    /// Gently: everything is told.
    fn begin() -> Self {
        for process in below() {
            process.signal_now(Signal::TERM);
        }
        let due = Instant::now() + GRACE;
        Self {
            due,
            gives_up: due + GIVES_UP_AFTER,
        }
    }

    /// By force. False: it is of no use.
    fn force(&mut self) -> bool {
        let mut all = below();
        for _ in 0..LOOKS {
            for process in &all {
                process.signal_now(Signal::STOP);
            }
            let now = below();
            let new = now.iter().any(|process| !all.contains(process));
            all = now;
            if !new {
                break;
            }
        }
        for process in all {
            process.signal_now(Signal::KILL);
        }
        self.due = Instant::now() + ROUND;
        self.due < self.gives_up
    }
}

/// All processes below this one.
fn below() -> Vec<Orphan> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in table::rows() {
        children.entry(row.parent).or_default().push(row.pid);
    }
    let mut found = children.remove(&std::process::id()).unwrap_or_default();
    let mut at = 0;
    while let Some(pid) = found.get(at) {
        // Each is taken once, however the table changed while it was read.
        found.extend(children.remove(pid).unwrap_or_default());
        at += 1;
    }
    found.into_iter().filter_map(Orphan::now).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_is_understood() {
        assert_eq!(told("exit 3\n"), Some(How::Exit(3)));
        assert_eq!(told("signal 15"), Some(How::Signal(15)));
        for other in ["", "exit", "exit x", "gone 1"] {
            assert_eq!(told(other), None, "{other}");
        }
    }

    #[test]
    fn an_order_is_one_line() {
        let order = Order {
            mark: "a\nb".into(),
            cage: Some(Cage::default()),
        };
        let line = String::from_utf8(order.line()).unwrap();
        assert_eq!(line.lines().count(), 1);
        assert_eq!(serde_json::from_str::<Order>(&line).unwrap(), order);
    }

    #[test]
    fn all_that_is_below_is_found() {
        let mut shell = Command::new("sh")
            .args(["-c", "(sleep 600 & echo ready; wait) & wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let rows = table::rows();
        let group = |pid: u32| rows.iter().find(|row| row.pid == pid).map(|row| row.group);
        // Other tests run beside this one, in this process or in others.
        let mine = below()
            .into_iter()
            .filter(|process| group(process.pid()) == Some(shell.id()));
        assert_eq!(mine.count(), 3);
        let group = i32::try_from(shell.id()).ok().and_then(Pid::from_raw);
        rustix::process::kill_process_group(group.unwrap(), Signal::KILL).unwrap();
        shell.wait().unwrap();
    }
}
