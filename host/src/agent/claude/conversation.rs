//! What the CLI's lines mean together: which message was taken, which draft a finished text
//! replaces, what a turn cost, which questions are open. Pure: lines in, [`Effect`]s out. Pipes,
//! time and the process are left to `driver`.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::drafts::Drafts;
use super::incoming::{
    Assistant, Block, HostRequest, Incoming, Init, Lifecycle, Line, Permission, Stream, TurnEnd,
};
use super::{outgoing, permission, result};
use crate::agent::text::{for_people, one_line, strip_ansi};
use crate::agent::{AgentEvent, HandleError, PermissionAnswer, RunState};

/// Messages sent and not yet consumed; older ones are forgotten, and then reported by nothing but
/// their turn's result.
const MAX_OUTSTANDING: usize = 256;
/// Open questions; further ones are refused for the person.
const MAX_OPEN: usize = 256;
/// What commands without output say on older versions.
const NO_CONTENT: &str = "(no content)";
/// Longest words of a tool's result that are shown.
const SHORT: usize = 200;

/// What follows from a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Tell this.
    Event(AgentEvent),
    /// Write this line.
    Write(String),
    /// A request of ours was answered.
    Answered {
        id: String,
        answer: Result<Value, String>,
    },
}

/// All that is remembered between lines.
pub(super) struct Conversation {
    cwd: PathBuf,
    session_id: Option<Uuid>,
    init: Option<Init>,
    state: RunState,
    /// The CLI tells its state itself.
    tells_state: bool,
    /// The CLI tells what becomes of each message.
    tells_lifecycle: bool,
    outstanding: VecDeque<Uuid>,
    queued: HashSet<Uuid>,
    open: BTreeMap<String, Permission>,
    drafts: Drafts,
    closing: bool,
    turn: result::Tally,
}

impl Conversation {
    pub(super) fn new(session_id: Uuid, cwd: PathBuf) -> Self {
        Self {
            cwd,
            session_id: Some(session_id),
            init: None,
            state: RunState::Idle,
            tells_state: false,
            tells_lifecycle: false,
            outstanding: VecDeque::new(),
            queued: HashSet::new(),
            open: BTreeMap::new(),
            drafts: Drafts::default(),
            closing: false,
            turn: result::Tally::default(),
        }
    }

    /// Something runs, or is about to.
    pub(super) fn is_busy(&self) -> bool {
        self.state != RunState::Idle || !self.outstanding.is_empty()
    }

    /// Messages the CLI holds and has not begun.
    pub(super) fn outstanding(&self) -> impl Iterator<Item = Uuid> {
        self.outstanding.iter().copied()
    }

    /// A message is on its way.
    pub(super) fn sent(&mut self, uuid: Uuid) {
        if self.outstanding.len() == MAX_OUTSTANDING
            && let Some(forgotten) = self.outstanding.pop_front()
        {
            self.queued.remove(&forgotten);
        }
        self.outstanding.push_back(uuid);
    }

    /// The CLI said that it gave this message back.
    pub(super) fn withdrawn(&mut self, uuid: Uuid) -> Vec<Effect> {
        if self.settle(uuid) {
            vec![Effect::Event(AgentEvent::Withdrawn(uuid))]
        } else {
            Vec::new()
        }
    }

    /// What the answer to the greeting tells of the version.
    pub(super) fn greeted(&mut self, answer: &Value) {
        // Versions that name their capabilities have lifecycle lines, too.
        self.tells_lifecycle |= answer.get("capabilities").is_some();
    }

    /// The line that answers a question.
    pub(super) fn answer(
        &mut self,
        request_id: &str,
        answer: &PermissionAnswer,
    ) -> Result<String, HandleError> {
        let asked = self.open.remove(request_id).ok_or(HandleError::NotOpen)?;
        let response = permission::response(&asked, answer, &self.cwd);
        Ok(outgoing::success(request_id, &response))
    }

    /// From here on nobody answers questions: open ones are refused, as are later ones.
    pub(super) fn close(&mut self) -> Vec<Effect> {
        self.closing = true;
        std::mem::take(&mut self.open)
            .into_keys()
            .flat_map(|request_id| {
                let line = outgoing::success(&request_id, &permission::refusal_at_the_end());
                [
                    Effect::Write(line),
                    Effect::Event(AgentEvent::PermissionWithdrawn { request_id }),
                ]
            })
            .collect()
    }

