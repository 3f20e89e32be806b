//! Putting an answer together from its pieces. Pure; where the pieces come from is `client`'s.

use uuid::Uuid;

use super::fault::LlmFault;
use super::read::{CallPiece, Piece};
use super::types::{Answer, Call, Finish, Heard, Reasoning, Said, Usage};

/// Calls in one answer; what is beyond is dropped, as no sensible answer has so many.
const MOST_CALLS: usize = 32;
/// How thoughts are marked by servers that put them into the text.
const THINK: (&str, &str) = ("<think>", "</think>");

/// What has come of an answer.
#[derive(Debug, Default)]
pub(super) struct Gather {
    text: String,
    thoughts: Option<(&'static str, String)>,
    calls: Vec<(Option<u64>, Call)>,
    finish: String,
    ended: bool,
    shown: usize,
    model: Option<String>,
    usage: Usage,
}

impl Gather {
    /// Takes the next piece; says what is new in it.
    pub(super) fn take(&mut self, piece: Piece) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.model = piece.model.or(self.model.take());
        self.usage = Usage {
            prompt: piece.usage.prompt.or(self.usage.prompt),
            completion: piece.usage.completion.or(self.usage.completion),
        };
        if !piece.finish.is_empty() {
            self.finish = piece.finish;
            self.ended = true;
        }
        if let Some((field, text)) = piece.thoughts {
            let thoughts = self.thoughts.get_or_insert((field, String::new()));
            // A vendor that sends both names says the same in both; the first that says something
            // counts.
            if thoughts.1.is_empty() {
                thoughts.0 = field;
            }
            if thoughts.0 == field {
                thoughts.1.push_str(&text);
            }
            if !text.is_empty() {
                heard.push(Heard::Thinking);
            }
        }
        self.text.push_str(&piece.text);
        let visible = visible(&self.text, false);
        if let Some(more) = visible.get(self.shown..).filter(|more| !more.is_empty()) {
            heard.push(Heard::Text(more.to_owned()));
            self.shown = visible.len();
        } else if !piece.text.is_empty() {
            heard.push(Heard::Thinking);
        }
        for call in piece.calls {
            heard.extend(self.call(call));
        }
        heard
    }

