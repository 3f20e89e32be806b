//! The task of one session. It takes messages, hands them to the agent one turn at a time, shows
//! what happens, asks the person, and writes each step down before it acts on it.
//!
//! Crash points: a turn is `Started` in the journal before the agent gets it, so a restart finds
//! it; the agent knows its key, so giving it twice runs it once; its answer and its removal are one
//! step, as are those of a message that was handed into it. What is found after a restart is `recover`'s; how cards look is `cards`'.

mod asked;
mod attach;
mod end;
mod heard;
mod outcome;
mod restart;
mod turns;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::ids::CardId;
use common::lang::Lang;
use common::message::encode;
use common::subject;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::recover::Orphan;
use super::slots::Slot;
use super::turn::{Current, Stopping};
use super::{Brief, Ending, Msg, Remains, ask};
use crate::agent::{Agent, AgentEvent};
use crate::cards::Frame;
use crate::context::{Context, Origin};
use crate::journal::Change;
use crate::record::{PromptRecord, SessionRecord, TurnRecord};

/// A live agent.
struct Live {
    agent: Agent,
    slot: Slot,
    idle: bool,
}

/// The task's state.
pub(super) struct Actor {
    context: Arc<Context>,
    record: SessionRecord,
    inbox: mpsc::Receiver<Msg>,
    endings: mpsc::Receiver<Ending>,
    brief: watch::Sender<Brief>,
    live: Option<Live>,
    queue: VecDeque<TurnRecord>,
    current: Option<Current>,
    folded: Vec<TurnRecord>,
    interrupted: Vec<TurnRecord>,
    prompts: HashMap<String, PromptRecord>,
    orphan: Option<Orphan>,
    /// By when a process left over must have ended its turn; then it is ended.
    orphan_due: Instant,
    /// Where words that nobody asked for go: the chat of the last turn.
    last: Option<Origin>,
    wants_slot: bool,
    /// Messages that were not taken for want of room, since there last was some.
    refused: Option<Refused>,
    failed: mpsc::Receiver<Undelivered>,
    fail: mpsc::Sender<Undelivered>,
    idle_at: Instant,
    /// The session or the host is on its way out: nothing new begins.
    leaving: bool,
    ended: bool,
}

/// A stretch of messages that were not taken. The person is told at its begin and its end, on one
/// card, and not by a card each.
struct Refused {
    card: CardId,
    from: Origin,
    count: usize,
}

/// What the agent did not take from us.
enum Undelivered {
    /// The message with this key.
    Message(Uuid),
    /// The answer to this question.
    Answer(Box<PromptRecord>),
}

enum Wake {
    Msg(Option<Msg>),
    Event(Option<Box<AgentEvent>>),
    Undelivered(Undelivered),
    Ending(Ending),
    SlotFreed,
    SlotWanted,
    OrphanGone,
    Clock,
    Cancelled,
}

impl Actor {
    pub(super) fn new(
        context: Arc<Context>,
        record: SessionRecord,
        (inbox, endings): (mpsc::Receiver<Msg>, mpsc::Receiver<Ending>),
        brief: watch::Sender<Brief>,
    ) -> Self {
        let (fail, failed) = mpsc::channel(8);
        Self {
            context,
            record,
            inbox,
            endings,
            brief,
            live: None,
            queue: VecDeque::new(),
            current: None,
            folded: Vec::new(),
            interrupted: Vec::new(),
            prompts: HashMap::new(),
            orphan: None,
            orphan_due: Instant::now(),
            last: None,
            wants_slot: false,
            refused: None,
            failed,
            fail,
            idle_at: Instant::now(),
            leaving: false,
            ended: false,
        }
    }

    pub(super) async fn run(mut self, remains: Remains) {
        if remains.closing {
            self.put_by(remains).await;
            let cancel = self.context.cancel.clone();
            tokio::select! {
                () = cancel.cancelled() => {}
                Some(ending) = self.endings.recv() => self.close_for_good(ending).await,
            }
            return;
        }
        self.take_up(remains).await;
        while !self.ended {
            self.tell();
            match self.wake().await {
                Wake::Msg(Some(msg)) => self.on_msg(msg).await,
                Wake::Msg(None) | Wake::Cancelled => break,
                Wake::Event(Some(event)) => self.on_event(*event).await,
                // It ended without a word of it.
                Wake::Event(None) => self.on_exited(None).await,
                Wake::Undelivered(what) => self.on_undelivered(what).await,
                Wake::Ending(ending) => self.close_for_good(ending).await,
                Wake::SlotFreed => self.go_on().await,
                Wake::SlotWanted => self.close_agent().await,
                Wake::OrphanGone => self.on_orphan_gone().await,
                Wake::Clock => self.on_clock().await,
            }
        }
        if !self.ended {
            self.shut_down().await;
        }
    }

