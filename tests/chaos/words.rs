//! How people and messages are called, and what is written to the bot: the one place where the
//! harness and the scripted model agree on words. Pure.

use crate::plan::Kind;

/// Stands before a message's name in its answer, and nowhere else but in the prompt behind `fake:`.
pub(crate) const DONE: &str = "done-";

/// The open_id of a person.
pub(crate) fn name(number: usize) -> String {
    format!("ou_person_{number}")
}

/// What is written. The words in front are more than any card quotes, so that only an answer holds
/// what stands behind them; and the answer is there more than once, as the model gives the next one
/// each time it is called again.
pub(crate) fn prompt(token: &str, kind: Kind) -> String {
    let answer = format!("text {DONE}{token}");
    let first = match kind {
        Kind::Plain => answer.clone(),
        Kind::Slow { pieces, pause_ms } => format!(
            "slow {pieces} {pause_ms} here is what I found after looking into it for a while {DONE}{token}"
        ),
        Kind::Tool => format!("tool Bash {{\"command\":\"echo {token} >> ran.txt\"}} ;; {answer}"),
    };
    let rest = vec![answer; 8].join(" ;; ");
    format!(
        "{} and these words are here only so that whatever quotes a message by its beginning is at an end \
         before it comes to what the model is told to answer. fake: {first} ;; {rest}",
        opening(token)
    )
}

/// How a numbered prompt begins; the model's calls are told apart by it.
pub(crate) fn opening(token: &str) -> String {
    format!("Message {token} of the storm,")
}
