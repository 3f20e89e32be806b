//! Which step a model call gets. Queued scripts and rules come from the test; everything else is
//! worked out from the request alone, so that parallel sessions, resumes and retries all behave.

use std::collections::{HashMap, VecDeque};

use serde_json::json;

use super::conversation::{Chore, Conversation, sample};
use super::script::Step;

/// Where the answer to a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A script given to [`Model::queue`](super::Model::queue).
    Queue,
    /// A directive in the conversation.
    Directive,
    /// A rule given to [`Model::rule`](super::Model::rule).
    Rule,
    /// Nothing said otherwise: the words came back.
    Echo,
    /// The CLI wanted a value of a schema, such as a title.
    Structured,
    /// The CLI tried its key.
    Probe,
    /// The CLI wanted a summary.
    Compact,
    /// The CLI wanted a title.
    Title,
    /// The CLI had tokens counted.
    CountTokens,
    /// Not a model call: the list of models, or a path that is not served.
    Other,
}

impl Kind {
    /// Whether this was a call of the conversation itself, not one of the CLI's chores.
    pub fn is_turn(self) -> bool {
        match self {
            Self::Queue | Self::Directive | Self::Rule | Self::Echo => true,
            Self::Structured
            | Self::Probe
            | Self::Compact
            | Self::Title
            | Self::CountTokens
            | Self::Other => false,
        }
    }
}

type Matcher = Box<dyn Fn(&str) -> bool + Send>;

/// What the test has prepared, and how often limited steps were given.
#[derive(Default)]
pub(crate) struct Choice {
    queue: VecDeque<Vec<Step>>,
    taken: HashMap<String, Vec<Step>>,
    rules: Vec<(Matcher, Vec<Step>)>,
    given: HashMap<(String, usize), u32>,
}

impl Choice {
    pub(crate) fn queue(&mut self, steps: Vec<Step>) {
        self.queue.push_back(steps);
    }

    pub(crate) fn rule(&mut self, matches: Matcher, steps: Vec<Step>) {
        self.rules.push((matches, steps));
    }

    /// The answer to one request, and why.
    pub(crate) fn choose(&mut self, seen: &Conversation) -> (Kind, Step) {
        if let Some(chore) = seen.chore() {
            return do_chore(chore, seen);
        }
        let key = seen.key();
        let answers = seen.answers_since_prompt();
        if answers == 0
            && !self.taken.contains_key(&key)
            && let Some(steps) = self.queue.pop_front()
        {
            self.taken.insert(key.clone(), steps);
        }
        if let Some(steps) = self.taken.get(&key).cloned() {
            return (Kind::Queue, self.step(&key, &steps, answers));
        }
        if let Some((steps, answers)) = seen.directive() {
            return (Kind::Directive, self.step(&key, &steps, answers));
        }
        let rule = self
            .rules
            .iter()
            .find(|(matches, _)| matches(&seen.user_text));
        if let Some((_, steps)) = rule {
            let steps = steps.clone();
            return (Kind::Rule, self.step(&key, &steps, answers));
        }
        (Kind::Echo, Step::text("echo: {user}"))
    }

    /// The step after `answers` answers. A step with `times` stands in front of the one behind it
    /// until it was given so often; it counts as no answer, since the CLI asks again after it.
    fn step(&mut self, key: &str, steps: &[Step], answers: usize) -> Step {
        let mut passed = 0;
        for (index, step) in steps.iter().enumerate() {
            let Some(times) = step.times else {
                if passed == answers {
                    return step.clone();
                }
                passed += 1;
                continue;
            };
            let given = self.given.entry((key.to_owned(), index)).or_default();
            if passed == answers && *given < times {
                *given += 1;
                return step.clone();
            }
        }
        Step::text("ok")
    }
}

fn do_chore(chore: Chore, seen: &Conversation) -> (Kind, Step) {
    match chore {
        Chore::Structured => {
            let value = seen.schema().map(sample).unwrap_or_default();
            (Kind::Structured, Step::text(value.to_string()))
        }
        Chore::Probe => (Kind::Probe, Step::text("#")),
        Chore::Compact => {
            let text =
                "<analysis>fake</analysis>\n<summary>\nFake summary of {n} messages.\n</summary>";
            (Kind::Compact, Step::text(text))
        }
        Chore::Title => {
            let title = json!({"title": "Fake session title"});
            (Kind::Title, Step::text(title.to_string()))
        }
    }
}
