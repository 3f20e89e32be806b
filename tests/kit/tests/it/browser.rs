//! The browser against a small page.

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use kit::browser::Browser;
use serde_json::json;

const SOON: Duration = Duration::from_secs(10);
const PAGE: &str = r#"<!doctype html><link rel="icon" href="data:,"><title>Small page</title>
<meta name="viewport" content="width=device-width">
<style>body { color: rgb(1,1,1) } @media (prefers-color-scheme: dark) { body { color: rgb(9,9,9) } }
#low { position: absolute; top: 3000px }</style>
<form id="form"><input id="name" value="old"><button>Go</button></form>
<p id="said"></p>
<button id="late" disabled onclick="document.title = 'clicked'">Late</button>
<button id="low" onclick="document.title = 'low'">Low</button>
<script>
form.onsubmit = event => { event.preventDefault(); said.textContent = 'hello ' + name_.value }
const name_ = document.getElementById('name')
setTimeout(() => late.disabled = false, 200)
document.onkeydown = event => { if (event.key === 'Escape') said.textContent = 'escaped' }
</script>"#;

async fn open() -> Browser {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let app = Router::new().route("/", get(|| async { Html(PAGE) }));
    tokio::spawn(axum::serve(listener, app).into_future());
    let browser = Browser::start().await;
    browser.open(&url).await;
    browser
}

#[tokio::test]
async fn reads_fills_clicks_and_presses() {
    let browser = open().await;
    assert_eq!(browser.eval("document.title").await, "Small page");
    assert_eq!(
        browser.eval("Promise.resolve({a: [1]})").await,
        json!({"a": [1]})
    );
    browser.fill("#name", "小明 & co").await;
    browser.click("#form button").await;
    assert_eq!(browser.text("#said").await, "hello 小明 & co");
    browser.fill("#name", "").await;
    browser.press("x").await;
    browser.press("Enter").await;
    assert_eq!(browser.text("#said").await, "hello x");
    browser.press("Escape").await;
    assert_eq!(browser.text("#said").await, "escaped");
    browser.click("#late").await;
    browser.wait_for("document.title === 'clicked'", SOON).await;
    browser.click("#low").await;
    assert_eq!(browser.eval("document.title").await, "low");
}

#[tokio::test]
async fn is_a_telephone_or_a_desk_by_day_or_by_night() {
    let browser = open().await;
    browser.set_viewport(390, 844, true).await;
    browser
        .wait_for("innerWidth === 390 && devicePixelRatio === 2", SOON)
        .await;
    browser
        .wait_for("matchMedia('(pointer: coarse)').matches", SOON)
        .await;
    browser.set_viewport(1200, 800, false).await;
    browser
        .wait_for("innerWidth === 1200 && devicePixelRatio === 1", SOON)
        .await;
    let color = "getComputedStyle(document.body).color";
    browser.dark(true).await;
    assert_eq!(browser.eval(color).await, "rgb(9, 9, 9)");
    browser.dark(false).await;
    assert_eq!(browser.eval(color).await, "rgb(1, 1, 1)");
    let folder = tempfile::tempdir().unwrap();
    let shot = folder.path().join("new/shot.png");
    browser.screenshot(&shot).await;
    let png = std::fs::read(shot).unwrap();
    assert_eq!(&png[..4], b"\x89PNG");
    // The size stands in the header of a PNG.
    assert_eq!(
        png[16..24],
        [1200_u32.to_be_bytes(), 800_u32.to_be_bytes()].concat()
    );
}

#[tokio::test]
async fn collects_what_the_page_complains_about() {
    let browser = open().await;
    assert_eq!(browser.errors(), Vec::<String>::new());
    browser
        .eval("console.error('bad', 7), setTimeout(() => { throw new Error('worse') }), 0")
        .await;
    browser
        .eval("fetch('/nothing-here').then(answer => answer.status)")
        .await;
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let errors = browser.errors().join("\n");
        if ["bad 7", "Error: worse", "/nothing-here"]
            .iter()
            .all(|word| errors.contains(word))
        {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{errors}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
#[should_panic(expected = "no-such-thing")]
async fn says_what_it_waited_for() {
    let browser = open().await;
    browser
        .wait_for(
            "document.querySelector('no-such-thing')",
            Duration::from_millis(100),
        )
        .await;
}

#[tokio::test]
async fn leaves_no_processes() {
    let browser = open().await;
    // A page has processes of its own besides the one that was started.
    let version = browser.eval("navigator.userAgent").await;
    assert!(version.as_str().unwrap().contains("Chrome"), "{version}");
    let group = browser.process_group();
    assert!(rustix::process::test_kill_process_group(group).is_ok());
    drop(browser);
    assert!(
        rustix::process::test_kill_process_group(group).is_err(),
        "some process is left"
    );
}
