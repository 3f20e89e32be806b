//! One-time codes: made by `enroll` on the hub, carried to a machine inside a join token, exchanged there for
//! credentials. The hub keeps only a code's hash, in `invites/<node>.json` (0600), one for each node.
//! How the machine asks is the broker module's, who answers is the router.

use std::path::PathBuf;

use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::enrol::EnrollOptions;
use super::hub::now;
use super::{Hub, IdentityError, check_node_id, file};

/// How long a code is good, in seconds.
pub const CODE_VALID: i64 = 3_600;

/// What the hub keeps of a code.
#[derive(Debug, Serialize, Deserialize)]
struct Invite {
    node: String,
    /// SHA-256 of the code, base64url.
    code_hash: String,
    /// Unix seconds.
    expires_at: i64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    serves: Vec<String>,
    /// The id may be taken from the machine that has it.
    #[serde(default)]
    replace: bool,
    /// The key that it was used with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_by: Option<String>,
}

/// A machine that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The signed token.
    pub token: String,
    /// Another key was cut off for it: a running broker must be told.
    pub cut_off: bool,
}

/// Why a code opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// It is not the one that was given out for this node.
    #[error("wrong code")]
    Wrong,
    /// It was used with another key.
    #[error("used code")]
    Used,
    /// It is too old.
    #[error("expired code")]
    Expired,
    /// The hub refused or could not.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Hub {
    /// Makes a one-time code for a node. An earlier one for the same node is void. A node that was removed before may
    /// come in again, with a new key.
    ///
    /// # Errors
    /// [`IdentityError::NodeId`], [`IdentityError::Taken`] when a machine has the id and `replace` is not set, or I/O.
    pub fn invite(&self, id: &str, options: &EnrollOptions) -> Result<SecretString, IdentityError> {
        check_node_id(id)?;
        let mut replace = options.replace;
        if let Some(old) = self.node(id)? {
            if old.revoked_at.is_none() && !replace {
                return Err(IdentityError::Taken { id: id.to_owned() });
            }
            replace = true;
        }
        let folder = self.invites();
        file::private_dir(&folder)?;
        let _lock = file::lock(&folder.join("lock"))?;
        self.forget_old_invites();
        let code = BASE64URL_NOPAD.encode(&rand::random::<[u8; 24]>());
        self.write_invite(&Invite {
            node: id.to_owned(),
            code_hash: hash(&code),
            expires_at: now().saturating_add(CODE_VALID),
            name: options.name.clone(),
            serves: options.serves.clone(),
            replace,
            used_by: None,
        })?;
        Ok(code.into())
    }

    /// Exchanges a code for credentials. The same code with the same key does so again, as when the answer was lost.
    ///
    /// # Errors
    /// [`RedeemError`]; whether a code was used or is too old is told only to who has it.
    pub fn redeem(&self, id: &str, code: &str, public_key: &str) -> Result<Redeemed, RedeemError> {
        check_node_id(id)?;
        let folder = self.invites();
        if !folder.exists() {
            return Err(RedeemError::Wrong);
        }
        let _lock = file::lock(&folder.join("lock"))?;
        let path = self.invite_path(id);
        let Some(text) = file::read(&path)? else {
            return Err(RedeemError::Wrong);
        };
        let mut invite: Invite =
            serde_json::from_str(&text).map_err(|error| IdentityError::Record {
                path,
                why: error.to_string(),
            })?;
        let same: bool = hash(code)
            .as_bytes()
            .ct_eq(invite.code_hash.as_bytes())
            .into();
        if !same || invite.node != id {
            return Err(RedeemError::Wrong);
        }
        match &invite.used_by {
            Some(key) if key == public_key => {}
            Some(_) => return Err(RedeemError::Used),
            None if invite.expires_at < now() => return Err(RedeemError::Expired),
            None => {
                // Before anything is signed: whatever happens next, no second machine comes in by it.
                invite.used_by = Some(public_key.to_owned());
                self.write_invite(&invite)?;
            }
        }
        let before = self.node(id)?.map(|record| record.public_key);
        let options = EnrollOptions {
            serves: invite.serves,
            name: invite.name,
            replace: invite.replace,
        };
        let token = self.mint_node(id, public_key, &options)?;
        Ok(Redeemed {
            token,
            cut_off: before.is_some_and(|key| key != public_key),
        })
    }

    /// A code that was given out for this node opens nothing any more.
    pub(super) fn withdraw_invite(&self, id: &str) -> Result<(), IdentityError> {
        let path = self.invite_path(id);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(file::io_error("removing", &path, source)),
        }
    }

    fn invites(&self) -> PathBuf {
        self.dir.join("invites")
    }

    fn invite_path(&self, id: &str) -> PathBuf {
        self.invites().join(format!("{id}.json"))
    }

    fn write_invite(&self, invite: &Invite) -> Result<(), IdentityError> {
        let path = self.invite_path(&invite.node);
        let text = serde_json::to_string(invite).map_err(|error| IdentityError::Record {
            path: path.clone(),
            why: error.to_string(),
        })?;
        file::write_secret(&path, &text)
    }

    /// Those that nobody can use any more go a day later. What cannot be removed now goes with the next one.
    fn forget_old_invites(&self) {
        let Ok(entries) = std::fs::read_dir(self.invites()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let old = file::read(&path)
                .ok()
                .flatten()
                .and_then(|text| serde_json::from_str::<Invite>(&text).ok())
                .is_some_and(|invite| invite.expires_at.saturating_add(86_400) < now());
            if old {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

fn hash(code: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(code.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::super::HubOptions;
    use super::*;

    fn hub() -> (tempfile::TempDir, Hub) {
        let dir = tempfile::tempdir().unwrap();
        let hub = Hub::init(dir.path(), &HubOptions::default()).unwrap();
        (dir, hub)
    }

    fn key() -> String {
        nkeys::KeyPair::new_user().public_key()
    }

    #[test]
    fn a_code_lets_one_key_in_as_often_as_it_asks() {
        let (dir, hub) = hub();
        let options = EnrollOptions {
            serves: vec!["feishu/ou_1".into()],
            name: "Lab".into(),
            replace: false,
        };
        let code = hub.invite("lab-1", &options).unwrap();
        let code = code.expose_secret();
        let path = dir.path().join("invites/lab-1.json");
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(!kept.contains(code), "only the hash stays");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            hub.node("lab-1").unwrap().is_none(),
            "nothing is bound before"
        );

        let (mine, other) = (key(), key());
        for wrong in ["", "x", &code.to_ascii_uppercase()] {
            let refused = hub.redeem("lab-1", wrong, &mine).unwrap_err();
            assert!(matches!(refused, RedeemError::Wrong), "{refused}");
        }
        let refused = hub.redeem("lab-2", code, &mine).unwrap_err();
        assert!(matches!(refused, RedeemError::Wrong), "{refused}");
        let first = hub.redeem("lab-1", code, &mine).unwrap();
        assert!(!first.cut_off);
        let record = hub.node("lab-1").unwrap().unwrap();
        assert_eq!(
            (record.public_key.as_str(), record.name.as_str()),
            (mine.as_str(), "Lab")
        );
        assert_eq!(record.serves, ["feishu/ou_1"]);
        hub.redeem("lab-1", code, &mine).unwrap();
        let refused = hub.redeem("lab-1", code, &other).unwrap_err();
        assert!(matches!(refused, RedeemError::Used), "{refused}");
        assert_eq!(hub.node("lab-1").unwrap().unwrap().public_key, mine);

        hub.revoke("lab-1").unwrap();
        let refused = hub.redeem("lab-1", code, &mine).unwrap_err();
        assert!(matches!(refused, RedeemError::Wrong), "{refused}");
    }

    #[test]
    fn a_code_ends_and_a_newer_one_voids_it() {
        let (dir, hub) = hub();
        let first = hub.invite("lab-1", &EnrollOptions::default()).unwrap();
        let second = hub.invite("lab-1", &EnrollOptions::default()).unwrap();
        let mine = key();
        let refused = hub.redeem("lab-1", first.expose_secret(), &mine);
        assert!(matches!(refused, Err(RedeemError::Wrong)), "{refused:?}");
        let path = dir.path().join("invites/lab-1.json");
        let mut invite: Invite =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        invite.expires_at = now() - 1;
        hub.write_invite(&invite).unwrap();
        let refused = hub.redeem("lab-1", second.expose_secret(), &mine);
        assert!(matches!(refused, Err(RedeemError::Expired)), "{refused:?}");
        invite.expires_at = now() - 100_000;
        hub.write_invite(&invite).unwrap();
        hub.invite("lab-2", &EnrollOptions::default()).unwrap();
        assert!(!path.exists(), "old ones do not gather");
    }

    #[test]
    fn a_taken_id_needs_a_word_and_a_removed_one_does_not() {
        let (_dir, hub) = hub();
        hub.enroll("lab-1", &EnrollOptions::default()).unwrap();
        let taken = hub.invite("lab-1", &EnrollOptions::default());
        assert!(
            matches!(taken, Err(IdentityError::Taken { .. })),
            "{taken:?}"
        );
        hub.revoke("lab-1").unwrap();
        let code = hub.invite("lab-1", &EnrollOptions::default()).unwrap();
        let redeemed = hub.redeem("lab-1", code.expose_secret(), &key()).unwrap();
        assert!(redeemed.cut_off);
        let replace = EnrollOptions {
            replace: true,
            ..EnrollOptions::default()
        };
        let code = hub.invite("lab-1", &replace).unwrap();
        let redeemed = hub.redeem("lab-1", code.expose_secret(), &key()).unwrap();
        assert!(redeemed.cut_off);
        let bad = hub.invite(">", &EnrollOptions::default());
        assert!(matches!(bad, Err(IdentityError::NodeId { .. })), "{bad:?}");
    }
}
