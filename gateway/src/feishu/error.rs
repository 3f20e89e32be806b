//! What a refused or failed call means for us.
//!
//! The platform answers with a number; this file turns it into the few cases a
//! caller acts on. It does not retry anything (`api` does) and writes no text
//! for people in chats.

use std::time::Duration;

use serde_json::Value;

/// What the caller can do about a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many calls. Nothing was done; wait this long, if the platform said.
    RateLimited {
        /// The platform's own waiting time, where it gave one.
        wait: Option<Duration>,
    },
    /// No connection was made, so nothing was done.
    Unreached,
    /// It may or may not have been done: a time-out, a cut connection, or
    /// trouble inside the platform.
    Unsure,
    /// The access token was refused, even a fresh one.
    TokenRefused,
    /// The app id or secret is wrong, or the app is switched off.
    Credentials,
    /// The app lacks a right.
    Permission {
        /// The scopes of which one is needed, as far as the answer named them.
        scopes: Vec<String>,
    },
    /// The message (or topic) was deleted, recalled, or is too old to be edited.
    /// Send anew if it still matters.
    Gone,
    /// The content is over the platform's size limit.
    TooLong,
    /// The card was refused. Show the content in a simpler form.
    CardRefused {
        /// The inner reason (`ErrCode`), where the answer named it.
        code: Option<i64>,
    },
    /// The content was refused as malformed. A simpler form may pass.
    BadContent,
    /// This chat or person cannot be written to (left, blocked, dissolved).
    NoSuchReader,
    /// Anything else; repeating it is of no use.
    Permanent,
}

/// A call to the platform that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("Feishu call {call} failed{}{}: {message}", code_part(*.code), log_part(.log_id.as_ref()))]
pub struct ApiError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// Which call, in our words (`send`, `patch` …).
    pub call: &'static str,
    /// The platform's code, if an answer came.
    pub code: Option<i64>,
    /// The platform's words, or ours for a network failure. Holds no secret.
    pub message: String,
    /// The platform's id of this call, for its support.
    pub log_id: Option<String>,
    /// An earlier try under the same idempotency key may have been done; so this
    /// refusal may mean the repeat, and the message may be there.
    pub maybe_done: bool,
}

fn code_part(code: Option<i64>) -> String {
    code.map(|code| format!(" (code {code})"))
        .unwrap_or_default()
}

fn log_part(log_id: Option<&String>) -> String {
    log_id
        .map(|id| format!(" [log id {id}]"))
        .unwrap_or_default()
}

impl ApiError {
    /// An error found on our side, before anything was sent.
    pub(crate) fn local(call: &'static str, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            call,
            code: None,
            message: message.into(),
            log_id: None,
            maybe_done: false,
        }
    }

    /// From a request that produced no usable answer.
    pub(crate) fn network(call: &'static str, error: reqwest::Error) -> Self {
        let kind = if error.is_connect() {
            ErrorKind::Unreached
        } else if error.is_builder() {
            ErrorKind::Permanent
        } else {
            ErrorKind::Unsure
        };
        Self::local(call, kind, plain(error))
    }

    /// From an answer that is not a success.
    pub(crate) fn answer(call: &'static str, answer: &Answer) -> Self {
        Self {
            kind: kind_of(answer),
            call,
            code: answer.code,
            message: answer.message(),
            log_id: answer.log_id.clone(),
            maybe_done: false,
        }
    }

    /// Whether the same call may succeed a little later. For [`ErrorKind::Unsure`]
    /// a repeat is only right if the call is safe to do twice.
    pub fn is_retryable(&self) -> bool {
        match &self.kind {
            ErrorKind::RateLimited { .. } | ErrorKind::Unreached | ErrorKind::Unsure => true,
            ErrorKind::TokenRefused
            | ErrorKind::Credentials
            | ErrorKind::Permission { .. }
            | ErrorKind::Gone
            | ErrorKind::TooLong
            | ErrorKind::CardRefused { .. }
            | ErrorKind::BadContent
            | ErrorKind::NoSuchReader
            | ErrorKind::Permanent => false,
        }
    }

    /// Whether it is certain that the platform did nothing.
    pub fn is_surely_undone(&self) -> bool {
        self.kind != ErrorKind::Unsure
    }

    /// Whether the refusal of a call with an idempotency key says that the key was
    /// used before: then the message is there. No code of the platform is known to
    /// stand for this, so its words are read; and where an earlier try may have been
    /// done, a refusal without a better reason is taken for it.
    pub(crate) fn is_repeat(&self) -> bool {
        let unclear = self.kind == ErrorKind::Permanent;
        let content = matches!(
            self.kind,
            ErrorKind::CardRefused { .. } | ErrorKind::BadContent
        );
        if self.code.is_none() || !(unclear || content) {
            return false;
        }
        let said = self.message.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let of_the_key =
            has(&["uuid", "idempot"]) && has(&["duplicat", "repeat", "already", "used", "exists"]);
        let of_the_message = has(&["request", "message"])
            && has(&["duplicat", "repeated", "already sent", "already been sent"]);
        let of_the_card = said.contains("element");
        ((of_the_key || of_the_message) && !of_the_card) || (unclear && self.maybe_done)
    }

    /// Whether this refusal of content may in truth be that of a repeat: an earlier try may have
    /// been done, and nothing says what is wrong with the content.
    pub(crate) fn may_be_repeat(&self) -> bool {
        let unclear = matches!(
            self.kind,
            ErrorKind::CardRefused { code: None } | ErrorKind::BadContent
        );
        self.maybe_done && unclear
    }

    /// Whether the same content in a simpler form (card → post → text) or in
    /// smaller parts may pass.
    pub fn wants_simpler(&self) -> bool {
        match &self.kind {
            ErrorKind::TooLong | ErrorKind::CardRefused { .. } | ErrorKind::BadContent => true,
            ErrorKind::RateLimited { .. }
            | ErrorKind::Unreached
            | ErrorKind::Unsure
            | ErrorKind::TokenRefused
            | ErrorKind::Credentials
            | ErrorKind::Permission { .. }
            | ErrorKind::Gone
            | ErrorKind::NoSuchReader
            | ErrorKind::Permanent => false,
        }
    }
}

