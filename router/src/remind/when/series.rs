//! What comes again and again: "every 10m", "every mon-fri 9:00", "每周一三五 9点", `cron "…"`.

use chrono::Weekday;

use super::clock::{self, Day, MORNING, Minute};
use super::cursor::Cursor;
use super::once::{WEEK, WEEKDAYS, chinese_weekday};
use super::{cron, length};
use crate::remind::repeat::{Days, Repeat};

const MIDNIGHT: Minute = 24 * 60;

/// Days that have a name together.
const GROUPS: [(&str, Days); 14] = [
    ("day", Days::ALL),
    ("morning", Days::ALL),
    ("weekday", Days::WORK),
    ("weekdays", Days::WORK),
    ("workday", Days::WORK),
    ("workdays", Days::WORK),
    ("working day", Days::WORK),
    ("weekend", Days::WEEKEND),
    ("weekends", Days::WEEKEND),
    ("天", Days::ALL),
    ("日", Days::ALL),
    ("工作日", Days::WORK),
    ("周末", Days::WEEKEND),
    ("週末", Days::WEEKEND),
];

pub(super) fn read(words: &mut Cursor<'_>) -> Option<Repeat> {
    if let Some(found) = words.attempt(cron::read) {
        return Some(found);
    }
    words
        .attempt(english)
        .or_else(|| words.attempt(chinese))
        .or_else(|| words.attempt(short))
}

/// "daily 9:00", "weekdays at 9", "工作日 9:00", "天天 9点".
fn short(words: &mut Cursor<'_>) -> Option<Repeat> {
    let days = words.of(&[
        ("daily", Days::ALL),
        ("everyday", Days::ALL),
        ("weekdays", Days::WORK),
        ("workdays", Days::WORK),
        ("weekends", Days::WEEKEND),
        ("工作日", Days::WORK),
        ("天天", Days::ALL),
    ])?;
    Some(on(words, days))
}

fn english(words: &mut Cursor<'_>) -> Option<Repeat> {
    words.any(&["every", "each"]).then_some(())?;
    words.spaces();
    if let Some(days) = words.attempt(english_days) {
        return Some(on(words, days));
    }
    // "every evening": the hour is the part's own.
    if let Some(minute) = words.attempt(part_of_day) {
        return Some(daily(Days::ALL, minute));
    }
    if let Some(days) = words.of(&GROUPS) {
        return Some(on(words, days));
    }
    period(words)
}

fn chinese(words: &mut Cursor<'_>) -> Option<Repeat> {
    words.any(&["每隔", "每逢", "每"]).then_some(())?;
    words.spaces();
    if let Some(days) = words.attempt(chinese_days) {
        return Some(on(words, days));
    }
    if let Some(found) = words.attempt(monthly) {
        return Some(found);
    }
    if let Some(minute) = words.attempt(part_of_day) {
        return Some(daily(Days::ALL, minute));
    }
    let days = words.attempt(|words| {
        let _ = words.any(&["个", "個"]);
        words.of(&GROUPS)
    });
    match days {
        Some(days) => Some(on(words, days)),
        None => period(words),
    }
}

/// A span, and no hour behind it: how that would go together is not said.
fn period(words: &mut Cursor<'_>) -> Option<Repeat> {
    let seconds = length::read(words).or_else(|| {
        let _ = words.any(&["个", "個"]);
        length::unit(words)
    })?;
    let mut behind = words.clone();
    behind.spaces();
    match clock::read(&mut behind, None) {
        Some(_) => None,
        None => Some(Repeat::Every { seconds }),
    }
}

/// On these days, at the hour that follows.
fn on(words: &mut Cursor<'_>, days: Days) -> Repeat {
    let minute = words.attempt(|words| {
        words.spaces();
        let _ = words.one(|c| matches!(c, ',' | '，' | '的'));
        words.spaces();
        clock::read(words, Some(Day::default()))
    });
    daily(days, minute.unwrap_or(MORNING))
}

