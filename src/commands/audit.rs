//! `phonework audit`: what was done on this machine and by whose word, from the folders of the router
//! and of the hosts here, oldest first. Reads files only; nothing needs to run.

use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use common::audit::Record;
use common::audit::read::{Tally, Wanted, folders, read};
use common::config::Settings;

use crate::arguments::Look;

/// Characters of a text in the table.
const SHOWN: usize = 100;

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// So long ago.
    Ago(Duration),
    /// A day or a time of the configured zone.
    Local(NaiveDateTime),
    /// A time with its zone.
    At(DateTime<Utc>),
}

impl Since {
    /// Reads `90s`, `30m`, `2h`, `7d`, `2w`, a day, or a time of day on it.
    pub(crate) fn read(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        if let Some(ago) = ago(typed) {
            return Ok(Self::Ago(ago));
        }
        if let Ok(day) = typed.parse::<NaiveDate>() {
            return Ok(Self::Local(day.and_time(NaiveTime::MIN)));
        }
        for form in [
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M:%S",
        ] {
            if let Ok(time) = NaiveDateTime::parse_from_str(typed, form) {
                return Ok(Self::Local(time));
            }
        }
        DateTime::parse_from_rfc3339(typed)
            .map(|at| Self::At(at.with_timezone(&Utc)))
            .map_err(|_| {
                "not a time; write 30m, 2h or 7d for so long ago, or 2026-11-01 or 2026-11-01T09:30"
                    .to_owned()
            })
    }

    fn time(self, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Ago(ago) => TimeDelta::from_std(ago)
                .ok()
                .and_then(|ago| now.checked_sub_signed(ago))
                .unwrap_or(DateTime::UNIX_EPOCH),
            Self::Local(time) => time
                .and_local_timezone(zone)
                .earliest()
                // A time that the clocks skipped.
                .map_or_else(|| time.and_utc(), |at| at.with_timezone(&Utc)),
            Self::At(at) => at,
        }
    }
}

fn ago(typed: &str) -> Option<Duration> {
    let unit = typed.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let count: u64 = typed.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::from_secs(count.checked_mul(seconds)?))
}

/// Writes the lines to `out`; what is to be said about them comes back.
///
/// # Errors
/// Whatever writing gives. That nobody reads on, as behind `head`, is none.
pub(crate) fn audit(
    settings: &Settings,
    look: &Look,
    out: &mut impl Write,
) -> std::io::Result<String> {
    let zone = settings.timezone;
    let folders = folders(&settings.data_dir);
    if folders.is_empty() {
        return Ok(format!(
            "There is no audit in {} yet: it begins with the first message. A host with a configuration of its own: phonework audit --host\n",
            settings.data_dir.display()
        ));
    }
    let wanted = Wanted {
        user: look.user.as_ref().map(ToString::to_string),
        since: look.since.map(|since| since.time(Utc::now(), zone)),
    };
    let written = read(&folders, &wanted, |record| {
        if look.json {
            serde_json::to_writer(&mut *out, record)?;
            writeln!(out)
        } else {
            writeln!(out, "{}", row(record, zone))
        }
    })
    .and_then(|tally| out.flush().map(|()| tally));
    match written {
        Ok(tally) => Ok(notes(&tally)),
        Err(why) if why.kind() == std::io::ErrorKind::BrokenPipe => Ok(String::new()),
        Err(why) => Err(why),
    }
}

fn notes(tally: &Tally) -> String {
    let found = if tally.given == 0 {
        "Nothing was found.\n"
    } else {
        ""
    };
    let bad = match tally.bad {
        0 => String::new(),
        1 => "1 line could not be read and was passed over.\n".to_owned(),
        bad => format!("{bad} lines could not be read and were passed over.\n"),
    };
    format!("{found}{bad}")
}

/// When, who wrote it, whom it is about, what, and what came of it.
fn row(record: &Record, zone: Tz) -> String {
    let at = record.time().map_or_else(
        || record.at.clone(),
        |at| {
            at.with_timezone(&zone)
                .format("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    );
    let user = record.user.as_deref().unwrap_or("-");
    let mut row = format!(
        "{at}  {:<10} {:<10} {user}",
        record.by,
        record.kind.as_str()
    );
    let dir = record.dir.as_ref().map(|dir| format!("[{dir}]"));
    // A host names itself already.
    let node = record.node.as_ref().filter(|node| **node != record.by);
    let node = node.map(|node| format!("→ {node}"));
    for part in [node.as_ref(), dir.as_ref(), record.what.as_ref()]
        .into_iter()
        .flatten()
    {
        row += "  ";
        row += &one_line(part);
    }
    if let Some(outcome) = &record.outcome {
        row += " = ";
        row += &one_line(outcome);
    }
    row
}

/// Also without what a terminal would obey.
fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect();
    if words.chars().count() > SHOWN {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_configured_zone() {
        let now: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let zone: Tz = "Asia/Shanghai".parse().unwrap();
        for (typed, at) in [
            ("90s", "2026-11-23T11:58:30Z"),
            ("2h", "2026-11-23T10:00:00Z"),
            ("7d", "2026-11-16T12:00:00Z"),
            ("999999999w", "1970-01-01T00:00:00Z"),
            ("2026-11-01", "2026-10-31T16:00:00Z"),
            ("2026-11-01T09:30", "2026-11-01T01:30:00Z"),
            ("2026-11-01T09:30:00+01:00", "2026-11-01T08:30:00Z"),
        ] {
            let since = Since::read(typed).unwrap();
            assert_eq!(
                since.time(now, zone),
                at.parse::<DateTime<Utc>>().unwrap(),
                "{typed}"
            );
        }
        for wrong in ["", "h", "2", "-2h", "soon", "2026-02-30", "2h30"] {
            let why = Since::read(wrong).unwrap_err();
            assert!(why.contains("2026-11-01"), "{wrong}");
        }
    }

    #[test]
    fn a_row_is_one_line() {
        let record = |json: &str| serde_json::from_str::<Record>(json).unwrap();
        let zone: Tz = "Asia/Shanghai".parse().unwrap();
        let rows = [
            r#"{"at":"2026-11-23T12:00:00.000Z","by":"router","kind":"decision","user":"feishu/ou_1","node":"lab","outcome":"send"}"#,
            r#"{"at":"2026-11-23T12:00:01.000Z","by":"lab","kind":"shell","user":"feishu/ou_1","node":"lab","dir":"demo","what":"ls\n-l\u001b[31m","outcome":"exit 0"}"#,
            r#"{"at":"2026-11-23T12:00:02.000Z","by":"lab","kind":"lost","what":"3 lines could not be written"}"#,
        ]
        .map(|json| row(&record(json), zone));
        insta::assert_snapshot!(rows.join("\n"), @"
        2026-11-23 20:00:00  router     decision   feishu/ou_1  → lab = send
        2026-11-23 20:00:01  lab        shell      feishu/ou_1  [demo]  ls -l[31m = exit 0
        2026-11-23 20:00:02  lab        lost       -  3 lines could not be written
        ");
    }
}
