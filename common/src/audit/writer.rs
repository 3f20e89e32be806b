//! The thread that owns an audit folder: appends each line whole, begins a file each day, removes what
//! is old, and goes on when the disk refuses.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use chrono::{Days, NaiveDate, Utc};
use tracing::{info, warn};

use super::{Entry, Kind, Order, Record};
use crate::health::Health;

/// What files are called: `2026-11-23.jsonl`.
pub(super) fn name_of(day: NaiveDate) -> String {
    format!("{day}.jsonl")
}

/// The day of a file; none of whatever else lies there.
pub(super) fn day_of(name: &str) -> Option<NaiveDate> {
    name.strip_suffix(".jsonl")?.parse().ok()
}

pub(super) struct Writer {
    dir: PathBuf,
    by: String,
    days: u32,
    lost: Arc<AtomicU64>,
    health: (Health, &'static str),
    open: Option<(NaiveDate, File)>,
    /// Of `lost`, how many are told in the audit itself.
    told: u64,
    /// The disk refused the last line.
    failing: bool,
}

impl Writer {
    pub(super) fn new(
        dir: PathBuf,
        by: String,
        days: u32,
        lost: Arc<AtomicU64>,
        health: (Health, &'static str),
    ) -> Self {
        Self {
            dir,
            by,
            days,
            lost,
            health,
            open: None,
            told: 0,
            failing: false,
        }
    }

    /// Works until the last handle is gone.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        self.show(None);
        // Also where nothing is said for days.
        self.remove_old(Utc::now().date_naive());
        while let Ok(order) = orders.recv() {
            match order {
                Order::Line(record) => self.take(&record, Utc::now().date_naive()),
                // Each line was handed to the system when it came.
                Order::Flush(done) => {
                    let _ = done.send(());
                }
            }
        }
    }

    fn take(&mut self, record: &Record, today: NaiveDate) {
        let missed = self.lost.load(Ordering::Relaxed) - self.told;
        let mut written = Ok(());
        if missed > 0 {
            let word = Entry::new(Kind::Lost).what(format!("{missed} lines could not be written"));
            written = self.append(&word.finish(&self.by, &[]), today);
            if written.is_ok() {
                self.told += missed;
            }
        }
        match written.and_then(|()| self.append(record, today)) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    info!(dir = %self.dir.display(), "the audit is written again");
                }
                self.show(None);
            }
            Err(why) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                // Begun anew, so that what is half written is closed by a line's end.
                self.open = None;
                let why = crate::disk::say(&self.dir, &why);
                if !std::mem::replace(&mut self.failing, true) {
                    warn!("the audit is not written: {why}; everything else goes on");
                }
                self.show(Some(&why));
            }
        }
    }

    fn show(&self, why: Option<&str>) {
        let (health, name) = &self.health;
        let lost = self.lost.load(Ordering::Relaxed);
        let detail = serde_json::json!({ "lost": lost, "why": why });
        health.set(name, why.is_none(), detail);
    }

    fn append(&mut self, record: &Record, today: NaiveDate) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let file = self.file(today)?;
        file.write_all(&line)
    }

    fn file(&mut self, today: NaiveDate) -> std::io::Result<&mut File> {
        if self.open.as_ref().is_none_or(|(day, _)| *day != today) {
            let file = self.begin(today)?;
            self.open = Some((today, file));
        }
        match &mut self.open {
            Some((_, file)) => Ok(file),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn begin(&self, today: NaiveDate) -> std::io::Result<File> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)?;
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .mode(0o600)
            .open(self.dir.join(name_of(today)))?;
        // A line that a crash or a full disk cut short stays one bad line.
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        self.remove_old(today);
        Ok(file)
    }

    fn remove_old(&self, today: NaiveDate) {
        let kept = u64::from(self.days.max(1)) - 1;
        let Some(first) = today.checked_sub_days(Days::new(kept)) else {
            return;
        };
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_old = name
                .to_str()
                .and_then(day_of)
                .is_some_and(|day| day < first);
            if is_old && let Err(why) = std::fs::remove_file(entry.path()) {
                warn!(%why, file = %entry.path().display(), "an old audit file cannot be removed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn writer(dir: &std::path::Path, days: u32) -> Writer {
        let health = (Health::default(), "audit");
        Writer::new(dir.to_owned(), "home".into(), days, Arc::default(), health)
    }

    fn record(what: &str) -> Record {
        Entry::new(Kind::Command).what(what).finish("home", &[])
    }

    fn day(day: &str) -> NaiveDate {
        day.parse().unwrap()
    }

    #[test]
    fn each_day_has_its_file_and_old_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path(), 3);
        std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        for date in ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"] {
            writer.take(&record(date), day(date));
        }
        let mut names: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "2026-11-02.jsonl",
                "2026-11-03.jsonl",
                "2026-11-04.jsonl",
                "notes.txt"
            ]
        );
        let file = std::fs::metadata(dir.path().join("2026-11-04.jsonl")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_was_cut_short_stays_one_bad_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("2026-11-01.jsonl");
        std::fs::write(&path, "{\"at\":\"2026").unwrap();
        writer(dir.path(), 90).take(&record("next"), day("2026-11-01"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().nth(1).unwrap().contains("next"));
    }

    #[test]
    fn a_disk_that_refuses_is_counted_and_told_later() {
        let dir = tempfile::tempdir().unwrap();
        // A file stands where the folder should.
        let at = dir.path().join("audit");
        std::fs::write(&at, "").unwrap();
        let mut writer = writer(&at, 90);
        for n in 0..3 {
            writer.take(&record(&n.to_string()), day("2026-11-01"));
        }
        assert_eq!(writer.lost.load(Ordering::Relaxed), 3);
        assert!(!writer.health.0.report().0);
        std::fs::remove_file(&at).unwrap();
        writer.take(&record("after"), day("2026-11-01"));
        assert!(writer.health.0.report().0);
        let text = std::fs::read_to_string(at.join("2026-11-01.jsonl")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("3 lines could not be written"));
        assert!(lines[1].contains("after"));
    }
}
