//! How things look: records and progress made into views. Pure; every card has a snapshot.

mod failure;
pub(crate) mod files;
mod lists;
mod question;
pub(crate) mod web;

use std::time::Duration;

use common::ids::{NodeId, TurnId};
use common::lang::Lang;
use common::message::outbound::MAX_PART;
use common::message::view::{
    Action, Block, Button, ButtonStyle, QueueChoice, Recovery, StepState, Tone, View,
};
use common::text::Say;
use common::text::host::HostText;
use common::text::host::shell::ShellText;

use crate::agent::TurnResult;
use crate::session::progress::{Progress, keep_tail};

pub(crate) use failure::failure;
pub(crate) use lists::{Row, help, status};
pub(crate) use question::{ASK_BYTES, confirm, question};

/// Bytes of a text in the making that a preview shows: its end.
const PREVIEW_BYTES: usize = 8_000;
/// Steps that a preview shows: the last ones.
const PREVIEW_STEPS: usize = 6;
/// Where a card belongs: its title and language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// Machine, as people call it.
    pub(crate) node: &'a str,
    /// Directory of the session.
    pub(crate) dir: &'a str,
    /// Language.
    pub(crate) lang: Lang,
}

impl Frame<'_> {
    pub(crate) fn title(&self) -> String {
        format!("{} · {}", self.node, self.dir)
    }

    pub(crate) fn say(&self, text: &impl Say) -> String {
        text.say(self.lang)
    }

    pub(crate) fn view(&self, tone: Tone) -> View {
        View {
            title: self.title(),
            tone,
            ..View::default()
        }
    }

    pub(crate) fn button(&self, label: &impl Say, style: ButtonStyle, action: Action) -> Button {
        Button {
            label: self.say(label),
            style,
            action,
        }
    }
}

fn plain(text: String) -> Block {
    Block::Plain { text }
}

fn steps(frame: Frame<'_>, progress: &Progress, show: usize, folded: bool) -> Vec<Block> {
    let (mut steps, mut dropped) = progress.steps();
    if steps.is_empty() {
        return Vec::new();
    }
    if steps.len() > show {
        dropped += steps.len() - show;
        steps.drain(..steps.len() - show);
    }
    let mut blocks = Vec::new();
    if dropped > 0 {
        blocks.push(plain(frame.say(&HostText::MoreSteps { n: dropped })));
    }
    blocks.push(Block::Steps { steps, folded });
    blocks
}

/// A turn that runs.
pub(crate) fn working(
    frame: Frame<'_>,
    progress: &Progress,
    note: &HostText,
    node: &NodeId,
    turn: TurnId,
) -> View {
    let mut blocks = steps(frame, progress, PREVIEW_STEPS, false);
    let mut text = progress.answer();
    if !text.is_empty() {
        keep_tail(&mut text, PREVIEW_BYTES);
        blocks.push(Block::Markdown { text });
    }
    let stop = Action::Stop {
        node: node.clone(),
        turn,
    };
    View {
        blocks,
        buttons: vec![frame.button(&HostText::Stop, ButtonStyle::Normal, stop)],
        footer: Some(frame.say(note)),
        ..frame.view(Tone::Working)
    }
}

/// Puts the time that a turn has run into its small print.
pub(crate) fn runs_for(frame: Frame<'_>, view: &mut View, ran: Duration) {
    let ran = frame.say(&HostText::RunsFor {
        seconds: ran.as_secs(),
    });
    if let Some(footer) = &mut view.footer {
        footer.push_str(" · ");
        footer.push_str(&ran);
    }
}

/// A turn that ended well: the exact text, in as many views as it needs.
pub(crate) fn finished(
    frame: Frame<'_>,
    progress: &Progress,
    text: &str,
    footer: &[String],
) -> Vec<View> {
    let mut blocks = steps(frame, progress, usize::MAX, true);
    let parts = parts(text);
    let of = parts.len();
    let footer = footer.join(" · ");
    if of == 0 {
        blocks.push(plain(frame.say(&HostText::NoWords)));
        return vec![View {
            blocks,
            footer: Some(footer),
            ..frame.view(Tone::Done)
        }];
    }
    parts
        .into_iter()
        .enumerate()
        .map(|(at, part)| {
            let mut blocks = std::mem::take(&mut blocks);
            blocks.push(Block::Markdown {
                text: part.to_owned(),
            });
            let small = if of > 1 {
                let part = frame.say(&HostText::Part { n: at + 1, of });
                format!("{part} · {footer}")
            } else {
                footer.clone()
            };
            View {
                blocks,
                footer: Some(small),
                ..frame.view(Tone::Done)
            }
        })
        .collect()
}

