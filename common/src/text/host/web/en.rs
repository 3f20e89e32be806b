//! What a host says of the web, in English.

use super::WebText;

pub(super) fn say(text: &WebText) -> String {
    match text {
        WebText::SearchTitle { query } => format!("Search: {query}"),
        WebText::AskTitle { question } => format!("Answer: {question}"),
        WebText::Sources => "Sources".into(),
        WebText::NothingFound { query } => format!(
            "Nothing was found for “{query}”. Try other words, or another place with --in."
        ),
        WebText::Results { n: 1, scope } => format!("1 result · {scope}"),
        WebText::Results { n, scope } => format!("{n} results · {scope}"),
        WebText::Credits { left } => format!("{left} credits left"),
        WebText::ByReader => "read by Metaso's reader".into(),
        WebText::Cut { kilobytes } => {
            format!("(This is long; only its first {kilobytes} KB are shown.)")
        }
        WebText::NoSuchScope { got } => format!(
            "There is no “{got}” to search in. Choose webpage, paper, document, video or podcast."
        ),
        WebText::QueryTooLong { max } => {
            format!("That is too long: {max} characters at most. Make it shorter and try again.")
        }
        WebText::Webpages => "web pages".into(),
        WebText::Papers => "papers".into(),
        WebText::Documents => "documents".into(),
        WebText::Videos => "videos".into(),
        WebText::Podcasts => "podcasts".into(),
        WebText::NoKey => {
            "Searching is not set up on this machine. Set METASO_API_KEY in its configuration file (keys come from metaso.cn) and restart it. Everything else works.".into()
        }
        WebText::BadKey => {
            "The search service does not accept the key. Check METASO_API_KEY, then restart.".into()
        }
        WebText::Exhausted => {
            "No searches are left on the service's account for today. Try tomorrow, or top it up.".into()
        }
        WebText::TooFast => {
            "The search service is asked too often. Wait a moment, then try again.".into()
        }
        WebText::ServiceRefused { why } if why.is_empty() => {
            "The search service refused this request. Try other words.".into()
        }
        WebText::ServiceRefused { why } => format!("The search service refused this request: {why}"),
        WebText::ServiceFailed { status } => {
            format!("The search service failed (HTTP {status}). Try again later.")
        }
        WebText::ServiceAway => {
            "The search service cannot be reached, or was silent for too long. Try again later.".into()
        }
        WebText::ServiceUnclear => {
            "The search service's answer cannot be read. Try again later.".into()
        }
        WebText::BadUrl { url } => {
            format!("“{url}” is no web address. Write it like https://example.com/page.")
        }
        WebText::BadScheme { scheme } => {
            format!("Only http and https addresses can be read, not {scheme}.")
        }
        WebText::Credentials => {
            "The address holds a name or password, so it is not read. Leave that out and try again.".into()
        }
        WebText::Private { host } => format!(
            "{host} is an address of this machine or of its own network, so it is not read. Only pages of the public internet are."
        ),
        WebText::NoSuchHost { host } => {
            format!("There is no site {host}. Check the address.")
        }
        WebText::Unreachable { host } => {
            format!("{host} cannot be reached. Check the address, or try again later.")
        }
        WebText::TooSlow { seconds } => format!(
            "The page is too slow: it did not come within {seconds} seconds and was given up. Try again later."
        ),
        WebText::TooManyRedirects { max } => {
            format!("The page leads from one address to the next (more than {max}); given up. Give the last address itself.")
        }
        WebText::Status {
            status: status @ (401 | 403 | 407 | 451),
        } => format!(
            "The page does not let itself be read (HTTP {status}): it may want a login, or no programs. Open it in a browser."
        ),
        WebText::Status {
            status: status @ (404 | 410),
        } => format!("There is no such page (HTTP {status}). Check the address."),
        WebText::Status { status: 429 } => {
            "The site says that it is asked too often (HTTP 429). Try again in some minutes.".into()
        }
        WebText::Status {
            status: status @ 300..=399,
        } => format!(
            "The page leads elsewhere without saying where (HTTP {status}). Try another address."
        ),
        WebText::Status {
            status: status @ 500..,
        } => format!("The site has trouble of its own (HTTP {status}). Try again later."),
        WebText::Status { status } => {
            format!("The page answered with an error (HTTP {status}). Check the address.")
        }
        WebText::Broken { host } => format!(
            "{host} broke off in the middle of its answer, or what it sent is no web page. Try again later."
        ),
        WebText::NotText { kind } => format!(
            "That is neither a page nor a text ({kind}), so it cannot be read here. /shell can download it."
        ),
        WebText::Packed { how } => format!(
            "The site compressed the page with {how}, which is not unpacked here, so it cannot be read. Open it in a browser."
        ),
        WebText::Empty => {
            "There is no text to read on this page (it may need a browser to show any).".into()
        }
        WebText::TooHard => "This page is too complicated to be made into text. Open it in a browser.".into(),
        WebText::Busy => {
            "Too many pages are being read at once. Wait a moment, then try again.".into()
        }
    }
}
