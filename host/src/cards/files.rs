//! How files look: a head line, what was found, small print.

use common::lang::Lang;
use common::message::view::{Block, Tone, View};
use common::text::Say as _;
use common::text::host::files::FilesText;

use super::plain;

/// A card about something in the working directory: which, what is said of it, and its content.
pub(crate) fn looked_at(
    node: &str,
    lang: Lang,
    (path, what): (&str, String),
    body: Block,
    notes: &[FilesText],
) -> View {
    let path = path.to_owned();
    let head = FilesText::Head { path, what };
    found(node, lang, &head, Some(body), notes)
}

/// A card with one line about what was found, what it is, and small print.
pub(crate) fn found(
    node: &str,
    lang: Lang,
    head: &FilesText,
    body: Option<Block>,
    notes: &[FilesText],
) -> View {
    let notes: Vec<String> = notes.iter().map(|note| note.say(lang)).collect();
    View {
        title: node.to_owned(),
        tone: Tone::Done,
        blocks: [Some(plain(head.say(lang))), body]
            .into_iter()
            .flatten()
            .collect(),
        footer: (!notes.is_empty()).then(|| notes.join(" · ")),
        ..View::default()
    }
}

/// Text as it is; a sentence where there is none.
pub(crate) fn code(lang: String, text: String, or: &FilesText, says: Lang) -> Block {
    if text.is_empty() {
        plain(or.say(says))
    } else {
        Block::Code { lang, text }
    }
}
