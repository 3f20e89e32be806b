//! What a command writes: its head and its end in memory, all of it in a file, up to a limit.

use std::io::Write as _;
use std::path::Path;

/// Bytes that a card shows of the beginning.
const HEAD: usize = 4 * 1024;
/// Bytes that a card shows of the end.
const TAIL: usize = 8 * 1024;
/// Bytes that are kept in the file. What comes after is counted, and shown at the end, and not kept.
pub(crate) const KEPT: u64 = 64 * 1024 * 1024;

/// The output of one command.
#[derive(Debug)]
pub(crate) struct Output {
    head: Vec<u8>,
    tail: Vec<u8>,
    total: u64,
    file: Option<std::fs::File>,
}

/// Output as a card shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The beginning, or all of it.
    pub(crate) head: String,
    /// Bytes left out after it.
    pub(crate) left_out: u64,
    /// The end, if anything was left out.
    pub(crate) tail: String,
    /// All bytes that were written.
    pub(crate) total: u64,
}

impl Output {
    /// Keeps all of it at `path`. Without a file, when the disk takes none, only memory holds it.
    pub(crate) fn new(path: &Path) -> Self {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = std::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .ok();
        Self {
            head: Vec::new(),
            tail: Vec::new(),
            total: 0,
            file,
        }
    }

    /// Takes what was written.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = usize::try_from(KEPT.saturating_sub(self.total)).unwrap_or(0);
        if let (Some(file), Some(kept)) = (&mut self.file, bytes.get(..room.min(bytes.len())))
            && file.write_all(kept).is_err()
        {
            self.file = None;
        }
        self.total += bytes.len() as u64;
        let (first, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(first);
        self.tail.extend_from_slice(rest);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
    }

    /// As a card shows it: terminal colours taken away, cut in the middle, at the ends of lines.
    pub(crate) fn shown(&self) -> Shown {
        let left_out = self.total - (self.head.len() + self.tail.len()) as u64;
        if left_out == 0 {
            let all = [self.head.as_slice(), self.tail.as_slice()].concat();
            return Shown {
                head: plain(&all),
                total: self.total,
                ..Shown::default()
            };
        }
        let head = self
            .head
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(self.head.len(), |at| at + 1);
        let tail = self
            .tail
            .iter()
            .position(|b| *b == b'\n')
            .map_or(0, |at| at + 1);
        let more = (self.head.len() - head + tail) as u64;
        Shown {
            head: plain(self.head.get(..head).unwrap_or_default()),
            left_out: left_out + more,
            tail: plain(self.tail.get(tail..).unwrap_or_default()),
            total: self.total,
        }
    }
}

/// Text without colours and other orders to a terminal; of a line that was written over, the last.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']') => while chars.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {},
                _ => {}
            },
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => {
                let line = out.rfind('\n').map_or(0, |at| at + 1);
                if chars.peek().is_some() {
                    out.truncate(line);
                }
            }
            '\u{8}' => {
                if !out.ends_with('\n') {
                    out.pop();
                }
            }
            '\t' | '\n' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_is_cut_in_the_middle_and_whole_in_the_file() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("out");
        let mut output = Output::new(&path);
        let mut all = String::new();
        for n in 0..10_000 {
            let line = format!("line {n}\n");
            output.push(line.as_bytes());
            all.push_str(&line);
        }
        let shown = output.shown();
        assert!(shown.head.starts_with("line 0\n") && shown.head.ends_with('\n'));
        assert!(shown.tail.starts_with("line ") && shown.tail.ends_with("line 9999\n"));
        let size = |n: u64| usize::try_from(n).unwrap();
        assert_eq!(size(shown.total), all.len());
        assert_eq!(
            shown.head.len() + shown.tail.len() + size(shown.left_out),
            all.len()
        );
        assert_eq!(std::fs::read_to_string(path).unwrap(), all);
    }

    #[test]
    fn orders_to_a_terminal_are_not_shown() {
        assert_eq!(
            plain(b"\x1b[31mred\x1b[0m\r\n10%\r50%\r100%\nab\x08c\x07\xff"),
            "red\n100%\nac\u{FFFD}"
        );
    }
}
