//! Writing: whole files in one step, and what is added at the end of one. Blocking.
//!
//! A file is written beside its place and then takes it, inside one open directory: whoever reads it
//! sees the old one or the new one, and a link that has come there meanwhile is replaced, not followed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use common::text::host::files::{FilesText, size};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use uuid::Uuid;

use super::encoding::{HEAD, Sort};
use super::look::bytes;
use super::walk::{Base, Nature, Spot, failed, nature, plain};
use crate::grounds::Grounds;

/// The most text that is written at once.
const MOST: usize = 10_000_000;
/// Rights of a directory that is made.
pub(super) const DIR_MODE: Mode = Mode::from_raw_mode(0o755);

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// Where, relative to the working directory.
    pub(crate) path: String,
    /// Size of the file now, in bytes.
    pub(crate) size: u64,
    /// It was not there before.
    pub(crate) made: bool,
}

/// Writes a whole file; folders on the way are made.
pub(super) fn write(
    base: &Base,
    grounds: &Grounds,
    typed: &str,
    text: &str,
) -> Result<Written, FilesText> {
    enough(text)?;
    let spot = place(base, grounds, typed)?;
    let (mode, sort) = match &spot.found {
        Some(stat) => {
            plain(&spot.near, stat)?;
            (Mode::from_raw_mode(stat.st_mode & 0o777), sort(&spot))
        }
        None => (Mode::from_raw_mode(0o644), Sort::Utf8 { bom: false }),
    };
    let bytes = sort.encode(text, true);
    let name = spot.name.as_deref().unwrap_or_default();
    let first = format!(".phonework-{}", Uuid::new_v4().simple());
    let mut beside = Beside::new(spot.parent()?, &spot.near, first, mode)?;
    beside.write(&bytes)?;
    beside.replace(name)?;
    Ok(Written {
        size: bytes.len() as u64,
        made: spot.found.is_none(),
        path: spot.path,
    })
}

/// Adds text at the end of a file, which is made if it is not there.
pub(super) fn append(
    base: &Base,
    grounds: &Grounds,
    typed: &str,
    text: &str,
) -> Result<Written, FilesText> {
    enough(text)?;
    let spot = place(base, grounds, typed)?;
    if spot.found.is_none() {
        return write(base, grounds, typed, text);
    }
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (mut file, _) = spot.open_plain(flags | OFlags::NONBLOCK | OFlags::NOCTTY)?;
    let wrong = |why| failed(&spot.near, why);
    let begins = spot.stat()?.st_size == 0;
    file.write_all(&sort(&spot).encode(text, begins))
        .map_err(wrong)?;
    file.sync_data().map_err(wrong)?;
    let size = file.metadata().map_err(wrong)?.len();
    Ok(Written {
        size,
        made: false,
        path: spot.path,
    })
}

/// What a file is now; one that cannot be read is taken for plain text.
fn sort(spot: &Spot) -> Sort {
    let mut head = Vec::new();
    let read = spot.open_file().and_then(|(file, stat)| {
        let read = file.take(HEAD as u64).read_to_end(&mut head);
        read.map_err(|why| failed(&spot.near, why))?;
        Ok(bytes(&stat) <= HEAD as u64)
    });
    match read {
        Ok(whole) => Sort::of(&head, whole),
        Err(_) => Sort::Utf8 { bom: false },
    }
}

