//! The edge to the machine: which file is meant, its text, and what the
//! machine says of itself. What stands in the file is left to `yaml`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Request;
use super::keys::Key;
use super::problem::{At, Problem, What};
use super::yaml::MAX_BYTES;

/// Facts about the machine that defaults are made from.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its name, as the system has it.
    pub hostname: Option<String>,
    /// Its IANA time zone.
    pub timezone: Option<String>,
}

impl Machine {
    /// Asks the system.
    pub fn detect() -> Self {
        Self {
            hostname: gethostname::gethostname().into_string().ok(),
            timezone: iana_time_zone::get_timezone().ok(),
        }
    }
}

/// A file that was read.
pub(super) struct Loaded {
    pub(super) path: PathBuf,
    pub(super) text: String,
    open_to_others: bool,
}

impl Loaded {
    /// The warning about its access rights, if one is due.
    pub(super) fn warning(&self) -> Option<Problem> {
        self.open_to_others.then(|| Problem {
            at: At::WholeFile(self.path.clone()),
            what: What::OpenFile,
        })
    }
}

/// Keys that alone do not show that somebody configures by environment: they
/// are often set for a whole machine.
const INCIDENTAL: [Key; 4] = [Key::Locale, Key::Log, Key::Timezone, Key::DataDir];

/// The file to use with its text. `None`: there is no file, but the
/// environment or flags configure us.
pub(super) fn find(request: &Request) -> Result<Option<Loaded>, Problem> {
    let name = request.kind.file_name();
    let home = request.env.home();
    if let Some(file) = &request.file {
        let path = request.folder.join(file);
        return match read(&path)? {
            Some(loaded) => Ok(Some(loaded)),
            None => Err(Problem {
                at: At::WholeFile(path),
                what: What::NoSuchFile(request.kind),
            }),
        };
    }
    let settings_home = request
        .env
        .absolute("XDG_CONFIG_HOME")
        .or_else(|| home.as_ref().map(|home| home.join(".config")));
    let mut looked = vec![request.folder.join(name)];
    looked.extend(settings_home.map(|folder| folder.join("phonework").join(name)));
    for path in &looked {
        if let Some(loaded) = read(path)? {
            return Ok(Some(loaded));
        }
    }
    let telling = |key: &&Key| !INCIDENTAL.contains(key);
    let by_env = Key::ALL
        .iter()
        .filter(telling)
        .any(|key| request.env.get(&key.env_name()).is_some());
    if by_env || request.flags.keys().any(|key| telling(&key)) {
        return Ok(None);
    }
    Err(Problem {
        at: At::Nowhere,
        what: What::NotFound {
            kind: request.kind,
            looked,
        },
    })
}

/// `None` if there is no such file.
fn read(path: &Path) -> Result<Option<Loaded>, Problem> {
    let at = || At::WholeFile(path.to_owned());
    let unreadable = |error: std::io::Error| Problem {
        at: at(),
        what: What::Unreadable(error.to_string()),
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let open_to_others = file
        .metadata()
        .map(|meta| others_can_read(&meta))
        .map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than allowed shows that it is too long.
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > MAX_BYTES {
        return Err(Problem {
            at: at(),
            what: What::TooBig,
        });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Loaded {
            path: path.to_owned(),
            text,
            open_to_others,
        })),
        Err(_) => Err(Problem {
            at: at(),
            what: What::NotText,
        }),
    }
}

#[cfg(unix)]
fn others_can_read(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn others_can_read(_: &std::fs::Metadata) -> bool {
    false
}
