//! What a person wants done, and how it is seen that it was done once. Who dies on the way is not
//! known here.

use std::path::{Path, PathBuf};

use kit::feishu::BotMessage;

use crate::world::World;

/// One thing to be done: a command that adds a line to a file, then an answer.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// Stands in the prompt, and nowhere else.
    pub(super) prompt: String,
    /// Stands in the answer, and nowhere else.
    pub(super) answer: String,
    /// Where it is done.
    pub(super) folder: String,
    /// What its `{hold}` is called, for the model to be released.
    pub(super) hold: String,
    /// Gets the line.
    pub(super) file: PathBuf,
    /// Lines that it gets.
    pub(super) lines: usize,
    /// Runs of its prompt: none where it is handed into the turn of another.
    pub(super) turns: usize,
    /// Answers that it gets in the chat; none is looked for where it may have got half of one.
    pub(super) answers: usize,
    /// Where the process dies, for a failing test.
    pub(super) at: String,
}

impl Job {
    /// Its command has run.
    pub(super) fn has_run(&self) -> bool {
        lines_in(&self.file) > 0
    }

    /// Its answer is there, and its card is over.
    pub(super) fn is_answered(&self, world: &World) -> bool {
        answers(world, &self.answer)
            .iter()
            .any(|m| m.buttons().is_empty())
    }
}

/// The bot's messages that hold an answer.
pub(super) fn answers(world: &World, answer: &str) -> Vec<BotMessage> {
    let mut all = world.anna().messages();
    all.retain(|m| m.text().contains(answer));
    all
}

/// How often the command has run.
pub(super) fn lines_in(file: &Path) -> usize {
    std::fs::read_to_string(file).map_or(0, |text| text.lines().count())
}
