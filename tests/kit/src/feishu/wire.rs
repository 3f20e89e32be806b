//! The frame of the long connection, as protobuf (proto2) puts it on the wire.
//!
//! Exists because the real server refuses a frame whose required fields are not written, even when
//! they are zero, and a lenient decoder would hide that fault. Cutting events into frames and
//! judging acks is left to `delivery`.

use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// Control frames: ping and pong.
pub const CONTROL: i32 = 0;
/// Data frames: events and card callbacks.
pub const DATA: i32 = 1;

/// One websocket message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Frame {
    /// Number of this frame; the answer repeats it.
    #[prost(uint64, required, tag = "1")]
    pub seq_id: u64,
    /// Log number; the answer repeats it.
    #[prost(uint64, required, tag = "2")]
    pub log_id: u64,
    /// The service id out of the connection's URL.
    #[prost(int32, required, tag = "3")]
    pub service: i32,
    /// [`CONTROL`] or [`DATA`].
    #[prost(int32, required, tag = "4")]
    pub method: i32,
    /// Ordered pairs; see [`Frame::header`].
    #[prost(message, repeated, tag = "5")]
    pub headers: Vec<Header>,
    /// Unused by every client.
    #[prost(string, optional, tag = "6")]
    pub payload_encoding: Option<String>,
    /// Unused by every client.
    #[prost(string, optional, tag = "7")]
    pub payload_type: Option<String>,
    /// The event, a part of it, or an answer.
    #[prost(bytes = "vec", optional, tag = "8")]
    pub payload: Option<Vec<u8>>,
    /// A second, textual log number.
    #[prost(string, optional, tag = "9")]
    pub log_id_new: Option<String>,
}

/// One header of a [`Frame`].
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Header {
    /// Name, for example `type`.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// Value; always text, also for numbers.
    #[prost(string, required, tag = "2")]
    pub value: String,
}

impl Header {
    /// A header out of its two texts.
    pub fn new(key: &str, value: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
        }
    }
}

impl Frame {
    /// The value of the first header with this key.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|h| h.key == key)
            .map(|h| h.value.as_str())
    }

    /// The bytes for the wire; required zeros are written.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// Reads a frame and refuses what a proto2 reader refuses.
    ///
    /// # Errors
    /// Says which required field of the frame or of which header is not on the wire, or why the
    /// bytes are no protobuf at all.
    pub fn read_strict(bytes: &[u8]) -> Result<Self, String> {
        let frame = Self::decode(bytes).map_err(|e| format!("not a frame: {e}"))?;
        let seen = numbers(bytes)?;
        for (number, name) in [(1, "SeqID"), (2, "LogID"), (3, "service"), (4, "method")] {
            if !seen.iter().any(|(n, _)| *n == number) {
                return Err(format!(
                    "required field {number} ({name}) is not on the wire"
                ));
            }
        }
        for (index, (_, body)) in seen.iter().filter(|(n, _)| *n == 5).enumerate() {
            let inner = numbers(body)?;
            for (number, name) in [(1, "key"), (2, "value")] {
                if !inner.iter().any(|(n, _)| *n == number) {
                    return Err(format!(
                        "header {index} lacks required field {number} ({name})"
                    ));
                }
            }
        }
        Ok(frame)
    }
}

/// The field numbers on the wire, with the bytes of the length-delimited ones.
fn numbers(mut bytes: &[u8]) -> Result<Vec<(u32, &[u8])>, String> {
    let mut seen = Vec::new();
    while !bytes.is_empty() {
        let (number, kind) = decode_key(&mut bytes).map_err(|e| e.to_string())?;
        if kind == WireType::LengthDelimited {
            let length = decode_varint(&mut bytes).map_err(|e| e.to_string())?;
            let length = usize::try_from(length).map_err(|e| e.to_string())?;
            let (body, rest) = bytes
                .split_at_checked(length)
                .ok_or("a field ends too early")?;
            seen.push((number, body));
            bytes = rest;
        } else {
            skip_field(kind, number, &mut bytes, DecodeContext::default())
                .map_err(|e| e.to_string())?;
            seen.push((number, &[]));
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &str = "0800100018f681801020002a0c0a0474797065120470696e67";
    const ACK: &str = "080710ac0218f681801020012a0d0a047479706512056576656e742a100a0a6d6573736167655f696412026d312a080a0373756d1201312a080a037365711201302a0b0a0662697a5f7274120135420c7b22636f6465223a3230307d";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn ping_is_byte_for_byte_the_sdks() {
        let ping = Frame {
            service: 33_554_678,
            method: CONTROL,
            headers: vec![Header::new("type", "ping")],
            ..Frame::default()
        };
        assert_eq!(ping.to_bytes(), bytes(PING));
        assert_eq!(Frame::read_strict(&bytes(PING)), Ok(ping));
    }

    #[test]
    fn ack_is_byte_for_byte_the_sdks() {
        let ack = Frame {
            seq_id: 7,
            log_id: 300,
            service: 33_554_678,
            method: DATA,
            headers: vec![
                Header::new("type", "event"),
                Header::new("message_id", "m1"),
                Header::new("sum", "1"),
                Header::new("seq", "0"),
                Header::new("biz_rt", "5"),
            ],
            payload: Some(br#"{"code":200}"#.to_vec()),
            ..Frame::default()
        };
        assert_eq!(ack.to_bytes(), bytes(ACK));
        assert_eq!(Frame::read_strict(&bytes(ACK)), Ok(ack));
    }

    #[test]
    fn each_required_field_is_missed() {
        let ping = bytes(PING);
        // The fields of the ping lie at 0..2, 2..4, 4..10 and 10..12.
        for (range, name) in [
            (0..2, "SeqID"),
            (2..4, "LogID"),
            (4..9, "service"),
            (9..11, "method"),
        ] {
            let mut cut = ping.clone();
            cut.drain(range);
            let error = Frame::read_strict(&cut).unwrap_err();
            assert!(error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn a_header_without_value_is_refused() {
        let mut ping = bytes(PING);
        ping.truncate(11);
        ping.extend([0x2a, 0x06, 0x0a, 0x04, b't', b'y', b'p', b'e']);
        assert!(Frame::read_strict(&ping).unwrap_err().contains("value"));
    }

    #[test]
    fn garbage_is_no_frame() {
        assert!(Frame::read_strict(b"hello").is_err());
        assert!(Frame::read_strict(b"").is_err());
    }
}
