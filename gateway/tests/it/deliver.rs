//! From a real broker to the fake platform: everything once and in order, whatever breaks between.

use std::time::Duration;

use common::ids::{CardId, UserId};
use common::message::encode;
use common::message::inbound::ChatKind;
use common::message::outbound::Preview;
use common::message::view::Tone;
use common::subject;
use kit::feishu::{Class, Fault, Feishu, How, User};

use crate::stage::{SOON, Stage, app, card, direct, notice, until, view};

pub(crate) async fn start() -> (Stage, Feishu, User, UserId) {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let me = feishu.user("ou_me");
    (stage, feishu, me, "ou_me".parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_one_message_that_is_edited() {
    let (stage, feishu, me, user) = start().await;
    let gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    let first = card(&user, &chat, id, 1, view(Tone::Working, "one"));
    let second = card(&user, &chat, id, 2, view(Tone::Done, "two"));
    stage.show(&first).await;
    stage.show(&second).await;
    // Both again, as a sender repeats them after the stream forgot their ids.
    stage.show(&first).await;
    stage.show(&second).await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    assert_eq!(shown.len(), 1, "{}", feishu.story());
    assert!(shown[0].text().contains("two"));
    assert_eq!(shown[0].edits.len(), 1);

    // Another process knows it as well.
    gateway.stop().await;
    let _gateway = stage.gateway(app(&feishu));
    stage.show(&first).await;
    stage
        .show(&card(&user, &chat, id, 3, view(Tone::Done, "three")))
        .await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    assert_eq!(shown.len(), 1, "{}", feishu.story());
    assert!(shown[0].text().contains("three"));
    assert_eq!(shown[0].edits.len(), 2);
    assert_eq!(stage.dead().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_grows_and_shrinks_over_its_cards() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    let lines = |n: usize| {
        (0..n)
            .map(|n| format!("line {n} of the answer\n\n"))
            .collect::<String>()
    };
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "begins")))
        .await;
    stage
        .show(&card(
            &user,
            &chat,
            id,
            2,
            view(Tone::Working, &lines(3000)),
        ))
        .await;
    stage.wait_all_shown().await;
    let long = me.messages();
    assert!(long.len() > 2);
    assert!(long[0].text().contains("line 0 of") && !long[0].text().contains("begins"));
    stage
        .show(&card(&user, &chat, id, 3, view(Tone::Done, "short")))
        .await;
    stage.wait_all_shown().await;
    let short = me.messages();
    assert_eq!(short.len(), long.len());
    assert!(short[0].text().contains("short"));
    for part in &short[1..] {
        assert_eq!(part.text(), "(This part is no longer needed.)");
    }
    assert!(feishu.violations().is_empty(), "{:?}", feishu.violations());
}

