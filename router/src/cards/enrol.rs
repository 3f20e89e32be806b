//! Cards for administrators about machines that ask to be let in.

use common::lang::Lang;
use common::message::view::{Action, Block, Button, ButtonStyle, EnrolChoice, Tone, View};
use common::text::Say as _;
use common::text::router::enrol::EnrolText as Text;

use super::sheet;
use crate::enrol::{Fate, Request};

/// Characters of a key that are compared.
const KEY_END: usize = 8;

/// Asks whether a machine may come in.
pub(crate) fn question(lang: Lang, request: &Request) -> View {
    let node = request.node.to_string();
    let start = request.key.len().saturating_sub(KEY_END);
    let rows = [
        (Text::Id, node.clone()),
        (Text::Name, request.name.clone()),
        (Text::Program, request.program.clone()),
        (
            Text::Key,
            request.key.get(start..).unwrap_or_default().to_owned(),
        ),
    ];
    let rows = rows
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.say(lang), value))
        .collect();
    let button = |label: Text, style, choice| Button {
        label: label.say(lang),
        style,
        action: Action::Enrol {
            id: request.node.clone(),
            key: request.key.clone(),
            choice,
        },
    };
    View {
        blocks: vec![
            Block::Fields { rows },
            Block::Plain {
                text: Text::Hint.say(lang),
            },
        ],
        buttons: vec![
            button(Text::Approve, ButtonStyle::Primary, EnrolChoice::Approve),
            button(Text::Deny, ButtonStyle::Danger, EnrolChoice::Deny),
        ],
        ..sheet(Tone::Asking, Text::Title { node }.say(lang), [])
    }
}

/// The message that rings.
pub(crate) fn ring(lang: Lang, request: &Request) -> String {
    let node = request.node.to_string();
    Text::Ring { node }.say(lang)
}

/// What became of it; `late` for a tap that came after another one.
pub(crate) fn settled(lang: Lang, request: &Request, late: bool) -> View {
    let node = request.node.to_string();
    let by = |user: &common::ids::UserId| {
        let user = user.to_string();
        Text::By { user }
    };
    let (tone, title, lines) = match &request.fate {
        Fate::Open => return question(lang, request),
        Fate::Approved { by: who } => (
            Tone::Done,
            Text::Approved { node },
            [Text::ApprovedHint, by(who)],
        ),
        Fate::Denied { by: who } => (
            Tone::Plain,
            Text::Denied { node: node.clone() },
            [Text::DeniedHint { node }, by(who)],
        ),
    };
    let late = late.then_some(Text::Late);
    let lines = lines.into_iter().chain(late).map(|line| line.say(lang));
    sheet(tone, title.say(lang), lines)
}

/// A tap of somebody who may not decide.
pub(crate) fn not_admin(lang: Lang) -> View {
    sheet(
        Tone::Warning,
        Text::NotAdmin.say(lang),
        [Text::NotAdminHint.say(lang)],
    )
}

/// A tap that could not be carried out.
pub(crate) fn failed(lang: Lang, why: &str) -> View {
    sheet(Tone::Failed, Text::Failed.say(lang), [why.to_owned()])
}

#[cfg(test)]
mod tests;
