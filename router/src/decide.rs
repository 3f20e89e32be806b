//! Where an act goes. Pure: what is known about the person's nodes is handed in.
//!
//! [`decide`] asks its steps in order; the first that knows decides. A chat model is asked (`chooser`)
//! where [`open`] says that rules are not sure; asking the person is what is left. Carrying a decision out is `intake`'s and `dispatch`'s.

use common::command::typed::unquoted;
use common::command::{Command, Owner, Typed, read};
use common::ids::{CauseId, MessageId, NodeId};
use common::lang::Lang;
use common::message::inbound::InboundBody;
use common::message::view::{Action, DeadChoice, EnrolChoice, RemindChoice, WaitingChoice};

use crate::address::{self, Addressed};

/// A node that serves the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its id.
    pub(crate) node: NodeId,
    /// What people call it.
    pub(crate) name: String,
}

/// What is known when an act is to be decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The nodes that serve the person.
    pub(crate) candidates: &'a [Candidate],
    /// The node they chose last; it may not serve them any more.
    pub(crate) active: Option<&'a NodeId>,
}

impl Facts<'_> {
    fn serves(&self, node: &NodeId) -> bool {
        self.candidates.iter().any(|one| one.node == *node)
    }
}

/// What is to be done with an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is work for this node.
    Send(NodeId),
    /// It names one node: it goes there, and nothing else changes.
    At {
        /// The node; it serves the person.
        node: NodeId,
        /// What is left without the name.
        text: String,
    },
    /// It goes to several nodes, and their answers are collected.
    Fan {
        /// They serve the person.
        nodes: Vec<NodeId>,
        /// What each of them gets.
        text: String,
    },
    /// `@name` that names no node, or several. Nothing goes anywhere.
    Unclear {
        /// What was typed.
        name: String,
        /// Several that it could mean; empty: none.
        matches: Vec<NodeId>,
    },
    /// Nodes are named, and nothing is said to them.
    NoText,
    /// A command of ours that was sent to nodes.
    Ours(Command),
    /// The person is asked which node; none is active and several serve them.
    Ask,
    /// No node serves them.
    NoNode,
    /// List the nodes.
    List,
    /// Make a node the active one, and send it the waiting message if there is one.
    Use {
        /// The node; it serves the person.
        node: NodeId,
        /// Place of the waiting message in PW_IN.
        pending: Option<u64>,
    },
    /// `/node <name>` that names no node, or several.
    NotFound {
        /// What was typed.
        name: String,
        /// Several that it could mean; empty: none.
        matches: Vec<NodeId>,
    },
    /// A chat model chose: it goes there.
    Chosen {
        /// The node; it serves the person.
        node: NodeId,
        /// It becomes the active one; else nothing but this message goes there.
        active: bool,
        /// The model's reason, a line; may be empty.
        reason: String,
    },
    /// Where else the message at that place of PW_IN is to go.
    OtherNode(u64),
    /// `/remind` with what is behind it.
    Remind(String),
    /// What to do with a reminder. Whose it is, is seen there.
    Reminder {
        /// Which.
        reminder: MessageId,
        /// The time of it that the card is about.
        due: Option<i64>,
        /// The choice.
        choice: RemindChoice,
    },
    /// The language to speak from now on; none: which one it is now.
    Lang(Option<Lang>),
    /// A command of ours, written wrongly.
    WrongUse(Command),
    /// What to do with a dead letter of theirs.
    Dead {
        /// Its place in PW_DLQ.
        sequence: u64,
        /// The choice.
        choice: DeadChoice,
    },
    /// Whether a machine that asks is let in. Who may say so, is seen there.
    Enrol {
        /// The id that it wants.
        id: NodeId,
        /// Its key.
        key: String,
        /// The choice.
        choice: EnrolChoice,
    },
    /// A choice for a message that waits, or waited in vain. Whose it is, is seen there.
    Waiting {
        /// The node it waits for; it need not serve the person any more.
        node: NodeId,
        /// The act that brought it.
        cause: CauseId,
        /// The choice.
        choice: WaitingChoice,
    },
    /// A tap for a node that does not serve them.
    NotYours(NodeId),
    /// A kind of message that is not handled yet.
    Unsupported(String),
    /// More text than is taken: how many bytes it had.
    TooLong(usize),
}

