//! A page made into text: characters decoded, the article taken out of HTML and written as Markdown.
//! Works on what strangers wrote, so it has a thread of its own with a deep stack, and a bound in time.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use common::text::host::web::WebText;
use dom_smoothie::{Config, ParsePolicy, Readability, TextMode};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use tokio::sync::{Semaphore, oneshot};

use super::fetch::{Fetched, Kind};

/// Pages that are taken apart at once. One that never ends keeps its place, so that a bad page costs
/// a thread and no more; when all are taken people are told.
const AT_ONCE: usize = 4;
/// Longest time for one page.
const WITHIN: Duration = Duration::from_secs(10);
/// Elements of a page; real ones have some thousand.
const ELEMENTS: usize = 60_000;
/// Tags open within each other. Real pages stay below a hundred; taking a page apart recurses.
const DEPTH: usize = 1_000;
/// Stack of the thread that does.
const STACK: usize = 64 * 1024 * 1024;
/// So many characters of UTF-8 are no accident, whatever the page says that it is written in.
const SURE: usize = 4;
/// Where a page names its character set.
const HEAD: usize = 4_096;

/// A text with its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Article {
    /// Empty where the page has none.
    pub(super) title: String,
    /// Markdown of an HTML page, else the text as it is.
    pub(super) text: String,
    /// It is no Markdown.
    pub(super) plain: bool,
}

/// Makes pages into text.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    places: Arc<Semaphore>,
    within: Duration,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            within: WITHIN,
        }
    }
}

impl Reader {
    /// The text of a page.
    pub(super) async fn read(&self, page: Fetched) -> Result<Article, WebText> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| WebText::Busy)?;
        let (done, result) = oneshot::channel();
        std::thread::Builder::new()
            .name("page".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Nobody listens any more when it took too long.
                let _ = done.send(article(&page));
                drop(place);
            })
            .map_err(|_| WebText::Busy)?;
        match tokio::time::timeout(self.within, result).await {
            Ok(Ok(article)) => article,
            // Its time is up, or it panicked.
            Ok(Err(_)) | Err(_) => Err(WebText::TooHard),
        }
    }
}

fn article(page: &Fetched) -> Result<Article, WebText> {
    let kind = match page.kind {
        Kind::Unknown if looks_like_html(&page.body) => Kind::Html,
        Kind::Unknown => Kind::Text,
        known @ (Kind::Html | Kind::Markdown | Kind::Text) => known,
    };
    let within = match kind {
        Kind::Html => charset_within(&page.body),
        Kind::Text | Kind::Markdown | Kind::Unknown => None,
    };
    let text =
        decode(&page.body, page.charset.as_deref(), within).ok_or_else(|| WebText::NotText {
            kind: "application/octet-stream".to_owned(),
        })?;
    let article = match kind {
        Kind::Html => from_html(&text, page.url.as_str())?,
        Kind::Text | Kind::Markdown | Kind::Unknown => Article {
            title: String::new(),
            text,
            plain: kind != Kind::Markdown,
        },
    };
    if article.text.trim().is_empty() {
        return Err(WebText::Empty);
    }
    Ok(article)
}

fn looks_like_html(body: &[u8]) -> bool {
    let head = body.get(..body.len().min(HEAD)).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with("<!doctype html") || head.starts_with("<html") || head.contains("<body")
}

/// The character set that a page names in itself.
fn charset_within(body: &[u8]) -> Option<&str> {
    let head = body.get(..body.len().min(HEAD))?;
    let at = head
        .windows(8)
        .position(|window| window.eq_ignore_ascii_case(b"charset="))?;
    let rest = head.get(at + 8..)?;
    let start = usize::from(matches!(rest.first(), Some(b'"' | b'\'')));
    let rest = rest.get(start..)?;
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'))?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The characters of a body; none if it is no text. Servers and pages often name the wrong set, so what
/// they say counts where the bytes agree.
fn decode(body: &[u8], said: Option<&str>, within: Option<&str>) -> Option<String> {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return Some(clean(&encoding.decode(body).0));
    }
    let known = |name: Option<&str>| Encoding::for_label(name?.as_bytes());
    let (said, within) = (known(said), known(within));
    // What servers say of everything.
    let said = said.filter(|said| *said != WINDOWS_1252 || within.is_none());
    let named = said.or(within).unwrap_or(UTF_8);
    if body.contains(&0) && named != UTF_16LE && named != UTF_16BE {
        return None;
    }
    let sure = |bytes: &str| bytes.chars().filter(|c| !c.is_ascii()).take(SURE).count() == SURE;
    let text = exactly(UTF_8, body)
        .filter(|text| named == UTF_8 || sure(text))
        .or_else(|| exactly(named, body))
        .or_else(|| exactly(within?, body))
        .or_else(|| exactly(GB18030, body))
        .unwrap_or_else(|| named.decode_without_bom_handling(body).0);
    Some(clean(&text))
}

/// A body in a character set, if all of it is; a body that was cut may end within a character.
fn exactly<'a>(encoding: &'static Encoding, body: &'a [u8]) -> Option<Cow<'a, str>> {
    let most = body.len().min(3);
    (0..=most).find_map(|cut| {
        let whole = body.get(..body.len() - cut)?;
        encoding.decode_without_bom_handling_and_without_replacement(whole)
    })
}

/// Without characters that only a terminal would obey.
fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

fn from_html(html: &str, url: &str) -> Result<Article, WebText> {
    if depth(html) > DEPTH {
        return Err(WebText::TooHard);
    }
    let config = Config {
        max_elements_to_parse: ELEMENTS,
        text_mode: TextMode::Markdown,
        ..Config::default()
    };
    let mut page = Readability::new(html, Some(url), Some(config)).map_err(|_| WebText::TooHard)?;
    let title = page.get_article_title().trim().to_owned();
    let whole = || -> String {
        let mut plain = Readability::new(html, Some(url), None).ok();
        plain.as_mut().map_or_else(String::new, |page| {
            page.doc
                .md(Some(&[
                    "script", "style", "noscript", "nav", "footer", "svg", "head",
                ]))
                .to_string()
        })
    };
    let text = match page.parse_with_policy(ParsePolicy::Strict) {
        Ok(article) if !article.text_content.trim().is_empty() => article.text_content.to_string(),
        // A list of links or a form is no article, and still something to read.
        Ok(_) | Err(dom_smoothie::ReadabilityError::GrabFailed) => whole(),
        Err(_) => return Err(WebText::TooHard),
    };
    Ok(Article {
        title,
        text,
        plain: false,
    })
}

/// How deep tags may be open within each other at most. Counts only, and rather too much: void tags
/// are known, whatever else is not closed counts as open.
fn depth(html: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if rest.starts_with('/') {
            open = open.saturating_sub(1);
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().to_ascii_lowercase();
        if name.is_empty() || is_single(&name) {
            continue;
        }
        open += 1;
        most = most.max(open);
    }
    most
}

/// Tags without an end, or whose end is commonly left out.
fn is_single(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
            | "p"
            | "li"
            | "td"
            | "th"
            | "tr"
            | "dt"
            | "dd"
            | "option"
            | "thead"
            | "tbody"
            | "path"
            | "circle"
            | "rect"
            | "use"
    )
}
