//! How a text ends: with an answer, stopped, out of rounds, or without an answer, and what is remembered of
//! it then. What is written down at the end goes to the owner, which does it in one step.

use std::time::Duration;

use common::llm::{Answer, Finish, LlmFault};
use common::message::view::Tone;
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;
use tracing::warn;

use super::super::history::{Exchange, History};
use super::super::{End, frame, live};
use super::{Chat, MAX_ROUNDS};
use crate::cards;
use crate::session::progress::{cut_middle, one_line};

/// Bytes of an answer that the person sees; no model says more that is worth it.
const MAX_ANSWER: usize = 100_000;
/// Characters of the model's name of itself.
const MODEL_CHARS: usize = 60;

impl Chat {
    fn small_print(&self, model: Option<&str>) -> Vec<String> {
        let model = model.unwrap_or(self.llm.model());
        let took = cards::time(self.live.took(), self.record.origin.lang);
        vec![one_line(model, MODEL_CHARS), took]
    }

    pub(super) fn finished(&mut self, history: History, answer: &Answer) -> End {
        let origin = &self.record.origin;
        let name = MailText::Name.say(origin.lang);
        let mut footer = self.small_print(answer.model.as_deref());
        let text = answer.said.text.trim();
        let fits = text.len() <= MAX_ANSWER;
        let text = &cut_middle(text, MAX_ANSWER, |bytes| format!("[… {bytes} …]"));
        match &answer.finish {
            Finish::Length => footer.push(MailText::Cut.say(origin.lang)),
            Finish::Filter => footer.push(MailText::Withheld.say(origin.lang)),
            Finish::Stop | Finish::Calls | Finish::Other(_) if !fits => {
                footer.push(MailText::Cut.say(origin.lang));
            }
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
            cut_off: false,
        }
    }

    pub(super) fn stopped(&mut self, history: History) -> End {
        self.broken(Some(history), Tone::Warning, &MailText::Stopped, None)
    }

    pub(super) fn out_of_rounds(&mut self, history: History) -> End {
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
        End {
            changes,
            said,
            cut_off: false,
        }
    }

    /// No answer from the model: what may pass can be tried again by a tap.
    pub(super) fn failed(&mut self, history: History, fault: &LlmFault) -> End {
        warn!(%fault, "the model gave no answer");
        let (why, code) = reason(fault);
        if !passes(fault) {
            // What was done is remembered; what the model would not hear is not said to it again.
            let is_filtered = matches!(fault, LlmFault::Filtered);
            let done = !self.record.done.is_empty() && !is_filtered;
            return self.broken(done.then_some(history), Tone::Failed, &why, Some(code));
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
            cut_off: true,
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
        | LlmFault::NoApi { .. }
        | LlmFault::TooBig { .. }
        | LlmFault::Nonsense { .. } => true,
        LlmFault::TooLong | LlmFault::Refused { .. } | LlmFault::Filtered | LlmFault::Cancelled => {
            false
        }
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
        LlmFault::NoApi { status } => (MailText::NoApi { status: *status }, "model-no-api"),
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
