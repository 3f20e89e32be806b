//! `/ask <question>`: answered from the web, with sources.

use std::sync::Arc;

use common::command::Command;
use common::message::view::Tone;

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;
use crate::web::Scope;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    if args.is_empty() {
        desk.usage(place, origin, Command::Ask, None).await;
        return;
    }
    let context = Arc::clone(&desk.context);
    let (from, question) = (origin.clone(), args.to_owned());
    desk.beside(place, origin, async move {
        let view = match context.web.ask(&question, Scope::default()).await {
            Ok(answer) => cards::web::answer(&context.name, from.lang, &question, &answer),
            Err(why) => cards::say(&context.name, from.lang, Tone::Warning, &why),
        };
        vec![from.reply(view)]
    })
    .await;
}
