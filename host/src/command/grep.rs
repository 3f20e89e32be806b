//! `/grep <pattern> [path]`: lines of files that match.

use std::fmt::Write as _;
use std::sync::Arc;

use common::command::Command;
use common::command::typed::{quoted, unquoted};
use common::lang::Lang;
use common::message::view::{Block, Tone, View};
use common::text::host::files::FilesText;

use crate::cards::{self, files};
use crate::context::Origin;
use crate::desk::Desk;
use crate::files::{Found, SEARCH_SECONDS};

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let Some((pattern, path)) = read(args) else {
        desk.usage(place, origin, Command::Grep, None).await;
        return;
    };
    let context = Arc::clone(&desk.context);
    let grounds = desk.grounds(&origin.user);
    let from = origin.clone();
    desk.beside(place, origin, async move {
        let view = match context.files.search(&grounds, &pattern, &path).await {
            Ok(found) => view(&context.name, from.lang, &found),
            Err(text) => cards::say(&context.name, from.lang, Tone::Warning, &text),
        };
        vec![from.reply(view)]
    })
    .await;
}

/// The pattern, which may be quoted, and the path behind it.
fn read(args: &str) -> Option<(String, String)> {
    let (pattern, path) = match quoted(args) {
        Some(both) => both,
        None => args.split_once(char::is_whitespace).unwrap_or((args, "")),
    };
    (!pattern.is_empty()).then(|| (pattern.to_owned(), unquoted(path).to_owned()))
}

fn view(node: &str, lang: Lang, found: &Found) -> View {
    let mut text = String::new();
    let mut file = "";
    for hit in &found.hits {
        if hit.path != file {
            if !file.is_empty() {
                text.push('\n');
            }
            file = &hit.path;
            let _ = writeln!(text, "{file}");
        }
        let _ = writeln!(text, "{:>5}: {}", hit.line, hit.text);
    }
    let head = if found.hits.is_empty() {
        FilesText::NoHits { files: found.files }
    } else {
        FilesText::Hits {
            n: found.hits.len(),
            files: found.with_hits,
        }
    };
    let body = (!text.is_empty()).then(|| Block::Code {
        lang: String::new(),
        text,
    });
    let mut notes = Vec::new();
    if found.cut {
        let seconds = SEARCH_SECONDS;
        notes.push(FilesText::SearchCut { seconds });
    }
    if found.more {
        notes.push(FilesText::MoreHits);
    }
    if found.binary + found.ignored + found.closed > 0 {
        notes.push(FilesText::PassedOver {
            binary: found.binary,
            ignored: found.ignored,
            closed: found.closed,
        });
    }
    files::found(node, lang, &head, body, &notes)
}

#[cfg(test)]
mod tests;
