//! Decides, before anything runs, whether a typed command may: run, run once the person said so, or
//! not at all. The command is read with bash's grammar and followed as a shell would: quotes,
//! variables, expansions, prefixes, nested shells, pipes into shells, inline code of interpreters.
//!
//! Pure: nothing is looked up on the disk. It is the first of two walls; what it cannot see (a
//! script, a program, a link) the sandbox stops. What it cannot decide it asks; what it cannot read
//! never runs unasked.

mod calls;
mod delete;
mod feed;
mod find;
mod inline;
mod known;
mod launch;
mod network;
mod paths;
mod place;
mod prefix;
mod redirect;
mod repo;
mod secrets;
mod shells;
mod strings;
mod through;
mod tools;
mod walk;
mod word;

use common::text::host::shell::Danger;

pub(crate) use place::Place;
use walk::Walk;

/// Longer commands are not followed: they are asked about.
const MAX_COMMAND: usize = 64 * 1024;

/// What may become of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It may run.
    Run,
    /// Only with the person's word.
    Ask {
        /// Why they are asked.
        why: Danger,
    },
    /// Not at all.
    Refuse {
        /// Why.
        why: Danger,
    },
}

impl Judgement {
    /// How grave it is.
    fn rank(&self) -> u8 {
        match self {
            Self::Run => 0,
            Self::Ask { .. } => 1,
            Self::Refuse { .. } => 2,
        }
    }
}

/// Judges a command that is to run at `place`.
pub(crate) fn judge(command: &str, place: &Place) -> Judgement {
    let unreadable = |c: char| c >= word::FIRST_MARK || c == '\0' || word::turns(c);
    if command.len() > MAX_COMMAND || command.chars().any(unreadable) {
        return Judgement::Ask {
            why: Danger::Unreadable,
        };
    }
    // Followed on a stack of its own, as deep as what was typed.
    let place = place.clone();
    let command = command.to_owned();
    let judged = std::thread::Builder::new()
        .name("guard".into())
        .stack_size(16 << 20)
        .spawn(move || {
            let mut walk = Walk::new(&place);
            walk.text(&command, feed::Feed::Nothing);
            walk.verdict
        })
        .map(std::thread::JoinHandle::join);
    match judged {
        Ok(Ok(verdict)) => verdict,
        _ => Judgement::Ask {
            why: Danger::Unreadable,
        },
    }
}

#[cfg(test)]
mod tests;
