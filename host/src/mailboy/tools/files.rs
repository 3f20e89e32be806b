//! Tools about files. Writing asks the person first, always, with what will be written in full.

use std::fmt::Write as _;

use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::files::{FilesText, size};

use super::args::Args;
use super::{Field, Outcome, needed, optional};
use crate::confirm::Verdict;
use crate::context::{Context, Origin};
use crate::files::{EntryKind, Files};
use crate::grounds::Grounds;
use crate::journal::Change;
use crate::mailboy::live::Live;
use crate::record::Ask;

pub(super) const LIST: (&str, &[Field]) = (
    "Lists a folder: names, kinds, sizes.",
    &[optional(
        "path",
        "string",
        "folder; the current one by default",
    )],
);
pub(super) const READ: (&str, &[Field]) = (
    "Reads lines of a text file, with their numbers.",
    &[
        needed("path", "string", "the file"),
        optional("from", "integer", "first line, from 1"),
        optional("to", "integer", "last line"),
    ],
);
pub(super) const SEARCH: (&str, &[Field]) = (
    "Searches the text of files below a folder for a regular expression.",
    &[
        needed("pattern", "string", "regular expression"),
        optional(
            "path",
            "string",
            "folder or file; the current folder by default",
        ),
    ],
);
pub(super) const WRITE: (&str, &[Field]) = (
    "Writes a whole text file; what was in it is replaced. The person is asked first. For notes and small files; code belongs to a session.",
    &[
        needed("path", "string", "the file"),
        needed("text", "string", "its whole content"),
    ],
);
pub(super) const APPEND: (&str, &[Field]) = (
    "Adds text at the end of a file, which is made if missing. The person is asked first.",
    &[
        needed("path", "string", "the file"),
        needed("text", "string", "what is added, with its line breaks"),
    ],
);
pub(super) const SEND: (&str, &[Field]) = (
    "Sends a file of this machine to the chat; images come as images.",
    &[needed("path", "string", "the file")],
);

/// The person reads all of it on a card before it is written.
const MAX_WRITE: usize = 48 * 1024;
/// Lines around a change that are shown.
const AROUND: usize = 3;
/// The key of the question.
pub(super) const KEY: &str = "write";

fn files(context: &Context) -> &Files {
    &context.files
}

pub(super) async fn list(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
) -> Outcome {
    let path = args.maybe_text("path").unwrap_or_else(|| ".".to_owned());
    let listing = files(context).list(grounds, &path).await;
    let listing = listing.map_err(|why| why.say(origin.lang))?;
    let mut text = format!("{} (in the working directory):\n", listing.path);
    for entry in &listing.entries {
        let _ = match &entry.kind {
            EntryKind::Dir => writeln!(text, "{}/", entry.name),
            EntryKind::File => writeln!(text, "{} ({} bytes)", entry.name, entry.size),
            EntryKind::Link(to) => writeln!(text, "{} -> {to}", entry.name),
            EntryKind::Other => writeln!(text, "{} (no file)", entry.name),
        };
    }
    if listing.more > 0 {
        let _ = writeln!(text, "… and {} more", listing.more);
    }
    if listing.ignored > 0 {
        let _ = writeln!(text, "({} ignored by .gitignore)", listing.ignored);
    }
    Ok(text)
}

