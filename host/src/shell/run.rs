//! One command as a process: no input, its output as it comes, its end, and the end of what it left
//! behind. With a `keeper` that is the keeper's work, and this is the host's end of its line; without
//! one the command is a group of its own. Who may see it, and what is told of it, is `task`'s.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::keeper::{self, Order};
use super::output::Output;
use super::sandbox::Cage;
use crate::agent::claude::{self, SHELL_MARK};

/// Time for output that is still on its way once all processes are gone.
const DRAIN: Duration = Duration::from_millis(500);
/// Time for a keeper that was told to end everything; it takes less, unless something stopped it.
const KEEPER_ENDS: Duration = Duration::from_secs(5).saturating_add(keeper::GIVES_UP_AFTER);

/// A command to be run.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    /// What was typed.
    pub(crate) command: String,
    /// Where it starts, absolute.
    pub(crate) dir: PathBuf,
    /// All of its environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// What it and all that it starts bear in their environment.
    pub(crate) mark: String,
    /// Its own folder for temporary files.
    pub(crate) temp: PathBuf,
    /// This program, which keeps it; none: nobody does.
    pub(crate) keeper: Option<PathBuf>,
    /// What it may reach; none, or without a keeper: there is no sandbox.
    pub(crate) cage: Option<Cage>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// Its time was over.
    TimedOut,
    /// The person stopped it.
    Stopped,
    /// This program ended.
    Interrupted,
}

/// A command that runs.
pub(crate) struct Running {
    /// The keeper, or the shell where there is none.
    child: Box<dyn ChildWrapper>,
    pid: u32,
    line: Option<Line>,
    mark: String,
    temp: PathBuf,
    reader: tokio::task::JoinHandle<()>,
    reads: CancellationToken,
}

/// Where the directory that a command ended in is written.
fn cwd_file(temp: &Path) -> PathBuf {
    temp.join(".cwd")
}

/// A shell for the command.
fn shell() -> &'static str {
    if Path::new("/bin/bash").exists() || Path::new("/usr/bin/bash").exists() {
        "bash"
    } else {
        "sh"
    }
}

impl Running {
    /// Starts it. What it writes goes to `output`; `fresh` hears that something came.
    pub(crate) fn start(
        spec: &Spec,
        output: Arc<Mutex<Output>>,
        fresh: mpsc::Sender<()>,
    ) -> std::io::Result<Self> {
        std::fs::create_dir_all(&spec.temp)?;
        let (reader, writer) = std::io::pipe()?;
        // On the first line, so that the shell's messages name the lines as they were typed.
        let script = format!("trap 'pwd -P > \"$PW_CWD\"' EXIT; {}", spec.command);
        let words = [shell(), "-c", &script];
        let mut line = None;
        let mut command = if let Some(program) = &spec.keeper {
            let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
            let order = Order {
                mark: spec.mark.clone(),
                cage: spec.cage.clone(),
            };
            line = Some(Line::new(ours, &order)?);
            let mut command = Command::new(program);
            command.args(keeper::words(&words));
            command.stdin(Stdio::from(OwnedFd::from(theirs)));
            command
        } else {
            let mut command = Command::new(shell());
            command.args(["-c", &script]).stdin(Stdio::null());
            command
        };
        command
            .current_dir(&spec.dir)
            .env_clear()
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .env("PW_CWD", cwd_file(&spec.temp))
            .stdout(Stdio::from(OwnedFd::from(writer.try_clone()?)))
            .stderr(Stdio::from(OwnedFd::from(writer)));
        if line.is_none() {
            command.env(SHELL_MARK, &spec.mark);
        }
        let kept = line.is_some();
        let mut wrap = CommandWrap::from(command);
        wrap.wrap(ProcessGroup::leader());
        if !kept {
            // A keeper ends what it keeps by itself once its line is gone; killed, it could not.
            wrap.wrap(KillOnDrop);
        }
        let child = wrap.spawn()?;
        // Our ends of the pipe and of its line go with it, so that they end with the last process.
        drop(wrap);
        let reader = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let reads = CancellationToken::new();
        let pid = child.id().unwrap_or(0);
        Ok(Self {
            child,
            pid,
            line,
            mark: spec.mark.clone(),
            temp: spec.temp.clone(),
            reader: tokio::spawn(collect(reader, output, fresh, reads.clone())),
            reads,
        })
    }

    /// Waits until it ends by itself; may be given up and called again.
    pub(crate) async fn ended(&mut self) -> How {
        if let Some(line) = &mut self.line
            && let Some(how) = line.told().await
        {
            return how;
        }
        match self.child.wait().await {
            Ok(status) => {
                use std::os::unix::process::ExitStatusExt as _;
                match (status.code(), status.signal()) {
                    (Some(code), _) => How::Exit(code),
                    (None, Some(signal)) => How::Signal(signal),
                    (None, None) => How::Exit(-1),
                }
            }
            Err(_) => How::Exit(-1),
        }
    }

