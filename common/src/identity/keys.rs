//! The hub's own keys: one file each, made once, never changed.
//! Whoever holds them can mint anybody; they never leave the hub's data folder.
//! And the key that a machine makes for itself before it is enrolled: its seed never leaves that machine.

use std::path::{Path, PathBuf};

use nkeys::{KeyPair, KeyPairType};
use secrecy::SecretString;

use super::{Creds, IdentityError, file};

/// What each key is for. The file names are part of the data folder's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyName {
    /// Signs accounts.
    Operator,
    /// Account of the router; owns every stream.
    Pw,
    /// Account of the gateways.
    Gate,
    /// Account of all nodes; has no JetStream.
    Nodes,
    /// Account of machines that ask to be let in.
    Enrol,
    /// Account of the broker's own events and of account updates.
    Sys,
    /// Signs gateways; the role's permissions are in the account.
    GatewayRole,
    /// Signs nodes.
    NodeRole,
    /// Signs leaf servers that carry several nodes.
    LeafRole,
}

impl KeyName {
    pub(super) const ALL: [Self; 9] = [
        Self::Operator,
        Self::Pw,
        Self::Gate,
        Self::Nodes,
        Self::Enrol,
        Self::Sys,
        Self::GatewayRole,
        Self::NodeRole,
        Self::LeafRole,
    ];

    /// File name without extension.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Pw => "pw",
            Self::Gate => "gate",
            Self::Nodes => "nodes",
            Self::Enrol => "enrol",
            Self::Sys => "sys",
            Self::GatewayRole => "gateway-role",
            Self::NodeRole => "node-role",
            Self::LeafRole => "leaf-role",
        }
    }

    const fn kind(self) -> KeyPairType {
        match self {
            Self::Operator => KeyPairType::Operator,
            Self::Pw
            | Self::Gate
            | Self::Nodes
            | Self::Enrol
            | Self::Sys
            | Self::GatewayRole
            | Self::NodeRole
            | Self::LeafRole => KeyPairType::Account,
        }
    }
}

/// The keys of one hub.
pub(super) struct Keys {
    pub(super) operator: KeyPair,
    pub(super) pw: KeyPair,
    pub(super) gate: KeyPair,
    pub(super) nodes: KeyPair,
    pub(super) enrol: KeyPair,
    pub(super) sys: KeyPair,
    pub(super) gateway_role: KeyPair,
    pub(super) node_role: KeyPair,
    pub(super) leaf_role: KeyPair,
}

impl Keys {
    /// Reads every key of the folder. `make_missing` is for a hub that is not finished yet;
    /// later a missing key is an error, because a new one would lock everybody out.
    pub(super) fn load(dir: &Path, make_missing: bool) -> Result<Self, IdentityError> {
        let one = |name: KeyName| load_one(dir, name, make_missing);
        Ok(Self {
            operator: one(KeyName::Operator)?,
            pw: one(KeyName::Pw)?,
            gate: one(KeyName::Gate)?,
            nodes: one(KeyName::Nodes)?,
            enrol: one(KeyName::Enrol)?,
            sys: one(KeyName::Sys)?,
            gateway_role: one(KeyName::GatewayRole)?,
            node_role: one(KeyName::NodeRole)?,
            leaf_role: one(KeyName::LeafRole)?,
        })
    }

    pub(super) const fn get(&self, name: KeyName) -> &KeyPair {
        match name {
            KeyName::Operator => &self.operator,
            KeyName::Pw => &self.pw,
            KeyName::Gate => &self.gate,
            KeyName::Nodes => &self.nodes,
            KeyName::Enrol => &self.enrol,
            KeyName::Sys => &self.sys,
            KeyName::GatewayRole => &self.gateway_role,
            KeyName::NodeRole => &self.node_role,
            KeyName::LeafRole => &self.leaf_role,
        }
    }
}

/// A machine's own key, made there and kept in a file (0600) until its credentials are written, so that it is the same
/// one when the machine asks again.
pub struct NodeKey {
    seed: SecretString,
    public_key: String,
}

impl NodeKey {
    /// The key in this file; a new one, written there, when it is not there.
    ///
    /// # Errors
    /// [`IdentityError::Creds`] when the file holds something else, or I/O.
    pub fn of_file(path: &Path) -> Result<Self, IdentityError> {
        let wrong = || IdentityError::Creds {
            path: path.to_owned(),
            why: "it does not hold a machine's key: remove it and try again".into(),
        };
        let key = if let Some(text) = file::read(path)? {
            KeyPair::from_seed(text.trim()).map_err(|_| wrong())?
        } else {
            if let Some(parent) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
                file::private_dir(parent)?;
            }
            let key = KeyPair::new(KeyPairType::User);
            file::write_secret(path, &format!("{}\n", seed_of(&key)?))?;
            key
        };
        if key.key_pair_type() != KeyPairType::User {
            return Err(wrong());
        }
        Ok(Self {
            seed: seed_of(&key)?.into(),
            public_key: key.public_key(),
        })
    }

    /// What the hub binds the id to.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// Credentials from the token that the hub signed for this key.
    ///
    /// # Errors
    /// [`IdentityError::Key`] when the token is for another key or id.
    pub fn creds(&self, node: &str, token: &str) -> Result<Creds, IdentityError> {
        let creds = Creds::from_parts(token, &self.seed)?;
        if creds.name() == node {
            Ok(creds)
        } else {
            Err(IdentityError::Key(format!(
                "the hub signed a token for {:?} and not for {node:?}: try again",
                creds.name()
            )))
        }
    }
}

fn seed_of(key: &KeyPair) -> Result<String, IdentityError> {
    key.seed()
        .map_err(|error| IdentityError::Key(format!("reading back a new key: {error}")))
}

/// Where a key lies.
pub(super) fn path(dir: &Path, name: KeyName) -> PathBuf {
    dir.join(format!("{}.nk", name.name()))
}

fn load_one(dir: &Path, name: KeyName, make_missing: bool) -> Result<KeyPair, IdentityError> {
    let path = path(dir, name);
    let damaged = |why: &'static str| IdentityError::KeyFile {
        path: path.clone(),
        why,
    };
    if let Some(text) = file::read(&path)? {
        let key = KeyPair::from_seed(text.trim())
            .map_err(|_| damaged("it does not hold a key (cut off, or another file?)"))?;
        return if key.key_pair_type() == name.kind() {
            Ok(key)
        } else {
            Err(damaged("it holds a key of another kind"))
        };
    }
    if !make_missing {
        return Err(damaged("it is missing"));
    }
    let key = KeyPair::new(name.kind());
    file::write_secret(&path, &format!("{}\n", seed_of(&key)?))?;
    Ok(key)
}
