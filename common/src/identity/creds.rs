//! Credential files: a signed token and the key that proves it, in the text form every NATS client reads.
//! Making the tokens is the hub's business; connecting with them is the broker module's.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::{IdentityError, jwt};

/// A parsed credential file. Its `Debug` form shows no secret.
#[derive(Debug, Clone)]
pub struct Creds {
    text: SecretString,
    name: String,
    public_key: String,
    issuer: String,
    account: Option<String>,
    expires_at: Option<i64>,
}

impl Creds {
    /// Reads a credential file.
    ///
    /// # Errors
    /// [`IdentityError::Creds`] naming the path when it is missing, unreadable or not a credential file.
    pub fn read(path: &Path) -> Result<Self, IdentityError> {
        let wrong = |why: String| IdentityError::Creds {
            path: path.to_owned(),
            why,
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            match error.kind() {
            std::io::ErrorKind::NotFound => wrong(
                "there is no such file. Make it on the hub with `phonework init` (router, gateway) \
                 or `phonework enroll <node>` (host), or point NATS_CREDS at it"
                    .into(),
            ),
            _ => wrong(error.to_string()),
        }
        })?;
        Self::parse(&text).map_err(wrong)
    }

    /// Reads the text of a credential file.
    ///
    /// # Errors
    /// A sentence saying what is missing or does not fit; it never quotes the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let token = section(text, "NATS USER JWT")
            .ok_or("this is not a credential file: no BEGIN NATS USER JWT section")?;
        let seed = section(text, "USER NKEY SEED")
            .ok_or("this is not a complete credential file: no BEGIN USER NKEY SEED section")?;
        let claims =
            jwt::decode(token).map_err(|why| format!("the token in it cannot be used: {why}"))?;
        let key =
            nkeys::KeyPair::from_seed(seed).map_err(|_| "the seed in it is not a user key")?;
        if key.public_key() != claims.subject {
            return Err("token and seed in it belong to different keys".into());
        }
        Ok(Self {
            text: text.into(),
            name: claims.name,
            public_key: claims.subject,
            issuer: claims.issuer,
            account: claims.account,
            expires_at: claims.expires_at,
        })
    }

    /// Puts a token and the key it was made for into the text form.
    pub(super) fn assemble(token: &str, key: &nkeys::KeyPair) -> Result<Self, IdentityError> {
        let seed = key
            .seed()
            .map_err(|error| IdentityError::Key(format!("reading back a new key: {error}")))?;
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             Keep this file to yourself: whoever holds it connects as this machine.\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        Self::parse(&text)
            .map_err(|why| IdentityError::Key(format!("new credentials do not read back: {why}")))
    }

    /// Puts a token received from the hub and this machine's own seed together, as `join` does.
    ///
    /// # Errors
    /// [`IdentityError::Key`] when seed and token do not belong together.
    pub fn from_parts(token: &str, seed: &SecretString) -> Result<Self, IdentityError> {
        let key = nkeys::KeyPair::from_seed(seed.expose_secret())
            .map_err(|_| IdentityError::Key("the seed is not a user key".into()))?;
        Self::assemble(token, &key)
    }

    /// The whole text, for `ConnectOptions::with_credentials` or a file of mode 0600.
    pub const fn text(&self) -> &SecretString {
        &self.text
    }

    /// The name claim: `router`, `gateway` or a node id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's public key.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// Unix second from which on the broker refuses them; none if they do not expire.
    pub const fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    /// Who signed the token.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The account the token says it belongs to; none when the account's own key signed it.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Prefix this identity must use for its reply subjects; others are refused by the broker.
    pub fn inbox_prefix(&self) -> String {
        format!("_INBOX_{}", self.name)
    }

    /// Client options with these credentials, inbox prefix and connection name; timings are the caller's.
    ///
    /// # Errors
    /// [`IdentityError::Key`] when the client library refuses the text.
    pub fn connect_options(&self) -> Result<async_nats::ConnectOptions, IdentityError> {
        async_nats::ConnectOptions::with_credentials(self.text.expose_secret())
            .map(|options| {
                options
                    .custom_inbox_prefix(self.inbox_prefix())
                    .name(&self.name)
            })
            .map_err(|error| IdentityError::Key(format!("credentials of {}: {error}", self.name)))
    }

    /// Writes the file with mode 0600, replacing what is there.
    ///
    /// # Errors
    /// [`IdentityError::Io`] naming the path.
    pub fn write(&self, path: &Path) -> Result<PathBuf, IdentityError> {
        super::file::write_secret(path, self.text.expose_secret())?;
        Ok(path.to_owned())
    }
}

/// The first non-empty line between the BEGIN and END lines of a section. The dashes vary between tools.
fn section<'a>(text: &'a str, title: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("---") && line.contains("BEGIN") && line.contains(title))?;
    lines
        .find(|line| !line.is_empty())
        .filter(|line| !line.starts_with("---"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Creds {
        let key = nkeys::KeyPair::new_user();
        let token = jwt::encode(
            jwt::Kind::User,
            "home-pc",
            &key.public_key(),
            &nkeys::KeyPair::new_account(),
            json!({}),
            1,
        )
        .unwrap();
        Creds::assemble(&token, &key).unwrap()
    }

    #[test]
    fn a_written_file_reads_back_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("home-pc.creds");
        let creds = sample();
        creds.write(&path).unwrap();
        let read = Creds::read(&path).unwrap();
        assert_eq!(read.name(), "home-pc");
        assert_eq!(read.inbox_prefix(), "_INBOX_home-pc");
        assert_eq!(read.public_key(), creds.public_key());
        let seed = section(creds.text().expose_secret(), "USER NKEY SEED").unwrap();
        assert!(!format!("{read:?}").contains(seed));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn errors_name_the_file_and_the_fault() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.creds");
        let missing = Creds::read(&path).unwrap_err().to_string();
        assert!(
            missing.contains("x.creds") && missing.contains("no such file"),
            "{missing}"
        );

        std::fs::write(&path, "hello").unwrap();
        let other = Creds::read(&path).unwrap_err().to_string();
        assert!(
            other.contains("x.creds") && other.contains("not a credential file"),
            "{other}"
        );

        let text = sample().text().expose_secret().to_owned();
        let half = &text[..text.find("-----BEGIN USER").unwrap()];
        assert!(Creds::parse(half).unwrap_err().contains("SEED"));

        let second = sample();
        let mixed = format!(
            "{half}{}",
            &second.text().expose_secret()[text.find("-----BEGIN USER").unwrap()..]
        );
        assert!(Creds::parse(&mixed).unwrap_err().contains("different keys"));
    }
}
