//! What the agent says while it works, and its questions.

use chrono::Utc;
use common::ids::CardId;
use common::text::Say as _;
use common::text::host::HostText;
use tracing::debug;
use tracing::warn;
use uuid::Uuid;

use super::{Actor, frame};
use crate::agent;
use crate::agent::AgentEvent;
use crate::agent::AgentFault;
use crate::agent::PermissionRequest;
use crate::agent::RunState;
use crate::cards;
use crate::context::Origin;
use crate::journal::Change;
use crate::record::PromptRecord;
use crate::record::PromptState;
use crate::record::TurnRecord;
use crate::session::ask;
use crate::session::progress::Progress;
use crate::session::prompt_ids;

impl Actor {
    pub(super) async fn on_event(&mut self, event: AgentEvent) {
        match event {
            AgentEvent::Init { session_id, .. } => {
                if let Some(id) = session_id {
                    self.on_session_id(id).await;
                }
            }
            AgentEvent::SessionId(id) => self.on_session_id(id).await,
            AgentEvent::Consumed(key) => self.on_consumed(key).await,
            AgentEvent::AlreadyRun(key) => self.on_already_run(key).await,
            AgentEvent::Withdrawn(key) => self.on_withdrawn(key).await,
            AgentEvent::TextDelta { block, text } => self.progress(|p| p.delta(block, &text)),
            AgentEvent::Text { block, text } => self.progress(|p| p.text(block, text)),
            AgentEvent::DraftDropped { block } => self.progress(|p| p.drop_draft(block)),
            AgentEvent::ToolStarted {
                id, name, summary, ..
            } => self.progress(|p| p.tool(id, &name, &summary)),
            AgentEvent::ToolFinished { id, is_error, .. } => {
                self.progress(|p| p.tool_done(&id, is_error));
            }
            AgentEvent::Thinking => self.note(HostText::Thinking),
            AgentEvent::Compacting => self.note(HostText::Compacting),
            AgentEvent::Compacted { .. } => self.note(HostText::Working),
            AgentEvent::Retry { attempt, max, .. } => {
                self.note(HostText::Retrying { attempt, max });
            }
            AgentEvent::Permission(request) => self.on_permission(request).await,
            AgentEvent::PermissionWithdrawn { request_id } => {
                self.withdraw(&request_id).await;
            }
            AgentEvent::State(RunState::Idle) => self.on_idle().await,
            AgentEvent::State(RunState::Running | RunState::RequiresAction)
            | AgentEvent::Ready { .. }
            | AgentEvent::RateLimit { .. } => {}
            AgentEvent::LineDropped { bytes } => {
                warn!(bytes, "a line of the agent was too long and is lost");
            }
            AgentEvent::Finished(result) => self.on_finished(result).await,
            AgentEvent::Exited(exit) => {
                debug!(?exit, "agent ended");
                self.on_exited(exit.fault()).await;
            }
        }
    }

    /// The agent's process is gone: its questions, its turn and what was handed into that end here.
    pub(super) async fn on_exited(&mut self, fault: Option<AgentFault>) {
        common::crash_point!("host.exit.heard");
        self.live = None;
        self.record.process = None;
        for request in self.prompts.keys().cloned().collect::<Vec<_>>() {
            self.withdraw(&request).await;
        }
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
        common::crash_point!("host.exit.kept");
        self.on_crash(fault).await;
        self.on_idle().await;
    }

    pub(super) fn progress(&mut self, change: impl FnOnce(&mut Progress)) {
        common::crash_point!("host.agent.heard");
        if let Some(current) = &mut self.current {
            change(&mut current.progress);
            let note = if self.prompts.is_empty() {
                HostText::Working
            } else {
                HostText::WaitsForYou
            };
            current.touch(note);
        }
    }

    pub(super) async fn on_session_id(&mut self, id: Uuid) {
        if self.record.agent_session != id {
            self.record.agent_session = id;
            self.commit(vec![Change::Session(Box::new(self.record.clone()))])
                .await;
        }
    }

    /// A message handed into a running turn was taken, and ends with it; if that turn is over by
    /// now, it is a turn of its own.
    pub(super) async fn on_consumed(&mut self, key: Uuid) {
        if let Some(current) = &mut self.current
            && current.turn.key == key
        {
            current.consumed = true;
            return;
        }
        let Some(at) = self.folded.iter().position(|turn| turn.key == key) else {
            return;
        };
        let turn = self.folded.remove(at);
        common::crash_point!("host.fold.taken");
        match &mut self.current {
            Some(current) => current.taken.push(turn),
            None => self.follow(turn, true).await,
        }
    }

