//! Searching in files for a pattern. Blocking, with bounds on time, files and results.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use common::text::host::files::FilesText;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::sinks::Lossy;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use rustix::fs::{AtFlags, Mode, OFlags};

use super::encoding::{HEAD, Sort};
use super::ignored::Rules;
use super::look::{bytes, names, rules, shorten};
use super::walk::{Base, Nature, join, nature, plain};
use crate::grounds::Grounds;

/// Results that are shown.
const MOST_HITS: usize = 150;
/// Results of one file.
const MOST_IN_FILE: usize = 50;
/// Files that are looked into.
const MOST_FILES: usize = 20_000;
/// How long it may take.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// Folders within folders.
const DEEPEST: usize = 64;
/// Characters of a line that are shown.
const LONG_LINE: usize = 200;
/// Up to this size a file in another encoding is read whole; above, its bytes are searched.
const MOST_DECODED: u64 = 16 * 1024 * 1024;
/// The longest line that is held.
const HEAP: usize = 16 * 1024 * 1024;

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// File, relative to the working directory.
    pub(crate) path: String,
    /// Line, from 1.
    pub(crate) line: u64,
    /// The line, cut where it is long.
    pub(crate) text: String,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// In the order of paths.
    pub(crate) hits: Vec<Hit>,
    /// Files with results.
    pub(crate) with_hits: usize,
    /// Files that were looked into.
    pub(crate) files: usize,
    /// There are more results.
    pub(crate) more: bool,
    /// It took too long, or came upon too many files.
    pub(crate) cut: bool,
    /// Binary files that were passed over.
    pub(crate) binary: usize,
    /// Files and folders that `.gitignore` leaves out.
    pub(crate) ignored: usize,
    /// Files that cannot be read, or have several names.
    pub(crate) closed: usize,
}

struct Search<'a> {
    base: &'a Base,
    grounds: &'a Grounds,
    matcher: RegexMatcher,
    searcher: Searcher,
    until: Instant,
    found: Found,
}

/// Lines that match `pattern` in a file, or in all files below a directory.
pub(super) fn search(
    base: &Base,
    grounds: &Grounds,
    pattern: &str,
    typed: &str,
) -> Result<Found, FilesText> {
    let matcher = RegexMatcherBuilder::new()
        .case_smart(true)
        .line_terminator(Some(b'\n'))
        .build(pattern)
        .map_err(|why| FilesText::BadPattern {
            why: why.to_string(),
        })?;
    let spot = base.look(grounds, typed)?;
    let mut search = Search {
        base,
        grounds,
        matcher,
        searcher: SearcherBuilder::new()
            .line_number(true)
            .heap_limit(Some(HEAP))
            .binary_detection(BinaryDetection::quit(0))
            .build(),
        until: Instant::now() + TIME,
        found: Found::default(),
    };
    if nature(spot.stat()?) == Nature::Dir {
        let dir = spot.open_dir()?;
        let rules = rules(&spot).with(dir.as_fd(), &spot.path);
        search.folder(&dir, &spot.path, &rules, 0)?;
    } else {
        let (file, stat) = spot.open_file()?;
        search.file(file, &spot.path, bytes(&stat));
        if search.found.binary > 0 {
            // Who names one file is told what it is.
            super::look::read(base, grounds, typed, None)?;
        }
    }
    Ok(search.found)
}

