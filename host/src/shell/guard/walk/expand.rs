//! What bash puts in place of what was typed in a word: variables, substitutions, quotes.

use common::text::host::shell::Danger;
use tree_sitter::Node;

use super::{Walk, children, named, slice};
use crate::shell::guard::feed::Feed;
use crate::shell::guard::word::{self, ANY, Ch, NAME, UNSET};

impl Walk<'_> {
    /// A word outside of quotes.
    pub(in crate::shell::guard) fn word(&mut self, node: Node<'_>, src: &str) -> Vec<Ch> {
        let chars = self.piece(node, src, false);
        if chars.first() != Some(&Ch::Plain('~')) {
            return chars;
        }
        let rest = chars.get(1..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|ch| matches!(ch, Ch::Plain('/' | ':')));
        let (user, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let home = match word::text(user).as_str() {
            "" => self.variable("HOME"),
            "+" => self.variable("PWD"),
            "-" => ANY.to_string(),
            "root" => "/root".to_owned(),
            other => format!("/home/{other}"),
        };
        let mut out = word::quoted(&home);
        out.extend(rest);
        out
    }

    fn piece(&mut self, node: Node<'_>, src: &str, quoted: bool) -> Vec<Ch> {
        let typed = slice(node, src);
        match node.kind() {
            "word"
            | "number"
            | "brace_expression"
            | "extglob_pattern"
            | "variable_name"
            | "regex"
            | "special_variable_name"
            | "test_operator" => word::plain(typed),
            "raw_string" => word::quoted(inner(typed, 1)),
            "ansi_c_string" => word::quoted(&word::unescape(inner(typed, 2))),
            "string" | "heredoc_body" => self.string(node, src),
            "translated_string" => named(node)
                .into_iter()
                .flat_map(|kid| self.piece(kid, src, true))
                .collect(),
            "concatenation" => {
                let mut out = Vec::new();
                let mut end = node.start_byte();
                for kid in children(node) {
                    out.extend(word::plain(src.get(end..kid.start_byte()).unwrap_or("?")));
                    end = kid.end_byte();
                    out.extend(self.piece(kid, src, false));
                }
                out
            }
            "simple_expansion" => {
                let name = typed.trim_start_matches('$').to_owned();
                let value = self.variable(&name);
                if quoted && name != "@" {
                    word::quoted(&value)
                } else {
                    self.split(&value)
                }
            }
            "expansion" => {
                let value = self.expansion(node, src);
                if quoted && !typed.contains("[@]") {
                    word::quoted(&value)
                } else {
                    self.split(&value)
                }
            }
            "command_substitution" => {
                let feed = self.substitution(node, src);
                let value = feed.value();
                if quoted {
                    word::quoted(&value)
                } else {
                    self.split(&value)
                }
            }
            "process_substitution" => {
                let path = format!("/dev/fd/{}", 1000 + self.state.files.len());
                let feed = if let Some(script) = typed.strip_prefix(">(") {
                    // What it reads is known once something has written to it.
                    let script = script.strip_suffix(')').unwrap_or(script).to_owned();
                    self.apart(|walk| walk.text(&script, Feed::Unknown));
                    self.state.sinks.insert(path.clone().into(), script);
                    Feed::Unknown
                } else {
                    self.substitution(node, src)
                };
                self.state.files.insert(path.clone().into(), feed);
                word::quoted(&path)
            }
            "arithmetic_expansion" => {
                for kid in named(node) {
                    self.node(kid, src, Feed::Nothing);
                }
                word::quoted("0")
            }
            "array" => named(node)
                .into_iter()
                .flat_map(|kid| {
                    let mut chars = self.word(kid, src);
                    chars.push(Ch::Space);
                    chars
                })
                .collect(),
            _ if node.child_count() == 0 => word::plain(typed),
            _ => {
                for kid in named(node) {
                    self.node(kid, src, Feed::Nothing);
                }
                word::quoted(&ANY.to_string())
            }
        }
    }

    /// What is run in `$(…)` or `<(…)`, and what it writes.
    fn substitution(&mut self, node: Node<'_>, src: &str) -> Feed {
        self.apart(|walk| {
            let kids = named(node);
            if let [only] = kids.as_slice()
                && only.kind() == "file_redirect"
            {
                // `$(< file)`.
                let mut stdin = Feed::Nothing;
                walk.redirect(*only, src, &mut stdin, &mut Vec::new(), &mut Vec::new());
                return stdin;
            }
            walk.sequence(&kids, src, &Feed::Nothing)
        })
    }

    /// The inside of a double-quoted string, or of a here-document.
    pub(in crate::shell::guard) fn string(&mut self, node: Node<'_>, src: &str) -> Vec<Ch> {
        let mut out = vec![Ch::Empty];
        let (mut at, end) = match node.kind() {
            "string" => (node.start_byte() + 1, node.end_byte().saturating_sub(1)),
            _ => (node.start_byte(), node.end_byte()),
        };
        let literal = |text: &str, out: &mut Vec<Ch>| {
            let mut chars = text.chars().peekable();
            while let Some(c) = chars.next() {
                match (c, chars.peek().copied()) {
                    ('\\', Some('\n')) => {
                        chars.next();
                    }
                    ('\\', Some(next @ ('$' | '`' | '"' | '\\'))) => {
                        chars.next();
                        out.push(Ch::Quoted(next));
                    }
                    _ => out.push(Ch::Quoted(c)),
                }
            }
        };
        for kid in named(node) {
            if !matches!(
                kid.kind(),
                "simple_expansion" | "expansion" | "command_substitution" | "arithmetic_expansion"
            ) {
                continue;
            }
            literal(src.get(at..kid.start_byte()).unwrap_or_default(), &mut out);
            at = kid.end_byte();
            out.extend(self.piece(kid, src, true));
        }
        literal(src.get(at..end).unwrap_or_default(), &mut out);
        out
    }

    /// A variable's value; what nobody set is the environment's and not known.
    pub(in crate::shell::guard) fn variable(&self, name: &str) -> String {
        if let Some(value) = self.state.vars.get(name) {
            return value.clone();
        }
        match name {
            "HOME" => self
                .place
                .home
                .as_ref()
                .map_or_else(|| "/home/nobody".into(), |home| home.display().to_string()),
            "PWD" => match self.state.cwd.as_slice() {
                [only] => only.display().to_string(),
                _ => ANY.to_string(),
            },
            "TMPDIR" => self.place.temp.display().to_string(),
            "IFS" => " ".to_owned(),
            "USER" | "LOGNAME" => "user".to_owned(),
            // Whoever holds all that runs here.
            "PPID" => "1".to_owned(),
            "$" | "!" | "?" | "#" | "RANDOM" | "UID" | "EUID" | "SECONDS" | "LINENO"
            | "BASHPID" | "SHLVL" => "0".to_owned(),
            "0" | "BASH" | "SHELL" => "bash".to_owned(),
            "@" | "*" => self.state.args.join(" "),
            _ => match name.parse::<usize>() {
                Ok(n) => match self.state.args.get(n.wrapping_sub(1)) {
                    Some(value) => value.clone(),
                    None => String::new(),
                },
                Err(_) => UNSET.to_owned(),
            },
        }
    }

    /// Text of a variable or command where bash splits it: at blanks, and at what the script says.
    pub(in crate::shell::guard) fn split(&self, text: &str) -> Vec<Ch> {
        let mut chars = word::split(text);
        if let Some(ifs) = self.state.vars.get("IFS") {
            let splits = |c: char| ifs.contains(c) || (ifs.contains(ANY) && ",:;|".contains(c));
            for ch in &mut chars {
                if matches!(ch, Ch::Quoted(c) | Ch::Plain(c) if splits(*c)) {
                    *ch = Ch::Space;
                }
            }
        }
        chars
    }

    /// `${…}`.
    fn expansion(&mut self, node: Node<'_>, src: &str) -> String {
        let typed = slice(node, src);
        let body = typed
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or_default()
            .to_owned();
        if body.starts_with('#') && body.len() > 1 {
            return "0".to_owned();
        }
        let (indirect, body) = match body.strip_prefix('!') {
            Some(rest) => (true, rest.to_owned()),
            None => (false, body),
        };
        let end = body
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(body.len());
        let (name, rest) = match body.split_at(end) {
            ("", rest) => {
                let first = rest.chars().next().map_or(0, char::len_utf8);
                rest.split_at(first)
            }
            parts => parts,
        };
        let mut value = self.variable(name);
        if indirect {
            value = self.variable(&value);
        }
        let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((index, rest)) => {
                if let Ok(n) = index.parse::<usize>() {
                    value = value
                        .split(' ')
                        .nth(n)
                        .map(str::to_owned)
                        .unwrap_or_default();
                }
                rest
            }
            None => rest,
        };
        let set = value.chars().any(|c| c != ANY);
        match rest {
            "" | "@Q" | "@E" | "@P" => value,
            "^^" => value.to_uppercase(),
            ",," => value.to_lowercase(),
            _ if rest.starts_with(":-")
                || rest.starts_with('-')
                || rest.starts_with(":=")
                || rest.starts_with('=') =>
            {
                let other = self.default_of(node, src);
                if set { value } else { other }
            }
            _ if rest.starts_with(":+") || rest.starts_with('+') => {
                let other = self.default_of(node, src);
                if value.is_empty() {
                    String::new()
                } else {
                    other
                }
            }
            _ if rest.starts_with(":?") || rest.starts_with('?') => value,
            _ if rest.starts_with(':') => {
                substring(&value, rest).unwrap_or_else(|| unknown(&value))
            }
            _ => {
                self.default_of(node, src);
                // A part of a name of something below stays below.
                if value.contains(NAME) && !value.contains(ANY) && !rest.starts_with('/') {
                    value
                } else {
                    changed(&value, rest).unwrap_or_else(|| unknown(&value))
                }
            }
        }
    }

    /// What follows the operator of an expansion.
    fn default_of(&mut self, node: Node<'_>, src: &str) -> String {
        let mut out = Vec::new();
        for kid in named(node).into_iter().skip(1) {
            out.extend(self.word(kid, src));
        }
        if self.state.vars.len() > 4096 {
            self.ask(Danger::Unreadable);
        }
        word::text(&out)
    }
}

