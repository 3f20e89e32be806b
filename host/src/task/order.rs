//! What is asked of the commands' owner, and what comes of it.

use std::time::Duration;

use common::ids::TurnId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::record::TaskRecord;
use crate::context::Origin;
use crate::grounds::Grounds;
use crate::shell::output::Shown;
use crate::shell::run::How;

/// A command to be run.
#[derive(Debug, Clone)]
pub(crate) struct RunOrder {
    /// On whose act.
    pub(crate) origin: Origin,
    /// Its id: the same order again is the same command.
    pub(crate) id: TurnId,
    /// The act to be settled once it is written down; it has a card of its own then.
    pub(crate) place: Option<u64>,
    /// What was typed.
    pub(crate) command: String,
    /// Where the person may be.
    pub(crate) grounds: Grounds,
    /// What it may take.
    pub(crate) timeout: Option<Duration>,
    /// By itself from the start.
    pub(crate) background: bool,
    /// Nobody wants it any more: it is not begun then, and ended where it was.
    pub(crate) stop: CancellationToken,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ran {
    /// It has ended.
    Ended(Outcome),
    /// It goes on by itself.
    Background {
        /// Its number.
        n: u64,
        /// Its id.
        id: TurnId,
    },
}

/// A command that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    /// How.
    pub(crate) how: How,
    /// How long it took.
    pub(crate) took: Duration,
    /// Where the next one runs, relative to the working directory.
    pub(crate) dir: String,
    /// What it wrote, cut in the middle.
    pub(crate) output: Shown,
}

/// A command as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// As it is written down.
    pub(crate) record: TaskRecord,
    /// What it wrote.
    pub(crate) shown: Shown,
    /// It is over.
    pub(crate) outcome: Option<Outcome>,
}

/// Waits until it has ended, or goes on by itself.
pub(super) async fn wait(live: &mut watch::Receiver<Live>) -> Ran {
    let settled = live
        .wait_for(|live| live.outcome.is_some() || live.record.background)
        .await;
    match settled {
        Ok(live) => match &live.outcome {
            Some(outcome) => Ran::Ended(outcome.clone()),
            None => Ran::Background {
                n: live.record.n,
                id: live.record.id,
            },
        },
        Err(_) => Ran::Ended(Outcome {
            how: How::Interrupted,
            took: Duration::ZERO,
            dir: String::new(),
            output: Shown::default(),
        }),
    }
}
