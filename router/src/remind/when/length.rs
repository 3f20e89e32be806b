//! Spans of time: "10m", "1h 30m", "half an hour", "半小时", "一个半小时", "两天".

use super::cursor::Cursor;

/// Parts that one span is put together from.
const PARTS: usize = 6;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;

const UNITS: [(&str, u64); 39] = [
    ("s", 1),
    ("sec", 1),
    ("secs", 1),
    ("second", 1),
    ("seconds", 1),
    ("m", MINUTE),
    ("min", MINUTE),
    ("mins", MINUTE),
    ("minute", MINUTE),
    ("minutes", MINUTE),
    ("h", HOUR),
    ("hr", HOUR),
    ("hrs", HOUR),
    ("hour", HOUR),
    ("hours", HOUR),
    ("d", DAY),
    ("day", DAY),
    ("days", DAY),
    ("w", WEEK),
    ("wk", WEEK),
    ("wks", WEEK),
    ("week", WEEK),
    ("weeks", WEEK),
    ("秒", 1),
    ("秒钟", 1),
    ("秒鐘", 1),
    ("分", MINUTE),
    ("分钟", MINUTE),
    ("分鐘", MINUTE),
    ("小时", HOUR),
    ("小時", HOUR),
    ("钟头", HOUR),
    ("刻钟", 15 * MINUTE),
    ("天", DAY),
    ("周", WEEK),
    ("週", WEEK),
    ("星期", WEEK),
    ("礼拜", WEEK),
    ("禮拜", WEEK),
];

/// A unit alone: "hour" of "every hour".
pub(super) fn unit(words: &mut Cursor<'_>) -> Option<u64> {
    words.of(&UNITS)
}

/// A span, in seconds.
pub(super) fn read(words: &mut Cursor<'_>) -> Option<u64> {
    let mut sum = part(words)?;
    for _ in 1..PARTS {
        let more = words.attempt(|words| {
            words.spaces();
            if words.word("and") {
                words.spaces();
            }
            part(words)
        });
        match more {
            Some(more) => sum = sum.checked_add(more)?,
            None => break,
        }
    }
    Some(sum)
}

fn part(words: &mut Cursor<'_>) -> Option<u64> {
    words.attempt(|words| {
        if words.word("半") {
            words.word("个");
            return words.of(&UNITS).map(|unit| unit / 2);
        }
        if words.word("half") {
            words.spaces();
            if words.any(&["an", "a"]) {
                words.spaces();
            }
            return words.of(&UNITS).map(|unit| unit / 2);
        }
        if words.any(&["an", "a", "one"]) {
            words.spaces();
            return words.of(&UNITS);
        }
        let number = u64::from(words.number()?);
        // "1.5h"; a point that ends a sentence stays where it is.
        let tenths = words.attempt(|words| {
            words.one(|c| c == '.')?;
            words.digits(1).map(u64::from)
        });
        let mut tenths = tenths.unwrap_or(0);
        words.spaces();
        if words.any(&["个", "個"]) && words.word("半") {
            tenths = 5;
        }
        let unit = words.of(&UNITS)?;
        // "一小时半"
        if unit == HOUR && tenths == 0 && words.word("半") {
            tenths = 5;
        }
        let whole = number.checked_mul(unit)?;
        whole.checked_add(unit.checked_mul(tenths)? / 10)
    })
}
