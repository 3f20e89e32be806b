//! One moment: in a while, or on a day at an hour.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use chrono_tz::Tz;

use super::Why;
use super::clock::{self, Day as Known, MORNING, Minute, Part};
use super::cursor::Cursor;
use super::day::{Day, english_day, named, near};
use super::length;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// In so many seconds.
    In(i64),
    /// At this moment; it is to come.
    At(DateTime<Utc>),
}

pub(super) fn read(words: &mut Cursor<'_>, now: DateTime<Utc>, zone: Tz) -> Result<Read, Why> {
    let today = now.with_timezone(&zone).date_naive();
    if let Some(due) = stamp(words) {
        return to_come(due, now);
    }
    if let Some((day, minute)) = days_from_now(words, today) {
        return at(day, minute, now, zone);
    }
    if let Some(seconds) = words.attempt(relative) {
        let seconds = i64::try_from(seconds).map_err(|_| Why::TooFar)?;
        return Ok(Read::In(seconds));
    }
    if let Some((day, minute)) = words.attempt(|words| day_and_hour(words, today)) {
        return at(day, minute, now, zone);
    }
    let Some(minute) = words.attempt(|words| clock::read(words, None)) else {
        return Err(Why::Unclear);
    };
    // "9am tomorrow", "9am on friday", "8 tonight".
    let day = words.attempt(|words| {
        words.spaces();
        let said = words.word("on");
        words.spaces();
        match near(words, today) {
            Some((day, part)) => Some((day, part)),
            None if said => named(words, today, said).map(|day| (day, None)),
            None => english_day(words, today).map(|day| (day, None)),
        }
    });
    if let Some((day, part)) = day {
        let small = minute < 13 * 60;
        let minute = part
            .filter(|_| small)
            .map_or(minute, |part| part.place(minute));
        return at(day, minute, now, zone);
    }
    for days in 0..3 {
        let day = today.checked_add_days(Days::new(days));
        let due = day.and_then(|day| clock::moment(day, minute, zone));
        if let Some(due) = due.filter(|due| *due > now) {
            return Ok(Read::At(due));
        }
    }
    Err(Why::Unclear)
}

/// `2026-12-01T09:00:00+08:00`.
fn stamp(words: &mut Cursor<'_>) -> Option<DateTime<Utc>> {
    words.attempt(|words| {
        let mut text = String::new();
        while let Some(c) = words.one(|c| c != ' ' && c.is_ascii()) {
            text.push(c.to_ascii_uppercase());
        }
        let found = DateTime::parse_from_rfc3339(&text).ok()?;
        Some(found.with_timezone(&Utc))
    })
}

/// "in 10m", "10分钟后", "10m".
fn relative(words: &mut Cursor<'_>) -> Option<u64> {
    let _ = words.any(&["in", "after", "再过", "过", "過"]);
    words.spaces();
    let seconds = length::read(words)?;
    // "10分钟前", "2小时内", "10分钟一次"
    if words.any(&["前", "以前", "之前", "内", "以内", "之内", "一次"]) {
        return None;
    }
    behind(words);
    let mut next = words.clone();
    next.spaces();
    if next.any(&["ago", "before", "from"]) {
        return None;
    }
    Some(seconds)
}

/// "later" behind a span; a comma after it says nothing.
fn behind(words: &mut Cursor<'_>) -> bool {
    words
        .attempt(|words| {
            words.spaces();
            words
                .any(&[
                    "之后", "以后", "過後", "过后", "后", "後", "later", "from now",
                ])
                .then_some(())
        })
        .is_some()
}

/// "3天后上午9点", "in 2 days at 9am": a day, and its hour.
fn days_from_now(words: &mut Cursor<'_>, today: NaiveDate) -> Option<(Day, Minute)> {
    words.attempt(|words| {
        let _ = words.any(&["in", "after", "再过", "过", "過"]);
        words.spaces();
        let seconds = length::read(words)?;
        let days = (seconds > 0 && seconds.is_multiple_of(86_400)).then_some(seconds / 86_400)?;
        behind(words);
        words.spaces();
        words.word("的");
        let minute = clock::read(words, Some(Known::default()))?;
        let day = today.checked_add_days(Days::new(days.min(10_000)))?;
        Some((Day::Exact(day), minute))
    })
}

fn day_and_hour(words: &mut Cursor<'_>, today: NaiveDate) -> Option<(Day, Minute)> {
    let said = words.word("on");
    words.spaces();
    let (day, part) = match near(words, today) {
        Some(found) if !said => found,
        Some(_) | None => (named(words, today, said)?, None),
    };
    let known = Known { part };
    let minute = words.attempt(|words| {
        words.spaces();
        let _ = words.one(|c| matches!(c, ',' | '，' | '的' | 't'));
        words.spaces();
        clock::read(words, Some(known))
    });
    if minute.is_none() && clock::is_no_hour(words) {
        return None;
    }
    let minute = minute.or_else(|| part.map(Part::usual));
    match (minute, day) {
        (Some(minute), _) => Some((day, minute)),
        // "today" alone says nothing.
        (None, Day::Exact(day)) if day == today => None,
        (None, _) => Some((day, MORNING)),
    }
}

fn at(day: Day, minute: Minute, now: DateTime<Utc>, zone: Tz) -> Result<Read, Why> {
    let today = now.with_timezone(&zone).date_naive();
    let first_to_come = |days: &mut dyn Iterator<Item = NaiveDate>| {
        days.filter_map(|day| clock::moment(day, minute, zone))
            .find(|due| *due > now)
            .map(Read::At)
            .ok_or(Why::Unclear)
    };
    match day {
        Day::Exact(day) => {
            let due = clock::moment(day, minute, zone).ok_or(Why::TooFar)?;
            to_come(due, now)
        }
        Day::Weekday(weekday) => first_to_come(
            &mut today
                .iter_days()
                .take(15)
                .filter(|day| day.weekday() == weekday),
        ),
        // The next month that has it.
        Day::OfMonth(day) => {
            let first = today.with_day(1).unwrap_or(today);
            let months = (0..14).filter_map(|n| {
                let month = first.checked_add_months(chrono::Months::new(n))?;
                month.with_day(day)
            });
            first_to_come(&mut months.into_iter())
        }
        // Of a leap day up to eight years are looked at.
        Day::Date { month, day } => {
            let years = today.year()..today.year().saturating_add(9);
            first_to_come(&mut years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)))
        }
    }
}

fn to_come(due: DateTime<Utc>, now: DateTime<Utc>) -> Result<Read, Why> {
    if due > now {
        Ok(Read::At(due))
    } else {
        Err(Why::Past(due))
    }
}
