//! Dead letters: a message that could not be handled, kept whole in PW_DLQ together with where it
//! came from and why it is there, so that the person can be asked and it can be handed in again.
//!
//! When a message is one is `consume`'s; asking the person is the router's.

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;

use super::{Broker, PublishError};
use crate::ids::UserId;
use crate::subject;

const SUBJECT: &str = "Pw-Subject";
const STREAM: &str = "Pw-Stream";
const SEQUENCE: &str = "Pw-Sequence";
const ATTEMPTS: &str = "Pw-Attempts";
const WHY: &str = "Pw-Why";
const DETAIL: &str = "Pw-Detail";
const WHOLE: &str = "Pw-Whole";
const TRACE: &str = "traceparent";

/// Characters of the detail that are kept.
const DETAIL_CHARS: usize = 200;
/// Bytes of a broker message that are left for the headers: subjects have at most 120, the detail
/// at most 800.
const HEADERS: usize = 4096;

/// Why a message is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadWhy {
    /// Its handler said that it can never be handled.
    Refused,
    /// Its handler broke off: a defect.
    Failed,
    /// It was delivered too often without an end.
    TooOften,
}

impl DeadWhy {
    /// The word for it in the letter, in the log and on the card.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused => "dead-refused",
            Self::Failed => "dead-failed",
            Self::TooOften => "dead-too-often",
        }
    }

    fn read(code: &str) -> Option<Self> {
        [Self::Refused, Self::Failed, Self::TooOften]
            .into_iter()
            .find(|why| why.code() == code)
    }
}

/// A message that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The same for the same message, whoever gives it up and however often.
    pub id: String,
    /// Where it had been published.
    pub subject: String,
    /// The stream that it was in.
    pub stream: String,
    /// Its place there.
    pub sequence: u64,
    /// How often it had been delivered.
    pub attempts: i64,
    /// Why it is a dead letter.
    pub why: DeadWhy,
    /// The same in one line, for the log and the owner; no secrets, at most 200 characters.
    pub detail: String,
    /// Its trace context; may be empty.
    pub traceparent: String,
    /// How many bytes the message had, if it was too large to be kept whole: only its beginning is
    /// here then, and it cannot be handed in again.
    pub cut_from: Option<usize>,
    /// What it says, as it was.
    pub payload: Bytes,
}

impl Letter {
    /// The id of the letter that a message becomes. A stream that is made anew begins to count
    /// again, so the time at which the message was stored, in nanoseconds, is a part of it.
    pub(super) fn id_of(stream: &str, sequence: u64, stored_at: i128) -> String {
        format!("dead-{stream}-{sequence}-{stored_at}")
    }

    /// Reads a letter out of PW_DLQ; none if it is not one.
    pub fn read(headers: &HeaderMap, payload: Bytes) -> Option<Self> {
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        Some(Self {
            id: text(async_nats::header::NATS_MESSAGE_ID.as_ref())?,
            subject: text(SUBJECT)?,
            stream: text(STREAM)?,
            sequence: text(SEQUENCE)?.parse().ok()?,
            attempts: text(ATTEMPTS)?.parse().ok()?,
            why: DeadWhy::read(&text(WHY)?)?,
            detail: one_line(&text(DETAIL).unwrap_or_default()),
            traceparent: text(TRACE).unwrap_or_default(),
            cut_from: match text(WHOLE) {
                Some(whole) => Some(whole.parse().ok()?),
                None => None,
            },
            payload,
        })
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(SUBJECT, self.subject.as_str());
        headers.insert(STREAM, self.stream.as_str());
        headers.insert(SEQUENCE, self.sequence.to_string());
        headers.insert(ATTEMPTS, self.attempts.to_string());
        headers.insert(WHY, self.why.code());
        headers.insert(DETAIL, one_line(&self.detail));
        if !self.traceparent.is_empty() {
            headers.insert(TRACE, one_line(&self.traceparent));
        }
        if let Some(bytes) = self.cut_from {
            headers.insert(WHOLE, bytes.to_string());
        }
        headers
    }
}

/// Puts a letter of `user` into PW_DLQ, once, in the name of `who`: a node's id, `router` or
/// `gateway`. What is too large for the broker together with its headers is cut.
///
/// # Errors
/// When the stream has not confirmed it. The same letter again is safe.
pub async fn store(
    broker: &Broker,
    who: &str,
    user: &UserId,
    mut letter: Letter,
) -> Result<bool, PublishError> {
    let room = broker.client().server_info().max_payload;
    let room = room.saturating_sub(HEADERS);
    if letter.payload.len() > room {
        letter.cut_from = Some(letter.payload.len());
        letter.payload.truncate(room);
    }
    let message = PublishMessage::build()
        .headers(letter.headers())
        .message_id(&letter.id)
        .payload(letter.payload);
    broker.send(&subject::dead(who, user), message).await
}

/// Fit for a header: no line breaks or other control characters, and not long.
pub(super) fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(DETAIL_CHARS).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            id: Letter::id_of("PW_WORK", 7, 1_800_000_000_000_000_000),
            subject: "pw.work.home.feishu.ou_1".into(),
            stream: "PW_WORK".into(),
            sequence: 7,
            attempts: 3,
            why: DeadWhy::TooOften,
            detail: "äh: a line".into(),
            traceparent: "00-1-2-01".into(),
            cut_from: Some(12),
            payload: Bytes::from_static(b"{\"x\"\xff"),
        }
    }

    fn read(letter: &Letter) -> Option<Letter> {
        let mut headers = letter.headers();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, letter.id.as_str());
        Letter::read(&headers, letter.payload.clone())
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(read(&letter()), Some(letter()));
        for why in [DeadWhy::Refused, DeadWhy::Failed, DeadWhy::TooOften] {
            let plain = Letter {
                why,
                traceparent: String::new(),
                cut_from: None,
                ..letter()
            };
            assert_eq!(read(&plain), Some(plain));
        }
    }

    #[test]
    fn a_detail_cannot_add_headers() {
        let sly = Letter {
            detail: format!("a\r\nPw-Subject: pw.work.other\n{}", "x".repeat(500)),
            ..letter()
        };
        let found = read(&sly).unwrap();
        assert_eq!(found.subject, letter().subject);
        assert_eq!(found.detail.chars().count(), DETAIL_CHARS);
        assert!(!found.detail.contains(['\r', '\n']));
    }

    #[test]
    fn what_is_no_letter_is_not_read() {
        assert_eq!(Letter::read(&HeaderMap::new(), Bytes::new()), None);
        for name in [SUBJECT, STREAM, SEQUENCE, ATTEMPTS, WHY] {
            let mut headers = letter().headers();
            headers.insert(async_nats::header::NATS_MESSAGE_ID, "x");
            headers.insert(name, "");
            let found = Letter::read(&headers, Bytes::new());
            // A subject or stream that is empty is refused by whoever checks the claim.
            assert_eq!(found.is_some(), matches!(name, SUBJECT | STREAM), "{name}");
        }
    }
}
