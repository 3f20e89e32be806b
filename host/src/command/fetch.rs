//! `/fetch <url>`: a page of the web as text.

use std::sync::Arc;

use common::command::Command;
use common::message::view::Tone;

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    if args.is_empty() || args.contains(char::is_whitespace) {
        desk.usage(place, origin, Command::Fetch, None).await;
        return;
    }
    let context = Arc::clone(&desk.context);
    let (from, url) = (origin.clone(), args.to_owned());
    desk.beside(place, origin, async move {
        let view = match context.web.read(&url).await {
            Ok(page) => cards::web::page(&context.name, from.lang, &page),
            Err(why) => cards::say(&context.name, from.lang, Tone::Warning, &why),
        };
        vec![from.reply(view)]
    })
    .await;
}
