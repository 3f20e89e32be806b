//! One message for several nodes: who gets it, how each stands with it, and the one card that says so.
//!
//! What went to several nodes is, from then on, an act of its own for each of them
//! ([`CauseId::at_node`]): it waits, is taken back, runs and is answered like any other. Here is kept
//! what holds the parts together, in the bucket PW_FANOUT: `send` hands the parts out, `reports` hears
//! how the turns go, `waiting` tells what waits, and `show` puts the newest state on the card. Each
//! change is written down before it is shown. A node's whole answer is in cards of its own.

mod line;
mod reports;
mod send;
mod show;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::jetstream::kv::Store;
use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, Inbound};
use common::message::turn::TurnReport;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

pub(crate) use line::{Line, LineState};
pub(crate) use reports::run as collect;
pub(crate) use send::send;
pub(crate) use show::run as show;

use crate::decide::Candidate;
use crate::kept::{Kept, Record};
use crate::users::Stopped;
use crate::waiting::Entry;

/// Nodes that one message may go to; each has a line on the card.
pub(crate) const MAX_LINES: usize = 40;
/// How long a message to several nodes is remembered; the bucket's own age.
const KEPT: TimeDelta = TimeDelta::days(8);

/// A message that went to several nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fan {
    /// The act that brought it.
    pub(crate) cause: CauseId,
    pub(crate) user: UserId,
    pub(crate) chat: Chat,
    pub(crate) lang: Lang,
    #[serde(default)]
    pub(crate) traceparent: String,
    /// Its first line.
    pub(crate) quote: String,
    pub(crate) at: DateTime<Utc>,
    /// The card's newest revision.
    pub(crate) rev: u32,
    /// Every line is final and shown. Until then the next router shows the card once more.
    #[serde(default)]
    pub(crate) settled: bool,
    /// One for each node, at most [`MAX_LINES`].
    pub(crate) lines: Vec<Line>,
}

impl Record for Fan {
    type Key = CauseId;
    type Group = ();
    const WHAT: &'static str = "a message to several nodes";
    const PREFIX: &'static str = "fan.";

    fn key(&self) -> CauseId {
        self.cause.clone()
    }

    fn group(&self) -> Option<()> {
        None
    }

    fn place(cause: &CauseId) -> String {
        let id = MessageId::derived(&[cause.as_str(), "fan"]);
        format!("{}{id}", Self::PREFIX)
    }
}

impl Fan {
    fn begin(inbound: &Inbound, lang: Lang, quote: String, to: &[Candidate]) -> Self {
        let line = |one: &Candidate| Line {
            node: one.node.clone(),
            name: one.name.clone(),
            state: LineState::Pending,
            head: String::new(),
        };
        Self {
            cause: inbound.meta.cause.clone(),
            user: inbound.user.clone(),
            chat: inbound.chat.clone(),
            lang,
            traceparent: inbound.meta.traceparent.clone(),
            quote,
            at: Utc::now(),
            rev: 1,
            settled: false,
            lines: to.iter().map(line).collect(),
        }
    }

    /// The nodes, as they were called when it went out.
    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        let candidate = |line: &Line| Candidate {
            node: line.node.clone(),
            name: line.name.clone(),
        };
        self.lines.iter().map(candidate).collect()
    }

    /// Whether nothing changes any more, unless the person does something.
    pub(crate) fn is_over(&self) -> bool {
        self.lines.iter().all(|line| line.state.is_final())
    }

    /// With the lines that `next` changes, and the next revision; none if it changes none.
    fn with(&self, next: impl Fn(&Line) -> Option<Line>) -> Option<Self> {
        let changed: Vec<_> = self.lines.iter().map(&next).collect();
        if changed.iter().all(Option::is_none) {
            return None;
        }
        let lines = self.lines.iter().zip(changed);
        Some(Self {
            rev: self.rev.saturating_add(1),
            settled: false,
            lines: lines
                .map(|(line, changed)| changed.unwrap_or_else(|| line.clone()))
                .collect(),
            ..self.clone()
        })
    }
}

/// Handle on what went to several nodes. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Fans {
    kept: Kept<Fan>,
    /// Whose card is to be shown anew: at most one entry for each.
    news: Arc<Mutex<BTreeSet<CauseId>>>,
    bell: Arc<Notify>,
}

