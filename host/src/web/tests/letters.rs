//! In whose letters a page may be written, whatever its server says.

use super::pages::{PATIENT, reaching};
use super::site::{Reply, Site};
use crate::web::fetch::Bounds;

#[tokio::test]
async fn letters_of_all_kinds_are_read() {
    let gbk = encoding_rs::GBK.encode("<html><head><meta charset=gbk><title>标题</title></head><body><p>中文内容</p></body></html>").0.into_owned();
    let plain = encoding_rs::GBK.encode("没有说明的中文").0.into_owned();
    let big5 = encoding_rs::BIG5.encode("繁體").0.into_owned();
    let site = Site::start(move |path| {
        let page = |kind: &str, body: &[u8]| {
            Reply::Page(format!("Content-Type: {kind}\r\n"), body.to_vec())
        };
        match path {
            "/meta" => page("text/html", &gbk),
            "/guess" => page("text/plain", &plain),
            "/big5" => page("text/plain; charset=\"Big5\"", &big5),
            "/utf16" => page("text/plain", &[0xff, 0xfe, b'h', 0, b'i', 0]),
            "/bom" => page("text/plain", "\u{feff}hi".as_bytes()),
            "/json" => page("application/json", br#"{"a": 1}"#),
            "/feed" => page("application/rss+xml", b"<rss/>"),
            "/none" => Reply::Page(
                String::new(),
                b"<!doctype html><title>x</title><p>found out".to_vec(),
            ),
            _ => Reply::Page(String::new(), "just text 好".into()),
        }
    })
    .await;
    let web = reaching(&site, PATIENT);
    let mut texts = Vec::new();
    for path in [
        "/meta", "/guess", "/big5", "/utf16", "/bom", "/json", "/feed", "/none", "/text",
    ] {
        let page = web.read(&site.url(path)).await.unwrap();
        texts.push(format!("{path}: {} {}", page.title, page.text.trim()));
    }
    insta::assert_snapshot!(texts.join("\n"), @r#"
    /meta: 标题 中文内容
    /guess:  没有说明的中文
    /big5:  繁體
    /utf16:  hi
    /bom:  hi
    /json:  {"a": 1}
    /feed:  <rss/>
    /none: x found out
    /text:  just text 好
    "#);
}

#[tokio::test]
async fn what_a_server_says_counts_where_the_bytes_agree() {
    const CHINESE: &str = "<html><head>META<title>标题</title></head><body><p>这是一段中文内容，有标点。</p></body></html>";
    let gbk = |meta: &str| {
        let page = CHINESE.replace("META", meta);
        encoding_rs::GBK.encode(&page).0.into_owned()
    };
    let utf8 = |meta: &str| CHINESE.replace("META", meta).into_bytes();
    let long = encoding_rs::GBK.encode(&"字".repeat(9_000)).0.into_owned();
    let utf16: Vec<u8> = "没有记号"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let pages = [
        ("/gbk-as-utf8", "text/html; charset=utf-8", gbk("")),
        (
            "/gbk-as-latin",
            "text/html; charset=ISO-8859-1",
            gbk("<meta charset=gbk>"),
        ),
        ("/gbk-unknown-set", "text/html; charset=x-nonsense", gbk("")),
        ("/gbk-bare", "text/html", gbk("")),
        (
            "/gbk-behind-a-script",
            "text/html",
            gbk("<script charset=\"utf-8\"></script><meta charset=gb2312>"),
        ),
        ("/utf8-as-gbk", "text/html; charset=gbk", utf8("")),
        ("/utf8-as-latin", "text/html; charset=ISO-8859-1", utf8("")),
        ("/utf8-meta-gbk", "text/html", utf8("<meta charset=gb2312>")),
        ("/utf16-without-mark", "text/plain; charset=utf-16le", utf16),
        ("/long", "text/plain", long),
    ];
    let names: Vec<&str> = pages.iter().map(|(path, _, _)| *path).collect();
    let site = Site::start(move |path| {
        let page = pages.iter().find(|(name, _, _)| *name == path).unwrap();
        Reply::Page(format!("Content-Type: {}\r\n", page.1), page.2.clone())
    })
    .await;
    // Cut within a character.
    let bounds = Bounds {
        body: 10_001,
        ..PATIENT
    };
    let web = reaching(&site, bounds);
    let mut texts = Vec::new();
    for path in names {
        let page = web.read(&site.url(path)).await.unwrap();
        let text: String = page.text.trim().chars().take(20).collect();
        texts.push(format!("{path}: {} {text}", page.title));
    }
    insta::assert_snapshot!(texts.join("\n"), @"
    /gbk-as-utf8: 标题 这是一段中文内容，有标点。
    /gbk-as-latin: 标题 这是一段中文内容，有标点。
    /gbk-unknown-set: 标题 这是一段中文内容，有标点。
    /gbk-bare: 标题 这是一段中文内容，有标点。
    /gbk-behind-a-script: 标题 这是一段中文内容，有标点。
    /utf8-as-gbk: 标题 这是一段中文内容，有标点。
    /utf8-as-latin: 标题 这是一段中文内容，有标点。
    /utf8-meta-gbk: 标题 这是一段中文内容，有标点。
    /utf16-without-mark:  没有记号
    /long:  字字字字字字字字字字字字字字字字字字字字
    ");
}
