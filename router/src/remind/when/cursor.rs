//! What times are read from: the characters of a text, full-width ones as plain ones and letters small,
//! with a place that moves on where something fits. Numbers are read here, in digits and in Chinese.

/// No time is written in more characters; what is behind them is the reminder's text.
const LONGEST: usize = 160;

/// A place in a text.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// The plain form of each character, and where it begins in the text.
    chars: Vec<(usize, char)>,
    at: usize,
}

fn plain(c: char) -> char {
    match c {
        '\u{3000}' | '\u{a0}' | '\t' | '\n' | '\r' => ' ',
        '“' | '”' | '「' | '」' => '"',
        '‘' | '’' => '\'',
        '–' | '—' | '～' => '-',
        '\u{ff01}'..='\u{ff5e}' => {
            let plain = u32::from(c).checked_sub(0xfee0).and_then(char::from_u32);
            plain.unwrap_or(c).to_ascii_lowercase()
        }
        other => other.to_ascii_lowercase(),
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let chars = text.char_indices().take(LONGEST);
        Self {
            text,
            chars: chars.map(|(at, c)| (at, plain(c))).collect(),
            at: 0,
        }
    }

    /// What is behind this place, as it was written.
    pub(super) fn rest(&self) -> &'a str {
        let from = match self.chars.get(self.at) {
            Some((from, _)) => *from,
            // Behind all that was looked at.
            None => self.chars.last().map_or(0, |(last, _)| {
                let behind = self.text.get(*last..).and_then(|rest| rest.chars().next());
                last + behind.map_or(0, char::len_utf8)
            }),
        };
        self.text.get(from..).unwrap_or_default()
    }

    /// Tries `read` here; where it fails, nothing has moved.
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let found = read(self);
        if found.is_none() {
            self.at = before;
        }
        found
    }

    /// How many characters have been passed.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    pub(super) fn next_is(&self, fits: impl Fn(char) -> bool) -> bool {
        self.chars.get(self.at).is_some_and(|(_, c)| fits(*c))
    }

    /// Whether nothing is left.
    pub(super) fn is_over(&self) -> bool {
        self.chars.get(self.at).is_none()
    }

    pub(super) fn spaces(&mut self) {
        while self.next_is(|c| c == ' ') {
            self.at += 1;
        }
    }

    /// Passes over one character that fits.
    pub(super) fn one(&mut self, fits: impl Fn(char) -> bool) -> Option<char> {
        let (_, c) = *self.chars.get(self.at)?;
        fits(c).then(|| {
            self.at += 1;
            c
        })
    }

    /// Passes over `word`. A word of letters ends where letters end.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let mut end = self.at;
        for wanted in word.chars() {
            if self.chars.get(end).is_none_or(|(_, c)| *c != wanted) {
                return false;
            }
            end += 1;
        }
        let letters = word.ends_with(|c: char| c.is_ascii_alphabetic());
        let goes_on = self
            .chars
            .get(end)
            .is_some_and(|(_, c)| c.is_ascii_alphabetic());
        if word.is_empty() || letters && goes_on {
            return false;
        }
        self.at = end;
        true
    }

    /// Passes over the first of `words` that is here.
    pub(super) fn any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.word(word))
    }

    /// The longest word of a table that is here, and what it stands for.
    pub(super) fn of<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        let mut best: Option<(usize, T)> = None;
        let from = self.at;
        for (word, value) in table {
            if self.word(word) {
                if best.is_none_or(|(end, _)| end < self.at) {
                    best = Some((self.at, *value));
                }
                self.at = from;
            }
        }
        let (end, value) = best?;
        self.at = end;
        Some(value)
    }

    /// Whether the last thing that was read ends in the middle of a word or number.
    pub(super) fn within_a_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.chars.get(at));
        let is_word =
            |found: Option<&(usize, char)>| found.is_some_and(|(_, c)| c.is_ascii_alphanumeric());
        is_word(before) && is_word(self.chars.get(self.at))
    }

    /// Digits, at most `most` of them.
    pub(super) fn digits(&mut self, most: usize) -> Option<u32> {
        self.attempt(|here| {
            let from = here.at;
            let mut value = 0_u32;
            while let Some(c) = here.one(|c| c.is_ascii_digit()) {
                value = value.checked_mul(10)?.checked_add(c.to_digit(10)?)?;
            }
            let count = here.at - from;
            (1..=most).contains(&count).then_some(value)
        })
    }

    /// A whole number in digits, or in Chinese below a thousand.
    pub(super) fn number(&mut self) -> Option<u32> {
        self.digits(6).or_else(|| self.chinese())
    }

    /// "十五", "两", "一百二十", "零五".
    fn chinese(&mut self) -> Option<u32> {
        self.attempt(|here| {
            let (mut sum, mut digit, mut any) = (0_u32, None::<u32>, false);
            // Each factor once, the larger before the smaller.
            let mut below = 1_000;
            while let Some(c) = here.one(|c| figure(c).is_some()) {
                any = true;
                match figure(c)? {
                    Figure::Digit(0) if digit.is_none() => {}
                    Figure::Digit(found) => {
                        // "二三" is no number.
                        if digit.replace(found).is_some() {
                            return None;
                        }
                    }
                    Figure::Times(factor) if factor < below => {
                        sum += digit.take().unwrap_or(1) * factor;
                        below = factor;
                    }
                    Figure::Times(_) => return None,
                }
            }
            any.then(|| sum + digit.unwrap_or(0))
        })
    }

    /// Whether a number begins here.
    pub(super) fn is_number(&self) -> bool {
        self.next_is(|c| c.is_ascii_digit() || figure(c).is_some())
    }
}

enum Figure {
    Digit(u32),
    Times(u32),
}

fn figure(c: char) -> Option<Figure> {
    Some(match c {
        '零' | '〇' => Figure::Digit(0),
        '一' => Figure::Digit(1),
        '二' | '两' | '兩' => Figure::Digit(2),
        '三' => Figure::Digit(3),
        '四' => Figure::Digit(4),
        '五' => Figure::Digit(5),
        '六' => Figure::Digit(6),
        '七' => Figure::Digit(7),
        '八' => Figure::Digit(8),
        '九' => Figure::Digit(9),
        '十' => Figure::Times(10),
        '百' => Figure::Times(100),
        _ => return None,
    })
}
