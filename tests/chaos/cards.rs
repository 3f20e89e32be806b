//! What a card says to its person: that it is an answer, that something is to be decided, or
//! nothing final. Pure.

use kit::feishu::BotMessage;

use crate::words::DONE;

/// Buttons that take a turn up again.
const TAKE_UP: [&str; 2] = ["Continue", "Try again"];
/// The button that lets a tool run.
pub(crate) const ALLOW: &str = "Allow once";
/// Small print of a turn that runs.
const RUNNING: [&str; 4] = [
    "Working",
    "Thinking",
    "Waiting for your answer",
    "Shortening the conversation",
];

/// How a card stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The answer, whole, to the messages of these names: one, unless the model took up the words
    /// of another when it went on.
    Answer(Vec<String>),
    /// The person decides; the button to press.
    Asks(&'static str),
    /// A turn runs, or a message waits: it has buttons that nobody has to press.
    Open,
    /// Words.
    Settled,
}

/// Reads a card as its person does.
pub(crate) fn standing(card: &BotMessage) -> Standing {
    let buttons = card.buttons();
    let has = |label: &str| buttons.iter().any(|b| b.label == label && !b.disabled);
    if has(ALLOW) {
        return Standing::Asks(ALLOW);
    }
    if let Some(label) = TAKE_UP.into_iter().find(|label| has(label)) {
        return Standing::Asks(label);
    }
    let text = card.text();
    let runs = text.lines().any(|line| RUNNING.contains(&line));
    if runs || card.streaming || buttons.iter().any(|b| !b.disabled) {
        return Standing::Open;
    }
    let names = names(&text);
    if names.is_empty() {
        Standing::Settled
    } else {
        Standing::Answer(names)
    }
}

/// Whether an answer was found after a crash in its turn, which nobody had to take up.
pub(crate) fn was_found(card: &BotMessage) -> bool {
    card.text().contains("found after a restart")
}

/// The names of all messages that a text answers; a quoted prompt answers nothing.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines().filter(|line| !line.contains("fake:")) {
        for (at, _) in line.match_indices(DONE) {
            let name = &line[at + DONE.len()..];
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let name = name[..end.unwrap_or(name.len())].to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The card as it was after its first `edits` edits; none when that is not known any more.
pub(crate) fn as_of(card: &BotMessage, edits: usize) -> Option<BotMessage> {
    let mut before = card.clone();
    let at = edits.checked_sub(1)?;
    before.content = card.edits.get(at)?.content.clone();
    before.streaming = false;
    Some(before)
}

#[test]
fn a_quoted_prompt_is_no_answer() {
    assert_eq!(
        names("“Message u1-m00001 fake: text done-u1-m00001”"),
        Vec::<String>::new()
    );
    assert_eq!(names("done-u1-m00001.\nx done-u1-m00001"), ["u1-m00001"]);
    assert_eq!(
        names("done-u1-m00001 done-u2-m00002"),
        ["u1-m00001", "u2-m00002"]
    );
}
