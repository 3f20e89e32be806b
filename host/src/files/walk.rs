//! From a typed path to a handle on what it names, so that nothing outside the working directory, and
//! nothing of another person, is ever opened.
//!
//! Every step is taken from an open directory with a single name, never following a link by itself:
//! links are read and walked like typed paths. So there is no moment between looking and opening in
//! which a folder could become a link, `..` ends at the working directory, and the way that was really
//! taken is known. What is opened is looked at through its handle and used through it.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use common::ids::Surface;
use common::text::host::files::FilesText;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::grounds::Grounds;

/// Links on one way; of more it is a circle.
const MAX_LINKS: usize = 40;
/// Names in one path, links read included.
const MAX_NAMES: usize = 256;
/// Folders and files that hold keys and passwords of other programs, wherever they are.
const SECRET_NAMES: [&str; 12] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".azure",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".credentials.json",
    ".claude.json",
    "keyring.yaml",
    "host_config.yaml",
];
/// The same, by how they end.
const SECRET_ENDS: [&str; 2] = [".creds", ".nk"];

/// How the directories on a way are opened.
const DIR: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// The working directory and what is closed to everybody in it.
#[derive(Debug, Clone)]
pub(super) struct Base {
    root: PathBuf,
    handle: Arc<OwnedFd>,
    /// Our own folder, by device and number.
    closed: Vec<(u64, u64)>,
}

/// A name in an open directory; there need not be anything of that name.
#[derive(Debug)]
pub(super) struct Spot {
    /// The directories from the working directory down to the parent, with their paths.
    pub(super) trail: Vec<(String, Arc<OwnedFd>)>,
    /// The name; none for the working directory itself.
    pub(super) name: Option<String>,
    /// What is there; none if nothing.
    pub(super) found: Option<Stat>,
    /// Its path from the working directory, `.` for itself.
    pub(super) path: String,
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Dir,
    File,
    Link,
    Other,
}

pub(super) fn nature(stat: &Stat) -> Nature {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Nature::Dir,
        FileType::RegularFile => Nature::File,
        FileType::Symlink => Nature::Link,
        _ => Nature::Other,
    }
}

/// The parts of a path: names and `..`.
fn parts(path: &Path) -> Option<Vec<Option<String>>> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(Some(name.to_str()?.to_owned())),
            Component::ParentDir => parts.push(None),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

/// Whether a character is there to look like another one, or to turn the order of what is read.
fn is_deceiving(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            // Slashes that are none.
            | '\u{2044}' | '\u{2215}' | '\u{29F8}' | '\u{FF0F}' | '\u{FF3C}')
}

/// A name of nothing but dots of some kind, which is neither `.` nor `..`.
fn is_dots(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| {
            matches!(
                c,
                '.' | '\u{2024}'
                    | '\u{2025}'
                    | '\u{2026}'
                    | '\u{3002}'
                    | '\u{FE52}'
                    | '\u{FF0E}'
                    | '\u{FF61}'
            )
        })
        && !matches!(name, "." | "..")
}

