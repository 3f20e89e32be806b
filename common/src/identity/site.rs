//! Sites with a nats-server of their own: what that server needs, which nodes it may speak for, and cutting it off.
//!
//! The server at the site checks its hosts' keys itself, with the operator's word for the account of the nodes; the hub
//! lets it speak for the nodes in its token and for no others. `sites/<site>.json` remembers the keys that were given
//! out. Carrying the files there is left to people.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::accounts::{self, Account};
use super::certificate::{Authority, Pair, authority_path};
use super::conf::quoted;
use super::hub::{Hub, now};
use super::{Creds, IdentityError, check_node_id, file};

/// The configuration of a site's server, with the places that are filled in.
const TEMPLATE: &str = include_str!("../../../nats/leaf.conf");
/// How many keys of a site are good at once: the one in use, and the one that is being carried there.
const KEYS_AT_ONCE: usize = 2;

/// What the hub knows of a site; `sites/<id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteRecord {
    /// Its id.
    pub id: String,
    /// Under which name or address, and at which port, its hosts reach its server.
    pub host: String,
    /// The port there.
    pub port: u16,
    /// The keys of its server, oldest first.
    pub keys: Vec<SiteKey>,
}

/// A key of a site's server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteKey {
    /// The user's public key.
    pub public_key: String,
    /// Whom it may speak for.
    pub nodes: Vec<String>,
    /// Set when it was cut off, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// Name or address under which the site's hosts reach its server; none: as before.
    pub host: Option<String>,
    /// The port there; none: as before, or 4222.
    pub port: Option<u16>,
    /// Whom it carries; all of them enrolled.
    pub nodes: Vec<String>,
    /// Where its server reaches the hub.
    pub hub: String,
    /// File in the server's folder with the authority of the hub's certificate (`ca.pem` is the hub's own); none: one
    /// that systems trust.
    pub hub_ca: Option<&'static str>,
}

/// What goes into the folder of a site's server.
#[derive(Debug)]
pub struct SiteFiles {
    /// `leaf.conf`.
    pub conf: String,
    /// `leaf.creds`.
    pub creds: Creds,
    /// `leaf.pem`.
    pub certificate: String,
    /// `leaf.key`.
    pub key: SecretString,
    /// `ca.pem`.
    pub ca: String,
    /// A key that spoke for others as well was cut off: a running broker must be told.
    pub cut_off: bool,
}

const NO_PLACE: &str = "say with --at under which name or address its hosts reach its server";

/// Host and port of a site's server: as asked for, else as before.
fn place(before: Option<&SiteRecord>, options: &SiteOptions) -> Option<(String, u16)> {
    let host = options.host.clone();
    let host = host.or_else(|| Some(before?.host.clone()))?;
    let port = options.port.or_else(|| Some(before?.port));
    Some((host, port.unwrap_or(4222)))
}

impl SiteRecord {
    /// Every key that is cut off, with the second it happened.
    pub(super) fn revoked(&self) -> impl Iterator<Item = (&str, i64)> {
        self.keys
            .iter()
            .filter_map(|key| Some((key.public_key.as_str(), key.revoked_at?)))
    }

    /// Whether it may speak for this node now.
    pub fn carries(&self, node: &str) -> bool {
        self.keys
            .iter()
            .any(|key| key.revoked_at.is_none() && key.nodes.iter().any(|one| one == node))
    }

    /// Whether all of its keys are cut off.
    pub fn is_removed(&self) -> bool {
        self.keys.iter().all(|key| key.revoked_at.is_some())
    }
}

impl Hub {
    /// The certificate of the hub's own authority, which is made if there is none yet.
    ///
    /// # Errors
    /// I/O on its files.
    pub fn authority(&self) -> Result<PathBuf, IdentityError> {
        Authority::of(&self.dir)?;
        Ok(authority_path(&self.dir))
    }

