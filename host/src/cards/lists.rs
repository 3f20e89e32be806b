//! The lists: `/status` and `/help`.

use common::command::Command;
use common::ids::{NodeId, SessionId};
use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, Tone, View};
use common::text::Say;
use common::text::host::HostText;

use super::plain;

/// A session as `/status` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The session.
    pub(crate) session: SessionId,
    /// Its line.
    pub(crate) line: HostText,
    /// It is the active one.
    pub(crate) active: bool,
}

/// `/status`.
pub(crate) fn status(node: &str, id: &NodeId, lang: Lang, mode: &str, rows: &[Row]) -> View {
    let mut blocks = Vec::new();
    if rows.is_empty() {
        blocks.push(plain(HostText::NoSessions.say(lang)));
    } else {
        let rows = rows
            .iter()
            .enumerate()
            .map(|(at, row)| ((at + 1).to_string(), row.line.say(lang)))
            .collect();
        blocks.push(Block::Fields { rows });
    }
    blocks.push(Block::Fields {
        rows: vec![(HostText::ModeRow.say(lang), mode.to_owned())],
    });
    let buttons = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.active)
        .take(8)
        .map(|(at, row)| Button {
            label: HostText::SwitchTo { n: at + 1 }.say(lang),
            style: ButtonStyle::Normal,
            action: Action::Switch {
                node: id.clone(),
                session: row.session,
            },
        })
        .collect();
    View {
        title: HostText::StatusTitle { node: node.into() }.say(lang),
        tone: Tone::Plain,
        blocks,
        buttons,
        footer: None,
    }
}

/// `/help`, made from the table of commands.
pub(crate) fn help(lang: Lang) -> View {
    let rows = Command::ALL
        .into_iter()
        .map(|command| (command.usage().to_owned(), command.help(lang).to_owned()))
        .collect();
    View {
        title: HostText::HelpTitle.say(lang),
        tone: Tone::Plain,
        blocks: vec![Block::Fields { rows }, plain(HostText::HelpMore.say(lang))],
        ..View::default()
    }
}
