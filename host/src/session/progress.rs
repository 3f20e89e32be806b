//! What a running turn has said and done so far: a bounded log of texts and tools, in order. How
//! it looks on a card is `cards`'.

use common::message::view::{Step, StepState};

/// Entries kept; the oldest are counted and let go.
const MAX_ENTRIES: usize = 200;
/// Characters of a step.
const STEP_CHARS: usize = 300;
/// Bytes of a text that is still being written which are kept for the preview.
const DRAFT_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Text { block: u64, text: String },
    Tool { id: String, step: Step },
}

/// The log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    entries: Vec<Entry>,
    dropped: usize,
}

impl Progress {
    /// More of a text that is being written.
    pub(crate) fn delta(&mut self, block: u64, more: &str) {
        match self.text_mut(block) {
            Some(text) => {
                text.push_str(more);
                keep_tail(text, DRAFT_BYTES);
            }
            None => self.push(Entry::Text {
                block,
                text: more.to_owned(),
            }),
        }
    }

    /// A finished text replaces its preview.
    pub(crate) fn text(&mut self, block: u64, all: String) {
        match self.text_mut(block) {
            Some(text) => *text = all,
            None => self.push(Entry::Text { block, text: all }),
        }
    }

    /// A preview that will not be finished.
    pub(crate) fn drop_draft(&mut self, block: u64) {
        self.entries
            .retain(|entry| !matches!(entry, Entry::Text { block: b, .. } if *b == block));
    }

    /// A tool was called.
    pub(crate) fn tool(&mut self, id: String, name: &str, summary: &str) {
        let text = if summary.is_empty() {
            name.to_owned()
        } else {
            format!("{name}: {summary}")
        };
        self.push(Entry::Tool {
            id,
            step: Step {
                text: one_line(&text, STEP_CHARS),
                state: StepState::Running,
            },
        });
    }

    /// A tool's call ended.
    pub(crate) fn tool_done(&mut self, id: &str, failed: bool) {
        for entry in self.entries.iter_mut().rev() {
            if let Entry::Tool { id: other, step } = entry
                && other == id
            {
                step.state = if failed {
                    StepState::Failed
                } else {
                    StepState::Done
                };
                return;
            }
        }
    }

    /// What is being said now: the texts behind the last tool.
    pub(crate) fn answer(&self) -> String {
        let texts: Vec<&str> = self
            .entries
            .iter()
            .rev()
            .map_while(|entry| match entry {
                Entry::Text { text, .. } => Some(text.as_str()),
                Entry::Tool { .. } => None,
            })
            .collect();
        texts.into_iter().rev().collect::<Vec<_>>().join("\n\n")
    }

    /// What was done on the way, words between tools included, and how many older steps are gone.
    pub(crate) fn steps(&self) -> (Vec<Step>, usize) {
        let last_tool = self
            .entries
            .iter()
            .rposition(|entry| matches!(entry, Entry::Tool { .. }));
        let steps = self
            .entries
            .iter()
            .take(last_tool.map_or(0, |at| at + 1))
            .map(|entry| match entry {
                Entry::Text { text, .. } => Step {
                    text: one_line(text, STEP_CHARS),
                    state: StepState::Said,
                },
                Entry::Tool { step, .. } => step.clone(),
            })
            .collect();
        (steps, self.dropped)
    }

    fn text_mut(&mut self, block: u64) -> Option<&mut String> {
        self.entries.iter_mut().rev().find_map(|entry| match entry {
            Entry::Text { block: b, text } if *b == block => Some(text),
            Entry::Text { .. } | Entry::Tool { .. } => None,
        })
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.remove(0);
            self.dropped += 1;
        }
        self.entries.push(entry);
    }
}

/// The text on one line, at most `max` characters.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    for (n, word) in text.split_whitespace().enumerate() {
        if n > 0 {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > max {
            let cut: String = line.chars().take(max.saturating_sub(1)).collect();
            return format!("{cut}…");
        }
    }
    line
}

/// Cuts a text to its last `max` bytes, at a character.
pub(crate) fn keep_tail(text: &mut String, max: usize) {
    if text.len() > max {
        let mut at = text.len() - max;
        while !text.is_char_boundary(at) {
            at += 1;
        }
        text.drain(..at);
    }
}

/// A text without its middle, if it has more than about `max` bytes; `gap` says how many are left out.
pub(crate) fn cut_middle(text: &str, max: usize, gap: impl FnOnce(usize) -> String) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut head = max * 2 / 3;
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let mut tail = text.len() - max / 3;
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    let (first, _) = text.split_at(head);
    let (_, last) = text.split_at(tail);
    format!("{first}\n{}\n{last}", gap(tail - head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_what_follows_the_last_tool() {
        let mut progress = Progress::default();
        progress.delta(1, "let me ");
        progress.delta(1, "look");
        progress.text(1, "Let me look.".into());
        progress.tool("t1".into(), "Bash", "ls\n -l");
        progress.delta(2, "half");
        assert_eq!(progress.answer(), "half");
        progress.tool_done("t1", false);
        progress.drop_draft(2);
        assert_eq!(progress.answer(), "");
        progress.text(3, "Two files.".into());
        let (steps, dropped) = progress.steps();
        assert_eq!(dropped, 0);
        let lines: Vec<_> = steps.iter().map(|s| (s.text.as_str(), s.state)).collect();
        assert_eq!(
            lines,
            [
                ("Let me look.", StepState::Said),
                ("Bash: ls -l", StepState::Done)
            ]
        );
        assert_eq!(progress.answer(), "Two files.");
    }

    #[test]
    fn the_log_is_bounded() {
        let mut progress = Progress::default();
        for n in 0..MAX_ENTRIES + 5 {
            progress.tool(n.to_string(), "Read", "x");
        }
        let (steps, dropped) = progress.steps();
        assert_eq!((steps.len(), dropped), (MAX_ENTRIES, 5));
        progress.delta(9, &"é".repeat(DRAFT_BYTES));
        progress.delta(9, "end");
        assert!(progress.answer().len() <= DRAFT_BYTES && progress.answer().ends_with("end"));
    }

    #[test]
    fn the_middle_is_left_out() {
        let gap = |bytes: usize| format!("({bytes})");
        assert_eq!(cut_middle("short", 10, gap), "short");
        assert_eq!(cut_middle("ab天天天天cd", 9, gap), "ab天\n(9)\ncd");
    }

    #[test]
    fn one_line_cuts_by_characters() {
        assert_eq!(one_line("a\n b  c", 10), "a b c");
        assert_eq!(one_line("一二三四五六", 4), "一二三…");
    }
}
