//! What the router shows, as cards. Pure: facts in, view out; the words are `common::text`'s.

pub(crate) mod dead;
pub(crate) mod enrol;
pub(crate) mod fan;
pub(crate) mod remind;
pub(crate) mod route;
pub(crate) mod waiting;

use common::command::Command;
use common::ids::{NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::MAX_TEXT;
use common::message::view::{Action, Block, Button, ButtonStyle, Tone, View};
use common::text::Say as _;
use common::text::router::RouterText as Text;

use crate::decide::Candidate;
use crate::presence::{State, seconds_since};
use chrono::{DateTime, Utc};

/// Buttons on one card; platforms take few more, and nobody reads them.
const BUTTONS: usize = 12;
/// Characters of a node's own words that are shown.
const WORDS: usize = 120;
/// Characters of a message that are quoted.
const QUOTE: usize = 80;

/// A node as the list shows it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) state: State,
    /// Last sign of life; none if there was none.
    pub(crate) last: Option<DateTime<Utc>>,
    pub(crate) sessions: u32,
    pub(crate) running: u32,
    /// Of each processor, 1.0 when it has just enough to do.
    pub(crate) load: Option<f32>,
    /// This person's messages that wait for it; none if that could not be read.
    pub(crate) queued: Option<usize>,
    /// What keeps it from taking work.
    pub(crate) trouble: Option<String>,
    /// What it is for, in its owner's words; may be empty.
    pub(crate) description: String,
    /// Empty if unknown.
    pub(crate) version: String,
    pub(crate) active: bool,
}

/// A card of plain lines.
fn sheet(tone: Tone, title: String, lines: impl IntoIterator<Item = String>) -> View {
    let plain = |text| Block::Plain { text };
    View {
        title,
        tone,
        blocks: lines.into_iter().map(plain).collect(),
        ..View::default()
    }
}

fn card(lang: Lang, tone: Tone, title: &Text, lines: &[Text]) -> View {
    let lines = lines.iter().map(|line| line.say(lang));
    sheet(tone, title.say(lang), lines)
}

/// Asks which node gets the message at `pending`.
pub(crate) fn ask(lang: Lang, message: &str, candidates: &[Candidate], pending: u64) -> View {
    let mut view = card(lang, Tone::Asking, &Text::AskTitle, &[]);
    view.blocks.push(Block::Plain {
        text: quote(message),
    });
    view.blocks.push(Block::Plain {
        text: Text::AskHint.say(lang),
    });
    view.buttons = candidates
        .iter()
        .take(BUTTONS)
        .map(|one| Button {
            label: one.name.clone(),
            style: ButtonStyle::Normal,
            action: Action::UseNode {
                node: one.node.clone(),
                pending: Some(pending),
            },
        })
        .collect();
    let count = candidates.len().saturating_sub(BUTTONS);
    view.footer = (count > 0).then(|| Text::AskMore { count }.say(lang));
    view
}

/// The first line of a message, cut.
pub(crate) fn quote(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(QUOTE).collect();
    if cut.len() < message.trim().len() {
        cut.push('…');
    }
    format!("“{cut}”")
}

/// The answered question.
pub(crate) fn sent(lang: Lang, name: &str) -> View {
    let node = name.to_owned();
    card(
        lang,
        Tone::Done,
        &Text::SentTo { node: node.clone() },
        &[Text::SentHint { node }],
    )
}

/// The answered question, after a tap that came too late.
pub(crate) fn already_sent(lang: Lang, name: &str) -> View {
    let title = Text::AlreadySent {
        node: name.to_owned(),
    };
    card(lang, Tone::Done, &title, &[Text::AlreadySentHint])
}

/// The message that waited for a choice is gone.
pub(crate) fn expired(lang: Lang, name: &str) -> View {
    let hint = Text::ExpiredHint {
        node: name.to_owned(),
    };
    card(lang, Tone::Warning, &Text::Expired, &[hint])
}

/// Nothing serves this person.
pub(crate) fn no_nodes(lang: Lang, user: &UserId) -> View {
    let hint = Text::NoNodesHint {
        user: user.to_string(),
    };
    card(lang, Tone::Warning, &Text::NoNodes, &[hint])
}

/// The list of nodes.
pub(crate) fn nodes(lang: Lang, rows: &[Row], now: DateTime<Utc>) -> View {
    let mut view = card(lang, Tone::Plain, &Text::Nodes, &[]);
    let fields = rows
        .iter()
        .map(|row| (heading(lang, row), detail(lang, row, now)));
    view.blocks.push(Block::Fields {
        rows: fields.collect(),
    });
    if rows.len() > 1 {
        view.buttons = rows
            .iter()
            .filter(|row| !row.active)
            .take(BUTTONS)
            .map(|row| Button {
                label: Text::Use {
                    node: row.name.clone(),
                }
                .say(lang),
                style: ButtonStyle::Normal,
                action: Action::UseNode {
                    node: row.node.clone(),
                    pending: None,
                },
            })
            .collect();
        view.footer = Some(Text::NodesHint.say(lang));
    }
    view
}

