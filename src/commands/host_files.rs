//! The files that make a machine a host: `host_config.yaml` and its credentials. Written by `enroll --out` on the hub,
//! to be carried over, and by `join` on the machine itself.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file of ours that could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It would overwrite another.
    #[error(
        "{0} exists already, and nothing was changed. Move it away, or give another folder with --out"
    )]
    Exists(PathBuf),
    /// The folder or a file could not be written.
    #[error("writing {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What stands above the authority's file.
pub(crate) const CA_NOTE: &str = "Who signed the hub's certificate.";

/// An authority's file that cannot be carried to a machine.
#[derive(Debug, thiserror::Error)]
#[error("NATS_CA {path}: {why}")]
pub(crate) struct CaError {
    path: PathBuf,
    why: String,
}

/// The certificates of an authority's file, without what stands around them.
pub(crate) fn read_ca(path: &Path) -> Result<String, CaError> {
    let wrong = |why: String| CaError {
        path: path.to_owned(),
        why,
    };
    let text = std::fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
    let mut pem = String::new();
    let mut inside = false;
    for line in text.lines() {
        inside |= line.starts_with("-----BEGIN CERTIFICATE-----");
        if inside {
            pem.push_str(line.trim_end());
            pem.push('\n');
        }
        if line.starts_with("-----END CERTIFICATE-----") {
            inside = false;
        }
    }
    if pem.is_empty() || inside {
        return Err(wrong("it holds no certificate in PEM".into()));
    }
    Ok(pem)
}

/// What the configuration of a host says at first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostConfig<'a> {
    /// Node id.
    pub(crate) node: &'a str,
    /// What people call it; the id when empty.
    pub(crate) name: &'a str,
    /// Where the broker is.
    pub(crate) url: &'a str,
    /// Not encrypted, and it is wanted so.
    pub(crate) plaintext: bool,
    /// File of the authority that signed its certificate, as seen from the configuration's folder.
    pub(crate) ca: Option<&'a str>,
    /// A word about that file, on a line of its own.
    pub(crate) ca_note: Option<&'a str>,
    /// Users it serves; empty means whoever is admitted.
    pub(crate) serves: &'a [String],
}

impl HostConfig<'_> {
    /// The text of `host_config.yaml`. Equal settings make equal texts.
    pub(crate) fn text(&self) -> String {
        let name = if self.name.is_empty() {
            self.node
        } else {
            self.name
        };
        let mut text = format!(
            "# PhoneWork host {node}. Run `phonework host` in this folder.\n\
             NODE_ID: {node}\n\
             DISPLAY_NAME: {name}\n\
             NATS_URL: {url}\n\
             NATS_CREDS: {node}.creds\n",
            node = self.node,
            name = yaml_text(name),
            url = yaml_text(self.url),
        );
        if self.plaintext {
            text.push_str("# Not encrypted on the way, as on the hub.\nNATS_PLAINTEXT: true\n");
        }
        // Writing to a String cannot fail.
        if let Some(note) = self.ca_note {
            let _ = writeln!(text, "# {note}");
        }
        if let Some(ca) = self.ca {
            let _ = writeln!(text, "NATS_CA: {}", yaml_text(ca));
        }
        if self.serves.is_empty() {
            text.push_str("# Users this machine serves; without it, whoever the gateways admit.\n# SERVES_USERS: [\"feishu/ou_…\"]\n");
        } else {
            text.push_str("SERVES_USERS:\n");
            for user in self.serves {
                let _ = writeln!(text, "  - {}", yaml_text(user));
            }
        }
        text.push_str(
            "\n# Where sessions may work, and nowhere else. Set this.\n\
             # WORKING_DIR: ~/projects\n\
             # Program and extra arguments, when `claude` is not in PATH.\n\
             # CLAUDE_BIN: /usr/local/bin/claude\n\
             # A model for free text (smart mode); without it, rules decide.\n\
             # OPENAI_BASE_URL: https://…/v1\n\
             # OPENAI_API_KEY: …\n\
             # OPENAI_MODEL: …\n\
             # LOCALE: en\n\
             # TIMEZONE: Europe/Berlin\n",
        );
        text
    }
}

/// A string that YAML reads back as the same string: JSON's form is one of YAML's.
fn yaml_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Makes a folder that only its owner can look into; one that exists is left as it is.
pub(crate) fn make_dir(dir: &Path) -> Result<(), FileError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| FileError::Write {
            path: dir.to_owned(),
            source,
        })
}

/// Writes a file over the one that is there, whole or not at all; only its owner can read it if it is secret.
pub(crate) fn write_over(path: &Path, text: &str, secret: bool) -> Result<(), FileError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut whole = path.as_os_str().to_owned();
    whole.push(".new");
    let whole = PathBuf::from(whole);
    let write = || {
        let _ = std::fs::remove_file(&whole);
        let mode = if secret { 0o600 } else { 0o644 };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&whole)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&whole, path)
    };
    write().map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that is not there yet; two commands at once do not overwrite each other.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), FileError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.to_owned()),
        _ => FileError::Write {
            path: path.to_owned(),
            source,
        },
    })
}
