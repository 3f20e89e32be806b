//! Reads when a person wants to be reminded: "10m", "明天9点", "every mon-fri 9:00". Pure: now and the
//! person's time zone are handed in.
//!
//! What is read is the longest beginning of the text that is a time; the rest is what they want to be
//! reminded of. Each file reads one sort of words: `once`, `day` and `clock` dates and hours, `length` spans,
//! `series` what repeats, `cron` the old notation; `behind` is what none of them reads, `cursor` what they read
//! from. A text of which only a part was understood is not understood.
//!
//! Clocks that are set: an hour that a day leaves out is taken as if the clock had not been set (2:30
//! is then 3:30), of an hour that a day has twice the first counts. An hour of the day that is over is
//! tomorrow's; a date that is over is refused.

mod behind;
mod clock;
mod cron;
mod cursor;
mod day;
mod length;
mod once;
mod series;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::repeat::Repeat;
use cursor::Cursor;

/// Nobody waits longer; also what keeps sums of times within bounds.
const LONGEST: i64 = 5 * 366 * 86_400;

/// When somebody wants to be reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// Once.
    Once(DateTime<Utc>),
    /// Again and again.
    Again(Repeat),
}

/// Why a text is no time that can be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// It begins with nothing that is a time.
    Unclear,
    /// It is over.
    Past(DateTime<Utc>),
    /// Sooner than reminders are.
    TooSoon,
    /// More often than reminders are.
    TooOften,
    /// Later than reminders are.
    TooFar,
}

/// What bounds times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The shortest time to a reminder, in seconds.
    pub(crate) soonest: i64,
    /// The shortest time between two of one series, in seconds.
    pub(crate) period: i64,
}

/// Reads the time at the beginning of `text`, and gives what is behind it.
pub(crate) fn read(
    text: &str,
    now: DateTime<Utc>,
    zone: Tz,
    bounds: Bounds,
) -> Result<(When, &str), Why> {
    let mut words = Cursor::new(text);
    words.spaces();
    // "/remind me in 10m"
    let _ = words.any(&["me", "提醒我", "我"]);
    words.spaces();
    let found = match series::read(&mut words) {
        Some(repeat) => checked(repeat, now, zone, bounds).map(When::Again),
        None => once::read(&mut words, now, zone).and_then(|read| {
            let far = now + TimeDelta::seconds(LONGEST);
            match read {
                once::Read::In(seconds) if seconds < bounds.soonest => Err(Why::TooSoon),
                once::Read::In(seconds) if seconds > LONGEST => Err(Why::TooFar),
                once::Read::In(seconds) => Ok(When::Once(now + TimeDelta::seconds(seconds))),
                once::Read::At(due) if due > far => Err(Why::TooFar),
                once::Read::At(due) => Ok(When::Once(due)),
            }
        }),
    };
    // "10mb" is no ten minutes.
    let series = matches!(found, Ok(When::Again(_)));
    if words.within_a_word() || found.is_ok() && behind::changes(&words, series) {
        return Err(Why::Unclear);
    }
    found.map(|when| (when, words.rest()))
}

fn checked(repeat: Repeat, now: DateTime<Utc>, zone: Tz, bounds: Bounds) -> Result<Repeat, Why> {
    if let Repeat::Every { seconds } = repeat {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        if seconds < bounds.period {
            return Err(Why::TooOften);
        }
        if seconds > LONGEST {
            return Err(Why::TooFar);
        }
    }
    // A 30 February never comes.
    match repeat.next(now, now, zone) {
        Some(_) => Ok(repeat),
        None => Err(Why::Unclear),
    }
}

#[cfg(test)]
mod tests;