/// What is left of a value that is not known when a part of it is taken.
fn unknown(value: &str) -> String {
    if value == UNSET {
        UNSET.to_owned()
    } else {
        ANY.to_string()
    }
}

fn inner(typed: &str, before: usize) -> &str {
    typed
        .get(before..typed.len().saturating_sub(1))
        .unwrap_or_default()
}

/// `:from` or `:from:length`, of a known value.
fn substring(value: &str, rest: &str) -> Option<String> {
    if !word::is_known(value) {
        return None;
    }
    let mut numbers = rest.trim_start_matches(':').splitn(2, ':');
    let from: usize = numbers.next()?.trim().parse().ok()?;
    let chars = value.chars().skip(from);
    match numbers.next() {
        Some(length) => Some(chars.take(length.trim().parse().ok()?).collect()),
        None => Some(chars.collect()),
    }
}

/// `%x`, `%%x`, `#x`, `##x`, `/x/y`, where x is plain.
fn changed(value: &str, rest: &str) -> Option<String> {
    let cuts = rest.starts_with(['%', '#']) && !value.contains([ANY, NAME, word::TAINT]);
    if !word::is_known(value) && !cuts {
        return None;
    }
    if let Some(rest) = rest.strip_prefix('/') {
        let all = rest.starts_with('/');
        let (from, to) = rest
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or((rest.trim_start_matches('/'), ""));
        let fits = !from.is_empty()
            && !from.contains(['*', '?', '[', '\\', '$', '"', '\''])
            && !to.contains(['\\', '$', '"', '\'']);
        return fits.then(|| {
            if all {
                value.replace(from, to)
            } else {
                value.replacen(from, to, 1)
            }
        });
    }
    match rest {
        "##*/" => return Some(value.rsplit('/').next().unwrap_or_default().to_owned()),
        "%/*" => {
            return Some(
                value
                    .rsplit_once('/')
                    .map_or(value, |(head, _)| head)
                    .to_owned(),
            );
        }
        "%.*" => {
            return Some(
                value
                    .rsplit_once('.')
                    .map_or(value, |(head, _)| head)
                    .to_owned(),
            );
        }
        _ => {}
    }
    let pattern = rest.trim_start_matches(['%', '#']);
    if pattern.contains(['*', '?', '[', '\\', '$', '"', '\'']) {
        return None;
    }
    let cut = if rest.starts_with('%') {
        value.strip_suffix(pattern)
    } else if rest.starts_with('#') {
        value.strip_prefix(pattern)
    } else {
        return None;
    };
    Some(cut.unwrap_or(value).to_owned())
}
