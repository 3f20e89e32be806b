//! Tools about files. Writing asks the person first, always, with what will be written in full.

use std::fmt::Write as _;

use common::text::Say as _;
use common::text::host::HostText;
use common::text::host::mailboy::MailText;

use super::args::Args;
use super::name::Name;
use super::{Field, Outcome, needed, optional};
use crate::cards::ASK_BYTES;
use crate::confirm::Verdict;
use crate::context::{Context, Origin};
use crate::files::EntryKind;
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

/// The most that a file is written with at once. What changes in it is less, as the person reads all of
/// that on a card before: [`ASK_BYTES`].
const MAX_WRITE: usize = 48 * 1024;
/// Lines around a change that are shown.
const AROUND: usize = 3;
/// The key of the question.
pub(super) const KEY: &str = "write";

pub(super) async fn list(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    args: &Args,
) -> Outcome {
    let path = args.maybe_text("path").unwrap_or_else(|| ".".to_owned());
    let listing = context.files.list(grounds, &path).await;
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
    let text = context.files.read(grounds, &path, lines).await;
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
    let found = context.files.search(grounds, &pattern, &path).await;
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
    let sent = context.files.send(grounds, origin, &path, "send").await;
    let (sent, more) = sent.map_err(|why| why.say(origin.lang))?;
    changes.extend(more);
    Ok(format!(
        "{} ({} bytes) is on its way to the chat.",
        sent.path, sent.size
    ))
}

/// What is in a file before it is written.
#[derive(Debug, PartialEq)]
enum Old {
    /// There is none.
    None,
    /// Text, all of it.
    Lines(Vec<String>),
    /// More than is shown, or no text: so many bytes.
    Unseen(u64),
}

/// What is to be written where, once the person has read it and allowed it.
pub(super) struct Writing {
    path: String,
    text: String,
    append: bool,
    old: Old,
}

impl Writing {
    /// What the model wants to be written, if it can be, and is no more than a person can read.
    pub(super) async fn plan(
        context: &Context,
        origin: &Origin,
        grounds: &Grounds,
        args: &Args,
        append: bool,
    ) -> Result<Self, String> {
        let (path, text) = (args.text("path")?, args.whole_text("text")?);
        if text.len() > MAX_WRITE {
            return Err(format!(
                "at most {MAX_WRITE} bytes at once, as the person reads all of it before; write it in parts with append_file"
            ));
        }
        let old = old(context, origin, grounds, &path, append).await?;
        let writing = Self {
            path,
            text,
            append,
            old,
        };
        if writing.body().len() > ASK_BYTES {
            return Err(format!(
                "more than {ASK_BYTES} bytes would change at once, which is more than the person can read before; write it in parts with append_file, or hand it to a session"
            ));
        }
        Ok(writing)
    }

    /// What changes.
    fn body(&self) -> String {
        let new: Vec<&str> = self.text.lines().collect();
        let old: Vec<&str> = match &self.old {
            Old::Lines(lines) if !self.append => lines.iter().map(String::as_str).collect(),
            Old::Lines(_) | Old::None | Old::Unseen(_) => Vec::new(),
        };
        diff(&old, &new)
    }

    /// Asks the person.
    pub(super) async fn ask(
        &self,
        context: &Context,
        origin: &Origin,
        grounds: &Grounds,
        live: &Live,
    ) -> Result<(), String> {
        let reason = match self.old {
            Old::Unseen(bytes) if !self.append => Some(MailText::Unseen { bytes }.say(origin.lang)),
            Old::Unseen(_) | Old::Lines(_) | Old::None => None,
        };
        let name = if self.append {
            Name::AppendFile
        } else {
            Name::WriteFile
        };
        let ask = Ask {
            tool: name.text().to_owned(),
            about: Some(self.path.clone()),
            lang: "diff".to_owned(),
            body: self.body(),
            reason,
        };
        live.note(HostText::WaitsForYou);
        let given = context.confirms.ask(origin, KEY, &grounds.dir, ask).await;
        live.note(HostText::Working);
        match given.verdict {
            Verdict::Allowed => Ok(()),
            Verdict::Denied => Err("the person refused this. It is not done; do not try it in another way, ask what they want".to_owned()),
            Verdict::Expired => Err("nobody answered the question, so it is not done".to_owned()),
            Verdict::Stopped => Err("the question was taken back, so it is not done".to_owned()),
        }
    }

    /// Writes it, if the file is still as it was when the person was asked.
    pub(super) async fn write(
        self,
        context: &Context,
        origin: &Origin,
        grounds: &Grounds,
    ) -> Outcome {
        let (path, text) = (&self.path, &self.text);
        if old(context, origin, grounds, path, self.append).await? != self.old {
            return Err(
                "the file has changed since the person was asked, so it is not done: read it again"
                    .to_owned(),
            );
        }
        let done = if self.append {
            context.files.append(grounds, path, text).await
        } else {
            context.files.write(grounds, path, text).await
        };
        let done = done.map_err(|why| why.say(origin.lang))?;
        let what = if done.made { "made" } else { "changed" };
        Ok(format!(
            "{} is {what}; it has {} bytes.",
            done.path, done.size
        ))
    }
}

/// What is in a file that is to be written; an error where it may not be.
async fn old(
    context: &Context,
    origin: &Origin,
    grounds: &Grounds,
    path: &str,
    append: bool,
) -> Result<Old, String> {
    let there = context.files.before(grounds, path).await;
    let Some(bytes) = there.map_err(|why| why.say(origin.lang))? else {
        return Ok(Old::None);
    };
    match context.files.read(grounds, path, None).await {
        Ok(text) if !text.more && text.cut == 0 => Ok(Old::Lines(text.lines)),
        Err(why) if append => Err(why.say(origin.lang)),
        Ok(_) | Err(_) => Ok(Old::Unseen(bytes)),
    }
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
