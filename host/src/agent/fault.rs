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
mod tests {
    use super::*;

    fn turn(status: Option<u16>, kind: &str, text: &str) -> AgentFault {
        AgentFault::of_turn(&Evidence {
            status,
            kind: (!kind.is_empty()).then(|| kind.to_owned()),
            terminal_reason: None,
            text: text.to_owned(),
            resets_at: None,
        })
    }

    /// Statuses, words and texts as the CLI was seen to say them.
    #[test]
    fn turns() {
        let message = |text: &str| text.to_owned();
        let table = [
            (
                turn(Some(401), "authentication_failed", "Invalid API key · Fix external API key"),
                AgentFault::BadKey { message: message("Invalid API key · Fix external API key") },
            ),
            (
                turn(None, "authentication_failed", "Not logged in · Please run /login"),
                AgentFault::NotLoggedIn,
            ),
            (
                turn(Some(401), "authentication_failed", "OAuth token has expired · Please run /login"),
                AgentFault::NotLoggedIn,
            ),
            (
                turn(Some(529), "server_error", "API Error: 529 Overloaded. This is a server-side issue"),
                AgentFault::Overloaded,
            ),
            (
                turn(None, "", "API Error: Repeated 529 Overloaded errors"),
                AgentFault::Overloaded,
            ),
            (
                turn(Some(500), "server_error", "API Error: 500 Internal server error"),
                AgentFault::ServiceFailed { status: 500 },
            ),
            (
                turn(Some(400), "unknown", "API Error: 400 Bad request"),
                AgentFault::Refused { status: 400, message: message("API Error: 400 Bad request") },
            ),
            (
                turn(Some(404), "model_not_found", "There's an issue with the selected model (x)."),
                AgentFault::Refused {
                    status: 404,
                    message: message("There's an issue with the selected model (x)."),
                },
            ),
            (
                turn(Some(429), "rate_limit", "API Error: Request rejected (429)"),
                AgentFault::RateLimited { resets_at: None },
            ),
            (
                turn(None, "", "Claude AI usage limit reached|1795393245"),
                AgentFault::RateLimited { resets_at: Some(1_795_393_245) },
            ),
            (
                turn(Some(403), "authentication_failed", "Failed to authenticate."),
                AgentFault::BadKey { message: message("Failed to authenticate.") },
            ),
            (
                turn(Some(413), "invalid_request", "Request too large (max 32MB)."),
                AgentFault::ContextFull,
            ),
            (
                turn(
                    Some(400),
                    "invalid_request",
                    "Prompt is too long · automatic compaction failed: API Error: Request rejected (429)",
                ),
                AgentFault::ContextFull,
            ),
            (
                turn(Some(400), "billing_error", "Credit balance is too low"),
                AgentFault::NoCredit,
            ),
            (
                turn(
                    None,
                    "server_error",
                    "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
                ),
                AgentFault::Network {
                    message: message(
                        "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
                    ),
                },
            ),
            (
                turn(None, "", "\u{1b}[31modd\u{1b}[0m\n[ede_diagnostic] x=y"),
                AgentFault::Other { message: message("odd") },
            ),
            (turn(None, "", ""), AgentFault::Other { message: String::new() }),
        ];
        for (got, expected) in table {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_window_heard_of_before_counts() {
        let seen = Evidence {
            status: Some(429),
            resets_at: Some(7),
            ..Evidence::default()
        };
        let expected = AgentFault::RateLimited { resets_at: Some(7) };
        assert_eq!(AgentFault::of_turn(&seen), expected);
    }

    fn exit(code: Option<i32>, signal: Option<i32>, stderr: &str) -> Exit {
        Exit {
            code,
            signal,
            requested: false,
            mid_turn: false,
            stderr_tail: stderr.to_owned(),
            left_behind: Vec::new(),
        }
    }

    #[test]
    fn exits() {
        let crashed = |code, signal, stderr: &str| AgentFault::Crashed {
            code,
            signal,
            stderr: stderr.to_owned(),
        };
        let table = [
            (
                exit(Some(1), None, "No conversation found with session ID: 1"),
                Some(AgentFault::NoSuchSession),
            ),
            (
                exit(Some(1), None, "Error: Session ID 1 is already in use."),
                Some(AgentFault::SessionInUse),
            ),
            (
                exit(Some(1), None, "error: unknown option '--nonsense'"),
                Some(AgentFault::BadArguments {
                    message: "unknown option '--nonsense'".to_owned(),
                }),
            ),
            (exit(None, Some(9), ""), Some(crashed(None, Some(9), ""))),
            (exit(Some(143), None, "x"), Some(crashed(Some(143), None, "x"))),
            (exit(Some(0), None, "a warning"), None),
            (
                Exit { mid_turn: true, ..exit(Some(0), None, "") },
                Some(crashed(Some(0), None, "")),
            ),
            (Exit { requested: true, ..exit(None, Some(9), "") }, None),
        ];
        for (exit, expected) in table {
            assert_eq!(exit.fault(), expected, "{exit:?}");
        }
        assert_eq!(
            crashed(None, Some(9), "").to_string(),
            "the agent's process ended unexpectedly (signal 9)"
        );
    }
}
