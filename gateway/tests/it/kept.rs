//! Taps made while the broker is away: kept, told so, and counted once and in order when it is back.

use std::path::PathBuf;
use std::time::Duration;

use common::ids::{CardId, NodeId, UserId};
use common::message::inbound::{Inbound, InboundBody};
use common::message::view::{Action, Button, ButtonStyle, Tone};
use kit::feishu::{BotMessage, CallbackAnswer, Feishu, Settings, User};
use reqwest::StatusCode;
use serde_json::json;

use crate::stage::{Running, SOON, Stage, app, card, direct, until, view};
use crate::visitor::{self, Visitor, owner};

const CHOICES: [&str; 3] = ["lab-1", "lab-2", "lab-3"];

fn action(node: &str) -> Action {
    Action::UseNode {
        node: node.parse().unwrap(),
        pending: None,
    }
}

fn asking() -> common::message::view::View {
    let mut asking = view(Tone::Asking, "Which machine?");
    asking.buttons = CHOICES
        .map(|node| Button {
            label: node.into(),
            style: ButtonStyle::Normal,
            action: action(node),
        })
        .into();
    asking
}

/// A platform that repeats soon, a person on it, and a card in front of them.
struct Scene {
    stage: Stage,
    feishu: Feishu,
    me: User,
    message: BotMessage,
}

