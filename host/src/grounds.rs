//! Where a person may be on this node: where their relative paths start, and which folders are somebody
//! else's. Sessions say whose a folder is; that a path leads nowhere outside the working directory is
//! the rooms' own care.

use std::path::{Path, PathBuf};

use common::ids::UserId;

/// One person's view of the working directory.
#[derive(Debug, Clone)]
pub(crate) struct Grounds {
    /// Whose view.
    pub(crate) user: UserId,
    /// The working directory, links resolved.
    pub(crate) root: PathBuf,
    /// Where relative paths start: the active session's folder, relative to `root`; `.` without one.
    pub(crate) dir: String,
    /// Folders of sessions, relative to `root`, and whether they are this person's.
    folders: Vec<(PathBuf, bool)>,
}

impl Grounds {
    /// `folders` are those of all sessions on this node, and whether each is this person's.
    pub(crate) fn new(
        user: UserId,
        root: PathBuf,
        dir: String,
        folders: impl IntoIterator<Item = (String, bool)>,
    ) -> Self {
        // A session in the working directory itself makes nothing of it anybody's.
        let folders = folders
            .into_iter()
            .filter(|(dir, _)| dir != ".")
            .map(|(dir, mine)| (PathBuf::from(dir), mine))
            .collect();
        Self {
            user,
            root,
            dir,
            folders,
        }
    }

    /// Whether a path, relative to the working directory and with links resolved, is somebody else's: the
    /// session in the innermost folder around it decides, and nobody shuts out who has one there too.
    pub(crate) fn is_others(&self, relative: &Path) -> bool {
        let around = |(folder, _): &&(PathBuf, bool)| relative.starts_with(folder);
        let depth = |folder: &Path| folder.components().count();
        let innermost = self.folders.iter().filter(around);
        let Some(inner) = innermost.map(|(folder, _)| depth(folder)).max() else {
            return false;
        };
        !self
            .folders
            .iter()
            .filter(around)
            .any(|(folder, mine)| *mine && depth(folder) == inner)
    }

    /// Whether one of the person's own folders is below, or is, a path: then it may be walked through.
    pub(crate) fn leads_home(&self, relative: &Path) -> bool {
        self.folders
            .iter()
            .any(|(folder, mine)| *mine && folder.starts_with(relative))
    }

    /// Folders that are somebody else's, outermost ones and such inside the person's own.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Path> {
        self.folders
            .iter()
            .map(|(folder, _)| folder.as_path())
            .filter(|folder| self.is_others(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_session_says_whose_a_folder_is() {
        let folders = [
            (".", false),
            ("demo", false),
            ("demo/mine", true),
            ("both", true),
            ("both", false),
            ("mine", true),
            ("mine/theirs", false),
        ];
        let grounds = Grounds::new(
            "feishu/ou_a".parse().unwrap(),
            "/w".into(),
            ".".into(),
            folders.map(|(dir, mine)| (dir.to_owned(), mine)),
        );
        for (path, theirs) in [
            ("", false),
            ("free", false),
            ("demolition", false),
            ("demo", true),
            ("demo/x/y", true),
            ("demo/mine", false),
            ("demo/mine/x", false),
            ("both/x", false),
            ("mine/x", false),
            ("mine/theirs/x", true),
        ] {
            assert_eq!(grounds.is_others(Path::new(path)), theirs, "{path}");
        }
        let others: Vec<_> = grounds.others().collect();
        assert_eq!(others, [Path::new("demo"), Path::new("mine/theirs")]);
    }
}
