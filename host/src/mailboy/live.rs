//! The card of a text: its states, and the previews while it is worked on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::ids::{CardId, NodeId, TurnId};
use common::message::encode;
use common::message::outbound::Preview;
use common::message::view::{Action, Block, ButtonStyle, Tone, View};
use common::subject;
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;
use tokio::time::Instant;

use super::frame;
use super::record::ChatRecord;
use crate::cards::{self, Frame};
use crate::context::Context;
use crate::journal::Change;
use crate::report;
use crate::session::progress::{Progress, one_line};

/// Least time between two previews of one card.
const PREVIEW_EVERY: Duration = Duration::from_millis(200);
/// Time between two previews when nothing changes: its clock.
const TICK: Duration = Duration::from_secs(10);
/// A text that took longer than this ends with a short message that rings.
const LONG: Duration = Duration::from_secs(60);

/// What is shown while a text is worked on. Shared by the one who works and the one who shows.
#[derive(Debug, Clone)]
pub(super) struct Live(Arc<Mutex<Shown>>);

#[derive(Debug)]
struct Shown {
    progress: Progress,
    note: HostText,
    since: Instant,
    dirty: bool,
    n: u32,
}

impl Live {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Shown {
            progress: Progress::default(),
            note: HostText::Thinking,
            since: Instant::now(),
            dirty: false,
            n: 0,
        })))
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the log, and says what goes on.
    pub(super) fn change(&self, note: HostText, change: impl FnOnce(&mut Progress)) {
        let mut shown = self.shown();
        change(&mut shown.progress);
        shown.note = note;
        shown.dirty = true;
    }

    pub(super) fn note(&self, note: HostText) {
        self.change(note, |_| {});
    }

    /// The log so far.
    pub(super) fn progress(&self) -> Progress {
        self.shown().progress.clone()
    }

    pub(super) fn took(&self) -> Duration {
        self.shown().since.elapsed()
    }

    /// Sends previews until it is dropped.
    pub(super) async fn previews(&self, context: &Context, record: &ChatRecord) {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(PREVIEW_EVERY).await;
            if !self.shown().dirty && last.elapsed() < TICK {
                continue;
            }
            last = Instant::now();
            let preview = self.preview(context, record);
            let subject = subject::delta(&context.node, &record.origin.user, record.turn);
            // Droppable, and never in the way: the next one says it all again.
            let client = context.broker.client();
            let send = client.publish(subject, encode(&preview).into());
            let _ = tokio::time::timeout(Duration::from_millis(50), send).await;
        }
    }

    fn preview(&self, context: &Context, record: &ChatRecord) -> Preview {
        let name = MailText::Name.say(record.origin.lang);
        let frame = frame(context, &record.origin, &name);
        let mut shown = self.shown();
        shown.dirty = false;
        shown.n += 1;
        let mut view = cards::working(
            frame,
            &shown.progress,
            &shown.note,
            &context.node,
            record.turn,
        );
        let ran = shown.since.elapsed();
        if ran >= TICK {
            cards::runs_for(frame, &mut view, ran);
        }
        Preview {
            card: report::card_of(record.turn),
            rev: record.rev,
            n: shown.n,
            user: record.origin.user.clone(),
            view,
        }
    }
}

/// The card of a text that is begun.
pub(super) fn first(context: &Context, record: &ChatRecord) -> Change {
    let name = MailText::Name.say(record.origin.lang);
    let view = cards::working(
        frame(context, &record.origin, &name),
        &Progress::default(),
        &HostText::Thinking,
        &context.node,
        record.turn,
    );
    record
        .origin
        .card(report::card_of(record.turn), record.rev, view)
}

/// A text that waits.
pub(crate) fn queued(
    frame: Frame<'_>,
    text: &str,
    place: usize,
    node: &NodeId,
    turn: TurnId,
) -> View {
    let stop = Action::Stop {
        node: node.clone(),
        turn,
    };
    let plain = |text: String| Block::Plain { text };
    View {
        blocks: vec![
            plain(format!("“{text}”")),
            plain(frame.say(&MailText::Queued { place })),
        ],
        buttons: vec![frame.button(&HostText::Cancel, ButtonStyle::Normal, stop)],
        ..frame.view(Tone::Plain)
    }
}

/// A text that a restart cut off, with the choices.
pub(crate) fn interrupted(
    frame: Frame<'_>,
    asked: &str,
    done: Vec<String>,
    node: &NodeId,
    turn: TurnId,
) -> View {
    let text = MailText::Interrupted {
        asked: one_line(asked, 80),
        done,
    };
    View {
        buttons: cards::recovery(frame, &HostText::Continue, node, turn),
        ..cards::note(frame, Tone::Warning, &text)
    }
}

/// The card of a text that a restart cut off.
pub(super) fn cut_off(context: &Context, record: &ChatRecord) -> Change {
    let name = MailText::Name.say(record.origin.lang);
    let frame = frame(context, &record.origin, &name);
    let done = record.lines();
    let view = interrupted(frame, &record.text, done, &context.node, record.turn);
    record
        .origin
        .card(report::card_of(record.turn), record.rev, view)
}

/// The views of an end, one card after the other.
pub(super) fn ends(record: &ChatRecord, views: Vec<View>, took: Duration) -> Vec<Change> {
    let origin = &record.origin;
    let card = report::card_of(record.turn);
    let mut changes: Vec<Change> = views
        .into_iter()
        .enumerate()
        .map(|(at, view)| {
            if at == 0 {
                origin.card(card, record.rev + 1, view)
            } else {
                let card = CardId::derived(&[&card.to_string(), &at.to_string()]);
                origin.card(card, 1, view)
            }
        })
        .collect();
    if took > LONG {
        let dir = MailText::Name.say(origin.lang);
        let text = HostText::LongTurnDone { dir };
        changes.push(origin.notice("long", text.say(origin.lang)));
    }
    changes
}
