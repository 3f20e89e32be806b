//! The web, for people and for tools: searching and asking (`metaso`), and reading a page (`fetch`,
//! `article`) without ever reaching what only this machine or its network may (`policy`). One cheap
//! handle; knows no chat and no card.

mod article;
mod fetch;
mod metaso;
mod policy;

use std::sync::Arc;
use std::time::Duration;

use common::config::MetasoSettings;
use common::text::host::web::WebText;
use moka::sync::Cache;

use article::Reader;
use fetch::{Bounds, Fetcher};
pub(crate) use metaso::Found;
use metaso::Metaso;
use policy::Policy;

/// Characters of a query that are taken.
pub(crate) const MAX_QUERY: usize = 2_000;
/// Bytes of a page's text that are given; the rest is cut, with a word.
pub(crate) const MAX_TEXT: usize = 100_000;
/// The same search within this time is answered from memory: searches are few and cost money.
const REMEMBER: Duration = Duration::from_secs(5 * 60);
/// Searches, and answers, that are remembered; the oldest go first.
const REMEMBERED: u64 = 200;

/// Where to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Scope {
    /// Web pages.
    #[default]
    Webpage,
    /// Papers.
    Paper,
    /// Documents.
    Document,
    /// Videos.
    Video,
    /// Podcasts.
    Podcast,
}

impl Scope {
    /// Reads one as people and models write it.
    pub(crate) fn read(typed: &str) -> Option<Self> {
        match typed.to_ascii_lowercase().as_str() {
            "webpage" | "webpages" | "web" | "网页" => Some(Self::Webpage),
            "paper" | "papers" | "scholar" | "论文" | "学术" => Some(Self::Paper),
            "document" | "documents" | "文库" | "文档" => Some(Self::Document),
            "video" | "videos" | "视频" => Some(Self::Video),
            "podcast" | "podcasts" | "播客" => Some(Self::Podcast),
            _ => None,
        }
    }

    /// In a person's words.
    pub(crate) fn text(self) -> WebText {
        match self {
            Self::Webpage => WebText::Webpages,
            Self::Paper => WebText::Papers,
            Self::Document => WebText::Documents,
            Self::Video => WebText::Videos,
            Self::Podcast => WebText::Podcasts,
        }
    }

    /// In the service's word.
    fn wire(self) -> &'static str {
        match self {
            Self::Webpage => "webpage",
            Self::Paper => "scholar",
            Self::Document => "document",
            Self::Video => "video",
            Self::Podcast => "podcast",
        }
    }

    /// What the list of results is called.
    fn lists(self) -> &'static [&'static str] {
        match self {
            Self::Webpage => &["webpages"],
            Self::Paper => &["scholars", "papers", "webpages"],
            Self::Document => &["documents", "webpages"],
            Self::Video => &["videos", "webpages"],
            Self::Podcast => &["podcasts", "webpages"],
        }
    }
}

/// A result of a search, or a source of an answer. Any field may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hit {
    pub(crate) title: String,
    pub(crate) link: String,
    /// Words around what was found.
    pub(crate) snippet: String,
    /// What it says, in short.
    pub(crate) summary: String,
    pub(crate) date: String,
    pub(crate) authors: Vec<String>,
}

/// An answer with its sources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct WebAnswer {
    /// Markdown.
    pub(crate) text: String,
    pub(crate) sources: Vec<Hit>,
    /// What is left on the account, when the service tells.
    pub(crate) credits: Option<u64>,
}

/// A page as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Page {
    /// Where it was in the end.
    pub(crate) url: String,
    /// May be empty.
    pub(crate) title: String,
    /// Markdown, or the text as it is; at most [`MAX_TEXT`] bytes.
    pub(crate) text: String,
    /// There was more.
    pub(crate) cut: bool,
    /// It is no Markdown: to be shown as it is.
    pub(crate) plain: bool,
    /// It was the service that read it.
    pub(crate) by_reader: bool,
}

/// The handle.
#[derive(Debug, Clone)]
pub(crate) struct Web(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metaso: Option<Metaso>,
    fetcher: Fetcher,
    reader: Reader,
    searches: Cache<(Scope, String), Found>,
    answers: Cache<(Scope, String), WebAnswer>,
}

