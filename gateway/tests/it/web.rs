//! The page's HTTP side against a real broker: what is taken from people, and what is told to open
//! pages. Who gets in is `web_door`'s; how the page behaves in a browser `web_page`'s.

use std::time::Duration;

use common::ids::CardId;
use common::message::inbound::InboundBody;
use common::message::outbound::Preview;
use common::message::view::{Action, Button, ButtonStyle, Tone};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{card, direct, notice, until, view};
use crate::visitor::{Visitor, owner, set_up, start};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_taken_once_and_survives_the_broker() {
    let (mut stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let (id, text) = (Uuid::new_v4(), "hello");
    let body = json!({"id": id, "text": text, "lang": "zh"});
    for _ in 0..2 {
        let answer = visitor.post("/api/messages", &body).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    stage.nats.kill().await;
    let other = json!({"id": Uuid::new_v4(), "text": "later"});
    let answer = visitor.post("/api/messages", &other).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let said: Value = answer.json().await.unwrap();
    assert!(said["error"].as_str().unwrap().contains("tries again"));
    stage.nats.restart().await;
    until("the message is taken", async || {
        let answer = visitor.post("/api/messages", &other).await;
        (answer.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    let said = stage.wait_said(2).await;
    assert_eq!(said.len(), 2);
    assert_eq!(said[0].body, InboundBody::Text { text: text.into() });
    assert_eq!(said[0].meta.cause.as_str(), format!("web:{}", id.simple()));
    assert_eq!(
        (said[0].user.clone(), said[0].lang),
        (owner(), Some(common::lang::Lang::Zh))
    );
    assert_eq!(visitor.follow("", 0).await.entries.len(), 2);

    for (bad, status) in [
        (json!({"id": "x", "text": "hi"}), 422),
        (json!({"id": Uuid::new_v4(), "text": " "}), 400),
        (
            json!({"id": Uuid::new_v4(), "text": "x".repeat(5_000_000)}),
            413,
        ),
    ] {
        let answer = visitor.post("/api/messages", &bad).await;
        assert_eq!(answer.status(), status);
        assert!(answer.json::<Value>().await.unwrap()["error"].is_string());
    }
    let long = json!({"id": Uuid::new_v4(), "text": "x".repeat(100_001)});
    let answer = visitor.post("/api/messages", &long).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let said = stage.wait_said(3).await;
    assert_eq!(said[2].body, InboundBody::TooLong { bytes: 100_001 });
}

#[tokio::test(flavor = "multi_thread")]
async fn only_buttons_that_are_on_the_card_can_be_tapped() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let action = |node: &str| Action::UseNode {
        node: node.parse().unwrap(),
        pending: None,
    };
    let mut asking = view(Tone::Asking, "Which machine?");
    asking.buttons = vec![Button {
        label: "lab-1".into(),
        style: ButtonStyle::Normal,
        action: action("lab-1"),
    }];
    let (chat, id) = (direct("page"), CardId::new());
    stage.show(&card(&owner(), &chat, id, 1, asking)).await;
    stage.wait_all_shown().await;
    let tap = async |card: CardId, node: &str| {
        let body = json!({"id": Uuid::new_v4(), "card": card, "action": action(node)});
        visitor.post("/api/taps", &body).await.status()
    };
    assert_eq!(tap(id, "lab-2").await, StatusCode::CONFLICT);
    assert_eq!(tap(CardId::new(), "lab-1").await, StatusCode::CONFLICT);
    assert_eq!(tap(id, "lab-1").await, StatusCode::ACCEPTED);
    let said = stage.wait_said(1).await;
    assert_eq!(
        said[0].body,
        InboundBody::Tap {
            action: action("lab-1")
        }
    );
    // The next state of the card has no buttons any more.
    stage
        .show(&card(
            &owner(),
            &chat,
            id,
            2,
            view(Tone::Done, "lab-1 it is"),
        ))
        .await;
    stage.wait_all_shown().await;
    assert_eq!(tap(id, "lab-1").await, StatusCode::CONFLICT);
    assert_eq!(stage.said().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_told_everything_once_also_over_a_crash() {
    let (stage, dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let cookie = visitor.cookie.clone();
    let (chat, id) = (direct("page"), CardId::new());
    let first = card(&owner(), &chat, id, 1, view(Tone::Working, "one"));
    let ring = notice(&owner(), &chat, "ring");
    stage.show(&first).await;
    let mut open = visitor.follow("", 0).await;
    open.until(1).await;
    stage.show(&ring).await;
    open.until(2).await;
    let (store, last) = (open.store.clone(), open.last());
    drop(open);

    // Away meanwhile: a new revision, repeats of everything, and a crash of the process.
    stage
        .show(&card(&owner(), &chat, id, 2, view(Tone::Done, "two")))
        .await;
    stage.show(&first).await;
    stage.show(&ring).await;
    stage.wait_all_shown().await;
    gateway.crash();
    let mut gateway = until("the crashed gateway lets go of its file", async || {
        let mut gateway = stage.gateway(set_up(&dir));
        let ready = tokio::time::timeout(Duration::from_secs(2), gateway.is_ready()).await;
        ready.is_ok_and(|ready| ready).then_some(gateway)
    })
    .await;
    let mut visitor = Visitor::new(&mut gateway).await;
    visitor.cookie = cookie;
    stage.show(&ring).await;
    stage.wait_all_shown().await;
    let mut again = visitor.follow(&store, last).await;
    assert_eq!(again.entries.len(), 1, "{:?}", again.entries);
    assert_eq!(again.entries[0]["item"]["rev"], 2);
    stage.show(&notice(&owner(), &chat, "more")).await;
    again.until(2).await;
    assert_eq!(again.entries[1]["item"]["text"], "more");
    let all = visitor.follow("another", 99).await;
    assert_eq!(all.entries.len(), 3);
    assert_eq!(all.store, store);
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_reach_open_pages_until_the_next_revision() {
    let (stage, _dir, mut gateway) = start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let (chat, id) = (direct("page"), CardId::new());
    stage
        .show(&card(&owner(), &chat, id, 1, view(Tone::Working, "one")))
        .await;
    let mut open = visitor.follow("", 0).await;
    open.until(1).await;
    let preview = |rev, n| Preview {
        card: id,
        rev,
        n,
        user: owner(),
        view: view(Tone::Working, &format!("{rev}.{n}")),
    };
    let text = |told: &Value| {
        told["view"]["blocks"][0]["text"]
            .as_str()
            .map(str::to_owned)
    };
    stage.preview(&preview(1, 1)).await;
    assert_eq!(text(&open.next().await).as_deref(), Some("1.1"));
    // Whoever opens the page now sees it as well.
    assert_eq!(visitor.follow("", 0).await.entries.len(), 1);
    stage
        .show(&card(&owner(), &chat, id, 2, view(Tone::Working, "two")))
        .await;
    open.until(2).await;
    stage.preview(&preview(1, 2)).await;
    stage.preview(&preview(2, 1)).await;
    assert_eq!(text(&open.next().await).as_deref(), Some("2.1"));
}