    /// A message that the agent has is a turn of its own.
    pub(super) async fn follow(&mut self, turn: TurnRecord, consumed: bool) {
        if self.start(turn, None).await
            && let Some(current) = &mut self.current
        {
            current.given = true;
            current.consumed = consumed;
        }
    }

    /// The agent gave a message back unread, as it was stopped: nothing was done for it.
    pub(super) async fn on_withdrawn(&mut self, key: Uuid) {
        if let Some(mut current) = self.current.take_if(|current| current.turn.key == key) {
            current.turn.given = false;
            self.stopped(current).await;
            self.on_idle().await;
            return;
        }
        // Handed into a turn that was stopped: it waits again, as it did before that.
        if let Some(at) = self.folded.iter().position(|turn| turn.key == key) {
            let turn = self.folded.remove(at);
            self.put_back(turn).await;
        }
    }

    /// We gave the agent a message that it has run before: after a restart of ours, or a link that
    /// broke in between. Its answer is in the transcript, or it was cut off.
    pub(super) async fn on_already_run(&mut self, key: Uuid) {
        let turns = if let Some(at) = self.folded.iter().position(|turn| turn.key == key) {
            vec![self.folded.remove(at)]
        } else if let Some(current) = self.current.take_if(|current| current.turn.key == key) {
            current.turns()
        } else {
            return;
        };
        self.settle_by_transcript(turns).await;
        self.on_idle().await;
    }

    pub(super) async fn on_permission(&mut self, request: PermissionRequest) {
        let Some(from) = self.last.clone() else {
            // Nobody to ask: no turn ever ran in this process. Refuse rather than wait for ever.
            if let Some(handle) = self.handle() {
                self.context.tasks.spawn(async move {
                    let no = agent::PermissionAnswer::deny("Nobody can be asked right now.");
                    let _ = handle.answer(request.request_id, no).await;
                });
            }
            return;
        };
        common::crash_point!("host.question.heard");
        let id = prompt_ids(&request.request_id, &self.record);
        let prompt = PromptRecord {
            id,
            session: self.record.id,
            user: from.user.clone(),
            chat: from.chat.clone(),
            lang: from.lang,
            cause: from.cause.clone(),
            card: CardId::derived(&["prompt", &id.to_string()]),
            request: request.request_id.clone(),
            ask: ask::ask(&request),
            state: PromptState::Open,
            asked_at: Utc::now(),
        };
        let frame = frame(&self.context, &self.record.dir, prompt.lang);
        let view = cards::question(frame, &prompt.ask, &self.context.node, id, None);
        let ring = HostText::Rings {
            dir: self.record.dir.clone(),
            tool: prompt.ask.tool.clone(),
        };
        self.commit(vec![
            Change::Prompt(Box::new(prompt.clone())),
            from.card(prompt.card, 1, view),
            from.notice(&id.to_string(), ring.say(prompt.lang)),
        ])
        .await;
        common::crash_point!("host.question.kept");
        self.prompts.insert(request.request_id, prompt);
        self.note(HostText::WaitsForYou);
        if let Some(current) = &mut self.current {
            current.pause();
        }
    }

    pub(super) async fn withdraw(&mut self, request: &str) {
        if let Some(mut prompt) = self.prompts.remove(request) {
            prompt.state = PromptState::Withdrawn { at: Utc::now() };
            let changes = self.settle_prompt(&prompt, 2);
            self.commit(changes).await;
            self.asked_no_more();
        }
    }

    /// The changes that settle a question, with this revision of its card.
    pub(super) fn settle_prompt(&self, prompt: &PromptRecord, rev: u32) -> Vec<Change> {
        let frame = frame(&self.context, &self.record.dir, prompt.lang);
        let how = ask::settled(&self.context, &prompt.state);
        let view = cards::question(
            frame,
            &prompt.ask,
            &self.context.node,
            prompt.id,
            how.as_ref(),
        );
        let from = Origin {
            user: prompt.user.clone(),
            chat: prompt.chat.clone(),
            cause: prompt.cause.clone(),
            lang: prompt.lang,
            traceparent: String::new(),
        };
        vec![
            Change::Prompt(Box::new(prompt.clone())),
            from.card(prompt.card, rev, view),
        ]
    }
}
