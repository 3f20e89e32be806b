//! A word as bash makes it of what was typed: quotes and escapes taken away, braces spread, fields
//! split, patterns marked. What a word holds that is not known stands in it as a mark.

/// The first of the marks; text that is typed holds none.
pub(super) const FIRST_MARK: char = '\u{F0000}';
/// Text that is not known.
pub(super) const ANY: char = '\u{F0000}';
/// A variable that nobody set here: not known, and maybe empty. Twice the mark for what is not known.
pub(super) const UNSET: &str = "\u{F0000}\u{F0000}";
/// Something below the path before it; no way up.
pub(super) const NAME: char = '\u{F0001}';
/// The pattern `*`.
pub(super) const STAR: char = '\u{F0002}';
/// The pattern `?` or `[…]`.
pub(super) const ONE: char = '\u{F0003}';
/// Text that is not known and was fetched or decoded.
pub(super) const TAINT: char = '\u{F0004}';

/// At most as many words of one; more are not followed.
const MAX_WORDS: usize = 256;

/// One character on its way into a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ch {
    /// Means itself.
    Quoted(char),
    /// May mean more: a brace, a pattern.
    Plain(char),
    /// Ends a field.
    Space,
    /// An empty quoted text: makes a word even when nothing else does.
    Empty,
}

/// Letters that turn the way of writing: on a card a command would read otherwise than it runs.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Letters that nobody sees, or that look like a slash: no name has them by chance.
pub(super) fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{A0}' | '\u{AD}' | '\u{2000}'..='\u{200F}' | '\u{202F}' | '\u{205F}'..='\u{2064}' | '\u{FEFF}'
            | '\u{2044}' | '\u{2215}' | '\u{29F8}' | '\u{FF0F}'
    )
}

/// Whether nothing in a word is unknown.
pub(super) fn is_known(word: &str) -> bool {
    !word.contains([ANY, NAME, STAR, ONE, TAINT])
}

/// The words that these characters make.
pub(super) fn words(chars: &[Ch]) -> Vec<String> {
    let mut out = Vec::new();
    for spread in braces(chars, 0) {
        fields(&spread, &mut out);
        if out.len() > MAX_WORDS {
            return vec![ANY.to_string()];
        }
    }
    out
}

/// The characters as one text: a value, where bash does not split.
pub(super) fn text(chars: &[Ch]) -> String {
    chars
        .iter()
        .filter_map(|ch| match ch {
            Ch::Quoted(c) | Ch::Plain(c) => Some(*c),
            Ch::Space => Some(' '),
            Ch::Empty => None,
        })
        .collect()
}

/// Text of a variable or command where bash splits it.
pub(super) fn split(text: &str) -> Vec<Ch> {
    text.chars()
        .map(|c| match c {
            ' ' | '\t' | '\n' => Ch::Space,
            '*' | '?' | '[' => Ch::Plain(c),
            other => Ch::Quoted(other),
        })
        .collect()
}

/// Text where it does not.
pub(super) fn quoted(text: &str) -> Vec<Ch> {
    let mut chars = vec![Ch::Empty];
    chars.extend(text.chars().map(Ch::Quoted));
    chars
}

/// Typed text outside of quotes.
pub(super) fn plain(text: &str) -> Vec<Ch> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(Ch::Plain(c));
            continue;
        }
        match chars.next() {
            Some('\n') | None => {}
            Some(c) => out.push(Ch::Quoted(c)),
        }
    }
    out
}

/// Spreads the first group of braces, and so all of them.
fn braces(chars: &[Ch], depth: usize) -> Vec<Vec<Ch>> {
    let whole = || vec![chars.to_vec()];
    if depth > 8 {
        return whole();
    }
    for (open, ch) in chars.iter().enumerate() {
        if *ch != Ch::Plain('{') {
            continue;
        }
        let rest = chars.get(open + 1..).unwrap_or_default();
        let Some((parts, after)) = group(rest) else {
            continue;
        };
        let head = chars.get(..open).unwrap_or_default();
        let mut out = Vec::new();
        for part in parts {
            let joined: Vec<Ch> = head.iter().chain(&part).chain(after).copied().collect();
            out.extend(braces(&joined, depth + 1));
            if out.len() > MAX_WORDS {
                return whole();
            }
        }
        return out;
    }
    whole()
}

