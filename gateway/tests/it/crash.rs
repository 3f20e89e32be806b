//! Answers that get lost and processes that end where they stand: nothing is shown twice, nothing
//! is left out, and nothing newer overtakes.

use std::time::Duration;

use common::ids::CardId;
use common::message::outbound::Preview;
use common::message::view::Tone;
use kit::feishu::{Class, Fault, Feishu};

use crate::deliver::start;
use crate::stage::{SOON, app, card, direct, notice, view};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_shows_nothing_twice() {
    let (stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    feishu.fault(Class::Send, Fault::DropAfterWork);
    feishu.fault(Class::Patch, Fault::DropAfterWork);
    let id = CardId::new();
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "one")))
        .await;
    stage
        .show(&card(&user, &chat, id, 2, view(Tone::Done, "two")))
        .await;
    stage.wait_all_shown().await;
    let shown = me.messages();
    assert_eq!(
        (shown.len(), shown[0].repeats),
        (1, 1),
        "{}",
        feishu.story()
    );
    assert!(shown[0].text().contains("two"));
    assert_eq!(
        feishu.faults_left(Class::Send) + feishu.faults_left(Class::Patch),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_sending_shows_nothing_twice() {
    let (mut stage, feishu, me, user) = start().await;
    let gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    // The platform has done its work and is slow to say so: meanwhile the broker goes, so that
    // nothing can be written down, and then the process.
    feishu.fault(Class::Send, Fault::DropAfterWork);
    stage
        .show(&card(&user, &chat, id, 1, view(Tone::Working, "one")))
        .await;
    me.wait_text("one", SOON).await.unwrap();
    stage.nats.kill().await;
    gateway.crash();
    stage.nats.restart().await;
    let _gateway = stage.gateway(app(&feishu));
    stage
        .show(&card(&user, &chat, id, 2, view(Tone::Done, "two")))
        .await;
    stage.show(&notice(&user, &chat, "after")).await;
    stage.wait_all_shown().await;
    let texts: Vec<String> = me
        .messages()
        .iter()
        .map(kit::feishu::BotMessage::text)
        .collect();
    assert_eq!(texts.len(), 2, "{}", feishu.story());
    assert_eq!(me.messages()[0].repeats, 1, "{}", feishu.story());
    assert!(
        texts[0].contains("two") && texts[1].contains("after"),
        "{texts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_half_way_lets_no_older_preview_through() {
    let (mut stage, feishu, me, user) = start().await;
    let _gateway = stage.gateway(app(&feishu));
    let (chat, id) = (direct(&me.chat_id()), CardId::new());
    let rev = |n, tone, text: &str| card(&user, &chat, id, n, view(tone, text));
    let preview = |n, text: &str| Preview {
        card: id,
        rev: 1,
        n,
        user: user.clone(),
        view: view(Tone::Working, text),
    };
    stage.show(&rev(1, Tone::Working, "starting")).await;
    me.wait_text("starting", SOON).await.unwrap();
    // Nobody sees the end of this edit, so the answer will be edited once more after a while.
    feishu.fault(Class::Patch, Fault::DropAfterWork);
    stage.preview(&preview(1, "half of it")).await;
    me.wait_text("half of it", SOON).await.unwrap();
    // The older it is, the longer that while.
    tokio::time::sleep(Duration::from_secs(4)).await;
    stage.show(&rev(2, Tone::Done, "all of it")).await;
    me.wait_text("all of it", SOON).await.unwrap();
    // A preview comes and waits behind the answer; it has the time to.
    stage.preview(&preview(2, "too late")).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // Then the broker goes: what was under way is given up.
    stage.nats.kill().await;
    stage.nats.restart().await;
    stage.wait_all_shown().await;
    let edits = &me.messages()[0].edits;
    let late = |edit: &kit::feishu::Edit| edit.content.to_string().contains("too late");
    assert!(!edits.iter().any(late), "{}", feishu.story());
    assert!(me.messages()[0].text().contains("all of it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_of_a_long_answer_completes_it() {
    let (stage, feishu, me, user) = start().await;
    let gateway = stage.gateway(app(&feishu));
    let chat = direct(&me.chat_id());
    let long: String = (0..4000)
        .map(|n| format!("line {n} of the answer\n\n"))
        .collect();
    for _ in 0..2 {
        feishu.fault(Class::Send, Fault::Delay(Duration::ZERO));
    }
    feishu.fault(Class::Send, Fault::Hang);
    stage
        .show(&card(
            &user,
            &chat,
            CardId::new(),
            1,
            view(Tone::Done, &long),
        ))
        .await;
    let hanging = |f: &Feishu| f.faults_left(Class::Send) == 0;
    feishu.wait_until(hanging, SOON).await.unwrap();
    gateway.crash();
    assert_eq!(me.messages().len(), 2);
    let _gateway = stage.gateway(app(&feishu));
    stage.show(&notice(&user, &chat, "after")).await;
    stage.wait_all_shown().await;
    let texts: Vec<String> = me
        .messages()
        .iter()
        .map(kit::feishu::BotMessage::text)
        .collect();
    let parts = texts.len() - 1;
    assert!(parts > 2, "{}", feishu.story());
    assert!(
        texts[parts].contains("after"),
        "newer messages must not overtake"
    );
    let joined = texts.join("\n");
    let places: Vec<Option<usize>> = (0..4000)
        .map(|n| joined.find(&format!("line {n} of")))
        .collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted());
    assert_eq!(joined.matches("line 0 of").count(), 1);
}