impl Search<'_> {
    fn over(&mut self) -> bool {
        self.found.cut |= Instant::now() >= self.until || self.found.files >= MOST_FILES;
        let full = self.found.hits.len() >= MOST_HITS;
        self.found.more |= full;
        self.found.cut || full
    }

    fn folder(
        &mut self,
        dir: &OwnedFd,
        path: &str,
        rules: &Rules,
        depth: usize,
    ) -> Result<(), FilesText> {
        let (names, more) = names(dir.as_fd(), path)?;
        self.found.cut |= more > 0;
        for name in names {
            if self.over() {
                return Ok(());
            }
            let Ok(stat) = rustix::fs::statat(dir, &*name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            // One whose name is no text could not be named in an answer.
            let Ok(text) = name.to_str() else {
                self.found.closed += 1;
                continue;
            };
            let path = join(path, text);
            let kind = nature(&stat);
            if !self.base.shows(self.grounds, &path, &stat) {
                continue;
            }
            if rules.leave_out(&path, kind == Nature::Dir) {
                self.found.ignored += 1;
                continue;
            }
            match kind {
                Nature::Dir => {
                    let Some(inner) = self.base.enter(dir.as_fd(), &path) else {
                        self.found.closed += 1;
                        continue;
                    };
                    if depth < DEEPEST {
                        let rules = rules.with(inner.as_fd(), &path);
                        // One that cannot be read does not end the search.
                        if self.folder(&inner, &path, &rules, depth + 1).is_err() {
                            self.found.closed += 1;
                        }
                    }
                }
                Nature::File => {
                    let flags =
                        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
                    let file = rustix::fs::openat(dir, &*name, flags, Mode::empty());
                    let open = file.and_then(|file| Ok((rustix::fs::fstat(&file)?, file)));
                    match open {
                        Ok((stat, file)) if plain(&path, &stat).is_ok() => {
                            self.file(file.into(), &path, bytes(&stat));
                        }
                        Ok(_) | Err(_) => self.found.closed += 1,
                    }
                }
                // Links are not followed: what they lead to is found where it is.
                Nature::Link | Nature::Other => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, mut file: std::fs::File, path: &str, size: u64) {
        let mut head = Vec::new();
        if file
            .by_ref()
            .take(HEAD as u64)
            .read_to_end(&mut head)
            .is_err()
        {
            self.found.closed += 1;
            return;
        }
        let whole = size <= HEAD as u64;
        let sort = Sort::of(&head, whole);
        self.found.files += 1;
        if let Sort::Binary(_) = sort {
            self.found.binary += 1;
            return;
        }
        let plain = matches!(sort, Sort::Utf8 { .. } | Sort::Unknown);
        let (mut hits, until) = (Vec::new(), self.until);
        let room = MOST_HITS - self.found.hits.len().min(MOST_HITS);
        let most = room.min(MOST_IN_FILE);
        let mut full = false;
        let sink = Lossy(|line, text: &str| {
            if hits.len() >= most {
                full = true;
                return Ok(false);
            }
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            hits.push(Hit {
                path: path.to_owned(),
                line,
                text: shorten(text, LONG_LINE).0,
            });
            Ok(Instant::now() < until)
        });
        let done = if plain && whole {
            let text = head.get(sort.mark()..).unwrap_or_default();
            self.searcher.search_slice(&self.matcher, text, sink)
        } else if plain || size > MOST_DECODED {
            match file.seek(SeekFrom::Start(sort.mark() as u64)) {
                Ok(_) => {
                    let reader = Timed { file, until };
                    self.searcher.search_reader(&self.matcher, reader, sink)
                }
                Err(why) => Err(why),
            }
        } else {
            match file.take(MOST_DECODED).read_to_end(&mut head) {
                Ok(_) => {
                    let text = sort.decode(head.get(sort.mark()..).unwrap_or_default());
                    self.searcher
                        .search_slice(&self.matcher, text.as_bytes(), sink)
                }
                Err(why) => Err(why),
            }
        };
        if done.is_err() {
            if Instant::now() >= until {
                self.found.cut = true;
            } else {
                self.found.closed += 1;
            }
        }
        self.found.more |= full;
        self.found.with_hits += usize::from(!hits.is_empty());
        self.found.hits.extend(hits);
    }
}

/// A file that is read until a moment.
struct Timed {
    file: std::fs::File,
    until: Instant,
}

impl io::Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if Instant::now() >= self.until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.file.read(buffer)
    }
}
