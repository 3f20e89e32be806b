//! Cards about dead letters: the question, and what became of it.

use common::broker::dead::{DeadWhy, Letter};
use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, DeadChoice, Tone, View};
use common::text::Say as _;
use common::text::router::RouterText;
use common::text::router::dead::DeadText as Text;

use super::{quote, sheet, with_code};

/// What could not be handled, in the person's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// They wrote it; none if it cannot be read.
    Message(Option<String>),
    /// They tapped.
    Tap,
    /// It was to be shown to them.
    Answer,
}

fn card(lang: Lang, tone: Tone, title: &Text, lines: &[Text]) -> View {
    let lines = lines.iter().map(|line| line.say(lang));
    sheet(tone, title.say(lang), lines)
}

/// Asks what to do with the letter at `sequence` of PW_DLQ. `node` is what people call the machine
/// that it is about; none: the hub.
pub(crate) fn question(
    lang: Lang,
    what: &What,
    node: Option<&str>,
    letter: &Letter,
    sequence: u64,
) -> View {
    let node = node.map(str::to_owned);
    let title = match what {
        What::Message(_) => Text::Message,
        What::Tap => Text::Tap,
        What::Answer => Text::Answer { node: node.clone() },
    };
    let mut lines = Vec::new();
    match what {
        What::Message(_) | What::Tap => lines.push(Text::Where { node }),
        // The title says it.
        What::Answer => {}
    }
    lines.push(match letter.why {
        DeadWhy::Refused => Text::Refused,
        DeadWhy::Failed => Text::Failed,
        DeadWhy::TooOften => Text::TooOften {
            attempts: letter.attempts,
        },
    });
    match letter.why {
        DeadWhy::Refused => lines.push(Text::Detail {
            detail: letter.detail.clone(),
        }),
        // Their own line says it all.
        DeadWhy::Failed | DeadWhy::TooOften => {}
    }
    lines.push(match letter.cut_from {
        Some(bytes) => Text::Cut { bytes },
        None => Text::Hint,
    });
    let mut view = card(lang, Tone::Failed, &title, &lines);
    if let What::Message(Some(text)) = what {
        view.blocks.insert(0, Block::Plain { text: quote(text) });
    }
    let button = |label: Text, style, choice| Button {
        label: label.say(lang),
        style,
        action: Action::Dead { sequence, choice },
    };
    if letter.cut_from.is_none() {
        let retry = button(Text::Retry, ButtonStyle::Primary, DeadChoice::Retry);
        view.buttons.push(retry);
    }
    let discard = button(Text::Discard, ButtonStyle::Danger, DeadChoice::Discard);
    view.buttons.push(discard);
    with_code(view, letter.why.code())
}

/// What was done with it; `late`: another tap had been first.
pub(crate) fn settled(lang: Lang, choice: DeadChoice, late: bool) -> View {
    let (title, hint) = match choice {
        DeadChoice::Retry => (Text::Retried, Text::RetriedHint),
        DeadChoice::Discard => (Text::Discarded, Text::DiscardedHint),
    };
    let mut view = card(lang, Tone::Done, &title, &[hint]);
    if late {
        view.blocks.push(Block::Plain {
            text: RouterText::AlreadySentHint.say(lang),
        });
    }
    view
}

/// There is no room to hand it in again; its question stays as it is.
pub(crate) fn no_room(lang: Lang) -> View {
    let view = card(lang, Tone::Failed, &Text::NoRoom, &[Text::NoRoomHint]);
    with_code(view, "no-room")
}

/// It is not whole, so it cannot be handed in again.
pub(crate) fn cut(lang: Lang, bytes: usize) -> View {
    card(lang, Tone::Warning, &Text::Message, &[Text::Cut { bytes }])
}

/// There is no such letter of this person, or not any more.
pub(crate) fn gone(lang: Lang) -> View {
    card(lang, Tone::Warning, &Text::Gone, &[Text::GoneHint])
}

#[cfg(test)]
mod tests;
