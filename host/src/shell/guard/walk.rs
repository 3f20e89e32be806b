//! Follows a command through its statements as a shell would, with all branches taken, and keeps
//! what a shell would know by then: variables, the directory, functions, what was written where.

mod expand;
mod loops;
mod names;
mod simple;
mod typed;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::text::host::shell::Danger;
use tree_sitter::{Node, Parser};

use super::feed::Feed;
use super::word::{self, ANY};
use super::{Judgement, Place};

/// Commands that are followed at most, nested ones counted.
const MAX_STEPS: usize = 3000;
/// Shells in shells, functions in functions.
const MAX_NESTED: usize = 12;
/// Statements in statements.
const MAX_DEEP: usize = 200;

/// What a shell knows at some point.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    pub(super) vars: BTreeMap<String, String>,
    pub(super) args: Vec<String>,
    /// Where it may be; empty: that is not known.
    pub(super) cwd: Vec<PathBuf>,
    /// Their bodies, as typed.
    pub(super) functions: BTreeMap<String, String>,
    pub(super) files: BTreeMap<PathBuf, Feed>,
    /// What commands read that are given nothing else: `exec < x`.
    pub(super) input: Feed,
    /// Scripts that read what is written to these paths: `>(…)`.
    pub(super) sinks: BTreeMap<PathBuf, String>,
}

/// The one who follows.
#[derive(Debug)]
pub(super) struct Walk<'p> {
    pub(super) place: &'p Place,
    pub(super) verdict: Judgement,
    pub(super) state: State,
    calls: Vec<String>,
    nested: usize,
    deep: usize,
    steps: usize,
    /// Above zero only what is refused counts: it may never run.
    maybe: usize,
}

impl<'p> Walk<'p> {
    pub(super) fn new(place: &'p Place) -> Self {
        Self {
            place,
            verdict: Judgement::Run,
            state: State {
                cwd: vec![place.dir.clone()],
                ..State::default()
            },
            calls: Vec::new(),
            nested: 0,
            deep: 0,
            steps: 0,
            maybe: 0,
        }
    }

    pub(super) fn refuse(&mut self, why: Danger) {
        self.found(Judgement::Refuse { why });
    }

    pub(super) fn ask(&mut self, why: Danger) {
        if self.maybe == 0 {
            self.found(Judgement::Ask { why });
        }
    }

    /// The gravest counts, and of those the first.
    fn found(&mut self, judgement: Judgement) {
        if judgement.rank() > self.verdict.rank() {
            self.verdict = judgement;
        }
    }

    /// Follows a script; what it writes comes back.
    pub(super) fn text(&mut self, script: &str, stdin: Feed) -> Feed {
        // What a pattern has matched is text by now; which, a shell that reads it finds again.
        let script = super::calls::visible(script);
        let script = script.as_str();
        if script.contains([ANY, word::TAINT]) {
            if script.contains(word::TAINT) {
                self.refuse(Danger::PipedToShell);
            } else {
                self.ask(Danger::UnknownCommand);
            }
        }
        if script.contains("\\\n") {
            // A line that goes on: what is one word to bash the grammar takes for two. Both ways,
            // as a comment does not go on.
            let joined = script.replace("\\\n", "");
            self.apart(|walk| walk.text(&joined, stdin.clone()));
        }
        if self.nested >= MAX_NESTED {
            self.ask(Danger::Unreadable);
            return Feed::Unknown;
        }
        let mut parser = Parser::new();
        let tree = match parser.set_language(&tree_sitter_bash::LANGUAGE.into()) {
            Ok(()) => parser.parse(typed::masked(script), None),
            Err(_) => None,
        };
        let Some(tree) = tree else {
            self.ask(Danger::Unreadable);
            return Feed::Unknown;
        };
        if tree.root_node().has_error() {
            self.ask(Danger::Unreadable);
            // A command all in braces is none to the grammar, and one to bash.
            let spread = word::words(&word::plain(script.trim()));
            if script.trim().starts_with('{') && spread.len() > 1 {
                self.run(&spread, Feed::Nothing);
            }
            let parts = typed::pieces(script);
            for part in parts.iter().filter(|part| part.len() < script.len()) {
                self.maybe_text(part);
            }
        }
        self.nested += 1;
        let out = self.node(tree.root_node(), script, stdin);
        self.nested -= 1;
        out
    }

