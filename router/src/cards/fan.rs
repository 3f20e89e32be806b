//! The card of a message that went to several nodes, and of what keeps one from going there.

use chrono::{DateTime, Utc};
use common::command::Command;
use common::ids::NodeId;
use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, Tone, View, WaitingChoice};
use common::stream::WAITING_PER_USER;
use common::text::Say as _;
use common::text::router::{ADDRESS_USAGE, FanText, RouterText};

use super::{BUTTONS, WORDS, not_found, sheet};
use crate::decide::Candidate;
use crate::fan::{Fan, Line, LineState, MAX_LINES};
use crate::presence::seconds_since;
use crate::waiting::Refusal;

/// How a message to several nodes stands.
pub(crate) fn view(fan: &Fan, now: DateTime<Utc>) -> View {
    let lang = fan.lang;
    let over = fan
        .lines
        .iter()
        .filter(|line| line.state.is_final())
        .count();
    let title = FanText::Title {
        of: fan.lines.len(),
        over,
    };
    let rows = fan.lines.iter().map(|line| {
        let state = text(&line.state, now).say(lang);
        let said = if line.head.is_empty() {
            state
        } else {
            format!("{state} · {}", line.head)
        };
        (line.name.clone(), said)
    });
    View {
        title: title.say(lang),
        tone: tone(fan),
        blocks: vec![
            Block::Plain {
                text: fan.quote.clone(),
            },
            Block::Fields {
                rows: rows.collect(),
            },
        ],
        buttons: fan
            .lines
            .iter()
            .filter_map(|line| button(fan, line))
            .take(BUTTONS)
            .collect(),
        footer: Some(FanText::Footer.say(lang)),
    }
}

/// What needs the person first.
fn tone(fan: &Fan) -> Tone {
    let any = |fits: fn(&LineState) -> bool| fan.lines.iter().any(|line| fits(&line.state));
    if any(|state| *state == LineState::Asking) {
        Tone::Asking
    } else if !fan.is_over() {
        Tone::Working
    } else if fan.lines.iter().all(|line| line.state == LineState::Done) {
        Tone::Done
    } else if any(|state| *state == LineState::Done) {
        Tone::Warning
    } else {
        Tone::Failed
    }
}

fn text(state: &LineState, now: DateTime<Utc>) -> FanText {
    match state {
        LineState::Pending => FanText::Pending,
        LineState::Sent => FanText::Sent,
        LineState::Waits {
            trouble: Some(what),
            ..
        } => FanText::Stuck {
            what: what.chars().take(WORDS).collect(),
        },
        LineState::Waits {
            since,
            trouble: None,
        } => FanText::Off {
            seconds: since.map(|since| seconds_since(since, now)),
        },
        LineState::Queued => FanText::Queued,
        LineState::Working => FanText::Working,
        LineState::Asking => FanText::Asking,
        LineState::Done => FanText::Done,
        LineState::Stopped => FanText::Stopped,
        LineState::CutOff => FanText::CutOff,
        LineState::Failed => FanText::Failed,
        LineState::Refused {
            why: Refusal::Queue,
        } => FanText::QueueFull {
            limit: u64::try_from(WAITING_PER_USER).unwrap_or_default(),
        },
        LineState::Refused { why: Refusal::Hub } => FanText::HubFull,
        LineState::Cancelled => FanText::Cancelled,
        LineState::Unsure => FanText::Unsure,
        LineState::Expired { .. } => FanText::Expired,
        LineState::Removed => FanText::Removed,
    }
}

fn button(fan: &Fan, line: &Line) -> Option<Button> {
    let node = line.name.clone();
    let (label, choice) = match line.state {
        LineState::Waits { .. } => (FanText::Cancel { node }, WaitingChoice::Cancel),
        LineState::Expired { kept: true } => {
            (FanText::SendAgain { node }, WaitingChoice::SendAgain)
        }
        LineState::Pending
        | LineState::Sent
        | LineState::Queued
        | LineState::Working
        | LineState::Asking
        | LineState::Done
        | LineState::Stopped
        | LineState::CutOff
        | LineState::Failed
        | LineState::Refused { .. }
        | LineState::Cancelled
        | LineState::Unsure
        | LineState::Expired { kept: false }
        | LineState::Removed => return None,
    };
    Some(Button {
        label: label.say(fan.lang),
        style: ButtonStyle::Normal,
        action: Action::Waiting {
            node: line.node.clone(),
            cause: fan.cause.at_node(&line.node),
            choice,
        },
    })
}

/// `@name` names none, or several: nothing went anywhere.
pub(crate) fn unclear(
    lang: Lang,
    name: &str,
    matches: &[NodeId],
    candidates: &[Candidate],
) -> View {
    let mut view = not_found(lang, name, matches, candidates);
    view.blocks.push(Block::Plain {
        text: FanText::NothingSent.say(lang),
    });
    view
}

/// Nodes are named, and nothing is said to them.
pub(crate) fn no_text(lang: Lang) -> View {
    let usage = RouterText::Usage {
        usage: ADDRESS_USAGE.to_owned(),
    };
    sheet(Tone::Warning, FanText::NoText.say(lang), [usage.say(lang)])
}

/// A command of ours that was sent to nodes.
pub(crate) fn ours(lang: Lang, command: Command) -> View {
    let title = FanText::Ours {
        command: format!("/{}", command.name()),
    };
    sheet(
        Tone::Warning,
        title.say(lang),
        [FanText::OursHint.say(lang)],
    )
}

/// More nodes than one message goes to.
pub(crate) fn too_many(lang: Lang, count: usize) -> View {
    let hint = FanText::TooManyHint {
        count,
        limit: MAX_LINES,
    };
    sheet(Tone::Warning, FanText::TooMany.say(lang), [hint.say(lang)])
}

#[cfg(test)]
mod tests;
