//! From a typed path to a handle on what it names, so that nothing outside the working directory, and
//! nothing of another person, is ever opened.
//!
//! Every step is taken from an open directory with a single name, never following a link by itself:
//! links are read and walked like typed paths. So there is no moment between looking and opening in
//! which a folder could become a link, `..` ends at the working directory, and the way that was really
//! taken is known. What is opened is looked at through its handle and used through it.

mod names;
mod spot;

use std::collections::VecDeque;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::text::host::files::FilesText;
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

pub(crate) use self::names::from_dir;
pub(super) use self::names::{clean, is_secret, join, last, shown};
use self::names::{is_deceiving, is_dots, is_home, parts};
pub(super) use self::spot::{Nature, Spot, failed, nature, plain};
use crate::grounds::Grounds;

/// Links on one way; of more it is a circle.
const MAX_LINKS: usize = 40;
/// Names in one path, links read included.
const MAX_NAMES: usize = 256;
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
    /// What is ours, by device and number, so that it is known under any name.
    closed: Vec<(u64, u64)>,
    /// The same by its path from the working directory: a file that is written anew has another number.
    closed_paths: Vec<PathBuf>,
}

impl Base {
    pub(super) fn new(root: &Path, handle: OwnedFd, closed: &[PathBuf]) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let numbers = closed
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok());
        let paths = closed.iter().filter_map(|path| {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            let inside = path.strip_prefix(root).ok()?;
            // What the working directory itself is in closes nothing of that.
            (inside != Path::new("")).then(|| inside.to_owned())
        });
        Self {
            root: root.to_owned(),
            handle: Arc::new(handle),
            closed: numbers.map(|data| (data.dev(), data.ino())).collect(),
            closed_paths: paths.collect(),
        }
    }

    /// The working directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a path from the working directory on is ours, or inside of what is.
    pub(super) fn is_ours(&self, path: &Path) -> bool {
        self.closed_paths.iter().any(|ours| path.starts_with(ours))
    }

    /// What is there under `typed`, to be looked at. Paths are told from the working directory on, so
    /// what is not in the person's folder may be named in that way as well.
    pub(super) fn look(&self, grounds: &Grounds, typed: &str) -> Result<Spot, FilesText> {
        let near = self.find(grounds, typed);
        let missing = match &near {
            Ok(spot) => spot.found.is_none(),
            Err(why) => matches!(why, FilesText::NotFound { .. }),
        };
        if !missing {
            return near;
        }
        match self.find(&grounds.at_root(), typed) {
            Ok(spot) if spot.found.is_some() => Ok(spot),
            Ok(_) | Err(_) => near,
        }
    }

    /// What `typed` names for this person, through handles only.
    pub(super) fn find(&self, grounds: &Grounds, typed: &str) -> Result<Spot, FilesText> {
        let shown = || shown(typed);
        let outside = || FilesText::Outside { path: shown() };
        if typed.chars().any(is_deceiving) {
            return Err(FilesText::Strange { path: shown() });
        }
        let asked = Path::new(typed);
        if is_home(typed) {
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
        // Also for those who make what is missing: they go from name to name.
        if todo.len() > MAX_NAMES {
            return Err(FilesText::TooDeep { path: shown() });
        }
        if todo.iter().flatten().any(|name| is_dots(name)) {
            return Err(FilesText::Strange { path: shown() });
        }
        self.walk(grounds, todo).map_err(|why| match why {
            Trouble::Outside => outside(),
            Trouble::Missing => FilesText::NotFound { path: shown() },
            Trouble::Closed => FilesText::Secret { path: shown() },
            Trouble::NotDir => FilesText::NotFound { path: shown() },
            Trouble::Circle => FilesText::TooDeep { path: shown() },
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
                if grounds.is_others(Path::new(&here)) {
                    return Err(Trouble::Missing);
                }
                let found = rustix::fs::fstat(&*handle).map_err(Trouble::Failed)?;
                if trail.len() > 1 {
                    trail.pop();
                }
                let name = (here != ".").then(|| last(&here).to_owned());
                return Ok(Spot::new(grounds, trail, name, Some(found), here));
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
            if grounds.is_others(Path::new(&path))
                && (todo.is_empty() || !grounds.leads_home(Path::new(&path)))
            {
                return Err(Trouble::Missing);
            }
            let found = match rustix::fs::statat(&*handle, &*name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                Err(Errno::NOENT) if todo.is_empty() => {
                    return Ok(Spot::new(grounds, trail, Some(name), None, path));
                }
                Err(Errno::NOENT) => return Err(Trouble::Missing),
                Err(why) => return Err(Trouble::Failed(why)),
            };
            if self.is_closed(&path, &found) {
                return Err(Trouble::Closed);
            }
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
                    self.is_open(&path, &dir)?;
                    trail.push((path, Arc::new(dir)));
                }
                Nature::File | Nature::Other if todo.is_empty() => {
                    return Ok(Spot::new(grounds, trail, Some(name), Some(found), path));
                }
                Nature::File | Nature::Other => return Err(Trouble::NotDir),
            }
        }
    }

    /// Whether something is ours: a folder or a file, under whatever name.
    fn is_closed(&self, path: &str, stat: &Stat) -> bool {
        #[allow(clippy::unnecessary_cast, reason = "its type differs by system")]
        let number = (stat.st_dev as u64, stat.st_ino as u64);
        self.closed.contains(&number)
            || self
                .closed_paths
                .iter()
                .any(|closed| closed == Path::new(path))
    }

    fn is_open(&self, path: &str, dir: &OwnedFd) -> Result<(), Trouble> {
        let stat = rustix::fs::fstat(dir).map_err(Trouble::Failed)?;
        if self.is_closed(path, &stat) {
            return Err(Trouble::Closed);
        }
        Ok(())
    }

    /// Whether something in a directory may be shown to this person.
    pub(super) fn shows(&self, grounds: &Grounds, path: &str, stat: &Stat) -> bool {
        !grounds.is_others(Path::new(path)) && !is_secret(last(path)) && !self.is_closed(path, stat)
    }

    /// The folder at `path`, whose parent is open, for walking down.
    pub(super) fn enter(&self, dir: BorrowedFd<'_>, path: &str) -> Option<OwnedFd> {
        let dir = rustix::fs::openat(dir, last(path), DIR, Mode::empty()).ok()?;
        self.is_open(path, &dir).is_ok().then_some(dir)
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
