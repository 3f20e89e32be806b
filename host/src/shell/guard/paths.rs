//! Where a path leads, by its letters alone: links are not looked at, the sandbox is there for that.

use std::path::{Component, Path, PathBuf};

use common::text::host::shell::Danger;

use super::walk::Walk;
use super::word::{ANY, NAME, ONE, STAR, TAINT, UNSET};

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// `/dev/null` and its like.
    Null,
    /// The command's own temporary folder.
    Temp,
    /// Below the working directory.
    Inside,
    /// Something in `/tmp`.
    Tmp,
    /// Not known.
    Unknown,
    /// Somewhere else, of no special kind.
    Outside,
    /// A home, or the hidden things in it.
    Home,
    /// A device.
    Device,
    /// The system.
    System,
    /// The working directory itself, all that is in it, or what it is in.
    Root,
}

const SYSTEM: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/boot",
    "/proc",
    "/sys",
    "/var",
    "/opt",
    "/srv",
    "/run",
    "/snap",
    "/root",
    "/System",
    "/Library",
    "/Applications",
    "/private",
    "/nix",
    "/efi",
    "/lost+found",
    "/media",
    "/mnt",
];

const NULL: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/tty",
    "/dev/fd",
];

fn is_pattern(part: &str) -> bool {
    part.contains([STAR, ONE, NAME])
}

/// A pattern that may match all there is.
fn matches_all(part: &str) -> bool {
    let dots = part.trim_start_matches('.');
    is_pattern(part)
        && !part.contains(NAME)
        && dots.chars().all(|c| matches!(c, STAR | ONE | '.'))
        && (dots.contains(STAR) || dots.is_empty())
}

/// Steps of `..` taken, letter by letter.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) | Component::Normal(_) => out.push(part),
        }
    }
    out
}

