//! Cuts long text into pieces that fit, at good places, without losing a byte.
//!
//! Pure. The pieces' own texts, put together, are the original; where a cut falls
//! into a fenced code block, the block is closed and reopened around it. What a
//! piece may cost is the caller's measure.

mod fence;

use std::rc::Rc;

use self::fence::{Fence, Turn, turn};

/// One piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The opening line of a code block that the piece before left open, or empty.
    pub reopened: String,
    /// A part of the original, exactly.
    pub text: &'a str,
    /// What closes a code block that the next piece goes on with, or empty.
    pub closed: String,
}

impl Piece<'_> {
    /// The piece as it is shown.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.reopened, self.text, self.closed)
    }
}

/// How a text is read and measured.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// What one character costs, in bytes of the final form.
    pub cost: fn(char) -> usize,
    /// Whether fenced code blocks are closed and reopened.
    pub fences: bool,
}

/// Budgets below this are raised to it, so that there is always room for a fence
/// and some text.
pub const LEAST_BUDGET: usize = 2000;
/// Cuts `text` so that the first piece costs at most `first` and each other at
/// most `rest`. An empty text gives no piece.
pub fn split(text: &str, first: usize, rest: usize, measure: Measure) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut left = text;
    let mut open: Option<Rc<Fence>> = None;
    let mut budget = first;
    while !left.is_empty() {
        let cut = cut(left, open.clone(), budget.max(LEAST_BUDGET), measure);
        let (text, after) = left.split_at_checked(cut.at).unwrap_or((left, ""));
        let closed = match &cut.open {
            Some(fence) if !after.is_empty() => fence.closing(text.ends_with('\n')),
            Some(_) | None => String::new(),
        };
        pieces.push(Piece {
            reopened: open.as_deref().map(Fence::opening).unwrap_or_default(),
            text,
            closed,
        });
        left = after;
        open = cut.open;
        budget = rest;
    }
    pieces
}

/// Where a piece ends, and the code block that is open there.
#[derive(Debug, Clone)]
struct Cut {
    at: usize,
    spent: usize,
    open: Option<Rc<Fence>>,
}

/// Kinds of places to cut at.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Behind an empty line.
    Paragraph,
    /// Behind a line.
    Line,
    /// Behind a line of code.
    CodeLine,
    /// Behind a blank.
    Blank,
    /// Between two visible characters.
    Character,
    /// Between two code points.
    Forced,
}

/// What is taken: the last place of the first kind that leaves no more than this
/// part of the budget (a divisor) unused before it.
const CHOICE: [(Place, usize); 7] = [
    (Place::Paragraph, 2),
    (Place::Line, 2),
    (Place::CodeLine, 2),
    (Place::Line, 8),
    (Place::Blank, 8),
    (Place::Character, usize::MAX),
    (Place::Forced, usize::MAX),
];

/// The search for one cut.
struct Search {
    measure: Measure,
    budget: usize,
    spent: usize,
    fence: Option<Rc<Fence>>,
    /// What closing the fence would cost.
    closing: usize,
    /// The last place of each kind.
    last: [Option<Cut>; 6],
}

impl Search {
    fn set_fence(&mut self, fence: Option<Rc<Fence>>) {
        self.closing = fence
            .as_ref()
            .map_or(0, |fence| self.cost(&fence.closing(false)));
        self.fence = fence;
    }

    fn cost(&self, text: &str) -> usize {
        text.chars().map(self.measure.cost).sum()
    }

    fn note(&mut self, place: Place, at: usize) {
        if self.spent + self.closing <= self.budget
            && let Some(slot) = self.last.get_mut(place as usize)
        {
            *slot = Some(Cut {
                at,
                spent: self.spent,
                open: self.fence.clone(),
            });
        }
    }

    /// Takes in one line that begins at `start`; false when the budget is spent.
    fn line(&mut self, line: &str, start: usize) -> bool {
        let turn = if self.measure.fences {
            turn(self.fence.as_deref(), line)
        } else {
            Turn::Stays
        };
        let mut before = None;
        for (offset, c) in line.char_indices() {
            // A line that opens or closes a block is not cut.
            if let Some(before) = before
                && matches!(turn, Turn::Stays)
            {
                let at = start + offset;
                self.note(Place::Forced, at);
                if !joined(before, c) {
                    self.note(Place::Character, at);
                    if before == ' ' {
                        self.note(Place::Blank, at);
                    }
                }
            }
            before = Some(c);
            self.spent += (self.measure.cost)(c);
            if self.spent > self.budget {
                return false;
            }
        }
        let end = start + line.len();
        match turn {
            // Never a cut between the opening line and the code.
            Turn::Opens(fence) => {
                self.set_fence(Some(Rc::new(fence)));
                return true;
            }
            Turn::Closes => self.set_fence(None),
            Turn::Stays => {}
        }
        if self.fence.is_some() {
            self.note(Place::CodeLine, end);
        } else {
            self.note(Place::Line, end);
            if line.trim().is_empty() {
                self.note(Place::Paragraph, end);
            }
        }
        true
    }
}

fn cut(text: &str, open: Option<Rc<Fence>>, budget: usize, measure: Measure) -> Cut {
    let mut search = Search {
        measure,
        budget,
        spent: 0,
        fence: None,
        closing: 0,
        last: [const { None }; 6],
    };
    search.spent = open
        .as_deref()
        .map_or(0, |fence| search.cost(&fence.opening()));
    search.set_fence(open);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !search.line(line, at) {
            return choose(search, text);
        }
        at += line.len();
    }
    Cut {
        at: text.len(),
        spent: search.spent,
        open: search.fence,
    }
}

