//! The host's lines in the audit, read off the steps that are written down: what is in no step did not
//! happen. Rooms whose acts are in no step of ours (a shell command, a file) note their own.

use common::audit::{Audit, Entry, Kind};
use common::ids::NodeId;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::Answer;

use crate::journal::{Change, Shelf};
use crate::record::{PromptRecord, PromptState, TurnRecord, TurnState};
use crate::report;

/// Notes what a step that was just written down means.
pub(crate) fn note(audit: &Audit, node: &NodeId, changes: &[Change]) {
    for line in lines(changes) {
        audit.note(line.node(node));
    }
}

fn lines(changes: &[Change]) -> Vec<Entry> {
    let shown = || changes.iter().filter_map(Change::shows);
    let mut lines = Vec::new();
    for change in changes {
        match change {
            Change::Turn(turn) => {
                let card = shown().find(|one| is_card(one, turn.card));
                // Without its card it is only that it was given, or the like.
                lines.extend(card.map(|card| of_turn(turn, card)));
            }
            Change::DropTurn(id) => {
                let card = shown().find(|one| is_card(one, report::card_of(*id)));
                let line = match card {
                    Some(card) => of(card, Kind::TurnEnded).outcome(tone_of(card)),
                    // It goes with its session, or was answered together with another.
                    None => Entry::new(Kind::TurnEnded),
                };
                lines.push(line.turn(*id));
            }
            Change::Prompt(prompt) => lines.push(of_prompt(prompt)),
            Change::Send(outbound) => {
                if let OutboundBody::File {
                    name, of: pieces, ..
                } = &outbound.body
                {
                    let line = of(outbound, Kind::FileOut).what(name.as_str());
                    lines.push(line.outcome(format!("sent, {} bytes", pieces.bytes)));
                }
                if is_card(outbound, report::reply_of(&outbound.meta.cause)) {
                    let head = report::words(outbound);
                    let line = of(outbound, Kind::Answer).what(head);
                    lines.push(line.outcome(tone_of(outbound)));
                }
            }
            Change::Put(Shelf::Confirm, _, bytes) => lines.extend(crate::confirm::line(bytes)),
            Change::Put(Shelf::Task, _, bytes) => lines.extend(crate::task::line(bytes)),
            Change::Put(Shelf::File, key, bytes) => {
                lines.extend(crate::files::receive::lines(key, bytes));
            }
            Change::Done(_)
            | Change::User(_)
            | Change::Session(_)
            | Change::DropSession(_)
            | Change::Put(..)
            | Change::Take(..)
            | Change::Sent(_) => {}
        }
    }
    lines
}

fn of(outbound: &Outbound, kind: Kind) -> Entry {
    Entry::new(kind).act(&outbound.user, &outbound.chat, &outbound.meta.cause)
}

fn is_card(outbound: &Outbound, wanted: common::ids::CardId) -> bool {
    matches!(&outbound.body, OutboundBody::Card { card, .. } if *card == wanted)
}

/// How a card looks is how it went.
fn tone_of(outbound: &Outbound) -> String {
    if let OutboundBody::Card { view, .. } = &outbound.body {
        format!("{:?}", view.tone).to_lowercase()
    } else {
        String::new()
    }
}

fn of_turn(turn: &TurnRecord, card: &Outbound) -> Entry {
    let (kind, outcome) = match turn.state {
        TurnState::Queued => (Kind::Prompt, "queued"),
        TurnState::Started { .. } => (Kind::TurnBegan, "started"),
        TurnState::Folded => (Kind::TurnBegan, "handed to the running turn"),
        TurnState::Watched => (Kind::TurnEnded, "cut off, its process goes on"),
        TurnState::Interrupted => (Kind::TurnEnded, "cut off"),
    };
    let line = of(card, kind).turn(turn.id).what(&*turn.text);
    line.outcome(outcome)
}

fn of_prompt(prompt: &PromptRecord) -> Entry {
    let (kind, outcome) = settled(&prompt.state);
    let what = [prompt.ask.tool.as_str(), prompt.ask.body.as_str()].join(": ");
    Entry::new(kind)
        .act(&prompt.user, &prompt.chat, &prompt.cause)
        .prompt(prompt.id)
        .what(what)
        .outcome(outcome)
}

/// How a question stands, in the audit's words.
pub(crate) fn settled(state: &PromptState) -> (Kind, &'static str) {
    match state {
        PromptState::Open => (Kind::Asked, "open"),
        PromptState::Answered { answer, .. } => (
            Kind::Answered,
            match answer {
                Answer::AllowOnce => "allowed once",
                Answer::AllowSession => "allowed for the session",
                Answer::Deny => "denied",
            },
        ),
        PromptState::Expired { .. } => (Kind::Answered, "expired"),
        PromptState::Withdrawn { .. } => (Kind::Answered, "withdrawn"),
        PromptState::CutOff { .. } => (Kind::Answered, "cut off"),
    }
}
