//! Two gateways of one surface: both receive, one shows, and when it ends the other one goes on
//! where it stood.

use std::time::{Duration, Instant};

use common::ids::CardId;
use common::message::outbound::Preview;
use common::message::view::Tone;
use kit::feishu::{Class, Fault};

use crate::deliver::start;
use crate::stage::{Running, SOON, app, card, direct, notice, until, view};

async fn role(gateway: &Running, wanted: &str) {
    until(&format!("one that {wanted}"), async || {
        let role = gateway.health.report().1["parts"]["gateway"].clone();
        let fits = role["detail"]["surfaces"]["feishu"] == *wanted;
        (fits && role["ok"] == true).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_receive_and_one_shows() {
    let (stage, feishu, me, user) = start().await;
    let leader = stage.gateway(app(&feishu));
    role(&leader, "leads").await;
    let other = stage.gateway(app(&feishu));
    role(&other, "standby").await;
    feishu.wait_connected(2, SOON).await.unwrap();
    // The platform gives each event to a random one of them.
    for n in 0..12 {
        me.say(&format!("message {n}"));
        stage.wait_said(n + 1).await;
    }
    let acks = feishu.acks();
    for connection in [0, 1] {
        let took = acks
            .iter()
            .any(|ack| ack.accepted && ack.connection == connection);
        assert!(took, "{acks:?}");
    }
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "one")))
        .await;
    me.wait_text("one", SOON).await.unwrap();
    let preview = |n: u32, text: &str| Preview {
        card: id,
        rev: 1,
        n,
        user: user.clone(),
        view: view(Tone::Working, text),
    };
    stage.preview(&preview(1, "at 1.")).await;
    me.wait_text("at 1.", SOON).await.unwrap();

    // Nothing is in hand, so the other one begins at once, previews included.
    let begun = Instant::now();
    leader.crash();
    role(&other, "leads").await;
    stage
        .show(&card(&user, &chat, id, 2, view(Tone::Working, "two")))
        .await;
    me.wait_text("two", SOON).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let mut next = preview(1, "at 2.");
    next.rev = 2;
    stage.preview(&next).await;
    me.wait_text("at 2.", SOON).await.unwrap();
    let shown = me.messages();
    assert_eq!(
        (shown.len(), shown[0].edits.len()),
        (1, 3),
        "{}",
        feishu.story()
    );
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_one_before_had_in_hand_comes_first() {
    let (stage, feishu, me, user) = start().await;
    let leader = stage.gateway(app(&feishu));
    role(&leader, "leads").await;
    let other = stage.gateway(app(&feishu));
    role(&other, "standby").await;
    let chat = direct(&me.chat_id());
    feishu.fault(Class::Send, Fault::Hang);
    stage.show(&notice(&user, &chat, "notice 0")).await;
    let hanging = |f: &kit::feishu::Feishu| f.faults_left(Class::Send) == 0;
    feishu.wait_until(hanging, SOON).await.unwrap();
    for n in 1..4 {
        stage
            .show(&notice(&user, &chat, &format!("notice {n}")))
            .await;
    }
    leader.crash();
    for n in 4..8 {
        stage
            .show(&notice(&user, &chat, &format!("notice {n}")))
            .await;
    }
    stage.wait_all_shown().await;
    let texts: Vec<String> = me
        .messages()
        .iter()
        .map(kit::feishu::BotMessage::text)
        .collect();
    let wanted: Vec<String> = (0..8).map(|n| format!("notice {n}")).collect();
    assert_eq!(texts, wanted, "{}", feishu.story());

    // An orderly end leaves nothing in hand, and is followed at once.
    let third = stage.gateway(app(&feishu));
    role(&third, "standby").await;
    other.stop().await;
    let begun = Instant::now();
    stage.show(&notice(&user, &chat, "notice 8")).await;
    me.wait_text("notice 8", SOON).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}
