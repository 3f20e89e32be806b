//! Configuration: file < environment < flag, checked as a whole and turned
//! into one [`Settings`] for every role. `keys` lists all keys; `yaml` reads a
//! file, `resolve` puts the layers together, `problem` says what is wrong.
//! Creating folders, looking for programs and connecting are left to the roles.

mod check;
mod find;
mod keys;
mod layers;
mod problem;
mod resolve;
mod settings;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use find::Machine;
pub use keys::{ENV_PREFIX, FileKind, Files, Key, KeySpec, Kind, markdown_table};
pub use problem::{At, ConfigError, Problem, What, Why};
pub use settings::{
    AllowList, ClaudeSettings, FeishuSettings, LlmSettings, MetasoSettings, NatsSettings,
    NodeSettings, Origin, Settings, Source, WebSettings,
};

use crate::lang::Lang;

/// The environment variables of a process, as a value: tests make their own.
#[derive(Clone, Debug, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// Those of this process; what is not UTF-8 is left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect()
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable holding an absolute path.
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.get(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// The home folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.absolute("HOME")
            .or_else(|| self.absolute("USERPROFILE"))
    }

    /// The language of the person at the terminal: `PHONEWORK_LOCALE`, else the
    /// system's locale.
    pub fn lang(&self) -> Lang {
        ["PHONEWORK_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| self.get(name))
            .map(Lang::from_locale)
            .unwrap_or_default()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

/// What is to be loaded, and from which surroundings.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which file the role uses.
    pub kind: FileKind,
    /// `--config FILE`; `None` = search.
    pub file: Option<PathBuf>,
    /// The current folder.
    pub folder: PathBuf,
    /// The environment.
    pub env: Env,
    /// Flags that were given, as text.
    pub flags: BTreeMap<Key, String>,
    /// What the machine says of itself.
    pub machine: Machine,
}

impl Request {
    /// In the surroundings of this process. `PHONEWORK_CONFIG` stands in for a
    /// missing `--config`.
    pub fn of_process(kind: FileKind, file: Option<PathBuf>, flags: BTreeMap<Key, String>) -> Self {
        let env = Env::of_process();
        let file = file.or_else(|| env.get("PHONEWORK_CONFIG").map(PathBuf::from));
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self {
            kind,
            file,
            folder,
            env,
            flags,
            machine: Machine::detect(),
        }
    }
}

/// Finds and reads the file, lays environment and flags over it and checks the
/// whole.
///
/// # Errors
/// All faults at once; see [`ConfigError`].
pub fn load(request: &Request) -> Result<Settings, ConfigError> {
    let found = find::find(request).map_err(|problem| ConfigError {
        problems: vec![problem],
        lang: request.env.lang(),
    })?;
    let text = found
        .as_ref()
        .map(|file| (file.path.as_path(), file.text.as_str()));
    let mut settings = resolve::resolve(request, text)?;
    let secret_in_file = |(key, origin): (&Key, &Origin)| {
        key.is_secret() && matches!(origin.source, Source::File { .. })
    };
    if settings.sources.iter().any(secret_in_file) {
        settings
            .warnings
            .extend(found.as_ref().and_then(find::Loaded::warning));
    }
    Ok(settings)
}

/// Like [`load`], with the text of the file at hand: nothing is read from disk.
///
/// # Errors
/// All faults at once; see [`ConfigError`].
pub fn load_text(request: &Request, path: &Path, text: &str) -> Result<Settings, ConfigError> {
    resolve::resolve(request, Some((path, text)))
}
