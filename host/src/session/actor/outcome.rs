//! How a turn ends: its answer, its failure, or an offer to take it up again, each in one step with its
//! removal from the journal.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::ids::CardId;
use common::message::view::Tone;
use common::message::view::View;
use common::text::Say as _;
use common::text::host::HostText;
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use super::{Actor, Undelivered, frame};
use crate::agent::AgentFault;
use crate::agent::TurnOutcome;
use crate::agent::TurnResult;
use crate::cards;
use crate::journal::Change;
use crate::record::PromptState;
use crate::record::TurnRecord;
use crate::record::TurnState;
use crate::session::progress::Progress;
use crate::session::progress::one_line;
use crate::session::turn::Current;
use crate::session::turn::Stopping;
use crate::session::turn::origin;

/// A turn that took longer than this ends with a short message that rings.
const LONG_TURN: Duration = Duration::from_secs(60);
/// Turns cut off that can still be taken up; the oldest is let go.
const MAX_INTERRUPTED: usize = 20;

impl Actor {
    pub(super) async fn on_finished(&mut self, result: TurnResult) {
        common::crash_point!("host.result.heard");
        if let Some(id) = result.session_id {
            self.record.agent_session = id;
        }
        // A turn that nobody asked for may end while the agent holds a message of ours.
        let ours = |current: &mut Current| {
            let key = current.turn.key;
            current.consumed
                || result.user_messages.contains(&key)
                || result.outcome != TurnOutcome::Success
        };
        if let Some(current) = self.current.take_if(ours) {
            self.finish(current, result).await;
        } else if !result.text.trim().is_empty() && result.outcome == TurnOutcome::Success {
            // Background work ended.
            if let Some(from) = self.last.clone() {
                let mut view = cards::finished(
                    frame(&self.context, &self.record.dir, from.lang),
                    &Progress::default(),
                    &result.text,
                    &[HostText::Background.say(from.lang)],
                );
                let changes = view
                    .drain(..)
                    .map(|view| from.card(CardId::new(), 1, view))
                    .collect();
                self.commit(changes).await;
            }
        }
        self.idle_at = Instant::now();
    }

    /// The end of a turn: its answer, and its removal from the journal, in one step, with those
    /// that were taken into it.
    pub(super) async fn finish(&mut self, mut current: Current, result: TurnResult) {
        let lang = current.turn.lang;
        let dir = self.record.dir.clone();
        let frame = frame(&self.context, &dir, lang);
        let took = current.since.elapsed();
        self.record.used_at = Utc::now();
        match &result.outcome {
            TurnOutcome::Success => {
                let text = if result.text.is_empty() {
                    current.progress.answer()
                } else {
                    result.text.clone()
                };
                let views = cards::finished(
                    frame,
                    &current.progress,
                    &text,
                    &cards::small_print(&result, took, lang),
                );
                let mut changes = self.answer(&current.turn, views, took);
                for turn in std::mem::take(&mut current.taken) {
                    changes.extend(self.let_go(turn, &HostText::AnsweredTogether));
                }
                self.commit(changes).await;
                common::crash_point!("host.result.kept");
            }
            TurnOutcome::Interrupted => self.stopped(current).await,
            TurnOutcome::MaxTurns | TurnOutcome::MaxBudget => {
                let why = HostText::AgentLimit;
                for one in current.with_taken() {
                    self.cut_off(one, &why, &HostText::Continue, Some("agent-limit"))
                        .await;
                }
            }
            TurnOutcome::ApiError(fault) | TurnOutcome::Failed(fault) => {
                for one in current.with_taken() {
                    self.fail(one, fault).await;
                }
            }
        }
    }

    /// The end of a turn that was interrupted, or never got to the agent: by whom decides what is said.
    pub(super) async fn stopped(&mut self, current: Current) {
        for one in current.with_taken() {
            self.stopped_one(one).await;
        }
    }

