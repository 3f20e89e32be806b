//! The turn that runs now: its record, what it has said, when it is due.

use std::time::Duration;

use common::message::outbound::Preview;
use common::text::host::HostText;
use tokio::time::Instant;

use super::progress::Progress;
use crate::cards::{self, Frame};
use crate::context::{Context, Origin};
use crate::record::TurnRecord;

/// Time between two previews of a turn that says nothing: its clock. Less often once it is long.
const TICK: Duration = Duration::from_secs(10);
const SLOW_TICK: Duration = Duration::from_secs(60);
const SLOW_FROM: Duration = Duration::from_secs(600);
/// Least time between two previews of one card.
const PREVIEW_EVERY: Duration = Duration::from_millis(200);

/// A running turn.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) turn: TurnRecord,
    pub(super) progress: Progress,
    pub(super) note: HostText,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// Why it is being interrupted, once it is.
    pub(super) stopping: Option<Stopping>,
    /// By when the agent must have stopped; later it is ended by force.
    pub(super) force_at: Option<Instant>,
    /// Since when the person is asked; that time is not the turn's.
    asked: Option<Instant>,
    /// The agent has it (or is being given it).
    pub(super) given: bool,
    /// The agent said that it took it.
    pub(super) consumed: bool,
    /// Messages handed in meanwhile that the agent said it took; their end is this turn's.
    pub(super) taken: Vec<TurnRecord>,
    n: u32,
    dirty: bool,
    shown: Instant,
}

/// Why a turn is being interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopping {
    /// The person said so.
    Person,
    /// Its time is over.
    Timeout,
    /// The host stops.
    Shutdown,
}

impl Current {
    pub(super) fn new(turn: TurnRecord, timeout: Duration) -> Self {
        let now = Instant::now();
        Self {
            turn,
            progress: Progress::default(),
            note: HostText::Working,
            since: now,
            deadline: now + timeout,
            stopping: None,
            force_at: None,
            asked: None,
            given: false,
            consumed: false,
            taken: Vec::new(),
            n: 0,
            dirty: false,
            shown: now,
        }
    }

    /// This turn, and each that was taken into it as one that came as far.
    pub(super) fn with_taken(mut self) -> Vec<Self> {
        let taken = std::mem::take(&mut self.taken);
        let (stopping, given) = (self.stopping, self.given);
        let mut all = vec![self];
        all.extend(taken.into_iter().map(|turn| Self {
            stopping,
            given,
            consumed: true,
            ..Self::new(turn, Duration::ZERO)
        }));
        all
    }

    /// The record of this turn, and of each that was taken into it.
    pub(super) fn turns(self) -> Vec<TurnRecord> {
        std::iter::once(self.turn).chain(self.taken).collect()
    }

    /// Something changed that a preview would show.
    pub(super) fn touch(&mut self, note: HostText) {
        self.note = note;
        self.dirty = true;
    }

    /// The person is asked: the turn's time stands still.
    pub(super) fn pause(&mut self) {
        self.asked.get_or_insert_with(Instant::now);
    }

    /// Nobody is asked any more: it goes on.
    pub(super) fn go_on(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.deadline += asked.elapsed();
        }
    }

    /// When its time is over; not while the person is asked, and not once it is being stopped.
    pub(super) fn due(&self) -> Option<Instant> {
        match (self.force_at, self.asked) {
            (Some(at), _) => Some(at),
            (None, Some(_)) => None,
            (None, None) => self.stopping.is_none().then_some(self.deadline),
        }
    }

    /// When the next preview is due, if one is. While the person is asked nothing moves.
    pub(super) fn preview_at(&self) -> Option<Instant> {
        let pause = match (self.dirty, self.asked) {
            (true, _) => PREVIEW_EVERY,
            (false, Some(_)) => return None,
            (false, None) if self.since.elapsed() < SLOW_FROM => TICK,
            (false, None) => SLOW_TICK,
        };
        Some(self.shown + pause)
    }

    /// The next preview.
    pub(super) fn preview(&mut self, context: &Context, frame: Frame<'_>) -> Preview {
        self.dirty = false;
        self.shown = Instant::now();
        self.n += 1;
        let mut view = cards::working(
            frame,
            &self.progress,
            &self.note,
            &context.node,
            self.turn.id,
        );
        let ran = self.since.elapsed();
        if ran >= TICK {
            cards::runs_for(frame, &mut view, ran);
        }
        Preview {
            card: self.turn.card,
            rev: self.turn.rev,
            n: self.n,
            user: self.turn.user.clone(),
            view,
        }
    }
}

/// Where the answers of a turn go.
pub(super) fn origin(turn: &TurnRecord) -> Origin {
    Origin {
        user: turn.user.clone(),
        chat: turn.chat.clone(),
        cause: turn.cause.clone(),
        lang: turn.lang,
        traceparent: turn.traceparent.clone(),
    }
}
