//! What the router is told of a turn whose message went to several nodes: how it stands, read off the
//! card that is about to be shown. Pure; sending it is `outbox`'s.
//!
//! A message that went here alone has no report.

use common::ids::{CardId, CauseId, MessageId, NodeId, TurnId};
use common::message::Meta;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::turn::{MAX_HEAD, TurnReport, TurnState};
use common::message::view::{Block, Tone, View};
use common::message::work::waiting_card;

/// The card of the turn that a message leads to.
pub(crate) fn card_of(turn: TurnId) -> CardId {
    CardId::derived(&[&turn.to_string(), "card"])
}

/// The turn that a message leads to.
pub(crate) fn turn_of(cause: &CauseId) -> TurnId {
    TurnId::derived(&[cause.as_str(), "turn"])
}

/// The card that answers an act without a turn.
pub(crate) fn reply_of(cause: &CauseId) -> CardId {
    CardId::derived(&[cause.as_str(), "reply"])
}

/// The report that goes with something that is shown; none if nobody collects it, or if it does not
/// change how the turn stands.
pub(crate) fn of(node: &NodeId, outbound: &Outbound) -> Option<TurnReport> {
    let cause = &outbound.meta.cause;
    let (_, part) = cause.part()?;
    if part != *node {
        return None;
    }
    let OutboundBody::Card { card, rev, view } = &outbound.body else {
        return None;
    };
    let state = state(cause, *card, *rev, view)?;
    let id = MessageId::derived(&[&outbound.meta.id.to_string(), "report"]);
    let meta = Meta::new(id, cause.clone(), outbound.meta.traceparent.clone());
    Some(TurnReport {
        meta,
        node: node.clone(),
        user: outbound.user.clone(),
        state,
        head: head(view, state),
    })
}

fn state(cause: &CauseId, card: CardId, rev: u32, view: &View) -> Option<TurnState> {
    let turn = card == card_of(turn_of(cause));
    if turn || card == reply_of(cause) {
        let has_choices = !view.buttons.is_empty();
        return Some(match view.tone {
            Tone::Working => TurnState::Working,
            Tone::Asking => TurnState::Asking,
            Tone::Done => TurnState::Done,
            Tone::Failed => TurnState::Failed,
            Tone::Warning if has_choices => TurnState::CutOff,
            Tone::Plain if turn && has_choices => TurnState::Queued,
            Tone::Warning => TurnState::Stopped,
            // Of a command it is the answer.
            Tone::Plain if turn => TurnState::Stopped,
            Tone::Plain => TurnState::Done,
        });
    }
    if card == waiting_card(cause) {
        // Asked to take it back: it did, or the turn says how it goes.
        return Some(match view.tone {
            Tone::Warning => TurnState::GoesOn,
            Tone::Plain | Tone::Working | Tone::Asking | Tone::Done | Tone::Failed => {
                TurnState::Stopped
            }
        });
    }
    match (view.tone, rev) {
        (Tone::Asking, _) => Some(TurnState::Asking),
        // Another part of a long answer, or what ended beside the turn.
        (_, 1) => None,
        // A question that is settled.
        _ => Some(TurnState::GoesOn),
    }
}

/// The beginning of what a card says, whatever it says it about.
pub(crate) fn words(outbound: &Outbound) -> String {
    if let OutboundBody::Card { view, .. } = &outbound.body {
        head(view, TurnState::Done)
    } else {
        String::new()
    }
}

/// The beginning of what a card says: of an answer its first words, else its last sentence.
fn head(view: &View, state: TurnState) -> String {
    let answer = view.blocks.iter().find_map(|block| match block {
        Block::Markdown { text } => Some(text),
        Block::Plain { .. } | Block::Code { .. } | Block::Steps { .. } | Block::Fields { .. } => {
            None
        }
    });
    let sentence = view.blocks.iter().rev().find_map(|block| match block {
        Block::Plain { text } => Some(text),
        Block::Markdown { .. }
        | Block::Code { .. }
        | Block::Steps { .. }
        | Block::Fields { .. } => None,
    });
    let text = match state {
        TurnState::Queued | TurnState::Working | TurnState::GoesOn => None,
        TurnState::Asking => Some(&view.title),
        TurnState::Done => answer.or(sentence).or(Some(&view.title)),
        TurnState::Stopped | TurnState::CutOff | TurnState::Failed => sentence.or(answer),
    };
    text.map_or_else(String::new, |text| one_line(text))
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut left = MAX_HEAD;
    for word in text.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        let length = word.chars().count();
        if length + gap > left {
            if line.is_empty() {
                line.extend(word.chars().take(left.saturating_sub(1)));
            }
            line.push('…');
            break;
        }
        if gap > 0 {
            line.push(' ');
        }
        line.push_str(word);
        left -= length + gap;
    }
    line
}

#[cfg(test)]
mod tests;
