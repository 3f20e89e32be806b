//! What stands in the code of a language that is not understood: its texts, and what becomes of a path
//! among them.

/// Who says this opens nothing only to read it.
pub(super) const SURE: &[&str] = &[
    "file.write",
    "writefile",
    "write_text",
    "write_bytes",
    "put_contents",
    "copyfile",
    "copy(",
    "symlink",
    "os.link",
    "chmod",
    "chown",
    "print >",
    ">\"",
    "> \"",
    "'>",
    "\">",
];

/// Whether code opens what it names for writing, rather than to read it.
pub(super) fn is_written(code: &str, path: &str) -> bool {
    let Some(at) = code.find(&path.to_ascii_lowercase()) else {
        return true;
    };
    let around = code.get(at..).unwrap_or_default();
    let around: String = around.chars().skip(path.len()).take(40).collect();
    let modes = ["'w", "\"w", "'a", "\"a", "'r+", "\"r+", "write"];
    modes.iter().any(|mode| around.contains(mode)) || SURE.iter().any(|sure| code.contains(sure))
}

/// The texts in quotes of any kind, escapes read.
pub(super) fn strings(code: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        let close = match c {
            '"' | '\'' | '`' => c,
            '{' | '(' | '[' | '/' => continue,
            _ => continue,
        };
        let mut text = String::new();
        while let Some(c) = chars.next() {
            if c == '\\' {
                text.push(c);
                text.extend(chars.next());
            } else if c == close {
                break;
            } else {
                text.push(c);
            }
        }
        out.push(super::word::unescape(&text));
        if out.len() >= 256 {
            break;
        }
    }
    // `qx{…}`, `%x(…)`, `q(/)`.
    for open in [
        "qx{", "qx(", "qx/", "%x(", "%x{", "%x[", "qq{", "q{", "q(", "qq(",
    ] {
        for (at, _) in code.match_indices(open) {
            let rest = code.get(at + open.len()..).unwrap_or_default();
            let end = rest.find(['}', ')', ']', '/']).unwrap_or(rest.len());
            out.extend(rest.get(..end).map(str::to_owned));
        }
    }
    out
}
