//! Binding machines to ids: enrolling, signing for keys made elsewhere, cutting off, and the records of it all.
//! Whether somebody may be enrolled is decided by whoever calls this.

use std::path::{Path, PathBuf};

use super::accounts::{self, Account};
use super::hub::{Hub, now};
use super::node::{FormerKey, NodeRecord, check_node_id};
use super::site::SiteRecord;
use super::{Creds, IdentityError, file, roles};

/// Who a machine is, apart from its id and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnrollOptions {
    /// Users it serves (`feishu/ou_…`); empty means whoever is admitted.
    pub serves: Vec<String>,
    /// What people call it.
    pub name: String,
    /// Allow an id that is taken to be bound to the new key; the old key is cut off.
    pub replace: bool,
}

/// A freshly enrolled machine.
#[derive(Debug, Clone)]
pub struct NodeCreds {
    /// What goes into `<node>.creds` on that machine.
    pub creds: Creds,
    /// The key its id is now bound to.
    pub public_key: String,
}

/// Whether this is the public key of a user, as machines make them.
pub fn is_user_key(text: &str) -> bool {
    nkeys::KeyPair::from_public_key(text)
        .is_ok_and(|key| key.key_pair_type() == nkeys::KeyPairType::User)
}

impl Hub {
    /// Enrols a machine with a key made here, to be carried over by hand.
    ///
    /// # Errors
    /// [`IdentityError::NodeId`], [`IdentityError::Taken`] when the id is bound and `replace` is not set, or I/O.
    pub fn enroll(&self, id: &str, options: &EnrollOptions) -> Result<NodeCreds, IdentityError> {
        let key = nkeys::KeyPair::new_user();
        let public_key = key.public_key();
        let token = self.mint_node(id, &public_key, options)?;
        Ok(NodeCreds {
            creds: Creds::assemble(&token, &key)?,
            public_key,
        })
    }

    /// Enrols a machine that made its key itself: binds the id to that key and returns the signed token.
    /// Asked again with the same key it signs again, as when the first answer was lost.
    ///
    /// # Errors
    /// As [`Hub::enroll`], and [`IdentityError::Key`] when `public_key` is not a user key.
    pub fn mint_node(
        &self,
        id: &str,
        public_key: &str,
        options: &EnrollOptions,
    ) -> Result<String, IdentityError> {
        check_node_id(id)?;
        if !is_user_key(public_key) {
            return Err(IdentityError::Key(
                "this is not the public key of a user (U…)".into(),
            ));
        }
        let _lock = file::lock(&self.dir.join("hub.lock"))?;
        let now = now();
        let mut record = NodeRecord {
            id: id.to_owned(),
            name: options.name.clone(),
            serves: options.serves.clone(),
            public_key: public_key.to_owned(),
            enrolled_at: now,
            revoked_at: None,
            former_keys: Vec::new(),
        };
        let mut cut_off = false;
        if let Some(old) = self.node(id)? {
            if old.public_key == public_key && old.revoked_at.is_none() {
                record.enrolled_at = old.enrolled_at;
                record.former_keys = old.former_keys;
            } else if old
                .former_keys
                .iter()
                .any(|former| former.public_key == public_key)
                || old.public_key == public_key
            {
                return Err(IdentityError::Key(format!(
                    "this key of {id} was cut off; make a new one"
                )));
            } else if options.replace {
                cut_off = true;
                record.former_keys = old.former_keys;
                record.former_keys.push(FormerKey {
                    public_key: old.public_key,
                    revoked_at: old.revoked_at.unwrap_or(now),
                });
            } else {
                return Err(IdentityError::Taken { id: id.to_owned() });
            }
        }
        let token = roles::role_user(
            id,
            public_key,
            &self.keys.nodes,
            &self.keys.node_role,
            &[],
            now,
        )?;
        self.write_node(&record)?;
        if cut_off {
            self.write_identity_conf(now)?;
        }
        Ok(token)
    }

