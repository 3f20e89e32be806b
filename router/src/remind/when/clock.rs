//! Hours of the day, and from a day and an hour to a moment: "9:00", "9am", "at 9", "下午3点半".

use chrono::{DateTime, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::cursor::Cursor;

/// Minutes after the midnight with which a day begins; "今晚12点" is the day's end.
pub(super) type Minute = u32;

const DAY: Minute = 24 * 60;
/// For a day without an hour.
pub(super) const MORNING: Minute = 9 * 60;

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Night,
    Morning,
    Noon,
    Afternoon,
    Evening,
}

impl Part {
    /// For a part without an hour.
    pub(super) fn usual(self) -> Minute {
        match self {
            Self::Night => 0,
            Self::Morning => MORNING,
            Self::Noon => 12 * 60,
            Self::Afternoon => 15 * 60,
            Self::Evening => 20 * 60,
        }
    }

    /// The minute that is meant by an hour of twelve.
    pub(super) fn place(self, minute: Minute) -> Minute {
        let hour = minute / 60;
        let shift = match self {
            Self::Night if hour == 12 => return minute - 12 * 60,
            Self::Night | Self::Morning => 0,
            Self::Noon if hour < 6 => 12,
            Self::Noon => 0,
            Self::Afternoon if hour < 12 => 12,
            Self::Afternoon => 0,
            // Behind midnight: it is still the same evening.
            Self::Evening if hour == 12 => 12,
            Self::Evening if hour < 5 => 24,
            Self::Evening if hour < 12 => 12,
            Self::Evening => 0,
        };
        minute + shift * 60
    }
}

const PARTS: [(&str, Part); 20] = [
    ("morning", Part::Morning),
    ("in the morning", Part::Morning),
    ("afternoon", Part::Afternoon),
    ("in the afternoon", Part::Afternoon),
    ("evening", Part::Evening),
    ("in the evening", Part::Evening),
    ("night", Part::Evening),
    ("at night", Part::Evening),
    ("凌晨", Part::Night),
    ("半夜", Part::Night),
    ("清晨", Part::Morning),
    ("早上", Part::Morning),
    ("早晨", Part::Morning),
    ("上午", Part::Morning),
    ("中午", Part::Noon),
    ("下午", Part::Afternoon),
    ("傍晚", Part::Evening),
    ("晚上", Part::Evening),
    ("夜里", Part::Evening),
    ("深夜", Part::Evening),
];

/// A part of the day, where it stands by itself.
pub(super) fn part(words: &mut Cursor<'_>) -> Option<Part> {
    words.of(&PARTS).or_else(|| {
        // "早" and "晚" begin many a word; before a number they say which hour.
        words.attempt(|words| {
            let found = words.of(&[("早", Part::Morning), ("晚", Part::Evening)])?;
            words.is_number().then_some(found)
        })
    })
}

/// An hour of the day; with `day`, also a part of the day alone.
pub(super) fn read(words: &mut Cursor<'_>, day: Option<Day>) -> Option<Minute> {
    words.attempt(|words| {
        let known = day.and_then(|day| day.part);
        let part = part(words).or(known);
        words.word("的");
        let hour = words.attempt(|words| {
            words.spaces();
            hour(words, part)
        });
        match (hour, part) {
            (Some(minute), _) => Some(minute),
            (None, Some(part)) if day.is_some() && !is_no_hour(words) => Some(part.usual()),
            (None, _) => None,
        }
    })
}

/// Whether an hour stands here that is none, or a number that may be one: what was meant is not known.
pub(super) fn is_no_hour(words: &Cursor<'_>) -> bool {
    let mut words = words.clone();
    words.spaces();
    let _ = words.one(|c| matches!(c, ',' | '的'));
    words.spaces();
    if part(&mut words).is_some() {
        words.spaces();
    }
    let bare = words.any(&["at", "@"]);
    words.spaces();
    let Some(number) = words.number() else {
        return false;
    };
    let marked = words.next_is(|c| matches!(c, ':' | '点' | '點' | '时' | '時'));
    let apart = words.next_is(|c| c == ' ');
    words.spaces();
    let marked = marked || words.of(&HALVES).is_some();
    let alone = words.is_over() || apart && words.next_is(|c| c.is_ascii_alphabetic());
    marked || bare || number <= 24 && alone
}

/// What is known of the day before its hour is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Day {
    /// It names a part of itself: "tonight".
    pub(super) part: Option<Part>,
}

const HALVES: [(&str, Part); 4] = [
    ("am", Part::Night),
    ("a.m.", Part::Night),
    ("pm", Part::Afternoon),
    ("p.m.", Part::Afternoon),
];