fn heading(lang: Lang, row: &Row) -> String {
    let mut text = row.name.clone();
    if row.name != row.node.as_str() {
        text = format!("{text} ({})", row.node);
    }
    if row.active {
        text = format!("{text} · {}", Text::Active.say(lang));
    }
    text
}

fn detail(lang: Lang, row: &Row, now: DateTime<Utc>) -> String {
    let state = match row.state {
        State::On => Text::On,
        State::Off { .. } => Text::Off,
        State::Never => Text::Never,
    };
    let mut parts = vec![state.say(lang)];
    if let Some(last) = row.last {
        parts.push(
            Text::Ago {
                seconds: seconds_since(last, now),
            }
            .say(lang),
        );
    }
    if row.state == State::On {
        let sessions = Text::Sessions {
            open: row.sessions,
            running: row.running,
        };
        parts.push(sessions.say(lang));
        let percent = row.load.map(percent);
        parts.push(Text::Load { percent }.say(lang));
        let trouble = row.trouble.as_deref().map(waiting::trouble);
        parts.extend(trouble.map(|text| text.say(lang)));
    }
    if row.queued != Some(0) {
        let count = row.queued;
        parts.push(Text::Queued { count }.say(lang));
    }
    if !row.version.is_empty() {
        parts.push(format!("v{}", row.version));
    }
    if !row.description.is_empty() {
        let about: String = row.description.chars().take(WORDS).collect();
        let whole = about.len() == row.description.len();
        parts.push(format!("“{about}{}”", if whole { "" } else { "…" }));
    }
    parts.join(" · ")
}

/// A load as people read it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the presence takes loads from 0 to 10,000 only"
)]
fn percent(load: f32) -> u32 {
    (load * 100.0).round() as u32
}

/// The active node has been chosen.
pub(crate) fn using(lang: Lang, name: &str, state: State, now: DateTime<Utc>) -> View {
    let (tone, hint) = match state {
        State::On => (Tone::Done, Text::UsingHint),
        State::Off { since } => (
            Tone::Warning,
            Text::UsingOff {
                seconds: Some(seconds_since(since, now)),
            },
        ),
        State::Never => (Tone::Warning, Text::UsingOff { seconds: None }),
    };
    card(
        lang,
        tone,
        &Text::Using {
            node: name.to_owned(),
        },
        &[hint],
    )
}

/// `/node <name>` found none, or several.
pub(crate) fn not_found(
    lang: Lang,
    name: &str,
    matches: &[NodeId],
    candidates: &[Candidate],
) -> View {
    let fits = |one: &&Candidate| matches.is_empty() || matches.contains(&one.node);
    let names = candidates.iter().filter(fits).map(|one| {
        if one.name == one.node.as_str() {
            one.name.clone()
        } else {
            format!("{} ({})", one.name, one.node)
        }
    });
    let names: Vec<_> = names.collect();
    let name: String = name.chars().take(QUOTE).collect();
    let (title, names) = if matches.is_empty() {
        (Text::UnknownNode { name }, Text::KnownNodes { names })
    } else {
        (Text::AmbiguousNode { name }, Text::MatchingNodes { names })
    };
    card(lang, Tone::Warning, &title, &[names])
}

/// A command that is written otherwise.
pub(crate) fn wrong_use(lang: Lang, command: Command) -> View {
    let usage = Text::Usage {
        usage: command.usage().to_owned(),
    };
    let mut view = card(lang, Tone::Warning, &Text::WrongUse, &[usage]);
    view.blocks.push(Block::Plain {
        text: command.help(lang).to_owned(),
    });
    view
}

/// A kind of message that is not handled yet.
pub(crate) fn unsupported(lang: Lang, what: &str) -> View {
    let what: String = what.chars().take(QUOTE).collect();
    card(
        lang,
        Tone::Warning,
        &Text::Unsupported { what },
        &[Text::UnsupportedHint],
    )
}

/// Too much text.
pub(crate) fn too_long(lang: Lang, bytes: usize) -> View {
    let hint = Text::TooLongHint {
        bytes,
        limit: MAX_TEXT,
    };
    card(lang, Tone::Warning, &Text::TooLong, &[hint])
}

/// A tap for a node that does not serve this person.
pub(crate) fn not_yours(lang: Lang, node: &NodeId) -> View {
    let title = Text::NotYours {
        node: node.to_string(),
    };
    with_code(
        card(lang, Tone::Failed, &title, &[Text::NotYoursHint]),
        "not-yours",
    )
}

/// Small print by which the log line of a failure is found.
fn with_code(view: View, code: &str) -> View {
    View {
        footer: Some(code.to_owned()),
        ..view
    }
}

#[cfg(test)]
mod tests;
