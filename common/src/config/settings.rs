//! What the roles work with: resolved values of every key, defaults filled in.
//! How they came about is the business of `resolve`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use chrono_tz::Tz;
use secrecy::SecretString;

use super::keys::{FileKind, Key};
use super::problem::Problem;
use crate::ids::{NodeId, UserId};
use crate::lang::Lang;

/// The configuration, checked and complete.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which kind of file it was made for.
    pub kind: FileKind,
    /// The file, if there was one.
    pub file: Option<PathBuf>,
    /// The Feishu app; `None` = that gateway is off.
    pub feishu: Option<FeishuSettings>,
    /// The chat model; `None` = rules instead of smart mode.
    pub llm: Option<LlmSettings>,
    /// The web search; `None` = off.
    pub metaso: Option<MetasoSettings>,
    /// The web page.
    pub web: WebSettings,
    /// Who may use the bot.
    pub allowed: AllowList,
    /// Who approves hosts.
    pub admins: Vec<UserId>,
    /// Router and gateways only.
    pub router_mode: bool,
    /// What hub and hosts share for unattended enrolment.
    pub router_secret: Option<SecretString>,
    /// Whether knowing that is enough.
    pub auto_approve_hosts: bool,
    /// The broker.
    pub nats: NatsSettings,
    /// This host.
    pub node: NodeSettings,
    /// Folder of all projects, absolute.
    pub working_dir: PathBuf,
    /// Folder of identities, journal and audit, absolute.
    pub data_dir: PathBuf,
    /// The Claude Code CLI.
    pub claude: ClaudeSettings,
    /// Folders sandboxed commands may read besides `working_dir`.
    pub shell_read: Vec<PathBuf>,
    /// Days the audit log is kept.
    pub audit_days: u32,
    /// The language for everybody; `None` = each person's own.
    pub locale: Option<Lang>,
    /// Zone of reminders.
    pub timezone: Tz,
    /// Log filter for [`crate::telemetry::init`].
    pub log: String,
    /// What is odd but no reason to stop; to be told at the start.
    pub warnings: Vec<Problem>,
    /// Where each key's value came from, secrets masked.
    pub sources: BTreeMap<Key, Origin>,
}

/// Where a value came from, and the value as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where from.
    pub source: Source,
    /// The value, masked if it is secret; empty = not set.
    pub shown: String,
}

/// The layer a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// The environment.
    Env,
    /// A flag.
    Flag,
    /// Nobody set it.
    Default,
}

/// A Feishu (or Lark) app.
#[derive(Clone, Debug)]
pub struct FeishuSettings {
    /// App ID.
    pub app_id: String,
    /// App Secret.
    pub app_secret: SecretString,
    /// Open platform, no slash at the end.
    pub base_url: String,
}

/// An OpenAI-compatible chat API.
#[derive(Clone, Debug)]
pub struct LlmSettings {
    /// Up to the version, no slash at the end.
    pub base_url: String,
    /// Its key.
    pub api_key: SecretString,
    /// Model name.
    pub model: String,
    /// Merged into each request.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// The Metaso search.
#[derive(Clone, Debug)]
pub struct MetasoSettings {
    /// Without `/api/v1`, no slash at the end.
    pub base_url: String,
    /// Its key.
    pub api_key: SecretString,
}

/// The web page and the health endpoint.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Whether the page is served.
    pub enabled: bool,
    /// Listening address.
    pub bind: IpAddr,
    /// Listening port; 0 = any free one.
    pub port: u16,
}

/// The broker.
#[derive(Clone, Debug)]
pub struct NatsSettings {
    /// Where it is; always set for a host.
    pub url: Option<String>,
    /// Credentials; `None` = those in `data_dir`.
    pub creds: Option<PathBuf>,
    /// Authority to trust in place of the system's.
    pub ca: Option<PathBuf>,
    /// The broker's certificate and its key, when they are not ours to make.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// The broker's port for websockets; `None` = closed.
    pub websocket_port: Option<u16>,
    /// The broker's port for servers of sites; `None` = closed.
    pub leaf_port: Option<u16>,
    /// Unencrypted connections to other machines are wanted.
    pub plaintext: bool,
    /// The server program, if set; a bare name is looked up in `PATH`.
    pub server: Option<PathBuf>,
}

/// This host among the others.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Its id.
    pub id: NodeId,
    /// What people see.
    pub display_name: String,
    /// What it is for, one line; empty = nothing is said.
    pub description: String,
    /// Whom it serves; empty = the hub decides.
    pub serves_users: Vec<UserId>,
}

/// The Claude Code CLI.
#[derive(Clone, Debug)]
pub struct ClaudeSettings {
    /// The program, if set; `None` = `claude` in `PATH`.
    pub bin: Option<PathBuf>,
    /// Further arguments.
    pub args: Vec<String>,
    /// Live processes at once.
    pub live: usize,
    /// Projects whose own settings are obeyed.
    pub trust_projects: Vec<PathBuf>,
}

/// Who may use the bot. An empty list lets everybody in who can reach the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    /// The people on it.
    pub users: Vec<UserId>,
}

impl AllowList {
    /// Whether everybody is let in.
    pub fn is_open(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether this person is let in.
    pub fn allows(&self, user: &UserId) -> bool {
        self.is_open() || self.users.contains(user)
    }
}
