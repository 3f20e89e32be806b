//! A text that is worked on, as the journal has it: enough to say after a crash what was asked and
//! what was done, and to take it up again.

use chrono::{DateTime, Utc};
use common::ids::TurnId;
use common::message::inbound;
use serde::{Deserialize, Serialize};

use super::Letter;
use crate::context::Origin;
use crate::journal::{Change, Shelf};
use crate::report;

/// Revision of a card that waits.
pub(super) const QUEUED: u32 = 1;
/// Of one that is worked on; the same whether it waited or not, so that taking it up again after a
/// crash shows the same.
pub(super) const BEGUN: u32 = 2;
/// Longest text that is kept for taking it up again, in bytes; more is not sent to the model either. No
/// gateway takes a longer one, so nothing is cut but what is added to it.
pub(super) const MAX_TEXT: usize = inbound::MAX_TEXT + 16 * 1024;

/// A text that is worked on, or was cut off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChatRecord {
    /// Derived from the cause.
    pub(super) turn: TurnId,
    /// Whose, where.
    pub(super) origin: Origin,
    /// What the person wrote.
    pub(super) text: String,
    /// When it was begun.
    pub(super) at: DateTime<Utc>,
    /// What was done, the earlier try included.
    #[serde(default)]
    pub(super) done: Vec<Deed>,
    /// How many calls were begun in this try.
    #[serde(default)]
    pub(super) calls: usize,
    /// Last revision of its card.
    pub(super) rev: u32,
    /// It was cut off, and the person was told.
    #[serde(default)]
    pub(super) cut_off: bool,
}

/// A tool that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deed {
    /// Its line on the card.
    pub(super) line: String,
    /// It came to its end.
    pub(super) ended: bool,
}

/// Deeds that are kept; of more, the first ones go.
const MAX_DEEDS: usize = 60;

impl ChatRecord {
    /// Of a text that is begun now.
    pub(super) fn begun(letter: &Letter, again: Option<&Self>) -> Self {
        let mut text = letter.text.clone();
        if text.len() > MAX_TEXT {
            let mut end = MAX_TEXT;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        Self {
            turn: report::turn_of(&letter.origin.cause),
            origin: letter.origin.clone(),
            text,
            at: Utc::now(),
            done: again.map(|again| again.done.clone()).unwrap_or_default(),
            calls: 0,
            rev: BEGUN,
            cut_off: false,
        }
    }

    /// Notes that a tool is used now, in the `n`-th call.
    pub(super) fn begins(&mut self, n: usize, line: String) {
        self.calls = n;
        if self.done.len() >= MAX_DEEDS {
            self.done.remove(0);
        }
        self.done.push(Deed { line, ended: false });
    }

    /// The tool that was begun last came to its end.
    pub(super) fn ends(&mut self) {
        if let Some(deed) = self.done.last_mut() {
            deed.ended = true;
        }
    }

    /// Marks it as cut off; false if it was.
    pub(super) fn interrupt(&mut self) -> bool {
        !std::mem::replace(&mut self.cut_off, true)
    }

    /// What was done, one line each.
    pub(super) fn lines(&self) -> Vec<String> {
        self.done
            .iter()
            .map(|deed| {
                let sign = if deed.ended { '✓' } else { '…' };
                format!("{sign} {}", deed.line)
            })
            .collect()
    }

    /// Keeps it.
    pub(super) fn kept(&self) -> Change {
        // A record of ours always becomes JSON.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Change::Put(Shelf::Chat, self.turn.to_string(), bytes)
    }

    /// Lets it go.
    pub(super) fn taken(&self) -> Change {
        Change::Take(Shelf::Chat, self.turn.to_string())
    }
}
