//! A script as it was typed, made fit for the grammar; and cut up where that cannot read it.

/// Pieces of a script that cannot be read; more are not looked at.
const MAX_PIECES: usize = 256;

/// The script as the grammar is given it: a letter outside of ASCII is as many `%`, which mean as
/// little. To bash they are letters like others, blanks too; the grammar takes some for blanks, and
/// its scanner reads past a table's end when one stands behind a brace.
///
/// In `[ -d / ]`, where the grammar would divide, `/` is a letter as well; and `<>`, which it does not
/// know, is `>>`.
pub(super) fn masked(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let mut before = ' ';
    for (at, c) in script.char_indices() {
        let rest = script.get(at + c.len_utf8()..).unwrap_or_default();
        let next = rest.chars().next();
        if !c.is_ascii() {
            out.extend(std::iter::repeat_n('%', c.len_utf8()));
        } else if c == '/'
            && before == ' '
            && next == Some(' ')
            && (rest.trim_start_matches(' ').starts_with(']') || out.ends_with("[ "))
        {
            out.push('x');
        } else if c == '<' && next == Some('>') && before != '<' {
            out.push('>');
        } else {
            out.push(c);
        }
        before = c;
    }
    out
}

/// A script that cannot be read, cut where commands end: what stands in quotes stays whole.
pub(super) fn pieces(script: &str) -> Vec<&str> {
    let (mut out, mut from, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (at, c) in script.char_indices() {
        let was_escaped = std::mem::replace(&mut escaped, false);
        match (quote, c) {
            _ if was_escaped => {}
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ';' | '&' | '|' | '\n') => {
                out.push(script.get(from..at).unwrap_or_default().trim());
                from = at + 1;
            }
            (None | Some(_), _) => {}
        }
        if out.len() >= MAX_PIECES {
            break;
        }
    }
    out.push(script.get(from..).unwrap_or_default().trim());
    out
}
