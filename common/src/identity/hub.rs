//! The hub's data folder: made once, finished when it was left half made, and the only place where tokens are minted.
//!
//! ```text
//! hub.json        written last: the hub is complete, and these are its keys
//! hub.conf        the broker's configuration, the operator's to edit   identity.conf  ours, included by it
//! keys/*.nk       0600   creds/*.creds  0600   nodes/<id>.json  who is enrolled
//! tls/            the broker's certificate and key    creds/ca.pem  who signed it, with keys/ca.key
//! nats/           streams and account tokens of the running broker     run/  its pid, ports and log
//! ```
//! Running the broker and telling it about changed accounts over the network is left to others.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::accounts::{self, Account};
use super::certificate::Signed;
use super::conf::{self, HubOptions};
use super::keys::{KeyName, Keys};
use super::{Creds, IdentityError, file, jwt, roles};

/// A complete hub in its data folder. Cheap enough to open for each command.
pub struct Hub {
    pub(super) dir: PathBuf,
    pub(super) keys: Keys,
    outcome: Outcome,
    pub(super) signed: Option<Signed>,
}

/// What [`Hub::init`] found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing; now there is a hub.
    Created,
    /// An earlier run had been interrupted; it was finished with the keys it had made.
    Finished,
    /// Files that can be derived were missing or out of date and were written again; keys and creds are the same.
    Repaired,
    /// All was in place.
    Unchanged,
}

/// `hub.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    layout: u32,
    keys: std::collections::BTreeMap<String, String>,
    /// Hash of `hub.conf` as we wrote it; none when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conf: Option<String>,
}

impl Hub {
    /// Makes the hub, or finishes or repairs it; on a complete one it changes nothing, except that a `hub.conf` that
    /// nobody has edited follows `options` to TLS, and a certificate of ours that ends soon is made anew.
    ///
    /// # Errors
    /// [`IdentityError::KeyFile`] when a key of a complete hub is missing or damaged, [`IdentityError::PlainConf`] when
    /// an edited `hub.conf` lacks the TLS that is asked for, else I/O with the path.
    pub fn init(data_dir: &Path, options: &HubOptions) -> Result<Self, IdentityError> {
        file::private_dir(data_dir)?;
        let dir = data_dir
            .canonicalize()
            .map_err(|source| file::io_error("looking up the folder", data_dir, source))?;
        let _lock = file::lock(&dir.join("hub.lock"))?;
        for part in [
            "keys",
            "creds",
            "nodes",
            "tls",
            "nats",
            "nats/jetstream",
            "nats/accounts",
            "run",
        ] {
            file::private_dir(&dir.join(part))?;
        }
        let marker = read_marker(&dir)?;
        let begun = dir.join("keys/operator.nk").exists();
        let keys = Keys::load(&dir.join("keys"), marker.is_none())?;
        let mut hub = Self {
            dir,
            keys,
            outcome: Outcome::Unchanged,
            signed: None,
        };
        let now = now();

        let repaired = match &marker {
            Some(marker) => {
                hub.check_marker(marker)?;
                marker.layout != accounts::LAYOUT
            }
            None => true,
        };
        let mut written = hub.make_creds(now)?;
        let known = marker.as_ref().and_then(|marker| marker.conf.as_deref());
        let listening = hub.make_listeners(options, marker.is_some(), known)?;
        written |= listening.written;
        hub.signed = listening.signed;
        if repaired || !hub.identity_conf_fits()? {
            hub.write_identity_conf(now)?;
            written = true;
        }
        if repaired || known != listening.ours.as_deref() {
            hub.write_marker(listening.ours)?;
        }
        hub.outcome = match (marker.is_some(), begun) {
            (false, false) => Outcome::Created,
            (false, true) => Outcome::Finished,
            (true, _) if written => Outcome::Repaired,
            (true, _) => Outcome::Unchanged,
        };
        Ok(hub)
    }

    /// Opens a complete hub and writes nothing.
    ///
    /// # Errors
    /// [`IdentityError::NoHub`] when there is none; [`IdentityError::KeyFile`] when a key is missing or damaged.
    pub fn open(data_dir: &Path) -> Result<Self, IdentityError> {
        let no_hub = || IdentityError::NoHub(data_dir.to_owned());
        let dir = data_dir.canonicalize().map_err(|_| no_hub())?;
        let marker = read_marker(&dir)?.ok_or_else(no_hub)?;
        let keys = Keys::load(&dir.join("keys"), false)?;
        let hub = Self {
            dir,
            keys,
            outcome: Outcome::Unchanged,
            signed: None,
        };
        hub.check_marker(&marker)?;
        Ok(hub)
    }

    /// What [`Hub::init`] did.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The data folder, absolute.
    pub fn data_dir(&self) -> &Path {
        &self.dir
    }

    /// Configuration to start the broker with.
    pub fn conf_path(&self) -> PathBuf {
        self.dir.join("hub.conf")
    }

    /// Folder where the broker leaves its pid (`nats.pid`) and its `nats-server_<pid>.ports`.
    pub fn run_dir(&self) -> PathBuf {
        self.dir.join("run")
    }

    /// Where the broker of this folder listens on this machine, if it runs.
    pub fn running_url(&self) -> Option<String> {
        let pid = file::read(&self.run_dir().join("nats.pid")).ok()??;
        let ports = self
            .run_dir()
            .join(format!("nats-server_{}.ports", pid.trim()));
        let ports: serde_json::Value = serde_json::from_str(&file::read(&ports).ok()??).ok()?;
        let all = ports.pointer("/nats")?.as_array()?;
        let mut all = all.iter().filter_map(serde_json::Value::as_str);
        // The short way, if it listens there: our own certificate is for it, too.
        let near = all.clone().find(|url| url.contains("://127.0.0.1:"));
        near.or_else(|| all.next()).map(str::to_owned)
    }

