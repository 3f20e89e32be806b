//! Writing: whole files in one step, and what is added at the end of one. Blocking.
//!
//! A file is written beside its place and then takes it, inside one open directory: whoever reads it
//! sees the old one or the new one, and a link that has come there meanwhile is replaced, not followed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use common::ids::MessageId;
use common::text::host::files::{FilesText, size};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use uuid::Uuid;

use super::encoding::{HEAD, Sort};
use super::look::bytes;
use super::walk::{Base, Nature, Spot, clean, failed, is_secret, join, nature, plain, shown};
use crate::grounds::Grounds;

/// The most text that is written at once.
const MOST: usize = 10_000_000;
/// The longest name of a file that came from a chat, in bytes; the system's limit is 255.
const LONGEST_NAME: usize = 180;
/// Files of one name: `a (2).txt`, `a (3).txt` …
const MOST_ALIKE: usize = 1_000;

/// Rights of a directory that is made.
const DIR_MODE: Mode = Mode::from_raw_mode(0o755);

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

/// A directory under its own name from the working directory on, made if it is not there.
fn own_dir(base: &Base, grounds: &Grounds, dir: &str) -> Result<Spot, FilesText> {
    let (mut at, mut names) = (String::from("."), dir.split('/'));
    loop {
        let spot = base.find(grounds, &at)?;
        if spot.path != at {
            return Err(FilesText::NotFound { path: shown(dir) });
        }
        if let (Some(name), None) = (&spot.name, &spot.found) {
            match rustix::fs::mkdirat(spot.parent()?, &**name, DIR_MODE) {
                Ok(()) | Err(Errno::EXIST) => continue,
                Err(why) => return Err(failed(&at, why.into())),
            }
        }
        match names.next() {
            Some(name) => at = join(&at, name),
            None => return Ok(spot),
        }
    }
}

/// A file that is being written under a name of its own, in the directory where it will be; gone
/// again if it does not come to that.
struct Beside {
    dir: OwnedFd,
    name: String,
    /// What it will be, for errors.
    path: String,
    file: File,
    done: bool,
}

impl Beside {
    fn new(dir: BorrowedFd<'_>, path: &str, name: String, mode: Mode) -> Result<Self, FilesText> {
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

    fn write(&mut self, bytes: &[u8]) -> Result<(), FilesText> {
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

/// Gives a file a name that nothing has.
fn rename_new(dir: BorrowedFd<'_>, from: &str, to: &str) -> Result<(), Errno> {
    match rustix::fs::renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE) {
        // Some file systems do not know this; a second name, which is never put over another, does it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::linkat(dir, from, dir, to, AtFlags::empty())?;
            rustix::fs::unlinkat(dir, from, AtFlags::empty())
        }
        done => done,
    }
}

fn alike(name: &str, n: usize) -> String {
    if n == 1 {
        return name.to_owned();
    }
    match name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        Some((stem, end)) => format!("{stem} ({n}).{end}"),
        None => format!("{name} ({n})"),
    }
}

/// A file that came from a chat, while it is written beside its place.
pub(super) struct Landing {
    beside: Beside,
    dir: String,
}

/// What a file from a chat is called until it has its name; the same after a restart.
fn landing_name(xfer: MessageId) -> String {
    format!(".phonework-{xfer}")
}

/// Begins a file that came from a chat, in `dir`, which is made if it is not there. A link on the way
/// is not followed, wherever it leads: whose the folder behind it is, was not asked.
pub(super) fn land(
    base: &Base,
    grounds: &Grounds,
    dir: &str,
    xfer: MessageId,
) -> Result<Landing, FilesText> {
    let spot = own_dir(base, grounds, dir)?;
    let open = spot.open_dir()?;
    let name = landing_name(xfer);
    // What an earlier try left.
    let _ = rustix::fs::unlinkat(&open, &*name, AtFlags::empty());
    let mode = Mode::from_raw_mode(0o644);
    Ok(Landing {
        beside: Beside::new(open.as_fd(), &spot.path, name, mode)?,
        dir: spot.path,
    })
}

