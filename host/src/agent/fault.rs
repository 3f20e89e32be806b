//! Sorting an agent's failures into the few kinds that a person can do something about. Words for
//! people in their language are left to the catalogue; this only says which.

use super::text::{for_people, one_line};
use super::{Exit, StartError};

/// What went wrong with an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentFault {
    /// The program is not on this machine, or may not be run.
    #[error("the agent is not installed")]
    NotInstalled,
    /// The person never logged in, or the login ran out.
    #[error("the agent is not logged in")]
    NotLoggedIn,
    /// The service does not accept the key.
    #[error("the service refused the key: {message}")]
    BadKey {
        /// The agent's words.
        message: String,
    },
    /// The account has no money left.
    #[error("the account's credit is used up")]
    NoCredit,
    /// The service has too much to do.
    #[error("the service is overloaded")]
    Overloaded,
    /// The service failed by itself (5xx other than overload).
    #[error("the service failed with status {status}")]
    ServiceFailed {
        /// HTTP status.
        status: u16,
    },
    /// Too much was asked in a time.
    #[error("the rate limit is reached")]
    RateLimited {
        /// When asking makes sense again, seconds since 1970, if the service said so.
        resets_at: Option<i64>,
    },
    /// The conversation does not fit the model any more.
    #[error("the conversation is too long for the model")]
    ContextFull,
    /// The service refused the request itself: a model that is not there, an input it cannot use.
    #[error("the service refused the request ({status}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The agent's words.
        message: String,
    },
    /// The service could not be reached.
    #[error("the service could not be reached: {message}")]
    Network {
        /// The agent's words.
        message: String,
    },
    /// There is no such conversation (in this directory).
    #[error("there is no such conversation")]
    NoSuchSession,
    /// A new conversation was to have an id that is taken.
    #[error("the conversation's id is already in use")]
    SessionInUse,
    /// The program did not like its arguments, the owner's own ones most likely.
    #[error("the agent refused its arguments: {message}")]
    BadArguments {
        /// The agent's words.
        message: String,
    },
    /// The process died.
    #[error("the agent's process ended unexpectedly{}", ending(*.code, *.signal))]
    Crashed {
        /// Exit code, if it ended by itself.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// The last of its standard error, cleaned.
        stderr: String,
    },
    /// None of these.
    #[error("{message}")]
    Other {
        /// The agent's words, cleaned; may be empty.
        message: String,
    },
}

fn ending(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (_, Some(signal)) => format!(" (signal {signal})"),
        (Some(code), None) => format!(" (exit code {code})"),
        (None, None) => String::new(),
    }
}

/// What is known of a failed turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// HTTP status of the last try.
    pub status: Option<u16>,
    /// The agent's one-word name of the error.
    pub kind: Option<String>,
    /// Why the turn ended, in one word of the agent.
    pub terminal_reason: Option<String>,
    /// The agent's text.
    pub text: String,
    /// The end of the limit's window, if one was heard of.
    pub resets_at: Option<i64>,
}

impl AgentFault {
    /// The fault of a turn that failed.
    pub fn of_turn(seen: &Evidence) -> Self {
        let message = for_people(&seen.text);
        let lower = message.to_lowercase();
        let says = |needles: &[&str]| needles.iter().any(|needle| lower.contains(needle));
        let kind = seen.kind.as_deref().unwrap_or_default();

        if seen.terminal_reason.as_deref() == Some("prompt_too_long")
            || seen.status == Some(413)
            || lower.starts_with("prompt is too long")
            || says(&["input is too long", "exceeds the context window"])
        {
            return Self::ContextFull;
        }
        if says(&["not logged in", "please run /login", "token has expired"]) {
            return Self::NotLoggedIn;
        }
        if kind == "billing_error" || says(&["credit balance is too low"]) {
            return Self::NoCredit;
        }
        if says(&["no conversation found"]) {
            return Self::NoSuchSession;
        }
        if seen.status == Some(429) || kind == "rate_limit" || says(&["usage limit reached"]) {
            let resets_at = seen.resets_at.or_else(|| resets_in_text(&message));
            return Self::RateLimited { resets_at };
        }
        if seen.status == Some(529) || kind == "overloaded" || says(&["529 overloaded"]) {
            return Self::Overloaded;
        }
        match seen.status {
            Some(401 | 403) => return Self::BadKey { message },
            Some(status) if status >= 500 => return Self::ServiceFailed { status },
            Some(status) if (400..500).contains(&status) => {
                return Self::Refused { status, message };
            }
            Some(_) | None => {}
        }
        if kind == "authentication_failed" {
            return Self::BadKey { message };
        }
        if kind == "model_not_found" {
            let status = 404;
            return Self::Refused { status, message };
        }
        if says(&[
            "connection",
            "unable to connect",
            "econn",
            "enotfound",
            "etimedout",
            "eai_again",
            "timed out",
            "fetch failed",
            "certificate",
        ]) {
            return Self::Network { message };
        }
        Self::Other { message }
    }

    /// The fault of a process that ended unasked.
    pub(super) fn of_exit(exit: &Exit) -> Self {
        let stderr = for_people(&exit.stderr_tail);
        let lower = stderr.to_lowercase();
        if lower.contains("no conversation found") {
            return Self::NoSuchSession;
        }
        if lower.contains("session id") && lower.contains("already in use") {
            return Self::SessionInUse;
        }
        if exit.code == Some(1) && lower.starts_with("error: ") {
            let message = one_line(stderr.get("error: ".len()..).unwrap_or_default(), 300);
            return Self::BadArguments { message };
        }
        Self::Crashed {
            code: exit.code,
            signal: exit.signal,
            stderr,
        }
    }
}

impl From<&StartError> for AgentFault {
    fn from(error: &StartError) -> Self {
        match error {
            StartError::NotFound { .. } | StartError::NotExecutable { .. } => Self::NotInstalled,
            StartError::NoDirectory { .. } | StartError::Spawn { .. } => Self::Other {
                message: error.to_string(),
            },
        }
    }
}

/// Some limits are told as `…limit reached|1795393245`.
fn resets_in_text(text: &str) -> Option<i64> {
    text.rsplit_once('|')?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests;
