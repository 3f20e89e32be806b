//! What a command can reach, held by the kernel (Landlock): it writes in the working directory and a
//! temporary folder of its own, reads there, in the system's and in toolchains' folders, and nothing
//! else; it sends no signal to, and speaks over no abstract socket with, anything outside.
//!
//! Landlock holds the one who asks for it, so a command is started through this program once more,
//! which shuts itself in and then becomes the command. Without Landlock in the kernel the command runs
//! all the same, and its answer says so.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, Scope, path_beneath_rules,
};
use serde::{Deserialize, Serialize};

/// The newest rules that are asked for; an older kernel holds what it knows.
const NEWEST: ABI = ABI::V6;
/// Folders that are looked into to leave something out of them; above that a folder is left out whole.
const MAX_SPLIT: usize = 4096;

/// Exit code when the command cannot be started.
pub const CANNOT_START: i32 = 127;

/// What a command may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cage {
    /// Folders and files to read and write.
    pub write: Vec<PathBuf>,
    /// Folders and files to read and run.
    pub read: Vec<PathBuf>,
}

/// The system's folders.
const SYSTEM: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/snap",
    "/proc",
    "/sys",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/nscd",
    "/var/lib/dpkg",
    "/var/lib/apt/lists",
    "/var/lib/nix",
    "/var/cache/fontconfig",
    "/home/linuxbrew",
    "/System",
    "/Library/Developer",
];
/// What of those is nobody's business: keys and passwords.
const SYSTEM_SECRETS: &[&str] = &[
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh",
    "/etc/ssl/private",
    "/etc/security/opasswd",
    "/etc/wireguard",
    "/etc/openvpn",
    "/etc/NetworkManager",
    "/etc/netplan",
    "/etc/krb5.keytab",
    "/etc/phonework",
    "/etc/kubernetes",
    "/etc/rancher",
    "/etc/letsencrypt",
    "/etc/docker",
    "/etc/cups",
];
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/fd",
];
/// Toolchains in a home.
const TOOLS: &[&str] = &[
    ".cargo/bin",
    ".cargo/registry",
    ".cargo/git",
    ".cargo/config.toml",
    ".cargo/env",
    ".rustup",
    ".nvm",
    ".pyenv",
    ".rbenv",
    ".rvm",
    ".jenv",
    ".sdkman",
    ".local/bin",
    ".local/lib",
    ".local/share/uv",
    ".local/share/pnpm",
    ".local/share/fnm",
    ".local/share/mise",
    ".local/share/pipx",
    ".local/pipx",
    ".volta",
    ".fnm",
    ".asdf",
    ".bun",
    ".deno",
    ".ghcup",
    ".cabal",
    ".stack",
    ".elan",
    ".opam",
    ".juliaup",
    ".julia",
    "go",
    ".go",
    ".goenv",
    "miniconda3",
    "anaconda3",
    "miniforge3",
    ".conda",
    ".m2/repository",
    ".gradle/caches",
    ".gradle/wrapper",
    ".npm-global",
    ".linuxbrew",
    ".dotnet",
    ".nuget/packages",
    ".gitconfig",
    ".config/git/config",
    ".config/git/ignore",
    ".tool-versions",
    "n",
];

/// Whether the kernel can hold a command.
pub fn is_there() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

impl Cage {
    /// For a command in `root`. `secluded` is never reached, wherever it is; `temp` is its own; `read`
    /// is what the owner of the machine lets it read besides.
    pub fn new(
        root: &Path,
        secluded: &[PathBuf],
        temp: &[PathBuf],
        read: &[PathBuf],
        home: Option<&Path>,
    ) -> Self {
        let mut split = 0;
        let mut write = Vec::new();
        // A closed folder that the working directory itself is in closes nothing of that.
        let secluded: Vec<PathBuf> = secluded
            .iter()
            .filter(|closed| !root.starts_with(closed))
            .cloned()
            .collect();
        let secluded = secluded.as_slice();
        without(root, secluded, &mut write, &mut split);
        write.extend(temp.iter().cloned());
        write.extend(DEVICES.iter().map(PathBuf::from));
        let mut closed = secluded.to_vec();
        closed.extend(SYSTEM_SECRETS.iter().map(PathBuf::from));
        let mut readable = Vec::new();
        let tools = home
            .into_iter()
            .flat_map(|home| TOOLS.iter().map(|tool| home.join(tool)));
        let system = SYSTEM.iter().map(PathBuf::from);
        for folder in system.chain(tools).chain(read.iter().cloned()) {
            // A link is what it leads to.
            let folder = folder.canonicalize().unwrap_or(folder);
            without(&folder, &closed, &mut readable, &mut split);
        }
        Self {
            write,
            read: readable,
        }
    }

    fn hold(&self) -> Result<(), RulesetError> {
        let all = AccessFs::from_all(NEWEST);
        let read = AccessFs::from_read(NEWEST);
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .add_rules(path_beneath_rules(&self.read, read))?
            .add_rules(path_beneath_rules(&self.write, all))?
            .restrict_self()?;
        Ok(())
    }
}

/// Puts `folder` into `out`, or, where something in it is closed, what else is in it. What is made in
/// such a folder later is not reached; its own list of names neither, as that would show what is closed.
fn without(folder: &Path, closed: &[PathBuf], out: &mut Vec<PathBuf>, split: &mut usize) {
    if closed.iter().any(|closed| folder.starts_with(closed)) {
        return;
    }
    if !closed.iter().any(|closed| closed.starts_with(folder)) {
        if folder.exists() {
            out.push(folder.to_owned());
        }
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        *split += 1;
        if *split > MAX_SPLIT {
            return;
        }
        let path = entry.path();
        // A link would open what it leads to.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            without(&path, closed, out, split);
        }
    }
}

/// Shuts this process in and becomes the command: `program words…`. The cage, or that there is none, comes
/// by the standard input, as it may be longer than a word of a command line. Comes back only when that
/// fails, with the exit code; nothing was run then.
pub(super) fn hold(words: &[OsString]) -> i32 {
    use std::io::Write as _;
    let mut stderr = std::io::stderr();
    let cage = serde_json::from_reader::<_, Option<Cage>>(std::io::stdin());
    let (Ok(cage), Some((program, words))) = (cage, words.split_first()) else {
        let _ = writeln!(stderr, "phonework sandbox: for use by phonework itself");
        return CANNOT_START;
    };
    if let Some(Err(why)) = cage.map(|cage| cage.hold()) {
        let _ = writeln!(stderr, "phonework sandbox: {why}");
        return CANNOT_START;
    }
    // Whoever keeps it does not leave it alone, not even when it is killed.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let why = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .exec();
    let _ = writeln!(stderr, "{}: {why}", program.to_string_lossy());
    CANNOT_START
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_is_left_out_and_its_neighbours_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        for dir in ["a/theirs", "a/mine", "b"] {
            std::fs::create_dir_all(root.join(dir)).unwrap();
        }
        std::os::unix::fs::symlink(root.join("a/theirs"), root.join("link")).unwrap();
        let cage = Cage::new(&root, &[root.join("a/theirs")], &[], &[], None);
        let mut inside: Vec<_> = cage
            .write
            .iter()
            .filter(|path| path.starts_with(&root))
            .collect();
        inside.sort();
        assert_eq!(inside, [&root.join("a/mine"), &root.join("b")]);
        assert!(!cage.read.iter().any(|path| path.starts_with("/etc/shadow")));
        let open = Cage::new(&root, &[], &[], &[], None);
        assert!(open.write.contains(&root));
    }
}