    /// Takes in one line.
    pub(super) fn on_line(&mut self, incoming: Incoming) -> Vec<Effect> {
        let mut out = Vec::new();
        let session_id = incoming.session_id;
        match incoming.line {
            // Also after the conversation was cleared: what the word of that calls the new
            // conversation's id is not the one to resume.
            Line::Init(init) => {
                self.on_session(session_id, &mut out);
                self.on_init(init, &mut out);
            }
            Line::State(state) => {
                self.tells_state = true;
                self.on_state(state, &mut out);
            }
            Line::Lifecycle { uuid, state } => self.on_lifecycle(uuid, state, &mut out),
            Line::Replay(uuid) => self.on_replay(uuid, &mut out),
            Line::Stream { nested: true, .. } => {}
            Line::Stream {
                nested: false,
                event,
            } => self.on_stream(event, &mut out),
            Line::Assistant(assistant) => self.on_assistant(assistant, &mut out),
            Line::ToolResults(results) => out.extend(results.into_iter().map(|result| {
                Effect::Event(AgentEvent::ToolFinished {
                    id: result.id,
                    is_error: result.is_error,
                    short: one_line(&for_people(&result.text), SHORT),
                })
            })),
            Line::Result(end) => self.on_result(session_id, &end, &mut out),
            Line::Retry {
                attempt,
                max,
                delay_ms,
                status,
                error,
            } => out.push(Effect::Event(AgentEvent::Retry {
                attempt,
                max,
                delay: Duration::from_millis(delay_ms),
                status,
                error,
            })),
            Line::RateLimit {
                rejected,
                resets_at,
                window,
            } => {
                self.turn.heard_of_limit(resets_at);
                out.push(Effect::Event(AgentEvent::RateLimit {
                    rejected,
                    resets_at,
                    window,
                }));
            }
            Line::Compacting => out.push(Effect::Event(AgentEvent::Compacting)),
            Line::Compacted { before, after } => {
                self.turn.compacted(after);
                out.push(Effect::Event(AgentEvent::Compacted { before, after }));
            }
            Line::Request { id, request } => self.on_request(id, request, &mut out),
            Line::Response { id, answer } => out.push(Effect::Answered { id, answer }),
            Line::CancelRequest(request_id) => {
                if self.open.remove(&request_id).is_some() {
                    let withdrawn = AgentEvent::PermissionWithdrawn { request_id };
                    out.push(Effect::Event(withdrawn));
                }
            }
            Line::Unknown(what) => tracing::trace!(what, "line of no interest"),
        }
        out
    }

    fn on_session(&mut self, session_id: Option<Uuid>, out: &mut Vec<Effect>) {
        if let Some(id) = session_id
            && self.session_id != Some(id)
        {
            self.session_id = Some(id);
            out.push(Effect::Event(AgentEvent::SessionId(id)));
        }
    }

    fn on_init(&mut self, init: Init, out: &mut Vec<Effect>) {
        if !self.tells_state {
            self.on_state(RunState::Running, out);
        }
        self.turn.runs_with(&init.model);
        if self.init.as_ref() != Some(&init) {
            out.push(Effect::Event(AgentEvent::Init {
                session_id: self.session_id,
                model: init.model.clone(),
                slash_commands: init.slash_commands.clone(),
                version: init.version.clone(),
                permission_mode: init.permission_mode.clone(),
            }));
            self.init = Some(init);
        }
    }

    fn on_state(&mut self, state: RunState, out: &mut Vec<Effect>) {
        if self.state != state {
            self.state = state;
            out.push(Effect::Event(AgentEvent::State(state)));
        }
    }

    fn on_lifecycle(&mut self, uuid: Uuid, state: Lifecycle, out: &mut Vec<Effect>) {
        self.tells_lifecycle = true;
        match state {
            Lifecycle::Queued => {
                if self.outstanding.contains(&uuid) {
                    self.queued.insert(uuid);
                }
            }
            Lifecycle::Started => self.consume(uuid, out),
            // Of a message that never began: it had run before.
            Lifecycle::Completed => {
                if self.settle(uuid) {
                    out.push(Effect::Event(AgentEvent::AlreadyRun(uuid)));
                }
            }
            Lifecycle::Cancelled => out.extend(self.withdrawn(uuid)),
        }
    }

    /// A message is echoed when it is taken, or at once when it has run before. What tells the two
    /// apart is that nothing was said of it, or that nothing runs.
    fn on_replay(&mut self, uuid: Uuid, out: &mut Vec<Effect>) {
        let fresh = if self.tells_lifecycle {
            self.queued.contains(&uuid)
        } else {
            self.state != RunState::Idle
        };
        if fresh {
            self.consume(uuid, out);
        } else if self.settle(uuid) {
            out.push(Effect::Event(AgentEvent::AlreadyRun(uuid)));
        }
    }

