//! Files that are either whole or absent: written under a temporary name, flushed, then renamed.
//! Secrets get mode 0600 and live in folders of mode 0700.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::IdentityError;

/// Makes a folder (and those above it) that only its owner can look into. An existing one is left as it is.
pub(super) fn private_dir(path: &Path) -> Result<(), IdentityError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(path)
        .map_err(|source| io_error("making the folder", path, source))
}

/// Writes a file only its owner can read.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), IdentityError> {
    write(path, text, 0o600)
}

/// Writes a file without secrets in it.
pub(super) fn write_plain(path: &Path, text: &str) -> Result<(), IdentityError> {
    write(path, text, 0o644)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), IdentityError> {
    let temporary = temporary_name(path);
    // A leftover of a crash at the same name would make create_new fail for ever.
    let _ = fs::remove_file(&temporary);
    let attempt = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(mode);
        }
        #[cfg(not(unix))]
        let _ = mode;
        let mut file = options.open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename itself lasts only when the folder is flushed as well.
        #[cfg(unix)]
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    };
    attempt().map_err(|source| {
        let _ = fs::remove_file(&temporary);
        io_error("writing", path, source)
    })
}

fn temporary_name(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// A record in JSON; none when there is no such file.
pub(super) fn read_record<R: serde::de::DeserializeOwned>(
    path: &Path,
) -> Result<Option<R>, IdentityError> {
    let Some(text) = read(path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| IdentityError::Record {
            path: path.to_owned(),
            why: error.to_string(),
        })
}

/// Reads a file; `None` when it is not there.
pub(super) fn read(path: &Path) -> Result<Option<String>, IdentityError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error("reading", path, source)),
    }
}

/// Holds the hub's lock until dropped, so that two commands never bind one id at the same time.
/// Waits for the other; what happens under it takes milliseconds.
pub(super) fn lock(path: &Path) -> Result<File, IdentityError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|source| io_error("opening the lock", path, source))?;
    file.lock()
        .map_err(|source| io_error("locking", path, source))?;
    Ok(file)
}

/// An I/O error that says what was tried, and where.
pub(super) fn io_error(doing: &'static str, path: &Path, source: io::Error) -> IdentityError {
    IdentityError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