impl Fans {
    /// Reads what an earlier router kept; what it may not have shown is shown.
    pub(crate) async fn open(
        store: Store,
        cancel: CancellationToken,
    ) -> Result<Self, async_nats::Error> {
        let kept: Kept<Fan> = Kept::open(store, cancel).await?;
        let open = kept.all(|fan| !fan.settled);
        let news = open.iter().map(|fan| fan.cause.clone()).collect();
        let bell = Notify::new();
        bell.notify_one();
        Ok(Self {
            kept,
            news: Arc::new(Mutex::new(news)),
            bell: Arc::new(bell),
        })
    }

    /// What is known of an act, if it went to several nodes.
    pub(crate) fn get(&self, cause: &CauseId) -> Option<Arc<Fan>> {
        self.kept.get(cause)
    }

    /// Writes down that a message goes to these nodes, and changes nothing if it was before.
    async fn begin(
        &self,
        inbound: &Inbound,
        lang: Lang,
        quote: &str,
        to: &[Candidate],
    ) -> Result<Option<Arc<Fan>>, Stopped> {
        let now = Utc::now();
        self.kept.retain(|fan| now - fan.at < KEPT);
        let begin = |before: Option<&Fan>| {
            let new = || Fan::begin(inbound, lang, quote.to_owned(), to);
            before.is_none().then(new)
        };
        self.kept.change(&inbound.meta.cause, begin).await
    }

    /// Changes lines; the card follows.
    async fn change(
        &self,
        cause: &CauseId,
        next: impl Fn(&Line) -> Option<Line>,
    ) -> Result<(), Stopped> {
        let changed = self.kept.change(cause, |fan| fan?.with(&next)).await?;
        if changed.is_some_and(|fan| !fan.settled) {
            self.news
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(cause.clone());
            self.bell.notify_one();
        }
        Ok(())
    }

    /// How a turn goes, by its node. A node may say so of its own line only.
    async fn reported(&self, report: &TurnReport) -> Result<(), Stopped> {
        let Some((whole, node)) = report.meta.cause.part() else {
            debug!(node = %report.node, "a report of a turn that nobody collects");
            return Ok(());
        };
        let fan = self.get(&whole);
        if node != report.node || fan.is_none_or(|fan| fan.user != report.user) {
            warn!(node = %report.node, user = %report.user, cause = %report.meta.cause, "a report about what did not go there; passed over");
            return Ok(());
        }
        let next = |line: &Line| (line.node == node).then(|| line.reported(report)).flatten();
        self.change(&whole, next).await
    }

    /// How a part waits, or what came of that. False: it is no part of anything that is kept, and
    /// has to be shown otherwise.
    pub(crate) async fn waits(&self, entry: &Entry) -> Result<bool, Stopped> {
        let Some((whole, node)) = entry.cause.part() else {
            return Ok(false);
        };
        let fan = self.get(&whole);
        if fan.is_none_or(|fan| fan.user != entry.user) {
            return Ok(false);
        }
        let next = |line: &Line| (line.node == node).then(|| line.waits(entry)).flatten();
        self.change(&whole, next).await?;
        Ok(true)
    }

    fn take_news(&self) -> Vec<Arc<Fan>> {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        news.iter().filter_map(|cause| self.get(cause)).collect()
    }

    /// This revision has been shown.
    async fn was_shown(&self, shown: &Fan) -> Result<(), Stopped> {
        if !shown.is_over() || shown.settled {
            return Ok(());
        }
        let settle = |fan: Option<&Fan>| {
            let fan = fan.filter(|fan| fan.rev == shown.rev && !fan.settled)?;
            Some(Fan {
                settled: true,
                ..fan.clone()
            })
        };
        self.kept.change(&shown.cause, settle).await.map(|_| ())
    }

    /// What became of handing the parts out.
    async fn handed_out(
        &self,
        cause: &CauseId,
        outcomes: &[(NodeId, LineState)],
    ) -> Result<(), Stopped> {
        let next = |line: &Line| {
            let (_, state) = outcomes.iter().find(|(node, _)| *node == line.node)?;
            // A report may have been faster.
            (line.state == LineState::Pending).then(|| line.to(state.clone()))
        };
        self.change(cause, next).await
    }
}

#[cfg(test)]
mod tests;