/// Whether a file may be written under a path at all, before anybody is asked; the size of what it
/// would replace, in bytes, or none if nothing is there.
pub(super) fn before(
    base: &Base,
    grounds: &Grounds,
    typed: &str,
) -> Result<Option<u64>, FilesText> {
    let missing = match base.find(grounds, typed) {
        Ok(spot) => match &spot.found {
            Some(stat) => {
                plain(&spot.near, stat)?;
                return Ok(Some(bytes(stat)));
            }
            None => return Ok(None),
        },
        Err(missing @ FilesText::NotFound { .. }) => missing,
        Err(why) => return Err(why),
    };
    // Folders on the way will be made, where there may be some.
    let mut above = typed.trim_end_matches('/');
    while let Some((more, _)) = above.rsplit_once('/') {
        above = more.trim_end_matches('/');
        match base.find(grounds, above) {
            Ok(spot) => match &spot.found {
                Some(stat) if nature(stat) != Nature::Dir => {
                    return Err(FilesText::NotDir { path: spot.near });
                }
                // What is in a folder and cannot be found is not for this person.
                Some(_) => return Err(missing),
                None => return Ok(None),
            },
            Err(FilesText::NotFound { .. }) => {}
            Err(why) => return Err(why),
        }
    }
    Err(missing)
}

fn enough(text: &str) -> Result<(), FilesText> {
    if text.len() > MOST {
        return Err(FilesText::TooMuchText {
            max: size(MOST as u64),
        });
    }
    Ok(())
}

/// Where something is to be written: folders that are missing on the way are made.
fn place(base: &Base, grounds: &Grounds, typed: &str) -> Result<Spot, FilesText> {
    match base.find(grounds, typed) {
        Err(FilesText::NotFound { path }) => {
            let (above, _) = typed
                .trim_end_matches('/')
                .rsplit_once('/')
                .ok_or(FilesText::NotFound { path })?;
            make_dirs(base, grounds, above)?;
            base.find(grounds, typed)
        }
        found => found,
    }
}

/// Makes a directory and those around it, inside only.
fn make_dirs(base: &Base, grounds: &Grounds, typed: &str) -> Result<Spot, FilesText> {
    let spot = place(base, grounds, typed)?;
    let Some(name) = spot.name.as_deref().filter(|_| spot.found.is_none()) else {
        return Ok(spot);
    };
    match rustix::fs::mkdirat(spot.parent()?, name, DIR_MODE) {
        Ok(()) | Err(Errno::EXIST) => base.find(grounds, typed),
        Err(why) => Err(failed(&spot.path, why.into())),
    }
}

/// A file that is being written under a name of its own, in the directory where it will be; gone
/// again if it does not come to that.
pub(super) struct Beside {
    pub(super) dir: OwnedFd,
    name: String,
    /// What it will be, for errors.
    pub(super) path: String,
    pub(super) file: File,
    /// It stays.
    pub(super) done: bool,
}

impl Beside {
    pub(super) fn new(
        dir: BorrowedFd<'_>,
        path: &str,
        name: String,
        mode: Mode,
    ) -> Result<Self, FilesText> {
        let wrong = |why: Errno| failed(path, why.into());
        let dir = rustix::io::fcntl_dupfd_cloexec(dir, 0).map_err(wrong)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&dir, &*name, flags, mode).map_err(wrong)?;
        Ok(Self {
            dir,
            name,
            path: path.to_owned(),
            file: file.into(),
            done: false,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FilesText> {
        let written = self.file.write_all(bytes);
        written.map_err(|why| failed(&self.path, why))
    }

    /// Takes the place of `name`, whatever is there.
    fn replace(mut self, name: &str) -> Result<(), FilesText> {
        let done = self
            .file
            .sync_data()
            .and_then(|()| {
                rustix::fs::renameat(&self.dir, &*self.name, &self.dir, name).map_err(Into::into)
            })
            .map_err(|why| failed(&self.path, why));
        self.done = done.is_ok();
        let _ = rustix::fs::fsync(&self.dir);
        done
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.done {
            let _ = rustix::fs::unlinkat(&self.dir, &*self.name, AtFlags::empty());
        }
    }
}

/// A file that is open to be read, where it is, and its size.
pub(super) fn open_to_send(
    base: &Base,
    grounds: &Grounds,
    typed: &str,
) -> Result<(Arc<File>, Spot, u64), FilesText> {
    let spot = base.look(grounds, typed)?;
    let (file, stat) = spot.open_file()?;
    Ok((Arc::new(file), spot, bytes(&stat)))
}
