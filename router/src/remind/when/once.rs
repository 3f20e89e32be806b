//! One moment: in a while, or on a day at an hour.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

use super::Why;
use super::clock::{self, Day as Known, MORNING, Minute, Part};
use super::cursor::Cursor;
use super::length;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// In so many seconds.
    In(i64),
    /// At this moment; it is to come.
    At(DateTime<Utc>),
}

/// A day as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// That one, also when it is over.
    Exact(NaiveDate),
    /// The next such day.
    Weekday(Weekday),
    /// The next day of that date.
    Date { month: u32, day: u32 },
}

/// How many days from today, and the part of that day if the word names one.
const NEAR: [(&str, (u64, Option<Part>)); 32] = [
    ("today", (0, None)),
    ("this morning", (0, Some(Part::Morning))),
    ("this afternoon", (0, Some(Part::Afternoon))),
    ("this evening", (0, Some(Part::Evening))),
    ("tonight", (0, Some(Part::Evening))),
    ("tomorrow", (1, None)),
    ("tomorrow morning", (1, Some(Part::Morning))),
    ("tomorrow afternoon", (1, Some(Part::Afternoon))),
    ("tomorrow evening", (1, Some(Part::Evening))),
    ("tomorrow night", (1, Some(Part::Evening))),
    ("tmr", (1, None)),
    ("tmrw", (1, None)),
    ("day after tomorrow", (2, None)),
    ("the day after tomorrow", (2, None)),
    ("今天", (0, None)),
    ("今日", (0, None)),
    ("今早", (0, Some(Part::Morning))),
    ("今晚", (0, Some(Part::Evening))),
    ("今晚上", (0, Some(Part::Evening))),
    ("今夜", (0, Some(Part::Evening))),
    ("明天", (1, None)),
    ("明日", (1, None)),
    ("明早", (1, Some(Part::Morning))),
    ("明早上", (1, Some(Part::Morning))),
    ("明晚", (1, Some(Part::Evening))),
    ("明晚上", (1, Some(Part::Evening))),
    ("后天", (2, None)),
    ("後天", (2, None)),
    ("后日", (2, None)),
    ("大后天", (3, None)),
    ("大後天", (3, None)),
    ("今儿", (0, None)),
];

const MONTHS: [(&str, u32); 24] = [
    ("jan", 1),
    ("january", 1),
    ("feb", 2),
    ("february", 2),
    ("mar", 3),
    ("march", 3),
    ("apr", 4),
    ("april", 4),
    ("may", 5),
    ("jun", 6),
    ("june", 6),
    ("jul", 7),
    ("july", 7),
    ("aug", 8),
    ("august", 8),
    ("sep", 9),
    ("sept", 9),
    ("september", 9),
    ("oct", 10),
    ("october", 10),
    ("nov", 11),
    ("november", 11),
    ("dec", 12),
    ("december", 12),
];

