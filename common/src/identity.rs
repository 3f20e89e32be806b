//! Who is who on the broker: keys, tokens, accounts and the permissions that keep every node to its own subjects.
//!
//! The broker runs in operator mode: it believes whatever the operator's key has signed, so adding a machine needs no
//! change on it, and a machine's permissions come from its role, not from its token. Everything is minted here, the
//! same way for one machine and for a hub of hundreds. Connecting is the broker module's business, deciding whom to
//! enrol is the router's.

mod accounts;
mod certificate;
mod conf;
mod creds;
mod enrol;
mod file;
mod hub;
mod invite;
mod join_token;
mod jwt;
mod keys;
mod listen;
mod node;
mod proof;
mod roles;
mod site;
mod tell;

use std::path::PathBuf;

pub use accounts::{API_PREFIX, NODE_CONNECTED, NODE_DISCONNECTED, ack_of_node};
pub use certificate::Signed;
pub use conf::{HubOptions, Tls};
pub use creds::Creds;
pub use enrol::{EnrollOptions, NodeCreds, is_user_key};
pub use hub::{Hub, Outcome};
pub use invite::{CODE_VALID, RedeemError, Redeemed};
pub use join_token::JoinToken;
pub use keys::NodeKey;
pub use node::{FormerKey, NODE_ID_MAX, NodeRecord, Serves, check_node_id, node_of_event};
pub use proof::{check_seal, check_secret_proof, seal, secret_proof};
pub use site::{SiteFiles, SiteKey, SiteOptions, SiteRecord};

/// What can go wrong with keys, credentials and enrolment. The texts are for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file or folder could not be used.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// One of the hub's own keys is missing or damaged. It cannot be made again without locking everybody out.
    #[error(
        "the hub key {path} cannot be used: {why}. Put it back from a backup, or set DATA_DIR to an empty folder \
         to begin a new hub (every machine must then be enrolled again)"
    )]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No complete hub in this folder.
    #[error(
        "there is no hub in {0}: run `phonework init` there first, or set DATA_DIR to where it is"
    )]
    NoHub(PathBuf),
    /// The folder was written by a newer version.
    #[error("the hub in {0} was made by a newer phonework: use that version")]
    Newer(PathBuf),
    /// A node id that may not be used.
    #[error("{id:?} cannot be a node id: {why}")]
    NodeId {
        /// The id, cut to 64 characters.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// The id is bound to another key.
    #[error(
        "{id} is enrolled already, with another key. If that machine is lost or was set up anew, enrol it with \
         --replace (the old key is cut off); otherwise take another id"
    )]
    Taken {
        /// The id.
        id: String,
    },
    /// A site that cannot be made.
    #[error("the site {id:?} cannot be enrolled: {why}")]
    Site {
        /// Its id.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// Nobody of that name is enrolled.
    #[error(
        "no node {0:?} is enrolled here; the files in nodes/ of the data folder name those that are"
    )]
    UnknownNode(String),
    /// A credential file that cannot be used.
    #[error("credentials {path}: {why}")]
    Creds {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A record of ours that does not read back.
    #[error("{path} is damaged: {why}. Restore it from a backup or remove it and enrol again")]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A running broker could not be told of a change.
    #[error("the broker at {url} was not told: {why}. It will know at its next start")]
    Broker {
        /// Its address.
        url: String,
        /// What happened.
        why: String,
    },
    /// A certificate or its key that cannot be used.
    #[error("{path} cannot be used: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The broker would listen without TLS, and the file that says so is not ours to change.
    #[error(
        "{path} was edited by hand, so it was left as it is; but NATS_URL says tls:// and the broker would listen without TLS. \
         Add these lines to it, or move it away and run `phonework init` again:\n{lines}"
    )]
    PlainConf {
        /// `hub.conf`.
        path: PathBuf,
        /// What is missing.
        lines: String,
    },
    /// An address that cannot be listened on.
    #[error(
        "NATS_URL {url:?} cannot be used: {why}. Write it like nats://127.0.0.1:4222 or tls://hub.example:4222"
    )]
    Url {
        /// As it was written.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key that does not do what it should.
    #[error("{0}")]
    Key(String),
}
