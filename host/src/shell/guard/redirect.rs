//! What redirections read and write.

use tree_sitter::Node;

use super::feed::Feed;
use super::walk::{Walk, children, named, slice};
use super::word::{self, Ch};

impl Walk<'_> {
    /// Takes a redirection in: what the command reads, where it writes, and words that the grammar
    /// took for the redirection's.
    pub(super) fn redirect(
        &mut self,
        node: Node<'_>,
        src: &str,
        stdin: &mut Feed,
        to: &mut Vec<String>,
        typed: &mut Vec<Vec<Ch>>,
    ) {
        match node.kind() {
            "file_redirect" => self.file(node, src, stdin, to, typed),
            "herestring_redirect" => {
                let mut kids = named(node)
                    .into_iter()
                    .filter(|kid| kid.kind() != "file_descriptor");
                if let Some(first) = kids.next() {
                    let value = word::text(&self.word(first, src));
                    *stdin = Feed::Text(value + "\n");
                }
                for kid in kids {
                    typed.push(self.word(kid, src));
                }
            }
            _ => {
                let start = children(node)
                    .into_iter()
                    .find(|kid| kid.kind() == "heredoc_start")
                    .map_or("", |kid| slice(kid, src));
                let raw = start.contains(['\'', '"', '\\']);
                for kid in named(node) {
                    match kid.kind() {
                        "heredoc_body" => {
                            let body = if raw {
                                slice(kid, src).to_owned()
                            } else {
                                self.ticks(slice(kid, src));
                                word::text(&self.string(kid, src))
                            };
                            *stdin = Feed::Text(body);
                        }
                        "file_redirect" | "herestring_redirect" => {
                            self.redirect(kid, src, stdin, to, typed);
                        }
                        "word"
                        | "string"
                        | "raw_string"
                        | "concatenation"
                        | "number"
                        | "simple_expansion"
                        | "expansion"
                        | "command_substitution" => {
                            typed.push(self.word(kid, src));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// What stands between backquotes in a here-document is run, though to the grammar it is text.
    fn ticks(&mut self, body: &str) {
        let body = body.replace("\\`", "");
        for script in body.split('`').skip(1).step_by(2) {
            self.apart(|walk| walk.text(script, Feed::Nothing));
        }
    }

    fn file(
        &mut self,
        node: Node<'_>,
        src: &str,
        stdin: &mut Feed,
        to: &mut Vec<String>,
        typed: &mut Vec<Vec<Ch>>,
    ) {
        let (mut operator, mut descriptor) = ("", "0");
        let mut place: Option<Vec<Ch>> = None;
        for kid in children(node) {
            match kid.kind() {
                "file_descriptor" => descriptor = slice(kid, src),
                kind if !kid.is_named() => operator = kind,
                _ if place.is_none() => place = Some(self.word(kid, src)),
                // `echo > out more`: words of the command.
                _ => typed.push(self.word(kid, src)),
            }
        }
        let words: Vec<String> = place
            .map(|chars: Vec<Ch>| word::words(&chars))
            .unwrap_or_default();
        let Some(path) = words.first().cloned() else {
            return;
        };
        let is_descriptor = path == "-" || path.bytes().all(|b| b.is_ascii_digit());
        match operator {
            "<" | "<&" => {
                let content = match (is_descriptor, path.as_str()) {
                    (true, "-" | "0") => return,
                    (true, other) => self.content(&format!("/dev/fd/{other}")),
                    (false, file) => {
                        self.reads(file);
                        self.content(file)
                    }
                };
                if descriptor == "0" {
                    *stdin = content;
                } else {
                    self.keep(&format!("/dev/fd/{descriptor}"), content);
                }
            }
            _ if is_descriptor && operator.contains('&') => {}
            _ => to.push(path),
        }
    }

    /// A command with this output has written to these places.
    pub(super) fn wrote(&mut self, to: &[String], out: &Feed) {
        for path in to {
            self.writes(path);
            self.keep(path, out.clone());
        }
    }

    /// Remembers what is in a file.
    pub(super) fn keep(&mut self, path: &str, content: Feed) {
        self.hook(path, &content);
        if let Some(script) = self
            .resolve(path)
            .and_then(|path| self.state.sinks.remove_entry(&path))
        {
            self.apart(|walk| walk.text(&script.1, content.clone()));
            self.state.sinks.insert(script.0, script.1);
        }
        if self.state.files.len() < 256
            && let Some(path) = self.resolve(path)
        {
            let had = self.state.files.remove(&path).unwrap_or(Feed::Nothing);
            let both = match (had, content) {
                (Feed::Text(had), Feed::Text(new)) if had != new => Feed::Text(had + "\n" + &new),
                (Feed::Text(had), Feed::Text(_)) => Feed::Text(had),
                (had, new) => had.then(new),
            };
            self.state.files.insert(path, both);
        }
    }

    /// What is in a file, where that was seen.
    pub(super) fn content(&self, path: &str) -> Feed {
        if path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/") {
            return Feed::Fetched;
        }
        self.resolve(path)
            .and_then(|path| self.state.files.get(&path).cloned())
            .unwrap_or(Feed::Unknown)
    }
}