/// The days of the week, as both languages call them.
pub(super) const WEEKDAYS: [(&str, Weekday); 18] = [
    ("mon", Weekday::Mon),
    ("monday", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("tues", Weekday::Tue),
    ("tuesday", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("wednesday", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("thur", Weekday::Thu),
    ("thurs", Weekday::Thu),
    ("thursday", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("friday", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("saturday", Weekday::Sat),
    ("sun", Weekday::Sun),
    ("sunday", Weekday::Sun),
    ("weds", Weekday::Wed),
];

/// What stands behind 周.
pub(super) fn chinese_weekday(c: char) -> Option<Weekday> {
    Some(match c {
        '一' | '1' => Weekday::Mon,
        '二' | '2' => Weekday::Tue,
        '三' | '3' => Weekday::Wed,
        '四' | '4' => Weekday::Thu,
        '五' | '5' => Weekday::Fri,
        '六' | '6' => Weekday::Sat,
        '日' | '天' | '七' | '7' => Weekday::Sun,
        _ => return None,
    })
}

/// The words for a week before a day of it.
pub(super) const WEEK: [&str; 5] = ["周", "週", "星期", "礼拜", "禮拜"];

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
    // "9am tomorrow", where nothing but a day can be meant.
    let day = words.attempt(|words| {
        words.spaces();
        let said = words.word("on");
        words.spaces();
        match near(words, today) {
            Some((day, _)) => Some(day),
            None if said => named(words, today),
            None => None,
        }
    });
    if let Some(day) = day {
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
    behind(words);
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
        let minute = clock::read(words, None)?;
        let day = today.checked_add_days(Days::new(days.min(10_000)))?;
        Some((Day::Exact(day), minute))
    })
}

fn day_and_hour(words: &mut Cursor<'_>, today: NaiveDate) -> Option<(Day, Minute)> {
    let said = words.word("on");
    words.spaces();
    let (day, part) = match near(words, today) {
        Some(found) if !said => found,
        Some(_) | None => (named(words, today)?, None),
    };
    let known = Known { part };
    let minute = words.attempt(|words| {
        words.spaces();
        let _ = words.one(|c| matches!(c, ',' | '，' | '的' | 't'));
        words.spaces();
        clock::read(words, Some(known))
    });
    let minute = minute.or_else(|| part.map(Part::usual));
    match (minute, day) {
        (Some(minute), _) => Some((day, minute)),
        // "today" alone says nothing.
        (None, Day::Exact(day)) if day == today => None,
        (None, _) => Some((day, MORNING)),
    }
}

fn near(words: &mut Cursor<'_>, today: NaiveDate) -> Option<(Day, Option<Part>)> {
    let (days, part) = words.of(&NEAR)?;
    let day = today.checked_add_days(Days::new(days))?;
    Some((Day::Exact(day), part))
}

fn named(words: &mut Cursor<'_>, today: NaiveDate) -> Option<Day> {
    words
        .attempt(|words| in_digits(words))
        .or_else(|| words.attempt(|words| chinese_date(words, today)))
        .or_else(|| words.attempt(|words| english_date(words)))
        .or_else(|| words.attempt(|words| weekday(words, today)))
}

/// `2026-12-01`, `2026/12/1`, `2026年12月1日`.
fn in_digits(words: &mut Cursor<'_>) -> Option<Day> {
    let year = words.digits(4).filter(|year| *year >= 1_000)?;
    let between = words.one(|c| matches!(c, '-' | '/' | '.' | '年'))?;
    let month = words.number()?;
    words.one(|c| {
        if between == '年' {
            c == '月'
        } else {
            c == between
        }
    })?;
    let day = words.number()?;
    let _ = words.one(|c| matches!(c, '日' | '号' | '號'));
    exact(year, month, day)
}

fn exact(year: u32, month: u32, day: u32) -> Option<Day> {
    let year = i32::try_from(year).ok()?;
    NaiveDate::from_ymd_opt(year, month, day).map(Day::Exact)
}

/// `12月1日`, `下个月3号`.
fn chinese_date(words: &mut Cursor<'_>, today: NaiveDate) -> Option<Day> {
    if words.any(&["下个月", "下個月", "下月"]) {
        let day = words.number()?;
        words.one(|c| matches!(c, '日' | '号' | '號'))?;
        let next = today
            .with_day(1)?
            .checked_add_months(chrono::Months::new(1))?;
        return next.with_day(day).map(Day::Exact);
    }
    let month = words.number()?;
    words.one(|c| c == '月')?;
    let day = words.number()?;
    let _ = words.one(|c| matches!(c, '日' | '号' | '號'));
    date(month, day)
}

/// `dec 1`, `1st of december 2027`.
fn english_date(words: &mut Cursor<'_>) -> Option<Day> {
    let nth = |words: &mut Cursor<'_>| {
        let day = words.digits(2)?;
        let _ = words.any(&["st", "nd", "rd", "th"]);
        Some(day)
    };
    let (month, day) = if let Some(month) = words.of(&MONTHS) {
        let _ = words.one(|c| c == '.');
        words.spaces();
        let _ = words.word("the");
        words.spaces();
        (month, nth(words)?)
    } else {
        let _ = words.word("the");
        words.spaces();
        let day = nth(words)?;
        words.spaces();
        let _ = words.word("of");
        words.spaces();
        (words.of(&MONTHS)?, day)
    };
    let year = words.attempt(|words| {
        let _ = words.one(|c| c == ',');
        words.spaces();
        let year = words
            .digits(4)
            .filter(|year| (2_000..3_000).contains(year))?;
        // An hour: "dec 1 2000:…" is none, but so is no year that runs into a word.
        (!words.within_a_word() && !words.next_is(|c| c == ':')).then_some(year)
    });
    match year {
        Some(year) => exact(year, month, day),
        None => date(month, day),
    }
}

/// A date of any year; 29 February is one.
fn date(month: u32, day: u32) -> Option<Day> {
    NaiveDate::from_ymd_opt(2_000, month, day).map(|_| Day::Date { month, day })
}

/// `monday`, `next fri`, `周一`, `下周一`.
fn weekday(words: &mut Cursor<'_>, today: NaiveDate) -> Option<Day> {
    let this = [("this", 0), ("next", 1), ("coming", -1)];
    let week = words.of(&this).unwrap_or(-1);
    words.spaces();
    if let Some(found) = words.of(&WEEKDAYS) {
        return in_week(week, found, today);
    }
    let said = [
        ("下下个", 2),
        ("下下", 2),
        ("下个", 1),
        ("下個", 1),
        ("下", 1),
        ("这个", 0),
        ("這個", 0),
        ("这", 0),
        ("這", 0),
        ("本", 0),
    ];
    let week = words.of(&said).unwrap_or(-1);
    words.any(&WEEK).then_some(())?;
    let found = words.one(|c| chinese_weekday(c).is_some())?;
    in_week(week, chinese_weekday(found)?, today)
}

/// A day of the week so many weeks from this one; below zero: the next such day.
fn in_week(week: i64, day: Weekday, today: NaiveDate) -> Option<Day> {
    if week < 0 {
        return Some(Day::Weekday(day));
    }
    let monday = today.week(Weekday::Mon).checked_first_day()?;
    let days = week * 7 + i64::from(day.num_days_from_monday());
    monday
        .checked_add_signed(TimeDelta::days(days))
        .map(Day::Exact)
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
