//! Tools about sessions. The desk carries them out, as it does the commands.

use super::{Field, needed, optional};
use crate::desk::door::Ask;

pub(super) const NEW: (&str, &[Field]) = (
    "Opens a Claude Code session in a folder of the working directory (made if missing) and makes it the active one. With `text`, hands it that work at once; its answer comes to the person in a card of its own.",
    &[
        needed("dir", "string", "folder, relative to the working directory"),
        optional(
            "text",
            "string",
            "the work, in full: the session knows nothing else of this conversation",
        ),
    ],
);
pub(super) const SEND: (&str, &[Field]) = (
    "Hands work to a Claude Code session. Returns at once; the session's answer comes to the person in a card of its own.",
    &[
        needed(
            "text",
            "string",
            "the work, in full: the session knows nothing else of this conversation",
        ),
        optional(
            "session",
            "string",
            "number of the session; without it the active one",
        ),
    ],
);
pub(super) const LIST: (&str, &[Field]) = (
    "Lists the person's sessions on this machine: number, folder, state.",
    &[],
);
pub(super) const SWITCH: (&str, &[Field]) = (
    "Makes another session the active one.",
    &[needed("session", "string", "number of the session")],
);
pub(super) const CLOSE: (&str, &[Field]) = (
    "Closes a session; what it does is stopped, its folder stays as it is. Only if the person asked for it.",
    &[needed("session", "string", "number of the session")],
);

pub(super) fn new(dir: String, text: Option<String>) -> Ask {
    Ask::New { dir, text }
}

pub(super) fn send(session: Option<String>, text: String) -> Ask {
    Ask::Send { session, text }
}

pub(super) fn list() -> Ask {
    Ask::List
}

pub(super) fn switch(session: String) -> Ask {
    Ask::Switch { session }
}

pub(super) fn close(session: String) -> Ask {
    Ask::Close { session }
}
