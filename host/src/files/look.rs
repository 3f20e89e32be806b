//! Looking: what is in a directory, what is in a file. Blocking; runs where that is allowed.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd as _, BorrowedFd};

use chrono::{DateTime, Utc};
use common::text::host::files::{FilesText, size};
use rustix::fs::{AtFlags, Stat};

use super::encoding::{HEAD, Sort};
use super::ignored::Rules;
use super::walk::{Base, Nature, Spot, failed, join, nature};
use crate::grounds::Grounds;

/// Entries that are shown of a directory.
const MOST_ENTRIES: usize = 300;
/// Entries that are read of a directory; what is behind them is only counted as "more".
const MOST_READ: usize = 50_000;
/// Lines that are shown at once.
const MOST_LINES: usize = 400;
/// Bytes of text that are shown at once.
const MOST_TEXT: usize = 60_000;
/// Characters of a line that are shown.
pub(super) const LONG_LINE: usize = 1_000;
/// Bytes of a line that are looked at; what follows is passed over.
const LONGEST_LINE: usize = 16 * 1024;
/// So far into a file lines are looked for, and counted.
const MOST_SCANNED: u64 = 256 * 1024 * 1024;
/// Of a file in UTF-16 so much is read.
const MOST_UTF16: u64 = 8 * 1024 * 1024;

/// One thing in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: EntryKind,
    /// Size in bytes; of files only.
    pub(crate) size: u64,
    /// When it was changed last.
    pub(crate) modified: DateTime<Utc>,
}

/// What a thing in a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A directory.
    Dir,
    /// A file.
    File,
    /// A link, and what it says.
    Link(String),
    /// A device, pipe or socket.
    Other,
}

/// What is in a directory, folders first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Which, relative to the working directory.
    pub(crate) path: String,
    /// As many as are shown.
    pub(crate) entries: Vec<Entry>,
    /// How many more there are.
    pub(crate) more: usize,
    /// How many `.gitignore` leaves out.
    pub(crate) ignored: usize,
    /// How many of those that are shown have names that are no text, and so cannot be typed.
    pub(crate) odd: usize,
}

/// Lines of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// Which, relative to the working directory.
    pub(crate) path: String,
    /// Size in bytes.
    pub(crate) size: u64,
    /// What it is.
    pub(crate) sort: Sort,
    /// Number of the first line, from 1.
    pub(crate) from: usize,
    /// The lines, without their ends.
    pub(crate) lines: Vec<String>,
    /// How many of these were cut.
    pub(crate) cut: usize,
    /// How many lines the file has; none if it is too large to count.
    pub(crate) total: Option<usize>,
    /// Whether something that was asked for is left out; it begins with the line after the last.
    pub(crate) more: bool,
}

/// What is in a directory, or the one file that was named.
pub(super) fn list(base: &Base, grounds: &Grounds, typed: &str) -> Result<Listing, FilesText> {
    let spot = base.look(grounds, typed)?;
    let stat = spot.stat()?;
    if nature(stat) != Nature::Dir {
        let name = CString::new(spot.name.as_deref().unwrap_or_default()).unwrap_or_default();
        let entry = entry(spot.parent()?, &name, stat);
        return Ok(Listing {
            path: spot.path,
            entries: vec![entry],
            more: 0,
            ignored: 0,
            odd: 0,
        });
    }
    let dir = spot.open_dir()?;
    let rules = rules(&spot).with(dir.as_fd(), &spot.path);
    let (names, mut more) = names(dir.as_fd(), &spot.path)?;
    let (mut entries, mut ignored) = (Vec::new(), 0);
    for name in names {
        let Ok(stat) = rustix::fs::statat(&dir, &*name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let path = join(&spot.path, &name.to_string_lossy());
        if !base.shows(grounds, &path, &stat) && !grounds.leads_home(path.as_ref()) {
            continue;
        }
        if rules.leave_out(&path, nature(&stat) == Nature::Dir) {
            ignored += 1;
            continue;
        }
        let is_odd = name.to_str().is_err();
        entries.push((is_odd, entry(dir.as_fd(), &name, &stat)));
    }
    let folder = |entry: &Entry| entry.kind != EntryKind::Dir;
    entries.sort_by_cached_key(|(_, entry)| (folder(entry), entry.name.to_lowercase()));
    more += entries.len().saturating_sub(MOST_ENTRIES);
    entries.truncate(MOST_ENTRIES);
    let odd = entries.iter().filter(|(is_odd, _)| *is_odd).count();
    Ok(Listing {
        path: spot.path,
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
        more,
        ignored,
        odd,
    })
}

/// The rules of the directories around something; none where it is left out itself, since who names
/// it wants to see it.
pub(super) fn rules(spot: &Spot) -> Rules {
    let (mut rules, mut around) = (Rules::default(), spot.trail.iter().peekable());
    while let Some((path, dir)) = around.next() {
        rules = rules.with(dir.as_fd(), path);
        let next = around
            .peek()
            .map_or(spot.path.as_str(), |(path, _)| path.as_str());
        if next != "." && rules.leave_out(next, true) {
            return Rules::default();
        }
    }
    rules
}

/// The names in a directory in order, and how many are left out as too many.
pub(super) fn names(dir: BorrowedFd<'_>, path: &str) -> Result<(Vec<CString>, usize), FilesText> {
    let wrong = |why: rustix::io::Errno| failed(path, why.into());
    let (mut names, mut more) = (Vec::new(), 0);
    for entry in rustix::fs::Dir::read_from(dir).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if names.len() < MOST_READ {
            names.push(name.to_owned());
        } else {
            more += 1;
        }
    }
    names.sort();
    Ok((names, more))
}

