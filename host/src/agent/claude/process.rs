//! The CLI as a process: started in a group of its own, its three pipes, its end, and what its
//! tools leave behind. When to end it, and how gently, is left to `driver`.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use rustix::process::{Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::command::{arguments, environment};
use crate::agent::orphan::{Orphan, to_pid};
use crate::agent::text::Tail;
use crate::agent::{AgentSpec, StartError};

/// A process that was just started.
pub(super) struct Process {
    pub(super) pid: u32,
    /// When it started, for whoever finds it after a crash of ours.
    pub(super) started: Option<String>,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
    pub(super) child: Box<dyn ChildWrapper>,
}

/// Starts the CLI. `mark` is put into its environment, and so into that of all it starts.
pub(super) fn spawn(spec: &AgentSpec, mark: &str) -> Result<Process, StartError> {
    if !spec.cwd.is_dir() {
        return Err(StartError::NoDirectory {
            cwd: spec.cwd.clone(),
        });
    }
    let failed = |source: std::io::Error| {
        let program = spec.program.clone();
        match source.kind() {
            ErrorKind::NotFound => StartError::NotFound { program },
            ErrorKind::PermissionDenied | ErrorKind::ExecutableFileBusy => {
                StartError::NotExecutable { program }
            }
            // A file that is no program at all: "exec format error".
            _ if source.raw_os_error() == Some(8) => StartError::NotExecutable { program },
            _ => StartError::Spawn { program, source },
        }
    };
    let mut command = Command::new(&spec.program);
    command
        .args(arguments(spec))
        .current_dir(&spec.cwd)
        .env_clear()
        .envs(environment(spec, mark))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = CommandWrap::from(command)
        .wrap(ProcessGroup::leader())
        .wrap(KillOnDrop)
        .spawn()
        .map_err(failed)?;
    let pipes = (
        child.id(),
        child.stdin().take(),
        child.stdout().take(),
        child.stderr().take(),
    );
    let (Some(pid), Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(failed(std::io::Error::other("a pipe is missing")));
    };
    Ok(Process {
        pid,
        started: crate::agent::orphan::started(pid),
        stdin,
        stdout,
        stderr,
        child,
    })
}

/// Waits for the end and tells it. `let_go` makes it look away instead: the process then outlives
/// us; otherwise it dies with this task.
pub(super) async fn watch(
    mut child: Box<dyn ChildWrapper>,
    ended: oneshot::Sender<std::io::Result<ExitStatus>>,
    let_go: oneshot::Receiver<()>,
) {
    let status = tokio::select! {
        status = child.wait() => Some(status),
        Ok(()) = let_go => None,
    };
    match status {
        Some(status) => {
            let _ = ended.send(status);
        }
        // Dropping it would kill it.
        None => std::mem::forget(child),
    }
}

/// The only writer: whole lines in order; the pipe is closed when the queue is.
pub(super) async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<String>) {
    while let Some(line) = lines.recv().await {
        let written = async {
            stdin.write_all(line.as_bytes()).await?;
            stdin.flush().await
        };
        if let Err(error) = written.await {
            // The process is going; its end says more.
            tracing::debug!(%error, "the agent does not read");
            break;
        }
        common::crash_point!("host.agent.line.written");
    }
}

/// The end of what the process wrote to standard error.
#[derive(Clone, Default)]
pub(super) struct Complaints(Arc<Mutex<Tail>>);

impl Complaints {
    pub(super) async fn collect(self, mut stderr: ChildStderr, stop: CancellationToken) {
        let mut buffer = vec![0; 4096];
        loop {
            let read = tokio::select! {
                read = stderr.read(&mut buffer) => read,
                () = stop.cancelled() => return,
            };
            match read {
                Ok(0) | Err(_) => return,
                Ok(read) => {
                    let fresh = buffer.get(..read).unwrap_or_default();
                    let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                    tail.push(fresh);
                }
            }
        }
    }

    pub(super) fn text(&self) -> String {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.text()
    }
}

/// Signals the CLI and what shares its group. Its Bash calls are groups of their own.
pub(super) fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        // Fails only when it is gone.
        let _ = kill_process_group(pid, signal);
    }
}

/// Running processes that were started, however indirectly, by the CLI with this mark. They are
/// not our children any more and not in its group: what they inherited gives them away.
pub(super) async fn survivors(mark: String) -> Vec<Orphan> {
    let found = tokio::task::spawn_blocking(move || marked(&mark)).await;
    let mut survivors = Vec::new();
    for pid in found.unwrap_or_default() {
        survivors.extend(Orphan::of(pid).await);
    }
    survivors
}

/// The mark in a process's environment, if it can be read.
#[cfg(target_os = "linux")]
pub(super) fn mark_of(pid: u32) -> Option<String> {
    // Other people's processes cannot be read, and are not ours.
    let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let names = [super::command::SHELL_MARK, super::command::MARK];
    environ.split(|byte| *byte == 0).find_map(|entry| {
        let name = names
            .iter()
            .find(|name| entry.starts_with(name.as_bytes()))?;
        let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

/// Elsewhere environments of others cannot be read.
#[cfg(not(target_os = "linux"))]
pub(super) fn mark_of(_pid: u32) -> Option<String> {
    None
}

#[cfg(target_os = "linux")]
fn marked(mark: &str) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| mark_of(*pid).as_deref() == Some(mark))
        .collect()
}

/// Elsewhere environments of others cannot be read.
#[cfg(not(target_os = "linux"))]
fn marked(_mark: &str) -> Vec<u32> {
    Vec::new()
}

/// Ends processes, gently first; returns those that could not be ended.
pub(super) async fn end(survivors: Vec<Orphan>) -> Vec<Orphan> {
    for survivor in &survivors {
        survivor.terminate().await;
    }
    let mut left = still_alive(survivors, Duration::from_secs(1)).await;
    for survivor in &left {
        survivor.kill().await;
    }
    if !left.is_empty() {
        left = still_alive(left, Duration::from_secs(1)).await;
    }
    left
}

async fn still_alive(orphans: Vec<Orphan>, patience: Duration) -> Vec<Orphan> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut left = Vec::new();
    for orphan in orphans {
        let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
        if !orphan.wait(patience).await {
            left.push(orphan);
        }
    }
    left
}
