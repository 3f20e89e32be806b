//! One text: asked of the model, with rounds of tools, until there is an answer or a clear end. Shows
//! what goes on; what is written down at the end goes to the owner, which does it in one step.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use common::audit::Kind;
use common::llm::{Answer, Ask, Finish, Heard, Llm, LlmFault, Message};
use common::message::view::Tone;
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::history::{Exchange, History};
use super::live::{self, Live};
use super::record::ChatRecord;
use super::tools::{self, Toolbox};
use super::{End, Letter, Scene, frame, persona};
use crate::cards;
use crate::context::Context;
use crate::desk::door::Door;
use crate::journal::Shelf;

/// Rounds of tools for one text.
pub(super) const MAX_ROUNDS: usize = 12;
/// Calls in one round that are carried out; what is beyond is answered with that.
const MAX_CALLS: usize = 8;

/// A text that is worked on.
pub(super) struct Chat {
    context: Arc<Context>,
    llm: Llm,
    scene: Scene,
    record: ChatRecord,
    tools: Toolbox,
    live: Live,
    cancel: CancellationToken,
    /// What an earlier try of this text had done, if this takes one up.
    before: Option<Vec<String>>,
    /// What is said in this turn, whole rounds only.
    said: Vec<Message>,
    /// Calls so far.
    calls: usize,
    /// Their ids, those of the history included.
    ids: HashSet<String>,
}

/// The person stopped it.
struct Stopped;

impl Chat {
    pub(super) fn new(
        context: Arc<Context>,
        llm: Llm,
        door: Door,
        letter: Letter,
        record: ChatRecord,
        before: Option<Vec<String>>,
        cancel: CancellationToken,
    ) -> Self {
        let live = Live::new();
        let tools = Toolbox::new(
            Arc::clone(&context),
            door,
            letter.origin,
            letter.grounds,
            live.clone(),
        );
        Self {
            context,
            llm,
            scene: letter.scene,
            record,
            tools,
            live,
            cancel,
            before,
            said: Vec::new(),
            calls: 0,
            ids: HashSet::new(),
        }
    }

