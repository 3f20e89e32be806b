//! Keys and passwords: which paths hold them, who reads them, and what is sent away. The sandbox closes
//! most of these folders; the question comes before that, and also where there is no sandbox.

use std::path::{Component, Path};

use common::text::host::shell::Danger;

use super::calls::{base, has_flag, operands, values};
use super::feed::Feed;
use super::paths::{Reach, shown};
use super::walk::Walk;
use super::word::{could_be, is_known};

/// In a home: folders and files.
const IN_HOMES: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".netrc",
    ".git-credentials",
    ".pgpass",
    ".my.cnf",
    ".npmrc",
    ".pypirc",
    ".vault-token",
    ".password-store",
    ".claude/.credentials.json",
    ".claude.json",
    ".docker/config.json",
    ".cargo/credentials.toml",
    ".config/gcloud",
    ".config/gh/hosts.yml",
    ".config/rclone",
    ".config/google-chrome",
    ".config/chromium",
    ".mozilla",
    ".local/share/keyrings",
];
/// Of the system.
const IN_SYSTEM: &[&str] = &[
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/ssl/private",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
    "/proc/kcore",
    "/dev/mem",
];
/// They show that a file is there, not what is in it.
const LOOK_FROM_OUTSIDE: &[&str] = &[
    "ls", "stat", "test", "[", "[[", "cd", "pushd", "echo", "printf", "find", "du", "file",
    "mkdir", "realpath", "readlink", "basename", "dirname", "which", "tree", "touch", "chmod",
    "chown", "ssh", "ssh-add", "git", "export", "declare", "alias", "rm", "rmdir",
];
/// They take whole folders.
const TAKE_FOLDERS: &[&str] = &[
    "tar", "gtar", "bsdtar", "zip", "7z", "cp", "rsync", "rclone", "scp", "cpio",
];

/// The parts of a path below a home; none: it is in no home.
fn below_home<'p>(path: &'p Path, home: Option<&Path>) -> Option<&'p Path> {
    if let Some(inner) = home.and_then(|home| path.strip_prefix(home).ok()) {
        return Some(inner);
    }
    if let Ok(inner) = path.strip_prefix("/root") {
        return Some(inner);
    }
    let inner = path
        .strip_prefix("/home")
        .or_else(|_| path.strip_prefix("/Users"))
        .ok()?;
    let mut parts = inner.components();
    parts.next()?;
    Some(parts.as_path())
}

fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect()
}

/// Whether `path`, with its marks, may be `secret` or in it; or, for those who take all of a folder,
/// around it.
fn meets(path: &[String], secret: &str, around: bool) -> bool {
    let secret: Vec<&str> = secret.split('/').filter(|part| !part.is_empty()).collect();
    let both = path.iter().zip(&secret);
    let long_enough = path.len() >= secret.len() || around;
    long_enough
        && both
            .clone()
            .all(|(part, secret)| part == secret || (!is_known(part) && could_be(part, secret)))
}

impl Walk<'_> {
    fn is_secret(&self, word: &str, around: bool) -> bool {
        let Some(path) = self.resolve(word) else {
            return false;
        };
        let all = parts(&path);
        if IN_SYSTEM.iter().any(|secret| meets(&all, secret, false)) {
            return true;
        }
        // What another process was given.
        if let [first, whose, .., last] = all.as_slice()
            && first == "proc"
            && !matches!(whose.as_str(), "self" | "thread-self")
            && matches!(last.as_str(), "environ" | "mem")
        {
            return true;
        }
        let Some(inner) = below_home(&path, self.place.home.as_deref()) else {
            return false;
        };
        let inner = parts(inner);
        // What of it everybody may see.
        if let Some(name) = inner.last()
            && (Path::new(name).extension().is_some_and(|end| end == "pub")
                || name.starts_with("known_hosts")
                || name == "config")
            && inner.first().is_some_and(|first| first == ".ssh")
        {
            return false;
        }
        IN_HOMES.iter().any(|secret| meets(&inner, secret, around))
    }

    /// Something is read.
    pub(super) fn reads(&mut self, path: &str) {
        if self.is_secret(path, false) {
            self.ask(Danger::Secrets { path: shown(path) });
        }
    }

    /// What a command reads of what it is given.
    pub(super) fn reads_words(&mut self, name: &str, args: &[String]) {
        if LOOK_FROM_OUTSIDE.contains(&name) {
            return;
        }
        let around = TAKE_FOLDERS.contains(&name);
        for arg in args {
            // `if=x`, `--data=@x`, `file=@x`.
            let value = arg.rsplit(['=', '@']).next().unwrap_or(arg);
            for path in [arg.as_str(), value] {
                if !path.starts_with('-') && self.is_secret(path, around) {
                    return self.ask(Danger::Secrets { path: shown(path) });
                }
            }
        }
    }

    /// Files and output of this machine that leave it: what is not of the project, or not known, is asked
    /// about.
    pub(super) fn sends(&mut self, name: &str, args: &[String], stdin: &Feed) {
        let mut files: Vec<&str> = Vec::new();
        let urls = operands(args);
        match name {
            "curl" => {
                files.extend(values(args, &["-T", "--upload-file"]));
                for option in [
                    "-d",
                    "--data",
                    "--data-binary",
                    "--data-raw",
                    "--data-urlencode",
                    "--json",
                ] {
                    let given = values(args, &[option]).into_iter();
                    files.extend(
                        given.filter_map(|value| value.split_once('@').map(|(_, file)| file)),
                    );
                }
                let forms = values(args, &["-F", "--form"]).into_iter();
                files.extend(forms.filter_map(|form| {
                    let (_, value) = form.split_once('=')?;
                    value.strip_prefix(['@', '<'])
                }));
            }
            "wget" => files.extend(values(args, &["--post-file", "--body-file"])),
            "nc" | "ncat" | "netcat" | "socat" | "telnet" => {
                let listens = has_flag(args, 'l') || has_flag(args, 'z');
                if !listens {
                    files.push("-");
                }
            }
            _ => return,
        }
        let here = |url: &&String| {
            ["localhost", "127.", "[::1]", "::1", "0.0.0.0"]
                .iter()
                .any(|here| url.contains(here))
        };
        if urls.iter().any(here) {
            return;
        }
        for file in files {
            let file = file.split(';').next().unwrap_or(file);
            let known = if file == "-" {
                matches!(stdin, Feed::Nothing)
                    || matches!(stdin, Feed::Text(text) if is_known(text))
            } else {
                matches!(self.reach(file), Reach::Inside | Reach::Temp)
            };
            if !known {
                self.ask(Danger::Elsewhere);
            }
        }
    }

    /// A command that is not known here, with one behind it that is: whoever runs it (`foo rm -rf /`).
    pub(super) fn behind(&mut self, args: &[String]) {
        let at = args
            .iter()
            .position(|arg| super::known::DANGEROUS.contains(&base(arg)));
        if let Some(rest) = at.and_then(|at| args.get(at..)) {
            let rest = rest.to_vec();
            self.maybe_run(&rest);
        }
    }
}
