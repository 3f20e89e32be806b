//! How commands look. Pure; every card has a snapshot.

use std::time::Duration;

use common::ids::NodeId;
use common::lang::Lang;
use common::message::view::{Action, Block, ButtonStyle, Tone, View};
use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::shell::ShellText;

use super::record::{TaskRecord, TaskState};
use crate::cards::Frame;
use crate::context::Context;
use crate::journal::Change;
use crate::session::progress::one_line;
use crate::shell::output::Shown;
use crate::shell::run::How;

/// Commands that a list shows.
const LISTED: usize = 15;
/// Of those, running ones that have a button.
const STOPPABLE: usize = 5;
/// Bytes of a command that a card shows.
const COMMAND: usize = 2000;

fn tenths(took: Duration) -> u64 {
    u64::try_from(took.as_millis() / 100).unwrap_or(u64::MAX)
}

/// How it ended, in words.
pub(crate) fn how(record: &TaskRecord, how: How) -> ShellText {
    match how {
        How::Exit(code) => ShellText::Exit { code },
        How::Signal(signal) => ShellText::Signal { signal },
        How::TimedOut => ShellText::TimedOut {
            after: record.timeout_s,
        },
        How::Stopped => ShellText::Stopped,
        How::Interrupted => ShellText::Interrupted,
    }
}

/// The card of a command, running or ended.
pub(crate) fn view(
    name: &str,
    node: &NodeId,
    record: &TaskRecord,
    shown: &Shown,
    ran: Option<Duration>,
    notes: &[ShellText],
) -> View {
    let lang = record.origin.lang;
    let frame = Frame {
        node: name,
        dir: &record.dir,
        lang,
    };
    let code = |lang: &str, text: &str| Block::Code {
        lang: lang.to_owned(),
        text: text.to_owned(),
    };
    let plain = |text: &ShellText| Block::Plain {
        text: text.say(lang),
    };
    let command: String = record.command.chars().take(COMMAND).collect();
    let mut blocks = vec![code("bash", &command)];
    if !shown.head.trim().is_empty() {
        blocks.push(code("", shown.head.trim_end_matches('\n')));
    }
    if shown.left_out > 0 {
        blocks.push(plain(&ShellText::LeftOut {
            bytes: shown.left_out,
        }));
        blocks.push(code("", shown.tail.trim_end_matches('\n')));
    }
    let mut footer = Vec::new();
    let mut buttons = Vec::new();
    let tone = match &record.state {
        TaskState::Running => {
            if record.background {
                blocks.push(plain(&ShellText::Background { n: record.n }));
                footer.push(ShellText::RunningAs { n: record.n });
            } else {
                footer.push(ShellText::Running { n: record.n });
            }
            footer.extend(ran.map(|ran| ShellText::Took {
                tenths: tenths(ran),
            }));
            let stop = Action::Stop {
                node: node.clone(),
                turn: record.id,
            };
            buttons.push(frame.button(&HostText::Stop, ButtonStyle::Normal, stop));
            Tone::Working
        }
        TaskState::Ended {
            how: ended,
            took_ms,
            ..
        } => {
            if shown.total == 0 && shown.head.is_empty() {
                blocks.push(plain(&ShellText::NoOutput));
            }
            footer.push(how(record, *ended));
            footer.push(ShellText::Took {
                tenths: took_ms / 100,
            });
            match ended {
                How::Exit(0) => Tone::Done,
                How::Exit(_) | How::Signal(_) | How::TimedOut => Tone::Failed,
                How::Stopped => Tone::Plain,
                How::Interrupted => Tone::Warning,
            }
        }
    };
    blocks.extend(notes.iter().map(plain));
    if !record.caged {
        footer.push(ShellText::NoSandbox);
    }
    let footer: Vec<String> = footer.iter().map(|text| text.say(lang)).collect();
    View {
        blocks,
        buttons,
        footer: Some(footer.join(" · ")),
        ..frame.view(tone)
    }
}

/// The same as something to show; none if it has no card.
pub(super) fn change(
    context: &Context,
    record: &TaskRecord,
    shown: &Shown,
    notes: &[ShellText],
) -> Option<Change> {
    let card = record.card?;
    let view = view(&context.name, &context.node, record, shown, None, notes);
    Some(record.origin.card(card, record.rev, view))
}

/// The short message that rings at the end.
pub(super) fn ring(record: &TaskRecord) -> Change {
    let lang = record.origin.lang;
    let ended = match &record.state {
        TaskState::Running => String::new(),
        TaskState::Ended { how: ended, .. } => how(record, *ended).say(lang),
    };
    let text = ShellText::Ended {
        n: record.n,
        how: ended,
        command: one_line(&record.command, 80),
    };
    record
        .origin
        .notice(&format!("task {}", record.id), text.say(lang))
}

/// A person's commands.
pub(crate) fn list(name: &str, node: &NodeId, lang: Lang, all: &[TaskRecord]) -> View {
    let frame = Frame {
        node: name,
        dir: "",
        lang,
    };
    let title = format!("{name} · {}", ShellText::Tasks.say(lang));
    if all.is_empty() {
        let text = ShellText::NoTasks.say(lang);
        return View {
            title,
            blocks: vec![Block::Plain { text }],
            ..frame.view(Tone::Plain)
        };
    }
    let now = chrono::Utc::now();
    let mut rows = Vec::new();
    let mut buttons = Vec::new();
    for task in all.iter().take(LISTED) {
        let (state, took) = match &task.state {
            TaskState::Running => {
                let ran = now
                    .signed_duration_since(task.started_at)
                    .to_std()
                    .unwrap_or_default();
                if buttons.len() < STOPPABLE {
                    let stop = Action::Stop {
                        node: node.clone(),
                        turn: task.id,
                    };
                    let mut button = frame.button(&HostText::Stop, ButtonStyle::Normal, stop);
                    button.label = format!("{} {}", button.label, task.n);
                    buttons.push(button);
                }
                (ShellText::IsRunning, tenths(ran))
            }
            TaskState::Ended {
                how: ended,
                took_ms,
                ..
            } => (how(task, *ended), took_ms / 100),
        };
        let took = ShellText::Took { tenths: took };
        let line = format!(
            "{} · {} · {}",
            one_line(&task.command, 60),
            state.say(lang),
            took.say(lang)
        );
        rows.push((task.n.to_string(), line));
    }
    View {
        title,
        blocks: vec![Block::Fields { rows }],
        buttons,
        footer: Some(ShellText::SeeOne.say(lang)),
        ..frame.view(Tone::Plain)
    }
}

#[cfg(test)]
mod tests;