async fn scene() -> (Scene, Running) {
    let stage = Stage::start().await;
    let feishu = Feishu::start_with(Settings {
        redelivery: vec![Duration::from_millis(500); 40],
        client_config: json!({"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 1}),
        ..Settings::default()
    })
    .await;
    let gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let me = feishu.user("ou_me");
    let user: UserId = "ou_me".parse().unwrap();
    let shown = card(&user, &direct(&me.chat_id()), CardId::new(), 1, asking());
    stage.show(&shown).await;
    let message = me.wait_text("Which machine?", SOON).await.unwrap();
    stage.wait_all_shown().await;
    let scene = Scene {
        stage,
        feishu,
        me,
        message,
    };
    (scene, gateway)
}

impl Scene {
    async fn tap(&self, node: &str) -> CallbackAnswer {
        self.me.tap(&self.message.message_id, node).await.unwrap()
    }

    async fn tap_kept(&self, node: &str) {
        let answer = self.tap(node).await;
        assert_eq!(answer.code, 0, "{answer:?}");
        let toast = answer.toast.unwrap();
        assert_eq!(
            (toast.kind.as_str(), toast.content.as_str()),
            ("info", "Kept: it counts as soon as the connection is back")
        );
    }

    fn file(&self, number: u8) -> PathBuf {
        self.stage.spool_dir().join(format!("taps-{number}.redb"))
    }
}

fn tapped(said: &[Inbound]) -> Vec<NodeId> {
    said.iter()
        .filter_map(|one| match &one.body {
            InboundBody::Tap {
                action: Action::UseNode { node, .. },
            } => Some(node.clone()),
            _ => None,
        })
        .collect()
}

/// Waits until nothing is kept any more, by the board.
async fn drained(gateway: &Running) {
    until("nothing kept", async || {
        let (_, board) = gateway.health.report();
        (board["parts"]["taps"]["detail"]["kept"] == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taps_without_the_broker_count_once_and_in_order_when_it_is_back() {
    let (mut scene, gateway) = scene().await;
    scene.stage.nats.kill().await;
    for node in CHOICES {
        scene.tap_kept(node).await;
    }
    // A message stays with the platform, and comes behind what was kept.
    scene.me.say("and then this");
    let refused = |f: &Feishu| f.acks().iter().any(|ack| !ack.accepted);
    scene.feishu.wait_until(refused, SOON).await.unwrap();
    let (_, board) = gateway.health.report();
    assert_eq!(board["parts"]["taps"]["detail"]["kept"], 3, "{board}");
    scene.stage.nats.restart().await;
    let said = scene.stage.wait_said(4).await;
    assert_eq!(
        tapped(&said[..3]),
        CHOICES.map(|node| node.parse().unwrap())
    );
    assert_eq!(
        said[3].body,
        InboundBody::Text {
            text: "and then this".into()
        }
    );
    drained(&gateway).await;
    // What comes now goes the usual way again.
    let answer = scene.tap("lab-1").await;
    assert_eq!(answer.toast.unwrap().content, "Got it");
    assert_eq!(scene.stage.said().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_tap_outlives_its_gateway() {
    let (mut scene, gateway) = scene().await;
    scene.stage.nats.kill().await;
    scene.tap_kept("lab-2").await;
    gateway.crash();
    scene.stage.nats.restart().await;
    let gateway = scene.stage.gateway(app(&scene.feishu));
    let said = scene.stage.wait_said(1).await;
    assert_eq!(tapped(&said), ["lab-2".parse().unwrap()]);
    drained(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_dies_before_it_has_crossed_a_tap_off_repeats_nothing() {
    let (mut scene, gateway) = scene().await;
    scene.stage.nats.kill().await;
    scene.tap_kept("lab-2").await;
    gateway.stop().await;
    // The state of the disk when it died after the stream had the tap: as before.
    let (file, before) = (scene.file(1), scene.stage.spool_dir().join("before"));
    std::fs::copy(&file, &before).unwrap();
    scene.stage.nats.restart().await;
    let gateway = scene.stage.gateway(app(&scene.feishu));
    scene.stage.wait_said(1).await;
    drained(&gateway).await;
    gateway.stop().await;
    std::fs::rename(&before, &file).unwrap();
    let gateway = scene.stage.gateway(app(&scene.feishu));
    scene.feishu.wait_connected(1, SOON).await.unwrap();
    drained(&gateway).await;
    let answer = scene.tap("lab-1").await;
    assert_eq!(answer.toast.unwrap().content, "Got it");
    let said = scene.stage.said().await;
    let wanted = ["lab-2", "lab-1"].map(|node| node.parse().unwrap());
    assert_eq!(tapped(&said), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_of_one_folder_keep_apart() {
    let (mut scene, first) = scene().await;
    let second = scene.stage.gateway(app(&scene.feishu));
    scene.feishu.wait_connected(2, SOON).await.unwrap();
    until("a second file", async || {
        scene.file(2).exists().then_some(())
    })
    .await;
    scene.stage.nats.kill().await;
    // The platform gives each tap to either of them.
    for _ in 0..4 {
        for node in CHOICES {
            scene.tap_kept(node).await;
        }
    }
    // One of them dies with what it has; the other one finds it.
    second.crash();
    scene.stage.nats.restart().await;
    let said = scene.stage.wait_said(12).await;
    for node in CHOICES {
        let times = tapped(&said)
            .iter()
            .filter(|one| one.as_str() == node)
            .count();
        assert_eq!(times, 4, "{node}");
    }
    drained(&first).await;
    assert_eq!(scene.stage.said().await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_tap_cannot_be_kept_the_person_is_told() {
    let (mut scene, gateway) = scene().await;
    gateway.stop().await;
    std::fs::remove_dir_all(scene.stage.spool_dir()).unwrap();
    std::fs::write(scene.stage.spool_dir(), "not a folder").unwrap();
    let gateway = scene.stage.gateway(app(&scene.feishu));
    scene.feishu.wait_connected(1, SOON).await.unwrap();
    let board = until("the board says so", async || {
        let (ok, board) = gateway.health.report();
        (!ok && board["parts"]["taps"]["ok"] == false).then_some(board)
    })
    .await;
    let why = board["parts"]["taps"]["detail"]["why"].to_string();
    assert!(why.contains("gateway"), "{why}");
    scene.stage.nats.kill().await;
    let answer = scene.tap("lab-1").await;
    assert_eq!(answer.toast.unwrap().kind, "error");
    // Mended without hands: the next tap finds the folder.
    std::fs::remove_file(scene.stage.spool_dir()).unwrap();
    scene.tap_kept("lab-2").await;
    scene.stage.nats.restart().await;
    // What the person was not sure of may count as well: the connection had it.
    until("the tap that was kept", async || {
        let said = scene.stage.said().await;
        (tapped(&said).last() == Some(&"lab-2".parse().unwrap())).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_on_the_page_is_kept_as_well_and_a_message_is_sent_again() {
    let (mut stage, _dir, mut gateway) = visitor::start().await;
    let visitor = Visitor::logged_in(&mut gateway).await;
    let (user, id) = (owner(), CardId::new());
    stage
        .show(&card(&user, &direct("page"), id, 1, asking()))
        .await;
    stage.wait_all_shown().await;
    stage.nats.kill().await;
    let tap = json!({"id": uuid(1), "card": id, "action": action("lab-1"), "lang": "en"});
    let answer = visitor.post("/api/taps", &tap).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let said: serde_json::Value = answer.json().await.unwrap();
    assert!(said["kept"].as_str().unwrap().contains("Kept"), "{said}");
    // The page's answer got lost and it asks again.
    let again = visitor.post("/api/taps", &tap).await;
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    let message = json!({"id": uuid(2), "text": "hello", "lang": "en"});
    let answer = visitor.post("/api/messages", &message).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    stage.nats.restart().await;
    until("the message is taken", async || {
        let answer = visitor.post("/api/messages", &message).await;
        (answer.status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    let said = stage.wait_said(2).await;
    assert_eq!(said.len(), 2);
    assert_eq!(tapped(&said[..1]), ["lab-1".parse().unwrap()]);
}

fn uuid(n: u8) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}