fn choose(search: Search, text: &str) -> Cut {
    let Search {
        budget,
        spent,
        fence,
        mut last,
        ..
    } = search;
    for (place, part) in CHOICE {
        let slot = last.get_mut(place as usize).and_then(Option::take);
        if let Some(cut) = slot {
            if cut.spent >= budget / part {
                return cut;
            }
            if let Some(slot) = last.get_mut(place as usize) {
                *slot = Some(cut);
            }
        }
    }
    // Not met with a budget of at least LEAST_BUDGET; still, go on by a character.
    Cut {
        at: text.chars().next().map_or(text.len(), char::len_utf8),
        spent,
        open: fence,
    }
}

/// Whether a cut between these two would tear a visible character apart.
fn joined(before: char, after: char) -> bool {
    let mark = matches!(after,
        '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    mark || before == '\u{200d}' || (before == '\r' && after == '\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEASURE: Measure = Measure {
        cost: char::len_utf8,
        fences: true,
    };

    fn cost(text: &str) -> usize {
        text.chars().map(MEASURE.cost).sum()
    }

    #[test]
    fn short_text_stays_whole() {
        let pieces = split("```\nopen", 2000, 2000, MEASURE);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].whole(), "```\nopen");
        assert!(split("", 2000, 2000, MEASURE).is_empty());
    }

    #[test]
    fn a_code_block_is_closed_and_reopened() {
        let line = "let answer = 42;\n";
        let text = format!("Look:\n\n  ```rust\n{}  ```\nDone.", line.repeat(150));
        let pieces = split(&text, 2000, 2000, MEASURE);
        assert_eq!(pieces.len(), 2);
        assert!(pieces[0].whole().ends_with("= 42;\n  ```"));
        assert!(pieces[1].whole().starts_with("  ```rust\nlet answer"));
        assert!(pieces[1].whole().ends_with("  ```\nDone."));
    }

    #[test]
    fn paragraphs_are_kept_together() {
        let paragraph = format!("{}\n\n", "word ".repeat(100));
        let text = paragraph.repeat(9);
        for piece in split(&text, 2200, 2200, MEASURE) {
            assert!(piece.text.ends_with("\n\n"), "{:?}", piece.text);
        }
    }

    #[test]
    fn the_first_piece_has_its_own_budget() {
        let text = "x".repeat(10_000);
        let sizes: Vec<usize> = split(&text, 2100, 4000, MEASURE)
            .iter()
            .map(|piece| piece.text.len())
            .collect();
        assert_eq!(sizes, [2100, 4000, 3900]);
    }

    #[test]
    fn visible_characters_are_not_torn() {
        let family = "👨\u{200d}👩\u{200d}👧";
        let text = family.repeat(300);
        for piece in split(&text, 2001, 2001, MEASURE) {
            assert_eq!(piece.text.len() % family.len(), 0);
        }
    }

    fn markdown() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            4 => "[a-z字é👍 `|<&-]{0,120}",
            1 => "[ \t]{0,6}(`{3,6}|~{3,5})[a-z \"=]{0,90}",
            1 => Just(String::new()),
            1 => "\\PC{0,300}",
        ];
        let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")];
        prop::collection::vec((line, end), 0..150)
            .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn nothing_is_lost_and_all_fits(text in markdown(), first in 0_usize..5000, rest in LEAST_BUDGET..5000) {
            let pieces = split(&text, first, rest, MEASURE);
            let joined: String = pieces.iter().map(|piece| piece.text).collect();
            prop_assert_eq!(&joined, &text);
            let mut budget = first.max(LEAST_BUDGET);
            for (n, piece) in pieces.iter().enumerate() {
                prop_assert!(!piece.text.is_empty());
                prop_assert!(cost(&piece.whole()) <= budget, "{} > {}", cost(&piece.whole()), budget);
                let last = n + 1 == pieces.len();
                prop_assert!(!last || piece.closed.is_empty());
                if let Some(next) = pieces.get(n + 1) {
                    prop_assert_eq!(piece.closed.is_empty(), next.reopened.is_empty());
                }
                budget = rest;
            }
        }

        #[test]
        fn each_piece_reads_as_the_whole_did(blocks in prop::collection::vec(("[a-z ]{1,60}", 1_usize..60), 1..12)) {
            // Code stays code and text stays text, whatever the cuts.
            let mut text = String::new();
            for (n, (words, lines)) in blocks.iter().enumerate() {
                if n % 2 == 0 {
                    text += &format!("T{words}\n\n").repeat(*lines);
                } else {
                    let code = format!("C{words}\n").repeat(*lines);
                    text.extend(["```c\n", &code, "```\n\n"]);
                }
            }
            for piece in split(&text, LEAST_BUDGET, LEAST_BUDGET, MEASURE) {
                let mut code = false;
                let whole = piece.whole();
                for line in whole.lines() {
                    if line.starts_with("```") {
                        code = !code;
                    } else if !line.is_empty() {
                        prop_assert_eq!(code, line.starts_with('C'), "{}", line);
                    }
                }
                prop_assert!(!code);
            }
        }
    }
}