impl Landing {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FilesText> {
        self.beside.write(bytes)
    }

    /// It is whole: it stays, under its first name. The path that is free for it.
    pub(super) fn whole(mut self, name: &str) -> Result<String, FilesText> {
        let synced = self.beside.file.sync_data();
        synced.map_err(|why| failed(&self.beside.path, why))?;
        let free = (1..=MOST_ALIKE).map(|n| alike(name, n)).find(|name| {
            let there = rustix::fs::statat(&self.beside.dir, &**name, AtFlags::SYMLINK_NOFOLLOW);
            there.is_err_and(|why| why == Errno::NOENT)
        });
        let free = free.ok_or_else(|| failed(&self.beside.path, Errno::EXIST.into()))?;
        self.beside.done = true;
        Ok(join(&self.dir, &free))
    }
}

/// Gives a file that is whole its path, which was free a moment ago. True if it has it, also from an
/// earlier life of ours; false if it has to come anew.
pub(super) fn name_landed(
    base: &Base,
    grounds: &Grounds,
    xfer: MessageId,
    path: &str,
) -> Result<bool, FilesText> {
    let spot = base.find(grounds, path)?;
    let first = landing_name(xfer);
    let name = spot.name.as_deref().unwrap_or_default();
    let waits = rustix::fs::statat(spot.parent()?, &*first, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    if !waits {
        return Ok(spot.found.is_some() && spot.path == path);
    }
    match rename_new(spot.parent()?, &first, name) {
        Ok(()) => {
            let _ = rustix::fs::fsync(spot.parent()?);
            Ok(true)
        }
        Err(Errno::EXIST) => Ok(false),
        Err(why) => Err(failed(path, why.into())),
    }
}

/// The name of a file as it may be on our disk: no path, nothing hidden, nothing that deceives.
pub(super) fn safe_name(name: &str, or: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut safe: String = clean(last)
        .map(|c| match c {
            '\u{FFFD}' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c => c,
        })
        .collect();
    safe = safe
        .trim()
        .trim_start_matches('.')
        .trim_end_matches(['.', ' '])
        .to_owned();
    if safe.len() > LONGEST_NAME {
        let end = safe.rsplit_once('.').map(|(_, end)| end.to_owned());
        let end = end.filter(|end| end.len() < 20);
        let mut at = LONGEST_NAME;
        while !safe.is_char_boundary(at) {
            at -= 1;
        }
        safe.truncate(at);
        if let Some(end) = end {
            safe = format!("{safe}.{end}");
        }
    }
    if safe.is_empty() || is_secret(&safe) {
        return or.to_owned();
    }
    safe
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_chats_are_names() {
        for (name, safe) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\photo.png", "photo.png"),
            (".bashrc", "bashrc"),
            ("..", "file"),
            ("", "file"),
            ("a\0b\n\u{202E}gnp.exe", "a_b__gnp.exe"),
            ("报告 一.docx", "报告 一.docx"),
            (".ssh", "ssh"),
            ("hub.creds", "file"),
            ("keyring.yaml", "file"),
            ("what?.txt ", "what_.txt"),
            ("/dev/fd/0", "0"),
            ("..／..／passwd", "_.._passwd"),
            ("a/../..", "file"),
            ("...", "file"),
            (" . ", "file"),
            ("KEYRING.YAML", "file"),
            ("CON\u{1b}[2J", "CON_[2J"),
            ("%2e%2e%2fx", "%2e%2e%2fx"),
        ] {
            assert_eq!(safe_name(name, "file"), safe, "{name:?}");
        }
        let long = format!("{}.txt", "字".repeat(200));
        let safe = safe_name(&long, "file");
        assert!(
            safe.len() < 255 && safe.strip_suffix(".txt").is_some(),
            "{safe}"
        );
        assert_eq!(alike("a.tar.gz", 2), "a.tar (2).gz");
        assert_eq!(alike("Makefile", 3), "Makefile (3)");
    }
}