    /// Works on it; none when the host stops meanwhile.
    pub(super) async fn run(mut self) -> Option<End> {
        let (context, live) = (Arc::clone(&self.context), self.live.clone());
        let shown = self.record.clone();
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => None,
            end = self.work() => end,
            () = live.previews(&context, &shown) => None,
        }
    }

    async fn work(&mut self) -> Option<End> {
        self.note(Kind::Prompt, &self.record.text, self.llm.model());
        let user = self.record.origin.user.to_string();
        let kept = self.context.kept(Shelf::Mail, &user).await;
        let mut history = History::read(kept, self.llm.model());
        self.live.note(HostText::Thinking);
        history.fit(&self.llm, &self.cancel).await;
        self.ids = history.ids();
        for round in 0..=MAX_ROUNDS {
            let answer = match self.ask(&mut history, round).await {
                Ok(answer) => answer,
                Err(LlmFault::Cancelled) => return Some(self.stopped(history)),
                Err(fault) => return Some(self.failed(&fault)),
            };
            if answer.said.calls.is_empty() {
                return Some(self.finished(history, &answer));
            }
            if round == MAX_ROUNDS {
                break;
            }
            if self.round(answer).await.is_err() {
                return Some(self.stopped(history));
            }
        }
        Some(self.out_of_rounds(history))
    }

    fn words(&self, history: &History) -> String {
        persona::words(&persona::Facts {
            name: &self.context.name,
            node: &self.context.node,
            dir: &self.tools.grounds().dir,
            scene: &self.scene,
            lang: self.record.origin.lang,
            zone: self.context.timezone,
            now: Utc::now(),
            summary: history.summary(),
        })
    }

    /// Asks once; a conversation that is too long is asked again without its older half.
    async fn ask(&self, history: &mut History, round: usize) -> Result<Answer, LlmFault> {
        let block = round as u64;
        loop {
            let mut messages = vec![Message::System {
                text: self.words(history),
            }];
            messages.extend(history.messages());
            messages.push(Message::User { text: self.asked() });
            messages.extend(self.said.iter().cloned());
            let ask = Ask {
                messages,
                tools: tools::list(),
                ..Ask::default()
            };
            let live = &self.live;
            let mut hear = |heard: Heard| match heard {
                Heard::Thinking => live.note(HostText::Thinking),
                Heard::Text(more) => {
                    live.change(HostText::Working, |progress| progress.delta(block, &more));
                }
                Heard::Call(_) => live.note(HostText::Working),
                Heard::Again => live.change(HostText::Thinking, |p| p.drop_draft(block)),
            };
            match self.llm.stream(&ask, &mut hear, &self.cancel).await {
                Err(LlmFault::TooLong) if history.shrink() => {
                    info!("the conversation is too long for the model and is shortened");
                }
                done => return done,
            }
        }
    }

    /// What the person wrote, as the model is told.
    fn asked(&self) -> String {
        match &self.before {
            Some(done) => persona::again(&self.record.text, done),
            None => self.record.text.clone(),
        }
    }

    /// Carries out the calls of one answer, in order.
    async fn round(&mut self, answer: Answer) -> Result<(), Stopped> {
        let mut said = answer.said;
        for call in &mut said.calls {
            // Some vendors count from nought in each answer; within one conversation that is refused.
            if !self.ids.insert(call.id.clone()) {
                call.id = format!("call_{}", Uuid::new_v4().simple());
                self.ids.insert(call.id.clone());
            }
        }
        let calls = said.calls.clone();
        let mut messages = vec![Message::Assistant(said)];
        for (at, call) in calls.iter().enumerate() {
            let text = if at < MAX_CALLS {
                self.call(call).await?
            } else {
                format!(
                    "Not carried out: at most {MAX_CALLS} calls at once. Call it again if it is still needed."
                )
            };
            messages.push(Message::Tool {
                id: call.id.clone(),
                text,
            });
        }
        self.said.extend(messages);
        Ok(())
    }

    async fn call(&mut self, call: &common::llm::Call) -> Result<String, Stopped> {
        self.calls += 1;
        let n = self.calls;
        let line = tools::line(call);
        self.record.begins(line.clone());
        // Before it is done: after a crash the person is told.
        self.context.commit(vec![self.record.kept()]).await;
        common::crash_point!("host.mail.tool");
        let key = n.to_string();
        self.live.change(HostText::Working, |progress| {
            progress.tool(key.clone(), &line, "");
        });
        let done = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            done = self.tools.call(n, call) => Some(done),
        };
        let Some(done) = done else {
            self.tools.abandon(n).await;
            self.live
                .change(HostText::Stopping, |p| p.tool_done(&key, true));
            return Err(Stopped);
        };
        self.record.ends();
        let outcome = if done.failed { "failed" } else { "done" };
        self.note(Kind::Tool, &line, outcome);
        let mut changes = done.changes;
        changes.push(self.record.kept());
        self.context.commit(changes).await;
        self.live
            .change(HostText::Thinking, |p| p.tool_done(&key, done.failed));
        Ok(done.text)
    }

    /// A line of the audit.
    fn note(&self, kind: Kind, what: &str, outcome: &str) {
        let entry = self.record.origin.entry(kind).turn(self.record.turn);
        let entry = entry.node(&self.context.node).what(what).outcome(outcome);
        self.context.audit.note(entry);
    }

    // ---- ends

    fn small_print(&self, model: Option<&str>) -> Vec<String> {
        vec![
            model.unwrap_or(self.llm.model()).to_owned(),
            cards::time(self.live.took()),
        ]
    }

    fn finished(&mut self, history: History, answer: &Answer) -> End {
        let origin = &self.record.origin;
        let name = MailText::Name.say(origin.lang);
        let text = answer.said.text.trim();
        let mut footer = self.small_print(answer.model.as_deref());
        match &answer.finish {
            Finish::Length | Finish::Filter => footer.push(MailText::Cut.say(origin.lang)),
            Finish::Stop | Finish::Calls | Finish::Other(_) => {}
        }
        let views = cards::finished(
            frame(&self.context, origin, &name),
            &self.live.progress(),
            text,
            &footer,
        );
        let mut changes = live::ends(&self.record, views, self.live.took());
        changes.push(self.record.taken());
        let exchange = Exchange::new(&self.record.text, std::mem::take(&mut self.said), text);
        End {
            changes,
            said: Some((history, exchange)),
        }
    }

    fn stopped(&mut self, history: History) -> End {
        self.broken(Some(history), Tone::Warning, &MailText::Stopped, None)
    }

    fn out_of_rounds(&mut self, history: History) -> End {
        warn!(rounds = MAX_ROUNDS, "the model does not come to an end");
        let text = MailText::Rounds { max: MAX_ROUNDS };
        self.broken(Some(history), Tone::Warning, &text, None)
    }

    /// An end without an answer, that is remembered in words.
    fn broken(
        &mut self,
        history: Option<History>,
        tone: Tone,
        why: &MailText,
        code: Option<&str>,
    ) -> End {
        let origin = &self.record.origin;
        let name = MailText::Name.say(origin.lang);
        let mut view = cards::broken(
            frame(&self.context, origin, &name),
            &self.live.progress(),
            tone,
            why,
            Vec::new(),
            code,
        );
        cards::settle(&mut view);
        let mut changes = live::ends(&self.record, vec![view], Duration::ZERO);
        changes.push(self.record.taken());
        let said = history.map(|history| {
            let mut answer = why.en();
            if !self.record.done.is_empty() {
                answer = format!("({answer} Tools used: {})", self.record.lines().join("; "));
            }
            (
                history,
                Exchange::new(&self.record.text, Vec::new(), &answer),
            )
        });
        End { changes, said }
    }

    /// No answer from the model: what may pass can be tried again by a tap.
    fn failed(&mut self, fault: &LlmFault) -> End {
        warn!(%fault, "the model gave no answer");
        let (why, code) = reason(fault);
        if !passes(fault) {
            return self.broken(None, Tone::Failed, &why, Some(code));
        }
        let origin = &self.record.origin;
        let name = MailText::Name.say(origin.lang);
        let frame = frame(&self.context, origin, &name);
        let node = &self.context.node;
        let choices = cards::recovery(frame, &HostText::TryAgain, node, self.record.turn);
        let progress = self.live.progress();
        let mut view = cards::broken(frame, &progress, Tone::Warning, &why, choices, Some(code));
        cards::settle(&mut view);
        let mut changes = live::ends(&self.record, vec![view], Duration::ZERO);
        self.record.rev += 1;
        self.record.cut_off = true;
        changes.push(self.record.kept());
        End {
            changes,
            said: None,
        }
    }
}

