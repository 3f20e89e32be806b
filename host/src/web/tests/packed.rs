//! Pages that come compressed, asked or not, and what is made to be large once it is unpacked.

use common::text::host::web::WebText;

use super::pages::{PATIENT, reaching};
use super::site::{Reply, Site};
use crate::web::MAX_TEXT;

/// `<html><head><title>t</title></head><body><p>压缩过的内容</p></body></html>`
const GZIP: &str = "1f8b0800000000000203b3c928c9cdb1b3c9484d4cb1b329c92cc949b52bb1d187306cf421c249f92995763605764ffbba9fef59f9627ffbf3592d4fdb5a9faedb69a35f00540591d7079b040021f5cc8e50000000";
const DEFLATE: &str = "789cb3c928c9cdb1b3c9484d4cb1b329c92cc949b52bb1d187306cf421c249f92995763605764ffbba9fef59f9627ffbf3592d4fdb5a9faedb69a35f00540591d7079b04001d4b21eb";
const BROTLI: &str = "1b4f0008ad8ec7e50fa7cc14d3bfe6f1a12b9fe73ce84db898faab0f1d3579e50b1a5cfab0b5c1061cb82498e8e00b6f3c6cc08144104cd387765e403b6881cb5ddd23861eb91a";
/// One block that never ends; each byte of nothing after it stands for a thousand letters.
const BOMB: &str = "edc18100000000c320d6f94b1ce45501";

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn head(kind: &str, how: &str) -> String {
    format!("Content-Type: {kind}\r\nContent-Encoding: {how}\r\n")
}

#[tokio::test]
async fn pages_are_unpacked() {
    let site = Site::start(|path| {
        let body = match path {
            "/gzip" => GZIP,
            "/deflate" => DEFLATE,
            _ => BROTLI,
        };
        Reply::Page(head("text/html", path.trim_start_matches('/')), bytes(body))
    })
    .await;
    let web = reaching(&site, PATIENT);
    for path in ["/gzip", "/deflate", "/br"] {
        let page = web.read(&site.url(path)).await.unwrap();
        assert_eq!(
            (page.title.as_str(), page.text.trim()),
            ("t", "压缩过的内容"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let site = Site::start(|path| {
        let (how, mark) = match path {
            "/gzip" => ("gzip", "1f8b0800000000000203"),
            _ => ("deflate", "78da"),
        };
        let first = bytes(&format!("{mark}{BOMB}"));
        Reply::Endless(head("text/plain", how), first, vec![0])
    })
    .await;
    let web = reaching(&site, PATIENT);
    for path in ["/gzip", "/deflate"] {
        let page = web.read(&site.url(path)).await.unwrap();
        assert!(
            page.cut && page.text.len() <= MAX_TEXT,
            "{path}: {}",
            page.text.len()
        );
        assert!(page.text.starts_with("aaaa"), "{path}");
        // What the system's buffers hold goes out all the same.
        assert!(site.sent() < 80 * 1024 * 1024, "{}", site.sent());
    }
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_told() {
    let site = Site::start(|path| {
        let gzip = bytes(GZIP);
        match path {
            "/zstd" => Reply::Page(head("text/html", "zstd"), gzip),
            "/twice" => Reply::Page(head("text/html", "gzip, gzip"), gzip),
            "/cut" => Reply::Page(head("text/html", "gzip"), gzip[..40].to_vec()),
            "/no-gzip" => Reply::Page(head("text/html", "gzip"), b"<html>plain".to_vec()),
            _ => Reply::Page(head("text/html", "identity"), b"<html><p>as it is".to_vec()),
        }
    })
    .await;
    let web = reaching(&site, PATIENT);
    for (path, how) in [("/zstd", "zstd"), ("/twice", "gzip, gzip")] {
        let how = how.to_owned();
        assert_eq!(
            web.read(&site.url(path)).await,
            Err(WebText::Packed { how })
        );
    }
    for path in ["/cut", "/no-gzip"] {
        let host = "127.0.0.1".to_owned();
        let told = web.read(&site.url(path)).await;
        assert_eq!(told, Err(WebText::Broken { host }), "{path}");
    }
    let page = web.read(&site.url("/identity")).await.unwrap();
    assert!(page.text.contains("as it is"));
}
