//! The broker of a single machine: a `nats-server` child that runs as long as we do, on our data folder.
//! Started when it is ready, started again on the same port when it dies or cannot store any more, stopped in
//! order at the end.
//! Making the hub it serves is `common::identity`'s; connecting to it is `common::broker`'s.

mod binary;
mod process;
mod store;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::identity::{Hub, IdentityError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use self::process::{Plan, Process};

/// First pause before a server that died is started again; it doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How often a full disk is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After running this long a death counts as the first again.
const STEADY: Duration = Duration::from_secs(60);

/// Which server to run, and on what.
#[derive(Debug, Clone)]
pub(crate) struct BrokerOptions {
    /// Folder of a complete hub (`Hub::init`).
    pub(crate) data_dir: PathBuf,
    /// `NATS_SERVER`; without it PATH and then `DATA_DIR/bin` are searched.
    pub(crate) server: Option<PathBuf>,
    /// Port to listen on instead of the one in `hub.conf`.
    pub(crate) port: Option<u16>,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    /// The data folder is not a usable hub.
    #[error(transparent)]
    Hub(#[from] IdentityError),
    /// No binary, or only old ones.
    #[error(
        "no usable nats-server: {0}. Version 2.14 or newer is needed: get it from \
         https://github.com/nats-io/nats-server/releases and put it in PATH or into DATA_DIR/bin, \
         or name it with NATS_SERVER. Or set NATS_URL to a broker that runs elsewhere"
    )]
    NoServer(String),
    /// Another phonework runs on the same folder.
    #[error(
        "another phonework is already running with the data folder {0}. Stop that one first, or give this one a \
         folder of its own with DATA_DIR"
    )]
    InUse(PathBuf),
    /// The lock file could not be used.
    #[error("locking {path}: {why}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A server of ours from before that cannot be ended.
    #[error(
        "nats-server (process {pid}) still runs with {conf} and cannot be ended: stop it, then start again"
    )]
    Stale {
        /// Its process id.
        pid: i32,
        /// Its configuration.
        conf: PathBuf,
    },
    /// Somebody listens there already.
    #[error(
        "the broker cannot listen on {0}: another program does. Stop that program (is it a nats-server of its own?), \
         or take another port: NATS_URL, NATS_WEBSOCKET_PORT or NATS_LEAF_PORT, or hub.conf if you have edited it"
    )]
    PortTaken(String),
    /// The system does not let it.
    #[error(
        "the broker may not listen on {0}: ports below 1024 need a right. Take another port (NATS_WEBSOCKET_PORT: 8443, or 0 \
         for none), or give nats-server the right: setcap cap_net_bind_service=+ep <nats-server>"
    )]
    PortDenied(String),
    /// It did not start for another reason.
    #[error("{binary} did not start: {why}\n{tail}\n(all of it in {log})")]
    Start {
        /// What was run.
        binary: PathBuf,
        /// In short.
        why: String,
        /// Its log.
        log: PathBuf,
        /// The end of what it said.
        tail: String,
    },
}

/// A supervised server. Stops it when dropped; [`BrokerChild::stop`] also waits for the end.
pub(crate) struct BrokerChild {
    url: String,
    pid: watch::Receiver<Option<u32>>,
    trouble: watch::Receiver<Option<String>>,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl BrokerChild {
    /// Starts the server and returns when it listens. It runs until `cancel`, [`BrokerChild::stop`] or our own end;
    /// give it a token that is cancelled after everything that still talks to the broker.
    ///
    /// # Errors
    /// [`BrokerError`], whose text says what to do.
    pub(crate) async fn start(
        options: BrokerOptions,
        cancel: CancellationToken,
    ) -> Result<Self, BrokerError> {
        let hub = Hub::open(&options.data_dir)?;
        let lock = lock(&hub)?;
        let path = std::env::var_os("PATH");
        let binary =
            binary::find(options.server.as_deref(), path.as_deref(), hub.data_dir()).await?;
        let mut plan = Plan {
            binary,
            conf: hub.conf_path(),
            run_dir: hub.run_dir(),
            port: options.port,
        };
        process::end_stale(&plan).await?;
        let first = Process::start(&plan).await?;
        let url = first.url.clone();
        info!(%url, pid = first.pid(), binary = %plan.binary.display(), "the broker runs");
        // A free port was taken at first; clients know it now.
        plan.port = Some(first.port);

        let (pid_tx, pid) = watch::channel(Some(first.pid()));
        let (told, trouble) = watch::channel(None);
        let cancel = cancel.child_token();
        let tasks = TaskTracker::new();
        let keeper = Keeper {
            data_dir: hub.data_dir().to_owned(),
            plan,
            pid: pid_tx,
            trouble: told,
            cancel: cancel.clone(),
            _lock: lock,
        };
        tasks.spawn(keeper.supervise(first));
        tasks.close();
        Ok(Self {
            url,
            pid,
            trouble,
            tasks,
            stop: cancel.drop_guard(),
        })
    }

    /// Address on the loopback interface; the same for as long as this value lives.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Why the server does not store what is sent, in words for the machine's owner; none while it does.
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.clone()
    }

