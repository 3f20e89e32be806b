//! `/ls [path]`: what is in a directory.

use std::sync::Arc;

use chrono_tz::Tz;
use common::command::typed::unquoted;
use common::lang::Lang;
use common::message::view::{Tone, View};
use common::text::Say as _;
use common::text::host::files::{FilesText, size};

use crate::cards::{self, files};
use crate::context::Origin;
use crate::desk::Desk;
use crate::files::{EntryKind, Listing};

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let context = Arc::clone(&desk.context);
    let grounds = desk.grounds(&origin.user);
    let (from, path) = (origin.clone(), unquoted(args).to_owned());
    desk.beside(place, origin, async move {
        let view = match context.files.list(&grounds, &path).await {
            Ok(listing) => view(&context.name, from.lang, context.timezone, &listing),
            Err(text) => cards::say(&context.name, from.lang, Tone::Warning, &text),
        };
        vec![from.reply(view)]
    })
    .await;
}

fn view(node: &str, lang: Lang, zone: Tz, listing: &Listing) -> View {
    let mut text = String::new();
    for entry in &listing.entries {
        let what = match entry.kind {
            EntryKind::File => size(entry.size),
            EntryKind::Dir | EntryKind::Link(_) | EntryKind::Other => "-".into(),
        };
        let end = match &entry.kind {
            EntryKind::Dir => "/".to_owned(),
            EntryKind::Link(to) => format!(" -> {to}"),
            EntryKind::File => String::new(),
            EntryKind::Other => " (?)".to_owned(),
        };
        let time = entry.modified.with_timezone(&zone).format("%Y-%m-%d %H:%M");
        let line = format!("{time} {what:>8}  {}{end}\n", entry.name);
        text.push_str(&line);
    }
    let mut notes = Vec::new();
    if listing.odd > 0 {
        notes.push(FilesText::OddNames { n: listing.odd });
    }
    if listing.ignored > 0 {
        notes.push(FilesText::Ignored { n: listing.ignored });
    }
    if listing.more > 0 {
        notes.push(FilesText::MoreEntries { n: listing.more });
    }
    let n = listing.entries.len() + listing.more;
    let what = FilesText::Entries { n }.say(lang);
    let body = files::code(String::new(), text, &FilesText::EmptyDir, lang);
    files::looked_at(node, lang, (&listing.path, what), body, &notes)
}

#[cfg(test)]
mod tests;
