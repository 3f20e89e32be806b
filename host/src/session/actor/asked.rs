//! What others ask of a session: turns, answers, stops, choices on what was cut off or waits.

use chrono::Utc;
use common::ids::TurnId;
use common::lang::Lang;
use common::message::view::Answer;
use common::message::view::QueueChoice;
use common::message::view::Recovery;
use common::message::view::Tone;
use common::text::Say as _;
use common::text::host::HostText;
use tracing::warn;
use uuid::Uuid;

use super::{Actor, Refused, Undelivered, frame};
use crate::agent::PermissionAnswer;
use crate::cards;
use crate::context::Origin;
use crate::journal::Change;
use crate::record::PromptRecord;
use crate::record::PromptState;
use crate::record::TurnRecord;
use crate::record::TurnState;
use crate::session::MAX_QUEUED;
use crate::session::ask;
use crate::session::recover;
use crate::session::recover::Outcome;
use crate::session::turn::Stopping;
use crate::session::turn::origin;

impl Actor {
    pub(super) async fn on_turn(&mut self, place: u64, turn: TurnRecord) {
        let taken = self.current.iter().flat_map(|current| &current.taken);
        let known = self
            .queue
            .iter()
            .chain(self.current.iter().map(|current| &current.turn))
            .chain(taken)
            .chain(&self.folded)
            .chain(&self.interrupted)
            .any(|other| other.id == turn.id);
        if known {
            self.commit(vec![Change::Done(place)]).await;
            return;
        }
        if self.queue.len() >= MAX_QUEUED {
            self.refuse(&turn, place).await;
            return;
        }
        self.taken_again().await;
        self.run_or_queue(turn, place).await;
    }

    /// Does not take a message for want of room. The first of a stretch is told, with what follows
    /// for those behind it: hundreds of cards would be no help.
    async fn refuse(&mut self, turn: &TurnRecord, place: u64) {
        let mut changes = vec![Change::Done(place)];
        if let Some(refused) = &mut self.refused {
            refused.count += 1;
        } else {
            let from = origin(turn);
            let frame = frame(&self.context, &self.record.dir, turn.lang);
            let text = HostText::QueueFull {
                waiting: self.queue.len(),
            };
            changes.push(from.card(turn.card, 1, cards::note(frame, Tone::Warning, &text)));
            self.refused = Some(Refused {
                card: turn.card,
                from,
                count: 1,
            });
        }
        self.commit(changes).await;
    }

    /// There is room: ends a stretch of messages that were not taken, on the card that began it.
    pub(super) async fn taken_again(&mut self) {
        if let Some(Refused { card, from, count }) = self.refused.take() {
            let frame = frame(&self.context, &self.record.dir, from.lang);
            let text = HostText::QueueFreed { refused: count };
            let view = cards::note(frame, Tone::Warning, &text);
            self.commit(vec![from.card(card, 2, view)]).await;
        }
    }

    pub(super) async fn on_answer(
        &mut self,
        place: u64,
        from: &Origin,
        prompt: PromptRecord,
        answer: Answer,
    ) {
        let open = self
            .prompts
            .get(&prompt.request)
            .is_some_and(|open| open.id == prompt.id);
        if !open {
            let mut changes = vec![Change::Done(place)];
            changes.extend(
                self.late(&prompt.state, from.lang)
                    .map(|text| from.notice("late", text.say(from.lang))),
            );
            self.commit(changes).await;
            return;
        }
        let state = PromptState::Answered {
            answer,
            at: Utc::now(),
        };
        let words = ask::answer(answer, &prompt);
        self.settle(prompt, state, words, vec![Change::Done(place)])
            .await;
    }

