//! Spans of time: "10m", "1h 30m", "half an hour", "two and a half hours", "半小时", "一个半小时", "两天".

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

/// Numbers as English writes them out.
const NUMBERS: [(&str, u32); 22] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("eighteen", 18),
    ("twenty", 20),
    ("twenty-five", 25),
    ("thirty", 30),
    ("forty", 40),
    ("forty-five", 45),
    ("fifty", 50),
    ("sixty", 60),
    ("ninety", 90),
];

const QUARTERS: [(&str, u64); 3] = [
    ("quarter of an hour", 15 * MINUTE),
    ("a quarter of an hour", 15 * MINUTE),
    ("three quarters of an hour", 45 * MINUTE),
];

/// A unit alone: "hour" of "every hour", "hour and a half".
pub(super) fn unit(words: &mut Cursor<'_>) -> Option<u64> {
    let unit = words.of(&UNITS)?;
    let half = chinese_half(words) || and_a_half(words);
    Some(unit + if half { unit / 2 } else { 0 })
}

fn and_a_half(words: &mut Cursor<'_>) -> bool {
    let said = words.attempt(|words| {
        words.spaces();
        words.word("and a half").then_some(())
    });
    said.is_some()
}

/// "半" behind a unit, unless another word begins with it.
fn chinese_half(words: &mut Cursor<'_>) -> bool {
    let said = words.attempt(|words| {
        words.word("半").then_some(())?;
        let _ = words.any(&["钟", "鐘"]);
        let other = words.next_is(|c| "价夜天场路程年月".contains(c));
        (!other).then_some(())
    });
    said.is_some()
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
        if let Some(quarters) = words.of(&QUARTERS) {
            return Some(quarters);
        }
        if words.word("half") {
            return half(words);
        }
        if words.any(&["an", "a"]) {
            words.spaces();
            if words.word("half") {
                return half(words);
            }
            return unit(words);
        }
        let number = words.number().or_else(|| words.of(&NUMBERS))?;
        let number = u64::from(number);
        // "1.5h"; a point that ends a sentence stays where it is.
        let tenths = words.attempt(|words| {
            words.one(|c| c == '.')?;
            words.digits(1).map(u64::from)
        });
        let mut tenths = tenths.unwrap_or(0);
        if tenths == 0 && and_a_half(words) {
            tenths = 5;
        }
        words.spaces();
        if words.any(&["个", "個"]) && words.word("半") {
            tenths = 5;
        }
        let unit = words.of(&UNITS)?;
        // "一小时半", "two hours and a half"
        if tenths == 0 && (chinese_half(words) || and_a_half(words)) {
            tenths = 5;
        }
        let whole = number.checked_mul(unit)?;
        whole.checked_add(unit.checked_mul(tenths)? / 10)
    })
}

/// "an hour" of "half an hour".
fn half(words: &mut Cursor<'_>) -> Option<u64> {
    words.spaces();
    if words.any(&["an", "a"]) {
        words.spaces();
    }
    words.of(&UNITS).map(|unit| unit / 2)
}
