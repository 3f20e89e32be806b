//! What the platform's documents leave open, answered in each way that a platform may choose: still
//! one visible answer each, and none lost.

use std::time::Duration;

use common::ids::CardId;
use common::message::view::Tone;
use kit::feishu::{Class, Fault, Feishu, Repeated, SayOptions, Settings, User};

use crate::deliver::start;
use crate::stage::{SOON, Stage, app, card, direct, notice, view};

fn count(me: &User, part: &str) -> usize {
    let messages = me.messages();
    messages
        .iter()
        .filter(|one| one.text().contains(part))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_confirmation_never_makes_a_second_message() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    let refused = |code, msg| Repeated::Refused { code, msg };
    let ways = [
        Repeated::First,
        Repeated::Nameless,
        refused(230_099, "Failed to send, ext=duplicate uuid"),
        refused(230_099, "Failed to create card content"),
        refused(230_001, "invalid request parameter, ext=repeated uuid"),
        refused(230_001, "invalid request parameter"),
        refused(77, "conflict"),
    ];
    for (n, way) in ways.into_iter().enumerate() {
        feishu.set(|settings| settings.repeated_uuid = way);
        let before = me.messages().len();
        feishu.fault(Class::Send, Fault::DropAfterWork);
        let id = CardId::new();
        for (rev, tone, text) in [
            (1, Tone::Working, format!("working-{n}.")),
            (2, Tone::Working, format!("still-working-{n}.")),
            (3, Tone::Done, format!("answer-{n}.")),
        ] {
            stage
                .show(&card(&user, &chat, id, rev, view(tone, &text)))
                .await;
        }
        stage.wait_all_shown().await;
        assert_eq!(
            count(&me, &format!("answer-{n}.")),
            1,
            "{way:?} {}",
            feishu.story()
        );
        // Where nobody tells the id of the first, the answer needs one of its own.
        let most = if way == Repeated::First { 1 } else { 2 };
        assert_eq!(
            me.messages().len() - before,
            most,
            "{way:?} {}",
            feishu.story()
        );
        feishu.fault(Class::Send, Fault::DropAfterWork);
        stage
            .show(&notice(&user, &chat, &format!("notice-{n}.")))
            .await;
        // Behind the one whose confirmation was lost.
        stage
            .show(&notice(&user, &chat, &format!("next-{n}.")))
            .await;
        me.wait_text(&format!("next-{n}."), SOON).await.unwrap();
        assert_eq!(count(&me, &format!("notice-{n}.")), 1, "{way:?}");
    }
    assert_eq!(feishu.faults_left(Class::Send), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_names_no_messages_shows_the_outcome_once() {
    let (stage, feishu, me, user) = start().await;
    feishu.set(|settings| settings.nameless = true);
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    for (rev, text) in [(1, "one"), (2, "two"), (3, "three")] {
        stage
            .show(&card(&user, &chat, id, rev, view(Tone::Working, text)))
            .await;
    }
    stage
        .show(&card(&user, &chat, id, 4, view(Tone::Done, "the end")))
        .await;
    stage.wait_all_shown().await;
    let texts: Vec<bool> = me
        .messages()
        .iter()
        .map(|m| m.text().contains("the end"))
        .collect();
    assert_eq!(texts, [false, true], "{}", feishu.story());
    assert_eq!(stage.dead().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_outlives_edits_that_are_refused_for_good() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    let code = |code| Fault::Code { http: 400, code };
    let faults = [
        Fault::Status(404),
        code(230_027),
        code(230_054),
        code(230_071),
        code(99_991_672),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        let (id, answer) = (CardId::new(), format!("answer-{n}."));
        let before = me.messages().len();
        stage
            .show(&card(&user, &chat, id, 1, view(Tone::Working, "begins")))
            .await;
        stage.wait_all_shown().await;
        feishu.fault_times(Class::Patch, 2, &fault);
        // No message for each step of the work, one for its outcome.
        stage
            .show(&card(&user, &chat, id, 2, view(Tone::Working, "goes on")))
            .await;
        stage
            .show(&card(&user, &chat, id, 3, view(Tone::Done, &answer)))
            .await;
        stage.wait_all_shown().await;
        assert_eq!(count(&me, &answer), 1, "{fault:?} {}", feishu.story());
        assert_eq!(me.messages().len() - before, 2, "{fault:?}");
    }
    assert_eq!(stage.dead().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_reply_is_not_possible_the_chat_gets_it() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let mut chat = direct(&me.chat_id());
    chat.message = Some(me.say("question"));
    let faults = [
        Fault::Status(404),
        Fault::Code {
            http: 400,
            code: 230_019,
        },
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        feishu.fault(Class::Reply, fault);
        let text = format!("answer-{n}.");
        let shown = card(&user, &chat, CardId::new(), 1, view(Tone::Done, &text));
        stage.show(&shown).await;
        let message = me.wait_text(&text, SOON).await.unwrap();
        assert_eq!(message.reply_to, None);
    }
    stage.wait_all_shown().await;
    assert_eq!((me.messages().len(), stage.dead().await), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_to_trouble_with_the_token() {
    let (stage, feishu, me, user) = start().await;
    for status in [404, 403, 401, 500, 200] {
        feishu.fault(Class::Token, Fault::Status(status));
    }
    let _gateway = stage.gateway(app(&feishu));
    stage
        .show(&notice(&user, &direct(&me.chat_id()), "told"))
        .await;
    me.wait_text("told", SOON).await.unwrap();
    assert_eq!(
        (feishu.faults_left(Class::Token), stage.dead().await),
        (0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn group_messages_are_not_lost_while_our_own_id_is_unknown() {
    let cases = [
        // For a moment: it comes again, and is taken then.
        (Fault::Status(502), 2, false),
        // For good: who is mentioned cannot be told, so the first one is taken for us.
        (Fault::Status(404), 1000, true),
    ];
    for (fault, times, at_once) in cases {
        let stage = Stage::start().await;
        let feishu = Feishu::start_with(Settings {
            redelivery: vec![Duration::from_millis(300); 40],
            unmarked_mentions: true,
            ..Settings::default()
        })
        .await;
        feishu.fault_times(Class::BotInfo, times, &fault);
        let _gateway = stage.gateway(app(&feishu));
        feishu.wait_connected(1, SOON).await.unwrap();
        if at_once {
            let asked = |f: &Feishu| f.calls().iter().any(|call| call.class == Class::BotInfo);
            feishu.wait_until(asked, SOON).await.unwrap();
        }
        let group = feishu.group(&["ou_me"]);
        let options = SayOptions {
            chat: Some(group.chat_id().to_owned()),
            mention: true,
            ..SayOptions::default()
        };
        feishu.user("ou_me").say_with("in the group", options);
        stage.wait_said(1).await;
    }
}
