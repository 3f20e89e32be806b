//! The unattended way in: a machine that has no credentials and knows `ROUTER_SECRET` asks the hub to be let in, and
//! goes on asking until a person there has agreed. What it waits for stands in the log. With credentials once, it never
//! asks again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::Utc;
use common::broker::BrokerError;
use common::broker::knock::{Door, KnockError};
use common::identity::{Creds, IdentityError, NodeKey, secret_proof};
use common::ids::NodeId;
use common::message::enrol::{Answer, Knock, Proof, Refused, Reply};
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How soon a person's answer is known.
const ASK_EVERY: Duration = Duration::from_secs(3);
/// How soon a hub that does not answer is tried again; doubles up to the second.
const AWAY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));
/// What it waits for is said again after this long.
const SAY_AGAIN: Duration = Duration::from_secs(300);

/// Who asks, and where.
#[derive(Debug, Clone)]
pub struct EnterOptions {
    /// The id it wants.
    pub node: NodeId,
    /// What people call it.
    pub name: String,
    /// Where the hub's broker is.
    pub url: String,
    /// The authority that signed the broker's certificate.
    pub ca: Option<PathBuf>,
    /// `ROUTER_SECRET`.
    pub secret: SecretString,
    /// Where the credentials shall be; the key is beside them until then.
    pub creds: PathBuf,
}

/// Why it was not let in, and asking again would not help.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The hub said no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is no broker to trust.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The key or the credentials.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Stopped while it waited.
    #[error("stopped while waiting to be let in")]
    Cancelled,
}

/// What it waits for, in words. Said when it changes, and once in a while.
struct Said {
    text: String,
    at: Instant,
}

/// Asks until it is let in, and writes the credentials (0600).
///
/// # Errors
/// [`EnterError`], whose text says what to do.
pub async fn enter(
    options: &EnterOptions,
    cancel: &CancellationToken,
) -> Result<Creds, EnterError> {
    let key_file = key_file(&options.creds);
    let key = NodeKey::of_file(&key_file)?;
    let proof = Proof::Secret {
        mac: secret_proof(&options.secret, options.node.as_str(), key.public_key()),
    };
    let knock = Knock::new(
        options.node.as_str(),
        key.public_key(),
        &options.name,
        proof,
    );
    let end = key.public_key().len().saturating_sub(8);
    let key_end = key.public_key().get(end..).unwrap_or_default();
    info!(node = %options.node, url = %options.url, "no credentials yet: asking the hub to be let in, with ROUTER_SECRET");
    let mut said: Option<Said> = None;
    let mut away = AWAY.0;
    let mut skewed = false;
    loop {
        let asked = tokio::select! {
            asked = ask(options, &knock) => asked,
            () = cancel.cancelled() => return Err(EnterError::Cancelled),
        };
        let pause = match asked {
            Ok(reply) => {
                away = AWAY.0;
                if !skewed && let Some(skew) = reply.skew(Utc::now()) {
                    warn!("{skew}");
                    skewed = true;
                }
                match reply.answer {
                    Answer::Welcome { token } => {
                        let creds = key.creds(options.node.as_str(), &token)?;
                        creds.write(&options.creds)?;
                        // The seed is in the credentials now.
                        let _ = std::fs::remove_file(&key_file);
                        info!(node = %options.node, creds = %options.creds.display(), "let in");
                        return Ok(creds);
                    }
                    Answer::Waits { asked: 0 } => {
                        say(
                            &mut said,
                            format!(
                                "waiting: the hub knows nobody whom it could ask whether to let {} in. Set ADMIN_OPEN_IDS there, or \
                             run `phonework enroll {}` there and `phonework join` here",
                                options.node, options.node
                            ),
                        );
                        ASK_EVERY
                    }
                    Answer::Waits { .. } => {
                        say(
                            &mut said,
                            format!(
                                "waiting: an administrator of the hub must tap [Approve] on the card about {} (end of its key: \
                             {key_end})",
                                options.node
                            ),
                        );
                        ASK_EVERY
                    }
                    Answer::Refused { why } if why.may_pass() => {
                        let pause = match &why {
                            Refused::Slow { seconds } => Duration::from_secs(*seconds),
                            _ => AWAY.1,
                        };
                        say(&mut said, format!("waiting: {why}"));
                        pause.clamp(ASK_EVERY, AWAY.1)
                    }
                    Answer::Refused { why } => return Err(why.into()),
                    Answer::Here => return Err(Refused::Unreadable.into()),
                }
            }
            Err(KnockError::Broker(why @ BrokerError::Unreachable { .. })) => {
                say(&mut said, format!("waiting: {why}"));
                longer(&mut away)
            }
            Err(KnockError::Broker(why)) => return Err(why.into()),
            Err(why @ (KnockError::NoRouter { .. } | KnockError::Silent { .. })) => {
                say(&mut said, format!("waiting: {why}"));
                longer(&mut away)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => return Err(EnterError::Cancelled),
        }
    }
}

/// Beside the credentials, under the same name.
fn key_file(creds: &Path) -> PathBuf {
    creds.with_extension("nk")
}

/// One question, on a connection of its own: the broker has few places for strangers.
async fn ask(options: &EnterOptions, knock: &Knock) -> Result<Reply, KnockError> {
    let door = Door::reach(&options.url, options.ca.as_deref()).await?;
    let reply = door.ask(knock).await;
    door.leave().await;
    reply
}

fn say(said: &mut Option<Said>, text: String) {
    let news = said
        .as_ref()
        .is_none_or(|before| before.text != text || before.at.elapsed() >= SAY_AGAIN);
    if news {
        warn!("{text}");
        let at = Instant::now();
        *said = Some(Said { text, at });
    }
}

fn longer(away: &mut Duration) -> Duration {
    let pause = *away;
    *away = (pause * 2).min(AWAY.1);
    pause
}