    /// Credential file of one of our own parts: `router`, `gateway`, `sys` or `enrol`.
    pub fn creds_path(&self, who: &str) -> PathBuf {
        self.dir.join("creds").join(format!("{who}.creds"))
    }

    /// Makes the credential files of our own parts that are not there or do not fit the keys. True when one was written.
    fn make_creds(&self, now: i64) -> Result<bool, IdentityError> {
        let keys = &self.keys;
        let mut written = false;
        for who in ["router", "gateway", "sys", "enrol"] {
            let path = self.creds_path(who);
            let (account, signer) = match who {
                "gateway" => (&keys.gate, &keys.gateway_role),
                "sys" => (&keys.sys, &keys.sys),
                "enrol" => (&keys.enrol, &keys.enrol),
                _ => (&keys.pw, &keys.pw),
            };
            let fits = Creds::read(&path).is_ok_and(|creds| {
                creds.name() == who
                    && creds.issuer() == signer.public_key()
                    && creds.account().is_none_or(|of| of == account.public_key())
            });
            if fits {
                continue;
            }
            let user = nkeys::KeyPair::new_user();
            let public = user.public_key();
            let token = match who {
                "gateway" => roles::role_user(who, &public, account, signer, &[], now)?,
                "enrol" => roles::knocking_user(&public, account, now)?,
                _ => roles::full_user(who, &public, account, now)?,
            };
            Creds::assemble(&token, &user)?.write(&path)?;
            written = true;
        }
        Ok(written)
    }

    /// The configuration with the given time of issue. Signing is deterministic, so equal inputs give equal text.
    fn identity_conf(&self, now: i64) -> Result<String, IdentityError> {
        let revoked = self.revocations()?;
        let mut tokens = Vec::new();
        for account in Account::ALL {
            let token = accounts::account_token(account, &self.keys, &revoked, now)?;
            tokens.push((account.key(&self.keys).public_key(), token));
        }
        let knocker =
            nkeys::KeyPair::from_public_key(Creds::read(&self.creds_path("enrol"))?.public_key())
                .map_err(|error| IdentityError::Key(error.to_string()))?;
        let operator = accounts::operator_token(&self.keys, now)?;
        let run_dir = self.run_dir();
        Ok(conf::identity_conf(&conf::Identity {
            store_dir: &self.dir.join("nats/jetstream"),
            pid_file: &run_dir.join("nats.pid"),
            run_dir: &run_dir,
            accounts_dir: &self.dir.join("nats/accounts"),
            operator: &operator,
            system_account: &self.keys.sys.public_key(),
            knocking: &roles::knocking_user(&knocker.public_key(), &self.keys.enrol, now)?,
            accounts: &tokens,
        }))
    }

    fn identity_path(&self) -> PathBuf {
        self.dir.join("identity.conf")
    }

    pub(super) fn write_identity_conf(&self, now: i64) -> Result<(), IdentityError> {
        // The broker keeps whichever account token is newer, so a clock that went back must not make ours older.
        let issued_at = self.issued_at()?.map_or(now, |before| before.max(now));
        file::write_plain(&self.identity_path(), &self.identity_conf(issued_at)?)
    }

    /// True when the file is what we would write for the time it was written: same keys, folders and revocations.
    fn identity_conf_fits(&self) -> Result<bool, IdentityError> {
        let (Some(text), Some(at)) = (file::read(&self.identity_path())?, self.issued_at()?) else {
            return Ok(false);
        };
        Ok(text == self.identity_conf(at)?)
    }

    /// When the tokens in `identity.conf` were signed; none when the file is missing or damaged.
    fn issued_at(&self) -> Result<Option<i64>, IdentityError> {
        let text = file::read(&self.identity_path())?.unwrap_or_default();
        Ok(text
            .lines()
            .find_map(|line| line.strip_prefix("operator: "))
            .and_then(jwt::issued_at))
    }

    fn marker(&self, conf: Option<String>) -> Marker {
        Marker {
            layout: accounts::LAYOUT,
            keys: KeyName::ALL
                .map(|name| (name.name().to_owned(), self.keys.get(name).public_key()))
                .into(),
            conf,
        }
    }

    fn write_marker(&self, conf: Option<String>) -> Result<(), IdentityError> {
        let path = self.dir.join("hub.json");
        let text = serde_json::to_string_pretty(&self.marker(conf)).map_err(|error| {
            IdentityError::Record {
                path: path.clone(),
                why: error.to_string(),
            }
        })?;
        file::write_plain(&path, &format!("{text}\n"))
    }

    fn check_marker(&self, marker: &Marker) -> Result<(), IdentityError> {
        if marker.layout > accounts::LAYOUT {
            return Err(IdentityError::Newer(self.dir.clone()));
        }
        for name in KeyName::ALL {
            if marker.keys.get(name.name()) != Some(&self.keys.get(name).public_key()) {
                return Err(IdentityError::KeyFile {
                    path: super::keys::path(&self.dir.join("keys"), name),
                    why: "it is not the key this hub was made with",
                });
            }
        }
        Ok(())
    }
}

fn read_marker(dir: &Path) -> Result<Option<Marker>, IdentityError> {
    let path = dir.join("hub.json");
    let Some(text) = file::read(&path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| IdentityError::Record {
            path,
            why: error.to_string(),
        })
}

/// Unix seconds; tokens know no finer time.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
        })
}
