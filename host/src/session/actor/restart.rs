//! Taking up what the journal holds after a restart; what the transcript says decides.

use std::time::Duration;

use chrono::Utc;
use common::text::Say as _;
use common::text::host::HostText;
use tokio::time::Instant;

use super::{Actor, frame};
use crate::agent::claude;
use crate::cards;
use crate::context::Origin;
use crate::journal::Change;
use crate::record::PromptRecord;
use crate::record::PromptState;
use crate::record::TurnRecord;
use crate::record::TurnState;
use crate::session::Remains;
use crate::session::progress::Progress;
use crate::session::progress::one_line;
use crate::session::recover;
use crate::session::recover::Outcome;
use crate::session::turn::Current;

impl Actor {
    pub(super) async fn take_up(&mut self, remains: Remains) {
        let (orphan, started) = recover::take_up(self, remains).await;
        let known = self.record.process.take();
        if let Some(orphan) = orphan {
            // It may take as long as a turn of this session may.
            self.orphan_due = Instant::now() + Duration::from_secs(self.record.timeout_s);
            self.orphan = Some(orphan);
            self.record.process.clone_from(&known);
        }
        let mut over = Vec::new();
        for turn in started {
            match (turn.given, &self.orphan, &turn.state) {
                (false, ..) => self.queue.push_front(turn),
                // Its card says so already.
                (true, Some(_), TurnState::Watched) => self.interrupted.push(turn),
                (true, Some(_), _) => self.show_interrupted(turn, true).await,
                (true, None, _) => over.push(turn),
            }
        }
        let lost = !self.settle_by_transcript(over).await;
        if self.orphan.is_none()
            && let Some(process) = known
        {
            if lost {
                claude::end_tools(&process.mark).await;
            }
            self.commit(vec![Change::Session(Box::new(self.record.clone()))])
                .await;
        }
        common::crash_point!("host.found.offered");
        self.go_on().await;
    }

    /// Takes up what there is to be let go of, and runs nothing.
    pub(super) async fn put_by(&mut self, remains: Remains) {
        self.orphan = recover::processes(&self.record, remains.processes).await;
        for prompt in remains.prompts {
            if prompt.state == PromptState::Open {
                self.cut_off_all(vec![prompt]).await;
            }
        }
        self.interrupted = remains.turns;
    }

    pub(super) async fn on_orphan_gone(&mut self) {
        self.end_orphan().await;
        self.go_on().await;
    }

    /// Ends the process left over, if it has not ended by itself, and settles what it worked on.
    pub(super) async fn end_orphan(&mut self) {
        let Some(orphan) = self.orphan.take() else {
            return;
        };
        orphan.end().await;
        let (watched, others) = std::mem::take(&mut self.interrupted)
            .into_iter()
            .partition(|turn| turn.state == TurnState::Watched);
        self.interrupted = others;
        let lost = !self.settle_by_transcript(watched).await;
        orphan.clear(lost).await;
        self.record.process = None;
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
    }

    /// Decides by the transcript what became of turns that were given to the agent, and offers
    /// those that came to no end; false when there are such.
    pub(super) async fn settle_by_transcript(&mut self, turns: Vec<TurnRecord>) -> bool {
        let open = self.deliver_ended(turns).await;
        let all = open.is_empty();
        for turn in open {
            self.show_interrupted(turn, false).await;
        }
        all
    }

    /// Delivers the answers that the transcript has; gives the turns that came to no end. All in one
    /// step: what was taken into another of these turns has its answer on that one's card.
    pub(super) async fn deliver_ended(&mut self, turns: Vec<TurnRecord>) -> Vec<TurnRecord> {
        let (mut ended, mut open) = (Vec::new(), Vec::new());
        for turn in turns {
            match recover::outcome(&self.context, &self.record, turn.key).await {
                Outcome::Finished(found) => ended.push((turn, found)),
                Outcome::NotFound | Outcome::Unfinished => open.push(turn),
            }
        }
        ended.sort_by_key(|(_, found)| found.folded);
        let (mut changes, mut said) = (Vec::new(), Vec::new());
        for (turn, found) in ended {
            if found.folded && said.contains(&found.text) {
                changes.extend(self.let_go(turn, &HostText::AnsweredTogether));
            } else {
                changes.extend(self.recovered(&turn, &found.text));
                said.push(found.text);
            }
        }
        if !changes.is_empty() {
            self.commit(changes).await;
        }
        open
    }

    pub(super) async fn show_interrupted(&mut self, turn: TurnRecord, alive: bool) {
        let prompt = one_line(turn.request(), 80);
        let (why, state) = if alive {
            (HostText::InterruptedAlive { prompt }, TurnState::Watched)
        } else {
            (HostText::Interrupted { prompt }, TurnState::Interrupted)
        };
        let mut current = Current::new(turn, Duration::ZERO);
        current.turn.state = state;
        self.cut_off(current, &why, &HostText::Continue, None).await;
    }

    /// The changes that show an answer of the transcript.
    pub(super) fn recovered(&self, turn: &TurnRecord, text: &str) -> Vec<Change> {
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let footer = [HostText::Recovered.say(turn.lang)];
        let views = cards::finished(frame, &Progress::default(), text, &footer);
        self.answer(turn, views, Duration::ZERO)
    }

    /// Puts back what the journal knows of turns that do not run.
    pub(in crate::session) fn restore(&mut self, turn: TurnRecord) {
        if turn.state == TurnState::Interrupted {
            self.interrupted.push(turn);
        } else {
            self.queue.push_back(turn);
        }
    }

    pub(in crate::session) fn remember(&mut self, from: Origin) {
        self.last = Some(from);
    }

    /// Questions that were open when we died: whoever asked has gone on without an answer, or is gone.
    pub(in crate::session) async fn cut_off_all(&mut self, prompts: Vec<PromptRecord>) {
        for mut prompt in prompts {
            prompt.state = PromptState::CutOff { at: Utc::now() };
            let changes = self.settle_prompt(&prompt, 2);
            self.commit(changes).await;
        }
    }
}