    /// Questions that nobody answered in time are answered with no.
    pub(super) async fn expire_questions(&mut self) {
        let now = Utc::now();
        let waits = self.context.agents.question_waits;
        let expired = self
            .prompts
            .extract_if(|_, prompt| ask::waits(prompt, waits, now).is_zero());
        for prompt in expired.map(|(_, prompt)| prompt).collect::<Vec<_>>() {
            let words = PermissionAnswer::deny(HostText::NobodyAnswered.say(prompt.lang));
            self.settle(prompt, PromptState::Expired { at: now }, words, Vec::new())
                .await;
        }
    }

    /// Settles an open question: in the journal and on its card first, then with the agent.
    async fn settle(
        &mut self,
        prompt: PromptRecord,
        state: PromptState,
        words: PermissionAnswer,
        with: Vec<Change>,
    ) {
        self.prompts.remove(&prompt.request);
        let settled = PromptRecord { state, ..prompt };
        let mut changes = self.settle_prompt(&settled, 2);
        changes.extend(with);
        // If we die between this step and the next, the agent's input closes with us and the
        // question fails there; the turn is then offered again.
        if !self.commit(changes).await {
            return;
        }
        common::crash_point!("host.answer.kept");
        if let Some(live) = &self.live {
            let handle = live.agent.handle.clone();
            let request = settled.request.clone();
            let fail = self.fail.clone();
            self.context.tasks.spawn(async move {
                if let Err(why) = handle.answer(request, words).await {
                    warn!(%why, "the agent did not take an answer");
                    let _ = fail.send(Undelivered::Answer(Box::new(settled))).await;
                }
            });
        }
        self.asked_no_more();
    }

    /// What to say to a tap on a question that is not open.
    fn late(&self, state: &PromptState, lang: Lang) -> Option<HostText> {
        match state {
            // The first answer counts. A second tap within moments is the same finger; later ones
            // are told.
            PromptState::Answered { at, .. }
                if Utc::now() - *at < chrono::Duration::seconds(10) =>
            {
                None
            }
            PromptState::Answered { .. } | PromptState::Expired { .. } => {
                ask::settled(&self.context, state)
                    .map(|how| HostText::AnsweredBefore { how: how.say(lang) })
            }
            PromptState::Withdrawn { .. } | PromptState::CutOff { .. } | PromptState::Open => {
                Some(HostText::NobodyAsks)
            }
        }
    }