impl Base {
    pub(super) fn new(root: &Path, handle: OwnedFd, closed: &[PathBuf]) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let closed = closed
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|data| (data.dev(), data.ino()))
            .collect();
        Self {
            root: root.to_owned(),
            handle: Arc::new(handle),
            closed,
        }
    }

    /// The working directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What `typed` names for this person, through handles only.
    pub(super) fn find(&self, grounds: &Grounds, typed: &str) -> Result<Spot, FilesText> {
        let shown = || shown(typed);
        let outside = || FilesText::Outside { path: shown() };
        if typed.chars().any(is_deceiving) {
            return Err(FilesText::Strange { path: shown() });
        }
        let asked = Path::new(typed);
        if asked.starts_with("~") {
            return Err(outside());
        }
        let mut todo: VecDeque<Option<String>> = VecDeque::new();
        if asked.is_absolute() {
            let inside = asked.strip_prefix(&self.root).map_err(|_| outside())?;
            todo.extend(parts(inside).ok_or_else(outside)?);
        } else {
            todo.extend(parts(Path::new(&grounds.dir)).ok_or_else(outside)?);
            todo.extend(parts(asked).ok_or_else(outside)?);
        }
        if todo.iter().flatten().any(|name| is_dots(name)) {
            return Err(FilesText::Strange { path: shown() });
        }
        self.walk(grounds, todo).map_err(|why| match why {
            Trouble::Outside => outside(),
            Trouble::Missing => FilesText::NotFound { path: shown() },
            Trouble::Closed => FilesText::Secret { path: shown() },
            Trouble::NotDir => FilesText::NotFound { path: shown() },
            Trouble::Circle => FilesText::Failed {
                path: shown(),
                why: "too many links".into(),
            },
            Trouble::Failed(why) => failed(typed, why.into()),
        })
    }

    fn walk(&self, grounds: &Grounds, mut todo: VecDeque<Option<String>>) -> Result<Spot, Trouble> {
        let mut trail = vec![(".".to_owned(), Arc::clone(&self.handle))];
        let (mut links, mut names) = (0_usize, 0_usize);
        loop {
            let (here, handle) = trail.last().cloned().ok_or(Trouble::Outside)?;
            names += 1;
            if names > MAX_NAMES {
                return Err(Trouble::Circle);
            }
            let Some(step) = todo.pop_front() else {
                // It ended at a directory that is open already, perhaps by `..` in a way through.
                if is_others(grounds, &here) {
                    return Err(Trouble::Missing);
                }
                let found = rustix::fs::fstat(&*handle).map_err(Trouble::Failed)?;
                if trail.len() > 1 {
                    trail.pop();
                }
                let name = (here != ".").then(|| last(&here).to_owned());
                return Ok(Spot {
                    trail,
                    name,
                    found: Some(found),
                    path: here,
                });
            };
            let Some(name) = step else {
                trail.pop();
                if trail.is_empty() {
                    return Err(Trouble::Outside);
                }
                continue;
            };
            let path = join(&here, &name);
            if is_secret(&name) {
                return Err(Trouble::Closed);
            }
            // One's own folder may be inside another person's: only the way there is open.
            if is_others(grounds, &path)
                && (todo.is_empty() || !grounds.leads_home(Path::new(&path)))
            {
                return Err(Trouble::Missing);
            }
            let found = match rustix::fs::statat(&*handle, &*name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                Err(Errno::NOENT) if todo.is_empty() => {
                    return Ok(Spot {
                        trail,
                        name: Some(name),
                        found: None,
                        path,
                    });
                }
                Err(Errno::NOENT) => return Err(Trouble::Missing),
                Err(why) => return Err(Trouble::Failed(why)),
            };
            match nature(&found) {
                Nature::Link => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Trouble::Circle);
                    }
                    let to = rustix::fs::readlinkat(&*handle, &*name, Vec::new())
                        .map_err(Trouble::Failed)?;
                    let to = PathBuf::from(to.into_string().map_err(|_| Trouble::Outside)?);
                    let inside = if to.is_absolute() {
                        trail.truncate(1);
                        to.strip_prefix(&self.root).map_err(|_| Trouble::Outside)?
                    } else {
                        &to
                    };
                    let steps = parts(inside).ok_or(Trouble::Outside)?;
                    for step in steps.into_iter().rev() {
                        todo.push_front(step);
                    }
                }
                Nature::Dir => {
                    // A link that has come here since would be refused.
                    let dir = rustix::fs::openat(&*handle, &*name, DIR, Mode::empty())
                        .map_err(Trouble::Failed)?;
                    self.is_open(&dir)?;
                    trail.push((path, Arc::new(dir)));
                }
                Nature::File | Nature::Other if todo.is_empty() => {
                    return Ok(Spot {
                        trail,
                        name: Some(name),
                        found: Some(found),
                        path,
                    });
                }
                Nature::File | Nature::Other => return Err(Trouble::NotDir),
            }
        }
    }

    fn is_open(&self, dir: &OwnedFd) -> Result<(), Trouble> {
        if self.closed.is_empty() {
            return Ok(());
        }
        let stat = rustix::fs::fstat(dir).map_err(Trouble::Failed)?;
        #[allow(clippy::unnecessary_cast, reason = "its type differs by system")]
        if self
            .closed
            .contains(&(stat.st_dev as u64, stat.st_ino as u64))
        {
            return Err(Trouble::Closed);
        }
        Ok(())
    }

    /// Whether something in a directory may be shown to this person, by path and, for a folder, by
    /// its number.
    pub(super) fn shows(&self, grounds: &Grounds, path: &str, stat: &Stat) -> bool {
        #[allow(clippy::unnecessary_cast, reason = "its type differs by system")]
        let number = (stat.st_dev as u64, stat.st_ino as u64);
        !is_others(grounds, path) && !is_secret(last(path)) && !self.closed.contains(&number)
    }

    /// A folder inside an open one, for walking down.
    pub(super) fn enter(&self, dir: BorrowedFd<'_>, name: &str) -> Option<OwnedFd> {
        let dir = rustix::fs::openat(dir, name, DIR, Mode::empty()).ok()?;
        self.is_open(&dir).is_ok().then_some(dir)
    }
}

