//! The page in a real browser: the printed link, a session, a question with its buttons, the
//! answer, and what came while the page was closed.

use std::time::Duration;

use kit::browser::Browser;

use crate::world::{LONG, World};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_link_to_a_file_made_by_claude() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let browser = Browser::start().await;
    browser.set_viewport(390, 844, true).await;
    browser.open(&phonework.link()).await;
    say(&browser, "/new demo").await;
    shows(&browser, "is ready").await;
    world.model.queue(CREATES);
    say(&browser, "create hello.txt with hi").await;
    shows(&browser, "May I use Write").await;
    picture(&browser, "page-question").await;
    press(&browser, "Allow once").await;
    shows(&browser, "I have created").await;
    picture(&browser, "page").await;
    browser.dark(true).await;
    picture(&browser, "page-dark").await;
    browser.dark(false).await;
    let text = std::fs::read_to_string(world.work().join("demo/hello.txt")).unwrap();
    assert_eq!(text, "hi");
    assert_eq!(browser.errors(), Vec::<String>::new());

    // What comes while nobody looks is there on return, once.
    let home = browser.eval("location.origin").await;
    say(&browser, "fake: hold away came-meanwhile").await;
    world.model.waiting("away").await;
    browser.open("about:blank").await;
    world.model.release("away");
    browser.open(home.as_str().unwrap()).await;
    shows(&browser, "came-meanwhile").await;
    shows(&browser, "I have created").await;
}

/// What the model does when it is asked for the file.
const CREATES: &str = r#"tool Write {"file_path":"hello.txt","content":"hi"} ;; text I have created **hello.txt** with the text `hi`."#;

/// Pictures for the README, on request only: `make pictures`.
async fn picture(browser: &Browser, name: &str) {
    if let Some(dir) = std::env::var_os("PICTURES") {
        let dir = std::path::PathBuf::from(dir);
        std::fs::create_dir_all(&dir).unwrap();
        // After the fade-in and the scroll that follow a new card.
        browser
            .wait_for("document.getAnimations().every(a => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)", LONG)
            .await;
        browser.screenshot(dir.join(format!("{name}.png"))).await;
    }
}

async fn say(browser: &Browser, text: &str) {
    browser
        .wait_for("document.body.innerText.includes('Connected')", LONG)
        .await;
    browser.fill("textarea", text).await;
    browser.press("Enter").await;
}

/// Waits until a card shows it; what the person wrote does not count.
async fn shows(browser: &Browser, text: &str) {
    let text = serde_json::to_string(text).unwrap();
    let cards = "[...document.querySelectorAll('.card')]";
    browser
        .wait_for(
            &format!("{cards}.some(card => card.innerText.includes({text}))"),
            LONG,
        )
        .await;
}

async fn press(browser: &Browser, label: &str) {
    let label = serde_json::to_string(label).unwrap();
    let find = format!(
        "[...document.querySelectorAll('button')].find(b => b.innerText.trim() === {label} && !b.disabled)"
    );
    browser
        .wait_for(&format!("!!{find}"), Duration::from_secs(20))
        .await;
    browser.eval(&format!("{find}.click()")).await;
}
