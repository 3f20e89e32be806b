//! What others ask of a session: turns, answers, stops, choices on what was cut off or waits.

use chrono::Utc;
use common::ids::TurnId;
use common::message::view::Answer;
use common::message::view::QueueChoice;
use common::message::view::Recovery;
use common::message::view::Tone;
use common::text::Say as _;
use common::text::host::HostText;
use tracing::warn;
use uuid::Uuid;

use super::{Actor, frame};
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
        let known = self.queue.iter().any(|other| other.id == turn.id)
            || self.current.as_ref().is_some_and(|c| c.turn.id == turn.id)
            || self.interrupted.iter().any(|other| other.id == turn.id);
        if known {
            self.commit(vec![Change::Done(place)]).await;
            return;
        }
        let from = origin(&turn);
        let dir = self.record.dir.clone();
        if self.queue.len() >= MAX_QUEUED {
            let text = HostText::QueueFull {
                waiting: self.queue.len(),
            };
            let view = cards::note(frame(&self.context, &dir, turn.lang), Tone::Warning, &text);
            self.commit(vec![from.card(turn.card, 1, view), Change::Done(place)])
                .await;
            return;
        }
        self.run_or_queue(turn, place).await;
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
            // The first answer counts. A second tap within moments is the same finger; later ones
            // are told.
            let mut changes = vec![Change::Done(place)];
            let recent = match &prompt.state {
                PromptState::Answered { at, .. } | PromptState::Withdrawn { at } => {
                    Utc::now() - *at < chrono::Duration::seconds(10)
                }
                PromptState::Open => false,
            };
            if let Some(how) = ask::settled(&self.context, &prompt.state)
                && !recent
            {
                let how = how.say(from.lang);
                let text = HostText::AnsweredBefore { how }.say(from.lang);
                changes.push(from.notice("late", text));
            }
            self.commit(changes).await;
            return;
        }
        self.prompts.remove(&prompt.request);
        let mut settled = prompt.clone();
        settled.state = PromptState::Answered {
            answer,
            at: Utc::now(),
        };
        let mut changes = self.settle_prompt(&settled);
        changes.push(Change::Done(place));
        // If we die between this step and the next, the agent's input closes with us and the
        // question fails there; the turn is then offered again.
        if !self.commit(changes).await {
            return;
        }
        if let Some(live) = &self.live {
            let handle = live.agent.handle.clone();
            let words = ask::answer(answer, &prompt);
            let request = prompt.request.clone();
            self.context.tasks.spawn(async move {
                if let Err(why) = handle.answer(request, words).await {
                    warn!(%why, "the agent did not take an answer");
                }
            });
        }
        self.asked_no_more();
    }

    pub(super) async fn on_stop(&mut self, place: u64, from: &Origin, turn: Option<TurnId>) {
        let meant = match (&self.current, turn) {
            (Some(current), Some(turn)) => current.turn.id == turn,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let mut changes = vec![Change::Done(place)];
        if !meant && turn.is_none() {
            let frame = frame(&self.context, &self.record.dir, from.lang);
            changes.push(from.reply(cards::note(frame, Tone::Plain, &HostText::NothingRuns)));
        }
        self.commit(changes).await;
        if meant {
            self.interrupt(Stopping::Person).await;
        }
    }

    pub(super) async fn on_recover(&mut self, place: u64, turn: TurnId, choice: Recovery) {
        let at = self.interrupted.iter().position(|other| other.id == turn);
        let Some(mut turn) = at.map(|at| self.interrupted.remove(at)) else {
            self.commit(vec![Change::Done(place)]).await;
            return;
        };
        // Whatever still works on it must end first: two on one conversation lose one's words.
        if let Some(orphan) = self.orphan.take() {
            orphan.end().await;
        }
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
                match recover::outcome(&self.context, &self.record, turn.key).await {
                    // It finished after all.
                    Outcome::Finished(text) => {
                        self.deliver_recovered(turn, &text, vec![Change::Done(place)])
                            .await;
                        self.go_on().await;
                        return;
                    }
                    // The agent never had it: give it as it is, under the same key.
                    Outcome::NotFound => {}
                    Outcome::Unfinished => {
                        let again = format!("continue {}", turn.rev);
                        turn.key = Uuid::new_v5(&turn.key, again.as_bytes());
                        turn.text = HostText::ContinueWords.say(turn.lang);
                    }
                }
                self.run_or_queue(turn, place).await;
            }
        }
    }

    pub(super) async fn on_queued(&mut self, place: u64, turn: TurnId, choice: QueueChoice) {
        let at = self.queue.iter().position(|other| other.id == turn);
        let live = self.live.is_some() && self.current.as_ref().is_some_and(|c| c.given);
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
                let view = cards::note(frame, Tone::Plain, &HostText::Folded);
                self.commit(vec![
                    from.card(turn.card, turn.rev, view),
                    Change::Turn(Box::new(turn.clone())),
                    Change::Done(place),
                ])
                .await;
                self.give(&turn);
                self.folded.push(turn);
            }
        }
    }
}
