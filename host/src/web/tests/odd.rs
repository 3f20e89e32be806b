//! Servers that answer with something else than a page, or not to the end: each has its words, in both
//! languages.

use common::text::Say as _;
use common::text::host::web::WebText;

use super::pages::{PATIENT, html, reaching};
use super::site::{Reply, Site};

#[tokio::test]
async fn each_odd_answer_has_its_words() {
    let site = Site::start(|path| {
        let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
        let status: Option<u16> = path.trim_start_matches('/').parse().ok();
        match (path, status) {
            (_, Some(status)) => Reply::Status(status),
            ("/loop", _) => Reply::To("/loop".into()),
            ("/chain", _) => Reply::To("/chain/2".into()),
            ("/chain/2", _) => Reply::To("chain/3".into()),
            ("/ftp", _) => Reply::To("ftp://example.org/x".into()),
            ("/gopher", _) => Reply::To("gopher://example.org/x".into()),
            ("/data", _) => Reply::To("data:text/html,hi".into()),
            ("/script", _) => Reply::To("javascript:alert(1)".into()),
            ("/headers", _) => Reply::Headers,
            ("/garbage", _) => raw("SSH-2.0-OpenSSH_9.9\r\n"),
            ("/nothing", _) => raw(""),
            ("/half", _) => {
                raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<p>")
            }
            ("/length", _) => {
                raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx")
            }
            ("/lengths", _) => {
                raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy")
            }
            _ => html("<p>found"),
        }
    })
    .await;
    let web = reaching(&site, PATIENT);
    let mut told = Vec::new();
    for path in [
        "/204", "/205", "/302", "/304", "/400", "/401", "/403", "/404", "/418", "/429", "/500",
        "/503", "/loop", "/ftp", "/gopher", "/data", "/script", "/headers", "/garbage", "/nothing",
        "/half", "/length", "/lengths",
    ] {
        match web.read(&site.url(path)).await {
            Ok(page) => panic!("{path}: {page:?}"),
            Err(why) => told.push(format!("{path}\n{}\n{}", why.zh(), why.en())),
        }
    }
    // Endless headers are left long before they would end.
    assert!(site.sent() < 40 * 1024 * 1024, "{}", site.sent());
    insta::assert_snapshot!(told.join("\n"), @"
    /204
    页面上没有可读的文字（可能要在浏览器里运行才显示）。
    There is no text to read on this page (it may need a browser to show any).
    /205
    页面上没有可读的文字（可能要在浏览器里运行才显示）。
    There is no text to read on this page (it may need a browser to show any).
    /302
    网页要跳转，却没有说明跳到哪里（HTTP 302）。请换一个网址。
    The page leads elsewhere without saying where (HTTP 302). Try another address.
    /304
    网页要跳转，却没有说明跳到哪里（HTTP 304）。请换一个网址。
    The page leads elsewhere without saying where (HTTP 304). Try another address.
    /400
    网页回答了错误（HTTP 400）。请检查网址。
    The page answered with an error (HTTP 400). Check the address.
    /401
    这个网页不让读取（HTTP 401）：可能需要登录，或不接受程序访问。请在浏览器里打开。
    The page does not let itself be read (HTTP 401): it may want a login, or no programs. Open it in a browser.
    /403
    这个网页不让读取（HTTP 403）：可能需要登录，或不接受程序访问。请在浏览器里打开。
    The page does not let itself be read (HTTP 403): it may want a login, or no programs. Open it in a browser.
    /404
    没有这个网页（HTTP 404）。请检查网址。
    There is no such page (HTTP 404). Check the address.
    /418
    网页回答了错误（HTTP 418）。请检查网址。
    The page answered with an error (HTTP 418). Check the address.
    /429
    网站说请求太频繁（HTTP 429）。请过几分钟再试。
    The site says that it is asked too often (HTTP 429). Try again in some minutes.
    /500
    网站自己出了问题（HTTP 500）。请稍后再试。
    The site has trouble of its own (HTTP 500). Try again later.
    /503
    网站自己出了问题（HTTP 503）。请稍后再试。
    The site has trouble of its own (HTTP 503). Try again later.
    /loop
    网页一再跳转（超过 5 次），已放弃。请直接写出最后的网址。
    The page leads from one address to the next (more than 5); given up. Give the last address itself.
    /ftp
    只能读取 http 和 https 的网址，不能读取 ftp。
    Only http and https addresses can be read, not ftp.
    /gopher
    只能读取 http 和 https 的网址，不能读取 gopher。
    Only http and https addresses can be read, not gopher.
    /data
    只能读取 http 和 https 的网址，不能读取 data。
    Only http and https addresses can be read, not data.
    /script
    只能读取 http 和 https 的网址，不能读取 javascript。
    Only http and https addresses can be read, not javascript.
    /headers
    127.0.0.1 的回答中途断开，或者不是网页。请稍后再试。
    127.0.0.1 broke off in the middle of its answer, or what it sent is no web page. Try again later.
    /garbage
    127.0.0.1 的回答中途断开，或者不是网页。请稍后再试。
    127.0.0.1 broke off in the middle of its answer, or what it sent is no web page. Try again later.
    /nothing
    127.0.0.1 的回答中途断开，或者不是网页。请稍后再试。
    127.0.0.1 broke off in the middle of its answer, or what it sent is no web page. Try again later.
    /half
    127.0.0.1 的回答中途断开，或者不是网页。请稍后再试。
    127.0.0.1 broke off in the middle of its answer, or what it sent is no web page. Try again later.
    /length
    127.0.0.1 的回答中途断开，或者不是网页。请稍后再试。
    127.0.0.1 broke off in the middle of its answer, or what it sent is no web page. Try again later.
    /lengths
    127.0.0.1 的回答中途断开，或者不是网页。请稍后再试。
    127.0.0.1 broke off in the middle of its answer, or what it sent is no web page. Try again later.
    ");
    assert!(web.read(&site.url("/chain")).await.is_ok());
    let gone = site.url("/").replace(&site.at.port().to_string(), "9");
    assert!(matches!(
        web.read(&gone).await,
        Err(WebText::Private { .. })
    ));
}
