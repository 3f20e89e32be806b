//! What comes again and again: "every 10m", "every mon-fri 9:00", "每周一三五 9点", `cron "…"`.

use chrono::Weekday;

use super::clock::{self, Day, MORNING, Minute};
use super::cursor::Cursor;
use super::day::{WEEK, WEEKDAYS, chinese_weekday};
use super::{cron, length};
use crate::remind::repeat::{Days, Repeat};

const MIDNIGHT: Minute = 24 * 60;

/// Days that have a name together.
const GROUPS: [(&str, Days); 17] = [
    ("day", Days::ALL),
    ("morning", Days::ALL),
    ("weekday", Days::WORK),
    ("weekdays", Days::WORK),
    ("workday", Days::WORK),
    ("workdays", Days::WORK),
    ("working day", Days::WORK),
    ("working days", Days::WORK),
    ("business day", Days::WORK),
    ("business days", Days::WORK),
    ("weekend", Days::WEEKEND),
    ("weekends", Days::WEEKEND),
    ("天", Days::ALL),
    ("日", Days::ALL),
    ("工作日", Days::WORK),
    ("周末", Days::WEEKEND),
    ("週末", Days::WEEKEND),
];

/// Several days of the week at once, where nothing says "every".
const PLURAL: [(&str, Weekday); 7] = [
    ("mondays", Weekday::Mon),
    ("tuesdays", Weekday::Tue),
    ("wednesdays", Weekday::Wed),
    ("thursdays", Weekday::Thu),
    ("fridays", Weekday::Fri),
    ("saturdays", Weekday::Sat),
    ("sundays", Weekday::Sun),
];

pub(super) fn read(words: &mut Cursor<'_>) -> Option<Repeat> {
    let found = words
        .attempt(cron::read)
        .or_else(|| words.attempt(english))
        .or_else(|| words.attempt(chinese))
        .or_else(|| words.attempt(short))
        .or_else(|| words.attempt(by_days))
        .or_else(|| words.attempt(hour_first))
        .or_else(|| words.attempt(of_each_month));
    // "每天9点一次", "every two hours once"
    if found.is_some() {
        let _ = words.any(&["一次"]);
    }
    found
}

/// "daily 9:00", "weekdays at 9", "工作日 9:00", "天天 9点".
fn short(words: &mut Cursor<'_>) -> Option<Repeat> {
    if words.word("monthly") {
        return on_day(words);
    }
    let _ = words.word("on");
    words.spaces();
    let days = words.of(&[
        ("daily", Days::ALL),
        ("everyday", Days::ALL),
        ("weekdays", Days::WORK),
        ("workdays", Days::WORK),
        ("weekends", Days::WEEKEND),
        ("工作日", Days::WORK),
        ("天天", Days::ALL),
    ])?;
    on(words, days)
}

/// "mon-fri 9:00", "周一到周五9点", "on mondays": more than one day can only be a series.
fn by_days(words: &mut Cursor<'_>) -> Option<Repeat> {
    let _ = words.word("on");
    words.spaces();
    if let Some(day) = words.of(&PLURAL) {
        return on(words, Days::NONE.and(day, day));
    }
    let days = words
        .attempt(|words| english_days(words, false))
        .or_else(|| words.attempt(chinese_days))?;
    // Without an hour: "friday to monday trip".
    let mut behind = words.clone();
    behind.spaces();
    let _ = behind.word("的");
    let timed = clock::read(&mut behind, Some(Day::default())).is_some();
    if days.each().count() < 2 || !timed {
        return None;
    }
    on(words, days)
}

/// "9:00 every day", "at 9am on weekdays".
fn hour_first(words: &mut Cursor<'_>) -> Option<Repeat> {
    let minute = clock::read(words, None)?;
    words.spaces();
    if words.any(&["every", "each"]) {
        words.spaces();
        let days = words
            .attempt(|words| english_days(words, false))
            .or_else(|| words.of(&GROUPS))?;
        return Some(daily(days, minute));
    }
    words.word("on").then_some(())?;
    words.spaces();
    let day = |day: Weekday| Days::NONE.and(day, day);
    let days = words.of(&PLURAL).map(day);
    let days = days.or_else(|| words.of(&[("weekdays", Days::WORK), ("weekends", Days::WEEKEND)]));
    Some(daily(days?, minute))
}

fn english(words: &mut Cursor<'_>) -> Option<Repeat> {
    words.any(&["every", "each"]).then_some(())?;
    words.spaces();
    // "every mon wed fri 18:00": without marks only where an hour follows.
    let listed = words.attempt(|words| {
        let days = english_days(words, true)?;
        let mut behind = words.clone();
        behind.spaces();
        clock::read(&mut behind, Some(Day::default())).map(|_| days)
    });
    if let Some(days) = listed.or_else(|| words.attempt(|words| english_days(words, false))) {
        return on(words, days);
    }
    // "every evening": the hour is the part's own.
    if let Some(minute) = words.attempt(part_of_day) {
        return Some(daily(Days::ALL, minute));
    }
    if let Some(days) = words.of(&GROUPS) {
        return on(words, days);
    }
    if words.word("month") {
        return on_day(words);
    }
    words.attempt(each_nth).or_else(|| period(words))
}

fn chinese(words: &mut Cursor<'_>) -> Option<Repeat> {
    let apart = words.word("每隔");
    (apart || words.any(&["每逢", "每"])).then_some(())?;
    words.spaces();
    if let Some(days) = words.attempt(chinese_days) {
        return on(words, days);
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
        Some(days) => on(words, days),
        // "每隔一天" is every other day to some, and every day to others.
        None => period(words).filter(|found| !apart || !is_day_or_week(found)),
    }
}

