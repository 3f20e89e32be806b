//! The protobuf frame of the long connection.
//!
//! Only the shape on the wire and how to build the two frames we send. Which
//! frame is sent when is decided in `connection`.

use bytes::Bytes;
use prost::Message as _;

/// `method` of control frames (ping, pong).
pub const CONTROL: i32 = 0;
/// `method` of data frames (events and our acks).
pub const DATA: i32 = 1;

/// One binary websocket message. The schema is proto2: fields marked required
/// are written even when zero, or the other side refuses the frame.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Frame {
    /// Sequence number, echoed in the ack.
    #[prost(uint64, required, tag = "1")]
    pub seq_id: u64,
    /// Log number, echoed in the ack.
    #[prost(uint64, required, tag = "2")]
    pub log_id: u64,
    /// The service id from the address of the connection.
    #[prost(int32, required, tag = "3")]
    pub service: i32,
    /// [`CONTROL`] or [`DATA`].
    #[prost(int32, required, tag = "4")]
    pub method: i32,
    /// Key–value pairs; order is kept.
    #[prost(message, repeated, tag = "5")]
    pub headers: Vec<Header>,
    /// Not looked at by any known client; nor by us while the payload is JSON.
    #[prost(string, optional, tag = "6")]
    pub payload_encoding: Option<String>,
    /// Not looked at by any known client.
    #[prost(string, optional, tag = "7")]
    pub payload_type: Option<String>,
    /// JSON, or a byte range of it.
    #[prost(bytes = "bytes", optional, tag = "8")]
    pub payload: Option<Bytes>,
    /// Log id as text.
    #[prost(string, optional, tag = "9")]
    pub log_id_new: Option<String>,
}

/// One header of a [`Frame`].
#[derive(Clone, PartialEq, prost::Message)]
pub struct Header {
    /// Name, such as `type` or `message_id`.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// Value; numbers are written out in decimal.
    #[prost(string, required, tag = "2")]
    pub value: String,
}

impl Frame {
    /// The ping of this service.
    pub fn ping(service: i32) -> Self {
        Self {
            service,
            method: CONTROL,
            headers: vec![Header::new("type", "ping")],
            ..Self::default()
        }
    }

    /// The answer to this data frame: everything is echoed, in order, with the
    /// handling time added and the payload replaced.
    #[must_use]
    pub fn ack(mut self, handling_ms: u128, payload: Vec<u8>) -> Self {
        self.method = DATA;
        self.headers
            .push(Header::new("biz_rt", &handling_ms.to_string()));
        self.payload = Some(payload.into());
        self
    }

    /// The first header of this name.
    pub fn header(&self, key: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.key == key)
            .map(|header| header.value.as_str())
    }

    /// The bytes to send as one binary message.
    pub fn to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }
}

impl Header {
    /// A header of these two texts.
    pub fn new(key: &str, value: &str) -> Self {
        Self {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    // Both vectors were produced by the platform's own SDK classes.
    const PING: &str = "0800100018f681801020002a0c0a0474797065120470696e67";
    const ACK: &str = "080710ac0218f681801020012a0d0a047479706512056576656e742a100a0a6d6573736167655f696412026d312a080a0373756d1201312a080a037365711201302a0b0a0662697a5f7274120135420c7b22636f6465223a3230307d";

    #[test]
    fn ping_has_its_required_zeros() {
        assert_eq!(hex(&Frame::ping(33_554_678).to_bytes()), PING);
    }

    #[test]
    fn ack_echoes_the_frame() {
        let received = Frame {
            seq_id: 7,
            log_id: 300,
            service: 33_554_678,
            method: DATA,
            headers: vec![
                Header::new("type", "event"),
                Header::new("message_id", "m1"),
                Header::new("sum", "1"),
                Header::new("seq", "0"),
            ],
            payload: Some(Bytes::from_static(b"{}")),
            ..Frame::default()
        };
        let ack = received.ack(5, br#"{"code":200}"#.to_vec());
        assert_eq!(hex(&ack.to_bytes()), ACK);
        assert_eq!(ack.header("message_id"), Some("m1"));
    }
}
