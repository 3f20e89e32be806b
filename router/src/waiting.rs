//! Messages that wait for a node that is off: the person is told within a second, told again when
//! the node is back, may take a message back or give it to another node, and hears of it when it
//! waited in vain.
//!
//! `owner` watches what was handed out, `look` looks at one node's line, `tell` says what came of it,
//! `withdraw` and `moved` carry out taps, `refused` counts what may not even wait. `book` is what was told,
//! `line` the stream. Which node a message is for was decided before, by `decide`.

mod book;
mod line;
mod look;
mod moved;
mod owner;
mod refused;
mod tell;
mod withdraw;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use chrono::{DateTime, Utc};
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::{Chat, Inbound, InboundBody};
use common::message::outbound::OutboundBody;
use common::message::view::View;
use common::message::work::waiting_card;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[cfg(test)]
pub(crate) use book::Waits;
pub(crate) use book::{Entry, Other, State};
pub(crate) use line::{Line, count};
pub(crate) use moved::{Redirected, Standing};
pub(crate) use refused::Refusal;
pub(crate) use withdraw::Tap;

use crate::cards;
use crate::decide::Candidate;
use crate::fan::Fans;
use crate::presence::Presence;
use crate::registry::Registry;
use crate::reply::{Replies, To};
use crate::users::Stopped;
use book::Book;
use refused::Refusals;

/// What was handed out and not looked at yet. At the bound nobody waits: the owner reads the stream
/// again instead.
const NOTES: usize = 4_096;

/// Work that was handed to a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// The act.
    pub(crate) cause: CauseId,
    pub(crate) user: UserId,
    pub(crate) chat: Chat,
    pub(crate) lang: Lang,
    pub(crate) traceparent: String,
    /// Whose work it is, and what people call that node.
    pub(crate) node: NodeId,
    pub(crate) name: String,
    /// A tap and no text.
    pub(crate) tap: bool,
    /// Its place in PW_WORK.
    pub(crate) sequence: u64,
    /// Since when it lies there.
    pub(crate) at: DateTime<Utc>,
}

impl Item {
    /// Of an act that lies at `sequence` in the line of `to`.
    pub(crate) fn new(
        inbound: &Inbound,
        to: &Candidate,
        lang: Lang,
        sequence: u64,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            cause: inbound.meta.cause.clone(),
            user: inbound.user.clone(),
            chat: inbound.chat.clone(),
            lang,
            traceparent: inbound.meta.traceparent.clone(),
            node: to.node.clone(),
            name: to.name.clone(),
            tap: matches!(inbound.body, InboundBody::Tap { .. }),
            sequence,
            at,
        }
    }
}

/// What the owner is told.
#[derive(Debug)]
enum Note {
    /// This was handed out.
    Out(Box<Item>),
    /// What lay there was taken back.
    Gone(NodeId, u64),
}

/// Handle on what waits. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    notes: mpsc::Sender<Note>,
    missed: Arc<AtomicBool>,
    parts: Parts,
}

/// What telling and taking back need. Cheap to clone.
#[derive(Debug, Clone)]
struct Parts {
    book: Book,
    line: Line,
    refusals: Refusals,
    presence: Presence,
    registry: Registry,
    replies: Replies,
    fans: Fans,
    /// How long anything may wait.
    longest: Duration,
    cancel: CancellationToken,
}

/// The parts of the router that this one needs.
pub(crate) struct Around {
    pub(crate) replies: Replies,
    pub(crate) presence: Presence,
    pub(crate) registry: Registry,
    pub(crate) fans: Fans,
}

/// Reads what was told, and begins to watch: also what an earlier router handed out and told nobody
/// of. The task ends with `stop`.
///
/// # Errors
/// When the bucket cannot be read.
pub(crate) async fn start(
    store: Store,
    around: Around,
    longest: Duration,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Waiting, async_nats::Error> {
    let Around {
        replies,
        presence,
        registry,
        fans,
    } = around;
    let cancel = replies.cancel.clone();
    let book = Book::open(store.clone(), cancel.clone()).await?;
    let refusals = Refusals::open(store, replies.clone()).await?;
    let (notes, noted) = mpsc::channel(NOTES);
    let waiting = Waiting {
        notes,
        missed: Arc::new(AtomicBool::new(true)),
        parts: Parts {
            book,
            line: Line::new(replies.broker.clone(), cancel.clone()),
            refusals,
            presence,
            registry,
            replies,
            fans,
            longest,
            cancel,
        },
    };
    let parts = waiting.parts.clone();
    let missed = Arc::clone(&waiting.missed);
    tasks.spawn(owner::run(parts, noted, missed, stop.clone()));
    Ok(waiting)
}

impl Waiting {
    /// The line itself.
    pub(crate) fn line(&self) -> &Line {
        &self.parts.line
    }

    /// Notes work that was handed out. Returns at once.
    pub(crate) fn note(&self, item: Item) {
        self.tell(Note::Out(Box::new(item)));
    }

    /// Something was put into a line by others: the stream is read for what nobody watches.
    pub(crate) fn look_again(&self) {
        self.missed.store(true, Ordering::Relaxed);
    }

    fn tell(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the person was told of this act before. Then it was handed out, and what comes next
    /// is for that to say: a repeat of the act must not put it into a line once more.
    pub(crate) fn knows(&self, cause: &CauseId) -> bool {
        self.parts.book.get(cause).is_some()
    }

    /// Who hears from here that a node is back that was off since then: something of theirs waited
    /// for it. Looks at everything that was told, so it is for once in a while.
    pub(crate) fn hear_that_it_is_back(
        &self,
        node: &NodeId,
        since: DateTime<Utc>,
    ) -> BTreeSet<UserId> {
        let waited = self.parts.book.all(|entry| {
            let of_it = entry.node == *node && entry.cause.part().is_none();
            let taken = matches!(entry.state, State::Taken { .. }) && entry.at >= since;
            of_it && (taken || entry.waits())
        });
        waited.iter().map(|entry| entry.user.clone()).collect()
    }

    /// What may not wait.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.parts.refusals
    }
}

impl Parts {
    /// Shows the newest revision of an entry's card. Repeating it shows nothing twice.
    async fn show(&self, entry: &Entry) -> Result<(), Stopped> {
        let view = cards::waiting::view(entry, self.longest, Utc::now());
        self.show_as(entry, view).await
    }

    async fn show_as(&self, entry: &Entry, view: View) -> Result<(), Stopped> {
        // A part of what went to several nodes has a line on their card, and none of its own.
        if self.fans.waits(entry).await? {
            return Ok(());
        }
        let (card, rev) = (waiting_card(&entry.cause), entry.rev);
        let id = MessageId::derived(&[&card.to_string(), &rev.to_string()]);
        self.replies
            .put(id, &to(entry), OutboundBody::Card { card, rev, view })
            .await
    }

    /// What people call a node.
    async fn name_of(&self, node: &NodeId) -> String {
        let hub = self.registry.nodes().get(node).map(|one| one.name.clone());
        let own = self.presence.life(node).await.map(|seen| seen.name);
        let mut names = [hub, own].into_iter().flatten();
        let name = names.find(|name| !name.trim().is_empty());
        name.unwrap_or_else(|| node.to_string())
    }
}

/// Where an entry's card is.
fn to(entry: &Entry) -> To<'_> {
    To {
        user: &entry.user,
        chat: &entry.chat,
        cause: &entry.cause,
        traceparent: &entry.traceparent,
    }
}
