//! A node speaks to those only whom the hub lets it serve, whatever it sends.

use common::ids::CardId;
use common::message::outbound::Preview;
use common::message::view::Tone;
use kit::feishu::Feishu;

use crate::deliver::start;
use crate::stage::{Stage, app, card, direct, notice, until, view};

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_to_whom_the_node_does_not_serve_is_dropped_and_counted() {
    let (stage, feishu, me, user) = start().await;
    let you = feishu.user("ou_you");
    stage.serves(&["ou_you"]).await;
    let gateway = stage.gateway(app(&feishu));
    let (mine, yours) = (direct(&me.chat_id()), direct(&you.chat_id()));
    let id = CardId::new();
    stage
        .show(&card(&user, &mine, id, 1, view(Tone::Working, "forged")))
        .await;
    stage.show(&notice(&user, &mine, "forged too")).await;
    preview(&stage, "ou_me", id).await;
    let their = "ou_you".parse().unwrap();
    let id = CardId::new();
    stage
        .show(&card(&their, &yours, id, 1, view(Tone::Working, "meant")))
        .await;
    stage.wait_all_shown().await;
    preview(&stage, "ou_you", id).await;
    until("the preview", async || {
        let shown = you.messages();
        shown[0].text().contains("in between").then_some(())
    })
    .await;

    assert!(me.messages().is_empty(), "{}", feishu.story());
    assert_eq!(stage.dead().await, 0, "nobody is asked about it either");
    let numbers = gateway.health.metrics().text();
    let line = "phonework_gateway_replies_refused_total{node=\"home-pc\"} 2";
    assert!(numbers.lines().any(|found| found == line), "{numbers}");

    // What the hub allows meanwhile is shown at once; what it takes back, within seconds.
    stage.serves(&["ou_you", "ou_me"]).await;
    stage.show(&notice(&user, &mine, "now allowed")).await;
    stage.wait_all_shown().await;
    assert_eq!(me.messages().len(), 1, "{}", feishu.story());
    stage.serves(&["ou_you"]).await;
    until("a refusal", async || {
        let before = me.messages().len();
        stage.show(&notice(&user, &mine, "still?")).await;
        stage.wait_all_shown().await;
        (me.messages().len() == before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_the_list_does_not_have_yet_waits_for_it() {
    let (stage, feishu, me, user): (Stage, Feishu, _, _) = start().await;
    stage.unlisted().await;
    let gateway = stage.gateway(app(&feishu));
    let mine = direct(&me.chat_id());
    stage.show(&notice(&user, &mine, "early")).await;
    until("being taken up", async || {
        let mut out = stage.router.jetstream().get_stream("PW_OUT").await.ok()?;
        let state = out.consumer_info("feishu").await.ok()?;
        let _ = out.info().await;
        (state.num_ack_pending == 1).then_some(())
    })
    .await;
    assert!(me.messages().is_empty());
    stage.serves(&[]).await;
    stage.wait_all_shown().await;
    assert_eq!(me.messages().len(), 1, "{}", feishu.story());
    assert_eq!(stage.dead().await, 0);
    gateway.stop().await;
}

async fn preview(stage: &Stage, user: &str, card: CardId) {
    let preview = Preview {
        card,
        rev: 1,
        n: 1,
        user: user.parse().unwrap(),
        view: view(Tone::Working, "in between"),
    };
    stage.preview(&preview).await;
}
