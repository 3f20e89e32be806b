//! The gateway dies while somebody has the page open, which finds it again by itself.

use std::time::{Duration, Instant};

use kit::browser::Browser;

use super::stage::{ASKS, EVERY, ROW, Role, Stage};
use crate::world::LONG;

/// After this long without a sign it is pressed again.
const PATIENCE: Duration = Duration::from_secs(4);
/// On two stages, as a new gateway waits for what the dead one had in hand. What is written: the
/// message, the card of the turn, the question, what rings, the question answered, the turn done.
pub(super) const PAGE: [[&str; 3]; 2] = [
    [
        "gateway.page.act.stored",
        "gateway.page.written",
        "gateway.page.writing@2",
    ],
    [
        "gateway.act.stored@2",
        "gateway.page.writing",
        "gateway.page.written@6",
    ],
];

#[tokio::test(flavor = "multi_thread")]
async fn with_the_page_open() {
    let each = PAGE.map(|points| {
        tokio::spawn(async move {
            let mut stage = Stage::start().await;
            stage.leaves_sessions();
            let browser = Browser::start().await;
            browser.open(&stage.link()).await;
            // The gateway dies, and not before all of the page is there.
            connected(&browser).await;
            for at in points {
                turn(&mut stage, &browser, at).await;
            }
            stage.curtain().await;
        })
    });
    for one in each {
        one.await.unwrap();
    }
}

/// One message with a question and an answer, in a session of its own.
async fn turn(stage: &mut Stage, browser: &Browser, at: &str) {
    let mut job = stage.job(at, None, ASKS);
    stage.is_not_in_the_chat(&mut job);
    stage.arm(Role::Gateway, at).await;
    connected(browser).await;
    let text = format!("/new {} please do {}", job.folder, job.prompt);
    browser.fill("textarea", &text).await;
    browser.press("Enter").await;
    let deadline = Instant::now() + ROW;
    let mut pressed: Option<Instant> = None;
    let mut has_died = false;
    loop {
        if !has_died && stage.has_died(Role::Gateway, at) {
            stage.comes_back(Role::Gateway).await;
            has_died = true;
        }
        if has_died && over(browser, &job.answer).await {
            break;
        }
        stage.in_time(deadline, at, "it never came to an end on the page");
        let due = pressed.is_none_or(|at| at.elapsed() >= PATIENCE);
        if due && press(browser, "Allow once").await {
            pressed = Some(Instant::now());
        }
        tokio::time::sleep(EVERY).await;
    }
    // What the page shows from now on is what was kept, and not what it remembers.
    browser
        .eval("void (window.old = true, location.reload())")
        .await;
    browser.wait_for("!window.old", LONG).await;
    connected(browser).await;
    while !over(browser, &job.answer).await {
        stage.in_time(deadline, at, "the page does not show it any more");
        tokio::time::sleep(EVERY).await;
    }
    assert_eq!(
        count(browser, ".card", &job.answer).await,
        1,
        "{at}: answers"
    );
    let mine = format!("please do {}", job.prompt);
    assert_eq!(count(browser, ".mine", &mine).await, 1, "{at}: own words");
    stage.check(&job);
}

async fn connected(browser: &Browser) {
    let says = "document.body.innerText.includes('Connected')";
    browser.wait_for(says, LONG).await;
}

/// How many of these elements show it.
async fn count(browser: &Browser, css: &str, text: &str) -> u64 {
    let text = serde_json::to_string(text).unwrap();
    let all = format!("[...document.querySelectorAll('{css}')]");
    let found = browser
        .eval(&format!(
            "{all}.filter(one => one.innerText.includes({text})).length"
        ))
        .await;
    found.as_u64().unwrap()
}

/// Whether a card shows it and has no more buttons.
async fn over(browser: &Browser, text: &str) -> bool {
    let text = serde_json::to_string(text).unwrap();
    let all = "[...document.querySelectorAll('.card')]";
    let done = format!("one.innerText.includes({text}) && !one.querySelector('button')");
    let found = browser.eval(&format!("{all}.some(one => {done})")).await;
    found.as_bool().unwrap()
}

/// Presses a button, if there is one.
async fn press(browser: &Browser, label: &str) -> bool {
    let label = serde_json::to_string(label).unwrap();
    let find = format!(
        "[...document.querySelectorAll('button')].find(b => b.innerText.trim() === {label} && !b.disabled)"
    );
    let found = browser
        .eval(&format!("(b => b ? (b.click(), true) : false)({find})"))
        .await;
    found.as_bool().unwrap()
}
