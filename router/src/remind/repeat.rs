//! What comes again and again, and when it comes next. Pure.

use std::str::FromStr as _;

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};

/// Days of the week, as bits from Monday on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Days(u8);

impl Days {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const WORK: Self = Self(0b001_1111);
    pub(crate) const WEEKEND: Self = Self(0b110_0000);
    pub(crate) const ALL: Self = Self(0b111_1111);

    /// With the days from one to another, over the end of the week where they lie so.
    pub(crate) fn and(self, from: Weekday, to: Weekday) -> Self {
        let (mut bits, mut day) = (self.0, from);
        loop {
            bits |= 1 << day.num_days_from_monday();
            if day == to {
                return Self(bits);
            }
            day = day.succ();
        }
    }

    /// The days behind these.
    pub(crate) fn later(self) -> Self {
        Self((self.0 << 1 | self.0 >> 6) & Self::ALL.0)
    }

    /// Counted from Monday, which is 0.
    pub(crate) fn each(self) -> impl Iterator<Item = u8> {
        (0..7).filter(move |day| self.0 & 1 << day != 0)
    }
}

/// A series of reminders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "again", rename_all = "snake_case")]
pub(crate) enum Repeat {
    /// After each such time, counted from when it was set.
    Every {
        /// Seconds.
        seconds: u64,
    },
    /// On days of the week.
    Days {
        /// Which.
        days: Days,
        /// Minutes after midnight.
        minute: u32,
    },
    /// On a day of each month that has it.
    Month {
        /// From 1.
        day: u32,
        /// Minutes after midnight.
        minute: u32,
    },
    /// As cron says.
    Cron {
        /// Five fields, written out.
        fields: String,
    },
}

impl Repeat {
    /// The next time behind `after` of a series that was set at `from`; none: it never comes. An hour that a day
    /// leaves out comes when that gap is over, one that a day has twice comes once.
    pub(crate) fn next(
        &self,
        from: DateTime<Utc>,
        after: DateTime<Utc>,
        zone: Tz,
    ) -> Option<DateTime<Utc>> {
        let fields = match self {
            Self::Every { seconds } => {
                let period = i64::try_from(*seconds).ok().filter(|period| *period > 0)?;
                let passed = (after - from).num_seconds().max(0) / period;
                let due = |count: i64| {
                    let span = TimeDelta::try_seconds(period.checked_mul(count)?)?;
                    from.checked_add_signed(span)
                };
                return due(passed)
                    .filter(|due| *due > after)
                    .or_else(|| due(passed.checked_add(1)?));
            }
            Self::Days { days, minute } => {
                // Cron counts from Sunday.
                let days = days.each().map(|day| ((day + 1) % 7).to_string());
                let days: Vec<_> = days.collect();
                format!("{} {} * * {}", minute % 60, minute / 60, days.join(","))
            }
            Self::Month { day, minute } => {
                format!("{} {} {day} * *", minute % 60, minute / 60)
            }
            Self::Cron { fields } => fields.clone(),
        };
        let cron = Cron::from_str(&fields).ok()?;
        let after = after.with_timezone(&zone);
        let next = cron.find_next_occurrence(&after, false).ok()?;
        Some(next.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_keeps_its_beat() {
        let every = Repeat::Every { seconds: 600 };
        let from = at("2026-11-23T09:00:03Z");
        let next = |after: &str| every.next(from, at(after), Tz::UTC).unwrap();
        assert_eq!(next("2026-11-23T09:00:03Z"), at("2026-11-23T09:10:03Z"));
        assert_eq!(next("2026-11-23T09:10:02Z"), at("2026-11-23T09:10:03Z"));
        assert_eq!(next("2026-11-23T09:10:03Z"), at("2026-11-23T09:20:03Z"));
        // After a night without a hub: the next beat, once.
        assert_eq!(next("2026-11-24T09:14:00Z"), at("2026-11-24T09:20:03Z"));
        assert_eq!(next("2026-11-23T08:00:00Z"), at("2026-11-23T09:00:03Z"));
    }

    #[test]
    fn days_go_by_the_persons_clock() {
        let zone = chrono_tz::Europe::Berlin;
        let work = Repeat::Days {
            days: Days::WORK,
            minute: 9 * 60,
        };
        let next = |after: &str| work.next(at(after), at(after), zone).unwrap();
        // Friday to Monday, and over the change of the clock.
        assert_eq!(next("2026-03-27T08:00:00Z"), at("2026-03-30T07:00:00Z"));
        assert_eq!(next("2026-03-27T07:59:59Z"), at("2026-03-27T08:00:00Z"));
        let sunday = Repeat::Days {
            days: Days::NONE.and(Weekday::Sun, Weekday::Sun),
            minute: 0,
        };
        assert_eq!(
            sunday.next(
                at("2026-11-23T00:00:00Z"),
                at("2026-11-23T00:00:00Z"),
                Tz::UTC
            ),
            Some(at("2026-11-29T00:00:00Z"))
        );
        assert_eq!(
            Days::NONE
                .and(Weekday::Sat, Weekday::Mon)
                .each()
                .collect::<Vec<_>>(),
            [0, 5, 6]
        );
        assert_eq!(
            Days::NONE
                .and(Weekday::Sun, Weekday::Sun)
                .later()
                .each()
                .collect::<Vec<_>>(),
            [0]
        );
    }

    #[test]
    fn what_never_comes_has_no_next_time() {
        let never = Repeat::Cron {
            fields: "0 9 30 2 *".into(),
        };
        assert_eq!(
            never.next(
                at("2026-11-23T09:00:00Z"),
                at("2026-11-23T09:00:00Z"),
                Tz::UTC
            ),
            None
        );
        let last = Repeat::Month {
            day: 31,
            minute: 540,
        };
        assert_eq!(
            last.next(
                at("2026-11-01T00:00:00Z"),
                at("2026-11-01T00:00:00Z"),
                Tz::UTC
            ),
            Some(at("2026-12-31T09:00:00Z"))
        );
    }
}
