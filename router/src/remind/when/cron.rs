//! The five fields of cron: minute, hour, day, month, day of the week. Written out, so that nobody who
//! reads them afterwards takes a short form for another one.

use super::cursor::Cursor;
use crate::remind::repeat::Repeat;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// From, to, and names for the first of them on.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &MONTHS),
    // Seven is Sunday as well.
    (0, 7, &WEEKDAYS),
];

/// `cron "0 9 * * 1-5"`, with or without the marks.
pub(super) fn read(words: &mut Cursor<'_>) -> Option<Repeat> {
    words.word("cron").then_some(())?;
    words.spaces();
    let _ = words.one(|c| c == ':');
    words.spaces();
    let mark = words.one(|c| matches!(c, '"' | '\'' | '`'));
    let mut fields = Vec::new();
    for field in FIELDS {
        words.spaces();
        let mut text = String::new();
        while let Some(c) = words.one(|c| c.is_ascii_alphanumeric() || "*/,-".contains(c)) {
            text.push(c);
        }
        fields.push(written_out(&text, field)?);
    }
    if let Some(mark) = mark {
        words.spaces();
        words.one(|c| c == mark)?;
    } else if !words.next_is(|c| c == ' ') && !words.is_over() || one_more(words) {
        return None;
    }
    Some(Repeat::Cron {
        fields: fields.join(" "),
    })
}

/// Whether a sixth field follows, as where seconds are counted: then the others are not what they seem.
fn one_more(words: &Cursor<'_>) -> bool {
    let mut words = words.clone();
    words.spaces();
    let (mut any, mut marked) = (false, false);
    while let Some(c) = words.one(|c| c.is_ascii_digit() || "*/,-?".contains(c)) {
        marked |= !c.is_ascii_digit();
        any |= !"/,-".contains(c);
    }
    any && marked && (words.is_over() || words.next_is(|c| c == ' '))
}

/// A field as `*` or as a list of numbers.
fn written_out(text: &str, (low, high, names): (u32, u32, &[&str])) -> Option<String> {
    let number = |text: &str| -> Option<u32> {
        let named = names.iter().position(|name| *name == text);
        let found = match named {
            Some(at) => u32::try_from(at).ok()?.checked_add(low)?,
            None => text.parse().ok()?,
        };
        (low..=high).contains(&found).then_some(found)
    };
    let week = high == 7;
    let mut found = Vec::new();
    for item in text.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (item, 1_usize),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, if week { 6 } else { high }),
            Some((from, to)) => (number(from)?, number(to)?),
            None => {
                let from = number(range)?;
                // "5/10" has no end of its own.
                (from, if step > 1 { high } else { from })
            }
        };
        // Also "*/1": a day of the week that is any leaves the day of the month alone.
        if range == "*" && step == 1 && !text.contains(',') {
            return Some("*".to_owned());
        }
        if from > to {
            return None;
        }
        found.extend(
            (from..=to)
                .step_by(step)
                .map(|n| if week { n % 7 } else { n }),
        );
    }
    found.sort_unstable();
    found.dedup();
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    (!found.is_empty()).then(|| found.join(","))
}
