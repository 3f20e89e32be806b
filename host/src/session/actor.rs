//! The task of one session. It takes messages, hands them to the agent one turn at a time, shows
//! what happens, asks the person, and writes each step down before it acts on it.
//!
//! Crash points: a turn is `Started` in the journal before the agent gets it, so a restart finds
//! it; the agent knows its key, so giving it twice runs it once; its answer and its removal are one
//! step. What is found after a restart is `recover`'s; how cards look is `cards`'.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::ids::{CardId, TurnId};
use common::message::encode;
use common::message::view::{Answer, QueueChoice, Recovery, Tone};
use common::subject;
use common::text::Say as _;
use common::text::host::HostText;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::ask;
use super::progress::{Progress, one_line};
use super::recover::{self, Orphan, Outcome};
use super::slots::Slot;
use super::turn::{Current, Stopping, origin};
use super::{Brief, MAX_QUEUED, Msg, prompt_ids};
use crate::agent::{
    self, Agent, AgentEvent, AgentFault, AgentHandle, PermissionRequest, RunState, TurnOutcome,
    TurnResult, UserMessage,
};
use crate::cards::{self, Frame};
use crate::context::{Context, Origin};
use crate::journal::Change;
use crate::record::{
    ProcessRecord, PromptRecord, PromptState, SessionRecord, TurnRecord, TurnState,
};

/// A turn that took longer than this ends with a short message that rings.
const LONG_TURN: Duration = Duration::from_secs(60);
/// Turns cut off that can still be taken up; the oldest is let go.
const MAX_INTERRUPTED: usize = 20;
/// Time for a running turn to stop when the host stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Time for the agent's process to end after that, before it is ended by force.
const EXIT_WITHIN: Duration = Duration::from_secs(3);

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
    brief: watch::Sender<Brief>,
    live: Option<Live>,
    queue: VecDeque<TurnRecord>,
    current: Option<Current>,
    folded: Vec<TurnRecord>,
    interrupted: Vec<TurnRecord>,
    prompts: HashMap<String, PromptRecord>,
    orphan: Option<Orphan>,
    /// Where words that nobody asked for go: the chat of the last turn.
    last: Option<Origin>,
    wants_slot: bool,
    failed: mpsc::Receiver<Uuid>,
    fail: mpsc::Sender<Uuid>,
    idle_at: Instant,
    ended: bool,
}