/// The parts of a group whose brace is open, and what follows it. None: it is none.
fn group(chars: &[Ch]) -> Option<(Vec<Vec<Ch>>, &[Ch])> {
    let (mut parts, mut part, mut deep) = (Vec::new(), Vec::new(), 0_usize);
    for (at, ch) in chars.iter().enumerate() {
        match ch {
            Ch::Plain('{') => deep += 1,
            Ch::Plain('}') if deep > 0 => deep -= 1,
            Ch::Plain(',') if deep == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            Ch::Plain('}') => {
                if parts.is_empty() {
                    return range(&part).map(|parts| (parts, chars.get(at + 1..).unwrap_or(&[])));
                }
                parts.push(part);
                return Some((parts, chars.get(at + 1..).unwrap_or(&[])));
            }
            Ch::Space | Ch::Empty | Ch::Quoted(_) | Ch::Plain(_) => {}
        }
        part.push(*ch);
    }
    None
}

/// `1..3`, `a..c`.
fn range(part: &[Ch]) -> Option<Vec<Vec<Ch>>> {
    let typed = text(part);
    let (from, to) = typed.split_once("..")?;
    if let (Ok(from), Ok(to)) = (from.parse::<i32>(), to.parse::<i32>()) {
        let (low, high) = (from.min(to), from.max(to));
        if high - low > 64 {
            return Some(vec![vec![Ch::Quoted(ANY)]]);
        }
        return Some((low..=high).map(|n| split(&n.to_string())).collect());
    }
    let one = |text: &str| {
        let mut chars = text.chars();
        chars.next().filter(|_| chars.next().is_none())
    };
    let (from, to) = (one(from)?, one(to)?);
    Some(
        (from.min(to)..=from.max(to))
            .take(64)
            .map(|c| vec![Ch::Quoted(c)])
            .collect(),
    )
}

/// Splits into fields; marks patterns.
fn fields(chars: &[Ch], out: &mut Vec<String>) {
    let mut word: Option<String> = None;
    let mut at = 0;
    while let Some(ch) = chars.get(at) {
        at += 1;
        match ch {
            Ch::Space => out.extend(word.take()),
            Ch::Empty => {
                word.get_or_insert_default();
            }
            Ch::Quoted(c) => word.get_or_insert_default().push(*c),
            Ch::Plain(c) => {
                let mark = match c {
                    '*' => STAR,
                    '?' => ONE,
                    '[' => match class(chars.get(at..).unwrap_or_default()) {
                        Some(length) => {
                            at += length;
                            ONE
                        }
                        None => '[',
                    },
                    other => *other,
                };
                word.get_or_insert_default().push(mark);
            }
        }
    }
    out.extend(word);
}

/// How long a `[…]` is after its first bracket.
fn class(chars: &[Ch]) -> Option<usize> {
    let end = chars
        .iter()
        .take_while(|ch| !matches!(ch, Ch::Space | Ch::Plain('/')))
        .position(|ch| *ch == Ch::Plain(']'))?;
    // `[]` is none; a first bracket inside belongs to it.
    (end > 0).then_some(end + 1)
}

/// Whether `word`, with its marks, could be `name`.
pub(super) fn could_be(word: &str, name: &str) -> bool {
    fn from(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some((&(STAR | ANY | NAME | TAINT), rest)), _) => {
                from(rest, name)
                    || name
                        .split_first()
                        .is_some_and(|(_, name)| from(pattern, name))
            }
            (Some((&ONE, rest)), Some((_, name))) => from(rest, name),
            (Some((p, rest)), Some((c, name))) => p == c && from(rest, name),
            (Some(_), None) => false,
        }
    }
    let pattern: Vec<char> = word.chars().take(64).collect();
    let name: Vec<char> = name.chars().collect();
    from(&pattern, &name)
}

/// Escapes of `$'…'`, `echo -e` and `printf`.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(kind) = chars.next() else {
            out.push('\\');
            break;
        };
        let mut number = |radix: u32, most: usize, mut value: u32| {
            for _ in 0..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                    break;
                };
                value = value.saturating_mul(radix).saturating_add(digit);
                chars.next();
            }
            char::from_u32(value)
                .filter(|c| *c < FIRST_MARK)
                .unwrap_or('\u{FFFD}')
        };
        match kind {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' | 'b' | 'f' | 'v' => out.push(' '),
            'e' | 'E' => out.push('\u{1b}'),
            'x' => out.push(number(16, 2, 0)),
            'u' => out.push(number(16, 4, 0)),
            'U' => out.push(number(16, 8, 0)),
            '0'..='7' => {
                let first = kind.to_digit(8).unwrap_or(0);
                out.push(number(8, 3 - usize::from(first != 0), first));
            }
            'c' => {
                chars.next();
            }
            other => out.push(other),
        }
    }
    out
}
