//! Fetching one page from the public internet, within bounds: where it may lead (`policy`), how
//! often it may lead elsewhere, how large and how slow it may be, and what it may be. What its text
//! says is `article`'s.

use std::time::Duration;

use common::http::HttpOptions;
use common::text::host::web::WebText;
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Client, Response, Url, redirect};
use std::sync::Arc;

use super::policy::{Policy, Refused};

/// What a page is, by the word of its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To be made into an article.
    Html,
    /// Markdown already.
    Markdown,
    /// Shown as it is.
    Text,
    /// The server did not say; the content tells.
    Unknown,
}

/// A page as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetched {
    /// Where it was in the end.
    pub(super) url: Url,
    pub(super) kind: Kind,
    /// The character set, as the server names it.
    pub(super) charset: Option<String>,
    pub(super) body: Vec<u8>,
    /// It had more.
    pub(super) cut: bool,
}

/// How much is borne.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// For the whole, redirects and body included.
    pub(super) time: Duration,
    /// To connect, each time.
    pub(super) connect: Duration,
    /// Bytes of a body that are read; the rest is left.
    pub(super) body: usize,
    /// Redirects that are followed.
    pub(super) redirects: usize,
}

impl Bounds {
    pub(super) const PRODUCT: Self = Self {
        time: Duration::from_secs(20),
        connect: Duration::from_secs(8),
        body: 5 * 1024 * 1024,
        redirects: 5,
    };
}

/// Fetches pages.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: Client,
    policy: Policy,
    bounds: Bounds,
}

impl Fetcher {
    /// # Errors
    /// When there is no HTTP client.
    pub(super) fn new(policy: Policy, bounds: Bounds) -> Result<Self, common::http::HttpError> {
        let client = common::http::builder(HttpOptions {
            timeout: Some(bounds.time),
            connect_timeout: bounds.connect,
            user_agent: concat!(
                "Mozilla/5.0 (compatible; phonework/",
                env!("CARGO_PKG_VERSION"),
                ")"
            ),
            ..HttpOptions::default()
        })?
        // A proxy would ask for names itself, and reach what this machine must not.
        .no_proxy()
        .dns_resolver(Arc::new(policy.clone()))
        // Unpacked piece by piece: the bound is on what comes out.
        .gzip(true)
        .brotli(true)
        .deflate(true)
        .redirect(redirect::Policy::none())
        .referer(false)
        .pool_max_idle_per_host(0)
        .build()?;
        Ok(Self {
            client,
            policy,
            bounds,
        })
    }

    /// Fetches what is at `typed`.
    pub(super) async fn get(&self, typed: &str) -> Result<Fetched, WebText> {
        let url = self.policy.read(typed).map_err(|why| refused(why, typed))?;
        let seconds = self.bounds.time.as_secs();
        tokio::time::timeout(self.bounds.time, self.follow(url))
            .await
            .unwrap_or(Err(WebText::TooSlow { seconds }))
    }

    async fn follow(&self, mut url: Url) -> Result<Fetched, WebText> {
        for _ in 0..=self.bounds.redirects {
            let response = self
                .client
                .get(url.clone())
                .header(
                    ACCEPT,
                    "text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,*/*;q=0.5",
                )
                .send()
                .await
                .map_err(|why| self.failed(&why, &url))?;
            if !response.status().is_redirection() {
                return self.take(url, response).await;
            }
            let status = response.status().as_u16();
            let next = response
                .headers()
                .get(LOCATION)
                .and_then(|to| std::str::from_utf8(to.as_bytes()).ok())
                .ok_or(WebText::Status { status })?;
            let next = url
                .join(next)
                .map_err(|_| refused(Refused::Unreadable, next))?;
            self.policy
                .check(&next)
                .map_err(|why| refused(why, next.as_str()))?;
            url = next;
        }
        Err(WebText::TooManyRedirects {
            max: self.bounds.redirects,
        })
    }

    async fn take(&self, url: Url, mut response: Response) -> Result<Fetched, WebText> {
        let status = response.status();
        if !status.is_success() {
            return Err(WebText::Status {
                status: status.as_u16(),
            });
        }
        // What could be unpacked has lost this header.
        let packed = response.headers().get(CONTENT_ENCODING);
        let packed = packed.map(|how| String::from_utf8_lossy(how.as_bytes()).into_owned());
        if let Some(how) = packed.filter(|how| !matches!(how.trim(), "" | "identity")) {
            let how = crate::session::progress::one_line(&how, 40);
            return Err(WebText::Packed { how });
        }
        let (kind, charset) = kind_of(response.headers())?;
        let mut body = Vec::new();
        let mut cut = false;
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|why| self.failed(&why, &url))?
        {
            let room = self.bounds.body - body.len();
            cut = chunk.len() > room;
            body.extend(chunk.iter().take(room));
            if cut {
                // Dropping the answer closes its connection.
                break;
            }
        }
        Ok(Fetched {
            url,
            kind,
            charset,
            body,
            cut,
        })
    }

    fn failed(&self, why: &reqwest::Error, url: &Url) -> WebText {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(why);
        while let Some(inner) = cause {
            if let Some(why) = inner.downcast_ref::<Refused>() {
                return refused(why.clone(), url.as_str());
            }
            cause = inner.source();
        }
        if why.is_timeout() && !why.is_connect() {
            return WebText::TooSlow {
                seconds: self.bounds.time.as_secs(),
            };
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if why.is_connect() {
            WebText::Unreachable { host }
        } else {
            WebText::Broken { host }
        }
    }
}

/// What the server says that it is; refused where that is nothing to read.
fn kind_of(headers: &HeaderMap) -> Result<(Kind, Option<String>), WebText> {
    let Some(said) = headers
        .get(CONTENT_TYPE)
        .and_then(|said| said.to_str().ok())
    else {
        return Ok((Kind::Unknown, None));
    };
    let mut parts = said.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    let is_text = kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind.as_str(),
            "application/json"
                | "application/xml"
                | "application/javascript"
                | "application/x-ndjson"
                | "application/yaml"
                | "application/x-yaml"
                | "application/toml"
                | "application/x-sh"
        );
    let kind = match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "" | "application/octet-stream" => Kind::Unknown,
        "text/markdown" | "text/x-markdown" => Kind::Markdown,
        _ if is_text => Kind::Text,
        _ => {
            let kind = crate::session::progress::one_line(&kind, 60);
            return Err(WebText::NotText { kind });
        }
    };
    Ok((kind, charset))
}

fn refused(why: Refused, typed: &str) -> WebText {
    match why {
        Refused::Unreadable => WebText::BadUrl {
            url: crate::session::progress::one_line(typed, 120),
        },
        Refused::Scheme(scheme) => WebText::BadScheme { scheme },
        Refused::Credentials => WebText::Credentials,
        Refused::Private(host) => WebText::Private { host },
        Refused::NoName(host) => WebText::NoSuchHost { host },
    }
}