/// Whether a person would try it again as it is.
fn passes(fault: &LlmFault) -> bool {
    match fault {
        LlmFault::Unreachable { .. }
        | LlmFault::Slow { .. }
        | LlmFault::Key { .. }
        | LlmFault::Unpaid { .. }
        | LlmFault::Busy { .. }
        | LlmFault::Broken { .. }
        | LlmFault::Cut
        | LlmFault::Nonsense { .. } => true,
        LlmFault::TooLong
        | LlmFault::Refused { .. }
        | LlmFault::TooBig { .. }
        | LlmFault::Filtered
        | LlmFault::Cancelled => false,
    }
}

/// Why there is no answer, for the person, and the short word on the card.
fn reason(fault: &LlmFault) -> (MailText, &'static str) {
    match fault {
        LlmFault::Unreachable { .. } => (MailText::Unreachable, "model-unreachable"),
        LlmFault::Slow { .. } => (MailText::Slow, "model-slow"),
        LlmFault::Key { status } => (MailText::BadKey { status: *status }, "model-key"),
        LlmFault::Unpaid { .. } => (MailText::Unpaid, "model-unpaid"),
        LlmFault::Busy { after } => {
            let after = after.map(|after| after.as_secs().max(1));
            (MailText::Busy { after }, "model-busy")
        }
        LlmFault::TooLong => (MailText::TooLong, "model-too-long"),
        LlmFault::Refused { status, said } => {
            let text = MailText::Refused {
                status: *status,
                said: said.clone(),
            };
            (text, "model-refused")
        }
        LlmFault::Broken { status } => (MailText::Broken { status: *status }, "model-broken"),
        LlmFault::Cut | LlmFault::Nonsense { .. } | LlmFault::TooBig { .. } => {
            (MailText::NoAnswer, "model-no-answer")
        }
        LlmFault::Filtered => (MailText::Filtered, "model-filtered"),
        LlmFault::Cancelled => (MailText::Stopped, "stopped"),
    }
}
