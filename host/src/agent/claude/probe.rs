//! Finding the CLI and asking for its version, before anybody waits for an answer from it.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::agent::text::{one_line, strip_ansi};

/// The oldest version that the driver was tried with. Older ones may work; warn.
pub const OLDEST_TRIED: Version = Version(2, 1, 197);
/// Before this the pipe protocol asked for no permissions.
const OLDEST_USABLE: Version = Version(2, 0, 0);
/// A cold start from a slow disk takes seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A version of the CLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// Older than anything that was tried: say so to the owner.
    pub fn is_untried(self) -> bool {
        self < OLDEST_TRIED
    }

    /// The first word that is three numbers with dots; suffixes are ignored.
    fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let word = word.trim_start_matches('v');
            let mut numbers = word.splitn(3, '.').map(|part| {
                let digits = part.find(|c: char| !c.is_ascii_digit());
                part.get(..digits.unwrap_or(part.len()))?.parse().ok()
            });
            Some(Self(numbers.next()??, numbers.next()??, numbers.next()??))
        })
    }
}

/// Why the CLI cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It is not there.
    #[error(
        "{looked_for} was not found: install Claude Code (npm install -g @anthropic-ai/claude-code), or set CLAUDE_BIN to where it is"
    )]
    NotFound {
        /// A path, or the name that was searched for.
        looked_for: String,
    },
    /// It is there, but older than the protocol.
    #[error("{version} is too old: update it (claude update) to {OLDEST_TRIED} or newer")]
    TooOld {
        /// What it is.
        version: Version,
    },
    /// It does not do what the CLI does.
    #[error("{} --version failed: {message}", program.display())]
    Failed {
        /// What was run.
        program: PathBuf,
        /// What happened.
        message: String,
    },
}

/// The program: `configured` (`CLAUDE_BIN`; a path, or a name to search for), else `claude` in the
/// folders of `search` (`PATH`).
///
/// # Errors
/// [`ProbeError::NotFound`].
pub fn locate(configured: Option<&Path>, search: Option<&OsStr>) -> Result<PathBuf, ProbeError> {
    let wanted = configured.unwrap_or(Path::new("claude"));
    let found = if wanted.components().count() > 1 || wanted.is_absolute() {
        Some(wanted.to_owned()).filter(|path| path.is_file())
    } else {
        std::env::split_paths(search.unwrap_or_default())
            .map(|folder| folder.join(wanted))
            .find(|path| is_program(path))
    };
    found.ok_or_else(|| ProbeError::NotFound {
        looked_for: wanted.display().to_string(),
    })
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Runs `program --version`.
///
/// # Errors
/// When it is missing, too old, or something else.
pub async fn probe(program: &Path) -> Result<Version, ProbeError> {
    let failed = |message: String| ProbeError::Failed {
        program: program.to_owned(),
        message,
    };
    let run = Command::new(program)
        .arg("--version")
        .env("DISABLE_AUTOUPDATER", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, run).await {
        Err(_) => return Err(failed(format!("no answer in {} s", PATIENCE.as_secs()))),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ProbeError::NotFound {
                looked_for: program.display().to_string(),
            });
        }
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Ok(Ok(output)) => output,
    };
    let said = strip_ansi(&String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        let complaint = strip_ansi(&String::from_utf8_lossy(&output.stderr));
        let words = one_line(&complaint, 200);
        return Err(failed(format!("{}; {words}", output.status)));
    }
    match Version::find(&said) {
        Some(version) if version < OLDEST_USABLE => Err(ProbeError::TooOld { version }),
        Some(version) => Ok(version),
        None => Err(failed(format!(
            "it said \"{}\", which is no version",
            one_line(&said, 80)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, expected) in [
            ("2.1.330 (Claude Code)\n", Some(Version(2, 1, 330))),
            ("claude v2.0.0-beta.1", Some(Version(2, 0, 0))),
            ("2.1", None),
            ("Claude Code", None),
            ("99999999999.1.1", None),
            ("", None),
        ] {
            assert_eq!(Version::find(text), expected, "{text}");
        }
        assert!(Version(2, 1, 196).is_untried());
        assert!(!Version(2, 1, 330).is_untried());
        assert!(Version(2, 2, 0) > OLDEST_TRIED);
    }

    #[test]
    fn searching() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (plain, good) = (folder.path().join("plain"), folder.path().join("good"));
        for path in [&plain, &good] {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("claude"), "").unwrap();
        }
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(good.join("claude"), mode).unwrap();
        let search = std::env::join_paths([&plain, &good]).unwrap();

        let found = locate(None, Some(&search)).unwrap();
        assert_eq!(found, good.join("claude"));
        // A path that is given is taken as it is; starting it tells what is wrong with it.
        let given = plain.join("claude");
        assert_eq!(locate(Some(&given), None).unwrap(), given);
        let missing = locate(Some(Path::new("/no/such/claude")), Some(&search));
        insta::assert_snapshot!(missing.unwrap_err(), @"/no/such/claude was not found: install Claude Code (npm install -g @anthropic-ai/claude-code), or set CLAUDE_BIN to where it is");
        assert!(locate(Some(Path::new("claude-9")), Some(&search)).is_err());
        assert!(locate(None, None).is_err());
    }

    #[tokio::test]
    async fn what_is_not_the_cli() {
        let missing = probe(Path::new("/no/such/claude")).await;
        assert!(matches!(missing, Err(ProbeError::NotFound { .. })));
        let other = probe(Path::new("/bin/false")).await;
        assert!(matches!(other, Err(ProbeError::Failed { .. })), "{other:?}");
        let silent = probe(Path::new("/bin/true")).await;
        assert!(
            matches!(silent, Err(ProbeError::Failed { .. })),
            "{silent:?}"
        );
    }
}
