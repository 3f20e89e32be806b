//! The page in a real browser while what is behind it is away: what the person does then is neither
//! lost nor done twice, and the page says how it stands.

use common::ids::CardId;
use common::message::inbound::{Inbound, InboundBody};
use common::message::view::Action;
use kit::browser::Browser;

use crate::stage::{SOON, Stage, card, direct};
use crate::visitor::owner;
use crate::web_page::{asking, open, says, set_up};

fn nodes(said: &[Inbound]) -> Vec<&str> {
    said.iter()
        .filter_map(|one| match &one.body {
            InboundBody::Tap {
                action: Action::UseNode { node, .. },
            } => Some(node.as_str()),
            _ => None,
        })
        .collect()
}

async fn ask(stage: &Stage, browser: &Browser) {
    let shown = card(&owner(), &direct("page"), CardId::new(), 1, asking());
    stage.show(&shown).await;
    says(browser, ".card.tone-asking", "Allow once").await;
    stage.wait_all_shown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_while_the_gateway_is_down_counts_when_it_is_back() {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let mut gateway = stage.gateway(set_up(&dir, 0));
    let browser = open(&mut gateway).await;
    let port = browser.eval("Number(location.port)").await;
    ask(&stage, &browser).await;
    gateway.stop().await;
    browser.click(".button.primary").await;
    says(&browser, ".trouble:not(.wrong)", "Waiting to be sent").await;
    let port = u16::try_from(port.as_u64().unwrap()).unwrap();
    let _gateway = stage.gateway(set_up(&dir, port));
    assert_eq!(nodes(&stage.wait_said(1).await), ["lab-1"]);
    browser
        .wait_for("!document.querySelector('[aria-busy]')", SOON)
        .await;
    says(&browser, ".buttons", "Allow once").await;
    let said = "document.querySelector('.trouble').innerText";
    assert_eq!(browser.eval(said).await, "");
    assert_eq!(stage.said().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_while_the_broker_is_down_counts_when_it_is_back() {
    let (mut stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let mut gateway = stage.gateway(set_up(&dir, 0));
    let browser = open(&mut gateway).await;
    ask(&stage, &browser).await;
    stage.nats.kill().await;
    browser.click(".button.primary").await;
    says(&browser, ".trouble:not(.wrong)", "Kept: it counts").await;
    browser.fill("#text", "and go on").await;
    browser.press("Enter").await;
    says(&browser, ".mine.pending", "Waiting to be sent").await;
    stage.nats.restart().await;
    let said = stage.wait_said(2).await;
    assert_eq!(nodes(&said[..1]), ["lab-1"]);
    let text = "and go on".into();
    assert_eq!(said[1].body, InboundBody::Text { text });
    browser
        .wait_for("!document.querySelector('.mine.pending')", SOON)
        .await;
    assert_eq!(stage.said().await.len(), 2);
}
