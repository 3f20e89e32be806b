//! Cards about the web: results, answers with their sources, pages.

use common::lang::Lang;
use common::message::view::{Block, Tone, View};
use common::text::Say as _;
use common::text::host::web::WebText;

use super::plain;
use crate::session::progress::one_line;
use crate::web::{Found, Hit, Page, Scope, WebAnswer, head};

/// Bytes of a page's text on a card: some cards full on a phone.
const SHOWN: usize = 30_000;
/// Bytes of an answer.
const ANSWER: usize = 60_000;
/// Characters of a query in a title.
const TITLE: usize = 60;
/// Characters of what a result says.
const SNIPPET: usize = 200;

/// The results of a search.
pub(crate) fn search(node: &str, lang: Lang, query: &str, scope: Scope, found: &Found) -> View {
    let query = one_line(query, TITLE);
    let mut small = vec![node.to_owned()];
    let (tone, block) = if found.hits.is_empty() {
        let query = query.clone();
        (
            Tone::Plain,
            plain(WebText::NothingFound { query }.say(lang)),
        )
    } else {
        let n = found.hits.len();
        let scope = scope.text().say(lang);
        small.push(WebText::Results { n, scope }.say(lang));
        let text = list(&found.hits, true);
        (Tone::Done, Block::Markdown { text })
    };
    small.extend(credits(found.credits, lang));
    View {
        title: WebText::SearchTitle { query }.say(lang),
        tone,
        blocks: vec![block],
        footer: Some(small.join(" · ")),
        ..View::default()
    }
}

/// An answer with its sources.
pub(crate) fn answer(node: &str, lang: Lang, question: &str, answer: &WebAnswer) -> View {
    let question = one_line(question, TITLE);
    let shown = head(&answer.text, ANSWER);
    let mut blocks = vec![Block::Markdown {
        text: shown.to_owned(),
    }];
    blocks.extend(cut(shown.len() < answer.text.len(), ANSWER, lang));
    if !answer.sources.is_empty() {
        let heading = WebText::Sources.say(lang);
        let text = format!("**{heading}**\n{}", list(&answer.sources, false));
        blocks.push(Block::Markdown { text });
    }
    let mut small = vec![node.to_owned()];
    small.extend(credits(answer.credits, lang));
    View {
        title: WebText::AskTitle { question }.say(lang),
        tone: Tone::Done,
        blocks,
        footer: Some(small.join(" · ")),
        ..View::default()
    }
}

/// A page.
pub(crate) fn page(node: &str, lang: Lang, page: &Page) -> View {
    let shown = head(&page.text, SHOWN);
    let text = shown.to_owned();
    let text = if page.plain {
        let lang = String::new();
        Block::Code { lang, text }
    } else {
        Block::Markdown { text }
    };
    let mut blocks = vec![plain(page.url.clone()), text];
    let more = page.cut || shown.len() < page.text.len();
    blocks.extend(cut(more, shown.len(), lang));
    let mut small = vec![node.to_owned()];
    small.extend(page.by_reader.then(|| WebText::ByReader.say(lang)));
    let title = if page.title.is_empty() {
        &page.url
    } else {
        &page.title
    };
    View {
        title: one_line(title, TITLE),
        tone: Tone::Done,
        blocks,
        footer: Some(small.join(" · ")),
        ..View::default()
    }
}

fn cut(is_cut: bool, shown: usize, lang: Lang) -> Option<Block> {
    let kilobytes = shown.div_ceil(1_000);
    is_cut.then(|| plain(WebText::Cut { kilobytes }.say(lang)))
}

fn credits(left: Option<u64>, lang: Lang) -> Option<String> {
    left.map(|left| WebText::Credits { left }.say(lang))
}

/// Numbered links, each with what it says when `words`.
fn list(hits: &[Hit], words: bool) -> String {
    let mut text = String::new();
    for (at, hit) in hits.iter().enumerate() {
        let n = at + 1;
        let title = if hit.title.is_empty() {
            &hit.link
        } else {
            &hit.title
        };
        let title = inert(&one_line(title, 120));
        if at > 0 {
            text.push('\n');
        }
        let line = match address(&hit.link) {
            Some(link) => format!("{n}. [{title}]({link})"),
            None => format!("{n}. {title}"),
        };
        text.push_str(&line);
        if !words {
            continue;
        }
        let says = if hit.snippet.is_empty() {
            &hit.summary
        } else {
            &hit.snippet
        };
        let mut more = Vec::new();
        if !says.is_empty() {
            more.push(inert(&one_line(says, SNIPPET)));
        }
        let by = hit.authors.iter().take(3).map(|who| inert(who));
        let by = by.collect::<Vec<_>>().join(", ");
        let origin = [by, inert(&hit.date)]
            .into_iter()
            .filter(|part| !part.is_empty());
        let origin = origin.collect::<Vec<_>>().join(", ");
        if !origin.is_empty() {
            more.push(format!("({origin})"));
        }
        if !more.is_empty() {
            text += "\n   ";
            text += &more.join(" ");
        }
    }
    text
}

/// An address as it may stand in a link; none if it leads anywhere but the web.
fn address(link: &str) -> Option<String> {
    let url = reqwest::Url::parse(link).ok()?;
    matches!(url.scheme(), "http" | "https")
        .then(|| String::from(url).replace('(', "%28").replace(')', "%29"))
}

/// Words of strangers without the signs that Markdown obeys in a line.
fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '[' | ']' | '<' | '>' | '*' | '_' | '`' | '~' | '|'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
