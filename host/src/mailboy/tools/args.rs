//! The arguments of a call, as models write them: missing braces of meaning, numbers as texts, texts
//! as numbers, JSON inside JSON, a fence around it. Pure.

use std::fmt;

use serde_json::{Map, Value};

/// Arguments by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Args(Map<String, Value>);

/// Other names that models use for an argument.
const ALIASES: [(&str, &[&str]); 13] = [
    (
        "path",
        &["file_path", "file", "filename", "dir", "directory"],
    ),
    ("dir", &["directory", "path", "folder", "project"]),
    ("command", &["cmd", "script"]),
    ("text", &["content", "message", "msg", "prompt", "body"]),
    ("session", &["n", "number", "id", "session_id", "name"]),
    ("query", &["q", "question", "keywords"]),
    ("question", &["query", "q"]),
    ("pattern", &["query", "regex", "text"]),
    ("when", &["time", "at", "in", "delay", "schedule"]),
    ("number", &["n", "id", "reminder", "reminder_id"]),
    ("n", &["number", "id", "task", "task_id"]),
    ("in", &["scope"]),
    ("url", &["link", "address"]),
];

impl Args {
    /// Reads what the model wrote.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = unfenced(text.trim());
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut value = json(text).map_err(|why| format!("the arguments are not JSON ({why})"))?;
        if let Value::String(inner) = &value {
            if inner.trim().is_empty() {
                return Ok(Self::default());
            }
            value =
                json(inner).map_err(|_| "the arguments are a text, not an object".to_owned())?;
        }
        if let Value::Array(all) = &mut value
            && all.len() == 1
        {
            value = all.remove(0);
        }
        match value {
            Value::Object(map) => Ok(Self(map)),
            Value::Null => Ok(Self::default()),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err("the arguments are not an object".to_owned())
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let found = |name: &str| self.0.get(name).filter(|value| !value.is_null());
        let aliases = || {
            let (_, others) = ALIASES.iter().find(|(of, _)| *of == name)?;
            others.iter().find_map(|other| found(other))
        };
        found(name).or_else(aliases)
    }

    /// A text that there must be.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        self.maybe_text(name)
            .ok_or_else(|| format!("the argument `{name}` is missing"))
    }

    /// A text, if there is one; of a number its digits.
    pub(super) fn maybe_text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => {
                let text = number.to_string();
                Some(text.strip_suffix(".0").unwrap_or(&text).to_owned())
            }
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null => None,
            other @ (Value::Array(_) | Value::Object(_)) => Some(other.to_string()),
        }
    }

    /// A text that there must be, which may be empty.
    pub(super) fn whole_text(&self, name: &str) -> Result<String, String> {
        match self.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => self.text(name),
        }
    }

    /// A whole number, if there is one.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.maybe_text(name) else {
            return Ok(None);
        };
        let text = text.trim();
        let whole = text.strip_suffix(".0").unwrap_or(text);
        whole
            .parse()
            .map(Some)
            .map_err(|_| format!("the argument `{name}` must be a whole number"))
    }

    /// A yes or no; no where there is none.
    pub(super) fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => {
                matches!(text.trim().to_lowercase().as_str(), "true" | "yes" | "1")
            }
            Some(Value::Number(number)) => number.as_u64() != Some(0),
            _ => false,
        }
    }

    /// What a call is about, in a line: short values in the order of their names.
    pub(super) fn about(&self) -> String {
        let values: Vec<String> = self
            .0
            .values()
            .filter_map(|value| match value {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
            .filter(|text| !text.trim().is_empty())
            .collect();
        values.join(" · ")
    }
}

/// What is inside a fence, with a language or without.
fn unfenced(text: &str) -> &str {
    let inner = text
        .strip_prefix("```")
        .and_then(|inner| inner.strip_suffix("```"));
    let Some(inner) = inner else { return text };
    let word = inner.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    word.trim()
}

/// JSON, also with the slips of models in it. What is cut off stays wrong: half a text is not to be
/// taken for a whole one.
fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|why| serde_json::from_str(&mended(text)).map_err(|_| why))
}

/// Without commas in front of a closing bracket, and with line breaks in texts written as JSON wants
/// them.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        if inside {
            match c {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c => out.push(c),
            }
            inside = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        let rest = || text.get(at + 1..).unwrap_or_default().trim_start();
        if c == ',' && rest().starts_with(['}', ']']) {
            continue;
        }
        inside = c == '"';
        out.push(c);
    }
    out
}

impl fmt::Display for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arguments_are_read_as_models_write_them() {
        for text in [
            r#"{"path":"a","n":3}"#,
            r#""{\"path\":\"a\",\"n\":3}""#,
            "```json\n{\"path\":\"a\",\"n\":\"3\"}\n```",
            r#"{"file_path":"a","n":3.0}"#,
            r#"{"path":"a","n":3,}"#,
            "```\n{\"path\":\"a\",\"n\":3}\n```",
            "```JSON {\"path\":\"a\",\"n\":3}```",
            r#"[{"path":"a","n":3}]"#,
            "\"{\\\"path\\\":\\\"a\\\",\\\"n\\\":3,}\"",
        ] {
            let args = Args::read(text).unwrap();
            assert_eq!(args.text("path").unwrap(), "a", "{text}");
            assert_eq!(args.number("n").unwrap(), Some(3), "{text}");
        }
        assert_eq!(Args::read("").unwrap(), Args::default());
        assert_eq!(Args::read("null").unwrap(), Args::default());
        assert_eq!(Args::read("\"\"").unwrap(), Args::default());
        for bad in [
            "{\"path\":",
            "[1]",
            "[]",
            "{\"path\":\"a",
            "{\"path\":\"a\",",
            "7",
        ] {
            assert!(Args::read(bad).is_err(), "{bad}");
        }
        let args = Args::read(r#"{"path":" ","text":"","n":"many","yes":"true"}"#).unwrap();
        assert!(args.text("path").is_err() && args.number("n").is_err());
        assert_eq!(args.whole_text("text").unwrap(), "");
        assert!(args.flag("yes") && !args.flag("no"));
        let args = Args::read("{\"text\":\"one,}\ntwo\\\"\t\", \"session\":2.0,\n}").unwrap();
        assert_eq!(args.text("text").unwrap(), "one,}\ntwo\"\t");
        assert_eq!(args.text("session").unwrap(), "2");
        let args = Args::read(r#"{"content":"c","schedule":"10m","task_id":"2","scope":"video"}"#);
        let args = args.unwrap();
        for (name, value) in [("text", "c"), ("when", "10m"), ("n", "2"), ("in", "video")] {
            assert_eq!(args.text(name).as_deref(), Ok(value), "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(text in ".{0,60}") {
            let _ = Args::read(&text);
        }
    }
}