    /// Process id of the running server; none while it is being started again.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for the tests, which end the process")
    )]
    pub(crate) fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Stops the server in order (by force after 5 s) and lets go of the data folder.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.tasks.wait().await;
    }
}

/// The nats-server that would be run.
///
/// # Errors
/// [`BrokerError::NoServer`].
pub(crate) async fn server(
    configured: Option<&Path>,
    data_dir: &Path,
) -> Result<PathBuf, BrokerError> {
    let path = std::env::var_os("PATH");
    binary::find(configured, path.as_deref(), data_dir).await
}

/// Takes the data folder for us alone: a second server on one store would start without complaint.
fn lock(hub: &Hub) -> Result<File, BrokerError> {
    let path = hub.run_dir().join("broker.lock");
    let failed = |error: std::io::Error| BrokerError::Lock {
        path: path.clone(),
        why: error.to_string(),
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BrokerError::InUse(hub.data_dir().to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Owns the process until the end. Holds the lock as long, so that nobody else gets the folder in between.
struct Keeper {
    data_dir: PathBuf,
    plan: Plan,
    pid: watch::Sender<Option<u32>>,
    trouble: watch::Sender<Option<String>>,
    cancel: CancellationToken,
    _lock: File,
}

/// We are to stop.
struct Stopped;

impl Keeper {
    async fn supervise(self, mut process: Process) {
        let mut pause = PAUSE;
        loop {
            let since = Instant::now();
            let monitor = process.monitor.clone();
            let lost = tokio::select! {
                () = self.cancel.cancelled() => return self.end(process).await,
                how = process.ended() => {
                    warn!(%how, log = %self.plan.log().display(), "nats-server died; starting it again");
                    None
                }
                why = store::lost(monitor.as_deref()) => Some(why),
            };
            if since.elapsed() > STEADY {
                pause = PAUSE;
            }
            if let Some(why) = lost {
                warn!(%why, "nats-server cannot store any more; it is started again once there is room");
                self.tell(Some(format!("no room: the broker cannot store ({why}); it is started again by itself once it can")));
                // It goes on for those who read. What it has told as stored is on the disk.
                match self.room(Some(&mut process)).await {
                    Ok(()) => {}
                    Err(Stopped) => return self.end(process).await,
                }
                self.pid.send_replace(None);
                process.stop().await;
            }
            self.pid.send_replace(None);
            process = match self.start(&mut pause).await {
                Ok(process) => process,
                Err(Stopped) => return,
            };
            info!(pid = process.pid(), "the broker runs again");
            self.pid.send_replace(Some(process.pid()));
            self.tell(None);
        }
    }

    /// Returns when there is room on the disk, or when the process dies meanwhile.
    async fn room(&self, mut process: Option<&mut Process>) -> Result<(), Stopped> {
        loop {
            let folder = self.data_dir.clone();
            let tried = tokio::task::spawn_blocking(move || common::disk::has_room(&folder)).await;
            match tried {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(why)) => self.tell(Some(format!(
                    "no room for the broker: {}. It is started again by itself once there is",
                    common::disk::say(&self.data_dir, &why)
                ))),
                Err(why) => error!(%why, "looking for room failed"),
            }
            let ended = async {
                match &mut process {
                    Some(process) => process.ended().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep(LOOK) => {}
                _ = ended => process = None,
                () = self.cancel.cancelled() => return Err(Stopped),
            }
        }
    }

    /// Starts it, again and again until it runs.
    async fn start(&self, pause: &mut Duration) -> Result<Process, Stopped> {
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return Err(Stopped),
                () = sleep(*pause) => {}
            }
            *pause = (*pause * 2).min(PAUSE_MAX);
            // Without room it could not even say where it listens.
            self.room(None).await?;
            let started = tokio::select! {
                () = self.cancel.cancelled() => {
                    // Given up half-way; wait until it is really gone.
                    if let Err(why) = process::end_stale(&self.plan).await {
                        warn!(%why, "the broker may still run");
                    }
                    return Err(Stopped);
                }
                started = Process::start(&self.plan) => started,
            };
            match started {
                Ok(process) => return Ok(process),
                Err(why) => {
                    error!(%why, next_in = ?*pause, "nats-server cannot be started again");
                    self.tell(Some(format!("the broker cannot be started again: {why}")));
                }
            }
        }
    }

    async fn end(&self, process: Process) {
        process.stop().await;
        self.pid.send_replace(None);
        info!("the broker is stopped");
    }

    fn tell(&self, trouble: Option<String>) {
        self.trouble.send_if_modified(|told| {
            let news = *told != trouble;
            if news && let Some(why) = &trouble {
                error!(%why, "the broker is in trouble");
            }
            *told = trouble;
            news
        });
    }
}