/// Where an act goes.
pub(crate) fn decide(body: &InboundBody, facts: &Facts<'_>) -> Decision {
    by_rules(body, facts).unwrap_or_else(|| otherwise(facts))
}

/// The text of an act of which the rules alone are not sure where it goes: several nodes and none active, or it
/// names another one than the active.
pub(crate) fn open<'a>(body: &'a InboundBody, facts: &Facts<'_>) -> Option<&'a str> {
    let InboundBody::Text { text } = body else {
        return None;
    };
    let plain = matches!(read(text), Typed::Text(_)) && by_address(text, facts).is_none();
    if !plain || facts.candidates.len() < 2 {
        return None;
    }
    match facts.active.filter(|node| facts.serves(node)) {
        None => Some(text),
        Some(active) => {
            let mut others = facts.candidates.iter().filter(|one| one.node != *active);
            others.any(|one| names(text, one)).then_some(text)
        }
    }
}

/// Whether a text says a node's id or name, as words of their own.
fn names(text: &str, one: &Candidate) -> bool {
    let text = text.to_lowercase();
    let said = |name: &str| {
        let name = name.trim().to_lowercase();
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
        name.chars().count() > 1
            && text.match_indices(&name).any(|(at, _)| {
                let before = text.get(..at).and_then(|text| text.chars().next_back());
                let behind = text
                    .get(at + name.len()..)
                    .and_then(|text| text.chars().next());
                ends(before) && ends(behind)
            })
    };
    said(one.node.as_str()) || said(&one.name)
}

/// What the rules are sure of: the router's own commands, taps, the active node, the only node.
fn by_rules(body: &InboundBody, facts: &Facts<'_>) -> Option<Decision> {
    match body {
        InboundBody::Unsupported { what } => return Some(Decision::Unsupported(what.clone())),
        InboundBody::TooLong { bytes } => return Some(Decision::TooLong(*bytes)),
        InboundBody::Tap { action } => return Some(by_tap(action, facts)),
        // Files follow the words that came with them.
        InboundBody::Text { text } | InboundBody::Files { text, .. } => {
            if let Some(decision) = by_command(text, facts).or_else(|| by_address(text, facts)) {
                return Some(decision);
            }
        }
    }
    by_node(facts)
}

fn by_tap(action: &Action, facts: &Facts<'_>) -> Decision {
    if let Some(node) = action.node()
        // Also what waits for a node that was removed can be taken back.
        && !matches!(action, Action::Waiting { .. })
        && !facts.serves(node)
    {
        return Decision::NotYours(node.clone());
    }
    match action {
        Action::UseNode { node, pending } => Decision::Use {
            node: node.clone(),
            pending: *pending,
        },
        Action::Dead { sequence, choice } => Decision::Dead {
            sequence: *sequence,
            choice: *choice,
        },
        Action::Enrol { id, key, choice } => Decision::Enrol {
            id: id.clone(),
            key: key.clone(),
            choice: *choice,
        },
        Action::OtherNode { pending } => Decision::OtherNode(*pending),
        Action::Remind {
            reminder,
            due,
            choice,
        } => Decision::Reminder {
            reminder: *reminder,
            due: *due,
            choice: *choice,
        },
        Action::Waiting {
            node,
            cause,
            choice,
        } => Decision::Waiting {
            node: node.clone(),
            cause: cause.clone(),
            choice: choice.clone(),
        },
        Action::Answer { node, .. }
        | Action::Stop { node, .. }
        | Action::Recover { node, .. }
        | Action::Queued { node, .. }
        | Action::Switch { node, .. } => Decision::Send(node.clone()),
    }
}