/// A network failure in words with its innermost cause, without the address:
/// addresses of the long connection carry a ticket.
pub(crate) fn plain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    match cause {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The parts of an HTTP answer that decide.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<i64>,
    pub(crate) body: Value,
    pub(crate) log_id: Option<String>,
    /// `x-ogw-ratelimit-reset`, seconds.
    pub(crate) reset: Option<u64>,
}

impl Answer {
    /// Reads status, headers and body. A body that is not JSON leaves `code` empty.
    pub(crate) async fn read(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let log_header = header("x-tt-logid");
        let reset = header("x-ogw-ratelimit-reset").and_then(|text| text.trim().parse().ok());
        let bytes = response.bytes().await?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let log_id = body
            .pointer("/error/log_id")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or(log_header);
        Ok(Self {
            status,
            code: body.get("code").and_then(Value::as_i64),
            body,
            log_id,
            reset,
        })
    }

    /// Success is `code` 0 in the body, whatever the status says.
    pub(crate) fn is_ok(&self) -> bool {
        self.code == Some(0)
    }

    fn message(&self) -> String {
        let said = self.body.get("msg").and_then(Value::as_str).unwrap_or("");
        let mut text = if said.is_empty() {
            format!("HTTP status {}", self.status)
        } else {
            said.to_owned()
        };
        if let Some(violations) = self.body.pointer("/error/field_violations") {
            text.push_str("; fields: ");
            text.push_str(&violations.to_string());
        }
        text
    }
}

fn kind_of(answer: &Answer) -> ErrorKind {
    let wait = answer.reset.map(Duration::from_secs);
    let Some(code) = answer.code else {
        return match answer.status {
            429 => ErrorKind::RateLimited { wait },
            401 => ErrorKind::TokenRefused,
            // A gateway's page or a body cut short: the work may be done.
            200..=299 | 408 | 500..=599 => ErrorKind::Unsure,
            _ => ErrorKind::Permanent,
        };
    };
    match code {
        99_991_400 | 230_020 | 11_232 | 11_233 | 11_247 => ErrorKind::RateLimited { wait },
        230_049 | 1663 | 2200 | 1500 | 10_101 | 300_120 => ErrorKind::Unsure,
        99_991_663 | 99_991_664 | 99_991_671 => ErrorKind::TokenRefused,
        10_003 | 10_014 | 10_015 | 99_991_543 | 99_991_662 | 99_991_673 => ErrorKind::Credentials,
        99_991_672 | 99_991_676 | 99_991_679 | 230_027 => ErrorKind::Permission {
            scopes: scopes(&answer.body),
        },
        230_011 | 230_019 | 230_110 | 231_003 | 230_031 => ErrorKind::Gone,
        230_025 | 200_860 => ErrorKind::TooLong,
        230_099 => ErrorKind::CardRefused {
            code: inner_code(&answer.message()),
        },
        200_220 | 200_621 | 200_861 | 300_305 => ErrorKind::CardRefused { code: Some(code) },
        230_001 | 99_992_402 | 9499 => ErrorKind::BadContent,
        230_002 | 230_013 | 230_018 | 230_029 | 230_034 | 230_035 | 230_053 | 232_009 => {
            ErrorKind::NoSuchReader
        }
        _ if answer.status == 429 => ErrorKind::RateLimited { wait },
        _ if answer.status == 401 => ErrorKind::TokenRefused,
        _ if answer.status >= 500 => ErrorKind::Unsure,
        _ => ErrorKind::Permanent,
    }
}

/// The number after `ErrCode:` in the message of a refused card.
fn inner_code(message: &str) -> Option<i64> {
    let (_, rest) = message.split_once("ErrCode:")?;
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// Scope names stand either in a list of their own or in brackets in the text.
fn scopes(body: &Value) -> Vec<String> {
    let listed: Vec<String> = body
        .pointer("/error/permission_violations")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("subject").and_then(Value::as_str))
        .map(str::to_owned)
        .collect();
    if !listed.is_empty() {
        return listed;
    }
    let text = body.get("msg").and_then(Value::as_str).unwrap_or("");
    text.split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(inside, _)| inside.split(','))
        .into_iter()
        .flatten()
        .map(|scope| scope.trim().to_owned())
        .filter(|scope| scope.contains(':'))
        .collect()
}

#[cfg(test)]
mod tests;