    /// Credentials for a site's own nats-server that carries several nodes. The nodes must be enrolled.
    ///
    /// # Errors
    /// [`IdentityError::UnknownNode`] for a node that is not, [`IdentityError::NodeId`] for a bad name of the site.
    pub fn mint_leaf(&self, site: &str, nodes: &[String]) -> Result<Creds, IdentityError> {
        check_node_id(site)?;
        let mut tags = Vec::with_capacity(nodes.len());
        for id in nodes {
            check_node_id(id)?;
            if self
                .node(id)?
                .is_none_or(|record| record.revoked_at.is_some())
            {
                return Err(IdentityError::UnknownNode(id.clone()));
            }
            tags.push(format!("node:{id}"));
        }
        let key = nkeys::KeyPair::new_user();
        let (account, role) = (&self.keys.nodes, &self.keys.leaf_role);
        let token = roles::role_user(site, &key.public_key(), account, role, &tags, now())?;
        Creds::assemble(&token, &key)
    }

    /// Cuts a machine off for good, and the servers of sites that carry it: its key is refused from now on. A running broker must be told with
    /// [`Hub::changed_accounts`]; one that is started later knows by itself.
    ///
    /// # Errors
    /// [`IdentityError::UnknownNode`] when it was never enrolled.
    pub fn revoke(&self, id: &str) -> Result<NodeRecord, IdentityError> {
        check_node_id(id)?;
        // First: a code that is still about must not let it in again.
        self.withdraw_invite(id)?;
        let _lock = file::lock(&self.dir.join("hub.lock"))?;
        let mut record = self
            .node(id)?
            .ok_or_else(|| IdentityError::UnknownNode(id.to_owned()))?;
        if record.revoked_at.is_none() {
            record.revoked_at = Some(now());
            self.write_node(&record)?;
        }
        // The server of its site would let it in until it hears of this, and may speak for it.
        self.cut_sites_of(id)?;
        self.write_identity_conf(now())?;
        Ok(record)
    }

    /// The record of one node; none when it was never enrolled.
    ///
    /// # Errors
    /// [`IdentityError::Record`] when the file cannot be read as one.
    pub fn node(&self, id: &str) -> Result<Option<NodeRecord>, IdentityError> {
        check_node_id(id)?;
        file::read_record(&self.node_path(id))
    }

    /// Every node ever enrolled, by id.
    ///
    /// # Errors
    /// As [`Hub::node`].
    pub fn nodes(&self) -> Result<Vec<NodeRecord>, IdentityError> {
        let mut nodes = Vec::new();
        for id in Self::records_in(&self.dir.join("nodes"))? {
            nodes.extend(self.node(&id)?);
        }
        Ok(nodes)
    }

    /// Every key of a node or a site that is cut off, with the second it happened.
    pub(super) fn revocations(&self) -> Result<Vec<(String, i64)>, IdentityError> {
        let (nodes, sites) = (self.nodes()?, self.sites()?);
        let nodes = nodes.iter().flat_map(NodeRecord::revoked);
        let sites = sites.iter().flat_map(SiteRecord::revoked);
        let all = nodes.chain(sites).map(|(key, at)| (key.to_owned(), at));
        Ok(all.collect())
    }

    /// The ids that have a record in this folder, in order.
    pub(super) fn records_in(dir: &Path) -> Result<Vec<String>, IdentityError> {
        let entries =
            std::fs::read_dir(dir).map_err(|source| file::io_error("listing", dir, source))?;
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| file::io_error("listing", dir, source))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Temporary files of a crash begin with a dot and are not ids.
            if let Some(id) = name
                .strip_suffix(".json")
                .filter(|id| check_node_id(id).is_ok())
            {
                ids.push(id.to_owned());
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Tokens of the accounts that change over time (today: the one with the nodes and their revocations), to be sent
    /// one by one to `$SYS.REQ.CLAIMS.UPDATE` with the `sys` credentials.
    ///
    /// # Errors
    /// I/O on the records, or signing.
    pub fn changed_accounts(&self) -> Result<Vec<String>, IdentityError> {
        let revoked = self.revocations()?;
        Ok(vec![accounts::account_token(
            Account::Nodes,
            &self.keys,
            &revoked,
            now(),
        )?])
    }

    fn node_path(&self, id: &str) -> PathBuf {
        self.dir.join("nodes").join(format!("{id}.json"))
    }

    fn write_node(&self, record: &NodeRecord) -> Result<(), IdentityError> {
        let path = self.node_path(&record.id);
        let text = serde_json::to_string_pretty(record).map_err(|error| IdentityError::Record {
            path: path.clone(),
            why: error.to_string(),
        })?;
        file::write_secret(&path, &format!("{text}\n"))
    }
}