    /// Ends all that is left of it, gently first, and waits for its last words. Then says in which
    /// directory it ended, if it told.
    pub(crate) async fn finish(mut self) -> Option<PathBuf> {
        if self.line.take().is_some() {
            let ended = tokio::time::timeout(KEEPER_ENDS, self.child.wait()).await;
            if ended.is_err() {
                tracing::warn!(pid = self.pid, "a keeper does not end and is killed");
                let _ = self.child.start_kill();
            }
        } else if self.pid != 0 {
            claude::end_group(self.pid).await;
        }
        let _ = self.child.wait().await;
        // Where nobody kept it, or somebody killed its keeper.
        claude::end_tools(&self.mark).await;
        if tokio::time::timeout(DRAIN, &mut self.reader).await.is_err() {
            self.reads.cancel();
        }
        let told = std::fs::read_to_string(cwd_file(&self.temp)).ok();
        let temp = self.temp.clone();
        let _ = tokio::task::spawn_blocking(move || std::fs::remove_dir_all(temp)).await;
        told.map(|told| PathBuf::from(told.trim_end_matches('\n')))
    }
}

/// The host's end of the line to a keeper. Dropped, it tells the keeper to end everything.
struct Line {
    from: OwnedReadHalf,
    heard: Vec<u8>,
    _open: DropGuard,
}

impl Line {
    fn new(line: std::os::unix::net::UnixStream, order: &Order) -> std::io::Result<Self> {
        line.set_nonblocking(true)?;
        let (from, mut to) = UnixStream::from_std(line)?.into_split();
        let order = order.line();
        let open = CancellationToken::new();
        let closed = open.clone();
        // Holds its half until then: a task that is dropped closes it as well.
        tokio::spawn(async move {
            let told = async {
                let _ = to.write_all(&order).await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = told => {}
                () = closed.cancelled() => {}
            }
        });
        Ok(Self {
            from,
            heard: Vec::new(),
            _open: open.drop_guard(),
        })
    }

    /// What the keeper says of the command's end; none when it is gone without a word. May be given up
    /// and called again.
    async fn told(&mut self) -> Option<How> {
        while !self.heard.contains(&b'\n') && self.heard.len() < 64 {
            match self.from.read_buf(&mut self.heard).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return None,
            }
        }
        keeper::told(&String::from_utf8_lossy(&self.heard))
    }
}

async fn collect(
    mut reader: Receiver,
    output: Arc<Mutex<Output>>,
    fresh: mpsc::Sender<()>,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let read = tokio::select! {
            read = reader.read(&mut buffer) => read,
            () = stop.cancelled() => return,
        };
        let Ok(read @ 1..) = read else {
            return;
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(bytes);
        // One word is enough, however much has come.
        let _ = fresh.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(command: &str, dir: &Path) -> (How, String, Option<PathBuf>) {
        let temp = tempfile::tempdir().unwrap();
        let spec = Spec {
            command: command.to_owned(),
            dir: dir.to_owned(),
            env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
            mark: uuid::Uuid::new_v4().to_string(),
            temp: temp.path().join("t"),
            keeper: None,
            cage: None,
        };
        let output = Arc::new(Mutex::new(Output::new(&temp.path().join("log"))));
        let (fresh, _heard) = mpsc::channel(1);
        let mut running = Running::start(&spec, Arc::clone(&output), fresh).unwrap();
        let how = running.ended().await;
        let cwd = running.finish().await;
        let shown = output.lock().unwrap().shown().head;
        (how, shown, cwd)
    }

    #[tokio::test]
    async fn output_code_and_directory_come_back() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().canonicalize().unwrap();
        std::fs::create_dir(dir.join("it's")).unwrap();
        let (how, out, cwd) = run("echo a; echo b >&2; cd \"it's\"; exit 3", &dir).await;
        assert_eq!((how, out.as_str()), (How::Exit(3), "a\nb\n"));
        assert_eq!(cwd, Some(dir.join("it's")));
        let (how, out, _) = run("cat; read x; echo \"got <$x>\"", &dir).await;
        assert_eq!((how, out.as_str()), (How::Exit(0), "got <>\n"));
        let (how, ..) = run("kill -TERM $$", &dir).await;
        assert_eq!(how, How::Signal(15));
    }

    #[tokio::test]
    async fn what_it_left_behind_ends_with_it() {
        let temp = tempfile::tempdir().unwrap();
        let command = "setsid sleep 600 & sleep 600 & echo $! > pid; echo left";
        let (how, out, _) = run(command, temp.path()).await;
        assert_eq!((how, out.as_str()), (How::Exit(0), "left\n"));
        let pid: u32 = std::fs::read_to_string(temp.path().join("pid"))
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert_eq!(crate::agent::orphan::Orphan::of(pid).await, None);
    }
}
