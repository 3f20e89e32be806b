//! A failure as two texts joined by one code: what the person reads and what the log says.

use std::fmt;

/// A failure that a person is told about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[{code}] {log}")]
pub struct Fault {
    /// Short kebab-case word, shown small on the card and written in the log line.
    pub code: &'static str,
    /// For the person, in their language: what happened and what to do next.
    pub person: String,
    /// For the log: the cause in detail, no secrets.
    pub log: String,
}

impl Fault {
    /// A fault whose detail for the log is `log`.
    pub fn new(code: &'static str, person: impl Into<String>, log: impl fmt::Display) -> Self {
        Self {
            code,
            person: person.into(),
            log: log.to_string(),
        }
    }
}
