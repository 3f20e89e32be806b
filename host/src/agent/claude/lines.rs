//! Splits a byte stream into lines of bounded length. One reply of the CLI is one line and was
//! seen to be megabytes long, so the bound is wide; past it a line is thrown away and counted, and
//! the next one is read as if nothing had happened.

use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest line that is read.
pub(super) const MAX_LINE: usize = 64 * 1024 * 1024;
/// What the buffer shrinks back to after a long line.
const USUAL: usize = 64 * 1024;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Without its line feed.
    Line(Vec<u8>),
    /// It was this long, and is gone.
    TooLong(u64),
}

/// Reads lines.
pub(super) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    /// Up to here there is no line feed.
    searched: usize,
    max: usize,
    /// Bytes of an overlong line thrown away so far.
    skipped: Option<u64>,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self::with_max(source, MAX_LINE)
    }

    fn with_max(source: R, max: usize) -> Self {
        Self {
            source,
            buffer: Vec::with_capacity(USUAL),
            searched: 0,
            max,
            skipped: None,
            ended: false,
        }
    }

    /// The next line; `None` at the end. What comes after the last line feed is a line, too. May
    /// be dropped while it waits, and called again: nothing is lost.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<Piece>> {
        loop {
            if let Some(piece) = self.split() {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(self.rest());
            }
            if self.source.read_buf(&mut self.buffer).await? == 0 {
                self.ended = true;
            }
        }
    }

    fn split(&mut self) -> Option<Piece> {
        let fresh = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(offset) = fresh.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            if self.buffer.len() > self.max {
                self.skip();
            }
            return None;
        };
        let end = self.searched.saturating_add(offset);
        let rest = self.buffer.split_off(end.saturating_add(1));
        let mut line = std::mem::replace(&mut self.buffer, rest);
        self.buffer.reserve(USUAL);
        self.searched = 0;
        line.pop();
        Some(self.finish(line))
    }

    fn finish(&mut self, line: Vec<u8>) -> Piece {
        match self.skipped.take() {
            Some(skipped) => Piece::TooLong(skipped.saturating_add(len(&line))),
            None if line.len() > self.max => Piece::TooLong(len(&line)),
            None => Piece::Line(line),
        }
    }

    fn skip(&mut self) {
        let skipped = self.skipped.unwrap_or_default();
        self.skipped = Some(skipped.saturating_add(len(&self.buffer)));
        self.buffer = Vec::with_capacity(USUAL);
        self.searched = 0;
    }

    fn rest(&mut self) -> Option<Piece> {
        if self.buffer.is_empty() && self.skipped.is_none() {
            return None;
        }
        let line = std::mem::take(&mut self.buffer);
        self.searched = 0;
        Some(self.finish(line))
    }
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn all(bytes: &[u8], max: usize) -> Vec<Piece> {
        let mut lines = Lines::with_max(bytes, max);
        let mut pieces = Vec::new();
        while let Some(piece) = lines.next().await.unwrap() {
            pieces.push(piece);
        }
        pieces
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn an_overlong_line_costs_only_itself() {
        let pieces = all(b"one\n0123456789\n\ntwo\nlast", 8).await;
        let expected = [
            line("one"),
            Piece::TooLong(10),
            line(""),
            line("two"),
            line("last"),
        ];
        assert_eq!(pieces, expected);
    }

    #[tokio::test]
    async fn memory_is_bounded_while_a_line_grows() {
        let long = vec![b'x'; 1_000_000];
        let mut source = long.as_slice().chain(&b"\nafter\n"[..]);
        let mut lines = Lines::with_max(&mut source, 1000);
        assert_eq!(lines.next().await.unwrap(), Some(Piece::TooLong(1_000_000)));
        assert!(lines.buffer.capacity() < 4 * USUAL);
        assert_eq!(lines.next().await.unwrap(), Some(line("after")));
        assert_eq!(lines.next().await.unwrap(), None);
    }

    proptest! {
        #[test]
        fn lines_are_what_split_says(bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..400)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let got = runtime.block_on(all(&bytes, 1000));
            let mut expected: Vec<Piece> = bytes
                .split(|byte| *byte == b'\n')
                .map(|line| Piece::Line(line.to_vec()))
                .collect();
            if bytes.is_empty() || bytes.last() == Some(&b'\n') {
                expected.pop();
            }
            prop_assert_eq!(got, expected);
        }
    }
}
