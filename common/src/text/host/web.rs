//! What a host says of the web: searching, answers with sources, pages, and why none came.

mod en;
mod zh;

use crate::text::Say;

/// A text about the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebText {
    // Cards
    /// Title of `/search`.
    SearchTitle {
        /// What was looked for.
        query: String,
    },
    /// Title of `/ask`.
    AskTitle {
        /// The question.
        question: String,
    },
    /// Heading over the sources of an answer.
    Sources,
    /// A search without results.
    NothingFound {
        /// What was looked for.
        query: String,
    },
    /// Small print: how many results, and where they were looked for.
    Results {
        /// How many.
        n: usize,
        /// Scope, in the person's words.
        scope: String,
    },
    /// Small print: what is left on the search account.
    Credits {
        /// The service's number.
        left: u64,
    },
    /// Small print: read by the search service's reader, not by this machine.
    ByReader,
    /// A text that was cut.
    Cut {
        /// How much is shown, in kilobytes.
        kilobytes: usize,
    },
    /// A scope that there is none of.
    NoSuchScope {
        /// As typed.
        got: String,
    },
    /// A question or search longer than is taken.
    QueryTooLong {
        /// Characters at most.
        max: usize,
    },

    // Scopes
    /// Web pages.
    Webpages,
    /// Papers.
    Papers,
    /// Documents.
    Documents,
    /// Videos.
    Videos,
    /// Podcasts.
    Podcasts,

    // The search service
    /// There is no key.
    NoKey,
    /// The key was refused.
    BadKey,
    /// No searches left today.
    Exhausted,
    /// Too many requests at once.
    TooFast,
    /// It refuses the request.
    ServiceRefused {
        /// Its words; may be empty.
        why: String,
    },
    /// It failed.
    ServiceFailed {
        /// HTTP status.
        status: u16,
    },
    /// Out of reach, or silent for too long.
    ServiceAway,
    /// Its answer cannot be read.
    ServiceUnclear,

    // Pages
    /// That is no address.
    BadUrl {
        /// As typed, cut.
        url: String,
    },
    /// Neither http nor https.
    BadScheme {
        /// The scheme.
        scheme: String,
    },
    /// A name or password in the address.
    Credentials,
    /// An address of this machine or its network.
    Private {
        /// The host.
        host: String,
    },
    /// Nobody knows the name.
    NoSuchHost {
        /// The host.
        host: String,
    },
    /// The server cannot be reached.
    Unreachable {
        /// The host.
        host: String,
    },
    /// It took longer than is waited.
    TooSlow {
        /// Seconds.
        seconds: u64,
    },
    /// One redirect after the other.
    TooManyRedirects {
        /// How many are followed.
        max: usize,
    },
    /// The page answered with an error.
    Status {
        /// HTTP status.
        status: u16,
    },
    /// What is there is no text.
    NotText {
        /// Its media type.
        kind: String,
    },
    /// It is compressed in a way that is not unpacked.
    Packed {
        /// As the site calls it, cut.
        how: String,
    },
    /// It broke off, or it is not what a web server says.
    Broken {
        /// The host.
        host: String,
    },
    /// Nothing to read is on the page.
    Empty,
    /// A page that could not be made into text in time.
    TooHard,
    /// Too many pages are being read already.
    Busy,
}

impl Say for WebText {
    fn en(&self) -> String {
        en::say(self)
    }

    fn zh(&self) -> String {
        zh::say(self)
    }
}
