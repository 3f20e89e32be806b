//! The page on a disk that is full: nothing that is to be shown is lost or shown twice, what people
//! write is refused or repeated, and it all goes on by itself.

use common::ids::CardId;
use common::message::view::Tone;
use kit::disk::SmallDisk;
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Running, Stage, card, direct, notice, until, view};
use crate::visitor::{Visitor, owner, set_up};

fn timeline(gateway: &Running) -> Value {
    gateway.health.report().1["parts"]["timeline"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_delays_what_is_shown_and_loses_nothing() {
    let (stage, dir) = (Stage::start().await, tempfile::tempdir().unwrap());
    let disk = SmallDisk::at(dir.path(), 16 * 1024 * 1024);
    let mut gateway = stage.gateway(set_up(&dir));
    let visitor = Visitor::logged_in(&mut gateway).await;
    let mut page = visitor.follow("", 0).await;
    let (user, chat) = (owner(), direct("web"));
    let show = async |n: usize| {
        let id = CardId::derived(&["full", &n.to_string()]);
        let text = format!("{n} {}", "x".repeat(150_000));
        stage
            .show(&card(&user, &chat, id, 1, view(Tone::Plain, &text)))
            .await;
    };
    show(0).await;
    page.until(1).await;
    disk.fill();
    let mut shown = 1;
    while timeline(&gateway)["ok"] == true {
        assert!(shown < 60, "the disk never filled up");
        show(shown).await;
        shown += 1;
        tokio::task::yield_now().await;
    }
    stage.show(&notice(&user, &chat, "rings")).await;
    until("the reason in /health", async || {
        let detail = timeline(&gateway)["detail"].to_string();
        detail.contains("free some space").then_some(())
    })
    .await;
    // Reading goes on.
    assert!(!visitor.follow("", 0).await.entries.is_empty());
    let mine = json!({"id": Uuid::new_v4(), "text": "hello"});
    let answer = visitor.post("/api/messages", &mine).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);

    disk.clear();
    until("a timeline that is well", async || {
        (timeline(&gateway)["ok"] == true).then_some(())
    })
    .await;
    // As the page does by itself.
    until("the message is taken", async || {
        let answer = visitor.post("/api/messages", &mine).await;
        (answer.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    stage.wait_all_shown().await;
    page.until(shown + 2).await;
    let again = visitor.follow("", 0).await;
    assert_eq!(again.entries.len(), shown + 2);
    assert_eq!(stage.said().await.len(), 1);
    let mut told: Vec<u64> = page
        .entries
        .iter()
        .map(|entry| entry["pos"].as_u64().unwrap())
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        (1..=shown as u64 + 2).collect::<Vec<_>>(),
        "something was told twice"
    );
    assert_eq!(stage.dead().await, 0);
    gateway.stop().await;
}
