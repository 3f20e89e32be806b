//! Reading pages.

use std::time::{Duration, Instant};

use super::site::{Reply, Site};
use crate::web::fetch::Bounds;
use crate::web::policy::Policy;
use crate::web::{MAX_TEXT, Web};
use common::text::host::web::WebText;

/// As long as slow machines need.
pub(super) const PATIENT: Bounds = Bounds {
    time: Duration::from_secs(120),
    connect: Duration::from_secs(60),
    ..Bounds::PRODUCT
};
/// Two seconds in place of twenty.
const SHORT: Bounds = Bounds {
    time: Duration::from_secs(2),
    ..Bounds::PRODUCT
};

fn web(policy: Policy, bounds: Bounds) -> Web {
    Web::within(None, policy, bounds).unwrap()
}

/// Reaches this server by its address and by `site.test`, and no other private one.
pub(super) fn reaching(site: &Site, bounds: Bounds) -> Web {
    let names = [
        ("site.test", &["127.0.0.1"][..]),
        ("inside.test", &["169.254.169.254"][..]),
        ("turncoat.test", &["127.0.0.1", "10.0.0.1"][..]),
    ];
    web(Policy::with(&names, &[site.at]), bounds)
}

pub(super) fn html(body: &str) -> Reply {
    Reply::Page(
        "Content-Type: text/html; charset=utf-8\r\n".into(),
        body.into(),
    )
}

fn article(words: &str) -> String {
    let text = format!(
        "<p>{words} {}</p>",
        "It has many words, and some commas, as articles have. ".repeat(12)
    );
    format!(
        "<html><head><title>The title</title></head><body><nav><a href='/'>Home</a></nav><article><h2>Part</h2>{text}{text}<ul><li>one</li></ul></article><script>alert(1)</script></body></html>"
    )
}

#[tokio::test]
async fn an_article_becomes_markdown() {
    let site = Site::start(|path| match path {
        "/go" => Reply::To("/article?x=1".into()),
        _ => html(&article("<a href='/more'>more</a> and <b>bold</b>")),
    })
    .await;
    let page = reaching(&site, SHORT).read(&site.url("/go")).await.unwrap();
    assert_eq!(page.url, site.url("/article?x=1"));
    assert_eq!(page.title, "The title");
    assert!(page.text.contains("## Part"), "{}", page.text);
    assert!(
        page.text
            .contains(&format!("[more]({})", site.url("/more"))),
        "{}",
        page.text
    );
    assert!(!page.text.contains("alert") && !page.cut && !page.by_reader);
    assert_eq!(site.asked(), 2);
}

#[tokio::test]
async fn what_only_this_machine_may_reach_is_refused_without_a_request() {
    let site = Site::start(|_| html("secret")).await;
    let web = web(
        Policy::with(&[("inside.test", &["127.0.0.1", "fd00::1"])], &[]),
        SHORT,
    );
    let port = site.at.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://inside.test:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let refused = web.read(&url).await;
        assert!(
            matches!(refused, Err(WebText::Private { .. })),
            "{url}: {refused:?}"
        );
    }
    assert_eq!(site.asked(), 0);
}

#[tokio::test]
async fn a_redirect_leads_to_no_private_address_either() {
    let site = Site::start(|path| {
        Reply::To(
            match path {
                "/loopback" => "http://127.0.0.1:1/",
                "/v6" => "http://[::1]/",
                "/cloud" => "http://169.254.169.254/latest/",
                "/name" => "http://inside.test/",
                "/relative" => "//2130706433/",
                "/file" => "file:///etc/passwd",
                "/login" => "http://me:pw@example.org/",
                _ => "http://[broken",
            }
            .into(),
        )
    })
    .await;
    let web = reaching(&site, SHORT);
    for path in ["/loopback", "/v6", "/cloud", "/name", "/relative"] {
        let refused = web.read(&site.url(path)).await;
        assert!(
            matches!(refused, Err(WebText::Private { .. })),
            "{path}: {refused:?}"
        );
    }
    let file = web.read(&site.url("/file")).await;
    assert_eq!(
        file,
        Err(WebText::BadScheme {
            scheme: "file".into()
        })
    );
    assert_eq!(
        web.read(&site.url("/login")).await,
        Err(WebText::Credentials)
    );
    assert!(matches!(
        web.read(&site.url("/x")).await,
        Err(WebText::BadUrl { .. })
    ));
}