/// "8:30 in the evening".
const BEHIND: [(&str, Part); 4] = [
    ("in the morning", Part::Morning),
    ("in the afternoon", Part::Afternoon),
    ("in the evening", Part::Evening),
    ("at night", Part::Evening),
];

/// Minutes behind and before a full hour.
const PAST: [(&str, u32); 5] = [
    ("half past", 30),
    ("quarter past", 15),
    ("a quarter past", 15),
    ("quarter to", 45),
    ("a quarter to", 45),
];

fn hour(words: &mut Cursor<'_>, part: Option<Part>) -> Option<Minute> {
    let bare = words.any(&["at", "@"]);
    words.spaces();
    if words.any(&["noon", "正午"]) {
        return Some(12 * 60);
    }
    if words.any(&["midnight", "午夜"]) {
        return Some(DAY);
    }
    let past = words.of(&PAST);
    words.spaces();
    let mut hour = words.number().filter(|hour| *hour <= 24)?;
    let (minute, marked) = match past {
        // "quarter to 9" is in the hour before.
        Some(minute) => {
            hour = if minute > 30 {
                hour.checked_sub(1)?
            } else {
                hour
            };
            (minute, true)
        }
        None => match (minute(words), words.attempt(dotted)) {
            (Some(minute), _) => (minute, true),
            (None, Some(minute)) => (minute, false),
            (None, None) => (0, false),
        },
    };
    let half = words.attempt(|words| {
        words.spaces();
        words.of(&HALVES)
    });
    let behind = words.attempt(|words| {
        words.spaces();
        words.of(&BEHIND)
    });
    // Nothing says that the number was an hour; or it goes on, as that of "8:300" and "8.5" does.
    let known = marked || bare || half.is_some() || behind.is_some();
    if !known || minute >= 60 || goes_on(words) {
        return None;
    }
    let whole = hour * 60 + minute;
    if whole > DAY || half.is_some() && hour == 0 && past.is_none() {
        return None;
    }
    Some(match half.or(behind).or(part) {
        Some(part) if hour <= 12 => part.place(whole),
        Some(_) | None => whole,
    })
}

/// "8.30", which is an hour only where something says so.
fn dotted(words: &mut Cursor<'_>) -> Option<u32> {
    words.one(|c| c == '.')?;
    let before = words.place();
    let minute = words.digits(2)?;
    (words.place() - before == 2).then_some(minute)
}

fn goes_on(words: &Cursor<'_>) -> bool {
    let mut words = words.clone();
    words.one(|c| matches!(c, ':' | '.')).is_some() && words.next_is(|c| c.is_ascii_digit())
}

/// Minutes behind the hour; none: nothing says that the number was an hour.
fn minute(words: &mut Cursor<'_>) -> Option<u32> {
    let colon = words.attempt(|words| {
        words.one(|c| c == ':')?;
        let found = words.digits(2)?;
        // Seconds are passed over.
        words.attempt(|words| {
            words.one(|c| c == ':')?;
            words.digits(2)
        });
        Some(found)
    });
    if colon.is_some() {
        return colon;
    }
    let clock = words.attempt(|words| {
        words.spaces();
        words.any(&["o'clock", "oclock"]).then_some(0)
    });
    if clock.is_some() {
        return clock;
    }
    words.attempt(|words| {
        words.one(|c| matches!(c, '点' | '點' | '时' | '時'))?;
        // "时候"
        if words.next_is(|c| c == '候') {
            return None;
        }
        if words.any(&["钟", "鐘", "整"]) {
            return Some(0);
        }
        let quarter = words.of(&[("半", 30), ("一刻", 15), ("三刻", 45)]);
        let exact = |words: &mut Cursor<'_>| {
            words.attempt(|words| {
                let before = words.place();
                let found = words.number()?;
                let long = words.place() - before > 1;
                let said = words.word("分");
                // "9点2个人开会"
                let counts = words.next_is(|c| matches!(c, '个' | '個' | '人' | '位' | '件'));
                (said || long && !counts).then_some(found)
            })
        };
        Some(quarter.or_else(|| exact(words)).unwrap_or(0))
    })
}

/// The moment at which a day's minute is, by the person's clock.
pub(super) fn moment(day: NaiveDate, minute: Minute, zone: Tz) -> Option<DateTime<Utc>> {
    let wall = day
        .and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::minutes(i64::from(minute)))?;
    // The earlier one, where the day has that hour twice.
    if let Some(found) = zone.from_local_datetime(&wall).earliest() {
        return Some(found.with_timezone(&Utc));
    }
    // It leaves the hour out: by the clock of the day before.
    let before = wall.checked_sub_signed(TimeDelta::days(1))?;
    let offset = zone.offset_from_utc_datetime(&before).fix();
    let utc = wall.checked_sub_offset(offset)?;
    Some(utc.and_utc())
}
