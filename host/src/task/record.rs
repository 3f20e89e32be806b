//! A command as it is written down.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::audit::{Entry, Kind};
use common::ids::{CardId, TurnId, UserId};
use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::context::{Context, Origin};
use crate::journal::{Change, Shelf};
use crate::shell::output::{Output, Shown};
use crate::shell::run::How;

/// A command that runs, or ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TaskRecord {
    pub(crate) id: TurnId,
    /// Its number for its person.
    pub(crate) n: u64,
    /// On whose act, and where to answer.
    pub(crate) origin: Origin,
    /// What was typed.
    pub(crate) command: String,
    /// Where it began, relative to the working directory.
    pub(crate) dir: String,
    /// Its card, if it has one of its own.
    pub(crate) card: Option<CardId>,
    /// The card's last revision.
    pub(crate) rev: u32,
    pub(crate) started_at: DateTime<Utc>,
    /// Seconds that it may take.
    pub(crate) timeout_s: u64,
    /// It goes on by itself.
    pub(crate) background: bool,
    /// What its processes bear in their environment.
    pub(crate) mark: String,
    pub(crate) state: TaskState,
    /// There was a sandbox.
    pub(crate) caged: bool,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum TaskState {
    /// It runs; found so at a start, it was cut off.
    Running,
    /// It is over.
    Ended {
        how: How,
        /// Milliseconds.
        took_ms: u64,
        /// What it wrote, cut.
        head: String,
        left_out: u64,
        tail: String,
        total: u64,
    },
}

impl TaskRecord {
    pub(crate) fn put(&self) -> Change {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Change::Put(Shelf::Task, self.id.to_string(), bytes)
    }

    pub(crate) fn end(&mut self, how: How, took: Duration, shown: &Shown) {
        self.state = TaskState::Ended {
            how,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            head: shown.head.clone(),
            left_out: shown.left_out,
            tail: shown.tail.clone(),
            total: shown.total,
        };
    }

    /// How it ended; of one that runs, as if it were cut off now.
    pub(crate) fn outcome(&self) -> Outcome {
        match &self.state {
            TaskState::Running => Outcome {
                how: How::Interrupted,
                took: Duration::ZERO,
                dir: self.dir.clone(),
                output: Shown::default(),
            },
            TaskState::Ended {
                how,
                took_ms,
                head,
                left_out,
                tail,
                total,
            } => Outcome {
                how: *how,
                took: Duration::from_millis(*took_ms),
                dir: self.dir.clone(),
                output: Shown {
                    head: head.clone(),
                    left_out: *left_out,
                    tail: tail.clone(),
                    total: *total,
                },
            },
        }
    }
}

/// What a record of the shelf means for the audit; none if it cannot be read.
pub(crate) fn line(bytes: &[u8]) -> Option<Entry> {
    let task: TaskRecord = serde_json::from_slice(bytes).ok()?;
    let outcome = match &task.state {
        TaskState::Running if task.background => "runs in the background".to_owned(),
        TaskState::Running => "runs".to_owned(),
        TaskState::Ended { how, took_ms, .. } => {
            let how = match how {
                How::Exit(code) => format!("exit {code}"),
                How::Signal(signal) => format!("signal {signal}"),
                How::TimedOut => "timed out".to_owned(),
                How::Stopped => "stopped".to_owned(),
                How::Interrupted => "interrupted".to_owned(),
            };
            format!("{how} after {took_ms} ms")
        }
    };
    let line = task.origin.entry(Kind::Shell).turn(task.id).dir(task.dir);
    Some(line.what(task.command).outcome(outcome))
}

/// All commands of everybody; what cannot be read is passed over.
pub(super) async fn all(context: &Context) -> Vec<TaskRecord> {
    let kept = context.shelf(Shelf::Task).await.unwrap_or_default();
    kept.iter()
        .filter_map(|(_, bytes)| serde_json::from_slice(bytes).ok())
        .collect()
}

/// A person's.
pub(super) async fn of(context: &Context, user: &UserId) -> Vec<TaskRecord> {
    let mut all = all(context).await;
    all.retain(|task| task.origin.user == *user);
    all
}

pub(super) async fn load(context: &Context, id: TurnId) -> Option<TaskRecord> {
    let bytes = context.kept(Shelf::Task, &id.to_string()).await?;
    serde_json::from_slice(&bytes).ok()
}

/// What is in a log, cut as a card shows it.
pub(super) fn tail_of(path: &Path) -> Shown {
    use std::io::Read as _;
    let mut output = Output::new(Path::new("/dev/null"));
    if let Ok(mut file) = std::fs::File::open(path) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = file.read(&mut buffer) {
            output.push(buffer.get(..read).unwrap_or_default());
        }
    }
    output.shown()
}