/// Why a way ends.
enum Trouble {
    Outside,
    Missing,
    NotDir,
    Closed,
    Circle,
    Failed(Errno),
}

/// The folder of a person who has no session, for what they send.
pub(super) const INBOX: &str = "inbox";

/// The name of this person's folder in it.
pub(super) fn own_inbox(grounds: &Grounds) -> String {
    format!("{}-{}", grounds.user.surface(), grounds.user.native())
}

/// Whether a path is somebody else's: in a session of theirs, or what they sent.
pub(super) fn is_others(grounds: &Grounds, path: &str) -> bool {
    let mut names = path.split('/');
    let inbox = names.next() == Some(INBOX)
        && names.next().is_some_and(|whose| {
            let people = Surface::ALL.map(|surface| format!("{surface}-"));
            people.iter().any(|begin| whose.starts_with(begin)) && whose != own_inbox(grounds)
        });
    grounds.is_others(Path::new(path)) || inbox
}

pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

impl Spot {
    /// The directory that it is in.
    pub(super) fn parent(&self) -> Result<BorrowedFd<'_>, FilesText> {
        match self.trail.last() {
            Some((_, dir)) => Ok(dir.as_fd()),
            None => Err(FilesText::NotFound {
                path: self.path.clone(),
            }),
        }
    }

    /// What is there, or that nothing is.
    pub(super) fn stat(&self) -> Result<&Stat, FilesText> {
        self.found.as_ref().ok_or_else(|| FilesText::NotFound {
            path: self.path.clone(),
        })
    }

    /// Opens it as a directory.
    pub(super) fn open_dir(&self) -> Result<OwnedFd, FilesText> {
        let stat = self.stat()?;
        if nature(stat) != Nature::Dir {
            return Err(FilesText::NotDir {
                path: self.path.clone(),
            });
        }
        let dir = match &self.name {
            Some(name) => rustix::fs::openat(self.parent()?, &**name, DIR, Mode::empty()),
            None => rustix::fs::openat(self.parent()?, ".", DIR, Mode::empty()),
        };
        dir.map_err(|why| failed(&self.path, why.into()))
    }

    /// Opens it as a plain file that has this one name only: a second name may be outside.
    pub(super) fn open_file(&self) -> Result<(File, Stat), FilesText> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        self.open_plain(flags | OFlags::NOCTTY)
    }

    /// The same with other flags.
    pub(super) fn open_plain(&self, flags: OFlags) -> Result<(File, Stat), FilesText> {
        // Before it is opened as well: opening some devices does something.
        plain(&self.path, self.stat()?)?;
        let name = self.name.as_deref().unwrap_or(".");
        let file = rustix::fs::openat(self.parent()?, name, flags, Mode::empty())
            .map_err(|why| failed(&self.path, why.into()))?;
        let stat = rustix::fs::fstat(&file).map_err(|why| failed(&self.path, why.into()))?;
        plain(&self.path, &stat)?;
        Ok((File::from(file), stat))
    }
}

/// Whether it is a file, and its only name is this one.
pub(super) fn plain(path: &str, stat: &Stat) -> Result<(), FilesText> {
    let path = path.to_owned();
    match nature(stat) {
        Nature::File if stat.st_nlink > 1 => Err(FilesText::ManyNames { path }),
        Nature::File => Ok(()),
        Nature::Dir => Err(FilesText::IsDir { path }),
        Nature::Link => Err(FilesText::NotFound { path }),
        Nature::Other => Err(FilesText::NotAFile { path }),
    }
}

/// An error of the system as it is told.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it ends here, and most callers have just made it"
)]
pub(super) fn failed(path: &str, why: io::Error) -> FilesText {
    let path = shown(path);
    match why.kind() {
        io::ErrorKind::NotFound => FilesText::NotFound { path },
        io::ErrorKind::PermissionDenied => FilesText::Denied { path },
        _ if why.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => FilesText::NotFound { path },
        _ => FilesText::Failed {
            path,
            why: why.to_string(),
        },
    }
}

/// A typed path as it may be shown: short, and nothing in it that deceives.
pub(super) fn shown(typed: &str) -> String {
    let mut text: String = clean(typed).take(200).collect();
    if typed.chars().count() > 200 {
        text.push('…');
    }
    text
}

/// A text with what deceives made visible.
pub(super) fn clean(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .map(|c| if is_deceiving(c) { '\u{FFFD}' } else { c })
}

pub(super) fn join(dir: &str, name: &str) -> String {
    if dir == "." {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
