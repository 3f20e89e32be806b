//! The one word that `enroll` prints on the hub and `join` takes on a machine: base64url of versioned JSON.
//! The code inside it is `invite`'s. Strangers need no credentials to knock, so it holds none.

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::check_node_id;

const VERSION: u8 = 1;
/// The longest token that is read, in bytes: a certificate authority of 8 KB has room.
const MAX_TOKEN: usize = 32 * 1024;

/// What `phonework join` needs, in one word.
#[derive(Clone)]
pub struct JoinToken {
    /// Where the broker is.
    pub url: String,
    /// The certificate authority that signed the broker's certificate, in PEM, when it is a private one. The whole of
    /// it and no fingerprint: with it the first connection is safe already, and nothing has to be fetched.
    pub ca: Option<String>,
    /// The node.
    pub node: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Users it serves; empty means whoever is admitted.
    pub serves: Vec<String>,
    /// The one-time code.
    pub code: SecretString,
}

#[derive(Serialize, Deserialize)]
struct Written {
    v: u8,
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    node: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    serves: Vec<String>,
    code: String,
}

impl JoinToken {
    /// As it stands on the command line.
    pub fn to_text(&self) -> String {
        let written = Written {
            v: VERSION,
            url: self.url.clone(),
            ca: self.ca.clone(),
            node: self.node.clone(),
            name: self.name.clone(),
            serves: self.serves.clone(),
            code: self.code.expose_secret().to_owned(),
        };
        BASE64URL_NOPAD.encode(&serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Reads it.
    ///
    /// # Errors
    /// A sentence saying what is wrong; it never quotes the token.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const CUT: &str = "this is not a join token (was it cut off?): copy the whole line that `phonework enroll` printed on the hub";
        let text = text.trim();
        if text.len() > MAX_TOKEN {
            return Err(CUT);
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| CUT)?;
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| CUT)?;
        match value.get("v").and_then(serde_json::Value::as_u64) {
            Some(1) => {}
            Some(_) => {
                return Err(
                    "this join token was made by a newer phonework: use that version here too",
                );
            }
            None => return Err(CUT),
        }
        let read: Written = serde_json::from_value(value).map_err(|_| CUT)?;
        check_node_id(&read.node).map_err(|_| CUT)?;
        Ok(Self {
            url: read.url,
            ca: read.ca,
            node: read.node,
            name: read.name,
            serves: read.serves,
            code: read.code.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_cut_one_says_so() {
        let token = JoinToken {
            url: "tls://hub.example:4222".into(),
            ca: Some("-----BEGIN CERTIFICATE-----\nAAAA\n".into()),
            node: "lab-1".into(),
            name: "Lab „1“".into(),
            serves: vec!["web/owner".into()],
            code: "c0de".to_owned().into(),
        };
        let text = token.to_text();
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "one plain word: {text}"
        );
        let read = JoinToken::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(
            (&read.url, &read.ca, &read.node),
            (&token.url, &token.ca, &token.node)
        );
        assert_eq!((&read.name, &read.serves), (&token.name, &token.serves));
        assert_eq!(read.code.expose_secret(), "c0de");
        for cut in ["", "x", &text[..text.len() - 3], &text[1..]] {
            assert!(JoinToken::parse(cut).is_err_and(|why| why.contains("cut off")));
        }
        let newer = BASE64URL_NOPAD.encode(br#"{"v":2}"#);
        assert!(JoinToken::parse(&newer).is_err_and(|why| why.contains("newer")));
        let wide = BASE64URL_NOPAD.encode(br#"{"v":1,"url":"x","node":">","code":"c"}"#);
        assert!(JoinToken::parse(&wide).is_err());
    }
}
