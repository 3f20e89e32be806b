//! `/send <path>`: a file, to this chat.

use std::sync::Arc;

use common::command::Command;
use common::command::typed::unquoted;
use common::message::view::Tone;
use common::text::host::files::{FilesText, size};

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    if args.is_empty() {
        desk.usage(place, origin, Command::Send, None).await;
        return;
    }
    let context = Arc::clone(&desk.context);
    let grounds = desk.grounds(&origin.user);
    let (from, path) = (origin.clone(), unquoted(args).to_owned());
    desk.beside(place, origin, async move {
        let say = |tone, text: &FilesText| cards::say(&context.name, from.lang, tone, text);
        match context.files.send(&grounds, &from, &path, "send").await {
            Ok((sent, mut changes)) => {
                let text = FilesText::Sending {
                    path: sent.path,
                    size: size(sent.size),
                };
                changes.insert(0, from.reply(say(Tone::Done, &text)));
                changes
            }
            Err(text) => vec![from.reply(say(Tone::Warning, &text))],
        }
    })
    .await;
}