#[tokio::test]
async fn a_name_is_connected_to_at_its_public_addresses_only() {
    let site = Site::start(|_| html(&article("by name"))).await;
    let web = reaching(&site, SHORT);
    let port = site.at.port();
    // The test's server counts as public; 10.0.0.1 beside it is dropped and never tried.
    for name in ["site.test", "turncoat.test", "SITE.test"] {
        let page = web.read(&format!("http://{name}:{port}/")).await.unwrap();
        assert!(page.text.contains("by name"));
    }
    let host = "nowhere.test".to_owned();
    let unknown = web.read("http://nowhere.test/").await;
    assert_eq!(unknown, Err(WebText::NoSuchHost { host }));
}

#[tokio::test]
async fn redirects_end_somewhere() {
    let site = Site::start(|_| Reply::To("/again".into())).await;
    let looped = reaching(&site, SHORT).read(&site.url("/")).await;
    assert_eq!(looped, Err(WebText::TooManyRedirects { max: 5 }));
    assert_eq!(site.asked(), 6);
}

#[tokio::test]
async fn ten_gigabytes_are_cut() {
    let ten = 10_u64 * 1024 * 1024 * 1024;
    let headers = format!("Content-Type: text/plain\r\nContent-Length: {ten}\r\n");
    let site =
        Site::start(move |_| Reply::Endless(headers.clone(), Vec::new(), b"word \n".to_vec()))
            .await;
    let bounds = Bounds {
        time: Duration::from_secs(20),
        ..Bounds::PRODUCT
    };
    let page = reaching(&site, bounds).read(&site.url("/")).await.unwrap();
    assert!(page.cut && page.text.len() <= MAX_TEXT);
    // What the system's buffers hold goes out all the same.
    assert!(site.sent() < 40 * 1024 * 1024, "{}", site.sent());
}

#[tokio::test]
async fn a_page_that_drips_or_says_nothing_is_given_up() {
    let site = Site::start(|path| match path {
        "/drip" => Reply::Drip(Duration::from_secs(1)),
        _ => Reply::Silent,
    })
    .await;
    let web = reaching(&site, SHORT);
    for path in ["/drip", "/silent"] {
        let since = Instant::now();
        let slow = web.read(&site.url(path)).await;
        assert_eq!(slow, Err(WebText::TooSlow { seconds: 2 }), "{path}");
        assert!(since.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn pages_that_are_built_to_hurt_are_told() {
    let deep = "<div>".repeat(200_000);
    let sly = "<div></x>".repeat(50_000);
    let formats = "<b><i>".repeat(20_000);
    let tables = "<table><td>".repeat(20_000);
    let wide = "<p>a</p>".repeat(200_000);
    let site = Site::start(move |path| {
        html(match path {
            "/deep" => &deep,
            "/sly" => &sly,
            "/formats" => &formats,
            "/tables" => &tables,
            _ => &wide,
        })
    })
    .await;
    let bounds = Bounds {
        time: Duration::from_secs(20),
        ..Bounds::PRODUCT
    };
    let web = reaching(&site, bounds);
    for path in ["/deep", "/sly", "/formats", "/tables", "/wide"] {
        let outcome = web.read(&site.url(path)).await;
        assert!(
            matches!(outcome, Err(WebText::TooHard | WebText::Empty) | Ok(_)),
            "{path}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_text_is_told() {
    let site = Site::start(|path| {
        let page = |kind: &str| Reply::Page(format!("Content-Type: {kind}\r\n"), vec![1, 2, 0, 3]);
        match path {
            "/pdf" => page("application/pdf"),
            "/image" => page("image/png"),
            "/lie" => page("text/plain"),
            "/bytes" => page("application/octet-stream"),
            "/empty" => html("<html><body><script>render()</script></body></html>"),
            _ => Reply::Status(404),
        }
    })
    .await;
    let web = reaching(&site, SHORT);
    for (path, kind) in [
        ("/pdf", "application/pdf"),
        ("/image", "image/png"),
        ("/lie", "application/octet-stream"),
        ("/bytes", "application/octet-stream"),
    ] {
        let kind = kind.to_owned();
        let told = web.read(&site.url(path)).await;
        assert_eq!(told, Err(WebText::NotText { kind }), "{path}");
    }
    assert_eq!(web.read(&site.url("/empty")).await, Err(WebText::Empty));
    assert_eq!(
        web.read(&site.url("/gone")).await,
        Err(WebText::Status { status: 404 })
    );
}
