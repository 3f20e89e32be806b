//! Simple commands: their words, what they read, where they write.

use common::text::host::shell::Danger;
use tree_sitter::Node;

use super::{Walk, children, named, slice};
use crate::shell::guard::feed::Feed;
use crate::shell::guard::word::{self, Ch};

impl Walk<'_> {
    /// A simple command, with what redirections have made of its words.
    pub(super) fn command(
        &mut self,
        node: Node<'_>,
        src: &str,
        stdin: Feed,
        more: Vec<Vec<Ch>>,
    ) -> Feed {
        self.steps += 1;
        let mut typed: Vec<Vec<Ch>> = Vec::new();
        let mut stdin = match stdin {
            Feed::Nothing => self.state.input.clone(),
            given => given,
        };
        let mut to = Vec::new();
        let before = self.state.vars.clone();
        let mut end: Option<usize> = None;
        let mut was_word = false;
        for kid in children(node) {
            // The descriptor of a redirection that follows: `sh 0< x`.
            if kid.kind() == "number"
                && matches!(src.as_bytes().get(kid.end_byte()), Some(b'<' | b'>'))
            {
                end = Some(kid.end_byte());
                continue;
            }
            let glued = end.is_some_and(|end| end == kid.start_byte());
            let gap = end.map_or("", |end| src.get(end..kid.start_byte()).unwrap_or("?"));
            if !gap.replace("\\\n", "").trim().is_empty() {
                self.ask(Danger::Unreadable);
            }
            end = Some(kid.end_byte());
            let is_word = match kid.kind() {
                "variable_assignment" => {
                    self.assign(kid, src);
                    false
                }
                "file_redirect" | "heredoc_redirect" | "herestring_redirect" => {
                    self.redirect(kid, src, &mut stdin, &mut to, &mut typed);
                    false
                }
                "comment" => false,
                _ => {
                    let chars = if kid.kind() == "command_name" {
                        let inner = named(kid);
                        let mut chars = Vec::new();
                        for part in inner {
                            chars.extend(self.word(part, src));
                        }
                        chars
                    } else {
                        self.word(kid, src)
                    };
                    match typed.last_mut() {
                        Some(last) if glued && was_word && last.last() == Some(&Ch::Plain('$')) => {
                            // `a$B/`, cut in two by the grammar.
                            last.pop();
                            let text = slice(kid, src);
                            let end = text
                                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                                .unwrap_or(text.len());
                            let (name, rest) = text.split_at(end);
                            last.extend(self.split(&self.variable(name)));
                            last.extend(word::plain(rest));
                        }
                        Some(last) if glued && was_word => last.extend(chars),
                        _ => typed.push(chars),
                    }
                    true
                }
            };
            was_word = is_word;
        }
        typed.extend(more);
        let argv: Vec<String> = typed.iter().flat_map(|chars| word::words(chars)).collect();
        if argv.is_empty() {
            self.wrote(&to, &Feed::Nothing);
            return Feed::Nothing;
        }
        if argv == ["exec"] {
            self.reads_from_now_on(&stdin);
        }
        let out = self.run(&argv, stdin);
        // Variables in front of a command are its own.
        let named_before: Vec<String> = children(node)
            .iter()
            .filter(|kid| kid.kind() == "variable_assignment")
            .filter_map(|kid| kid.child_by_field_name("name"))
            .map(|name| slice(name, src).to_owned())
            .collect();
        for name in named_before {
            match before.get(&name) {
                Some(value) => self.state.vars.insert(name, value.clone()),
                None => self.state.vars.remove(&name),
            };
        }
        self.wrote(&to, &out);
        out
    }

    /// `exec < x`: the shell's own input, and so that of all that follows. A shell that has its script from
    /// there goes on with it.
    fn reads_from_now_on(&mut self, stdin: &Feed) {
        if stdin.is_tainted() {
            self.refuse(Danger::PipedToShell);
        }
        if let Feed::Text(text) = stdin {
            let text = text.clone();
            self.maybe_text(&text);
        }
        self.state.input = stdin.clone();
    }

    pub(super) fn redirected(&mut self, node: Node<'_>, src: &str, stdin: Feed) -> Feed {
        let mut stdin = stdin;
        let mut to = Vec::new();
        let mut more = Vec::new();
        let mut body = None;
        let mut follows = Vec::new();
        for kid in named(node) {
            match kid.kind() {
                "file_redirect" | "herestring_redirect" => {
                    self.redirect(kid, src, &mut stdin, &mut to, &mut more);
                }
                "heredoc_redirect" => {
                    self.redirect(kid, src, &mut stdin, &mut to, &mut more);
                    // What stands on the line after `<<EOF` hangs below it.
                    follows.extend(named(kid).into_iter().filter(|kid| {
                        !matches!(
                            kid.kind(),
                            "heredoc_start"
                                | "heredoc_body"
                                | "heredoc_end"
                                | "file_redirect"
                                | "herestring_redirect"
                                | "heredoc_redirect"
                                | "word"
                                | "string"
                                | "raw_string"
                                | "concatenation"
                                | "number"
                                | "file_descriptor"
                                | "simple_expansion"
                                | "expansion"
                                | "command_substitution"
                        )
                    }));
                }
                _ => body = Some(kid),
            }
        }
        let mut out = match body {
            Some(body) if body.kind() == "command" => self.command(body, src, stdin, more),
            Some(body) => {
                // A pipe before `<<`: the here-document is the last one's.
                if body.kind() == "pipeline" && stdin != Feed::Nothing {
                    let kids = named(body);
                    let mut feed = Feed::Nothing;
                    for (at, kid) in kids.iter().enumerate() {
                        let last = at + 1 == kids.len();
                        let read = if last { stdin.clone() } else { feed };
                        feed = self.apart(|walk| walk.node(*kid, src, read));
                    }
                    feed
                } else {
                    self.node(body, src, stdin)
                }
            }
            None => Feed::Nothing,
        };
        self.wrote(&to, &out);
        for kid in follows {
            let read = if kid.kind() == "pipeline" {
                out.clone()
            } else {
                Feed::Nothing
            };
            out = self.node(kid, src, read);
        }
        out
    }
}
