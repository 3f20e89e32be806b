//! Makes an agent's Markdown safe for the platform's.
//!
//! The platform gives meaning to tags such as `<at>` and `<font>`, refuses images
//! from outside, and takes only a few tables. Code is left as it is.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::feishu::limits::nested_json_cost;

/// Most tables in one card; more were refused by the platform.
const TABLES: usize = 3;
/// Tables beyond those that become code blocks of their own. From there on all that is left becomes
/// one, so that the room that fences take has a bound.
const FENCED: usize = 60;
/// What [`platform_markdown`] counts down, for a whole card.
pub(super) const ALL_TABLES: usize = TABLES + FENCED;

/// What a character of Markdown may cost on the wire: in JSON, and as an entity.
pub(super) fn markdown_cost(c: char) -> usize {
    match c {
        '<' => "&lt;".len(),
        '&' => "&amp;".len(),
        other => nested_json_cost(other),
    }
}

/// The Markdown as the platform may have it. `tables` begins at [`ALL_TABLES`] for a card and is
/// counted down; tables beyond what a card takes become code blocks.
pub(super) fn platform_markdown(text: &str, tables: &mut usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut at = 0;
    for span in spans(text) {
        let (range, surplus) = match span {
            Span::Code(range) => (range, false),
            Span::Table(_) if *tables > FENCED => {
                *tables -= 1;
                continue;
            }
            Span::Table(range) => (range, true),
        };
        if range.start < at {
            continue;
        }
        let range = match (surplus, *tables) {
            (false, _) => range,
            (true, 0) => range.start..text.len(),
            (true, _) => {
                *tables -= 1;
                range
            }
        };
        escape(text.get(at..range.start).unwrap_or_default(), &mut out);
        let verbatim = text.get(range.clone()).unwrap_or_default();
        if surplus {
            fenced("", verbatim, &mut out);
            out.push('\n');
        } else {
            out.push_str(verbatim);
        }
        at = range.end;
    }
    escape(text.get(at..).unwrap_or_default(), &mut out);
    out
}

/// A code block around `code`, with a fence that nothing inside can close.
pub(super) fn fenced(lang: &str, code: &str, out: &mut String) {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    out.push_str(&fence);
    let word = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '_');
    out.extend(lang.chars().filter(word).take(20));
    out.push('\n');
    out.push_str(code);
    if !code.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&fence);
}

enum Span {
    Code(Range<usize>),
    Table(Range<usize>),
}

/// Code and tables, in order. Code inside a table comes after the table's begin.
fn spans(text: &str) -> Vec<Span> {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    let mut blocks = Vec::new();
    let mut found: Vec<(usize, Span)> = parser
        .filter_map(|(event, range)| {
            let is_block = matches!(event, Event::Start(Tag::CodeBlock(_)));
            if is_block {
                blocks.push(range.clone());
            }
            let is_code = is_block || matches!(event, Event::Code(_));
            is_code.then_some((range.start, Span::Code(range)))
        })
        .collect();
    let tables = tables(text)
        .into_iter()
        .filter(|table| !blocks.iter().any(|block| block.contains(&table.start)))
        .map(|table| (table.start, Span::Table(table)));
    found.extend(tables);
    found.sort_by_key(|(start, span)| (*start, matches!(span, Span::Code(_))));
    found.into_iter().map(|(_, span)| span).collect()
}

/// Whatever the platform might take for a table: a row of dashes under a row with
/// bars. Looser than CommonMark, as a table too many costs the whole card.
fn tables(text: &str) -> Vec<Range<usize>> {
    let mut tables = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let mut header: Option<usize> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let has_bar = line.contains('|');
        let body = line.trim();
        let is_rule = has_bar && body.contains('-') && body.chars().all(|c| "|-: \t".contains(c));
        match (&mut open, header) {
            (Some(table), _) if has_bar => table.end = end,
            (None, Some(header)) if is_rule => open = Some(header..end),
            (Some(_) | None, _) => tables.extend(open.take()),
        }
        header = has_bar.then_some(start);
        start = end;
    }
    tables.extend(open);
    tables
}

/// Takes the special meaning from `<` and `&`, and turns images into links.
/// Entities of the text itself stay.
fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&', '!']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let taken = if from.starts_with('<') {
            out.push_str("&lt;");
            1
        } else if from.starts_with('&') {
            let entity = entity(from);
            out.push_str(entity.unwrap_or("&amp;"));
            entity.map_or(1, str::len)
        } else {
            if !from.starts_with("![") {
                out.push('!');
            }
            1
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The entity at the start of `text`, such as `&lt;` or `&#39;`.
fn entity(text: &str) -> Option<&str> {
    let end = text.char_indices().take(12).find(|(_, c)| *c == ';')?.0;
    let name = text.get(1..end)?;
    let body = name.strip_prefix('#').unwrap_or(name);
    let fits = !body.is_empty() && body.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then(|| text.get(..=end)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn safe(text: &str) -> String {
        let mut tables = ALL_TABLES;
        platform_markdown(text, &mut tables)
    }

    #[test]
    fn tags_lose_their_meaning_outside_code() {
        insta::assert_snapshot!(safe("<at id=all></at> a < b & c &lt; &copy; `x < y & z`"),
            @"&lt;at id=all>&lt;/at> a &lt; b &amp; c &lt; &copy; `x < y & z`");
        let code = "```html\n<b>&amp;</b>\n```\n";
        assert_eq!(safe(code), code);
        let open = "text\n\n```\n<b>";
        assert_eq!(safe(open), open);
    }

    #[test]
    fn images_become_links() {
        assert_eq!(
            safe("Wow! ![cat](https://x.example/c.png)!"),
            "Wow! [cat](https://x.example/c.png)!"
        );
    }

    #[test]
    fn surplus_tables_become_code() {
        let table = "| a | b |\n|---|---|\n| `1` | <2 |\n";
        let text = [table; 4].join("\ntext\n\n");
        let safe = safe(&text);
        assert_eq!(safe.matches("&lt;2").count(), 3);
        assert!(
            safe.ends_with("```\n| a | b |\n|---|---|\n| `1` | <2 |\n```\n"),
            "{safe}"
        );
    }

    #[test]
    fn any_number_of_tables_takes_little_room() {
        let text = "| a |\n|---|\n\nword\n\n".repeat(500);
        let safe = safe(&text);
        assert!(
            safe.len() < text.len() + 1_000,
            "{}",
            safe.len() - text.len()
        );
        assert_eq!(safe.matches("word").count(), 500);
    }

    #[test]
    fn fences_outgrow_what_is_inside() {
        let mut out = String::new();
        fenced("c++ <x>", "a\n````\nb", &mut out);
        assert_eq!(out, "`````c++x\na\n````\nb\n`````");
    }

    proptest::proptest! {
        #[test]
        fn no_tag_gets_through_and_costs_are_upper_bounds(text in "[a<&;!\\[`\\n \"\\\\字-]{0,200}") {
            let whole = safe(&text);
            let cost: usize = text.chars().map(markdown_cost).sum();
            let json = crate::feishu::limits::wire_len(&serde_json::to_string(&whole).unwrap()) - 4;
            proptest::prop_assert!(json <= cost, "{json} > {cost}");
            if !text.contains('`') && !text.contains("  ") {
                proptest::prop_assert!(!whole.contains('<'));
            }
        }
    }
}