fn by_command(text: &str, facts: &Facts<'_>) -> Option<Decision> {
    let (command, args) = match read(text) {
        Typed::Command(command, args) => (command, args),
        Typed::Passed(_) | Typed::Foreign(_) | Typed::Text(_) => return None,
    };
    match (command, args) {
        // These need no node.
        (Command::Remind, args) => return Some(Decision::Remind(args.to_owned())),
        (Command::Lang, "") => return Some(Decision::Lang(None)),
        (Command::Lang, name) => {
            let found = language(name).map(|lang| Decision::Lang(Some(lang)));
            return Some(found.unwrap_or(Decision::WrongUse(command)));
        }
        _ => {}
    }
    match command.owner() {
        Owner::Host => None,
        Owner::Router if facts.candidates.is_empty() => Some(Decision::NoNode),
        Owner::Router => Some(match (command, args) {
            (Command::Nodes, "") => Decision::List,
            (Command::Node, name) if !name.is_empty() => by_name(unquoted(name), facts),
            (Command::All, text) if !text.is_empty() => {
                let nodes = facts.candidates.iter().map(|one| one.node.clone());
                fan(nodes.collect(), text)
            }
            (command, _) => Decision::WrongUse(command),
        }),
    }
}

/// A language by what people call it.
fn language(name: &str) -> Option<Lang> {
    match name.to_lowercase().as_str() {
        "中文" | "汉语" | "chinese" => Some(Lang::Zh),
        "英文" | "英语" | "english" => Some(Lang::En),
        other => Lang::parse(other),
    }
}

/// By the names that the text begins with.
fn by_address(text: &str, facts: &Facts<'_>) -> Option<Decision> {
    match address::read(text, facts.candidates) {
        Addressed::Nobody => None,
        Addressed::Unclear { name, matches } => Some(Decision::Unclear { name, matches }),
        Addressed::To { text: "", .. } => Some(Decision::NoText),
        Addressed::To { nodes, text } => Some(match <[NodeId; 1]>::try_from(nodes) {
            Ok([node]) => match ours(text) {
                Some(command) => Decision::Ours(command),
                None => Decision::At {
                    node,
                    text: text.to_owned(),
                },
            },
            Err(nodes) => fan(nodes, text),
        }),
    }
}

fn fan(nodes: Vec<NodeId>, text: &str) -> Decision {
    match ours(text) {
        Some(command) => Decision::Ours(command),
        None => Decision::Fan {
            nodes,
            text: text.to_owned(),
        },
    }
}

/// A command that no node carries out.
fn ours(text: &str) -> Option<Command> {
    match read(text) {
        Typed::Command(command, _) if command.owner() == Owner::Router => Some(command),
        Typed::Command(..) | Typed::Passed(_) | Typed::Foreign(_) | Typed::Text(_) => None,
    }
}

fn by_name(name: &str, facts: &Facts<'_>) -> Decision {
    match <[NodeId; 1]>::try_from(named(name, facts.candidates)) {
        Ok([node]) => Decision::Use {
            node,
            pending: None,
        },
        Err(matches) => Decision::NotFound {
            name: name.to_owned(),
            matches,
        },
    }
}

/// Whom a name means: by id, else by name, in any case; else by a beginning that only one has. The
/// id goes first, so that each node can be named whatever the others are called. One: that one;
/// several: it is not clear; none: nobody is called so.
pub(crate) fn named(name: &str, candidates: &[Candidate]) -> Vec<NodeId> {
    let wanted = name.to_lowercase();
    let matching = |fits: &dyn Fn(&str, &str) -> bool| -> Vec<NodeId> {
        candidates
            .iter()
            .filter(|one| fits(one.node.as_str(), &one.name.to_lowercase()))
            .map(|one| one.node.clone())
            .collect()
    };
    let mut matches = matching(&|id, _| id == wanted);
    if matches.is_empty() {
        matches = matching(&|_, name| name == wanted);
    }
    if matches.is_empty() {
        matches = matching(&|id, name| id.starts_with(&wanted) || name.starts_with(&wanted));
    }
    matches
}

fn by_node(facts: &Facts<'_>) -> Option<Decision> {
    if let Some(active) = facts.active.filter(|node| facts.serves(node)) {
        return Some(Decision::Send(active.clone()));
    }
    match facts.candidates {
        [only] => Some(Decision::Send(only.node.clone())),
        _ => None,
    }
}

/// What is left when nothing is sure.
fn otherwise(facts: &Facts<'_>) -> Decision {
    if facts.candidates.is_empty() {
        Decision::NoNode
    } else {
        Decision::Ask
    }
}

#[cfg(test)]
mod tests;
