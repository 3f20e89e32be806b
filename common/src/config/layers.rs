//! The layers laid over each other (file < environment < flag) and one reader
//! per kind of key, which notes problems, warnings and where a value came from.
//! Which keys belong together is left to `resolve`, the file's syntax to `yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::keys::{ENV_PREFIX, Key, Kind};
use super::problem::{At, Problem, What, Why};
use super::settings::{Origin, Source};
use super::yaml::{self, Found, Raw};
use super::{Request, check};
use crate::ids::UserId;
use crate::lang::Lang;
use crate::telemetry::Masked;

pub(super) struct Layers<'a> {
    pub(super) request: &'a Request,
    pub(super) home: Option<PathBuf>,
    /// Where relative paths of the file start.
    base: PathBuf,
    pub(super) found: BTreeMap<Key, Found>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    pub(super) sources: BTreeMap<Key, Origin>,
    /// The file, or nowhere: the place of what is missing.
    pub(super) whole: At,
    /// The file could not be read as keys and values at all.
    pub(super) broken: bool,
}

impl<'a> Layers<'a> {
    pub(super) fn new(request: &'a Request, file: Option<(&Path, &str)>) -> Self {
        let (mut found, mut problems) = match file {
            Some((path, text)) => yaml::read(request.kind, path, text),
            None => (BTreeMap::new(), Vec::new()),
        };
        let broken = problems.iter().any(|problem| {
            matches!(
                problem.what,
                What::NotYaml(_) | What::NotKeys | What::TooBig
            )
        });
        let mut warnings = Vec::new();
        if file.is_none() {
            warnings.push(Problem {
                at: At::Nowhere,
                what: What::NoFile(request.kind),
            });
        }
        for (name, text) in &request.env.0 {
            let Some(key_name) = name.strip_prefix(ENV_PREFIX) else {
                continue;
            };
            let at = At::Env(name.clone());
            match Key::from_name(key_name) {
                // An empty variable is how compose files say "not set".
                Some(_) if text.trim().is_empty() => {}
                Some(key) => {
                    found.insert(
                        key,
                        Found {
                            raw: Raw::Text(text.clone()),
                            key_at: at.clone(),
                            value_at: at,
                        },
                    );
                }
                None if key_name == "CONFIG" => {}
                // Of tests, for what they build.
                #[cfg(feature = "failpoints")]
                None if name == crate::crash_point::VARIABLE => {}
                None if key_name == "ROUTER_URL" => problems.push(Problem {
                    at,
                    what: What::RouterUrl(check::url_host(text)),
                }),
                // Only a warning: others may have put it there.
                None => warnings.push(Problem {
                    what: What::UnknownEnv {
                        name: name.clone(),
                        guess: Key::guess(key_name, request.kind),
                    },
                    at: At::Nowhere,
                }),
            }
        }
        for (key, text) in &request.flags {
            let at = At::Flag(key.flag());
            found.insert(
                *key,
                Found {
                    raw: Raw::Text(text.clone()),
                    key_at: at.clone(),
                    value_at: at,
                },
            );
        }
        let base = file
            .and_then(|(path, _)| path.parent())
            .map(|folder| request.folder.join(folder));
        Self {
            request,
            home: request.env.home(),
            base: base.unwrap_or_else(|| request.folder.clone()),
            found,
            problems,
            warnings,
            sources: BTreeMap::new(),
            whole: file.map_or(At::Nowhere, |(path, _)| At::WholeFile(path.to_owned())),
            broken,
        }
    }

    /// The language to complain in: `LOCALE` if it says one, else the terminal's.
    pub(super) fn lang(&self) -> Lang {
        match self.found.get(&Key::Locale).map(|found| &found.raw) {
            Some(Raw::Text(text)) => Lang::parse(text).unwrap_or_else(|| self.request.env.lang()),
            Some(Raw::List(_) | Raw::Map(_)) | None => self.request.env.lang(),
        }
    }

