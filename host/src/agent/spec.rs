//! What is needed to start an agent, and why it may not start. What each backend makes of it, its
//! command line above all, is left to the backend.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::PermissionMode;

/// Everything needed to start an agent.
#[derive(Debug, Clone)]
pub struct AgentSpec {
    /// The program; see [`claude::locate`](super::claude::locate).
    pub program: PathBuf,
    /// The owner's own arguments, put after ours.
    pub extra_args: Vec<String>,
    /// Where it works. A conversation must always be resumed in its own directory.
    pub cwd: PathBuf,
    /// A new conversation or an old one.
    pub session: SessionStart,
    /// Model, if not the agent's default.
    pub model: Option<String>,
    /// Permission mode, if not the one that asks.
    pub permission_mode: PermissionMode,
    /// Let the project's own settings, hooks and servers in. Without it only the person's own
    /// settings count: what lies in the directory is run by nobody unasked.
    pub trust_project: bool,
    /// The child's environment.
    pub env: ChildEnv,
    /// Set on top of `env`.
    pub extra_env: Vec<(String, String)>,
    /// Begins the mark in the environment of all that is started here, so that it is found again
    /// after a crash: see [`leftovers`](super::claude::leftovers).
    pub family: String,
}

/// Which conversation to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStart {
    /// A new one, under this id, which must not exist.
    New(Uuid),
    /// An existing one, which no other live process may have open.
    Resume(Uuid),
}

impl SessionStart {
    /// The conversation's id.
    pub fn id(self) -> Uuid {
        match self {
            Self::New(id) | Self::Resume(id) => id,
        }
    }
}

/// Why an agent did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such program.
    #[error(
        "{} is not there: install the agent, or set CLAUDE_BIN to where it is",
        program.display()
    )]
    NotFound {
        /// What was to be run.
        program: PathBuf,
    },
    /// It is there, and may not be run.
    #[error("{} cannot be run: it is not an executable file", program.display())]
    NotExecutable {
        /// What was to be run.
        program: PathBuf,
    },
    /// The directory to work in is missing.
    #[error("the directory {} is not there", cwd.display())]
    NoDirectory {
        /// Where it was to work.
        cwd: PathBuf,
    },
    /// The system refused for another reason.
    #[error("{} could not be started: {source}", program.display())]
    Spawn {
        /// What was to be run.
        program: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Names that begin so are ours and stay with us.
const OURS: &str = "PHONEWORK_";

/// Marks that an agent leaves for its own tools. Inherited when we were ourselves started from
/// inside a session, they would tie the child to that session.
const TRACES: &[&str] = &[
    "CLAUDECODE",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_SESSION_ATTENDED",
    "CLAUDE_CODE_MESSAGING_SOCKET",
    "CLAUDE_CODE_MESSAGING_TOKEN",
    "CLAUDE_CODE_CHILD_NOTES_DIR",
    "CLAUDE_CODE_EXECPATH",
    "CLAUDE_PID",
    "CLAUDE_EFFORT",
];

/// Secrets shorter than this are matched whole only: they would occur in innocent values.
const LONG_ENOUGH_TO_SEARCH: usize = 8;

/// The environment of a child: somebody's environment less everything of ours. People log in to
/// their agent with variables (keys, regions, proxies), so what is not ours passes.
#[derive(Clone, Default)]
pub struct ChildEnv {
    vars: BTreeMap<OsString, OsString>,
}

impl ChildEnv {
    /// This process's environment less our variables, and less every variable, whatever its name,
    /// that holds one of `secrets`.
    pub fn inherited(secrets: &[SecretString]) -> Self {
        Self::filtered(std::env::vars_os(), secrets)
    }

    /// The same of another environment.
    pub fn filtered(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
        secrets: &[SecretString],
    ) -> Self {
        let vars = vars
            .into_iter()
            .filter(|(name, value)| !is_ours(name) && !holds_secret(value, secrets))
            .collect();
        Self { vars }
    }

    /// What the child gets.
    pub fn vars(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.vars
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// One variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}

impl std::fmt::Debug for ChildEnv {
    /// Names only: values may be the person's keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.vars.keys()).finish()
    }
}

fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    // Windows and careless shells write names in any case.
    name.to_ascii_uppercase().starts_with(OURS) || TRACES.contains(&name.as_ref())
}

fn holds_secret(value: &OsStr, secrets: &[SecretString]) -> bool {
    let value = value.to_string_lossy();
    secrets.iter().any(|secret| {
        let secret = secret.expose_secret();
        // Longer ones are also found inside a value, as a password is inside an address.
        !secret.is_empty()
            && (value == *secret
                || (secret.len() >= LONG_ENOUGH_TO_SEARCH && value.contains(secret)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)], secrets: &[&str]) -> Vec<String> {
        let vars = vars
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let secrets: Vec<SecretString> = secrets.iter().map(|s| SecretString::from(*s)).collect();
        ChildEnv::filtered(vars, &secrets)
            .vars()
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn our_names_and_our_secrets_stay_behind() {
        let left = env(
            &[
                ("PATH", "/bin"),
                ("ANTHROPIC_API_KEY", "sk-ant-person"),
                ("PHONEWORK_NATS_URL", "x"),
                ("phonework_Data_Dir", "x"),
                ("MY_MODEL_KEY", "sk-ours"),
                ("HUB", "tls://user:sk-long-secret@hub:4222"),
                ("SHORT", "abc"),
                ("INNOCENT", "abcdef"),
                ("CLAUDECODE", "1"),
                ("CLAUDE_CONFIG_DIR", "/c"),
                ("EMPTY", ""),
            ],
            &["sk-ours", "sk-long-secret", "abc", ""],
        );
        assert_eq!(
            left,
            [
                "ANTHROPIC_API_KEY",
                "CLAUDE_CONFIG_DIR",
                "EMPTY",
                "INNOCENT",
                "PATH"
            ]
        );
    }

    #[test]
    fn debug_shows_no_values() {
        let env = ChildEnv::filtered([("KEY".into(), "hunter2".into())], &[]);
        assert_eq!(format!("{env:?}"), r#"{"KEY"}"#);
    }
}
