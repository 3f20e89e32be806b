//! What a refusal of the platform is about.

use super::super::api::Message;
use super::super::error::{ApiError, ErrorKind};

/// Whether a refused edit is about this message or about editing, so that a new message may still
/// be taken.
pub(super) fn cannot_be_edited(error: &ApiError) -> bool {
    match error.kind {
        ErrorKind::Gone
        | ErrorKind::Permission { .. }
        | ErrorKind::NoSuchReader
        | ErrorKind::Permanent => true,
        ErrorKind::RateLimited { .. }
        | ErrorKind::Unreached
        | ErrorKind::Unsure
        | ErrorKind::TokenRefused
        | ErrorKind::Credentials
        | ErrorKind::TooLong
        | ErrorKind::CardRefused { .. }
        | ErrorKind::BadContent => false,
    }
}

/// Whether a reply was refused for something else than its content, as far as can be told: for a
/// reason that we do not know, or although it was the simplest there is.
pub(super) fn is_about_the_reply(error: &ApiError, message: &Message) -> bool {
    match message {
        Message::Text(_) => matches!(error.kind, ErrorKind::Permanent | ErrorKind::BadContent),
        Message::Card(_) | Message::Post(_) | Message::Image(_) | Message::File(_) => {
            error.kind == ErrorKind::Permanent
        }
    }
}