enum Wake {
    Msg(Option<Msg>),
    Event(Option<AgentEvent>),
    SendFailed(Uuid),
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
        inbox: mpsc::Receiver<Msg>,
        brief: watch::Sender<Brief>,
    ) -> Self {
        let (fail, failed) = mpsc::channel(8);
        Self {
            context,
            record,
            inbox,
            brief,
            live: None,
            queue: VecDeque::new(),
            current: None,
            folded: Vec::new(),
            interrupted: Vec::new(),
            prompts: HashMap::new(),
            orphan: None,
            last: None,
            wants_slot: false,
            failed,
            fail,
            idle_at: Instant::now(),
            ended: false,
        }
    }

    pub(super) async fn run(mut self, turns: Vec<TurnRecord>, prompts: Vec<PromptRecord>) {
        self.take_up(turns, prompts).await;
        while !self.ended {
            self.tell();
            match self.wake().await {
                Wake::Msg(Some(msg)) => self.on_msg(msg).await,
                Wake::Msg(None) | Wake::Cancelled => break,
                Wake::Event(Some(event)) => self.on_event(event).await,
                Wake::Event(None) => self.live = None,
                Wake::SendFailed(key) => self.on_send_failed(key).await,
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
                        std::future::pending().await
                    }
                };
                (Some(&mut live.agent.events), Some(wanted))
            }
            None => (None, None),
        };
        tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => Wake::Cancelled,
            event = async { match events {
                Some(events) => events.recv().await,
                None => std::future::pending().await,
            } } => Wake::Event(event),
            Some(key) = self.failed.recv() => Wake::SendFailed(key),
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
            () = tokio::time::sleep_until(due) => Wake::Clock,
        }
    }

    /// When the clock has something to do.
    fn due(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        match &self.current {
            Some(current) => {
                let stop = if current.stopping.is_none() {
                    current.deadline
                } else {
                    far
                };
                current.preview_at().map_or(stop, |at| at.min(stop))
            }
            None if self.live.is_some() && self.prompts.is_empty() => {
                self.idle_at + Duration::from_secs(self.record.idle_s)
            }
            None => far,
        }
    }

    async fn on_clock(&mut self) {
        let now = Instant::now();
        let dir = self.record.dir.clone();
        match &mut self.current {
            Some(current) => {
                if current.preview_at().is_some_and(|at| at <= now) {
                    let frame = frame(&self.context, &dir, current.turn.lang);
                    let preview = current.preview(&self.context, frame);
                    let subject =
                        subject::delta(&self.context.node, &current.turn.user, current.turn.id);
                    // Droppable, and never in the way: the next one says it all again.
                    let send = self
                        .context
                        .broker
                        .client()
                        .publish(subject, encode(&preview).into());
                    let _ = tokio::time::timeout(Duration::from_millis(50), send).await;
                }
                if current.stopping.is_none() && current.deadline <= now {
                    self.interrupt(Stopping::Timeout);
                }
            }
            None => {
                let idle = Duration::from_secs(self.record.idle_s);
                if self.idle_at + idle <= now && self.prompts.is_empty() {
                    self.close_agent().await;
                }
            }
        }
    }

    // ---- what others ask for

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
            Msg::Close(done) => {
                self.close_for_good().await;
                let _ = done.send(());
            }
        }
    }

    async fn on_turn(&mut self, place: u64, mut turn: TurnRecord) {
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
        if self.busy() {
            turn.rev = 1;
            let view = self.queued_view(&turn, self.queue.len() + 1);
            self.commit(vec![
                Change::Turn(Box::new(turn.clone())),
                from.card(turn.card, turn.rev, view),
                Change::Done(place),
            ])
            .await;
            self.queue.push_back(turn);
        } else {
            self.begin(turn, Some(place)).await;
        }
    }

    async fn on_answer(&mut self, place: u64, from: &Origin, prompt: PromptRecord, answer: Answer) {
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
        self.note(HostText::Working);
    }

    async fn on_stop(&mut self, place: u64, from: &Origin, turn: Option<TurnId>) {
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
            self.interrupt(Stopping::Person);
        }
    }

    async fn on_recover(&mut self, place: u64, turn: TurnId, choice: Recovery) {
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
                if self.busy() {
                    turn.state = TurnState::Queued;
                    turn.rev += 1;
                    let view = self.queued_view(&turn, self.queue.len() + 1);
                    self.commit(vec![
                        Change::Turn(Box::new(turn.clone())),
                        from.card(turn.card, turn.rev, view),
                        Change::Done(place),
                    ])
                    .await;
                    self.queue.push_back(turn);
                } else {
                    self.begin(turn, Some(place)).await;
                }
            }
        }
    }

    async fn on_queued(&mut self, place: u64, turn: TurnId, choice: QueueChoice) {
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

    // ---- turns

    /// Whether a new turn has to wait.
    fn busy(&self) -> bool {
        self.current.is_some()
            || self.orphan.is_some()
            || !self.queue.is_empty()
            || !self.folded.is_empty()
    }

    fn queued_view(&self, turn: &TurnRecord, place: usize) -> common::message::view::View {
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        cards::queued(
            frame,
            &one_line(&turn.text, 80),
            place,
            &self.context.node,
            turn.id,
            self.current.is_some(),
        )
    }

    /// Starts the next turn that waits, if nothing is in its way; one that fails at once makes way
    /// for the one behind it.
    async fn go_on(&mut self) {
        if self.wants_slot {
            self.give_current().await;
        }
        while self.current.is_none() && self.orphan.is_none() && self.folded.is_empty() {
            let Some(turn) = self.queue.pop_front() else {
                return;
            };
            self.begin(turn, None).await;
        }
    }

    /// Writes a turn down as started, shows its card, and gives it to the agent.
    async fn begin(&mut self, mut turn: TurnRecord, place: Option<u64>) {
        let now = Utc::now();
        turn.state = TurnState::Started { at: now };
        turn.rev += 1;
        self.record.used_at = now;
        let timeout = Duration::from_secs(self.record.timeout_s);
        let current = Current::new(turn, timeout);
        let turn = &current.turn;
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let view = cards::working(
            frame,
            &Progress::default(),
            &HostText::Working,
            &self.context.node,
            turn.id,
        );
        let from = origin(turn);
        let mut changes = vec![
            Change::Turn(Box::new(turn.clone())),
            Change::Session(Box::new(self.record.clone())),
            from.card(turn.card, turn.rev, view),
        ];
        changes.extend(place.map(Change::Done));
        self.last = Some(from);
        if !self.commit(changes).await {
            return;
        }
        self.current = Some(current);
        self.give_current().await;
    }

    /// Gives the current turn to the agent, which is started when it must be.
    async fn give_current(&mut self) {
        if self.live.is_none()
            && let Err(fault) = self.open_agent().await
        {
            match fault {
                Some(fault) => self.fail_current(&fault).await,
                None => self.wants_slot = true,
            }
            return;
        }
        self.wants_slot = false;
        if let Some(live) = &mut self.live {
            live.idle = false;
            live.slot.set_idle(false);
        }
        let Some(current) = &mut self.current else {
            return;
        };
        current.given = true;
        let turn = current.turn.clone();
        self.give(&turn);
    }

    fn give(&self, turn: &TurnRecord) {
        let Some(live) = &self.live else { return };
        let message = UserMessage::text(turn.key, turn.text.clone());
        let (handle, fail) = (live.agent.handle.clone(), self.fail.clone());
        // Beside this task, which must go on reading what the agent says meanwhile.
        self.context.tasks.spawn(async move {
            let key = message.uuid;
            if let Err(why) = handle.send(message).await {
                warn!(%why, "the agent did not take a message");
                let _ = fail.send(key).await;
            }
        });
    }

    /// `Err(None)`: no slot is free.
    async fn open_agent(&mut self) -> Result<(), Option<AgentFault>> {
        let Some(slot) = self.context.slots.take(self.record.id) else {
            return Err(None);
        };
        let spec = recover::spec(&self.context, &self.record)
            .await
            .map_err(Some)?;
        let agent =
            agent::start(agent::Backend::Claude, spec, &self.context.tasks).map_err(|why| {
                warn!(%why, "the agent cannot be started");
                Some(AgentFault::from(&why))
            })?;
        info!(session = %self.record.id, pid = agent.handle.pid(), dir = %self.record.dir, "agent started");
        self.record.process = agent.handle.started().map(|started| ProcessRecord {
            pid: agent.handle.pid(),
            started: started.to_owned(),
        });
        self.live = Some(Live {
            agent,
            slot,
            idle: false,
        });
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
        Ok(())
    }

    fn handle(&self) -> Option<AgentHandle> {
        self.live.as_ref().map(|live| live.agent.handle.clone())
    }

    fn interrupt(&mut self, why: Stopping) {
        let Some(current) = &mut self.current else {
            return;
        };
        if current.stopping.is_some() {
            return;
        }
        current.stopping = Some(why);
        current.touch(HostText::Stopping);
        if let Some(handle) = self.handle() {
            self.context.tasks.spawn(async move {
                if let Err(why) = handle.interrupt().await {
                    warn!(%why, "the agent did not take the interruption");
                }
            });
        }
    }

    fn note(&mut self, note: HostText) {
        if let Some(current) = &mut self.current {
            current.touch(note);
        }
    }

    // ---- what the agent says

    async fn on_event(&mut self, event: AgentEvent) {
        match event {
            AgentEvent::Init { session_id, .. } => {
                if let Some(id) = session_id {
                    self.on_session_id(id).await;
                }
            }
            AgentEvent::SessionId(id) => self.on_session_id(id).await,
            AgentEvent::Consumed(key) => self.on_consumed(key).await,
            AgentEvent::AlreadyRun(key) => self.on_already_run(key).await,
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
            | AgentEvent::Withdrawn(_)
            | AgentEvent::RateLimit { .. } => {}
            AgentEvent::LineDropped { bytes } => {
                warn!(bytes, "a line of the agent was too long and is lost");
            }
            AgentEvent::Finished(result) => self.on_finished(result).await,
            AgentEvent::Exited(exit) => {
                debug!(?exit, "agent ended");
                self.live = None;
                self.record.process = None;
                for request in self.prompts.keys().cloned().collect::<Vec<_>>() {
                    self.withdraw(&request).await;
                }
                let fault = exit.fault();
                self.commit(vec![Change::Session(Box::new(self.record.clone()))])
                    .await;
                if self.current.is_some() {
                    self.on_crash(fault).await;
                }
                self.on_idle().await;
            }
        }
    }

    fn progress(&mut self, change: impl FnOnce(&mut Progress)) {
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

    async fn on_session_id(&mut self, id: Uuid) {
        if self.record.agent_session != id {
            self.record.agent_session = id;
            self.commit(vec![Change::Session(Box::new(self.record.clone()))])
                .await;
        }
    }

    /// A message handed into a running turn was taken; if that turn is over by now, it is a turn
    /// of its own.
    async fn on_consumed(&mut self, key: Uuid) {
        let Some(at) = self.folded.iter().position(|turn| turn.key == key) else {
            return;
        };
        let turn = self.folded.remove(at);
        if self.current.is_some() {
            self.commit(vec![Change::DropTurn(turn.id)]).await;
            return;
        }
        let mut turn = turn;
        turn.state = TurnState::Started { at: Utc::now() };
        turn.rev += 1;
        let mut current = Current::new(turn, Duration::from_secs(self.record.timeout_s));
        current.given = true;
        current.touch(HostText::Working);
        let turn = &current.turn;
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let view = cards::working(
            frame,
            &Progress::default(),
            &HostText::Working,
            &self.context.node,
            turn.id,
        );
        let changes = vec![
            Change::Turn(Box::new(turn.clone())),
            origin(turn).card(turn.card, turn.rev, view),
        ];
        self.commit(changes).await;
        self.current = Some(current);
    }

    /// We gave the agent a message that it has run before: after a restart of ours, or a link that
    /// broke in between. Its answer is in the transcript, or it was cut off.
    async fn on_already_run(&mut self, key: Uuid) {
        let ours = self
            .current
            .as_ref()
            .is_some_and(|current| current.turn.key == key);
        if !ours {
            return;
        }
        if let Some(current) = self.current.take() {
            self.settle_by_transcript(current.turn).await;
        }
        self.on_idle().await;
    }

    async fn on_permission(&mut self, request: PermissionRequest) {
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
        self.prompts.insert(request.request_id, prompt);
        self.note(HostText::WaitsForYou);
    }

    async fn withdraw(&mut self, request: &str) {
        if let Some(mut prompt) = self.prompts.remove(request) {
            prompt.state = PromptState::Withdrawn { at: Utc::now() };
            let changes = self.settle_prompt(&prompt);
            self.commit(changes).await;
            self.note(HostText::Working);
        }
    }

    fn settle_prompt(&self, prompt: &PromptRecord) -> Vec<Change> {
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
            from.card(prompt.card, 2, view),
        ]
    }

    async fn on_finished(&mut self, result: TurnResult) {
        if let Some(id) = result.session_id {
            self.record.agent_session = id;
        }
        if let Some(current) = self.current.take() {
            self.finish(current, result).await;
        } else if !result.text.trim().is_empty() && result.outcome == TurnOutcome::Success {
            // A turn that nobody asked for: background work ended.
            if let Some(from) = self.last.clone() {
                let mut view = cards::finished(
                    frame(&self.context, &self.record.dir, from.lang),
                    &Progress::default(),
                    &result.text,
                    vec![HostText::Background.say(from.lang)],
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

    /// The end of a turn: its answer, and its removal from the journal, in one step.
    async fn finish(&mut self, current: Current, result: TurnResult) {
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
                let views =
                    cards::finished(frame, &current.progress, &text, footer(&result, took, lang));
                let changes = self.answer(&current.turn, views, took);
                self.commit(changes).await;
            }
            TurnOutcome::Interrupted => match current.stopping {
                Some(Stopping::Timeout) => {
                    let why = HostText::TimedOut {
                        after: self.record.timeout_s,
                    };
                    self.cut_off(current, &why, &HostText::Continue, Some("turn-timeout"))
                        .await;
                }
                Some(Stopping::Shutdown) => {
                    let why = HostText::Interrupted {
                        prompt: one_line(&current.turn.text, 80),
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
            },
            TurnOutcome::MaxTurns | TurnOutcome::MaxBudget => {
                let why = HostText::AgentLimit;
                self.cut_off(current, &why, &HostText::Continue, Some("agent-limit"))
                    .await;
            }
            TurnOutcome::ApiError(fault) | TurnOutcome::Failed(fault) => {
                self.fail(current, fault).await;
            }
        }
    }

    /// The changes that show an answer, one card after the other, and let the turn go.
    fn answer(
        &self,
        turn: &TurnRecord,
        views: Vec<common::message::view::View>,
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
    async fn cut_off(
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
        turn.state = TurnState::Interrupted;
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
            changes.push(Change::DropTurn(self.interrupted.remove(0).id));
        }
        self.commit(changes).await;
    }

    async fn fail(&mut self, current: Current, fault: &AgentFault) {
        let context = Arc::clone(&self.context);
        let (why, code, again) = cards::failure(fault, |at| {
            chrono::DateTime::from_timestamp(at, 0).map_or_else(String::new, |at| context.clock(at))
        });
        warn!(code, %fault, session = %self.record.id, turn = %current.turn.id, "turn failed");
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

    async fn fail_current(&mut self, fault: &AgentFault) {
        self.wants_slot = false;
        if let Some(current) = self.current.take() {
            self.fail(current, fault).await;
        }
    }

    async fn on_send_failed(&mut self, key: Uuid) {
        let ours = self
            .current
            .as_ref()
            .is_some_and(|current| current.turn.key == key);
        // When the process has ended, its exit says why, and settles the turn.
        if ours && self.live.is_none() {
            self.on_crash(None).await;
            self.on_idle().await;
        }
    }

    /// The agent's process ended in the middle of a turn.
    async fn on_crash(&mut self, fault: Option<AgentFault>) {
        let Some(current) = self.current.take() else {
            return;
        };
        let fault = fault.unwrap_or(AgentFault::Crashed {
            code: None,
            signal: None,
            stderr: String::new(),
        });
        if current.stopping == Some(Stopping::Shutdown) {
            let why = HostText::Interrupted {
                prompt: one_line(&current.turn.text, 80),
            };
            self.cut_off(current, &why, &HostText::Continue, None).await;
            return;
        }
        match recover::outcome(&self.context, &self.record, current.turn.key).await {
            Outcome::Finished(text) => {
                self.deliver_recovered(current.turn, &text, Vec::new())
                    .await;
            }
            Outcome::NotFound | Outcome::Unfinished => self.fail(current, &fault).await,
        }
    }

    /// Nothing runs in the agent any more.
    async fn on_idle(&mut self) {
        self.idle_at = Instant::now();
        if self.current.is_none() {
            // Handed into a turn that is over: they were answered with it.
            let folded: Vec<Change> = self
                .folded
                .drain(..)
                .map(|turn| Change::DropTurn(turn.id))
                .collect();
            if !folded.is_empty() {
                self.commit(folded).await;
            }
            if let Some(live) = &mut self.live {
                live.idle = true;
                live.slot.set_idle(true);
            }
            self.go_on().await;
        }
    }

    // ---- after a restart

    async fn take_up(&mut self, turns: Vec<TurnRecord>, prompts: Vec<PromptRecord>) {
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

    async fn on_orphan_gone(&mut self) {
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
    async fn settle_by_transcript(&mut self, turn: TurnRecord) {
        match recover::outcome(&self.context, &self.record, turn.key).await {
            Outcome::Finished(text) => self.deliver_recovered(turn, &text, Vec::new()).await,
            Outcome::NotFound | Outcome::Unfinished => self.show_interrupted(turn, false).await,
        }
    }

    async fn show_interrupted(&mut self, turn: TurnRecord, alive: bool) {
        let prompt = one_line(&turn.text, 80);
        let why = if alive {
            HostText::InterruptedAlive { prompt }
        } else {
            HostText::Interrupted { prompt }
        };
        let current = Current::new(turn, Duration::ZERO);
        self.cut_off(current, &why, &HostText::Continue, None).await;
    }

    async fn deliver_recovered(&mut self, turn: TurnRecord, text: &str, extra: Vec<Change>) {
        let frame = frame(&self.context, &self.record.dir, turn.lang);
        let footer = vec![HostText::Recovered.say(turn.lang)];
        let views = cards::finished(frame, &Progress::default(), text, footer);
        let mut changes = self.answer(&turn, views, Duration::ZERO);
        changes.extend(extra);
        self.commit(changes).await;
    }

    // ---- the end

    async fn close_agent(&mut self) {
        let Some(mut live) = self.live.take() else {
            return;
        };
        let handle = live.agent.handle.clone();
        let closing = tokio::spawn(async move { handle.close().await });
        // It may still have something to say, and waits until it is heard.
        while live.agent.events.recv().await.is_some() {}
        let _ = closing.await;
        self.record.process = None;
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
    }

    /// `/close`: everything of this session goes, its directory stays.
    async fn close_for_good(&mut self) {
        if let Some(orphan) = self.orphan.take() {
            orphan.end().await;
        }
        if self.current.is_some() {
            self.interrupt(Stopping::Person);
            self.drain(STOP_WITHIN).await;
        }
        self.close_agent().await;
        let mut changes = Vec::new();
        let frame_dir = self.record.dir.clone();
        let current = self.current.take().map(|current| current.turn);
        for mut turn in self.queue.drain(..).chain(current) {
            turn.rev += 1;
            let frame = frame(&self.context, &frame_dir, turn.lang);
            let view = cards::note(frame, Tone::Plain, &HostText::Cancelled);
            changes.push(origin(&turn).card(turn.card, turn.rev, view));
            changes.push(Change::DropTurn(turn.id));
        }
        for turn in self.interrupted.drain(..).chain(self.folded.drain(..)) {
            changes.push(Change::DropTurn(turn.id));
        }
        changes.push(Change::DropSession(self.record.id));
        self.commit(changes).await;
        self.ended = true;
    }

    /// The host stops: a running turn is interrupted and offered again; no process is left behind.
    async fn shut_down(&mut self) {
        if self.current.is_some() {
            self.interrupt(Stopping::Shutdown);
            self.drain(STOP_WITHIN).await;
        }
        let Some(live) = self.live.take() else { return };
        let handle = live.agent.handle.clone();
        let closing = async {
            let close = handle.close();
            let mut events = live.agent.events;
            tokio::pin!(close);
            loop {
                tokio::select! {
                    _ = &mut close => break,
                    event = events.recv() => if event.is_none() { let _ = (&mut close).await; break },
                }
            }
        };
        if tokio::time::timeout(EXIT_WITHIN, closing).await.is_err() {
            let _ = tokio::time::timeout(Duration::from_secs(1), live_kill(&handle)).await;
        }
        self.record.process = None;
        self.commit(vec![Change::Session(Box::new(self.record.clone()))])
            .await;
    }

    /// Goes on listening to the agent until the current turn is over, or `within`.
    async fn drain(&mut self, within: Duration) {
        let until = Instant::now() + within;
        while self.current.is_some() {
            let Some(live) = &mut self.live else { return };
            match tokio::time::timeout_at(until, live.agent.events.recv()).await {
                Ok(Some(event)) => Box::pin(self.on_event(event)).await,
                Ok(None) => self.live = None,
                Err(_) => return,
            }
        }
    }

    // ---- small things

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

    pub(super) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    pub(super) fn record(&self) -> &SessionRecord {
        &self.record
    }

    /// Puts back what the journal knows of turns that do not run.
    pub(super) fn restore(&mut self, turn: TurnRecord) {
        if turn.state == TurnState::Interrupted {
            self.interrupted.push(turn);
        } else {
            self.queue.push_back(turn);
        }
    }

    pub(super) fn remember(&mut self, from: Origin) {
        self.last = Some(from);
    }

    pub(super) async fn withdraw_all(&mut self, prompts: Vec<PromptRecord>) {
        for mut prompt in prompts {
            prompt.state = PromptState::Withdrawn { at: Utc::now() };
            let changes = self.settle_prompt(&prompt);
            self.commit(changes).await;
        }
    }
}

async fn live_kill(handle: &AgentHandle) {
    handle.kill().await;
}

fn frame<'a>(context: &'a Context, dir: &'a str, lang: common::lang::Lang) -> Frame<'a> {
    Frame {
        node: &context.name,
        dir,
        lang,
    }
}

/// Small print of an answer: model, time, cost, how full the conversation is.
fn footer(result: &TurnResult, took: Duration, lang: common::lang::Lang) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(result.model.clone());
    let secs = took.as_secs();
    parts.push(if secs < 60 {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} min {} s", secs / 60, secs % 60)
    });
    if result.cost_usd > 0.0 {
        parts.push(format!("${:.2}", result.cost_usd));
    }
    if let (Some(used), Some(window)) = (result.context_used, result.context_window)
        && window > 0
    {
        let percent = used * 100 / window;
        parts.push(HostText::Context { percent }.say(lang));
    }
    parts
}
