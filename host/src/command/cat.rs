//! `/cat <path> [from[-to]]`: a file, with line numbers.

use std::fmt::Write as _;
use std::sync::Arc;

use common::command::Command;
use common::command::typed::{plain, unquoted};
use common::lang::Lang;
use common::message::view::{Tone, View};
use common::text::Say as _;
use common::text::host::files::{FilesText, size};

use crate::cards::{self, files};
use crate::context::Origin;
use crate::desk::Desk;
use crate::files::{LONG_LINE, Text};

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let (path, lines) = match read(args) {
        Ok(read) => read,
        Err(wrong) => {
            let wrong = wrong.as_ref().map(|text| text as _);
            desk.usage(place, origin, Command::Cat, wrong).await;
            return;
        }
    };
    let context = Arc::clone(&desk.context);
    let grounds = desk.grounds(&origin.user);
    let from = origin.clone();
    desk.beside(place, origin, async move {
        let view = match context.files.read(&grounds, &path, lines).await {
            Ok(text) => view(&context.name, from.lang, &path, &text),
            Err(text) => cards::say(&context.name, from.lang, Tone::Warning, &text),
        };
        vec![from.reply(view)]
    })
    .await;
}

type Range = (usize, Option<usize>);

/// The path and the range behind it. `Err(None)`: nothing more to say than how it is used.
fn read(args: &str) -> Result<(String, Option<Range>), Option<FilesText>> {
    if args.is_empty() {
        return Err(None);
    }
    let Some((path, last)) = args.rsplit_once(char::is_whitespace) else {
        return Ok((unquoted(args).to_owned(), None));
    };
    let lines = plain(last).replace(['~', '–', '—'], "-");
    if lines.chars().any(|c| !c.is_ascii_digit() && c != '-') {
        // A path with a blank in it.
        return Ok((unquoted(args).to_owned(), None));
    }
    let range = range(&lines).ok_or_else(|| {
        Some(FilesText::BadRange {
            got: last.to_owned(),
        })
    })?;
    Ok((unquoted(path).to_owned(), Some(range)))
}

/// `10`, `10-` or `10-40`, from 1.
fn range(text: &str) -> Option<Range> {
    let (from, to) = match text.split_once('-') {
        None => {
            let line = text.parse().ok()?;
            (line, Some(line))
        }
        Some((from, "")) => (from.parse().ok()?, None),
        Some((from, to)) => (from.parse().ok()?, Some(to.parse().ok()?)),
    };
    (from >= 1 && to.is_none_or(|to| to >= from)).then_some((from, to))
}

fn view(node: &str, lang: Lang, typed: &str, text: &Text) -> View {
    let to = text.from + text.lines.len();
    let width = to.to_string().len();
    let mut body = String::new();
    for (line, number) in text.lines.iter().zip(text.from..) {
        let _ = writeln!(body, "{number:>width$}  {line}");
    }
    let mut notes = Vec::new();
    if text.cut > 0 {
        let (n, max) = (text.cut, LONG_LINE);
        notes.push(FilesText::CutLines { n, max });
    }
    if !text.sort.name().is_empty() {
        let name = text.sort.name().to_owned();
        notes.push(FilesText::Encoding { name });
    }
    if text.more {
        let command = format!("/cat {typed} {to}-");
        notes.push(FilesText::GoOn { command });
    }
    let mut what = size(text.size);
    if !text.lines.is_empty() {
        let lines = FilesText::Lines {
            from: text.from,
            to: to.saturating_sub(1),
            of: text.total,
        };
        what = format!("{} · {what}", lines.say(lang));
    }
    let end = text.path.rsplit_once('.').map_or("", |(_, end)| end);
    let known = end.len() <= 10 && end.chars().all(|c| c.is_ascii_alphanumeric());
    let end = if known { end.to_owned() } else { String::new() };
    let body = files::code(end, body, &FilesText::EmptyFile, lang);
    files::looked_at(node, lang, (&text.path, what), body, &notes)
}

#[cfg(test)]
mod tests;
