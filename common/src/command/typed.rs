//! Words as telephones write them: keyboards make one long dash of two short ones, curly quotes of
//! straight ones, and full-width letters, digits and signs of plain ones. Each reads here as what was meant.
//!
//! Only what is an option, a number or a name is read so; the text of a message stays as it is.

use std::borrow::Cow;
use std::str::FromStr;

/// From a full-width sign to the plain one.
const WIDE: u32 = 0xFEE0;
/// Quotes that people put around a name, and what closes each.
const QUOTES: [(char, char); 6] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('‘', '’'),
    ('「', '」'),
];

/// A mark of Chinese writing that ends a word, as in `/status。`.
pub fn is_mark(c: char) -> bool {
    matches!(c, '，' | '。' | '、' | '：' | '；' | '！' | '？' | '．')
}

/// The word with plain letters, digits and signs in place of full-width ones.
pub fn plain(word: &str) -> Cow<'_, str> {
    let is_wide = |c: char| ('！'..='～').contains(&c);
    if !word.contains(is_wide) {
        return Cow::Borrowed(word);
    }
    let narrow = |c: char| {
        let plain = is_wide(c).then(|| char::from_u32(u32::from(c) - WIDE));
        plain.flatten().unwrap_or(c)
    };
    Cow::Owned(word.chars().map(narrow).collect())
}

/// A number, also in full-width digits and with the mark that ends a sentence behind it.
pub fn number<N: FromStr>(typed: &str) -> Option<N> {
    plain(typed.trim().trim_end_matches(is_mark)).parse().ok()
}

/// What is in the quotes around all of it; all of it, if there are none.
pub fn unquoted(typed: &str) -> &str {
    let typed = typed.trim();
    QUOTES
        .into_iter()
        .find_map(|(open, close)| typed.strip_prefix(open)?.strip_suffix(close))
        .unwrap_or(typed)
}

/// What is in the quotes at the beginning, and what stands behind it. None without quotes, and where one
/// is not closed in front of a blank or the end: then it is a part of the word.
pub fn quoted(text: &str) -> Option<(&str, &str)> {
    let (open, close) = QUOTES
        .into_iter()
        .find(|(open, _)| text.starts_with(*open))?;
    let (word, rest) = text.strip_prefix(open)?.split_once(close)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((word, rest))
}

/// An option with what stands behind its `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag<'a> {
    /// Which, as in the list that was asked for.
    pub name: &'static str,
    /// Its value, where it is written with `=`.
    pub value: Option<&'a str>,
}

/// The one of `known` that a word is, as in `--timeout`, `—timeout` or `--timeout=30`. Names are written
/// without dashes.
pub fn flag<'a>(word: &'a str, known: &[&'static str]) -> Option<Flag<'a>> {
    let rest = dashed(word)?;
    let (name, value) = match rest.split_once(['=', '＝']) {
        Some((name, value)) => (name, Some(value)),
        None => (rest, None),
    };
    let name = plain(name);
    let found = known.iter().find(|one| one.eq_ignore_ascii_case(&name));
    found.map(|name| Flag { name, value })
}

/// What stands behind the dashes of a word that is written as an option; none if it is another word.
pub fn dashed(word: &str) -> Option<&str> {
    let is_long = |c: char| matches!(c, '—' | '–' | '―');
    let rest = word.trim_start_matches(|c: char| matches!(c, '-' | '－') || is_long(c));
    let dashes = word.strip_suffix(rest)?;
    (dashes.chars().count() > 1 || dashes.starts_with(is_long)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_as_keyboards_write_them() {
        for (typed, read) in [
            ("2", Some(2)),
            (" １２ ", Some(12)),
            ("2。", Some(2)),
            ("x", None),
            ("", None),
            ("2 3", None),
        ] {
            assert_eq!(number::<u32>(typed), read, "{typed}");
        }
    }

    #[test]
    fn options_as_keyboards_write_them() {
        let known = ["timeout", "bg"];
        let timeout = |value| {
            Some(Flag {
                name: "timeout",
                value,
            })
        };
        for word in [
            "--timeout",
            "—timeout",
            "–timeout",
            "——timeout",
            "－－ｔｉｍｅｏｕｔ",
            "--TIMEOUT",
        ] {
            assert_eq!(flag(word, &known), timeout(None), "{word}");
        }
        assert_eq!(flag("--timeout=30", &known), timeout(Some("30")));
        assert_eq!(flag("—timeout＝３０", &known), timeout(Some("３０")));
        for word in ["-timeout", "timeout", "--timeouts", "--", "-", "", "—"] {
            assert_eq!(flag(word, &known), None, "{word}");
        }
    }

    #[test]
    fn quotes_around_names_go() {
        for typed in ["“a b”", "\"a b\"", " 'a b' ", "‘a b’", "「a b」", "a b"] {
            assert_eq!(unquoted(typed), "a b", "{typed}");
        }
        assert_eq!(unquoted("\"a"), "\"a");
        assert_eq!(unquoted("\""), "\"");
        assert_eq!(quoted("“a b” c"), Some(("a b", " c")));
        assert_eq!(quoted("'a b'c"), None);
        assert_eq!(quoted("it's"), None);
    }

    proptest! {
        #[test]
        fn reading_never_panics(word in ".{0,40}") {
            let _ = (plain(&word), number::<u8>(&word), unquoted(&word), quoted(&word), flag(&word, &["in"]));
        }
    }
}
