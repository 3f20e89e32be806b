//! One text: asked of the model, with rounds of tools, until there is an answer or a clear end. Shows
//! what goes on. How it ends is `ends`'.

mod ends;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::Utc;
use common::audit::Kind;
use common::llm::{Answer, Ask, Finish, Heard, Llm, LlmFault, Message};
use common::text::host::HostText;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use super::history::History;
use super::live::Live;
use super::record::ChatRecord;
use super::tools::{self, Toolbox};
use super::{End, Letter, Scene, persona};
use crate::context::Context;
use crate::desk::door::Door;
use crate::journal::Shelf;

/// Rounds of tools for one text.
pub(super) const MAX_ROUNDS: usize = 12;
/// Calls in one round that are carried out; what is beyond is answered with that.
const MAX_CALLS: usize = 8;
/// Bytes of a tool's result in a text that has become too long for the model, at first and in the end.
const SHORT_RESULTS: [usize; 2] = [2_000, 300];

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
        // It may have waited: what the person has here counts as it is now.
        if let Some(sessions) = self.tools.look().await {
            self.scene.sessions = sessions;
        }
        history.fit(&self.llm, &self.cancel).await;
        self.ids = history.ids();
        for round in 0..=MAX_ROUNDS {
            let answer = match self.ask(&mut history, round).await {
                Ok(answer) => answer,
                Err(LlmFault::Cancelled) => return Some(self.stopped(history)),
                Err(fault) => return Some(self.failed(history, &fault)),
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

    /// Asks once; a conversation that is too long is asked again with its older half in short, and one
    /// that is refused for what tools said before is asked again without that.
    async fn ask(&mut self, history: &mut History, round: usize) -> Result<Answer, LlmFault> {
        let block = round as u64;
        loop {
            // Of what was heard before it is asked again, nothing counts.
            self.live
                .change(HostText::Thinking, |p| p.drop_draft(block));
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
                Err(LlmFault::TooLong)
                    if history.shrink(&self.llm, &self.cancel).await || self.shorten() =>
                {
                    info!("the conversation is too long for the model and is shortened");
                }
                Err(
                    fault @ (LlmFault::Filtered
                    | LlmFault::Refused {
                        status: 400 | 422, ..
                    }),
                ) if history.without_tools() => {
                    info!(%fault, "asked again without what tools said before");
                }
                done => return done,
            }
        }
    }

    /// Cuts what tools said in this turn; false if there is nothing left to cut.
    fn shorten(&mut self) -> bool {
        SHORT_RESULTS.into_iter().any(|max| {
            let mut cut = false;
            for message in &mut self.said {
                // The words for what is left out come on top.
                if let Message::Tool { text, .. } = message
                    && text.len() > max + 100
                {
                    *text = tools::middle(text, max);
                    cut = true;
                }
            }
            cut
        })
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
        // An answer that became too long broke off in its last call.
        let broke_off = answer.finish == Finish::Length
            && said.calls.last().is_some_and(|call| !tools::can_read(call));
        for call in &mut said.calls {
            tools::tidy(call);
            // Some vendors count from nought in each answer; within one conversation that is refused.
            if !self.ids.insert(call.id.clone()) {
                call.id = format!("call_{}", Uuid::new_v4().simple());
                self.ids.insert(call.id.clone());
            }
        }
        let calls = said.calls.clone();
        let mut messages = vec![Message::Assistant(said)];
        for (at, call) in calls.iter().enumerate() {
            let text = if broke_off && at + 1 == calls.len() {
                "Not carried out: your answer became too long in the middle of this call. Call it again with less at once.".to_owned()
            } else if at < MAX_CALLS {
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
        self.record.begins(n, line.clone());
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
            tools::withdraw(&self.context, &self.record.origin, n).await;
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
}
