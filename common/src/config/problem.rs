//! What can be wrong or odd in a configuration, and where. One closed list for
//! refusals and warnings alike, so that each has its sentence in every
//! language (`en`, `zh`). Finding them is the business of the other modules.

mod en;
mod zh;

use std::path::PathBuf;

use super::keys::{FileKind, Key, Shape};
use crate::lang::Lang;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// In a file, at a line and column (both from 1).
    File {
        /// The file as it was named or found.
        path: PathBuf,
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// A file as a whole.
    WholeFile(PathBuf),
    /// An environment variable.
    Env(String),
    /// A flag, without its dashes.
    Flag(String),
    /// Nowhere: a thing that is missing altogether.
    Nowhere,
}

/// Why a value is refused, beyond "not of its kind".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not of the key's kind.
    Kind,
    /// `router` is taken by the router.
    ReservedNode,
    /// A drive letter on a machine that has none.
    WindowsPath,
    /// An address that holds a name or password.
    PasswordInUrl,
    /// No surface of this name.
    Surface,
    /// No such time zone, but perhaps this one.
    Zone(Option<&'static str>),
    /// Line breaks or other control characters.
    Control,
    /// Longer than this many characters.
    TooLong(usize),
}

/// One thing that is wrong or odd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// No file anywhere.
    NotFound {
        /// Which file.
        kind: FileKind,
        /// The places that were tried.
        looked: Vec<PathBuf>,
    },
    /// The file that was named is not there.
    NoSuchFile(FileKind),
    /// It is there but cannot be read.
    Unreadable(String),
    /// Longer than we read, or more keys.
    TooBig,
    /// Not UTF-8.
    NotText,
    /// Not YAML, with the parser's words.
    NotYaml(String),
    /// YAML, but not lines of `KEY: value`.
    NotKeys,
    /// No such key.
    UnknownKey {
        /// As written.
        name: String,
        /// The one that was meant, perhaps.
        guess: Option<Key>,
    },
    /// A key of the other file.
    OtherFile {
        /// The key.
        key: Key,
        /// Where it belongs.
        belongs: FileKind,
    },
    /// The older program's key; with the machine it named, if it can be told.
    RouterUrl(Option<String>),
    /// Written twice.
    Twice {
        /// The key as written.
        name: String,
        /// Line of the first.
        first: usize,
    },
    /// A list where a text is due, or the like.
    Shape(Key),
    /// A value that will not do.
    Value {
        /// The key.
        key: Key,
        /// As written; empty for secrets.
        value: String,
        /// What is wrong with it.
        why: Why,
    },
    /// Needed, because of another key or (None) by the role.
    Missing {
        /// The missing key.
        key: Key,
        /// The key that makes it necessary.
        because: Option<Key>,
    },
    /// Not encrypted, and not on this machine; the address with `tls://`.
    Plaintext {
        /// As written.
        url: String,
        /// What to write instead.
        better: String,
    },
    /// The default lies in the home folder, and there is none.
    NoHome(Key),

    // From here on: warnings.
    /// The example's value; counts as not set.
    Placeholder(Key),
    /// The example's user id; kept, so nobody is let in by mistake.
    PlaceholderUser(Key),
    /// Cut off `/api/v1`.
    ApiSuffix,
    /// A secret that can be guessed.
    ShortSecret(Key),
    /// Others on the machine can read the secrets.
    OpenFile,
    /// `PHONEWORK_…` that means nothing.
    UnknownEnv {
        /// The variable.
        name: String,
        /// The one that was meant, perhaps.
        guess: Option<Key>,
    },
    /// No file, but keys in the environment or flags: goes on with those.
    NoFile(FileKind),
}

/// Something wrong or odd, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub at: At,
    /// What.
    pub what: What,
}

impl Problem {
    /// What is wrong with this address of the broker if it is used as it is: it is not encrypted and leads to another
    /// machine. None when nothing is.
    pub fn plaintext(url: &str) -> Option<Self> {
        super::check::is_open(url).then(|| {
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            Self {
                at: At::Nowhere,
                what: What::Plaintext {
                    url: url.to_owned(),
                    better: format!("tls://{rest}"),
                },
            }
        })
    }

    /// One sentence for the person: where, what, what to write instead.
    pub fn text(&self, lang: Lang) -> String {
        let said = match lang {
            Lang::En => en::sentence(self),
            Lang::Zh => zh::sentence(self),
        };
        let colon = match lang {
            Lang::En => ": ",
            Lang::Zh => "：",
        };
        match &self.at {
            At::File { path, line, column } => match lang {
                Lang::En => format!(
                    "{}, line {line}, column {column}{colon}{said}",
                    path.display()
                ),
                Lang::Zh => format!("{} 第 {line} 行第 {column} 列{colon}{said}", path.display()),
            },
            At::WholeFile(path) => format!("{}{colon}{said}", path.display()),
            At::Env(name) => match lang {
                Lang::En => format!("environment variable {name}{colon}{said}"),
                Lang::Zh => format!("环境变量 {name}{colon}{said}"),
            },
            At::Flag(name) => match lang {
                Lang::En => format!("flag --{name}{colon}{said}"),
                Lang::Zh => format!("参数 --{name}{colon}{said}"),
            },
            At::Nowhere => said,
        }
    }

    /// Any value, written the way this place is written.
    fn write_value(&self, key: Key, value: &str) -> String {
        match &self.at {
            At::Env(_) => format!("{}={value}", key.env_name()),
            At::Flag(_) => format!("--{} {value}", key.flag()),
            At::File { .. } | At::WholeFile(_) | At::Nowhere => format!("{}: {value}", key.name()),
        }
    }

    /// The good example, written the way this place is written.
    fn write_as(&self, key: Key) -> String {
        let example = key.spec().example;
        match &self.at {
            At::Env(_) => format!("{}={example}", key.env_name()),
            At::Flag(_) => format!("--{} {example}", key.flag()),
            At::File { .. } | At::WholeFile(_) | At::Nowhere => match key.spec().kind.shape() {
                Shape::List => format!("{}: [{example}]", key.name()),
                Shape::Scalar | Shape::Map => format!("{}: {example}", key.name()),
            },
        }
    }

    /// The file this is about, for a sentence that sends to the other one.
    fn file_name(&self) -> String {
        match &self.at {
            At::File { path, .. } | At::WholeFile(path) => path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            At::Env(name) | At::Flag(name) => name.clone(),
            At::Nowhere => String::new(),
        }
    }
}

/// A refused configuration: every fault that was found, never none. Its
/// `Display` is the full text for the person.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text(self.lang))]
pub struct ConfigError {
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
    /// The language `Display` speaks.
    pub lang: Lang,
}

impl ConfigError {
    /// The process exit code for it: 64, "used wrongly".
    pub const fn exit_code(&self) -> u8 {
        64
    }

    /// All of it in one text; one problem a line.
    pub fn text(&self, lang: Lang) -> String {
        let lines: Vec<String> = self
            .problems
            .iter()
            .map(|problem| problem.text(lang))
            .collect();
        match (lines.len(), lang) {
            (1, _) => lines.concat(),
            (n, Lang::En) => format!(
                "{n} things are wrong in the configuration:\n- {}",
                lines.join("\n- ")
            ),
            (n, Lang::Zh) => format!("配置有 {n} 处错误：\n- {}", lines.join("\n- ")),
        }
    }
}
