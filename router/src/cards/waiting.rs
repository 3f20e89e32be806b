//! The cards of messages that wait for a node, and of those that may not even wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, Tone, View, WaitingChoice};
use common::stream::WAITING_PER_USER;
use common::text::Say as _;
use common::text::router::{RouterText, WaitingText as Text};

use super::{WORDS, sheet, with_code};
use crate::presence::seconds_since;
use crate::waiting::{Entry, Other, Refusal, State};

/// What a node says keeps it from taking work.
pub(crate) fn trouble(what: &str) -> Text {
    let what = what.chars().take(WORDS).collect();
    Text::Trouble { what }
}

/// How a message that waits, or waited, stands. `longest` is how long one may wait.
pub(crate) fn view(entry: &Entry, longest: Duration, now: DateTime<Utc>) -> View {
    let lang = entry.lang;
    let node = entry.name.clone();
    let hours = longest.as_secs() / 3_600;
    let say = |text: Text| text.say(lang);
    let button = |label: Text, style, choice| Button {
        label: label.say(lang),
        style,
        action: Action::Waiting {
            node: entry.node.clone(),
            cause: entry.cause.clone(),
            choice,
        },
    };
    match &entry.state {
        State::Waiting(waits) => {
            let title = match (&waits.trouble, entry.tap) {
                (Some(_), _) => say(Text::Stuck { node }),
                (None, true) => say(Text::Tap { node }),
                (None, false) => RouterText::Waiting { node }.say(lang),
            };
            let mut lines = Vec::new();
            if let Some(other) = &waits.kept_from {
                lines.push(say(Text::Kept {
                    node: entry.name.clone(),
                    other: other.clone(),
                }));
            }
            if let Some(other) = &waits.full {
                lines.push(say(Text::OtherFull {
                    other: other.clone(),
                }));
            }
            lines.push(if let Some(what) = &waits.trouble {
                say(trouble(what))
            } else {
                let seconds = waits.since.map(|since| seconds_since(since, now));
                RouterText::LastSeen { seconds }.say(lang)
            });
            lines.push(
                RouterText::Place {
                    place: Some(waits.place),
                    hours,
                }
                .say(lang),
            );
            let others = waits.others.iter().map(|other| {
                let label = Text::SendTo {
                    node: other.name.clone(),
                };
                let choice = WaitingChoice::SendTo {
                    other: other.node.clone(),
                };
                button(label, ButtonStyle::Normal, choice)
            });
            let cancel = button(Text::Cancel, ButtonStyle::Normal, WaitingChoice::Cancel);
            View {
                buttons: std::iter::once(cancel).chain(others).collect(),
                ..sheet(Tone::Warning, title, lines)
            }
        }
        State::Taken { .. } => sheet(Tone::Done, say(Text::Back { node }), []),
        State::Withdrawing { .. } | State::Withdrawn { .. } => {
            let hint = Text::CancelledHint { node };
            sheet(Tone::Plain, say(Text::Cancelled), [say(hint)])
        }
        State::Asked { .. } => {
            let title = say(Text::Asked { node: node.clone() });
            sheet(Tone::Warning, title, [say(Text::AskedHint { node })])
        }
        State::Moved { from, .. } => {
            let title = say(Text::Moved {
                from: from.clone(),
                to: node,
            });
            let hint = say(Text::MovedHint { from: from.clone() });
            sheet(Tone::Done, title, [hint])
        }
        State::Expired { sure, kept } => {
            let hint = say(Text::ExpiredHint {
                node: node.clone(),
                hours,
                sure: *sure,
                kept: *kept,
            });
            let again = button(
                Text::SendAgain,
                ButtonStyle::Primary,
                WaitingChoice::SendAgain,
            );
            View {
                buttons: kept.then_some(again).into_iter().collect(),
                ..sheet(Tone::Failed, say(Text::Expired { node }), [hint])
            }
        }
        State::Removed { sure, kept, others } => {
            let others: &[Other] = if *kept { others } else { &[] };
            let hint = say(Text::RemovedHint {
                node: node.clone(),
                sure: *sure,
                others: !others.is_empty(),
            });
            let to = |other: &Other| {
                let label = Text::SendTo {
                    node: other.name.clone(),
                };
                let other = other.node.clone();
                button(label, ButtonStyle::Normal, WaitingChoice::SendTo { other })
            };
            View {
                buttons: others.iter().map(to).collect(),
                ..sheet(Tone::Failed, say(Text::Removed { node }), [hint])
            }
        }
        State::Again { .. } => sheet(Tone::Done, say(Text::Again { node }), []),
    }
}

/// The same, for a tap that came after another one, or too late.
pub(crate) fn late(entry: &Entry, longest: Duration, now: DateTime<Utc>) -> View {
    let mut view = view(entry, longest, now);
    view.blocks.push(Block::Plain {
        text: RouterText::AlreadySentHint.say(entry.lang),
    });
    view
}

/// A tap on a message that nobody knows of, or that is somebody else's.
pub(crate) fn gone(lang: Lang) -> View {
    let hint = Text::GoneHint.say(lang);
    sheet(Tone::Warning, Text::Gone.say(lang), [hint])
}

/// A node is back and takes what waited: the message that rings.
pub(crate) fn back(lang: Lang, name: &str, count: usize) -> String {
    Text::BackNotice {
        node: name.to_owned(),
        count,
    }
    .say(lang)
}

/// No room for a message; `count` were refused since the card was first shown.
pub(crate) fn refused(lang: Lang, name: &str, why: Refusal, count: u64) -> View {
    let (title, hint) = match why {
        Refusal::Queue => {
            let node = name.to_owned();
            let limit = u64::try_from(WAITING_PER_USER).unwrap_or_default();
            (
                RouterText::QueueFull { node },
                RouterText::QueueFullHint { limit },
            )
        }
        Refusal::Hub => (RouterText::HubFull, RouterText::HubFullHint),
    };
    let mut lines = vec![hint.say(lang)];
    if count > 1 {
        lines.push(Text::Refused { count }.say(lang));
    }
    with_code(sheet(Tone::Failed, title.say(lang), lines), why.code())
}

#[cfg(test)]
mod tests;
