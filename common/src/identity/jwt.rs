//! The broker's own token format: claims signed with an nkey, made and read without any outside tool.
//! What the claims say (accounts, roles, permissions) is decided in `accounts`; this file only encodes.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512_256};

use super::IdentityError;

const HEADER: &[u8] = br#"{"typ":"JWT","alg":"ed25519-nkey"}"#;

/// Which kind of claims a token carries; the server checks it against the key that signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Self-signed root of trust.
    Operator,
    /// Signed by the operator.
    Account,
    /// Signed by an account or by one of its signing keys.
    User,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Account => "account",
            Self::User => "user",
        }
    }
}

/// Signs one token. `claims` is the `nats` part without type and version; `issued_at` is in Unix seconds.
pub(super) fn encode(
    kind: Kind,
    name: &str,
    subject: &str,
    issuer: &KeyPair,
    mut claims: Value,
    issued_at: i64,
) -> Result<String, IdentityError> {
    if let Some(map) = claims.as_object_mut() {
        map.insert("type".into(), kind.name().into());
        map.insert("version".into(), 2.into());
    }
    let mut token = json!({
        "iat": issued_at,
        "iss": issuer.public_key(),
        "name": name,
        "sub": subject,
        "nats": claims,
    });
    let id = BASE32_NOPAD.encode(&Sha512_256::digest(token.to_string().as_bytes()));
    if let Some(map) = token.as_object_mut() {
        map.insert("jti".into(), id.into());
    }
    let signed = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(HEADER),
        BASE64URL_NOPAD.encode(token.to_string().as_bytes())
    );
    let signature = issuer
        .sign(signed.as_bytes())
        .map_err(|error| IdentityError::Key(format!("signing the token of {name}: {error}")))?;
    Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// What we read back from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    /// The `name` claim: router, gateway, a node id.
    pub(super) name: String,
    /// Public key the token speaks for.
    pub(super) subject: String,
    /// Public key that signed it.
    pub(super) issuer: String,
    /// The account of a user token, when a signing key issued it.
    pub(super) account: Option<String>,
    /// Unix second from which on it is not accepted, if there is one.
    pub(super) expires_at: Option<i64>,
}

/// Reads the claims of a token and checks its signature against the issuer it names.
/// Whether that issuer is to be trusted is the caller's question.
pub(super) fn decode(token: &str) -> Result<Claims, String> {
    let mut parts = token.trim().split('.');
    let (Some(header), Some(body), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it does not have three parts".into());
    };
    let part = |text: &str| {
        BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| "it is not base64url".to_owned())
    };
    let claims: Value =
        serde_json::from_slice(&part(body)?).map_err(|_| "its claims are not JSON".to_owned())?;
    let text = |pointer: &str| {
        claims
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let (Some(name), Some(subject), Some(issuer)) = (text("/name"), text("/sub"), text("/iss"))
    else {
        return Err("it lacks name, sub or iss".into());
    };
    KeyPair::from_public_key(&issuer)
        .and_then(|key| {
            key.verify(
                format!("{header}.{body}").as_bytes(),
                &part(signature).unwrap_or_default(),
            )
        })
        .map_err(|_| "its signature does not fit".to_owned())?;
    Ok(Claims {
        name,
        subject,
        issuer,
        account: text("/nats/issuer_account"),
        expires_at: claims.pointer("/exp").and_then(Value::as_i64),
    })
}

/// The second a token was signed in; none when it is not a token. The signature is not looked at.
pub(super) fn issued_at(token: &str) -> Option<i64> {
    let body = BASE64URL_NOPAD
        .decode(token.trim().split('.').nth(1)?.as_bytes())
        .ok()?;
    serde_json::from_slice::<Value>(&body)
        .ok()?
        .get("iat")?
        .as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_changed_one_does_not() {
        let issuer = KeyPair::new_account();
        let user = KeyPair::new_user().public_key();
        let token = encode(Kind::User, "home-pc", &user, &issuer, json!({"pub": {}}), 7).unwrap();
        let claims = decode(&token).unwrap();
        assert_eq!(claims.name, "home-pc");
        assert_eq!(claims.subject, user);
        assert_eq!(claims.issuer, issuer.public_key());
        assert_eq!(claims.account, None);

        let other = encode(Kind::User, "work-pc", &user, &issuer, json!({"pub": {}}), 7).unwrap();
        let forged = {
            let mut mine = token.split('.');
            let theirs = other.split('.').nth(1).unwrap();
            format!("{}.{theirs}.{}", mine.next().unwrap(), mine.nth(1).unwrap())
        };
        assert_eq!(decode(&forged).unwrap_err(), "its signature does not fit");
        assert_eq!(decode("abc").unwrap_err(), "it does not have three parts");
    }

    #[test]
    fn the_claims_carry_their_kind() {
        let issuer = KeyPair::new_operator();
        let token = encode(
            Kind::Operator,
            "phonework",
            &issuer.public_key(),
            &issuer,
            json!({}),
            7,
        )
        .unwrap();
        let body = BASE64URL_NOPAD
            .decode(token.split('.').nth(1).unwrap().as_bytes())
            .unwrap();
        let claims: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(claims["nats"]["type"], "operator");
        assert_eq!(claims["nats"]["version"], 2);
        assert_eq!(claims["iat"], 7);
    }
}