impl Web {
    /// With the search service, if there is a key for it.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub(crate) fn new(metaso: Option<&MetasoSettings>) -> Result<Self, common::http::HttpError> {
        Self::within(metaso, Policy::public(), Bounds::PRODUCT)
    }

    fn within(
        metaso: Option<&MetasoSettings>,
        policy: Policy,
        bounds: Bounds,
    ) -> Result<Self, common::http::HttpError> {
        Ok(Self(Arc::new(Inner {
            metaso: metaso.map(Metaso::new).transpose()?,
            fetcher: Fetcher::new(policy, bounds)?,
            reader: Reader::default(),
            searches: memory(),
            answers: memory(),
        })))
    }

    /// Searches.
    pub(crate) async fn search(&self, query: &str, scope: Scope) -> Result<Found, WebText> {
        let (service, query) = (self.service()?, bounded(query)?);
        let key = (scope, query.to_lowercase());
        if let Some(found) = self.0.searches.get(&key) {
            return Ok(found);
        }
        let found = service.search(query, scope).await?;
        self.0.searches.insert(key, found.clone());
        Ok(found)
    }

    /// Answers a question from what is found.
    pub(crate) async fn ask(&self, question: &str, scope: Scope) -> Result<WebAnswer, WebText> {
        let (service, question) = (self.service()?, bounded(question)?);
        let key = (scope, question.to_owned());
        if let Some(answer) = self.0.answers.get(&key) {
            return Ok(answer);
        }
        let answer = service.ask(question, scope).await?;
        self.0.answers.insert(key, answer.clone());
        Ok(answer)
    }

    /// Reads a page of the public internet. What is public and cannot be read from here, the service's
    /// reader may read, where there is a key; an address that is refused goes nowhere.
    pub(crate) async fn read(&self, url: &str) -> Result<Page, WebText> {
        let mut page = match self.own(url).await {
            Ok(page) => page,
            Err(why) => match (&self.0.metaso, may_be_read_elsewhere(&why)) {
                // Its own failure says less about the page than ours.
                (Some(service), true) => service.read(url).await.map_err(|_| why)?,
                (Some(_), false) | (None, _) => return Err(why),
            },
        };
        let head = head(&page.text, MAX_TEXT).len();
        page.cut |= head < page.text.len();
        page.text.truncate(head);
        Ok(page)
    }

    async fn own(&self, url: &str) -> Result<Page, WebText> {
        let page = self.0.fetcher.get(url).await?;
        let (url, cut) = (page.url.to_string(), page.cut);
        let article = self.0.reader.read(page).await?;
        Ok(Page {
            url,
            title: article.title,
            text: article.text,
            cut,
            plain: article.plain,
            by_reader: false,
        })
    }

    fn service(&self) -> Result<&Metaso, WebText> {
        self.0.metaso.as_ref().ok_or(WebText::NoKey)
    }
}

fn memory<T: Clone + Send + Sync + 'static>() -> Cache<(Scope, String), T> {
    Cache::builder()
        .max_capacity(REMEMBERED)
        .time_to_live(REMEMBER)
        .build()
}

fn bounded(query: &str) -> Result<&str, WebText> {
    let query = query.trim();
    if query.chars().count() > MAX_QUERY {
        return Err(WebText::QueryTooLong { max: MAX_QUERY });
    }
    Ok(query)
}

/// Whether somebody else may have more luck with a page. Exhaustive, so that a new refusal is
/// thought about here.
fn may_be_read_elsewhere(why: &WebText) -> bool {
    match why {
        // The site does not want programs, or not from here.
        WebText::Status {
            status: 403 | 429 | 451 | 503,
        }
        | WebText::Packed { .. }
        | WebText::Broken { .. }
        | WebText::Empty
        | WebText::TooHard
        | WebText::TooSlow { .. }
        | WebText::Unreachable { .. }
        | WebText::NotText { .. } => true,
        // A name that only this network may know is told to nobody.
        WebText::NoSuchHost { .. }
        | WebText::Status { .. }
        | WebText::BadUrl { .. }
        | WebText::BadScheme { .. }
        | WebText::Credentials
        | WebText::Private { .. }
        | WebText::TooManyRedirects { .. }
        | WebText::Busy
        | WebText::SearchTitle { .. }
        | WebText::AskTitle { .. }
        | WebText::Sources
        | WebText::NothingFound { .. }
        | WebText::Results { .. }
        | WebText::Credits { .. }
        | WebText::ByReader
        | WebText::Cut { .. }
        | WebText::NoSuchScope { .. }
        | WebText::QueryTooLong { .. }
        | WebText::Webpages
        | WebText::Papers
        | WebText::Documents
        | WebText::Videos
        | WebText::Podcasts
        | WebText::NoKey
        | WebText::BadKey
        | WebText::Exhausted
        | WebText::TooFast
        | WebText::ServiceRefused { .. }
        | WebText::ServiceFailed { .. }
        | WebText::ServiceAway
        | WebText::ServiceUnclear => false,
    }
}

/// The beginning of a text, at most so many bytes, in whole characters.
pub(crate) fn head(text: &str, bytes: usize) -> &str {
    let mut at = bytes.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or(text)
}

#[cfg(test)]
mod tests;
