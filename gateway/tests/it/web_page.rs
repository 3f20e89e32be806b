//! The page in a real browser: what a person sees and does, on a screen and on a phone.

use std::path::PathBuf;

use common::ids::{CardId, UserId};
use common::message::inbound::InboundBody;
use common::message::outbound::Preview;
use common::message::view::{Action, Block, Button, ButtonStyle, Step, StepState, Tone, View};
use kit::browser::Browser;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Running, SOON, SetUp, Stage, card, direct, notice, view};

const ANSWER: &str = r#"I found the cause: the **retry loop** never resets `attempts`, so the *third* call fails.

## What I changed

1. `src/retry.rs`: reset the counter after a success
2. A test that fails without it
   - covers the `Timeout` case
   - and a ~~flaky~~ steady clock

- [x] tests pass
- [ ] changelog

| file | lines | result |
|:-----|------:|:------:|
| `src/retry.rs` | 12 | ok |
| `tests/retry.rs` | 48 | ok |

```rust
fn retry(&mut self) -> Result<(), Error> {
    self.attempts = 0; // a comment that is quite long, so that the line has to be scrolled on a phone
    Ok(())
}
```

> A quote of what the log said:
> second line

See [the docs](https://example.com/docs?a=1&b=2) or https://example.com/x_y_z.

<img src=x onerror="window.hacked = 1"> [no](javascript:window.hacked=1) <script>window.hacked = 1</script>
"#;

fn owner() -> UserId {
    "web/owner".parse().unwrap()
}

/// Where pictures of the page go, for whoever wants to look at it.
fn picture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("page")
        .join(name)
}

pub(crate) async fn open(gateway: &mut Running) -> Browser {
    let ready = gateway.ready().await;
    let browser = Browser::start().await;
    browser.set_viewport(1100, 850, false).await;
    browser.open(ready.link.expose_secret()).await;
    connected(&browser).await;
    browser
}

async fn connected(browser: &Browser) {
    let state = "document.querySelector('#state[data-state=connected]')";
    browser.wait_for(state, SOON).await;
}

pub(crate) async fn says(browser: &Browser, css: &str, text: &str) {
    let has = format!(
        "[...document.querySelectorAll({})].some((one) => one.innerText.includes({}))",
        json!(css),
        json!(text)
    );
    browser.wait_for(&has, SOON).await;
}

pub(crate) fn set_up(dir: &TempDir, port: u16) -> SetUp {
    SetUp {
        data_dir: Some(dir.path().to_owned()),
        port,
        ..SetUp::default()
    }
}

fn button(label: &str, style: ButtonStyle, node: &str) -> Button {
    Button {
        label: label.into(),
        style,
        action: Action::UseNode {
            node: node.parse().unwrap(),
            pending: None,
        },
    }
}

fn steps(folded: bool, last: StepState) -> Block {
    let step = |text: &str, state| Step {
        text: text.into(),
        state,
    };
    Block::Steps {
        steps: vec![
            step("Read src/retry.rs", StepState::Done),
            step("The counter is never reset.", StepState::Said),
            step("Edit src/retry.rs", StepState::Done),
            step("Run cargo test", last),
        ],
        folded,
    }
}

fn finished() -> View {
    View {
        title: "home-pc · project".into(),
        tone: Tone::Done,
        blocks: vec![
            steps(true, StepState::Done),
            Block::Markdown {
                text: ANSWER.into(),
            },
        ],
        buttons: vec![],
        footer: Some("claude-sonnet · 42 s · $0.12 · 31 % context".into()),
    }
}