    /// The text of a key, noted in `sources`; not set if empty or a placeholder.
    pub(super) fn text(&mut self, key: Key) -> Option<String> {
        let found = self.found.get(&key)?.clone();
        let Raw::Text(text) = &found.raw else {
            return None;
        };
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.chars().any(char::is_control) {
            self.refuse(key, text, Why::Control);
            return None;
        }
        if check::is_placeholder(text) {
            self.warnings.push(Problem {
                at: found.value_at,
                what: What::Placeholder(key),
            });
            return None;
        }
        self.note(key, &found, text.to_owned());
        Some(text.to_owned())
    }

    pub(super) fn parse<T>(
        &mut self,
        key: Key,
        read: impl FnOnce(&str) -> Result<T, Why>,
    ) -> Option<T> {
        let text = self.text(key)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.refuse(key, &text, why);
                None
            }
        }
    }

    pub(super) fn secret(&mut self, key: Key) -> Option<SecretString> {
        self.text(key).map(SecretString::from)
    }

    pub(super) fn flag(&mut self, key: Key, default: bool) -> bool {
        self.parse(key, check::boolean).unwrap_or(default)
    }

    pub(super) fn number(&mut self, key: Key, default: u32) -> u32 {
        let Kind::Number { min, max } = key.spec().kind else {
            return default;
        };
        self.parse(key, |text| check::number(text, min, max))
            .unwrap_or(default)
    }

    pub(super) fn path(&mut self, key: Key) -> Option<PathBuf> {
        let (base, home) = (self.base_of(key), self.home.clone());
        self.parse(key, |text| check::path(text, &base, home.as_deref()))
    }

    pub(super) fn program(&mut self, key: Key) -> Option<PathBuf> {
        let (base, home) = (self.base_of(key), self.home.clone());
        self.parse(key, |text| check::program(text, &base, home.as_deref()))
    }

    pub(super) fn paths(&mut self, key: Key) -> Vec<PathBuf> {
        let (base, home) = (self.base_of(key), self.home.clone());
        self.each(key, |text| check::path(text, &base, home.as_deref()))
    }

    /// User ids. Placeholders stay: dropping the only id of a list would let
    /// everybody in.
    pub(super) fn users(&mut self, key: Key) -> Vec<UserId> {
        let mut users = self.each(key, check::user);
        users.dedup();
        let fake = users
            .iter()
            .any(|user| check::is_placeholder(user.native()));
        if let (true, Some(found)) = (fake, self.found.get(&key)) {
            self.warnings.push(Problem {
                at: found.value_at.clone(),
                what: What::PlaceholderUser(key),
            });
        }
        users
    }

    fn each<T>(&mut self, key: Key, read: impl Fn(&str) -> Result<T, Why>) -> Vec<T> {
        let Some(items) = self.list(key) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for item in items {
            match read(&item) {
                Ok(value) => values.push(value),
                Err(why) => self.refuse(key, &item, why),
            }
        }
        values
    }

    /// The items of a list key; one text is split on blanks (words) or commas.
    pub(super) fn list(&mut self, key: Key) -> Option<Vec<String>> {
        let found = self.found.get(&key)?.clone();
        let words = matches!(key.spec().kind, Kind::Words);
        let items: Vec<String> = match &found.raw {
            Raw::Text(text) if words => text.split_whitespace().map(str::to_owned).collect(),
            Raw::Text(text) if text.trim().is_empty() => Vec::new(),
            Raw::Text(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
            Raw::List(items) if words => items.clone(),
            Raw::List(items) => items.iter().map(|item| item.trim().to_owned()).collect(),
            Raw::Map(_) => return None,
        };
        if let Some(odd) = items.iter().find(|item| item.chars().any(char::is_control)) {
            self.refuse(key, odd, Why::Control);
            return None;
        }
        self.note(key, &found, items.join(if words { " " } else { ", " }));
        Some(items)
    }

    pub(super) fn map(&mut self, key: Key) -> serde_json::Map<String, serde_json::Value> {
        let Some(found) = self.found.get(&key).cloned() else {
            return serde_json::Map::new();
        };
        let map = match &found.raw {
            Raw::Map(map) => Some(map.clone()),
            Raw::Text(text) => serde_json::from_str(text).ok(),
            Raw::List(_) => None,
        };
        if let Some(map) = map {
            // Only the names: what is sent along may well be secret.
            let names: Vec<_> = map.keys().map(String::as_str).collect();
            self.note(key, &found, names.join(", "));
            map
        } else {
            self.problems.push(Problem {
                at: found.value_at,
                what: What::Shape(key),
            });
            serde_json::Map::new()
        }
    }

    /// Paths of the file start at its folder, others at the current one.
    fn base_of(&self, key: Key) -> PathBuf {
        match self.found.get(&key).map(|found| &found.key_at) {
            Some(At::File { .. } | At::WholeFile(_)) => self.base.clone(),
            Some(At::Env(_) | At::Flag(_) | At::Nowhere) | None => self.request.folder.clone(),
        }
    }

    /// Whether this key's value was refused, or its name misspelt.
    pub(super) fn is_told(&self, key: Key) -> bool {
        self.problems.iter().any(|problem| match &problem.what {
            What::Value { key: of, .. } | What::Shape(of) => *of == key,
            What::UnknownKey { guess, .. } => *guess == Some(key),
            What::RouterUrl(_) => key == Key::NatsUrl,
            What::NotFound { .. }
            | What::NoSuchFile(_)
            | What::Unreadable(_)
            | What::TooBig
            | What::NotText
            | What::NotYaml(_)
            | What::NotKeys
            | What::OtherFile { .. }
            | What::Twice { .. }
            | What::Missing { .. }
            | What::NoHome(_)
            | What::Placeholder(_)
            | What::PlaceholderUser(_)
            | What::ApiSuffix
            | What::ShortSecret(_)
            | What::OpenFile
            | What::UnknownEnv { .. }
            | What::NoFile(_)
            | What::Plaintext { .. } => false,
        })
    }

    /// Where a key's value stands.
    pub(super) fn place(&self, key: Key) -> At {
        self.found
            .get(&key)
            .map_or(At::Nowhere, |found| found.value_at.clone())
    }

    fn refuse(&mut self, key: Key, text: &str, why: Why) {
        let at = self.place(key);
        // Neither secrets nor passwords in addresses are quoted.
        let hidden = key.is_secret() || why == Why::PasswordInUrl;
        let value = if hidden {
            String::new()
        } else {
            yaml::shorten(text)
        };
        self.problems.push(Problem {
            at,
            what: What::Value { key, value, why },
        });
    }

    fn note(&mut self, key: Key, found: &Found, shown: String) {
        let source = match &found.key_at {
            At::File { path, line, .. } => Source::File {
                path: path.clone(),
                line: *line,
            },
            At::WholeFile(path) => Source::File {
                path: path.clone(),
                line: 0,
            },
            At::Env(_) => Source::Env,
            At::Flag(_) => Source::Flag,
            At::Nowhere => Source::Default,
        };
        let shown = if key.is_secret() {
            Masked(&shown).to_string()
        } else {
            shown
        };
        self.sources.insert(key, Origin { source, shown });
    }

    pub(super) fn default_is(&mut self, key: Key, shown: &str) {
        self.sources.entry(key).or_insert_with(|| Origin {
            source: Source::Default,
            shown: shown.to_owned(),
        });
    }

    pub(super) fn complete_sources(&mut self) {
        for key in Key::ALL
            .iter()
            .copied()
            .filter(|key| key.spec().files.contain(self.request.kind))
        {
            self.default_is(key, key.spec().default);
        }
    }
}
