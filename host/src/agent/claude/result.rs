//! What a turn came to: its outcome, its cost, how full the conversation is. The CLI's counters
//! are running totals and its `success` does not mean success; here they are set right.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::fields::str_at;
use super::incoming::TurnEnd;
use crate::agent::text::{for_people, one_line};
use crate::agent::{AgentFault, Evidence, TurnOutcome, TurnResult};

/// Messages listed for one turn; more are folded in than anybody types.
const MAX_MESSAGES: usize = 256;
/// Longest line that tells what a tool call is about.
const SUMMARY: usize = 160;

/// Counts what belongs to the running turn, and what is carried from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Tally {
    messages: Vec<Uuid>,
    error_kind: Option<String>,
    resets_at: Option<i64>,
    total_cost: f64,
    model: Option<String>,
    call_read: Option<u64>,
    context_used: Option<u64>,
    context_window: Option<u64>,
}

impl Tally {
    pub(super) fn consumed(&mut self, uuid: Uuid) {
        if self.messages.len() < MAX_MESSAGES {
            self.messages.push(uuid);
        }
    }

    /// No message of ours is known to have begun it.
    pub(super) fn is_unasked(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn failed_with(&mut self, kind: String) {
        self.error_kind = Some(kind);
    }

    pub(super) fn heard_of_limit(&mut self, resets_at: Option<i64>) {
        self.resets_at = resets_at.or(self.resets_at);
    }

    pub(super) fn runs_with(&mut self, model: &str) {
        if !model.is_empty() {
            self.model = Some(model.to_owned());
        }
    }

    pub(super) fn call_began(&mut self, read: Option<u64>) {
        self.call_read = read;
        self.context_used = read.or(self.context_used);
    }

    pub(super) fn call_wrote(&mut self, tokens: u64) {
        if let Some(read) = self.call_read {
            self.context_used = Some(read.saturating_add(tokens));
        }
    }

    /// A reply's line; its count is used only where none was streamed.
    pub(super) fn answered(&mut self, model: Option<String>, tokens: Option<u64>) {
        self.model = model.or_else(|| self.model.take());
        if self.call_read.is_none() {
            self.context_used = tokens.or(self.context_used);
        }
    }

    pub(super) fn compacted(&mut self, after: Option<u64>) {
        self.context_used = after;
    }

    /// Closes the turn.
    pub(super) fn finish(&mut self, end: &TurnEnd, session_id: Option<Uuid>) -> TurnResult {
        let outcome = self.outcome(end);
        let text = match &outcome {
            TurnOutcome::Success => end.text.clone().unwrap_or_default(),
            // What it says then is a diagnostic for its makers.
            TurnOutcome::Interrupted => String::new(),
            TurnOutcome::ApiError(_)
            | TurnOutcome::MaxTurns
            | TurnOutcome::MaxBudget
            | TurnOutcome::Failed(_) => for_people(&failure_text(end)),
        };
        let consumed = std::mem::take(&mut self.messages);
        self.error_kind = None;
        self.call_read = None;
        self.context_window = self.window(end).or(self.context_window);
        TurnResult {
            outcome,
            text,
            session_id,
            duration: Duration::from_millis(end.duration_ms),
            cost_usd: self.cost(end),
            model: self.model.clone(),
            context_used: self.context_used,
            context_window: self.context_window,
            user_messages: end.user_messages.clone().unwrap_or(consumed),
            denied_tools: end.denied_tools.clone(),
        }
    }

    fn outcome(&self, end: &TurnEnd) -> TurnOutcome {
        let aborted = end
            .terminal_reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with("aborted"));
        match end.subtype.as_str() {
            "error_max_turns" => TurnOutcome::MaxTurns,
            "error_max_budget_usd" => TurnOutcome::MaxBudget,
            "success" if end.is_error => TurnOutcome::ApiError(self.fault(end)),
            // Cut short by a more urgent message: what there is counts.
            "success" => TurnOutcome::Success,
            _ if aborted => TurnOutcome::Interrupted,
            _ if end.is_error || end.subtype.starts_with("error") => {
                TurnOutcome::Failed(self.fault(end))
            }
            _ => TurnOutcome::Success,
        }
    }

    fn fault(&self, end: &TurnEnd) -> AgentFault {
        AgentFault::of_turn(&Evidence {
            status: end.status,
            kind: self.error_kind.clone(),
            terminal_reason: end.terminal_reason.clone(),
            text: failure_text(end),
            resets_at: self.resets_at,
        })
    }

    /// Newer versions say what a turn cost by itself, and carry totals over from before a resume;
    /// older ones begin at zero with every process. A total that shrank began anew.
    fn cost(&mut self, end: &TurnEnd) -> f64 {
        let before = std::mem::replace(&mut self.total_cost, end.total_cost);
        end.own_cost.unwrap_or(if end.total_cost >= before {
            end.total_cost - before
        } else {
            end.total_cost
        })
    }

    fn window(&self, end: &TurnEnd) -> Option<u64> {
        let model = self.model.as_deref().unwrap_or_default();
        let own = end.context_window.iter().find(|(name, _)| name == model);
        own.or_else(|| end.context_window.iter().max_by_key(|(_, window)| *window))
            .map(|(_, window)| *window)
    }
}

fn failure_text(end: &TurnEnd) -> String {
    match &end.text {
        Some(text) if !text.is_empty() => text.clone(),
        Some(_) | None => end.errors.join("\n"),
    }
}

/// What a tool call is about, in one line: the first of the inputs that people recognise.
pub(super) fn summary(input: &Value) -> String {
    const TELLING: &[&str] = &[
        "command",
        "file_path",
        "notebook_path",
        "path",
        "pattern",
        "url",
        "query",
        "skill",
        "description",
        "prompt",
    ];
    let telling = TELLING.iter().find_map(|key| str_at(input, key));
    let any = || input.as_object()?.values().find_map(Value::as_str);
    one_line(telling.or_else(any).unwrap_or_default(), SUMMARY)
}
