//! The card of a question: what the agent wants to do, in full, and how it was answered.

use common::ids::{NodeId, PromptId};
use common::message::view::{Action, Answer, Block, ButtonStyle, Tone, View};
use common::text::host::HostText;

use super::Frame;
use crate::record::Ask;
use crate::session::progress::cut_middle;

/// Bytes of a command or diff that a question shows in full; more is cut in the middle.
pub(crate) const ASK_BYTES: usize = 12_000;

/// A question of the agent, open or answered.
pub(crate) fn question(
    frame: Frame<'_>,
    ask: &Ask,
    node: &NodeId,
    prompt: PromptId,
    answered: Option<&HostText>,
) -> View {
    let all = [Answer::AllowOnce, Answer::AllowSession, Answer::Deny];
    asking(frame, ask, node, prompt, answered, &all)
}

/// A question of a command or a tool, which asks each time anew.
pub(crate) fn confirm(
    frame: Frame<'_>,
    ask: &Ask,
    node: &NodeId,
    prompt: PromptId,
    answered: Option<&HostText>,
) -> View {
    let all = [Answer::AllowOnce, Answer::Deny];
    asking(frame, ask, node, prompt, answered, &all)
}

fn asking(
    frame: Frame<'_>,
    ask: &Ask,
    node: &NodeId,
    prompt: PromptId,
    answered: Option<&HostText>,
    answers: &[Answer],
) -> View {
    let mut rows = vec![(frame.say(&HostText::Where), frame.title())];
    if let Some(about) = &ask.about {
        rows.push((frame.say(&HostText::About), about.clone()));
    }
    if let Some(reason) = &ask.reason {
        rows.push((frame.say(&HostText::Why), reason.clone()));
    }
    let mut blocks = vec![Block::Fields { rows }];
    if !ask.body.is_empty() {
        blocks.push(Block::Code {
            lang: ask.lang.clone(),
            text: cut_middle(&ask.body, ASK_BYTES, |n| format!("… {n} bytes …")),
        });
    }
    let title = frame.say(&HostText::Asks {
        tool: ask.tool.clone(),
    });
    if let Some(answered) = answered {
        return View {
            title,
            tone: Tone::Plain,
            blocks,
            buttons: Vec::new(),
            footer: Some(frame.say(answered)),
        };
    }
    let button = |answer: &Answer| {
        let (label, style) = match answer {
            Answer::AllowOnce => (HostText::AllowOnce, ButtonStyle::Primary),
            Answer::AllowSession => (HostText::AllowSession, ButtonStyle::Normal),
            Answer::Deny => (HostText::Deny, ButtonStyle::Danger),
        };
        let action = Action::Answer {
            node: node.clone(),
            prompt,
            answer: *answer,
        };
        frame.button(&label, style, action)
    };
    View {
        title,
        tone: Tone::Asking,
        blocks,
        buttons: answers.iter().map(button).collect(),
        footer: None,
    }
}
