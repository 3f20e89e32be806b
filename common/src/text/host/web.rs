//! What a host says of the web: searching, answers with sources, pages, and why none came.

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
    /// It came compressed, though that was not asked for.
    Packed,
    /// Nothing to read is on the page.
    Empty,
    /// A page that could not be made into text in time.
    TooHard,
    /// Too many pages are being read already.
    Busy,
}

impl Say for WebText {
    fn zh(&self) -> String {
        match self {
            Self::SearchTitle { query } => format!("搜索：{query}"),
            Self::AskTitle { question } => format!("问答：{question}"),
            Self::Sources => "来源".into(),
            Self::NothingFound { query } => {
                format!("没有找到与“{query}”有关的结果。换个说法，或用 --in 换一个范围再试。")
            }
            Self::Results { n, scope } => format!("{n} 条结果 · {scope}"),
            Self::Credits { left } => format!("剩余额度 {left}"),
            Self::ByReader => "由秘塔阅读器读取".into(),
            Self::Cut { kilobytes } => format!("（内容较长，这里只显示前 {kilobytes} KB）"),
            Self::NoSuchScope { got } => format!(
                "没有“{got}”这个范围。可选：webpage、paper、document、video、podcast。"
            ),
            Self::QueryTooLong { max } => format!("太长了：最多 {max} 个字。请缩短后再试。"),
            Self::Webpages => "网页".into(),
            Self::Papers => "学术论文".into(),
            Self::Documents => "文库".into(),
            Self::Videos => "视频".into(),
            Self::Podcasts => "播客".into(),
            Self::NoKey => {
                "这台机器还没有配置搜索。请在它的配置文件里设置 METASO_API_KEY（密钥在 metaso.cn 申请），然后重新启动。其他功能不受影响。".into()
            }
            Self::BadKey => {
                "搜索服务不接受这个密钥。请检查 METASO_API_KEY，然后重新启动。".into()
            }
            Self::Exhausted => "搜索服务今天的额度已用完，明天再试，或为账户充值。".into(),
            Self::TooFast => "搜索服务说请求太频繁，请稍等一会儿再试。".into(),
            Self::ServiceRefused { why } if why.is_empty() => {
                "搜索服务拒绝了这个请求。换个说法再试。".into()
            }
            Self::ServiceRefused { why } => format!("搜索服务拒绝了这个请求：{why}"),
            Self::ServiceFailed { status } => {
                format!("搜索服务出错了（HTTP {status}），请稍后再试。")
            }
            Self::ServiceAway => "连不上搜索服务，或它太久没有回答。请稍后再试。".into(),
            Self::ServiceUnclear => "搜索服务的回答无法读懂，请稍后再试。".into(),
            Self::BadUrl { url } => {
                format!("“{url}”不是网址。请写成 https://example.com/page 这样。")
            }
            Self::BadScheme { scheme } => {
                format!("只能读取 http 和 https 的网址，不能读取 {scheme}。")
            }
            Self::Credentials => "网址里带有用户名或密码，不读取。请去掉后再试。".into(),
            Self::Private { host } => format!(
                "{host} 是这台机器或其内部网络的地址，不读取。只能读取公网上的网页。"
            ),
            Self::NoSuchHost { host } => format!("找不到 {host} 这个网站。请检查网址。"),
            Self::Unreachable { host } => format!("连不上 {host}。请检查网址，或稍后再试。"),
            Self::TooSlow { seconds } => {
                format!("网页太慢：{seconds} 秒内没有读完，已放弃。请稍后再试。")
            }
            Self::TooManyRedirects { max } => {
                format!("网页一再跳转（超过 {max} 次），已放弃。")
            }
            Self::Status { status } => format!("网页回答了错误 {status}。请检查网址。"),
            Self::NotText { kind } => {
                format!("这不是网页，也不是文字（{kind}），无法读取。可以用 /shell 下载它。")
            }
            Self::Packed => "网站发来的是压缩数据，没有解压，无法读取。".into(),
            Self::Empty => "页面上没有可读的文字（可能要在浏览器里运行才显示）。".into(),
            Self::TooHard => "这个页面太复杂，没能整理成文字。".into(),
            Self::Busy => "正在读取的网页太多，请稍等一会儿再试。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::SearchTitle { query } => format!("Search: {query}"),
            Self::AskTitle { question } => format!("Answer: {question}"),
            Self::Sources => "Sources".into(),
            Self::NothingFound { query } => format!(
                "Nothing was found for “{query}”. Try other words, or another place with --in."
            ),
            Self::Results { n: 1, scope } => format!("1 result · {scope}"),
            Self::Results { n, scope } => format!("{n} results · {scope}"),
            Self::Credits { left } => format!("{left} credits left"),
            Self::ByReader => "read by Metaso's reader".into(),
            Self::Cut { kilobytes } => {
                format!("(This is long; only its first {kilobytes} KB are shown.)")
            }
            Self::NoSuchScope { got } => format!(
                "There is no “{got}” to search in. Choose webpage, paper, document, video or podcast."
            ),
            Self::QueryTooLong { max } => {
                format!("That is too long: {max} characters at most. Make it shorter and try again.")
            }
            Self::Webpages => "web pages".into(),
            Self::Papers => "papers".into(),
            Self::Documents => "documents".into(),
            Self::Videos => "videos".into(),
            Self::Podcasts => "podcasts".into(),
            Self::NoKey => {
                "Searching is not set up on this machine. Set METASO_API_KEY in its configuration file (keys come from metaso.cn) and restart it. Everything else works.".into()
            }
            Self::BadKey => {
                "The search service does not accept the key. Check METASO_API_KEY, then restart.".into()
            }
            Self::Exhausted => {
                "No searches are left on the service's account for today. Try tomorrow, or top it up.".into()
            }
            Self::TooFast => {
                "The search service is asked too often. Wait a moment, then try again.".into()
            }
            Self::ServiceRefused { why } if why.is_empty() => {
                "The search service refused this request. Try other words.".into()
            }
            Self::ServiceRefused { why } => format!("The search service refused this request: {why}"),
            Self::ServiceFailed { status } => {
                format!("The search service failed (HTTP {status}). Try again later.")
            }
            Self::ServiceAway => {
                "The search service cannot be reached, or was silent for too long. Try again later.".into()
            }
            Self::ServiceUnclear => {
                "The search service's answer cannot be read. Try again later.".into()
            }
            Self::BadUrl { url } => {
                format!("“{url}” is no web address. Write it like https://example.com/page.")
            }
            Self::BadScheme { scheme } => {
                format!("Only http and https addresses can be read, not {scheme}.")
            }
            Self::Credentials => {
                "The address holds a name or password, so it is not read. Leave that out and try again.".into()
            }
            Self::Private { host } => format!(
                "{host} is an address of this machine or of its own network, so it is not read. Only pages of the public internet are."
            ),
            Self::NoSuchHost { host } => {
                format!("There is no site {host}. Check the address.")
            }
            Self::Unreachable { host } => {
                format!("{host} cannot be reached. Check the address, or try again later.")
            }
            Self::TooSlow { seconds } => format!(
                "The page is too slow: it did not come within {seconds} seconds and was given up. Try again later."
            ),
            Self::TooManyRedirects { max } => {
                format!("The page leads from one address to the next (more than {max}); given up.")
            }
            Self::Status { status } => {
                format!("The page answered with error {status}. Check the address.")
            }
            Self::NotText { kind } => format!(
                "That is neither a page nor a text ({kind}), so it cannot be read here. /shell can download it."
            ),
            Self::Packed => {
                "The site sent compressed data, which is not unpacked here, so it cannot be read.".into()
            }
            Self::Empty => {
                "There is no text to read on this page (it may need a browser to show any).".into()
            }
            Self::TooHard => "This page is too complicated to be made into text.".into(),
            Self::Busy => {
                "Too many pages are being read at once. Wait a moment, then try again.".into()
            }
        }
    }
}