pub(crate) fn asking() -> View {
    View {
        title: "home-pc · project: may I run this?".into(),
        tone: Tone::Asking,
        blocks: vec![
            Block::Fields {
                rows: vec![
                    ("Directory".into(), "/home/me/projects/app".into()),
                    ("Why".into(), "to see whether the fix holds".into()),
                ],
            },
            Block::Code {
                lang: "sh".into(),
                text: "cargo test --workspace -- retry".into(),
            },
            Block::Code {
                lang: "diff".into(),
                text: "@@ -3,3 +3,3 @@\n fn retry() {\n-    attempts += 1;\n+    attempts = 0;\n }"
                    .into(),
            },
        ],
        buttons: vec![
            button("Allow once", ButtonStyle::Primary, "lab-1"),
            button("Allow for this session", ButtonStyle::Normal, "lab-2"),
            button("Deny", ButtonStyle::Danger, "lab-3"),
        ],
        footer: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_talks_sees_cards_and_presses_buttons() {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let mut gateway = stage.gateway(set_up(&dir, 0));
    let browser = open(&mut gateway).await;
    let chat = direct("page");
    says(&browser, "#empty", "/help").await;

    browser.fill("#text", "fix the retry loop").await;
    browser.press("Shift+Enter").await;
    browser.press("Enter").await;
    says(&browser, ".mine", "fix the retry loop").await;
    let said = stage.wait_said(1).await;
    let wanted = InboundBody::Text {
        text: "fix the retry loop".into(),
    };
    assert_eq!(said[0].body, wanted);

    // A turn: the card works, previews stream into it, then it is finished.
    let turn = CardId::new();
    let mut working = view(Tone::Working, "Looking at the code…");
    working.blocks.insert(0, steps(false, StepState::Running));
    working.buttons = vec![button("Stop", ButtonStyle::Danger, "home-pc")];
    stage
        .show(&card(&owner(), &chat, turn, 1, working.clone()))
        .await;
    says(&browser, ".card.tone-working", "Looking at the code").await;
    working.blocks[1] = Block::Markdown {
        text: "I found the cause: the **retry".into(),
    };
    let preview = Preview {
        card: turn,
        rev: 1,
        n: 1,
        user: owner(),
        view: working,
    };
    stage.preview(&preview).await;
    says(&browser, ".card.tone-working", "I found the cause").await;
    browser.screenshot(picture("working.png")).await;
    stage
        .show(&card(&owner(), &chat, turn, 2, finished()))
        .await;
    says(&browser, ".card.tone-done", "What I changed").await;

    // Markdown became elements, and nothing in it became more than text.
    for (css, count) in [
        (".card strong", 1),
        (".card em", 1),
        (".card ol > li", 2),
        (".card li li", 2),
        (".card li.task", 2),
        (".card tbody tr", 2),
        (".card .code pre", 1),
        (".card blockquote", 1),
        (".card a", 2),
        (".card img", 0),
        (".card script", 0),
        (".card del", 1),
    ] {
        let found = browser
            .eval(&format!("document.querySelectorAll({}).length", json!(css)))
            .await;
        assert_eq!(found, count, "{css}");
    }
    assert_eq!(browser.eval("window.hacked === undefined").await, true);
    let links = "[...document.querySelectorAll('.card a')].map((one) => one.href).join(' ')";
    assert_eq!(
        browser.eval(links).await,
        "https://example.com/docs?a=1&b=2 https://example.com/x_y_z"
    );
    assert_eq!(
        browser.eval("document.querySelector('details').open").await,
        false
    );
    browser.click("summary").await;
    assert_eq!(
        browser.eval("document.querySelector('details').open").await,
        true
    );

    // A question with buttons.
    let question = CardId::new();
    stage
        .show(&card(&owner(), &chat, question, 1, asking()))
        .await;
    stage
        .show(&notice(
            &owner(),
            &chat,
            "Your answer is needed: home-pc · project",
        ))
        .await;
    says(&browser, ".notice", "needed").await;
    for (name, dark) in [("light.png", false), ("dark.png", true)] {
        browser.dark(dark).await;
        browser.screenshot(picture(name)).await;
    }
    browser.click(".button.primary").await;
    let said = stage.wait_said(2).await;
    let InboundBody::Tap { action } = &said[1].body else {
        panic!("not a tap: {said:?}");
    };
    assert_eq!(action.node().unwrap().as_str(), "lab-1");
    stage
        .show(&card(
            &owner(),
            &chat,
            question,
            2,
            view(Tone::Done, "Allowed once."),
        ))
        .await;
    says(&browser, ".card.tone-done", "Allowed once.").await;
    browser
        .wait_for("!document.querySelector('.button')", SOON)
        .await;

    // A phone: everything fits its width, light and dark.
    stage
        .show(&card(&owner(), &chat, CardId::new(), 1, asking()))
        .await;
    says(&browser, ".card.tone-asking", "Allow once").await;
    browser
        .eval("document.querySelector('#scroll').scrollTop = 1e6")
        .await;
    browser
        .wait_for("document.querySelector('#down').hidden", SOON)
        .await;
    browser.set_viewport(360, 740, true).await;
    let fits = "document.documentElement.scrollWidth <= 360 && document.querySelector('#scroll').scrollWidth <= 360";
    browser.wait_for(fits, SOON).await;
    let at_end = "(() => { const s = document.querySelector('#scroll'); return s.scrollHeight - s.scrollTop - s.clientHeight < 2; })()";
    browser.wait_for(at_end, SOON).await;
    browser.screenshot(picture("phone-dark.png")).await;
    browser.dark(false).await;
    browser
        .eval("document.querySelector('#scroll').scrollTop = 250")
        .await;
    browser
        .wait_for("!document.querySelector('#down').hidden", SOON)
        .await;
    browser.screenshot(picture("phone-light.png")).await;
    // Somebody who reads further up is not pulled down.
    let before = browser
        .eval("document.querySelector('#scroll').scrollTop")
        .await;
    stage.show(&notice(&owner(), &chat, "one more")).await;
    says(&browser, "#down", "New messages").await;
    assert_eq!(
        browser
            .eval("document.querySelector('#scroll').scrollTop")
            .await,
        before
    );
    browser.click("#down").await;
    browser.wait_for(at_end, SOON).await;
    assert_eq!(browser.errors(), Vec::<String>::new());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_cut_off_loses_and_doubles_nothing() {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let mut gateway = stage.gateway(set_up(&dir, 0));
    let browser = open(&mut gateway).await;
    let chat = direct("page");
    let port = browser
        .eval("Number(location.port)")
        .await
        .as_u64()
        .unwrap();
    stage.show(&notice(&owner(), &chat, "before")).await;
    says(&browser, ".notice", "before").await;
    gateway.stop().await;
    browser
        .wait_for("document.querySelector('#state[data-state=waiting]')", SOON)
        .await;

    // Written while nobody is there, and the page is even reloaded later.
    browser.fill("#text", "written in the dark").await;
    browser.press("Enter").await;
    says(&browser, ".mine.pending", "written in the dark").await;
    browser.screenshot(picture("waiting.png")).await;
    stage.show(&notice(&owner(), &chat, "meanwhile")).await;

    let _gateway = stage.gateway(set_up(&dir, u16::try_from(port).unwrap()));
    connected(&browser).await;
    says(&browser, ".notice", "meanwhile").await;
    browser
        .wait_for("!document.querySelector('.mine.pending')", SOON)
        .await;
    let texts = "[...document.querySelectorAll('.item')].map((one) => one.querySelector('p').innerText).sort().join('|')";
    assert_eq!(
        browser.eval(texts).await,
        "before|meanwhile|written in the dark"
    );
    assert_eq!(
        browser
            .eval("localStorage.getItem('phonework.outbox')")
            .await,
        "[]"
    );
    assert_eq!(stage.said().await.len(), 1);

    // Opened anew it is the same, still logged in.
    browser.open(&format!("http://127.0.0.1:{port}/")).await;
    connected(&browser).await;
    assert_eq!(
        browser.eval(texts).await,
        "before|meanwhile|written in the dark"
    );
}
