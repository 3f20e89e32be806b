//! Everything that crosses the broker, as versioned JSON.
//!
//! A message is a head (`Meta`) and a closed enum of kinds. Unknown fields are ignored, so an older
//! program reads a newer one's messages; an unknown kind is an error and ends in the dead-letter
//! stream. Where a message goes is `subject`'s; how it gets there safely is `broker`'s.

pub mod control;
pub mod enrol;
pub mod inbound;
pub mod outbound;
pub mod remind;
pub mod turn;
pub mod view;
pub mod work;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{CauseId, MessageId};

/// The head of every message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Version of the format: 1.
    #[serde(default = "version")]
    pub v: u8,
    /// This message; the same for every attempt to send it.
    pub id: MessageId,
    /// What the person did that led to it.
    pub cause: CauseId,
    /// W3C trace context, carried end to end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub traceparent: String,
    /// When it was first sent.
    pub sent_at: DateTime<Utc>,
}

fn version() -> u8 {
    1
}

impl Meta {
    /// A head for a new message caused by `cause`.
    pub fn new(id: MessageId, cause: CauseId, traceparent: impl Into<String>) -> Self {
        Self {
            v: version(),
            id,
            cause,
            traceparent: traceparent.into(),
            sent_at: Utc::now(),
        }
    }
}

/// A message that cannot be read, with why: it goes to the dead letters.
#[derive(Debug, thiserror::Error)]
#[error("not a readable {what}: {source}")]
pub struct Unreadable {
    what: &'static str,
    source: serde_json::Error,
}

/// Reads a message of type `T`; `what` names it in the error.
pub fn decode<T: DeserializeOwned>(what: &'static str, payload: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(payload).map_err(|source| Unreadable { what, source })
}

/// Writes a message. Our types hold nothing that JSON cannot; a failure would be a defect and
/// gives an empty payload, which every reader refuses.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::inbound::{Inbound, InboundBody};
    use super::*;

    #[test]
    fn a_file_in_pieces_looks_as_it_always_did() {
        use super::outbound::{DownHead, OutboundBody, Pieces};
        let of = Pieces {
            bytes: 9,
            sha256: "ab".into(),
            chunks: 1,
        };
        let head = r#"{"is":"here","bytes":9,"sha256":"ab","chunks":1}"#;
        let here = DownHead::Here(of.clone());
        assert_eq!(serde_json::to_string(&here).unwrap(), head);
        assert_eq!(serde_json::from_str::<DownHead>(head).unwrap(), here);
        let file = r#"{"kind":"file","node":"home-pc","xfer":"0190f3c8-5d7e-7a00-8000-000000000000","name":"a","bytes":9,"sha256":"ab","chunks":1,"image":false,"lang":"en"}"#;
        let body = OutboundBody::File {
            node: "home-pc".parse().unwrap(),
            xfer: "0190f3c8-5d7e-7a00-8000-000000000000".parse().unwrap(),
            name: "a".into(),
            of,
            image: false,
            lang: crate::lang::Lang::En,
        };
        assert_eq!(serde_json::to_string(&body).unwrap(), file);
        assert_eq!(serde_json::from_str::<OutboundBody>(file).unwrap(), body);
    }

    #[test]
    fn unknown_fields_pass_and_unknown_kinds_do_not() {
        let text = r#"{"v":1,"id":"0190f3c8-5d7e-7a00-8000-000000000000","cause":"feishu:om_1","sent_at":"2026-01-01T00:00:00Z",
            "user":"feishu/ou_1","chat":{"id":"oc_1","kind":"direct","later":1},"body":{"kind":"text","text":"hi","later":true},"more":[]}"#;
        let message: Inbound = decode("inbound", text.as_bytes()).unwrap();
        assert_eq!(message.body, InboundBody::Text { text: "hi".into() });
        let unknown = text.replace(r#""kind":"text""#, r#""kind":"hologram""#);
        assert!(decode::<Inbound>("inbound", unknown.as_bytes()).is_err());
    }
}