    async fn stopped_one(&mut self, current: Current) {
        let dir = self.record.dir.clone();
        let frame = frame(&self.context, &dir, current.turn.lang);
        match current.stopping {
            Some(Stopping::Timeout) => {
                let why = HostText::TimedOut {
                    after: self.record.timeout_s,
                };
                self.cut_off(current, &why, &HostText::Continue, Some("turn-timeout"))
                    .await;
            }
            Some(Stopping::Shutdown) => {
                let why = HostText::Interrupted {
                    prompt: one_line(current.turn.request(), 80),
                };
                self.cut_off(current, &why, &HostText::Continue, None).await;
            }
            Some(Stopping::Person) | None => {
                let mut view = cards::broken(
                    frame,
                    &current.progress,
                    Tone::Warning,
                    &HostText::Stopped,
                    Vec::new(),
                    None,
                );
                cards::settle(&mut view);
                let changes = self.answer(&current.turn, vec![view], Duration::ZERO);
                self.commit(changes).await;
            }
        }
    }

    /// The changes that show an answer, one card after the other, and let the turn go.
    pub(super) fn answer(
        &self,
        turn: &TurnRecord,
        views: Vec<View>,
        took: Duration,
    ) -> Vec<Change> {
        let from = origin(turn);
        let mut changes = Vec::new();
        for (at, view) in views.into_iter().enumerate() {
            changes.push(if at == 0 {
                from.card(turn.card, turn.rev + 1, view)
            } else {
                let card = CardId::derived(&[&turn.card.to_string(), &at.to_string()]);
                from.card(card, 1, view)
            });
        }
        if took > LONG_TURN {
            let text = HostText::LongTurnDone {
                dir: self.record.dir.clone(),
            };
            changes.push(from.notice("long", text.say(turn.lang)));
        }
        changes.push(Change::DropTurn(turn.id));
        changes.push(Change::Session(Box::new(self.record.clone())));
        changes
    }

    /// A turn that ended before its end: it stays, so that the person can take it up again.
    pub(super) async fn cut_off(
        &mut self,
        current: Current,
        why: &HostText,
        go_on: &HostText,
        code: Option<&str>,
    ) {
        let Current {
            mut turn, progress, ..
        } = current;
        turn.rev += 1;
        if turn.state != TurnState::Watched {
            turn.state = TurnState::Interrupted;
        }
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let choices = cards::recovery(frame, go_on, &self.context.node, turn.id);
        let mut view = cards::broken(frame, &progress, Tone::Warning, why, choices, code);
        cards::settle(&mut view);
        let mut changes = vec![
            origin(&turn).card(turn.card, turn.rev, view),
            Change::Turn(Box::new(turn.clone())),
            Change::Session(Box::new(self.record.clone())),
        ];
        self.interrupted.push(turn);
        if self.interrupted.len() > MAX_INTERRUPTED {
            let oldest = self.interrupted.remove(0);
            changes.extend(self.let_go(oldest, &HostText::Discarded));
        }
        self.commit(changes).await;
    }

    /// The changes that end a turn with a word on its card.
    pub(super) fn let_go(&self, mut turn: TurnRecord, why: &HostText) -> Vec<Change> {
        turn.rev += 1;
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let view = cards::note(frame, Tone::Plain, why);
        vec![
            origin(&turn).card(turn.card, turn.rev, view),
            Change::DropTurn(turn.id),
        ]
    }

    pub(super) async fn fail(&mut self, mut current: Current, fault: &AgentFault) {
        let context = Arc::clone(&self.context);
        let (why, code, again) = cards::failure(fault, |at| {
            chrono::DateTime::from_timestamp(at, 0).map_or_else(String::new, |at| context.clock(at))
        });
        warn!(code, %fault, session = %self.record.id, turn = %current.turn.id, "turn failed");
        if refuses_to_start(fault) && !current.consumed {
            current.turn.given = false;
        }
        if *fault == AgentFault::NoSuchSession {
            // The conversation is gone from this machine: the next message begins a new one.
            self.record.agent_session = Uuid::new_v4();
        }
        if again {
            self.cut_off(current, &why, &HostText::TryAgain, Some(code))
                .await;
            return;
        }
        let frame = frame(&self.context, &self.record.dir, current.turn.lang);
        let mut view = cards::broken(
            frame,
            &current.progress,
            Tone::Failed,
            &why,
            Vec::new(),
            Some(code),
        );
        cards::settle(&mut view);
        let changes = self.answer(&current.turn, vec![view], Duration::ZERO);
        self.commit(changes).await;
    }

