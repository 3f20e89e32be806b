//! Cleaning what a program wrote for terminals or for its makers before people read it: escape
//! sequences, control characters and internal diagnostics go. What the text says is left alone.

/// Takes out terminal escape sequences and control characters other than line feed and tab.
pub(crate) fn strip_ansi(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // Parameters and intermediates, then one final byte.
                Some('[') => {
                    for c in chars.by_ref() {
                        if ('\u{40}'..='\u{7e}').contains(&c) {
                            break;
                        }
                    }
                }
                // Strings (titles, links) end with BEL or ESC \.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' {
                            break;
                        }
                        if c == '\u{1b}' {
                            chars.next_if_eq(&'\\');
                            break;
                        }
                    }
                }
                // Two-character sequences; a charset choice has a third.
                Some('(' | ')' | '*' | '+' | '#') => {
                    chars.next();
                }
                Some(_) | None => {}
            },
            // A one-character form of ESC [.
            '\u{9b}' => {
                for c in chars.by_ref() {
                    if ('\u{40}'..='\u{7e}').contains(&c) {
                        break;
                    }
                }
            }
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Texts of errors as people may see them: no escapes, no lines that only the makers understand,
/// no made-up tags.
pub(crate) fn for_people(text: &str) -> String {
    let text = strip_ansi(text);
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !is_diagnostic(line))
        .map(str::trim_end)
        .collect();
    let text = kept.join("\n");
    let text = text
        .replace("<tool_use_error>", "")
        .replace("</tool_use_error>", "")
        .replace("<local-command-stdout>", "")
        .replace("</local-command-stdout>", "");
    text.trim().to_owned()
}

/// A bracketed lower-case marker that ends in `_diagnostic`, or a line of a stack trace.
fn is_diagnostic(line: &str) -> bool {
    let marker = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(name, _)| name.ends_with("_diagnostic"));
    // Indented, as no sentence is.
    marker || (line.starts_with("    at ") && line.ends_with(')') && line.contains(':'))
}

/// The first `max` characters on one line, with an ellipsis if something was cut.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        if count > 0 {
            out.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count >= max {
                let keep = out.trim_end().len();
                out.truncate(keep);
                out.push('…');
                return out;
            }
            out.push(c);
            count += 1;
        }
    }
    out
}

/// The last `max` bytes of something that only grows, cut at a character.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// Keeps this many bytes; older ones are forgotten.
    pub(crate) const MAX: usize = 16 * 1024;

    /// Appends.
    pub(crate) fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        if self.bytes.len() > Self::MAX {
            let surplus = self.bytes.len() - Self::MAX;
            self.bytes.drain(..surplus);
        }
    }

    /// What is kept, cleaned.
    pub(crate) fn text(&self) -> String {
        strip_ansi(&String::from_utf8_lossy(&self.bytes))
            .trim_matches(['\u{fffd}', '\n', ' '])
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_go_and_words_stay() {
        for (from, to) in [
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}(Bplain", "plain"),
            ("a\u{9b}2Kb\r\n\tc\u{8}", "ab\n\tc"),
            ("\u{1b}", ""),
            ("half \u{1b}[12", "half "),
        ] {
            assert_eq!(strip_ansi(from), to, "{from:?}");
        }
    }

    #[test]
    fn diagnostics_go() {
        let text = "[ede_diagnostic] result_type=user stop_reason=null\nThe disk is full\n    at write (file.js:1:2)";
        assert_eq!(for_people(text), "The disk is full");
        assert_eq!(for_people("[note] stays"), "[note] stays");
        assert_eq!(
            for_people("<tool_use_error>No such file</tool_use_error>"),
            "No such file"
        );
    }

    #[test]
    fn tail_keeps_the_end() {
        let mut tail = Tail::default();
        for _ in 0..2000 {
            tail.push("é0123456789".as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= Tail::MAX && text.ends_with("é0123456789"));
        assert!(!text.starts_with('\u{fffd}'));
    }

    #[test]
    fn one_line_cuts_by_characters() {
        assert_eq!(one_line("  a\n b\tc ", 10), "a b c");
        assert_eq!(one_line("日本語です", 3), "日本語…");
        assert_eq!(one_line("ab cd", 3), "ab…");
        assert_eq!(one_line("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text in any::<String>()) {
            let clean = strip_ansi(&text);
            prop_assert!(clean.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        }
    }
}
