//! Taking up what the journal holds after a restart; what the transcript says decides.

use std::time::Duration;

use chrono::Utc;
use common::text::Say as _;
use common::text::host::HostText;

use super::{Actor, frame};
use crate::cards;
use crate::context::Origin;
use crate::journal::Change;
use crate::record::PromptRecord;
use crate::record::PromptState;
use crate::record::TurnRecord;
use crate::record::TurnState;
use crate::session::progress::Progress;
use crate::session::progress::one_line;
use crate::session::recover;
use crate::session::recover::Outcome;
use crate::session::turn::Current;

impl Actor {
    pub(super) async fn take_up(&mut self, turns: Vec<TurnRecord>, prompts: Vec<PromptRecord>) {
        let (orphan, started) = recover::take_up(self, turns, prompts).await;
        self.orphan = orphan;
        // Without a process on record nothing was ever given; with one, a transcript that does not
        // know the turn proves nothing, as it is written a little behind.
        let given = self.record.process.is_some();
        if self.orphan.is_none() {
            self.record.process = None;
        }
        for turn in started {
            if self.orphan.is_some() {
                self.show_interrupted(turn, true).await;
            } else if given {
                self.settle_by_transcript(turn).await;
            } else {
                self.queue.push_front(turn);
            }
        }
        self.go_on().await;
    }

    pub(super) async fn on_orphan_gone(&mut self) {
        self.orphan = None;
        self.record.process = None;
        for turn in std::mem::take(&mut self.interrupted) {
            match recover::outcome(&self.context, &self.record, turn.key).await {
                Outcome::Finished(text) => self.deliver_recovered(turn, &text, Vec::new()).await,
                Outcome::NotFound | Outcome::Unfinished => self.interrupted.push(turn),
            }
        }
        self.go_on().await;
    }

    /// Decides by the transcript what became of a turn that was given to the agent.
    pub(super) async fn settle_by_transcript(&mut self, turn: TurnRecord) {
        match recover::outcome(&self.context, &self.record, turn.key).await {
            Outcome::Finished(text) => self.deliver_recovered(turn, &text, Vec::new()).await,
            Outcome::NotFound | Outcome::Unfinished => self.show_interrupted(turn, false).await,
        }
    }

    pub(super) async fn show_interrupted(&mut self, turn: TurnRecord, alive: bool) {
        let prompt = one_line(&turn.text, 80);
        let why = if alive {
            HostText::InterruptedAlive { prompt }
        } else {
            HostText::Interrupted { prompt }
        };
        let current = Current::new(turn, Duration::ZERO);
        self.cut_off(current, &why, &HostText::Continue, None).await;
    }

    pub(super) async fn deliver_recovered(
        &mut self,
        turn: TurnRecord,
        text: &str,
        extra: Vec<Change>,
    ) {
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let footer = [HostText::Recovered.say(turn.lang)];
        let views = cards::finished(frame, &Progress::default(), text, &footer);
        let mut changes = self.answer(&turn, views, Duration::ZERO);
        changes.extend(extra);
        self.commit(changes).await;
    }

    /// Puts back what the journal knows of turns that do not run.
    pub(in crate::session) fn restore(&mut self, turn: TurnRecord) {
        if turn.state == TurnState::Interrupted {
            self.interrupted.push(turn);
        } else {
            self.queue.push_back(turn);
        }
    }

    /// Whether a turn that was cut off may still be taken up, or finished by a process left over.
    pub(in crate::session) fn has_interrupted(&self) -> bool {
        !self.interrupted.is_empty()
    }

    pub(in crate::session) fn remember(&mut self, from: Origin) {
        self.last = Some(from);
    }

    pub(in crate::session) async fn withdraw_all(&mut self, prompts: Vec<PromptRecord>) {
        for mut prompt in prompts {
            prompt.state = PromptState::Withdrawn { at: Utc::now() };
            let changes = self.settle_prompt(&prompt);
            self.commit(changes).await;
        }
    }
}
