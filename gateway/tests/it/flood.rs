//! Many messages of one person at once: nothing lost, in order, and nobody else waits for them.

use std::time::{Duration, Instant};

use common::message::inbound::{Inbound, InboundBody};
use kit::feishu::{Feishu, Settings};

use crate::stage::{SOON, Stage, app, direct, notice, until};

const FLOOD: usize = 1500;

fn text(one: &Inbound) -> &str {
    match &one.body {
        InboundBody::Text { text } => text,
        other => panic!("not a text: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_slows_only_that_one() {
    let stage = Stage::start().await;
    let feishu = Feishu::start_with(Settings {
        redelivery: vec![Duration::from_secs(1); 60],
        ..Settings::default()
    })
    .await;
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let flooder = feishu.user("ou_flooder");
    let others: Vec<_> = (0..5).map(|n| feishu.user(&format!("ou_{n}"))).collect();
    let begun = Instant::now();
    let (mut came, mut last) = (Vec::new(), Duration::ZERO);
    for n in 0..FLOOD {
        flooder.say(&format!("{n}"));
        // In the middle of it.
        if n % 250 == 249 && n / 250 < others.len() {
            let (other, since) = (&others[n / 250], Instant::now());
            let id = other.say("just one");
            let feishu = feishu.clone();
            came.push(tokio::spawn(async move {
                let acked = move |f: &Feishu| {
                    let acks = f.acks();
                    acks.iter()
                        .any(|ack| ack.accepted && ack.message_id.as_ref() == Some(&id))
                };
                feishu.wait_until(acked, SOON).await.unwrap();
                since.elapsed()
            }));
        }
    }
    let sent = begun.elapsed();
    for one in came {
        last = last.max(one.await.unwrap());
    }
    until("the whole flood", async || {
        let mut stream = stage.router.jetstream().get_stream("PW_IN").await.ok()?;
        let messages = stream.info().await.ok()?.state.messages;
        (messages >= u64::try_from(FLOOD + 5).unwrap()).then_some(())
    })
    .await;
    let all = begun.elapsed();
    let said = stage.said().await;
    eprintln!(
        "{FLOOD} messages said within {sent:?}, all stored within {all:?}; the others' within {last:?}"
    );
    assert_eq!(said.len(), FLOOD + 5, "each once");
    let flood = said.iter().filter(|one| one.user.native() == "ou_flooder");
    let mut flood: Vec<usize> = flood.map(|one| text(one).parse().unwrap()).collect();
    let in_order = flood.is_sorted();
    flood.sort_unstable();
    assert!(flood.into_iter().eq(0..FLOOD), "nothing is missing");
    let acks = feishu.acks();
    let (taken, sent_back): (Vec<_>, Vec<_>) = acks.iter().partition(|ack| ack.accepted);
    assert_eq!(taken.len(), FLOOD + 5);
    // A slow machine may have to send some of the flood back; what was never sent back is in order.
    assert!(in_order || !sent_back.is_empty());
    let of_others = |ack: &&kit::feishu::Ack| {
        others.iter().any(|other| {
            let mine = said.iter().find(|one| one.user.native() == other.open_id());
            mine.is_some_and(|one| one.chat.message == ack.message_id)
        })
    };
    assert_eq!(
        sent_back.into_iter().filter(of_others).count(),
        0,
        "nobody else was sent back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_takes_little_holds_up_nobody_else() {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let (slow, quick) = (feishu.user("ou_slow"), feishu.user("ou_quick"));
    let chat = direct(&slow.chat_id());
    let user = "ou_slow".parse().unwrap();
    // A chat takes five a second, so these are a minute's.
    for n in 0..300 {
        stage
            .show(&notice(&user, &chat, &format!("slow {n}")))
            .await;
    }
    let user = "ou_quick".parse().unwrap();
    let chat = direct(&quick.chat_id());
    stage.show(&notice(&user, &chat, "quick")).await;
    quick.wait_text("quick", SOON).await.unwrap();
    assert!(slow.messages().len() < 200, "{}", slow.messages().len());
}
