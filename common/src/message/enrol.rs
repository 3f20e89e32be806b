//! A machine that is not enrolled ↔ router: "let me in". The only message of strangers, so nothing in it is believed
//! before it is checked. How it is sent is `broker::knock`'s, what is decided the router's.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The version that we write.
const VERSION: u8 = 1;
/// Clocks that differ by more than this are told of.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// What a machine asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knock {
    /// Version of the format: 1.
    pub v: u8,
    /// The id it wants; any text until it is checked.
    pub node: String,
    /// Public key that it made.
    pub key: String,
    /// What people shall call it; may be empty.
    #[serde(default)]
    pub name: String,
    /// Version of its program.
    #[serde(default)]
    pub program: String,
    /// Why it should be let in.
    pub proof: Proof,
}

impl Knock {
    /// A new one.
    pub fn new(node: &str, key: &str, name: &str, proof: Proof) -> Self {
        Self {
            v: VERSION,
            node: node.to_owned(),
            key: key.to_owned(),
            name: name.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            proof,
        }
    }
}

/// Why somebody should be let in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Proof {
    /// None: it only wants to know whether somebody answers.
    Look,
    /// The one-time code of a join token.
    Code {
        /// The code.
        code: String,
    },
    /// It knows `ROUTER_SECRET`; see [`crate::identity::secret_proof`].
    Secret {
        /// The proof, which holds for this id and key only.
        mac: String,
    },
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "Look",
            Self::Code { .. } => "Code(…)",
            Self::Secret { .. } => "Secret(…)",
        })
    }
}

/// What the hub says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Version of the format: 1.
    pub v: u8,
    /// The key that the answer is for.
    pub key: String,
    /// The hub's clock.
    pub now: DateTime<Utc>,
    /// The answer.
    pub answer: Answer,
}

impl Reply {
    /// A new one, for the machine with this key.
    pub fn new(key: &str, answer: Answer) -> Self {
        Self {
            v: VERSION,
            key: key.to_owned(),
            now: Utc::now(),
            answer,
        }
    }

    /// In words how far this machine's clock, which says `here`, is off; none if it is not.
    pub fn skew(&self, here: DateTime<Utc>) -> Option<String> {
        let off = here - self.now;
        if off.abs() < SKEW {
            return None;
        }
        let seconds = off.num_seconds().unsigned_abs();
        let (count, unit) = match seconds {
            0..=7_199 => (seconds / 60, "minutes"),
            7_200..=172_799 => (seconds / 3_600, "hours"),
            _ => (seconds / 86_400, "days"),
        };
        let side = if off > TimeDelta::zero() {
            "ahead of"
        } else {
            "behind"
        };
        Some(format!(
            "this machine's clock is {count} {unit} {side} the hub's: set one of them right (times that are shown, and \
             certificates, depend on it)"
        ))
    }
}

/// What comes of asking.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Answer {
    /// Somebody is here; the answer to [`Proof::Look`].
    Here,
    /// Come in.
    Welcome {
        /// The signed token; of use only to who has the key.
        token: String,
    },
    /// A person has to agree; ask again in a few seconds.
    Waits {
        /// How many people were asked; 0: the hub knows nobody whom it could ask.
        asked: usize,
    },
    /// No.
    Refused {
        /// Why.
        why: Refused,
    },
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("Here"),
            Self::Welcome { .. } => f.write_str("Welcome(…)"),
            Self::Waits { asked } => write!(f, "Waits({asked})"),
            Self::Refused { why } => write!(f, "Refused({why:?})"),
        }
    }
}

/// Why somebody is not let in. Each is one sentence that says what to do; terminal, log and doctor show it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Refused {
    /// The id may not be used.
    #[error("{id:?} cannot be a node id: {why}; choose another one in NODE_ID")]
    BadId {
        /// The id, shortened.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// The id is bound to another key.
    #[error(
        "{id} is enrolled already, with another key: take another NODE_ID, or, if this machine was set up anew, run \
         `phonework enroll {id} --replace` on the hub"
    )]
    Taken {
        /// The id.
        id: String,
    },
    /// The node was removed from the hub.
    #[error(
        "{id} was removed from the hub: to let it in again, run `phonework enroll {id}` on the hub"
    )]
    Removed {
        /// The id.
        id: String,
    },
    /// The one-time code is not the one that was given out.
    #[error(
        "the hub does not know this join token (was a newer one made for this machine, or was the line cut off?): run \
         `phonework enroll {id}` on the hub for a new one"
    )]
    WrongCode {
        /// The id.
        id: String,
    },
    /// The code was used, with another key.
    #[error(
        "this join token was used already, by another machine or folder: run `phonework enroll {id} --replace` on the hub for a \
         new one"
    )]
    UsedCode {
        /// The id.
        id: String,
    },
    /// The code is too old.
    #[error("this join token has expired: run `phonework enroll {id}` on the hub for a new one")]
    ExpiredCode {
        /// The id.
        id: String,
    },
    /// It does not know the secret.
    #[error(
        "the hub has another ROUTER_SECRET: write the same one into this machine's configuration"
    )]
    WrongSecret,
    /// The hub lets nobody in by a secret.
    #[error(
        "the hub has no ROUTER_SECRET, so no machine can ask by itself: set it there, or run `phonework enroll {id}` on the \
         hub and `phonework join` here"
    )]
    NoSecret {
        /// The id.
        id: String,
    },
    /// A person said no.
    #[error("an administrator of the hub refused to let {id} in: ask them")]
    Denied {
        /// The id.
        id: String,
    },
    /// It asks too often.
    #[error("too many attempts to enrol: the hub listens again in {seconds} s")]
    Slow {
        /// How long to wait.
        seconds: u64,
    },
    /// Too many wait for a person.
    #[error("too many machines wait to be let in: an administrator must answer those first")]
    Full,
    /// The hub itself cannot.
    #[error("the hub cannot enrol machines right now: {what}")]
    Trouble {
        /// What is wrong with it.
        what: String,
    },
    /// What was asked cannot be read.
    #[error(
        "the hub does not understand this program's request: use the same version of phonework on both machines"
    )]
    Unreadable,
    /// Not a key.
    #[error("the key in the request is none: remove the .nk file of this node and start again")]
    BadKey,
}

impl Refused {
    /// Whether asking again later, with nothing changed, may help.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Slow { .. } | Self::Full | Self::Trouble { .. } => true,
            Self::BadId { .. }
            | Self::Taken { .. }
            | Self::Removed { .. }
            | Self::WrongCode { .. }
            | Self::UsedCode { .. }
            | Self::ExpiredCode { .. }
            | Self::WrongSecret
            | Self::NoSecret { .. }
            | Self::Denied { .. }
            | Self::Unreadable
            | Self::BadKey => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_of() {
        let reply = Reply::new("U", Answer::Here);
        let skew = |seconds| reply.skew(reply.now + TimeDelta::seconds(seconds));
        assert_eq!(skew(100), None);
        assert_eq!(skew(-100), None);
        assert!(skew(600).unwrap().contains("10 minutes ahead of"));
        assert!(skew(-10_800).unwrap().contains("3 hours behind"));
        assert!(skew(86_400 * 9).unwrap().contains("9 days ahead"));
    }

    #[test]
    fn no_secret_is_shown() {
        let proof = Proof::Code { code: "abc".into() };
        let knock = Knock::new("a", "U", "", proof);
        assert!(!format!("{knock:?}").contains("abc"));
        let answer = Answer::Welcome {
            token: "eyJ".into(),
        };
        assert!(!format!("{:?}", Reply::new("U", answer)).contains("eyJ"));
    }
}