#[tokio::test(flavor = "multi_thread")]
async fn previews_are_thinned_out_and_never_come_late() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "starting")))
        .await;
    me.wait_text("starting", SOON).await.unwrap();
    let preview = |n: u32| Preview {
        card: id,
        rev: 1,
        n,
        user: user.clone(),
        view: view(Tone::Working, &format!("at {n}.")),
    };
    for n in 1..=30 {
        stage.preview(&preview(n)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    me.wait_text("at 30.", SOON).await.unwrap();
    let edits = me.messages()[0].edits.clone();
    assert!(edits.len() >= 2, "{edits:?}");
    for pair in edits.windows(2) {
        let between = pair[1].at - pair[0].at;
        assert!(
            between > Duration::from_millis(800),
            "{between:?} between two edits"
        );
    }
    stage
        .show(&card(&user, &chat, id, 2, view(Tone::Done, "finished")))
        .await;
    stage.preview(&preview(31)).await;
    me.wait_text("finished", SOON).await.unwrap();
    let edits = me.messages()[0].edits.len();
    stage.preview(&preview(32)).await;
    // A preview of the next revision shows that the ones before were looked at.
    let mut next = preview(1);
    next.rev = 2;
    next.view = view(Tone::Done, "after the end");
    stage.preview(&next).await;
    me.wait_text("after the end", SOON).await.unwrap();
    assert_eq!(me.messages()[0].edits.len(), edits + 1);
    assert!(
        me.messages()[0]
            .edits
            .iter()
            .all(|edit| edit.how == How::Patch)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_arrives_after_newer_ones_does_not_stay() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    let rev = |n, tone, text: &str| card(&user, &chat, id, n, view(tone, text));
    stage.show(&rev(1, Tone::Working, "starting")).await;
    me.wait_text("starting", SOON).await.unwrap();
    // Cut off after 5 s, and still on its way.
    feishu.fault(Class::Patch, Fault::Late(Duration::from_secs(7)));
    let preview = Preview {
        card: id,
        rev: 1,
        n: 1,
        user: user.clone(),
        view: view(Tone::Working, "half of it"),
    };
    stage.preview(&preview).await;
    let taken = |f: &Feishu| f.faults_left(Class::Patch) == 0;
    feishu.wait_until(taken, SOON).await.unwrap();
    stage.show(&rev(2, Tone::Done, "all of it")).await;
    stage.show(&notice(&user, &chat, "behind it")).await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    let edits: Vec<_> = shown[0]
        .edits
        .iter()
        .map(|edit| edit.content.to_string())
        .collect();
    assert_eq!(edits.len(), 3, "{edits:?}");
    assert!(edits[0].contains("all of it"), "{edits:?}");
    assert!(edits[1].contains("half of it"), "{edits:?}");
    assert!(edits[2].contains("all of it"), "{edits:?}");
    assert!(shown[1].text().contains("behind it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn order_holds_while_the_platform_stumbles() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    feishu.fault_times(Class::Send, 2, &Fault::Status(502));
    feishu.fault(Class::Send, Fault::RateLimited { reset_s: 1 });
    feishu.fault(Class::Token, Fault::Status(500));
    for n in 0..12 {
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
    let wanted: Vec<String> = (0..12).map(|n| format!("notice {n}")).collect();
    assert_eq!(texts, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_sent_once() {
    let (stage, feishu, me, user) = start().await;
    let gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    let one = notice(&user, &chat, "ring");
    stage.show(&one).await;
    stage.show(&one).await;
    stage.wait_all_shown().await;
    gateway.stop().await;
    let _gateway = stage.gateway(app(&feishu));
    stage.show(&one).await;
    stage.wait_all_shown().await;
    assert_eq!((me.messages().len(), me.messages()[0].repeats), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_card_refuses_is_shown_more_simply() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    let refused = Fault::Code {
        http: 400,
        code: 230_099,
    };
    feishu.fault(Class::Send, refused.clone());
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "first")))
        .await;
    me.wait_text("first", SOON).await.unwrap();
    assert_eq!(me.messages()[0].msg_type, "interactive");
    // Later both forms of card are refused: the answer still comes, in a message of its own.
    feishu.fault_times(Class::Patch, 2, &refused);
    feishu.fault_times(Class::Send, 2, &refused);
    stage
        .show(&card(&user, &chat, id, 2, view(Tone::Done, "the answer")))
        .await;
    me.wait_text("the answer", SOON).await.unwrap();
    stage.wait_all_shown().await;
    let shown = me.messages();
    assert_eq!((shown.len(), shown[1].msg_type.as_str()), (2, "post"));
    assert_eq!(stage.dead().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_gone_is_sent_anew() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "first")))
        .await;
    me.wait_text("first", SOON).await.unwrap();
    feishu.fault(
        Class::Patch,
        Fault::Code {
            http: 400,
            code: 230_011,
        },
    );
    stage
        .show(&card(&user, &chat, id, 2, view(Tone::Done, "second")))
        .await;
    me.wait_text("second", SOON).await.unwrap();
    stage
        .show(&card(&user, &chat, id, 3, view(Tone::Done, "third")))
        .await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    assert_eq!(shown.len(), 2);
    assert!(
        shown[1].text().contains("third"),
        "the new one is edited from then on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_go_to_the_message_and_stay_in_its_topic() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let asked = me.say("question");
    let mut chat = direct(&me.chat_id());
    chat.message = Some(asked.clone());
    stage
        .show(&card(
            &user,
            &chat,
            CardId::new(),
            1,
            view(Tone::Done, "in reply"),
        ))
        .await;
    let reply = me.wait_text("in reply", SOON).await.unwrap();
    assert_eq!(
        (reply.reply_to.as_ref(), reply.in_thread),
        (Some(&asked), false)
    );
    chat.kind = ChatKind::Thread;
    stage.show(&notice(&user, &chat, "in the topic")).await;
    let reply = me.wait_text("in the topic", SOON).await.unwrap();
    assert_eq!(
        (reply.reply_to.as_ref(), reply.in_thread),
        (Some(&asked), true)
    );
    // What it replied to is taken back: the answer still comes.
    feishu.fault(
        Class::Reply,
        Fault::Code {
            http: 400,
            code: 230_011,
        },
    );
    stage.show(&notice(&user, &chat, "still told")).await;
    me.wait_text("still told", SOON).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_be_shown_is_a_dead_letter_and_blocks_nobody() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    let node = "home-pc".parse().unwrap();
    let mine = subject::out(&node, &user);
    let send = async |payload: Vec<u8>| {
        let id = CardId::new().to_string();
        stage.router.publish(&mine, &id, "", payload).await.unwrap();
    };
    send(b"not json".to_vec()).await;
    // For somebody else, under this person's subject: what the broker checked counts.
    let other: UserId = "ou_other".parse().unwrap();
    send(encode(&notice(&other, &chat, "not yours"))).await;
    me.refuse_messages(Some(230_053));
    let refused = notice(&user, &chat, "refused");
    stage.show(&refused).await;
    until("three dead letters", async || {
        (stage.dead().await == 3).then_some(())
    })
    .await;
    me.refuse_messages(None);
    stage.show(&notice(&user, &chat, "fine")).await;
    stage.wait_all_shown().await;
    let texts: Vec<String> = me
        .messages()
        .iter()
        .map(kit::feishu::BotMessage::text)
        .collect();
    assert_eq!(texts, ["fine"]);
}
