//! `phonework join <token>`: makes this machine a host of the hub that the token came from. The machine's key is made
//! here and its seed stays here; only the public key is sent.
//!
//! Interrupted at any point, the same command goes on: the key is on the disk before the hub hears of it, the hub
//! answers the same key again, and files are written whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use common::broker::BrokerError;
use common::broker::knock::{Door, KnockError};
use common::config::{At, Env, Key, Problem};
use common::identity::{Creds, IdentityError, JoinToken, NodeKey};
use common::lang::Lang;
use common::message::enrol::{Answer, Knock, Proof, Refused, Reply};
use secrecy::ExposeSecret as _;

use super::host_files::{CA_NOTE, FileError, HostConfig, make_dir, write_new};

/// A hub that is just starting is asked again this often.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// Why this machine did not join.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JoinError {
    /// The token cannot be read.
    #[error("{0}")]
    Token(&'static str),
    /// Not encrypted, and nobody said that it shall be so.
    #[error("{0}")]
    Plaintext(String),
    /// The folder has another host's files.
    #[error(
        "{0} is another host's, and nothing was changed: run this in another folder, or give one with --out"
    )]
    Other(PathBuf),
    /// The hub refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The hub cannot be asked.
    #[error(transparent)]
    Knock(#[from] KnockError),
    /// A file of ours.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key or the credentials.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// A machine that is a host.
#[derive(Debug)]
pub(crate) struct Joined {
    /// Its id.
    pub(crate) node: String,
    /// Its configuration.
    pub(crate) config: PathBuf,
    /// What to tell.
    pub(crate) text: String,
}

/// What the person said beside the token.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Surroundings {
    /// `NATS_PLAINTEXT`.
    pub(crate) plaintext: bool,
    /// The language of the terminal.
    pub(crate) lang: Lang,
}

impl Surroundings {
    /// Out of the flags and the environment: there is no file to read yet.
    pub(crate) fn of(flags: &BTreeMap<Key, String>, env: &Env) -> Self {
        let key = Key::NatsPlaintext;
        let said = flags.get(&key).map(String::as_str);
        let said = said.or_else(|| env.get(&key.env_name()));
        let yes = |text: &str| {
            ["true", "yes", "on", "1", "y"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word))
        };
        Self {
            plaintext: said.is_some_and(yes),
            lang: env.lang(),
        }
    }
}

/// Joins, and writes `host_config.yaml`, `<node>.creds` (0600) and perhaps `ca.pem` into `dir`.
///
/// # Errors
/// [`JoinError`], whose text says what to do.
pub(crate) async fn join(
    token: &str,
    dir: &Path,
    surroundings: Surroundings,
) -> Result<Joined, JoinError> {
    let token = JoinToken::parse(token).map_err(JoinError::Token)?;
    let open = Problem::plaintext(&token.url);
    if let Some(problem) = open.as_ref().filter(|_| !surroundings.plaintext) {
        // On the command line, since there is no file yet.
        let problem = Problem {
            at: At::Flag(Key::NatsUrl.flag()),
            ..problem.clone()
        };
        return Err(JoinError::Plaintext(problem.text(surroundings.lang)));
    }
    let files = Files::of(dir, &token.node);
    let config = HostConfig {
        node: &token.node,
        name: &token.name,
        url: &token.url,
        plaintext: open.is_some(),
        ca: token.ca.as_ref().map(|_| "ca.pem"),
        ca_note: token.ca.as_ref().map(|_| CA_NOTE),
        serves: &token.serves,
    }
    .text();
    let written = std::fs::read_to_string(&files.config).ok();
    if let Some(written) = &written {
        let joined = Creds::read(&files.creds).is_ok_and(|creds| creds.name() == token.node);
        // All but the key's file is there: joined before, and perhaps edited since.
        if joined && !files.key.exists() {
            return Ok(Joined {
                text: told(&token.node, &files, true),
                node: token.node,
                config: files.config,
            });
        }
        if *written != config {
            return Err(JoinError::Other(files.config));
        }
    }
    make_dir(dir)?;
    if let Some(pem) = &token.ca
        && std::fs::read_to_string(&files.ca).ok().as_ref() != Some(pem)
    {
        if files.ca.exists() {
            return Err(FileError::Exists(files.ca).into());
        }
        write_new(&files.ca, pem)?;
    }
    let ca = token.ca.as_ref().map(|_| files.ca.as_path());
    let key = NodeKey::of_file(&files.key)?;
    let proof = Proof::Code {
        code: token.code.expose_secret().to_owned(),
    };
    let knock = Knock::new(&token.node, key.public_key(), &token.name, proof);
    let reply = ask(&token.url, ca, &knock).await?;
    let skew = reply.skew(Utc::now());
    let signed = match reply.answer {
        Answer::Welcome { token } => token,
        Answer::Refused { why } => {
            return Err(why.into());
        }
        Answer::Here | Answer::Waits { .. } => {
            return Err(Refused::Unreadable.into());
        }
    };
    let creds = key.creds(&token.node, &signed)?;
    creds.write(&files.creds)?;
    if written.is_none() {
        write_new(&files.config, &config)?;
    }
    // The seed is in the credentials now.
    let _ = std::fs::remove_file(&files.key);
    let mut text = told(&token.node, &files, false);
    if let Some(skew) = skew {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "Mind: {skew}.");
    }
    Ok(Joined {
        text,
        node: token.node,
        config: files.config,
    })
}

/// Where what lies.
struct Files {
    config: PathBuf,
    creds: PathBuf,
    key: PathBuf,
    ca: PathBuf,
}

impl Files {
    fn of(dir: &Path, node: &str) -> Self {
        Self {
            config: dir.join("host_config.yaml"),
            creds: dir.join(format!("{node}.creds")),
            key: dir.join(format!("{node}.nk")),
            ca: dir.join("ca.pem"),
        }
    }
}

fn told(node: &str, files: &Files, before: bool) -> String {
    let what = if before {
        "joined before, and nothing was changed"
    } else {
        "is a host now"
    };
    format!(
        "This machine, {node}, {what}:\n  {}\n  {}\n\
         Set WORKING_DIR there if ~/phonework is not the place for projects.\n",
        files.config.display(),
        files.creds.display(),
    )
}

/// Asks, and again while the hub may only be starting.
async fn ask(url: &str, ca: Option<&Path>, knock: &Knock) -> Result<Reply, KnockError> {
    let mut attempt = 1;
    loop {
        let asked = async {
            let door = Door::reach(url, ca).await?;
            let reply = door.ask(knock).await;
            door.leave().await;
            reply
        };
        let why = match asked.await {
            Ok(reply) => match &reply.answer {
                Answer::Refused {
                    why: Refused::Slow { seconds },
                } if attempt < ATTEMPTS && *seconds <= PAUSE.as_secs() => None,
                _ => return Ok(reply),
            },
            Err(why) => Some(why),
        };
        if let Some(why) = why {
            let passes = match &why {
                KnockError::Broker(BrokerError::Unreachable { .. })
                | KnockError::NoRouter { .. }
                | KnockError::Silent { .. } => true,
                KnockError::Broker(_) => false,
            };
            if !passes || attempt >= ATTEMPTS {
                return Err(why);
            }
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    }
}
