//! Where a person may be on this node: where their relative paths start, and which folders are somebody
//! else's. Sessions say whose a folder is, and each person has an inbox for what they send without one;
//! that a path leads nowhere outside the working directory is the rooms' own care.

use std::path::{Component, Path, PathBuf};

use common::ids::{Surface, UserId};

/// Where the folders are of what people send who have no session.
const INBOX: &str = "inbox";

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

    /// The same person, where relative paths start in the working directory.
    pub(crate) fn at_root(&self) -> Self {
        Self {
            dir: ".".into(),
            ..self.clone()
        }
    }

    /// Where this person's files go without a session, relative to `root`.
    pub(crate) fn inbox(&self) -> String {
        format!("{INBOX}/{}", self.own_inbox())
    }

    fn own_inbox(&self) -> String {
        format!("{}-{}", self.user.surface(), self.user.native())
    }

    /// Whether a path is in somebody's inbox, and in whose: true for this person's own.
    fn in_own_inbox(&self, relative: &Path) -> Option<bool> {
        let mut names = relative.components();
        if names.next() != Some(Component::Normal(INBOX.as_ref())) {
            return None;
        }
        let whose = names.next()?.as_os_str().to_str()?;
        let of_somebody = |surface: &Surface| {
            let rest = whose.strip_prefix(surface.as_str());
            rest.is_some_and(|rest| rest.starts_with('-'))
        };
        let is_inbox = Surface::ALL.iter().any(of_somebody);
        is_inbox.then(|| whose == self.own_inbox())
    }

    /// The same place, with what is somebody else's by now.
    pub(crate) fn renewed(&self, now: Self) -> Self {
        Self {
            dir: self.dir.clone(),
            ..now
        }
    }

    /// Whether a path, relative to the working directory and with links resolved, is somebody else's: an
    /// inbox is its person's whatever sessions there are; else the session in the innermost folder around
    /// the path decides, and nobody shuts out who has one there too.
    pub(crate) fn is_others(&self, relative: &Path) -> bool {
        if let Some(own) = self.in_own_inbox(relative) {
            return !own;
        }
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

    /// Folders that are somebody else's, relative to `root`: outermost ones and such inside the person's
    /// own, and the inboxes that are there.
    pub(crate) fn others(&self) -> Vec<PathBuf> {
        let inboxes = std::fs::read_dir(self.root.join(INBOX))
            .into_iter()
            .flatten();
        let inboxes = inboxes
            .flatten()
            .map(|entry| Path::new(INBOX).join(entry.file_name()));
        let folders = self.folders.iter().map(|(folder, _)| folder.clone());
        folders
            .chain(inboxes)
            .filter(|folder| self.is_others(folder))
            .collect()
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
        assert_eq!(
            grounds.others(),
            [Path::new("demo"), Path::new("mine/theirs")]
        );
        let now = Grounds::new(
            grounds.user.clone(),
            grounds.root.clone(),
            "elsewhere".into(),
            [("free".to_owned(), false)],
        );
        let now = grounds.renewed(now);
        assert!(now.is_others(Path::new("free")) && !now.is_others(Path::new("demo")));
        assert_eq!(now.dir, ".");
    }

    #[test]
    fn an_inbox_is_its_persons_whoever_has_a_session_around_it() {
        let temp = tempfile::tempdir().unwrap();
        for name in ["feishu-ou_a", "feishu-ou_b", "web-owner", "notes"] {
            std::fs::create_dir_all(temp.path().join("inbox").join(name)).unwrap();
        }
        for mine in [true, false] {
            let grounds = Grounds::new(
                "feishu/ou_a".parse().unwrap(),
                temp.path().to_owned(),
                ".".into(),
                [("inbox".to_owned(), mine)],
            );
            assert_eq!(grounds.inbox(), "inbox/feishu-ou_a");
            for (path, theirs) in [
                ("inbox", !mine),
                ("inbox/notes", !mine),
                ("inbox/feishu-ou_a", false),
                ("inbox/feishu-ou_a/x/y", false),
                ("inbox/feishu-ou_b", true),
                ("inbox/feishu-ou_b/x", true),
                ("inbox/web-owner", true),
                ("inbox/feishu-ou_ab", true),
                ("mine/inbox/feishu-ou_b", false),
            ] {
                assert_eq!(grounds.is_others(Path::new(path)), theirs, "{path} {mine}");
            }
            let others = grounds.others();
            for (path, theirs) in [
                ("feishu-ou_b", true),
                ("web-owner", true),
                ("feishu-ou_a", false),
            ] {
                let path = Path::new("inbox").join(path);
                assert_eq!(others.contains(&path), theirs, "{path:?} {mine}");
            }
        }
    }
}