fn entry(dir: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> Entry {
    let kind = match nature(stat) {
        Nature::Dir => EntryKind::Dir,
        Nature::File => EntryKind::File,
        Nature::Link => {
            let to = rustix::fs::readlinkat(dir, name, Vec::new());
            EntryKind::Link(to.map_or_else(
                |_| String::new(),
                |to| super::walk::shown(&to.to_string_lossy()),
            ))
        }
        Nature::Other => EntryKind::Other,
    };
    Entry {
        // Names may hold line feeds and worse.
        name: super::walk::shown(&name.to_string_lossy()),
        size: if kind == EntryKind::File {
            bytes(stat)
        } else {
            0
        },
        kind,
        modified: DateTime::from_timestamp(seconds(stat), 0).unwrap_or_default(),
    }
}

pub(super) fn bytes(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    reason = "its type differs by system"
)]
fn seconds(stat: &Stat) -> i64 {
    stat.st_mtime as i64
}

/// Lines of a text file; `lines` from 1, both included.
pub(super) fn read(
    base: &Base,
    grounds: &Grounds,
    typed: &str,
    lines: Option<(usize, Option<usize>)>,
) -> Result<Text, FilesText> {
    let spot = base.look(grounds, typed)?;
    let (mut file, stat) = spot.open_file()?;
    let wrong = |why| failed(&spot.near, why);
    let size = bytes(&stat);
    let mut head = Vec::new();
    file.by_ref()
        .take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(wrong)?;
    let sort = Sort::of(&head, size <= HEAD as u64);
    if let Sort::Binary(kind) = sort {
        return Err(FilesText::Binary {
            path: spot.near,
            size: self::size(size),
            kind: kind.to_owned(),
        });
    }
    file.seek(SeekFrom::Start(sort.mark() as u64))
        .map_err(wrong)?;
    let (from, to) = match lines {
        None => (1, usize::MAX),
        Some((from, to)) => (from.max(1), to.unwrap_or(usize::MAX)),
    };
    let mut taken = Taken {
        sort,
        from,
        to,
        text: Vec::new(),
        bytes: 0,
        cut: 0,
        more: false,
        at: 0,
    };
    let whole = if let Sort::Utf16 { .. } = sort {
        let mut bytes = Vec::new();
        let most = MOST_UTF16.min(size);
        file.take(most).read_to_end(&mut bytes).map_err(wrong)?;
        let text = sort.decode(&bytes);
        for line in text.lines() {
            taken.line(line.to_owned(), line.len() > LONGEST_LINE);
        }
        size <= MOST_UTF16
    } else {
        scan(file, &mut taken).map_err(wrong)?
    };
    let total = whole.then_some(taken.at);
    if taken.text.is_empty() && from > 1 {
        return Err(match total {
            Some(have) => FilesText::NoSuchLine { from, have },
            None => FilesText::LineTooFar {
                from,
                max: self::size(match sort {
                    Sort::Utf16 { .. } => MOST_UTF16,
                    Sort::Utf8 { .. } | Sort::Gb18030 | Sort::Unknown | Sort::Binary(_) => {
                        MOST_SCANNED
                    }
                }),
            },
        });
    }
    taken.more |= !whole && taken.at < to;
    Ok(Text {
        path: spot.path,
        size,
        sort,
        from,
        lines: taken.text,
        cut: taken.cut,
        total,
        more: taken.more,
    })
}

/// The lines that are wanted, while they go by.
struct Taken {
    sort: Sort,
    from: usize,
    to: usize,
    text: Vec<String>,
    bytes: usize,
    cut: usize,
    more: bool,
    at: usize,
}

impl Taken {
    fn wants(&self) -> bool {
        let next = self.at + 1;
        next >= self.from && next <= self.to && !self.more
    }

    fn line(&mut self, line: String, shortened: bool) {
        let wanted = self.wants();
        self.at += 1;
        if !wanted {
            return;
        }
        if self.text.len() >= MOST_LINES || self.bytes >= MOST_TEXT {
            self.more = true;
            return;
        }
        let (line, cut) = shorten(line, LONG_LINE);
        self.cut += usize::from(cut || shortened);
        self.bytes += line.len() + 1;
        self.text.push(line);
    }
}

/// Cuts a line that is too long to be shown; whether it was.
pub(super) fn shorten(mut line: String, most: usize) -> (String, bool) {
    match line.char_indices().nth(most) {
        Some((at, _)) => {
            line.truncate(at);
            line.push('…');
            (line, true)
        }
        None => (line, false),
    }
}

/// Goes through a file line by line; whether it came to its end. Lines of any length take little
/// memory.
fn scan(file: File, taken: &mut Taken) -> std::io::Result<bool> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let (mut line, mut long, mut begun, mut seen) = (Vec::new(), false, false, 0_u64);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            if begun {
                end_line(&mut line, long, taken);
            }
            return Ok(true);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (part, used) = match end {
            Some(at) => (buffer.get(..at).unwrap_or_default(), at + 1),
            None => (buffer, buffer.len()),
        };
        begun = true;
        let room = LONGEST_LINE.saturating_sub(line.len());
        if taken.wants() {
            line.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            long |= part.len() > room;
        }
        reader.consume(used);
        seen += used as u64;
        if end.is_some() {
            end_line(&mut line, long, taken);
            (long, begun) = (false, false);
        }
        if seen >= MOST_SCANNED {
            return Ok(false);
        }
    }
}

fn end_line(line: &mut Vec<u8>, long: bool, taken: &mut Taken) {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = taken.sort.decode(line).into_owned();
    line.clear();
    taken.line(text, long);
}