    pub(super) async fn on_stop(&mut self, place: u64, from: &Origin, turn: Option<TurnId>) {
        let watched = |id: TurnId| {
            let mut turns = self.interrupted.iter();
            turns.any(|turn| turn.id == id && turn.state == TurnState::Watched)
        };
        // Of a process left over from before, which does not hear us.
        let orphaned = self.orphan.is_some() && turn.is_none_or(watched);
        let running = match (&self.current, turn) {
            (Some(current), Some(turn)) => current.turn.id == turn,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let meant = orphaned || running;
        let mut changes = vec![Change::Done(place)];
        if !meant && turn.is_none() {
            let frame = frame(&self.context, &self.record.dir, from.lang);
            changes.push(from.reply(cards::note(frame, Tone::Plain, &HostText::NothingRuns)));
        }
        self.commit(changes).await;
        common::crash_point!("host.stop.kept");
        if running {
            self.interrupt(Stopping::Person).await;
        } else if orphaned {
            self.end_orphan().await;
            self.go_on().await;
        }
    }

    pub(super) async fn on_recover(&mut self, place: u64, turn: TurnId, choice: Recovery) {
        let watched = |other: &TurnRecord| other.id == turn && other.state == TurnState::Watched;
        if self.interrupted.iter().any(watched) {
            // What still works on it must end first: two on one conversation lose one's words. It
            // may have come to its end meanwhile.
            self.end_orphan().await;
        }
        let at = self.interrupted.iter().position(|other| other.id == turn);
        let Some(mut turn) = at.map(|at| self.interrupted.remove(at)) else {
            self.commit(vec![Change::Done(place)]).await;
            self.go_on().await;
            return;
        };
        let from = origin(&turn);
        let dir = self.record.dir.clone();
        match choice {
            Recovery::Discard => {
                turn.rev += 1;
                let frame = frame(&self.context, &dir, turn.lang);
                let view = cards::note(frame, Tone::Plain, &HostText::Discarded);
                self.commit(vec![
                    from.card(turn.card, turn.rev, view),
                    Change::DropTurn(turn.id),
                    Change::Done(place),
                ])
                .await;
                self.go_on().await;
            }
            Recovery::Continue => {
                let found = recover::outcome(&self.context, &self.record, turn.key).await;
                let words = match (found, turn.given) {
                    // It finished after all.
                    (Outcome::Finished(found), _) => {
                        let mut changes = self.recovered(&turn, &found.text);
                        changes.push(Change::Done(place));
                        self.commit(changes).await;
                        self.go_on().await;
                        return;
                    }
                    // No process ever had it: it goes as it is, under the same key.
                    (Outcome::NotFound, false) => None,
                    // A process had it, and may have done any part of it.
                    (Outcome::NotFound, true) => Some(HostText::ContinueUnsure {
                        request: turn.request().to_owned(),
                    }),
                    (Outcome::Unfinished, _) => Some(HostText::ContinueWords {
                        request: turn.request().to_owned(),
                    }),
                };
                if let Some(words) = words {
                    let again = format!("continue {}", turn.rev);
                    turn.key = Uuid::new_v5(&turn.key, again.as_bytes());
                    turn.asked = Some(turn.request().to_owned());
                    turn.text = words.say(turn.lang);
                    turn.given = false;
                }
                self.run_first(turn, place).await;
                self.go_on().await;
            }
        }
    }

    /// As [`QueueChoice::Cancel`], asked from the card of a message that waited for this machine.
    pub(super) async fn on_take_back(
        &mut self,
        place: u64,
        turn: TurnId,
        back: Change,
        late: Change,
    ) {
        let at = self.queue.iter().position(|other| other.id == turn);
        let Some(mut turn) = at.and_then(|at| self.queue.remove(at)) else {
            self.commit(vec![late, Change::Done(place)]).await;
            return;
        };
        turn.rev += 1;
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let view = cards::note(frame, Tone::Plain, &HostText::Cancelled);
        self.commit(vec![
            origin(&turn).card(turn.card, turn.rev, view),
            Change::DropTurn(turn.id),
            back,
            Change::Done(place),
        ])
        .await;
        self.taken_again().await;
    }

    pub(super) async fn on_queued(&mut self, place: u64, turn: TurnId, choice: QueueChoice) {
        let at = self.queue.iter().position(|other| other.id == turn);
        // As many may be handed in as may wait; the rest goes on waiting.
        let current = self.current.as_ref().filter(|current| current.given);
        let handed = current.map_or(0, |current| current.taken.len()) + self.folded.len();
        let live = self.live.is_some() && current.is_some() && handed < MAX_QUEUED;
        let take = match choice {
            QueueChoice::Cancel => true,
            QueueChoice::SendNow => live,
        };
        let found = at.filter(|_| take).and_then(|at| self.queue.remove(at));
        let Some(mut turn) = found else {
            self.commit(vec![Change::Done(place)]).await;
            return;
        };
        turn.rev += 1;
        let from = origin(&turn);
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        match choice {
            QueueChoice::Cancel => {
                let view = cards::note(frame, Tone::Plain, &HostText::Cancelled);
                self.commit(vec![
                    from.card(turn.card, turn.rev, view),
                    Change::DropTurn(turn.id),
                    Change::Done(place),
                ])
                .await;
            }
            QueueChoice::SendNow => {
                turn.state = TurnState::Folded;
                turn.given = true;
                let view = cards::note(frame, Tone::Plain, &HostText::Folded);
                self.commit(vec![
                    from.card(turn.card, turn.rev, view),
                    Change::Turn(Box::new(turn.clone())),
                    Change::Done(place),
                ])
                .await;
                common::crash_point!("host.fold.kept");
                self.give(&turn);
                self.folded.push(turn);
            }
        }
    }
}