    async fn wake(&mut self) -> Wake {
        let due = self.due();
        let (events, wanted) = match &mut self.live {
            Some(live) => {
                let idle = live.idle;
                let slot = &mut live.slot;
                let wanted = async move {
                    if idle {
                        slot.wanted().await;
                    } else {
                        std::future::pending::<()>().await;
                    }
                };
                (Some(&mut live.agent.events), Some(wanted))
            }
            None => (None, None),
        };
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => Wake::Cancelled,
            // Before the agent's words, of which there may be no end.
            () = tokio::time::sleep_until(due) => Wake::Clock,
            event = async { match events {
                Some(events) => events.recv().await,
                None => std::future::pending().await,
            } } => Wake::Event(event.map(Box::new)),
            Some(what) = self.failed.recv() => Wake::Undelivered(what),
            Some(ending) = self.endings.recv() => Wake::Ending(ending),
            msg = self.inbox.recv() => Wake::Msg(msg),
            () = async { match &mut self.orphan {
                Some(orphan) => orphan.gone().await,
                None => std::future::pending().await,
            } } => Wake::OrphanGone,
            () = self.context.slots.freed(), if self.wants_slot => Wake::SlotFreed,
            () = async { match wanted {
                Some(wanted) => wanted.await,
                None => std::future::pending().await,
            } } => Wake::SlotWanted,
        }
    }

    /// When the clock has something to do.
    fn due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let waits = self.context.agents.question_waits;
        let now = Utc::now();
        let question = self.prompts.values().map(|prompt| {
            // A moment later: the two clocks are not one.
            let waits = ask::waits(prompt, waits, now) + Duration::from_millis(10);
            Instant::now() + waits
        });
        let far = question.fold(far, Instant::min);
        match &self.current {
            Some(current) => [current.due(), current.preview_at()]
                .into_iter()
                .flatten()
                .fold(far, Instant::min),
            // Not while the agent has something of ours that it will begin.
            None if self.is_unused() => self.idle_at + Duration::from_secs(self.record.idle_s),
            None if self.orphan.is_some() => self.orphan_due,
            None => far,
        }
    }

    async fn on_clock(&mut self) {
        self.expire_questions().await;
        let now = Instant::now();
        let Some(current) = &mut self.current else {
            if self.orphan.is_some() {
                if self.orphan_due <= now {
                    self.end_orphan().await;
                    self.go_on().await;
                }
                return;
            }
            let idle = Duration::from_secs(self.record.idle_s);
            if self.idle_at + idle <= now && self.is_unused() {
                self.close_agent().await;
            }
            return;
        };
        let overdue = current.due().is_some_and(|at| at <= now);
        let ignored = overdue && current.stopping.is_some();
        if current.preview_at().is_some_and(|at| at <= now) {
            let frame = frame(&self.context, &self.record.dir, current.turn.lang);
            let preview = current.preview(&self.context, frame);
            let subject = subject::delta(&self.context.node, &current.turn.user, current.turn.id);
            // Droppable, and never in the way: the next one says it all again.
            let client = self.context.broker.client();
            let send = client.publish(subject, encode(&preview).into());
            let _ = tokio::time::timeout(Duration::from_millis(50), send).await;
        }
        if ignored {
            self.force();
        } else if overdue {
            self.interrupt(Stopping::Timeout).await;
        }
    }

    /// An agent lives, and neither asks nor has anything of ours.
    fn is_unused(&self) -> bool {
        self.live.is_some() && self.prompts.is_empty() && self.folded.is_empty()
    }

    async fn on_msg(&mut self, msg: Msg) {
        match msg {
            Msg::Turn { place, turn } => self.on_turn(place, *turn).await,
            Msg::Answer {
                place,
                origin,
                prompt,
                answer,
            } => self.on_answer(place, &origin, *prompt, answer).await,
            Msg::Stop {
                place,
                origin,
                turn,
            } => self.on_stop(place, &origin, turn).await,
            Msg::Recover {
                place,
                turn,
                choice,
            } => self.on_recover(place, turn, choice).await,
            Msg::Queued {
                place,
                turn,
                choice,
            } => self.on_queued(place, turn, choice).await,
            Msg::TakeBack {
                place,
                turn,
                back,
                late,
            } => self.on_take_back(place, turn, *back, *late).await,
        }
    }

    async fn commit(&self, changes: Vec<Change>) -> bool {
        self.context.commit(changes).await
    }

    /// Lets others see how we stand.
    fn tell(&self) {
        self.brief.send_replace(Brief {
            record: self.record.clone(),
            running: self.current.is_some() || self.orphan.is_some(),
            waiting: !self.prompts.is_empty(),
            queued: self.queue.len(),
            live: self.live.is_some(),
        });
    }

    pub(super) fn record(&self) -> &SessionRecord {
        &self.record
    }
}

fn frame<'a>(context: &'a Context, dir: &'a str, lang: Lang) -> Frame<'a> {
    Frame {
        node: &context.name,
        dir,
        lang,
    }
}
