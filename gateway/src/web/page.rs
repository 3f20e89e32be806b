//! The files of the page, and the few plain pages that need no script.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{Html, IntoResponse, Response};
use common::lang::Lang;
use common::text::Say as _;
use common::text::gateway::GatewayText;

/// Path, kind and content of everything that the page consists of.
pub(super) const FILES: [(&str, &str, &str); 7] = [
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    (
        "/style.css",
        "text/css; charset=utf-8",
        include_str!("page/style.css"),
    ),
    ("/app.js", JS, include_str!("page/app.js")),
    ("/cards.js", JS, include_str!("page/cards.js")),
    ("/markdown.js", JS, include_str!("page/markdown.js")),
    ("/wire.js", JS, include_str!("page/wire.js")),
    ("/words.js", JS, include_str!("page/words.js")),
];
const JS: &str = "text/javascript; charset=utf-8";

/// The page itself.
pub(super) fn index() -> Html<&'static str> {
    Html(include_str!("page/index.html"))
}

/// For people who are not logged in.
pub(super) fn login_needed(lang: Lang) -> Response {
    let body = plain(
        lang,
        &GatewayText::LoginTitle,
        &GatewayText::LoginNeeded,
        "",
    );
    (StatusCode::UNAUTHORIZED, Html(body)).into_response()
}

/// For a link that is used up.
pub(super) fn link_used(lang: Lang) -> Response {
    let body = plain(lang, &GatewayText::LoginTitle, &GatewayText::LinkUsed, "");
    (StatusCode::UNAUTHORIZED, Html(body)).into_response()
}

/// Goes on to the page. Not a redirect: a link opened from another site would then be followed
/// without the new cookie, as that is sent on ways of our own only.
pub(super) fn logged_in(lang: Lang) -> Html<String> {
    let refresh = r#"<meta http-equiv="refresh" content="0;url=/">"#;
    Html(plain(
        lang,
        &GatewayText::LoggedIn,
        &GatewayText::GoOn,
        refresh,
    ))
}

/// A page of one heading and one line. The texts are our own and hold nothing to escape.
fn plain(lang: Lang, title: &GatewayText, line: &GatewayText, head: &str) -> String {
    let (title, text) = (title.say(lang), line.say(lang));
    let line = match line {
        GatewayText::GoOn => format!(r#"<a href="/">{text}</a>"#),
        _ => text,
    };
    let code = lang.code();
    format!(
        r#"<!doctype html><html lang="{code}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{head}
<title>PhoneWork</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/style.css"></head>
<body class="plain"><main><h1>{title}</h1><p>{line}</p></main></body></html>"#
    )
}

/// The language of a browser, or `otherwise`.
pub(super) fn lang_of(headers: &HeaderMap, otherwise: Lang) -> Lang {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| {
            text.split(',')
                .find_map(|one| Lang::parse(one.split(';').next().unwrap_or_default()))
        })
        .unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_language_is_taken() {
        let lang = |text: &str| {
            let headers = [(header::ACCEPT_LANGUAGE, text.parse().unwrap())];
            lang_of(&headers.into_iter().collect(), Lang::En)
        };
        assert_eq!(lang("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        assert_eq!(lang("fr, en;q=0.5, zh;q=0.4"), Lang::En);
        assert_eq!(lang_of(&HeaderMap::new(), Lang::Zh), Lang::Zh);
    }

    #[test]
    fn nothing_in_the_page_is_inline_or_from_elsewhere() {
        let index = index().0;
        assert!(!index.contains("style=") && !index.contains(" onclick"));
        for part in index.split("<script").skip(1) {
            assert!(part.starts_with(" type=\"module\" src=\"/"), "{part}");
        }
        let all = FILES.iter().map(|(_, _, text)| *text).chain([index]);
        for text in all {
            assert!(
                !text.contains("innerHTML") && !text.contains("//cdn"),
                "{text}"
            );
        }
    }
}
