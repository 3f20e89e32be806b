//! `/search [--in scope] <query>`: search the web.

use std::sync::Arc;

use common::command::Command;
use common::command::typed::flag;
use common::message::view::Tone;
use common::text::host::web::WebText;

use crate::cards;
use crate::context::Origin;
use crate::desk::Desk;
use crate::web::Scope;

pub(crate) async fn run(desk: &mut Desk, place: u64, origin: &Origin, args: &str) {
    let (scope, query) = match read(args) {
        Ok(read) => read,
        Err(wrong) => {
            let wrong = wrong.as_ref().map(|text| text as _);
            desk.usage(place, origin, Command::Search, wrong).await;
            return;
        }
    };
    let context = Arc::clone(&desk.context);
    let (from, query) = (origin.clone(), query.to_owned());
    desk.beside(place, origin, async move {
        let view = match context.web.search(&query, scope).await {
            Ok(found) => cards::web::search(&context.name, from.lang, &query, scope, &found),
            Err(why) => cards::say(&context.name, from.lang, Tone::Warning, &why),
        };
        vec![from.reply(view)]
    })
    .await;
}

/// Scope and query; `--in` may stand in front of the query only, so that it can be searched for.
fn read(args: &str) -> Result<(Scope, &str), Option<WebText>> {
    let args = args.trim();
    let (first, rest) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    let Some(option) = flag(first, &["in"]) else {
        return if args.is_empty() {
            Err(None)
        } else {
            Ok((Scope::default(), args))
        };
    };
    let rest = rest.trim_start();
    let (word, query) = match option.value {
        Some(word) => (word, rest),
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    if word.is_empty() {
        return Err(None);
    }
    let Some(scope) = Scope::read(word) else {
        let got = crate::session::progress::one_line(word, 40);
        return Err(Some(WebText::NoSuchScope { got }));
    };
    match query.trim() {
        "" => Err(None),
        query => Ok((scope, query)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_and_query_are_told_apart() {
        assert_eq!(read("rust async"), Ok((Scope::Webpage, "rust async")));
        assert_eq!(read("--in paper  a b "), Ok((Scope::Paper, "a b")));
        assert_eq!(read("--in=视频 猫"), Ok((Scope::Video, "猫")));
        assert_eq!(
            read("what --in means"),
            Ok((Scope::Webpage, "what --in means"))
        );
        assert_eq!(
            read("--inspect node"),
            Ok((Scope::Webpage, "--inspect node"))
        );
        assert_eq!(read("--in　论文　猫"), Ok((Scope::Paper, "猫")));
        assert_eq!(read("--in"), Err(None));
        assert_eq!(read(""), Err(None));
        assert_eq!(read("—in video 猫"), Ok((Scope::Video, "猫")));
        assert_eq!(read("--info x"), Ok((Scope::Webpage, "--info x")));
        assert_eq!(read("--in podcast"), Err(None));
        let got = "moon".to_owned();
        assert_eq!(read("--in moon x"), Err(Some(WebText::NoSuchScope { got })));
    }
}
