//! The texts about the web.

use crate::text::host::web::WebText;

use super::{s, said, table};
use crate::text::Say as _;

table! {
    WebText;
    SearchTitle: [WebText::SearchTitle { query: s("rust") }],
    AskTitle: [WebText::AskTitle { question: s("why") }],
    Sources: [WebText::Sources],
    NothingFound: [WebText::NothingFound { query: s("rust") }],
    Results: [WebText::Results { n: 2, scope: s("web pages") }, WebText::Results { n: 1, scope: s("web pages") }],
    Credits: [WebText::Credits { left: 97 }],
    ByReader: [WebText::ByReader],
    Cut: [WebText::Cut { kilobytes: 30 }],
    NoSuchScope: [WebText::NoSuchScope { got: s("moon") }],
    QueryTooLong: [WebText::QueryTooLong { max: 5 }],
    Webpages: [WebText::Webpages],
    Papers: [WebText::Papers],
    Documents: [WebText::Documents],
    Videos: [WebText::Videos],
    Podcasts: [WebText::Podcasts],
    NoKey: [WebText::NoKey],
    BadKey: [WebText::BadKey],
    Exhausted: [WebText::Exhausted],
    TooFast: [WebText::TooFast],
    ServiceRefused: [WebText::ServiceRefused { why: s("no such page") }],
    ServiceFailed: [WebText::ServiceFailed { status: 404 }],
    ServiceAway: [WebText::ServiceAway],
    ServiceUnclear: [WebText::ServiceUnclear],
    BadUrl: [WebText::BadUrl { url: s("htp:/x") }],
    BadScheme: [WebText::BadScheme { scheme: s("ftp") }],
    Credentials: [WebText::Credentials],
    Private: [WebText::Private { host: s("10.0.0.1") }],
    NoSuchHost: [WebText::NoSuchHost { host: s("10.0.0.1") }],
    Unreachable: [WebText::Unreachable { host: s("10.0.0.1") }],
    TooSlow: [WebText::TooSlow { seconds: 75 }, WebText::TooSlow { seconds: 7_200 }],
    TooManyRedirects: [WebText::TooManyRedirects { max: 5 }],
    Status: [
        WebText::Status { status: 302 },
        WebText::Status { status: 400 },
        WebText::Status { status: 401 },
        WebText::Status { status: 403 },
        WebText::Status { status: 404 },
        WebText::Status { status: 429 },
        WebText::Status { status: 500 },
    ],
    NotText: [WebText::NotText { kind: s("application/pdf") }],
    Packed: [WebText::Packed { how: s("zstd") }],
    Broken: [WebText::Broken { host: s("example.org") }],
    Empty: [WebText::Empty],
    TooHard: [WebText::TooHard],
    Busy: [WebText::Busy],
}