    /// Follows something whose changes nobody sees afterwards.
    pub(super) fn apart<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.state.clone();
        let out = work(self);
        let files = std::mem::take(&mut self.state.files);
        self.state = before;
        self.state.files = files;
        out
    }

    /// From here on it may be as it was at `other`, too.
    fn merge(&mut self, other: &State) {
        let names: Vec<String> = self
            .state
            .vars
            .keys()
            .chain(other.vars.keys())
            .cloned()
            .collect();
        for name in names {
            if self.state.vars.get(&name) != other.vars.get(&name) {
                self.state.vars.insert(name, ANY.to_string());
            }
        }
        if self.state.cwd.is_empty() || other.cwd.is_empty() {
            self.state.cwd.clear();
        } else {
            for dir in &other.cwd {
                if !self.state.cwd.contains(dir) {
                    self.state.cwd.push(dir.clone());
                }
            }
            if self.state.cwd.len() > 8 {
                self.state.cwd.clear();
            }
        }
        if self.state.input != other.input {
            let input = std::mem::take(&mut self.state.input);
            self.state.input = input.then(other.input.clone());
        }
        for (path, feed) in &other.files {
            self.state
                .files
                .entry(path.clone())
                .or_insert_with(|| feed.clone());
        }
        for (name, body) in &other.functions {
            self.state
                .functions
                .entry(name.clone())
                .or_insert_with(|| body.clone());
        }
    }

    fn node(&mut self, node: Node<'_>, src: &str, stdin: Feed) -> Feed {
        if self.deep >= MAX_DEEP || self.steps >= MAX_STEPS {
            self.ask(Danger::Unreadable);
            return Feed::Unknown;
        }
        self.deep += 1;
        let out = self.statement(node, src, stdin);
        self.deep -= 1;
        out
    }

    fn statement(&mut self, node: Node<'_>, src: &str, stdin: Feed) -> Feed {
        match node.kind() {
            "command" => self.command(node, src, stdin, Vec::new()),
            "redirected_statement" => self.redirected(node, src, stdin),
            "pipeline" => self.pipeline(node, src, stdin),
            "list" => {
                let kids = named(node);
                let Some((left, rest)) = kids.split_first() else {
                    return Feed::Nothing;
                };
                let mut out = self.node(*left, src, stdin.clone());
                let chained = node.parent().is_some_and(|up| up.kind() == "list");
                let or = children(node).iter().any(|kid| kid.kind() == "||");
                let before = self.state.clone();
                for kid in rest {
                    out = out.then(self.node(*kid, src, stdin.clone()));
                }
                if or || !chained {
                    self.merge(&before);
                }
                out
            }
            "subshell" => self.apart(|walk| walk.sequence(&named(node), src, &stdin)),
            "if_statement" | "case_statement" => self.branches(node, src, &stdin),
            "while_statement" | "for_statement" | "c_style_for_statement" => {
                self.repeat(node, src, &stdin)
            }
            "function_definition" => {
                self.define(node, src);
                Feed::Nothing
            }
            "variable_assignment" => {
                self.assign(node, src);
                Feed::Nothing
            }
            "unset_command" => {
                for kid in named(node) {
                    let name = slice(kid, src).to_owned();
                    self.state.vars.insert(name.clone(), String::new());
                    self.state.functions.remove(&name);
                }
                Feed::Nothing
            }
            "declaration_command" => {
                // A name for another variable: whatever that will hold.
                let refers = named(node)
                    .iter()
                    .any(|kid| kid.kind() == "word" && slice(*kid, src) == "-n");
                for kid in named(node) {
                    match kid.kind() {
                        "variable_assignment" if refers => {
                            let name = kid.child_by_field_name("name");
                            let name = name.map_or("", |name| slice(name, src)).to_owned();
                            self.state.vars.insert(name, ANY.to_string());
                        }
                        "variable_assignment" => self.assign(kid, src),
                        "variable_name" => {}
                        _ => {
                            // `export "X=1"`: an assignment all the same.
                            let typed = word::text(&self.word(kid, src));
                            if let Some((name, value)) = typed.split_once('=') {
                                self.state.vars.insert(name.to_owned(), value.to_owned());
                                self.sets(name, value);
                            }
                        }
                    }
                }
                Feed::Nothing
            }
            "comment" | "heredoc_start" | "heredoc_end" | "test_operator" | "variable_name" => {
                Feed::Nothing
            }
            "word"
            | "string"
            | "concatenation"
            | "simple_expansion"
            | "expansion"
            | "command_substitution"
            | "process_substitution"
            | "raw_string"
            | "number"
            | "ansi_c_string"
            | "arithmetic_expansion"
            | "extglob_pattern"
            | "regex" => {
                // A word where none is run: only what is in it.
                self.word(node, src);
                Feed::Nothing
            }
            _ => self.sequence(&named(node), src, &stdin),
        }
    }

    fn sequence(&mut self, nodes: &[Node<'_>], src: &str, stdin: &Feed) -> Feed {
        let mut out = Feed::Nothing;
        for node in nodes {
            out = out.then(self.node(*node, src, stdin.clone()));
        }
        out
    }

    fn pipeline(&mut self, node: Node<'_>, src: &str, stdin: Feed) -> Feed {
        let mut feed = stdin;
        for kid in named(node) {
            feed = self.apart(|walk| walk.node(kid, src, feed));
        }
        feed
    }

    fn branches(&mut self, node: Node<'_>, src: &str, stdin: &Feed) -> Feed {
        let before = self.state.clone();
        let mut ends = Vec::new();
        let mut out = Feed::Nothing;
        for kid in named(node) {
            if matches!(kid.kind(), "elif_clause" | "else_clause" | "case_item") {
                ends.push(std::mem::replace(&mut self.state, before.clone()));
            }
            out = out.then(self.node(kid, src, stdin.clone()));
        }
        ends.push(before);
        for end in &ends {
            self.merge(end);
        }
        out
    }
}

/// What was typed of a node.
pub(super) fn slice<'s>(node: Node<'_>, src: &'s str) -> &'s str {
    src.get(node.byte_range()).unwrap_or_default()
}

pub(super) fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

impl Walk<'_> {
    /// From here on only what is refused counts.
    pub(super) fn maybe_on(&mut self) -> usize {
        self.maybe += 1;
        self.maybe - 1
    }

    /// As before [`Walk::maybe_on`].
    pub(super) fn maybe_off(&mut self, before: usize) {
        self.maybe = before;
    }
}
