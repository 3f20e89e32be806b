//! Where a command runs, as far as the guard has to know it.

use std::path::PathBuf;

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// WORKING_DIR, absolute.
    pub(crate) root: PathBuf,
    /// Where it starts, absolute, at or below `root`.
    pub(crate) dir: PathBuf,
    /// The person's home on this machine, if it has one.
    pub(crate) home: Option<PathBuf>,
    /// The private folder for temporary files; what is there is the command's own.
    pub(crate) temp: PathBuf,
    /// Folders below `root` that belong to somebody else, absolute.
    pub(crate) others: Vec<PathBuf>,
}