#[test]
fn each_in_chinese() {
    insta::assert_snapshot!(said(rows(), row_of, WebText::zh), @"
    SearchTitle: 搜索：rust
    AskTitle: 问答：why
    Sources: 来源
    NothingFound: 没有找到与“rust”有关的结果。换个说法，或用 --in 换一个范围再试。
    Results: 2 条结果 · web pages
    Results: 1 条结果 · web pages
    Credits: 剩余额度 97
    ByReader: 由秘塔阅读器读取
    Cut: （内容较长，这里只显示前 30 KB）
    NoSuchScope: 没有“moon”这个范围。可选：webpage、paper、document、video、podcast。
    QueryTooLong: 太长了：最多 5 个字。请缩短后再试。
    Webpages: 网页
    Papers: 学术论文
    Documents: 文库
    Videos: 视频
    Podcasts: 播客
    NoKey: 这台机器还没有配置搜索。请在它的配置文件里设置 METASO_API_KEY（密钥在 metaso.cn 申请），然后重新启动。其他功能不受影响。
    BadKey: 搜索服务不接受这个密钥。请检查 METASO_API_KEY，然后重新启动。
    Exhausted: 搜索服务今天的额度已用完，明天再试，或为账户充值。
    TooFast: 搜索服务说请求太频繁，请稍等一会儿再试。
    ServiceRefused: 搜索服务拒绝了这个请求：no such page
    ServiceFailed: 搜索服务出错了（HTTP 404），请稍后再试。
    ServiceAway: 连不上搜索服务，或它太久没有回答。请稍后再试。
    ServiceUnclear: 搜索服务的回答无法读懂，请稍后再试。
    BadUrl: “htp:/x”不是网址。请写成 https://example.com/page 这样。
    BadScheme: 只能读取 http 和 https 的网址，不能读取 ftp。
    Credentials: 网址里带有用户名或密码，不读取。请去掉后再试。
    Private: 10.0.0.1 是这台机器或其内部网络的地址，不读取。只能读取公网上的网页。
    NoSuchHost: 找不到 10.0.0.1 这个网站。请检查网址。
    Unreachable: 连不上 10.0.0.1。请检查网址，或稍后再试。
    TooSlow: 网页太慢：75 秒内没有读完，已放弃。请稍后再试。
    TooSlow: 网页太慢：7200 秒内没有读完，已放弃。请稍后再试。
    TooManyRedirects: 网页一再跳转（超过 5 次），已放弃。请直接写出最后的网址。
    Status: 网页要跳转，却没有说明跳到哪里（HTTP 302）。请换一个网址。
    Status: 网页回答了错误（HTTP 400）。请检查网址。
    Status: 这个网页不让读取（HTTP 401）：可能需要登录，或不接受程序访问。请在浏览器里打开。
    Status: 这个网页不让读取（HTTP 403）：可能需要登录，或不接受程序访问。请在浏览器里打开。
    Status: 没有这个网页（HTTP 404）。请检查网址。
    Status: 网站说请求太频繁（HTTP 429）。请过几分钟再试。
    Status: 网站自己出了问题（HTTP 500）。请稍后再试。
    NotText: 这不是网页，也不是文字（application/pdf），无法读取。可以用 /shell 下载它。
    Packed: 网站用 zstd 压缩了网页，这里不能解压，无法读取。请在浏览器里打开。
    Broken: example.org 的回答中途断开，或者不是网页。请稍后再试。
    Empty: 页面上没有可读的文字（可能要在浏览器里运行才显示）。
    TooHard: 这个页面太复杂，没能整理成文字。请在浏览器里打开。
    Busy: 正在读取的网页太多，请稍等一会儿再试。
    ");
}

#[test]
fn each_in_english() {
    insta::assert_snapshot!(said(rows(), row_of, WebText::en), @"
    SearchTitle: Search: rust
    AskTitle: Answer: why
    Sources: Sources
    NothingFound: Nothing was found for “rust”. Try other words, or another place with --in.
    Results: 2 results · web pages
    Results: 1 result · web pages
    Credits: 97 credits left
    ByReader: read by Metaso's reader
    Cut: (This is long; only its first 30 KB are shown.)
    NoSuchScope: There is no “moon” to search in. Choose webpage, paper, document, video or podcast.
    QueryTooLong: That is too long: 5 characters at most. Make it shorter and try again.
    Webpages: web pages
    Papers: papers
    Documents: documents
    Videos: videos
    Podcasts: podcasts
    NoKey: Searching is not set up on this machine. Set METASO_API_KEY in its configuration file (keys come from metaso.cn) and restart it. Everything else works.
    BadKey: The search service does not accept the key. Check METASO_API_KEY, then restart.
    Exhausted: No searches are left on the service's account for today. Try tomorrow, or top it up.
    TooFast: The search service is asked too often. Wait a moment, then try again.
    ServiceRefused: The search service refused this request: no such page
    ServiceFailed: The search service failed (HTTP 404). Try again later.
    ServiceAway: The search service cannot be reached, or was silent for too long. Try again later.
    ServiceUnclear: The search service's answer cannot be read. Try again later.
    BadUrl: “htp:/x” is no web address. Write it like https://example.com/page.
    BadScheme: Only http and https addresses can be read, not ftp.
    Credentials: The address holds a name or password, so it is not read. Leave that out and try again.
    Private: 10.0.0.1 is an address of this machine or of its own network, so it is not read. Only pages of the public internet are.
    NoSuchHost: There is no site 10.0.0.1. Check the address.
    Unreachable: 10.0.0.1 cannot be reached. Check the address, or try again later.
    TooSlow: The page is too slow: it did not come within 75 seconds and was given up. Try again later.
    TooSlow: The page is too slow: it did not come within 7200 seconds and was given up. Try again later.
    TooManyRedirects: The page leads from one address to the next (more than 5); given up. Give the last address itself.
    Status: The page leads elsewhere without saying where (HTTP 302). Try another address.
    Status: The page answered with an error (HTTP 400). Check the address.
    Status: The page does not let itself be read (HTTP 401): it may want a login, or no programs. Open it in a browser.
    Status: The page does not let itself be read (HTTP 403): it may want a login, or no programs. Open it in a browser.
    Status: There is no such page (HTTP 404). Check the address.
    Status: The site says that it is asked too often (HTTP 429). Try again in some minutes.
    Status: The site has trouble of its own (HTTP 500). Try again later.
    NotText: That is neither a page nor a text (application/pdf), so it cannot be read here. /shell can download it.
    Packed: The site compressed the page with zstd, which is not unpacked here, so it cannot be read. Open it in a browser.
    Broken: example.org broke off in the middle of its answer, or what it sent is no web page. Try again later.
    Empty: There is no text to read on this page (it may need a browser to show any).
    TooHard: This page is too complicated to be made into text. Open it in a browser.
    Busy: Too many pages are being read at once. Wait a moment, then try again.
    ");
}
