//! From the text of a file to raw values with their places. Each value is read
//! by the shape its key asks for, never through an untyped YAML value: there a
//! secret of digits would have become a number. What the values mean is left
//! to `check`.
//!
//! The parser stops at its first error, and we want all of them with line and
//! column. So the (small, bounded) text is walked once per key, each walk
//! looking at one entry and skipping the others.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::check;
use super::keys::{FileKind, Key, Shape};
use super::problem::{At, Problem, What};

/// Longest text that is read, in bytes; a longer one is refused.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Most entries; more are refused. Bounds the walks.
const MAX_ENTRIES: usize = 200;

/// A value as written, not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Text(String),
    List(Vec<String>),
    Map(serde_json::Map<String, serde_json::Value>),
}

/// A raw value, its key's place and its own.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) raw: Raw,
    pub(super) key_at: At,
    pub(super) value_at: At,
}

/// Reads the text of a file. Values that stand there empty are left out.
pub(super) fn read(
    kind: FileKind,
    path: &Path,
    text: &str,
) -> (BTreeMap<Key, Found>, Vec<Problem>) {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    let place = |spot: Option<Spot>| match spot {
        Some((line, column)) => At::File {
            path: path.to_owned(),
            line,
            column,
        },
        None => At::WholeFile(path.to_owned()),
    };
    let names = match names(text) {
        Ok(names) => names,
        Err((spot, what)) => {
            return (
                found,
                vec![Problem {
                    at: place(spot),
                    what,
                }],
            );
        }
    };
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        let key_spot = spot_of(text, index, Part::Key);
        let key_at = place(key_spot);
        let line = key_spot.map_or(0, |(line, _)| line);
        if let Some(first) = lines.get(name.as_str()) {
            problems.push(Problem {
                at: key_at,
                what: What::Twice {
                    name: name.clone(),
                    first: *first,
                },
            });
            continue;
        }
        lines.insert(name, line);
        let Some(key) = Key::from_name(name) else {
            let what = if name == "ROUTER_URL" {
                let old = value(text, index, Shape::Scalar).ok().flatten();
                What::RouterUrl(old.and_then(|raw| match raw {
                    Raw::Text(url) => check::url_host(&url),
                    Raw::List(_) | Raw::Map(_) => None,
                }))
            } else {
                What::UnknownKey {
                    name: shorten(name),
                    guess: Key::guess(name, kind),
                }
            };
            problems.push(Problem { at: key_at, what });
            continue;
        };
        if !key.spec().files.contain(kind) {
            problems.push(Problem {
                at: key_at,
                what: What::OtherFile {
                    key,
                    belongs: kind.other(),
                },
            });
            continue;
        }
        match value(text, index, key.spec().kind.shape()) {
            Ok(None) => {}
            Ok(Some(raw)) => {
                let value_at = place(spot_of(text, index, Part::Value).or(key_spot));
                found.insert(
                    key,
                    Found {
                        raw,
                        key_at,
                        value_at,
                    },
                );
            }
            Err(spot) => problems.push(Problem {
                at: place(spot.or(key_spot)),
                what: What::Shape(key),
            }),
        }
    }
    (found, problems)
}

/// At most 80 characters of something a person wrote, to quote it.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(80)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

type Spot = (usize, usize);

fn spot(error: &serde_yaml::Error) -> Option<Spot> {
    error.location().map(|at| (at.line(), at.column()))
}

/// The names of all entries, in order; refuses what is no YAML or no map.
fn names(text: &str) -> Result<Vec<String>, (Option<Spot>, What)> {
    // Only this first walk may quote the parser: it looks at no value, so its
    // words hold none (and no secret).
    if let Err(error) = IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(text)) {
        return Err((spot(&error), What::NotYaml(error.to_string())));
    }
    let names = serde_yaml::Deserializer::from_str(text)
        .deserialize_map(Names)
        .map_err(|error| (spot(&error), What::NotKeys))?;
    if names.len() > MAX_ENTRIES {
        return Err((None, What::TooBig));
    }
    Ok(names)
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("lines of KEY: value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = map.next_key()? {
            names.push(name);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(names)
    }
}

/// The value of one entry in the asked-for shape; `None` if it is empty.
fn value(text: &str, index: usize, shape: Shape) -> Result<Option<Raw>, Option<Spot>> {
    fn pick<'de, T: Deserialize<'de>>(
        text: &'de str,
        index: usize,
    ) -> Result<Option<T>, Option<Spot>> {
        let seed = std::marker::PhantomData::<Option<T>>;
        walk(text, index, Part::Value, seed)
            .map(Option::flatten)
            .map_err(|error| spot(&error))
    }
    if pick::<IgnoredAny>(text, index)?.is_none() {
        return Ok(None);
    }
    let text_value = || pick::<String>(text, index).map(|value| value.map(Raw::Text));
    match shape {
        Shape::Scalar => text_value(),
        Shape::List => match pick::<Vec<Option<String>>>(text, index) {
            Ok(items) => Ok(items.map(|items| {
                Raw::List(items.into_iter().map(Option::unwrap_or_default).collect())
            })),
            // One text instead of a list is split later, as in the environment.
            Err(in_list) => text_value().map_err(|_| in_list),
        },
        Shape::Map => pick(text, index).map(|map| map.map(Raw::Map)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Value,
}

/// Where a key or value begins: asks for a text it then refuses, because only
/// errors carry a place.
fn spot_of(text: &str, index: usize, part: Part) -> Option<Spot> {
    walk(text, index, part, Probe)
        .err()
        .and_then(|error| spot(&error))
}

struct Probe;

impl<'de> DeserializeSeed<'de> for Probe {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Probe {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("its place")
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Err(E::custom("here"))
    }
}

/// Gives entry `index`'s key or value to `seed` and skips everything else.
fn walk<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    index: usize,
    part: Part,
    seed: S,
) -> Result<Option<S::Value>, serde_yaml::Error> {
    serde_yaml::Deserializer::from_str(text).deserialize_map(Walk { index, part, seed })
}

struct Walk<S> {
    index: usize,
    part: Part,
    seed: S,
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Walk<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("lines of KEY: value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.index {
            if map.next_entry::<IgnoredAny, IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let got = match self.part {
            Part::Key => {
                let got = map.next_key_seed(self.seed)?;
                map.next_value::<IgnoredAny>()?;
                got
            }
            Part::Value => {
                if map.next_key::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
                Some(map.next_value_seed(self.seed)?)
            }
        };
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(got)
    }
}