fn is_day_or_week(found: &Repeat) -> bool {
    matches!(found, Repeat::Every { seconds } if [86_400, 7 * 86_400].contains(seconds))
}

/// A span, and no hour or day behind it: how these would go together is not said.
fn period(words: &mut Cursor<'_>) -> Option<Repeat> {
    let seconds = length::read(words).or_else(|| {
        let _ = words.any(&["个", "個"]);
        length::unit(words)
    })?;
    let mut behind = words.clone();
    behind.spaces();
    let said = behind.any(&["on", "at", "from", "between", "starting", "从", "從"]);
    behind.spaces();
    let timed = clock::read(&mut behind, None).is_some()
        || behind.any(&WEEK)
        || behind.of(&WEEKDAYS).is_some()
        || said && behind.is_number();
    (!timed).then_some(Repeat::Every { seconds })
}

/// On these days, at the hour that follows; none, where that is no hour.
fn on(words: &mut Cursor<'_>, days: Days) -> Option<Repeat> {
    let _ = words.any(&["一次"]);
    Some(daily(days, hour(words)?))
}

/// The hour that follows, or the morning.
fn hour(words: &mut Cursor<'_>) -> Option<Minute> {
    let minute = words.attempt(|words| {
        words.spaces();
        let _ = words.one(|c| matches!(c, ',' | '，' | '的'));
        words.spaces();
        clock::read(words, Some(Day::default()))
    });
    match minute {
        Some(minute) => Some(minute),
        None if clock::is_no_hour(words) => None,
        None => Some(MORNING),
    }
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
    match hour {
        Some(minute) => Some(minute),
        None if clock::is_no_hour(words) => None,
        None => Some(part.usual()),
    }
}

/// "mon-fri", "mon, wed and fri", "monday"; with `blanks` also "mon wed fri".
fn english_days(words: &mut Cursor<'_>, blanks: bool) -> Option<Days> {
    let mut days = Days::NONE;
    loop {
        let from = words.of(&WEEKDAYS)?;
        let to = words.attempt(|words| {
            words.spaces();
            (words.word("-") || words.any(&["to", "through", "thru", "till", "until"]))
                .then_some(())?;
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
            (mark || and || blanks).then_some(())?;
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
            // "周一三点", "周一，7:30": that was the hour; "周日一起吃饭" is no list either.
            let hour =
                |c: char| matches!(c, '点' | '點' | '时' | '時' | '十' | ':') || c.is_ascii_digit();
            let list = mark || week || ends_a_list(words, found);
            (list && !words.next_is(hour)).then_some(found)
        });
        match more {
            Some(next) => from = next,
            None => return Some(days),
        }
    }
}

/// Whether a day that no mark sets apart is one more of a list: what is behind it begins no word with it.
fn ends_a_list(words: &Cursor<'_>, day: Weekday) -> bool {
    let mut behind = words.clone();
    let apart = |c: char| " 、,和及到至-的".contains(c);
    behind.is_over()
        || behind.next_is(|c| apart(c) || chinese_weekday(c).is_some())
        || day != Weekday::Mon && clock::part(&mut behind).is_some()
}

/// "每月1号9点".
fn monthly(words: &mut Cursor<'_>) -> Option<Repeat> {
    let _ = words.any(&["个", "個"]);
    words.one(|c| c == '月')?;
    let _ = words.any(&["的", "在"]);
    words.spaces();
    let day = words.number().filter(|day| (1..=31).contains(day))?;
    words.one(|c| matches!(c, '日' | '号' | '號'))?;
    month(day, hour(words)?)
}

/// "on the 1st at 10", "on day 15 at 9:00", behind "every month".
fn on_day(words: &mut Cursor<'_>) -> Option<Repeat> {
    words.spaces();
    let _ = words.word("on");
    words.spaces();
    let _ = words.word("the");
    words.spaces();
    let named = words.word("day");
    words.spaces();
    let day = nth(words, !named)?;
    month(day, hour(words)?)
}

/// "1st at 10", "15th of the month", behind "every".
fn each_nth(words: &mut Cursor<'_>) -> Option<Repeat> {
    let day = nth(words, true)?;
    words.attempt(|words| {
        words.spaces();
        words
            .any(&[
                "of the month",
                "of each month",
                "of every month",
                "day of the month",
            ])
            .then_some(())
    });
    month(day, hour(words)?)
}

/// "on the 1st of every month at 10".
fn of_each_month(words: &mut Cursor<'_>) -> Option<Repeat> {
    let _ = words.word("on");
    words.spaces();
    words.word("the").then_some(())?;
    words.spaces();
    let day = nth(words, true)?;
    words.spaces();
    words
        .any(&[
            "of every month",
            "of each month",
            "of the month",
            "each month",
            "every month",
        ])
        .then_some(())?;
    month(day, hour(words)?)
}

/// "15th"; with `ending`, not "15".
fn nth(words: &mut Cursor<'_>, ending: bool) -> Option<u32> {
    let day = words.digits(2).filter(|day| (1..=31).contains(day))?;
    let said = words.any(&["st", "nd", "rd", "th"]);
    (said || !ending).then_some(day)
}

/// The day behind the last of a month is not the next number.
fn month(day: u32, minute: Minute) -> Option<Repeat> {
    (minute < MIDNIGHT).then_some(Repeat::Month { day, minute })
}
