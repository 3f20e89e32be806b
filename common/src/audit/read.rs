//! Reading audit folders together, in the order of time, a day at a time.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};

use super::Record;
use super::writer::day_of;

/// The longest line that is read, in bytes; ours are far shorter.
const MAX_LINE: u64 = 256 * 1024;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Lines of this person only.
    pub user: Option<String>,
    /// Lines from then on.
    pub since: Option<DateTime<Utc>>,
}

/// How reading went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Lines that were given.
    pub given: usize,
    /// Lines, or files, that could not be read.
    pub bad: usize,
}

/// The folders of a machine: the router's, and those of the hosts whose data is here.
pub fn folders(data_dir: &Path) -> Vec<PathBuf> {
    let mut all = vec![data_dir.join("audit")];
    let hosts = std::fs::read_dir(data_dir.join("host"));
    let mut hosts: Vec<_> = hosts
        .into_iter()
        .flatten()
        .flatten()
        .map(|host| host.path().join("audit"))
        .collect();
    hosts.sort();
    all.append(&mut hosts);
    all.retain(|dir| dir.is_dir());
    all
}

/// Gives every wanted line of `folders` to `each`, oldest first. Bad lines are passed over and counted.
///
/// # Errors
/// Whatever `each` gives ends it.
pub fn read<E>(
    folders: &[PathBuf],
    wanted: &Wanted,
    mut each: impl FnMut(&Record) -> Result<(), E>,
) -> Result<Tally, E> {
    let mut tally = Tally::default();
    let mut days: BTreeMap<NaiveDate, Vec<PathBuf>> = BTreeMap::new();
    let first = wanted.since.map(|since| since.date_naive());
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            tally.bad += 1;
            continue;
        };
        for entry in entries.flatten() {
            let Some(day) = entry.file_name().to_str().and_then(day_of) else {
                continue;
            };
            // A line is written soon after its time, but maybe on the next day: never on one before.
            if first.is_none_or(|first| day >= first) {
                days.entry(day).or_default().push(entry.path());
            }
        }
    }
    for files in days.into_values() {
        let mut lines = Vec::new();
        for file in files {
            match load(&file, wanted, &mut lines) {
                Ok(bad) => tally.bad += bad,
                Err(_) => tally.bad += 1,
            }
        }
        // Stable: lines of one file and one moment stay in their order.
        lines.sort_by_key(|(at, _)| *at);
        for (_, record) in &lines {
            each(record)?;
            tally.given += 1;
        }
    }
    Ok(tally)
}

fn load(
    path: &Path,
    wanted: &Wanted,
    lines: &mut Vec<(DateTime<Utc>, Record)>,
) -> std::io::Result<usize> {
    let mut bad = 0;
    let mut file = BufReader::new(std::fs::File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(bad);
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let record = serde_json::from_slice::<Record>(text).ok();
        let Some((at, record)) = record.and_then(|record| Some((record.time()?, record))) else {
            bad += 1;
            continue;
        };
        let of_user = wanted
            .user
            .as_ref()
            .is_none_or(|user| record.user.as_ref() == Some(user));
        if of_user && wanted.since.is_none_or(|since| at >= since) {
            lines.push((at, record));
        }
    }
}