impl Walk<'_> {
    /// The one path that is meant, if it is known.
    pub(super) fn resolve(&self, word: &str) -> Option<PathBuf> {
        match self.state.cwd.as_slice() {
            _ if word.contains([ANY, TAINT]) => None,
            _ if word.starts_with('/') => Some(normal(Path::new(word))),
            [dir] => Some(normal(&dir.join(word))),
            _ => None,
        }
    }

    /// Where a path leads; the worst, if it may be several.
    pub(super) fn reach(&self, word: &str) -> Reach {
        if word.starts_with('/') {
            return self.reach_of(Path::new(word));
        }
        self.state
            .cwd
            .iter()
            .map(|dir| self.reach_of(&dir.join(word)))
            .max()
            .unwrap_or(Reach::Unknown)
    }

    fn reach_of(&self, path: &Path) -> Reach {
        let path = normal(path);
        // As far as it is known.
        let known: PathBuf = path
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains([ANY, TAINT]))
            .collect();
        let reach = self.reach_known(&known);
        if known == path {
            return reach;
        }
        match reach {
            Reach::Device | Reach::System if known.components().count() > 1 => reach,
            Reach::Null
            | Reach::Temp
            | Reach::Inside
            | Reach::Tmp
            | Reach::Unknown
            | Reach::Outside
            | Reach::Home
            | Reach::Device
            | Reach::System
            | Reach::Root => Reach::Unknown,
        }
    }

    fn reach_known(&self, path: &Path) -> Reach {
        let place = self.place;
        let root = &place.root;
        if place.others.iter().any(|other| {
            path.starts_with(other)
                || other.starts_with(path) && path.starts_with(root) && path != root
        }) {
            return Reach::Outside;
        }
        if path != root
            && let Ok(inner) = path.strip_prefix(root)
        {
            let all = inner
                .components()
                .all(|part| matches_all(&part.as_os_str().to_string_lossy()));
            return if all { Reach::Root } else { Reach::Inside };
        }
        if root.starts_with(path) {
            return Reach::Root;
        }
        if path.starts_with(&place.temp) {
            return Reach::Temp;
        }
        let text = path.to_string_lossy();
        if NULL.iter().any(|null| path == Path::new(null)) || text.starts_with("/dev/fd/") {
            return Reach::Null;
        }
        if path.starts_with("/dev") {
            return Reach::Device;
        }
        if let Some(home) = &place.home {
            if home.starts_with(path) {
                return Reach::Home;
            }
            if let Ok(inner) = path.strip_prefix(home) {
                let first = inner.components().next();
                let first = first.map(|part| part.as_os_str().to_string_lossy().into_owned());
                let hidden =
                    first.is_some_and(|first| first.starts_with('.') || is_pattern(&first));
                return if hidden { Reach::Home } else { Reach::Outside };
            }
        }
        for tmp in ["/tmp", "/var/tmp"] {
            if let Ok(inner) = path.strip_prefix(tmp) {
                let first = inner.components().next();
                let first = first.map(|part| part.as_os_str().to_string_lossy().into_owned());
                return match first {
                    Some(first) if !matches_all(&first) => Reach::Tmp,
                    _ => Reach::System,
                };
            }
        }
        if SYSTEM.iter().any(|dir| path.starts_with(dir))
            || is_pattern(text.split('/').nth(1).unwrap_or_default())
        {
            return Reach::System;
        }
        if path.starts_with("/home") || path.starts_with("/Users") {
            let depth = path.components().count();
            let hidden = text
                .split('/')
                .nth(3)
                .is_some_and(|part| part.starts_with('.') || is_pattern(part));
            return if depth <= 3 || hidden {
                Reach::Home
            } else {
                Reach::Outside
            };
        }
        Reach::Outside
    }

    /// Whether a path leads to the root or to a folder of the system right below it, when a variable
    /// that nobody set is empty: `$x/*`.
    fn may_be_root(&self, path: &str) -> bool {
        let rest = path.trim_start_matches(ANY);
        path.starts_with(UNSET)
            && rest.starts_with('/')
            && normal(Path::new(rest)).components().count() <= 2
            && matches!(
                self.reach(rest),
                Reach::System | Reach::Home | Reach::Root | Reach::Device
            )
    }

    /// Whether a path, inside, is the folder that the command began in, all that is in it, what it is in,
    /// or the history of a project.
    fn is_project(&self, word: &str) -> bool {
        let dirs = self.state.cwd.iter();
        let paths = dirs.map(|dir| normal(&dir.join(word)));
        paths.into_iter().any(|mut path| {
            while path
                .file_name()
                .is_some_and(|name| matches_all(&name.to_string_lossy()))
            {
                path.pop();
            }
            // Another project as a whole, from within this one.
            let neighbour = path.parent() == Some(self.place.root.as_path())
                && self.place.dir != self.place.root;
            self.place.dir.starts_with(&path) || path.ends_with(".git") || neighbour
        })
    }

    /// Something is deleted, or moved away.
    pub(super) fn deletes(&mut self, path: &str, forced: bool) {
        let shown = shown(&path.replace(UNSET, &ANY.to_string()));
        if self.may_be_root(path) {
            return self.refuse(Danger::DeletesOutside { path: shown });
        }
        if path.contains(super::word::misleads) {
            self.ask(Danger::Unreadable);
        }
        match self.reach(path) {
            Reach::Inside if self.is_project(path) => {
                self.ask(Danger::DeletesProject { path: shown });
            }
            Reach::Inside | Reach::Temp => {}
            Reach::Tmp if !forced => {}
            Reach::Tmp => self.ask(Danger::DeletesOutside { path: shown }),
            Reach::Unknown if path.contains(TAINT) => {
                self.refuse(Danger::DeletesOutside { path: shown });
            }
            Reach::Unknown => self.ask(Danger::DeletesUnknown),
            Reach::Root if !forced && path.contains(STAR) => {
                self.ask(Danger::DeletesAll { path: shown });
            }
            Reach::Root => self.refuse(Danger::DeletesAll { path: shown }),
            Reach::Null | Reach::Outside | Reach::Home | Reach::Device | Reach::System => {
                self.refuse(Danger::DeletesOutside { path: shown });
            }
        }
    }

    /// Something is written to.
    pub(super) fn writes(&mut self, path: &str) {
        let shown = shown(path);
        match self.reach(path) {
            Reach::Inside | Reach::Temp | Reach::Tmp | Reach::Null | Reach::Unknown => {}
            Reach::Outside => self.ask(Danger::WritesOutside { path: shown }),
            // What is in it may be written to.
            Reach::Root
                if self
                    .state
                    .cwd
                    .iter()
                    .any(|dir| normal(&dir.join(path)) == self.place.root) => {}
            Reach::Device => self.refuse(Danger::Device { path: shown }),
            Reach::Root | Reach::Home | Reach::System => {
                self.refuse(Danger::OverwritesSystem { path: shown });
            }
        }
    }

    /// The rights of something are changed, with all that is below when `whole`.
    pub(super) fn rights(&mut self, path: &str, whole: bool) {
        let shown = shown(path);
        match self.reach(path) {
            Reach::Inside | Reach::Temp | Reach::Null => {}
            Reach::Tmp | Reach::Outside if !whole => {}
            Reach::Root if !whole && !path.starts_with('/') => {}
            Reach::Unknown => {
                if whole {
                    self.ask(Danger::RightsOutside { path: shown });
                }
            }
            Reach::Tmp
            | Reach::Outside
            | Reach::Home
            | Reach::Device
            | Reach::System
            | Reach::Root => self.refuse(Danger::RightsOutside { path: shown }),
        }
    }
}

/// A path as a person reads it.
pub(super) fn shown(path: &str) -> String {
    path.chars()
        .map(|c| match c {
            STAR => '*',
            ONE => '?',
            ANY | NAME | TAINT => '…',
            other => other,
        })
        .take(200)
        .collect()
}
