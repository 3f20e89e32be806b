//! Files from a chat on their way to a name: written beside their place, whole, once, and over nothing.
//! Blocking.

use std::os::fd::{AsFd as _, BorrowedFd};

use common::ids::MessageId;
use common::text::host::files::FilesText;
use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::Errno;

use super::put::{Beside, DIR_MODE};
use super::walk::{Base, Spot, clean, failed, is_secret, join, shown};
use crate::grounds::Grounds;

/// The longest name of a file that came from a chat, in bytes; the system's limit is 255.
const LONGEST_NAME: usize = 180;
/// Files of one name: `a (2).txt`, `a (3).txt` …
const MOST_ALIKE: usize = 1_000;

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
