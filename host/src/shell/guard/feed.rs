//! What a command reads or writes, as far as it can be told beforehand.

use super::word::{ANY, NAME, STAR, TAINT};

/// What goes through a pipe, into a variable, or into a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Feed {
    /// Nothing at all.
    #[default]
    Nothing,
    /// This text; it may hold marks where a part is not known.
    Text(String),
    /// Names of files, all below this path.
    Names(String),
    /// Numbers of all processes there are.
    Processes,
    /// Something out of the network.
    Fetched,
    /// Something that was made unreadable before.
    Decoded,
    /// Not known.
    Unknown,
}

impl Feed {
    /// Two after each other.
    pub(super) fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Text(a), Self::Text(b)) => Self::Text(a + &b),
            (Self::Fetched, _) | (_, Self::Fetched) => Self::Fetched,
            (Self::Decoded, _) | (_, Self::Decoded) => Self::Decoded,
            (Self::Names(a), Self::Names(b)) if a == b => Self::Names(a),
            // What was seen counts, whatever stands around it.
            (Self::Text(a), _) => Self::Text(format!("{a}\n{ANY}")),
            (_, Self::Text(b)) => Self::Text(format!("{ANY}\n{b}")),
            (
                Self::Names(_) | Self::Processes | Self::Unknown,
                Self::Names(_) | Self::Processes | Self::Unknown,
            ) => Self::Unknown,
        }
    }

    /// Came from outside, or was hidden.
    pub(super) fn is_tainted(&self) -> bool {
        match self {
            Self::Fetched | Self::Decoded => true,
            Self::Text(text) => text.contains(TAINT),
            Self::Nothing | Self::Names(_) | Self::Processes | Self::Unknown => false,
        }
    }

    /// As the value of `$(…)`.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => text.trim_end_matches('\n').to_owned(),
            Self::Names(below) => below.clone(),
            Self::Fetched | Self::Decoded => TAINT.to_string(),
            // As `kill` is told of all of them.
            Self::Processes => "-1".to_owned(),
            Self::Unknown => ANY.to_string(),
        }
    }

    /// What a filter (`grep`, `sort`, `head` …) lets through.
    pub(super) fn filtered(self) -> Self {
        match self {
            Self::Text(_) | Self::Processes => Self::Unknown,
            Self::Names(all) => Self::Names(all.replace(STAR, &NAME.to_string())),
            Self::Nothing | Self::Fetched | Self::Decoded | Self::Unknown => self,
        }
    }

    /// Names of what is below `path`.
    pub(super) fn names_below(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        Self::Names(format!("{path}/{NAME}"))
    }
}
