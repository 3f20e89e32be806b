//! What `.gitignore` leaves out, read through the same handles as everything else.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::rc::Rc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{Mode, OFlags};

/// More of such a file is not read.
const MOST: u64 = 256 * 1024;
/// Paths in rules begin here, whatever the folder is really called.
const TOP: &str = "/w";

/// The rules of a folder and of those around it; the innermost decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules(Vec<Rc<Gitignore>>);

impl Rules {
    /// With those of a folder, if it has any.
    pub(super) fn with(&self, dir: BorrowedFd<'_>, path: &str) -> Self {
        let mut rules = self.clone();
        if let Some(more) = read(dir, path) {
            rules.0.push(Rc::new(more));
        }
        rules
    }

    /// Whether something is left out.
    pub(super) fn leave_out(&self, path: &str, is_dir: bool) -> bool {
        if path == ".git" || path.ends_with("/.git") {
            return true;
        }
        let path = Path::new(TOP).join(path);
        for rules in self.0.iter().rev() {
            match rules.matched(&path, is_dir) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }
}

fn read(dir: BorrowedFd<'_>, path: &str) -> Option<Gitignore> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(dir, ".gitignore", flags, Mode::empty()).ok()?;
    let file = File::from(file);
    if !file.metadata().is_ok_and(|data| data.is_file()) {
        return None;
    }
    let mut rules = GitignoreBuilder::new(Path::new(TOP).join(path));
    for line in BufReader::new(file.take(MOST)).lines() {
        // A line that is no rule leaves nothing out.
        let _ = rules.add_line(None, &line.ok()?);
    }
    rules.build().ok()
}
