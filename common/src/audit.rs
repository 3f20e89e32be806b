//! The audit: one JSON line for each thing that a person did and that was done for them, with who,
//! where, when, ids and outcome, a file for each day (UTC). Each process writes its own folder; reading
//! them together is [`read`]'s.
//!
//! No line holds a secret: ours are masked wherever they stand, those of others by how they are written (`mask`).
//!
//! It never stops the work: what cannot be written is counted, and the count is written once it can.
//! An act that a crash made come again has its line again, under the same cause.

mod entry;
mod mask;
pub mod read;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::oneshot;

pub use entry::{Entry, Kind, MAX_TEXT, Record};

use crate::health::Health;

/// Lines on their way to the disk. What comes above that is lost, and counted: whoever acts must not
/// wait for a disk that is slow.
const QUEUE: usize = 4_096;
/// A secret shorter than this would be found in ordinary words.
const SHORTEST_SECRET: usize = 6;

/// Where and how.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// The folder; made when it is not there, for its owner only.
    pub dir: PathBuf,
    /// Who writes: `router`, or a node's id.
    pub by: String,
    /// Days that files are kept, today's included.
    pub days: u32,
    /// Values that no line may hold; they are masked wherever they stand.
    pub secrets: Vec<SecretString>,
    /// Where trouble is shown, and under which name.
    pub health: (Health, &'static str),
}

/// A handle. Cheap to clone; the default one writes nowhere.
#[derive(Debug, Clone, Default)]
pub struct Audit(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    by: String,
    secrets: Vec<SecretString>,
    lines: SyncSender<Order>,
    lost: Arc<AtomicU64>,
}

/// What the writer is asked.
enum Order {
    Line(Box<Record>),
    /// Say when all before it is with the system.
    Flush(oneshot::Sender<()>),
}

impl Audit {
    /// Starts the thread that owns the folder; it ends with the last handle.
    pub fn start(options: AuditOptions) -> Self {
        let (lines, orders) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = writer::Writer::new(
            options.dir,
            options.by.clone(),
            options.days,
            Arc::clone(&lost),
            options.health,
        );
        let started = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&orders));
        if let Err(why) = started {
            tracing::error!(%why, "no audit is kept: its thread did not start");
            return Self::default();
        }
        let mut secrets = options.secrets;
        secrets.retain(|secret| secret.expose_secret().len() >= SHORTEST_SECRET);
        Self(Some(Arc::new(Inner {
            by: options.by,
            secrets,
            lines,
            lost,
        })))
    }

    /// Writes a line, soon. Never waits.
    pub fn note(&self, entry: Entry) {
        let Some(inner) = &self.0 else { return };
        let record = entry.finish(&inner.by, &inner.secrets);
        match inner.lines.try_send(Order::Line(Box::new(record))) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                inner.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Lines that could not be written since the start.
    pub fn lost(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, |inner| inner.lost.load(Ordering::Relaxed))
    }

    /// Waits until everything noted so far is with the system, or is lost; for the end.
    pub async fn flush(&self) {
        let Some(inner) = &self.0 else { return };
        let (done, is_done) = oneshot::channel();
        // A full queue is being worked off: asked again when there is room.
        let mut order = Order::Flush(done);
        loop {
            match inner.lines.try_send(order) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) => order = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let _ = is_done.await;
    }
}

#[cfg(test)]
mod tests;
