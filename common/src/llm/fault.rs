//! Why there is no answer. The texts here are for the log: they hold no words of the person, the
//! model or the vendor. What the person reads is the callers' to say.

use std::time::Duration;

/// Longest words of a vendor that are kept, in characters.
const SAID_CHARS: usize = 300;

/// How vendors say that a conversation is too long.
const TOO_LONG: &[&str] = &[
    "context_length",
    "context length",
    "context size",
    "context window",
    "maximum context",
    "too many tokens",
    "prompt is too long",
    "input is too long",
    "input length",
    "max_seq_len",
    "max message tokens",
    "model token limit",
    "超长",
];

/// Which of the time limits ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// To the first sign of an answer.
    First,
    /// Between two pieces of it.
    Silence,
    /// For everything together.
    Whole,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmFault {
    /// Nobody answers at the address.
    #[error("the model's API cannot be reached: {why}")]
    Unreachable {
        /// The cause, without the address.
        why: String,
    },
    /// It takes too long.
    #[error("the model took too long ({stage:?})")]
    Slow {
        /// Which limit.
        stage: Stage,
    },
    /// The key is not taken.
    #[error("the model's API refuses the key (HTTP {status})")]
    Key {
        /// 401 or 403.
        status: u16,
    },
    /// The account has no means left.
    #[error("the model's API wants to be paid (HTTP {status})")]
    Unpaid {
        /// What it answered with.
        status: u16,
    },
    /// Too many requests; it was waited for as long as we wait.
    #[error("the model's API has too many requests")]
    Busy {
        /// After how long the vendor wants to be asked again.
        after: Option<Duration>,
    },
    /// The conversation is too long for the model.
    #[error("the conversation is too long for the model")]
    TooLong,
    /// What answers is no API of this kind: a page for people, or one that sends elsewhere.
    #[error("what answers at the address is no chat API (HTTP {status})")]
    NoApi {
        /// What it answered with.
        status: u16,
    },
    /// The request is not taken for another reason: an unknown model, a wrong address.
    #[error("the model's API refuses the request (HTTP {status})")]
    Refused {
        /// What it answered with; 200 where the refusal came in an answer.
        status: u16,
        /// The vendor's own words, cut, without the key.
        said: String,
    },
    /// The vendor's side is broken.
    #[error("the model's API fails (HTTP {status})")]
    Broken {
        /// What it answered with.
        status: u16,
    },
    /// The answer broke off.
    #[error("the model's answer broke off")]
    Cut,
    /// What came is no answer.
    #[error("what the model's API says is no answer: {why}")]
    Nonsense {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The answer is larger than we take.
    #[error("the model's answer is larger than {limit} bytes")]
    TooBig {
        /// The limit.
        limit: usize,
    },
    /// The vendor withholds the answer.
    #[error("the model's API withholds the answer")]
    Filtered,
    /// The caller gave up.
    #[error("asking the model was given up")]
    Cancelled,
}

impl LlmFault {
    /// Whether the same request may succeed in a moment.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } | Self::Broken { .. } | Self::Cut => true,
            Self::Slow { .. }
            | Self::Key { .. }
            | Self::Unpaid { .. }
            | Self::TooLong
            | Self::NoApi { .. }
            | Self::Refused { .. }
            | Self::Nonsense { .. }
            | Self::TooBig { .. }
            | Self::Filtered
            | Self::Cancelled => false,
        }
    }

    /// Without the key, which some vendors quote.
    pub(super) fn without(self, key: &str) -> Self {
        match self {
            Self::Refused { status, said } if !key.is_empty() => Self::Refused {
                status,
                said: said.replace(key, "***"),
            },
            other => other,
        }
    }

    /// Names an error by its status and the vendor's own code and words, which may come in an
    /// answer of status 200.
    pub(super) fn of(status: u16, code: &str, said: &str, after: Option<Duration>) -> Self {
        let status = match code.parse() {
            Ok(code) if status < 400 && (400..600).contains(&code) => code,
            _ => status,
        };
        let words = format!("{code} {said}").to_lowercase();
        let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
        if status == 402
            || code == "1113"
            || has(&[
                "insufficient_quota",
                "exceeded_current_quota",
                "insufficient balance",
                "arrearage",
                "余额不足",
                "欠费",
            ])
        {
            return Self::Unpaid { status };
        }
        if status == 401 || status == 403 || has(&["invalid_api_key", "invalid api key"]) {
            return Self::Key { status };
        }
        // Limits for each minute speak of tokens as well.
        if status == 413 || code == "1261" || (status != 429 && has(TOO_LONG)) {
            return Self::TooLong;
        }
        let is_busy = || {
            matches!(code, "1302" | "1303" | "1305")
                || has(&["rate_limit", "rate limit", "too many requests"])
        };
        if status == 429 || (status < 400 && is_busy()) {
            return Self::Busy { after };
        }
        // 1301: the vendor's word for what it will not speak about.
        if code == "1301" || has(&["content_filter", "data_inspection_failed"]) {
            return Self::Filtered;
        }
        if status == 408 || status >= 500 || (status < 400 && has(&["overloaded", "server_error"]))
        {
            return Self::Broken { status };
        }
        Self::Refused {
            status,
            said: said.chars().take(SAID_CHARS).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_known_by_status_code_and_words() {
        let of = |status, code: &str, said: &str| LlmFault::of(status, code, said, None);
        let refused = |status, said: &str| LlmFault::Refused {
            status,
            said: said.into(),
        };
        let table = [
            (of(401, "", ""), LlmFault::Key { status: 401 }),
            (of(200, "401", "no"), LlmFault::Key { status: 401 }),
            (
                of(429, "1113", "no balance"),
                LlmFault::Unpaid { status: 429 },
            ),
            (
                of(429, "insufficient_quota", ""),
                LlmFault::Unpaid { status: 429 },
            ),
            (of(429, "1302", ""), LlmFault::Busy { after: None }),
            (of(200, "1302", "too fast"), LlmFault::Busy { after: None }),
            (
                of(
                    400,
                    "context_length_exceeded",
                    "maximum context length is 8192",
                ),
                LlmFault::TooLong,
            ),
            (of(400, "", "prompt is too long: 9 > 8"), LlmFault::TooLong),
            (
                of(400, "", "the request exceeds the available context size"),
                LlmFault::TooLong,
            ),
            (of(400, "1261", "Prompt 超长"), LlmFault::TooLong),
            (
                of(
                    429,
                    "rate_limit_exceeded",
                    "the context length and tokens per minute",
                ),
                LlmFault::Busy { after: None },
            ),
            (
                of(200, "", "Too many requests"),
                LlmFault::Busy { after: None },
            ),
            (
                of(400, "", "账户余额不足"),
                LlmFault::Unpaid { status: 400 },
            ),
            (of(400, "1301", "sensitive"), LlmFault::Filtered),
            (of(503, "", "x"), LlmFault::Broken { status: 503 }),
            (of(200, "", "Overloaded"), LlmFault::Broken { status: 200 }),
            (
                of(404, "model_not_found", "no such"),
                refused(404, "no such"),
            ),
            (
                of(200, "1211", "no such model"),
                refused(200, "no such model"),
            ),
        ];
        for (is, should) in table {
            assert_eq!(is, should);
        }
        let LlmFault::Refused { said, .. } = of(400, "", &"长".repeat(1000)) else {
            unreachable!("a plain refusal");
        };
        assert_eq!(said.chars().count(), SAID_CHARS);
    }
}
