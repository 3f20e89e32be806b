//! Directories for sessions: under the working directory and nowhere else. Symbolic links and `..`
//! cannot lead out, because every step is taken through a handle on the working directory.

use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use common::text::host::HostText;

/// The working directory of a node.
#[derive(Debug)]
pub struct WorkDir {
    root: PathBuf,
    handle: Dir,
}

/// A directory under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubDir {
    /// Relative to the working directory, with `/`; `.` for itself.
    pub name: String,
    /// Absolute, links resolved.
    pub path: PathBuf,
    /// It was made just now.
    pub made: bool,
}

impl WorkDir {
    /// Opens the working directory; makes it if it is missing.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let handle = Dir::open_ambient_dir(&root, ambient_authority())?;
        Ok(Self { root, handle })
    }

    /// The directory itself, links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// An open handle on the directory itself.
    pub(crate) fn handle(&self) -> std::io::Result<std::os::fd::OwnedFd> {
        Ok(self.handle.try_clone()?.into_std_file().into())
    }

    /// The directory that a person named, made if missing. A plain name is a folder of the working
    /// directory; an absolute path must lie inside it.
    pub fn enter(&self, typed: &str) -> Result<SubDir, HostText> {
        let outside = || HostText::DirOutside {
            dir: typed.to_owned(),
            root: self.root.display().to_string(),
        };
        let failed = |why: &std::io::Error| HostText::DirFailed {
            dir: typed.to_owned(),
            why: why.to_string(),
        };
        let names = self.names(typed).ok_or_else(outside)?;
        if names.is_empty() {
            return Ok(SubDir {
                name: ".".into(),
                path: self.root.clone(),
                made: false,
            });
        }
        let name = names.join("/");
        let made = match self.handle.metadata(&name) {
            Ok(found) if found.is_dir() => false,
            Ok(_) => {
                return Err(HostText::DirIsFile {
                    dir: typed.to_owned(),
                });
            }
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                self.handle.create_dir_all(&name).map_err(|why| {
                    if escapes(&why) {
                        outside()
                    } else {
                        failed(&why)
                    }
                })?;
                true
            }
            Err(why) if escapes(&why) => return Err(outside()),
            Err(why) => return Err(failed(&why)),
        };
        // What the handle lets in cannot lead out; the path is looked at once more because the
        // agent is started by path.
        self.handle.open_dir(&name).map_err(|why| {
            if escapes(&why) {
                outside()
            } else {
                failed(&why)
            }
        })?;
        let path = self
            .root
            .join(&name)
            .canonicalize()
            .map_err(|why| failed(&why))?;
        // As it is without links, so that one folder has one name.
        let inside = path.strip_prefix(&self.root).map_err(|_| outside())?;
        let name = inside.to_str().ok_or_else(outside)?.to_owned();
        let name = if name.is_empty() { ".".into() } else { name };
        Ok(SubDir { name, path, made })
    }

    /// Where a directory that a person named is, or would be: relative to the working directory, the
    /// links of what is there resolved. None if it is not inside.
    pub(crate) fn place(&self, typed: &str) -> Option<PathBuf> {
        let mut there = self.root.clone();
        there.extend(self.names(typed)?);
        let mut missing = Vec::new();
        let found = loop {
            match there.canonicalize() {
                Ok(found) => break found,
                Err(_) => missing.push(there.file_name()?.to_owned()),
            }
            there.pop();
        };
        let mut place = found.strip_prefix(&self.root).ok()?.to_owned();
        place.extend(missing.iter().rev());
        Some(place)
    }

    /// The names on the way to a directory that a person named; none if it is not inside, as it is
    /// written.
    fn names<'a>(&self, typed: &'a str) -> Option<Vec<&'a str>> {
        if typed.is_empty() || typed.contains('\0') {
            return None;
        }
        let asked = Path::new(typed);
        let relative = match asked.strip_prefix(&self.root) {
            Ok(inside) => inside,
            Err(_) if asked.is_absolute() => return None,
            Err(_) => asked,
        };
        let mut names = Vec::new();
        for part in relative.components() {
            match part {
                Component::Normal(name) => names.push(name.to_str()?),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(names)
    }
}

/// How the handle says that a link leads out of the directory.
fn escapes(why: &std::io::Error) -> bool {
    why.kind() == std::io::ErrorKind::PermissionDenied && why.raw_os_error().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workdir() -> (tempfile::TempDir, WorkDir) {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("work");
        let dir = WorkDir::open(&root).unwrap();
        (temp, dir)
    }

    #[test]
    fn names_and_inner_paths_are_entered_and_made() {
        let (_temp, dir) = workdir();
        let first = dir.enter("demo").unwrap();
        assert!(first.made && first.path.is_dir());
        assert!(!dir.enter("demo").unwrap().made);
        assert_eq!(dir.enter("./demo/sub").unwrap().name, "demo/sub");
        let absolute = dir.root().join("demo");
        assert_eq!(dir.enter(absolute.to_str().unwrap()).unwrap().name, "demo");
        assert_eq!(dir.enter(".").unwrap().path, dir.root());
        assert_eq!(dir.enter("项目 一").unwrap().name, "项目 一");
        std::os::unix::fs::symlink("demo", dir.root().join("short")).unwrap();
        assert_eq!(dir.enter("short").unwrap().name, "demo");
        let place = |typed: &str| dir.place(typed).map(|path| path.display().to_string());
        assert_eq!(place("short/new/x").as_deref(), Some("demo/new/x"));
        assert_eq!(place(".").as_deref(), Some(""));
        assert_eq!(place("../x"), None);
    }

    #[test]
    fn nothing_leads_out() {
        let (temp, dir) = workdir();
        std::os::unix::fs::symlink(temp.path(), dir.root().join("link")).unwrap();
        std::os::unix::fs::symlink("/etc", dir.root().join("etc")).unwrap();
        for bad in [
            "..",
            "../x",
            "a/../../x",
            "/etc",
            "/",
            "link",
            "link/x",
            "etc",
            "etc/new",
            "",
            "a\0b",
            "/proc/self/root",
        ] {
            let refused = dir.enter(bad);
            assert!(
                matches!(refused, Err(HostText::DirOutside { .. })),
                "{bad:?}: {refused:?}"
            );
        }
        assert!(!temp.path().join("x").exists());
        std::fs::write(dir.root().join("file"), "x").unwrap();
        assert!(matches!(dir.enter("file"), Err(HostText::DirIsFile { .. })));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_stays_inside(typed in "(\\.\\.|\\.|a|b|/|link|~|\\\\| ){0,12}") {
            let (temp, dir) = workdir();
            std::os::unix::fs::symlink(temp.path(), dir.root().join("link")).unwrap();
            if let Ok(entered) = dir.enter(&typed) {
                prop_assert!(entered.path.starts_with(dir.root()));
                prop_assert!(entered.path.is_dir());
            }
            let beside: Vec<_> = std::fs::read_dir(temp.path()).unwrap().collect();
            prop_assert_eq!(beside.len(), 1);
        }
    }
}
