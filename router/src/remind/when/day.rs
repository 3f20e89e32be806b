//! Days, as both languages say them: near ones, dates, days of the week and of the month.

use chrono::{Datelike as _, Days, NaiveDate, TimeDelta, Weekday};

use super::clock::Part;
use super::cursor::Cursor;

/// A day as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// That one, also when it is over.
    Exact(NaiveDate),
    /// The next such day.
    Weekday(Weekday),
    /// The next day of that date.
    Date { month: u32, day: u32 },
    /// The next day of that number.
    OfMonth(u32),
}

/// How many days from today, and the part of that day if the word names one.
const NEAR: [(&str, (u64, Option<Part>)); 34] = [
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
    ("tonite", (0, Some(Part::Evening))),
    ("大后日", (3, None)),
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

pub(super) fn near(words: &mut Cursor<'_>, today: NaiveDate) -> Option<(Day, Option<Part>)> {
    let (days, part) = words.of(&NEAR)?;
    let day = today.checked_add_days(Days::new(days))?;
    Some((Day::Exact(day), part))
}

/// `said`: behind "on".
pub(super) fn named(words: &mut Cursor<'_>, today: NaiveDate, said: bool) -> Option<Day> {
    words
        .attempt(|words| in_digits(words))
        .or_else(|| words.attempt(|words| chinese_date(words, today)))
        .or_else(|| words.attempt(|words| english_date(words)))
        .or_else(|| words.attempt(|words| day_of_month(words, said)))
        .or_else(|| words.attempt(|words| weekday(words, today)))
}

/// A day that may stand behind its hour, as in English: "9am dec 1", "5pm next friday".
pub(super) fn english_day(words: &mut Cursor<'_>, today: NaiveDate) -> Option<Day> {
    if !words.next_is(|c| c.is_ascii()) {
        return None;
    }
    words
        .attempt(|words| english_date(words))
        .or_else(|| words.attempt(|words| weekday(words, today)))
}

/// "the 15th", "on 15th".
fn day_of_month(words: &mut Cursor<'_>, said: bool) -> Option<Day> {
    let the = words.word("the");
    words.spaces();
    let day = words.digits(2).filter(|day| (1..=31).contains(day))?;
    let nth = words.any(&["st", "nd", "rd", "th"]);
    let mut next = words.clone();
    next.spaces();
    (nth && (the || said) && !next.word("of")).then_some(Day::OfMonth(day))
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

/// How many months from this one.
const IN_MONTHS: [(&str, u32); 9] = [
    ("本月", 0),
    ("这个月", 0),
    ("這個月", 0),
    ("这月", 0),
    ("下个月", 1),
    ("下個月", 1),
    ("下月", 1),
    ("下下个月", 2),
    ("下下月", 2),
];

/// `12月1日`, `15号`, `本月15号`, `下个月3号`.
fn chinese_date(words: &mut Cursor<'_>, today: NaiveDate) -> Option<Day> {
    if let Some(months) = words.of(&IN_MONTHS) {
        let _ = words.word("的");
        let day = words.number()?;
        words.one(|c| matches!(c, '日' | '号' | '號'))?;
        let month = today
            .with_day(1)?
            .checked_add_months(chrono::Months::new(months))?;
        return month.with_day(day).map(Day::Exact);
    }
    let number = words.number()?;
    if words.one(|c| matches!(c, '日' | '号' | '號')).is_some() {
        // "3号线", "5日后"
        let other = words.next_is(|c| "线線楼樓院房门門店馆館机機桌车車后後内前".contains(c));
        let day = (1..=31).contains(&number) && !other;
        return day.then_some(Day::OfMonth(number));
    }
    words.one(|c| c == '月')?;
    let day = words.number()?;
    let _ = words.one(|c| matches!(c, '日' | '号' | '號'));
    date(number, day)
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