/// "每晚12点" is the end of the day.
fn daily(days: Days, minute: Minute) -> Repeat {
    let (days, minute) = if minute >= MIDNIGHT {
        (days.later(), minute - MIDNIGHT)
    } else {
        (days, minute)
    };
    Repeat::Days { days, minute }
}

fn part_of_day(words: &mut Cursor<'_>) -> Option<Minute> {
    let part = clock::part(words).or_else(|| {
        let short = [("早", clock::Part::Morning), ("晚", clock::Part::Evening)];
        words.of(&short)
    })?;
    let hour = words.attempt(|words| {
        words.spaces();
        clock::read(words, Some(Day { part: Some(part) }))
    });
    Some(hour.unwrap_or_else(|| part.usual()))
}

/// "mon-fri", "mon, wed and fri", "monday".
fn english_days(words: &mut Cursor<'_>) -> Option<Days> {
    let mut days = Days::NONE;
    loop {
        let from = words.of(&WEEKDAYS)?;
        let to = words.attempt(|words| {
            words.spaces();
            (words.word("-") || words.any(&["to", "through"])).then_some(())?;
            words.spaces();
            words.of(&WEEKDAYS)
        });
        days = days.and(from, to.unwrap_or(from));
        let more = words.attempt(|words| {
            words.spaces();
            let mark = words.one(|c| matches!(c, ',' | '/' | '&' | '+')).is_some();
            words.spaces();
            let and = words.word("and");
            words.spaces();
            (mark || and).then_some(())?;
            words.clone().of(&WEEKDAYS).map(|_| ())
        });
        if more.is_none() {
            return Some(days);
        }
    }
}

/// "周一", "周一到周五", "周一三五", "周一、周三".
fn chinese_days(words: &mut Cursor<'_>) -> Option<Days> {
    let _ = words.any(&["个", "個"]);
    words.any(&WEEK).then_some(())?;
    let day = |words: &mut Cursor<'_>| -> Option<Weekday> {
        words
            .one(|c| chinese_weekday(c).is_some())
            .and_then(chinese_weekday)
    };
    let mut days = Days::NONE;
    let mut from = day(words)?;
    loop {
        let to = words.attempt(|words| {
            words.one(|c| matches!(c, '到' | '至' | '-' | '~'))?;
            let _ = words.any(&WEEK);
            day(words)
        });
        days = days.and(from, to.unwrap_or(from));
        let more = words.attempt(|words| {
            let mark = words
                .one(|c| matches!(c, '、' | ',' | '，' | '和' | '及'))
                .is_some();
            let week = words.any(&WEEK);
            // "周一 9:00", "周一9点": a digit is the hour's, unless a mark says otherwise.
            if !mark && !week && words.next_is(|c| c.is_ascii_digit()) {
                return None;
            }
            let found = day(words)?;
            // "周一三点": that was the hour; "周一三十分" is no list either.
            let hour = words.next_is(|c| matches!(c, '点' | '點' | '时' | '時' | '十'));
            (!hour).then_some(found)
        });
        match more {
            Some(next) => from = next,
            None => return Some(days),
        }
    }
}

/// "每月1号9点".
fn monthly(words: &mut Cursor<'_>) -> Option<Repeat> {
    let _ = words.any(&["个", "個"]);
    words.one(|c| c == '月')?;
    let _ = words.word("的");
    words.spaces();
    let day = words.number().filter(|day| (1..=31).contains(day))?;
    words.one(|c| matches!(c, '日' | '号' | '號'))?;
    let minute = words.attempt(|words| {
        words.spaces();
        let _ = words.one(|c| matches!(c, ',' | '，' | '的'));
        clock::read(words, Some(Day::default()))
    });
    let minute = minute.unwrap_or(MORNING);
    // The day behind the last of a month is not the next number.
    (minute < MIDNIGHT).then_some(Repeat::Month { day, minute })
}
