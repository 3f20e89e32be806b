//! The sentences in English. The place is put in front by the caller.

use super::{Problem, What, Why};
use crate::config::keys::{Key, Kind};

pub(super) fn sentence(problem: &Problem) -> String {
    let guess = |guess: &Option<Key>| match guess {
        Some(key) => format!(" Did you mean {}?", key.name()),
        None => String::new(),
    };
    match &problem.what {
        What::NotFound { kind, looked } => {
            let places: Vec<_> = looked.iter().map(|path| path.display().to_string()).collect();
            format!(
                "There is no {name}; looked for {places}. Copy {example} to {name} and fill it in, or name a file with --config FILE.",
                name = kind.file_name(),
                places = places.join(" and "),
                example = kind.example_name(),
            )
        }
        What::NoSuchFile(kind) => format!(
            "there is no such file. Give --config an existing file, or copy {} to that place.",
            kind.example_name()
        ),
        What::Unreadable(detail) => {
            format!("the file cannot be read ({detail}). Check that it is a file and that you may read it.")
        }
        What::TooBig => {
            "the file is too big for a configuration (at most 64 KB and 200 keys). Is it the right file?".to_owned()
        }
        What::NotText => "the file is not UTF-8 text. Save it as UTF-8.".to_owned(),
        What::NotYaml(detail) => format!(
            "this is not valid YAML ({detail}). Write one `KEY: value` a line, indent lists with spaces, and put values with special characters in 'single quotes'."
        ),
        What::NotKeys => {
            "expected lines of the form `KEY: value`, with a blank after the colon. Compare with the example file.".to_owned()
        }
        What::UnknownKey { name, guess: meant } => format!(
            "there is no key {name}.{} Correct or remove the line.",
            guess(meant)
        ),
        What::OtherFile { key, belongs } => format!(
            "{key} does not belong in {here} but in {there}. Move the line there or remove it.",
            key = key.name(),
            here = belongs.other().file_name(),
            there = belongs.file_name(),
        ),
        What::RouterUrl(host) => format!(
            "ROUTER_URL is of an older program and no longer used. Write in its place the address of the broker, for example NATS_URL: tls://{}:4222",
            host.as_deref().unwrap_or("192.168.1.100")
        ),
        What::Twice { name, first } => {
            format!("{name} is written twice, first in line {first}. Remove one of the two.")
        }
        What::Shape(key) => format!(
            "{} must be {}. Write for example {}",
            key.name(),
            want(key.spec().kind),
            problem.write_as(*key)
        ),
        What::Value { key, value, why } => {
            let name = key.name();
            let example = problem.write_as(*key);
            match why {
                Why::Kind if key.is_secret() => {
                    format!("{name} must be {}. Write for example {example}", want(key.spec().kind))
                }
                Why::Kind => format!(
                    "{name} must be {}, not \"{value}\". Write for example {example}",
                    want(key.spec().kind)
                ),
                Why::ReservedNode => format!(
                    "{name} cannot be \"{value}\": the router itself goes by that name. Choose another, for example {example}"
                ),
                Why::WindowsPath => format!(
                    "{name} is the Windows path \"{value}\", but this machine is not Windows. Write for example {example}"
                ),
                Why::PasswordInUrl => format!(
                    "{name} must not hold a user name or password. Leave out what stands before the @ and put the credentials into a file named by NATS_CREDS, if they are for the broker."
                ),
                Why::Surface => format!(
                    "{name} has \"{value}\", but the surfaces are feishu and web. Write for example {example}"
                ),
                Why::Zone(meant) => {
                    let meant = meant.map(|zone| format!(" Did you mean {zone}?")).unwrap_or_default();
                    format!("{name}: there is no time zone \"{value}\".{meant} Write an IANA name, for example {example}")
                }
                Why::Control => format!(
                    "{name} holds a line break or another control character. Write it on one line, without them."
                ),
                Why::TooLong(most) => format!(
                    "{name} is longer than {most} characters. Write something shorter, for example {example}"
                ),
            }
        }
        What::Missing { key, because: Some(because) } => format!(
            "{because} is set but {key} is not. Add {example}, or remove {because}.",
            because = because.name(),
            key = key.name(),
            example = problem.write_as(*key),
        ),
        What::Missing { key, because: None } => {
            format!("{} is missing. Add for example {}", key.name(), problem.write_as(*key))
        }
        What::Plaintext { url, better } => format!(
            "{url} leads to another machine and is not encrypted: whoever is on the way could read and change everything. Write {tls} (on the hub, `phonework init` makes the certificate for it), or, if you trust every network on the way, add {anyway}",
            tls = problem.write_value(Key::NatsUrl, better),
            anyway = problem.write_value(Key::NatsPlaintext, "true"),
        ),
        What::NoHome(key) => format!(
            "{} is not set and there is no home folder (HOME) for its default. Add for example {}",
            key.name(),
            problem.write_as(*key)
        ),
        What::Placeholder(key) => format!(
            "{} still has the example's value and counts as not set. Fill it in or empty it.",
            key.name()
        ),
        What::PlaceholderUser(key) => format!(
            "{} still has the example's id, which is nobody. Put in your own, or empty the list.",
            key.name()
        ),
        What::ApiSuffix => "METASO_BASE_URL is written without /api/v1; that end was left out.".to_owned(),
        What::ShortSecret(key) => format!(
            "{} is short enough to be guessed. Take at least 16 random characters, for example from `openssl rand -hex 32`.",
            key.name()
        ),
        What::OpenFile => format!(
            "other users of this machine can read the secrets in it. Run: chmod 600 {}",
            problem.file_name()
        ),
        What::UnknownEnv { name, guess: meant } => {
            let meant = meant.map(|key| format!(" Did you mean {}?", key.env_name())).unwrap_or_default();
            format!("{name} means nothing and is ignored.{meant}")
        }
        What::NoFile(kind) => format!(
            "There is no {}; only the environment and the flags are used.",
            kind.file_name()
        ),
    }
}

fn want(kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Secret => "a text".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
        Kind::Path => "one path".to_owned(),
        Kind::Paths => "a list of paths".to_owned(),
        Kind::Program => "the name or path of a program".to_owned(),
        Kind::Words => "a list of words or one line of text".to_owned(),
        Kind::Users => "a list of user ids like ou_abc123 or web/anna".to_owned(),
        Kind::Map => "a map of names and values".to_owned(),
        Kind::HttpUrl => "an address beginning with https:// or http://".to_owned(),
        Kind::NatsUrl => "an address beginning with tls://, wss:// or nats://".to_owned(),
        Kind::Address => "an IP address".to_owned(),
        Kind::Locale => "zh or en".to_owned(),
        Kind::Zone => "an IANA time zone".to_owned(),
        Kind::NodeId => "1 to 32 of the characters a-z, 0-9 and -".to_owned(),
        Kind::Filter => "a log level (error, warn, info, debug, trace) or filter".to_owned(),
    }
}