/// Small print of an answer: model, time, cost, how full the conversation is.
pub(crate) fn small_print(result: &TurnResult, took: Duration, lang: Lang) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(result.model.clone());
    parts.push(time(took, lang));
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

/// How long something took.
pub(crate) fn time(took: Duration, lang: Lang) -> String {
    let tenths = took.as_millis() / 100;
    let tenths = u64::try_from(tenths).unwrap_or(u64::MAX);
    ShellText::Took { tenths }.say(lang)
}

/// Cuts a text into pieces that fit an outbound: at a line's end where there is one.
fn parts(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut parts = Vec::new();
    while rest.len() > MAX_PART {
        let mut at = MAX_PART;
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        let (head, _) = rest.split_at(at);
        let at = head.rfind('\n').map_or(at, |line| line + 1);
        let (head, tail) = rest.split_at(at);
        parts.push(head);
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// A turn that did not end well: what it said so far, what happened, what can be done.
pub(crate) fn broken(
    frame: Frame<'_>,
    progress: &Progress,
    tone: Tone,
    why: &impl Say,
    choices: Vec<Button>,
    code: Option<&str>,
) -> View {
    let mut blocks = steps(frame, progress, usize::MAX, true);
    let mut text = progress.answer();
    if !text.is_empty() {
        keep_tail(&mut text, MAX_PART);
        blocks.push(Block::Markdown { text });
    }
    blocks.push(plain(frame.say(why)));
    View {
        blocks,
        buttons: choices,
        footer: code.map(str::to_owned),
        ..frame.view(tone)
    }
}

/// The choices for a turn that was cut off.
pub(crate) fn recovery(
    frame: Frame<'_>,
    go_on: &HostText,
    node: &NodeId,
    turn: TurnId,
) -> Vec<Button> {
    let action = |choice| Action::Recover {
        node: node.clone(),
        turn,
        choice,
    };
    vec![
        frame.button(go_on, ButtonStyle::Primary, action(Recovery::Continue)),
        frame.button(
            &HostText::Discard,
            ButtonStyle::Normal,
            action(Recovery::Discard),
        ),
    ]
}

/// A message that waits for the running turn.
pub(crate) fn queued(
    frame: Frame<'_>,
    prompt: &str,
    place: usize,
    node: &NodeId,
    turn: TurnId,
    can_send: bool,
) -> View {
    let action = |choice| Action::Queued {
        node: node.clone(),
        turn,
        choice,
    };
    let mut buttons = Vec::new();
    if can_send {
        buttons.push(frame.button(
            &HostText::SendNow,
            ButtonStyle::Normal,
            action(QueueChoice::SendNow),
        ));
    }
    buttons.push(frame.button(
        &HostText::Cancel,
        ButtonStyle::Normal,
        action(QueueChoice::Cancel),
    ));
    View {
        blocks: vec![
            plain(format!("“{prompt}”")),
            plain(frame.say(&HostText::Queued { place })),
        ],
        buttons,
        ..frame.view(Tone::Plain)
    }
}

/// A card of one sentence.
pub(crate) fn note(frame: Frame<'_>, tone: Tone, text: &impl Say) -> View {
    View {
        blocks: vec![plain(frame.say(text))],
        ..frame.view(tone)
    }
}

/// A sentence that belongs to the machine rather than to a session.
pub(crate) fn say(node: &str, lang: Lang, tone: Tone, text: &impl Say) -> View {
    View {
        title: node.to_owned(),
        tone,
        blocks: vec![plain(text.say(lang))],
        ..View::default()
    }
}

/// Whether any step of a view still runs; a finished card shows none.
pub(crate) fn settle(view: &mut View) {
    for block in &mut view.blocks {
        if let Block::Steps { steps, .. } = block {
            for step in steps {
                if step.state == StepState::Running {
                    step.state = StepState::Failed;
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