    /// Makes everything that the server of a site needs, for exactly these nodes. Run again, for another list: the key
    /// before stays good until this one is in its place, unless it speaks for somebody who is not on the list any more.
    ///
    /// # Errors
    /// [`IdentityError::UnknownNode`] for a node that is not enrolled, [`IdentityError::Site`] when it is a machine's
    /// name, or no address is known; [`IdentityError::NodeId`] for a bad name.
    pub fn enroll_site(&self, id: &str, options: &SiteOptions) -> Result<SiteFiles, IdentityError> {
        check_node_id(id)?;
        let wrong = |why: String| IdentityError::Site {
            id: id.to_owned(),
            why,
        };
        if self.node(id)?.is_some() {
            return Err(wrong(
                "that is a machine's id; give the site another".into(),
            ));
        }
        let before = self.site(id)?;
        let (host, port) = place(before.as_ref(), options).ok_or_else(|| wrong(NO_PLACE.into()))?;
        // Before anything is given out.
        let creds = self.mint_leaf(id, &options.nodes)?;

        let folder = self.dir.join("sites");
        file::private_dir(&folder)?;
        let pair = Pair {
            certificate: folder.join(format!("{id}.pem")),
            key: folder.join(format!("{id}.key")),
        };
        let names = [host.clone(), "localhost".into(), "127.0.0.1".into()];
        Authority::of(&self.dir)?.sign(&names, &pair)?;

        let lock = file::lock(&self.dir.join("hub.lock"))?;
        let mut record = before.unwrap_or_else(|| SiteRecord {
            id: id.to_owned(),
            host: String::new(),
            port,
            keys: Vec::new(),
        });
        (record.host, record.port) = (host.clone(), port);
        let mut good = 1;
        let mut cut_off = false;
        for key in record
            .keys
            .iter_mut()
            .rev()
            .filter(|key| key.revoked_at.is_none())
        {
            let within = key.nodes.iter().all(|node| options.nodes.contains(node));
            good += 1;
            if !within || good > KEYS_AT_ONCE {
                key.revoked_at = Some(now());
                cut_off = true;
            }
        }
        record.keys.push(SiteKey {
            public_key: creds.public_key().to_owned(),
            nodes: options.nodes.clone(),
            revoked_at: None,
        });
        self.write_site(&record)?;
        if cut_off {
            self.write_identity_conf(now())?;
        }
        drop(lock);

        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).map_err(|source| file::io_error("reading", path, source))
        };
        let trust = match options.hub_ca {
            Some(file) => format!("tls {{ ca_file: {} }}", quoted(file)),
            None => "# The hub's certificate is one that this machine's system trusts.".to_owned(),
        };
        let token = accounts::site_token(&self.keys, &self.revocations()?, now())?;
        let conf = [
            ("{site}", id.to_owned()),
            ("{nodes}", options.nodes.join(", ")),
            ("{port}", port.to_string()),
            (
                "{operator}",
                accounts::site_operator_token(&self.keys, now())?,
            ),
            ("{account}", Account::Nodes.key(&self.keys).public_key()),
            ("{token}", token),
            ("{hub}", quoted(&options.hub)),
            ("{trust}", trust),
        ]
        .iter()
        .fold(TEMPLATE.to_owned(), |text, (place, value)| {
            text.replace(place, value)
        });
        Ok(SiteFiles {
            conf,
            creds,
            certificate: read(&pair.certificate)?,
            key: read(&pair.key)?.into(),
            ca: read(&authority_path(&self.dir))?,
            cut_off,
        })
    }

    /// Where the hosts of a site connect to.
    ///
    /// # Errors
    /// [`IdentityError::Site`] when that is not known.
    pub fn site_url(&self, id: &str, options: &SiteOptions) -> Result<String, IdentityError> {
        let (host, port) =
            place(self.site(id)?.as_ref(), options).ok_or_else(|| IdentityError::Site {
                id: id.to_owned(),
                why: NO_PLACE.into(),
            })?;
        Ok(if host.contains(':') {
            format!("tls://[{host}]:{port}")
        } else {
            format!("tls://{host}:{port}")
        })
    }

    /// The record of one site; none when there never was one.
    ///
    /// # Errors
    /// [`IdentityError::Record`] when the file cannot be read as one.
    pub fn site(&self, id: &str) -> Result<Option<SiteRecord>, IdentityError> {
        check_node_id(id)?;
        file::read_record(&self.site_path(id))
    }

    /// Every site there ever was, by id.
    ///
    /// # Errors
    /// As [`Hub::site`].
    pub fn sites(&self) -> Result<Vec<SiteRecord>, IdentityError> {
        let dir = self.dir.join("sites");
        if !dir.exists() {
            return Ok(Vec::new());
        }
        let mut sites = Vec::new();
        for id in Self::records_in(&dir)? {
            sites.extend(self.site(&id)?);
        }
        Ok(sites)
    }

    /// Cuts the server of a site off; its hosts then have no way through it. None when there is no such site.
    ///
    /// # Errors
    /// I/O on the record.
    pub fn revoke_site(&self, id: &str) -> Result<Option<SiteRecord>, IdentityError> {
        let _lock = file::lock(&self.dir.join("hub.lock"))?;
        let Some(mut record) = self.site(id)? else {
            return Ok(None);
        };
        self.cut_site(&mut record)?;
        self.write_identity_conf(now())?;
        Ok(Some(record))
    }

    /// Cuts off those that could go on speaking for this node. Their accounts are not written; the lock is the caller's.
    pub(super) fn cut_sites_of(&self, node: &str) -> Result<(), IdentityError> {
        for mut record in self.sites()? {
            if record.carries(node) {
                self.cut_site(&mut record)?;
            }
        }
        Ok(())
    }

    fn cut_site(&self, record: &mut SiteRecord) -> Result<(), IdentityError> {
        for key in record
            .keys
            .iter_mut()
            .filter(|key| key.revoked_at.is_none())
        {
            key.revoked_at = Some(now());
        }
        self.write_site(record)
    }

    fn site_path(&self, id: &str) -> PathBuf {
        self.dir.join("sites").join(format!("{id}.json"))
    }

    fn write_site(&self, record: &SiteRecord) -> Result<(), IdentityError> {
        let path = self.site_path(&record.id);
        let text = serde_json::to_string_pretty(record).map_err(|error| IdentityError::Record {
            path: path.clone(),
            why: error.to_string(),
        })?;
        file::write_secret(&path, &format!("{text}\n"))
    }
}