    /// Whether the vendor said that this is all.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The vendor said that this is all.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    fn call(&mut self, piece: CallPiece) -> Option<Heard> {
        let known = self.find(&piece);
        if let Some(call) = known.and_then(|at| self.calls.get_mut(at)) {
            let call = &mut call.1;
            if call.id.is_empty() {
                call.id = piece.id;
            }
            let named = call.name.is_empty() && !piece.name.is_empty();
            // Some repeat the name in each piece. Before the arguments begin, another one is the
            // rest of it.
            if named || piece.name.starts_with(&call.name) {
                call.name = piece.name;
            } else if call.arguments.is_empty() {
                call.name.push_str(&piece.name);
            }
            call.arguments.push_str(&piece.arguments);
            return named.then(|| Heard::Call(call.name.clone()));
        }
        if self.calls.len() >= MOST_CALLS {
            return None;
        }
        let call = Call {
            id: piece.id,
            name: piece.name,
            arguments: piece.arguments,
        };
        let heard = (!call.name.is_empty()).then(|| Heard::Call(call.name.clone()));
        self.calls.push((piece.index, call));
        heard
    }

    /// Which call a piece goes on with. By its index, then by its id; without both it belongs to
    /// the last one, unless it begins another.
    fn find(&self, piece: &CallPiece) -> Option<usize> {
        let goes_on = |at: &usize| {
            let known = self.calls.get(*at);
            known.is_some_and(|(_, call)| !begins(call, piece))
        };
        let mut calls = self.calls.iter();
        if let Some(index) = piece.index
            && let Some(at) = calls.rposition(|(at, _)| *at == Some(index))
        {
            return Some(at).filter(goes_on);
        }
        let mut calls = self.calls.iter();
        if !piece.id.is_empty()
            && let Some(at) = calls.rposition(|(_, call)| call.id == piece.id)
        {
            // Some give all calls the same id, and tell them apart by the index.
            return (piece.index.is_none() || self.is_bare(at)).then_some(at);
        }
        let last = self.calls.len().checked_sub(1)?;
        if piece.index.is_some() {
            // Some give the index only behind the first piece.
            let more = piece.name.is_empty() && piece.id.is_empty();
            return (more && self.is_bare(last)).then_some(last);
        }
        let (_, call) = self.calls.get(last)?;
        let is_next = !piece.name.is_empty()
            && !call.name.is_empty()
            && piece.name != call.name
            && call.arguments.is_empty();
        Some(last).filter(goes_on).filter(|_| !is_next)
    }

    /// Whether a call came without an index.
    fn is_bare(&self, at: usize) -> bool {
        self.calls.get(at).is_some_and(|(index, _)| index.is_none())
    }

    /// The whole answer.
    ///
    /// # Errors
    /// [`LlmFault::Cut`] where nobody said that it is whole; [`LlmFault::Filtered`] and
    /// [`LlmFault::Nonsense`] where there is nothing in it.
    pub(super) fn finish(self) -> Result<Answer, LlmFault> {
        // Words of vendors for a failure of theirs in the middle.
        let failed = matches!(
            self.finish.as_str(),
            "network_error" | "insufficient_system_resource" | "error"
        );
        if !self.ended || failed {
            return Err(LlmFault::Cut);
        }
        let finish = Finish::from(self.finish.as_str());
        let text = visible(&self.text, true).to_owned();
        let calls: Vec<Call> = self
            .calls
            .into_iter()
            .map(|(_, call)| call)
            .filter(|call| !call.name.is_empty() || !call.arguments.is_empty())
            .map(|mut call| {
                if call.id.is_empty() {
                    call.id = format!("call_{}", Uuid::new_v4().simple());
                }
                call
            })
            .collect();
        if text.trim().is_empty() && calls.is_empty() {
            // There was no room for a word.
            if self.finish == "model_context_window_exceeded" {
                return Err(LlmFault::TooLong);
            }
            return Err(match finish {
                Finish::Filter => LlmFault::Filtered,
                Finish::Length => LlmFault::Nonsense {
                    why: "it is cut before it says anything",
                },
                Finish::Stop | Finish::Calls | Finish::Other(_) => {
                    LlmFault::Nonsense { why: "it is empty" }
                }
            });
        }
        let reasoning = self.thoughts.map(|(field, text)| Reasoning {
            field: field.to_owned(),
            text,
        });
        Ok(Answer {
            said: Said {
                text,
                reasoning,
                calls,
            },
            finish,
            model: self.model,
            usage: self.usage,
        })
    }
}

/// Whether a piece begins another call, although it has the same index as `call`, or none. It has a
/// name then, and another id where there are ids; else `call` is whole.
fn begins(call: &Call, piece: &CallPiece) -> bool {
    if piece.name.is_empty() || call.name.is_empty() {
        return false;
    }
    let is_whole =
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&call.arguments).is_ok();
    if !piece.id.is_empty() && !call.id.is_empty() {
        // In the middle of its arguments it goes on, also under a new id in each piece.
        return piece.id != call.id && (is_whole || call.arguments.is_empty());
    }
    is_whole && (piece.name != call.name || !piece.arguments.is_empty())
}

/// The text without thoughts that a server left at its beginning. While it is not `whole`, what
/// may become such a mark is not shown yet.
fn visible(text: &str, whole: bool) -> &str {
    let (open, close) = THINK;
    let start = text.trim_start();
    if let Some(inside) = start.strip_prefix(open) {
        return match inside.split_once(close) {
            Some((_, rest)) => rest.trim_start(),
            None => "",
        };
    }
    if !whole && open.starts_with(start) {
        return "";
    }
    text
}

#[cfg(test)]
mod tests;
