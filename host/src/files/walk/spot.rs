//! What a path led to: a name in an open directory, opened and judged through its handle.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use common::text::host::files::FilesText;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::DIR;
use super::names::{from_dir, shown};
use crate::grounds::Grounds;

/// A name in an open directory; there need not be anything of that name.
#[derive(Debug)]
pub(in crate::files) struct Spot {
    /// The directories from the working directory down to the parent, with their paths.
    pub(in crate::files) trail: Vec<(String, Arc<OwnedFd>)>,
    /// The name; none for the working directory itself.
    pub(in crate::files) name: Option<String>,
    /// What is there; none if nothing.
    pub(in crate::files) found: Option<Stat>,
    /// Its path from the working directory, `.` for itself.
    pub(in crate::files) path: String,
    /// The same from the person's folder: as they may type it.
    pub(in crate::files) near: String,
}

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Nature {
    Dir,
    File,
    Link,
    Other,
}

pub(in crate::files) fn nature(stat: &Stat) -> Nature {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Nature::Dir,
        FileType::RegularFile => Nature::File,
        FileType::Symlink => Nature::Link,
        _ => Nature::Other,
    }
}

impl Spot {
    pub(super) fn new(
        grounds: &Grounds,
        trail: Vec<(String, Arc<OwnedFd>)>,
        name: Option<String>,
        found: Option<Stat>,
        path: String,
    ) -> Self {
        Self {
            trail,
            name,
            found,
            near: from_dir(&grounds.dir, &path),
            path,
        }
    }

    /// The directory that it is in.
    pub(in crate::files) fn parent(&self) -> Result<BorrowedFd<'_>, FilesText> {
        match self.trail.last() {
            Some((_, dir)) => Ok(dir.as_fd()),
            None => Err(FilesText::NotFound {
                path: self.near.clone(),
            }),
        }
    }

    /// What is there, or that nothing is.
    pub(in crate::files) fn stat(&self) -> Result<&Stat, FilesText> {
        self.found.as_ref().ok_or_else(|| FilesText::NotFound {
            path: self.near.clone(),
        })
    }

    /// Opens it as a directory.
    pub(in crate::files) fn open_dir(&self) -> Result<OwnedFd, FilesText> {
        let stat = self.stat()?;
        if nature(stat) != Nature::Dir {
            return Err(FilesText::NotDir {
                path: self.near.clone(),
            });
        }
        let dir = match &self.name {
            Some(name) => rustix::fs::openat(self.parent()?, &**name, DIR, Mode::empty()),
            None => rustix::fs::openat(self.parent()?, ".", DIR, Mode::empty()),
        };
        dir.map_err(|why| failed(&self.near, why.into()))
    }

    /// Opens it as a plain file that has this one name only: a second name may be outside.
    pub(in crate::files) fn open_file(&self) -> Result<(File, Stat), FilesText> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        self.open_plain(flags | OFlags::NOCTTY)
    }

    /// The same with other flags.
    pub(in crate::files) fn open_plain(&self, flags: OFlags) -> Result<(File, Stat), FilesText> {
        // Before it is opened as well: opening some devices does something.
        plain(&self.near, self.stat()?)?;
        let name = self.name.as_deref().unwrap_or(".");
        let file = rustix::fs::openat(self.parent()?, name, flags, Mode::empty())
            .map_err(|why| failed(&self.near, why.into()))?;
        let stat = rustix::fs::fstat(&file).map_err(|why| failed(&self.near, why.into()))?;
        plain(&self.near, &stat)?;
        Ok((File::from(file), stat))
    }
}

/// Whether it is a file, and its only name is this one; `path` is how it is told.
pub(in crate::files) fn plain(path: &str, stat: &Stat) -> Result<(), FilesText> {
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
pub(in crate::files) fn failed(path: &str, why: io::Error) -> FilesText {
    let path = shown(path);
    match Errno::from_io_error(&why) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => FilesText::NotFound { path },
        Some(Errno::ACCESS | Errno::PERM) => FilesText::Denied { path },
        Some(Errno::NAMETOOLONG) => FilesText::LongName { path },
        Some(Errno::NOSPC | Errno::DQUOT) => FilesText::DiskFull { path },
        Some(Errno::ROFS) => FilesText::ReadOnly { path },
        Some(_) | None => FilesText::Failed {
            path,
            why: why.to_string(),
        },
    }
}