    fn consume(&mut self, uuid: Uuid, out: &mut Vec<Effect>) {
        if self.settle(uuid) {
            self.turn.consumed(uuid);
            out.push(Effect::Event(AgentEvent::Consumed(uuid)));
        }
    }

    /// Strikes a message off the list; false if it was not on it.
    fn settle(&mut self, uuid: Uuid) -> bool {
        self.queued.remove(&uuid);
        let before = self.outstanding.len();
        self.outstanding.retain(|known| *known != uuid);
        self.outstanding.len() < before
    }

    fn on_stream(&mut self, event: Stream, out: &mut Vec<Effect>) {
        match event {
            Stream::MessageStart { id, tokens } => {
                self.drop_drafts(out);
                self.drafts.begin_message(id);
                self.turn.call_began(tokens);
            }
            Stream::TextStart { index } => {
                self.drafts.at(index);
            }
            Stream::ThinkingStart => out.push(Effect::Event(AgentEvent::Thinking)),
            Stream::Text { index, text } => {
                if !text.is_empty()
                    && let Some(block) = self.drafts.at(index)
                {
                    out.push(Effect::Event(AgentEvent::TextDelta { block, text }));
                }
            }
            Stream::Written { tokens } => self.turn.call_wrote(tokens),
            Stream::Other => {}
        }
    }

    fn drop_drafts(&mut self, out: &mut Vec<Effect>) {
        let dropped = self.drafts.drop_all();
        out.extend(dropped.map(|block| Effect::Event(AgentEvent::DraftDropped { block })));
    }

    fn on_assistant(&mut self, assistant: Assistant, out: &mut Vec<Effect>) {
        let made_up = assistant.model.is_none();
        if assistant.parent.is_none() {
            if let Some(error) = assistant.error {
                // Its text comes again in the result, where it is sorted.
                self.turn.failed_with(error);
                return;
            }
            self.turn.answered(assistant.model, assistant.tokens);
        }
        for block in assistant.blocks {
            match block {
                Block::Text(text) if made_up && text == NO_CONTENT => {}
                Block::Text(text) if assistant.parent.is_none() => {
                    let block = self.drafts.finish(&assistant.message_id);
                    let text = if made_up { strip_ansi(&text) } else { text };
                    out.push(Effect::Event(AgentEvent::Text { block, text }));
                }
                Block::Tool { id, name, input } => {
                    out.push(Effect::Event(AgentEvent::ToolStarted {
                        id,
                        summary: result::summary(&input),
                        name,
                        input,
                        parent: assistant.parent.clone(),
                    }));
                }
                Block::Text(_) | Block::Other => {}
            }
        }
    }

    fn on_result(&mut self, session_id: Option<Uuid>, end: &TurnEnd, out: &mut Vec<Effect>) {
        self.drop_drafts(out);
        // A failed resume bears an id that is made up.
        if !end.is_error {
            self.on_session(session_id, out);
        }
        // Older versions say nothing of commands that they take.
        if !self.tells_lifecycle
            && self.turn.is_unasked()
            && let Some(oldest) = self.outstanding.front().copied()
        {
            self.consume(oldest, out);
        }
        let finished = self.turn.finish(end, self.session_id);
        out.push(Effect::Event(AgentEvent::Finished(finished)));
        if !self.tells_state {
            self.on_state(RunState::Idle, out);
        }
    }

    fn on_request(&mut self, id: String, request: HostRequest, out: &mut Vec<Effect>) {
        match request {
            HostRequest::Permission(_) if self.closing => {
                out.push(Effect::Write(outgoing::success(
                    &id,
                    &permission::refusal_at_the_end(),
                )));
            }
            HostRequest::Permission(_) if self.open.len() >= MAX_OPEN => {
                let words = "Too many questions are open; ask again later.";
                out.push(Effect::Write(outgoing::error(&id, words)));
            }
            HostRequest::Permission(asked) => {
                let event = permission::event(&id, &asked, &self.cwd);
                out.push(Effect::Event(AgentEvent::Permission(event)));
                self.open.insert(id, *asked);
            }
            HostRequest::Unsupported(what) => {
                tracing::debug!(what, "request that is not supported");
                let words = format!("{what} is not supported by this host");
                out.push(Effect::Write(outgoing::error(&id, &words)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