pub(super) async fn read(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
) -> Outcome {
    let path = args.text("path")?;
    let number = |name| -> Result<Option<usize>, String> {
        let n = args.number(name)?;
        Ok(n.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
    };
    let lines = match (number("from")?, number("to")?) {
        (None, None) => None,
        (from, to) => Some((from.unwrap_or(1).max(1), to)),
    };
    let text = files(context).read(grounds, &path, lines).await;
    let text = text.map_err(|why| why.say(origin.lang))?;
    let mut out = format!("{} ({} bytes):\n", text.path, text.size);
    for (at, line) in text.lines.iter().enumerate() {
        let _ = writeln!(out, "{:>5}  {line}", text.from + at);
    }
    if text.more {
        let next = text.from + text.lines.len();
        let _ = writeln!(out, "(it goes on with line {next})");
    }
    Ok(out)
}

pub(super) async fn search(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
) -> Outcome {
    let pattern = args.text("pattern")?;
    let path = args.maybe_text("path").unwrap_or_else(|| ".".to_owned());
    let found = files(context).search(grounds, &pattern, &path).await;
    let found = found.map_err(|why| why.say(origin.lang))?;
    if found.hits.is_empty() {
        return Ok(format!("Nothing found in {} files.", found.files));
    }
    let mut text = String::new();
    for hit in &found.hits {
        let _ = writeln!(text, "{}:{}: {}", hit.path, hit.line, hit.text);
    }
    if found.more || found.cut {
        text.push_str("(there may be more)\n");
    }
    Ok(text)
}

pub(super) async fn send(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
    changes: &mut Vec<Change>,
) -> Outcome {
    let path = args.text("path")?;
    let sent = files(context).send(grounds, origin, &path, "send").await;
    let (sent, more) = sent.map_err(|why| why.say(origin.lang))?;
    changes.extend(more);
    Ok(format!(
        "{} ({} bytes) is on its way to the chat.",
        sent.path, sent.size
    ))
}

/// Writes a file, or adds to it, once the person has read what and allowed it.
pub(super) async fn write(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
    live: &Live,
    append: bool,
) -> Outcome {
    let (path, text) = (args.text("path")?, args.whole_text("text")?);
    if text.len() > MAX_WRITE {
        return Err(format!(
            "at most {MAX_WRITE} bytes at once, as the person reads all of it before; write it in parts with append_file"
        ));
    }
    // Nobody is asked about what cannot be done.
    let there = files(context).before(grounds, &path).await;
    let there = there.map_err(|why| why.say(origin.lang))?.unwrap_or(0);
    let old = files(context).read(grounds, &path, None).await.ok();
    let old = old.filter(|old| !old.more && old.cut == 0);
    let body = match old {
        None if there > 0 && !append => {
            // Too long to be shown, or no text: that it goes is said all the same.
            let size = size(there);
            let all = FilesText::AllReplaced { size }.say(origin.lang);
            format!("-{all}\n{}", added(&text))
        }
        Some(old) if !append => {
            let old: Vec<&str> = old.lines.iter().map(String::as_str).collect();
            diff(&old, &text.lines().collect::<Vec<_>>())
        }
        Some(_) | None => added(&text),
    };
    let tool = if append { "append_file" } else { "write_file" };
    let ask = Ask {
        tool: tool.to_owned(),
        about: Some(path.clone()),
        lang: "diff".to_owned(),
        body,
        reason: None,
    };
    live.note(HostText::WaitsForYou);
    let verdict = context.confirms.ask(origin, KEY, &grounds.dir, ask).await;
    live.note(HostText::Working);
    match verdict {
        Verdict::Allowed => {}
        Verdict::Denied => {
            return Err("the person refused this. It is not done; do not try it in another way, ask what they want".to_owned());
        }
        Verdict::Expired => {
            return Err("nobody answered the question, so it is not done".to_owned());
        }
        Verdict::Stopped => return Err("the question was taken back, so it is not done".to_owned()),
    }
    let done = if append {
        files(context).append(grounds, &path, &text).await
    } else {
        files(context).write(grounds, &path, &text).await
    };
    let done = done.map_err(|why| why.say(origin.lang))?;
    let what = if done.made { "made" } else { "changed" };
    Ok(format!(
        "{} is {what}; it has {} bytes.",
        done.path, done.size
    ))
}

fn added(text: &str) -> String {
    text.lines()
        .fold(String::new(), |all, line| all + "+" + line + "\n")
}

/// What changes between two texts: the lines between the first and the last that differ, with a few
/// around them. Everything that is lost or new is in it.
fn diff(old: &[&str], new: &[&str]) -> String {
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
        pairs.take_while(|(old, new)| old == new).count()
    };
    let head = same(&mut old.iter().zip(new));
    let most = old.len().min(new.len()) - head;
    let tail = same(&mut old.iter().rev().zip(new.iter().rev())).min(most);
    let mut text = String::new();
    let mut push = |sign: char, lines: &[&str]| {
        for line in lines {
            let _ = writeln!(text, "{sign}{line}");
        }
    };
    push(
        ' ',
        old.get(head.saturating_sub(AROUND)..head)
            .unwrap_or_default(),
    );
    push('-', old.get(head..old.len() - tail).unwrap_or_default());
    push('+', new.get(head..new.len() - tail).unwrap_or_default());
    let after = old.len() - tail;
    push(
        ' ',
        old.get(after..(after + AROUND).min(old.len()))
            .unwrap_or_default(),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_changes_is_shown() {
        let old = ["a", "b", "c", "d", "e", "f", "g"];
        let new = ["a", "b", "c", "d", "x", "y", "f", "g"];
        assert_eq!(diff(&old, &new), " b\n c\n d\n-e\n+x\n+y\n f\n g\n");
        assert_eq!(diff(&[], &["a"]), "+a\n");
        assert_eq!(diff(&["a"], &[]), "-a\n");
        assert_eq!(diff(&["a", "a"], &["a"]), " a\n-a\n");
    }
}