    pub(super) async fn fail_current(&mut self, fault: &AgentFault) {
        self.wants_slot = false;
        if let Some(current) = self.current.take() {
            self.fail(current, fault).await;
        }
    }

    /// The agent did not take something from us.
    pub(super) async fn on_undelivered(&mut self, what: Undelivered) {
        match what {
            Undelivered::Message(key) => {
                if let Some(at) = self.folded.iter().position(|turn| turn.key == key) {
                    // Nothing of it was written: it waits again.
                    let turn = self.folded.remove(at);
                    self.put_back(turn).await;
                    self.go_on().await;
                    return;
                }
                let ours = self.current.as_ref().is_some_and(|c| c.turn.key == key);
                if !ours {
                    return;
                }
                if self.live.is_some() {
                    // It does not read, or is ending: its exit says why, and settles the turn.
                    self.force();
                } else {
                    self.on_crash(None).await;
                    self.on_idle().await;
                }
            }
            Undelivered::Answer(mut prompt) => {
                // It died, or was stopped, in the moment of the tap: the answer did nothing.
                prompt.state = PromptState::Withdrawn { at: Utc::now() };
                let changes = self.settle_prompt(&prompt, 3);
                self.commit(changes).await;
            }
        }
    }

    /// The agent's process ended, with what it had been given.
    pub(super) async fn on_crash(&mut self, fault: Option<AgentFault>) {
        let fault = fault.unwrap_or(AgentFault::Crashed {
            code: None,
            signal: None,
            stderr: String::new(),
        });
        let mut given = Vec::new();
        if let Some(current) = self.current.take_if(|current| current.given) {
            if current.stopping.is_some() {
                self.stopped(current).await;
            } else {
                given = current.with_taken();
            }
        }
        let handed = std::mem::take(&mut self.folded).into_iter();
        given.extend(handed.map(|turn| Current::new(turn, Duration::ZERO)));
        let turns = given.iter().map(|one| one.turn.clone()).collect();
        let open = self.deliver_ended(turns).await;
        given.retain(|one| open.iter().any(|turn| turn.id == one.turn.id));
        for one in given {
            self.fail(one, &fault).await;
        }
    }

    /// Nothing runs in the agent any more.
    pub(super) async fn on_idle(&mut self) {
        self.idle_at = Instant::now();
        if self.current.is_none() {
            if self.live.is_some() && !self.folded.is_empty() {
                // It came too late for the turn that it was handed into, and is the agent's next.
                let turn = self.folded.remove(0);
                self.follow(turn, false).await;
                return;
            }
            if let Some(live) = &mut self.live {
                live.idle = true;
                live.slot.set_idle(true);
            }
            self.go_on().await;
        }
    }
}

/// Faults of a process that ended before it took any message.
fn refuses_to_start(fault: &AgentFault) -> bool {
    match fault {
        AgentFault::NotInstalled
        | AgentFault::NoSuchSession
        | AgentFault::SessionInUse
        | AgentFault::BadArguments { .. } => true,
        AgentFault::NotLoggedIn
        | AgentFault::BadKey { .. }
        | AgentFault::NoCredit
        | AgentFault::Overloaded
        | AgentFault::ServiceFailed { .. }
        | AgentFault::RateLimited { .. }
        | AgentFault::ContextFull
        | AgentFault::Refused { .. }
        | AgentFault::Network { .. }
        | AgentFault::Crashed { .. }
        | AgentFault::Other { .. } => false,
    }
}
