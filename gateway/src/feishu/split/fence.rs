//! Recognises the lines that open and close fenced code blocks.
//!
//! Line by line and at any indent, as code blocks stand in lists too. Where to cut
//! is `split`'s.

/// Longest opening line of a code block that is known as one, in bytes.
const LONGEST_FENCE: usize = 200;
/// Longest opening line that is repeated with its language, in bytes.
const LONGEST_OPENER: usize = 60;

/// An open code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    /// The opening line, without its end.
    line: String,
    indent: String,
    mark: char,
    run: usize,
}

impl Fence {
    /// Reads an opening line, at any indent, as code blocks stand in lists too.
    /// Long ones are repeated without their language.
    fn read(line: &str) -> Option<Self> {
        let line = line.trim_end_matches(['\n', '\r']);
        let body = line.trim_start_matches([' ', '\t']);
        let mark = body.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = body.trim_start_matches(mark);
        let run = body.len() - info.len();
        let indent = line.len() - body.len();
        let is_span = mark == '`' && info.contains('`');
        if run < 3 || is_span || indent + run > LONGEST_OPENER || line.len() > LONGEST_FENCE {
            return None;
        }
        let repeated = if line.len() > LONGEST_OPENER {
            indent + run
        } else {
            line.len()
        };
        Some(Self {
            line: line.get(..repeated)?.to_owned(),
            indent: line.get(..indent)?.to_owned(),
            mark,
            run,
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let body = line.trim();
        body.len() >= self.run && body.chars().all(|c| c == self.mark)
    }

    /// The line that opens it again.
    pub(super) fn opening(&self) -> String {
        format!("{}\n", self.line)
    }

    /// The line that closes it.
    pub(super) fn closing(&self, at_line_start: bool) -> String {
        let fence: String = std::iter::repeat_n(self.mark, self.run).collect();
        let newline = if at_line_start { "" } else { "\n" };
        format!("{newline}{}{fence}", self.indent)
    }
}

/// What a line does to the code block.
pub(super) enum Turn {
    Opens(Fence),
    Closes,
    Stays,
}

pub(super) fn turn(open: Option<&Fence>, line: &str) -> Turn {
    match open {
        Some(fence) if fence.is_closed_by(line) => Turn::Closes,
        Some(_) => Turn::Stays,
        None => Fence::read(line).map_or(Turn::Stays, Turn::Opens),
    }
}
