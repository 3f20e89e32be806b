//! Reminders over a real broker: each comes once, whatever is down when it is due, and to whom it belongs.

mod asked;
mod audit;
mod taps;

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use common::message::inbound::{ChatKind, Inbound, InboundBody};
use common::message::outbound::OutboundBody;
use common::message::view::Action;
use common::stream::{KV_REMIND, SCHED};
use common::subject;
use futures_util::TryStreamExt as _;
use serde_json::Value;

use crate::world::{Shown, World, inbound, until, user};

/// Without any machine: reminders need none.
async fn hub() -> World {
    World::start(&[]).await
}

/// The card of a reminder that is due, and the short message with it.
async fn comes(world: &World) -> (Shown, String) {
    let card = world.shown().await;
    assert_eq!(card.view.title, "Reminder", "{}", card.text());
    let rings = world.out().await;
    let OutboundBody::Notice { text } = rings.body else {
        panic!("a short message was expected: {rings:?}");
    };
    (card, text)
}

/// What is set, as the person sees it.
async fn listed(world: &World, who: &str, cause: &str) -> String {
    world.says(who, cause, "/remind list").await;
    world.shown().await.text()
}

fn due_of(card: &Shown, label: &str) -> i64 {
    match card.button(label) {
        Action::Remind { due: Some(due), .. } => due,
        other => panic!("{other:?}"),
    }
}

async fn passes(seconds: i64) {
    let end = Utc::now() + TimeDelta::seconds(seconds);
    until("time", || async { (Utc::now() > end).then_some(()) }).await;
}

#[tokio::test]
async fn one_is_set_listed_and_comes_once() {
    let world = hub().await;
    world.says("ou_1", "om_1", "/remind 3s stretch").await;
    let set = world.shown().await;
    assert_eq!(set.view.title, "You will be reminded");
    assert!(set.text().ends_with("stretch"), "{}", set.text());
    let list = listed(&world, "ou_1", "om_2").await;
    assert!(
        list.starts_with("Your reminders\n1. ") && list.ends_with(": stretch"),
        "{list}"
    );
    let (card, rings) = comes(&world).await;
    assert_eq!(card.text(), "Reminder\nstretch");
    assert_eq!(rings, "⏰ stretch");
    // It is gone from the list, and nothing came in between.
    assert!(
        listed(&world, "ou_1", "om_3")
            .await
            .starts_with("No reminders")
    );
    assert_eq!(world.count(SCHED, subject::SCHED_ALL).await, 0);
    until("it is taken out", || async {
        (world.count(SCHED, subject::FIRE_ALL).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_comes_once_though_broker_and_router_were_down_when_it_was_due() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/remind 2s stretch").await;
    let set = world.shown().await;
    world.kill_router().await;
    world.nats.kill().await;
    passes(3).await;
    world.nats.restart().await;
    world.start_router().await;
    let (card, _) = comes(&world).await;
    assert_eq!(card.text(), "Reminder\nstretch");
    // The router dies right then, and the next one has nothing more to say.
    world.kill_router().await;
    world.start_router().await;
    nothing_more(&world, &set).await;
}

/// Nothing is set any more, and whatever else is shown would be seen here, but for what a gateway passes over: the
/// answer `before` once more, when the broker died before it was settled.
async fn nothing_more(world: &World, before: &Shown) {
    let end = Utc::now() + TimeDelta::seconds(20);
    for n in 0.. {
        world
            .says("ou_1", &format!("list_{n}"), "/remind list")
            .await;
        let mut shown = world.shown().await;
        if (&shown.card, shown.rev) == (&before.card, before.rev) {
            shown = world.shown().await;
        }
        let list = shown.text();
        if list.starts_with("No reminders") {
            return;
        }
        assert!(
            list.starts_with("Your reminders") && Utc::now() < end,
            "{list}"
        );
    }
}

#[tokio::test]
async fn with_the_router_down_it_waits_for_the_next_one() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/remind 2s stretch").await;
    world.shown().await;
    world.kill_router().await;
    until("it is due", || async {
        (world.count(SCHED, subject::FIRE_ALL).await == 1).then_some(())
    })
    .await;
    world.start_router().await;
    comes(&world).await;
    assert!(
        listed(&world, "ou_1", "om_2")
            .await
            .starts_with("No reminders")
    );
}

/// Each time of a series, by its card; every one is shown once.
async fn times(world: &World, count: usize) -> BTreeMap<i64, String> {
    let mut found = BTreeMap::new();
    for _ in 0..count {
        let (card, _) = comes(world).await;
        let due = due_of(&card, "Done");
        let twice = found.insert(due, card.card.clone());
        assert_eq!(twice, None, "shown twice");
        assert_eq!(card.rev, 1);
    }
    found
}

#[tokio::test]
async fn a_series_comes_once_in_each_period_over_restarts_of_broker_and_router() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/remind every 2s breathe").await;
    let set = world.shown().await;
    assert!(
        set.text().contains("every 2 seconds\nNext: "),
        "{}",
        set.text()
    );
    let mut all = times(&world, 2).await;
    world.nats.kill().await;
    world.nats.restart().await;
    all.extend(times(&world, 2).await);
    // Down over several periods: one of them, and then the beat as it was.
    world.nats.kill().await;
    passes(5).await;
    world.nats.restart().await;
    all.extend(times(&world, 2).await);
    world.kill_router().await;
    world.start_router().await;
    all.extend(times(&world, 2).await);
    assert_eq!(all.len(), 8, "{all:?}");
    let dues: Vec<_> = all.keys().copied().collect();
    let steps: Vec<_> = dues.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(
        steps.iter().all(|step| *step > 0 && step % 2_000 == 0),
        "{steps:?}"
    );
    // No period was left out but those in which the broker was down.
    assert!(
        steps.iter().filter(|step| **step > 2_000).count() <= 3,
        "{steps:?}"
    );
    assert!(listed(&world, "ou_1", "om_2").await.contains("1. "));
}

/// All records, changed by hand.
async fn change(world: &World, how: impl Fn(&mut Value)) {
    let js = world.inside.jetstream();
    let store = js.get_key_value(KV_REMIND).await.unwrap();
    let keys: Vec<String> = store.keys().await.unwrap().try_collect().await.unwrap();
    for key in keys {
        let value = store.get(&key).await.unwrap().unwrap();
        let mut record: Value = serde_json::from_slice(&value).unwrap();
        how(&mut record);
        let value = serde_json::to_vec(&record).unwrap();
        store.put(&key, value.into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_late_one_says_when_it_was_due_and_a_lost_alarm_is_set_again() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/remind 1h stretch").await;
    world.shown().await;
    world.stop_router().await;
    let due = Utc::now() - TimeDelta::minutes(12);
    change(&world, |record| record["due"] = due.to_rfc3339().into()).await;
    // As after a power cut: the broker has forgotten its alarm.
    let alarms = world.inside.jetstream().get_stream(SCHED).await.unwrap();
    alarms.purge().await.unwrap();
    world.start_router().await;
    let (card, _) = comes(&world).await;
    let text = card.text();
    assert!(
        text.contains("It was due ") && text.ends_with("(12 min ago); the hub was off then."),
        "{text}"
    );
}

#[tokio::test]
async fn the_same_act_again_sets_nothing_anew() {
    let world = hub().await;
    let act = world.says("ou_1", "om_1", "/remind 2s stretch").await;
    world.shown().await;
    comes(&world).await;
    // As after a crash before it was acknowledged.
    let again = common::message::encode(&act);
    let to = subject::inbound_message(&act.user);
    world.gate.publish(&to, "another", "", again).await.unwrap();
    assert!(
        listed(&world, "ou_1", "om_2")
            .await
            .starts_with("No reminders")
    );
    assert_eq!(world.count(SCHED, ">").await, 0);
}

#[tokio::test]
async fn what_is_not_understood_is_answered_with_examples_and_sets_nothing() {
    let world = hub().await;
    for (n, (text, title)) in [
        (
            "/remind buy milk",
            "When? That was not understood, and nothing was changed",
        ),
        ("/remind 10m", "Remind you of what? Nothing was changed"),
        ("/remind 0s x", "Too soon: in 1 s at the earliest"),
        ("/remind every 0s x", "Too often: every 1 s at most"),
        ("/remind 1000d x", "You will be reminded"),
        ("/remind 99999d x", "Too far off: within five years"),
        (
            "/remind 2020-01-01 09:00 x",
            "Wed 1 Jan 2020 09:00 is over; nothing was changed",
        ),
        (
            "/remind cancel",
            "That is not how this command is written; nothing was changed",
        ),
        ("/remind cancel 7", "There is no reminder 7"),
        ("/remind zone Nowhere", "There is no time zone “Nowhere”"),
    ]
    .into_iter()
    .enumerate()
    {
        world.says("ou_1", &format!("om_{n}"), text).await;
        assert_eq!(world.shown().await.view.title, title, "{text}");
    }
    assert_eq!(world.count(SCHED, ">").await, 1);
    world.says("ou_1", "om_x", "/remind buy milk").await;
    assert!(
        world
            .shown()
            .await
            .text()
            .contains("/remind tomorrow 9am report")
    );
    let zh = Some(common::lang::Lang::Zh);
    let text = InboundBody::Text {
        text: "/remind 买牛奶".into(),
    };
    world.act_in("ou_1", "om_y", text, zh).await;
    assert!(
        world
            .shown()
            .await
            .text()
            .contains("/remind 明天9点 交报告")
    );
}

#[tokio::test]
async fn a_persons_own_zone_counts() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/remind zone asia/tokyo").await;
    assert_eq!(
        world.shown().await.view.title,
        "Your time zone is Asia/Tokyo now"
    );
    world.stop_router().await;
    world.start_router().await;
    world
        .says("ou_1", "om_2", "/remind 2030-01-01 09:00 new year")
        .await;
    let set = world.shown().await;
    assert!(
        set.text().contains("Tue 1 Jan 2030 09:00"),
        "{}",
        set.text()
    );
    let mut due = String::new();
    change(&world, |record| {
        assert_eq!(record["due"], "2030-01-01T00:00:00Z");
    })
    .await;
    due.push_str(&listed(&world, "ou_1", "om_3").await);
    assert!(due.contains("09:00"), "{due}");
}

/// Somebody in a group.
fn in_group(who: &str, cause: &str, text: &str) -> Inbound {
    let body = InboundBody::Text { text: text.into() };
    let mut said = inbound(who, cause, body, None);
    said.chat.id = "oc_group".into();
    said.chat.kind = ChatKind::Group;
    said
}

#[tokio::test]
async fn in_one_group_each_has_their_own() {
    let world = hub().await;
    world
        .publish(&in_group("ou_1", "om_1", "/remind 1h first"))
        .await;
    let first = world.shown().await;
    world
        .publish(&in_group("ou_2", "om_2", "/remind 3s second"))
        .await;
    world.shown().await;
    world
        .publish(&in_group("ou_2", "om_3", "/remind list"))
        .await;
    let theirs = world.shown().await.text();
    assert!(
        theirs.contains("second") && !theirs.contains("first"),
        "{theirs}"
    );
    // It comes where it was set, to whom it belongs.
    let (card, _) = comes(&world).await;
    assert_eq!(card.outbound.user, user("ou_2"));
    assert_eq!(card.outbound.chat.id, "oc_group");
    // Neither number nor button reaches another's.
    world
        .publish(&in_group("ou_2", "om_4", "/remind cancel 1"))
        .await;
    assert_eq!(world.shown().await.view.title, "There is no reminder 1");
    world.taps("ou_2", "tap_1", first.button("Cancel")).await;
    assert_eq!(
        world.shown().await.view.title,
        "This reminder is not kept any more"
    );
    assert!(listed(&world, "ou_1", "om_5").await.contains("first"));
}

#[tokio::test]
async fn there_is_a_bound_and_it_is_told() {
    let world = hub().await;
    for n in 0..100 {
        world
            .says(
                "ou_1",
                &format!("om_{n}"),
                &format!("/remind 1h number {n}"),
            )
            .await;
    }
    for _ in 0..100 {
        assert_eq!(world.shown().await.view.title, "You will be reminded");
    }
    world.says("ou_1", "om_100", "/remind 1h one more").await;
    assert_eq!(
        world.shown().await.view.title,
        "Not set: you have 100 reminders already"
    );
    world.says("ou_2", "om_101", "/remind 1h mine").await;
    assert_eq!(world.shown().await.view.title, "You will be reminded");
    world.says("ou_1", "om_102", "/remind cancel 50").await;
    assert_eq!(world.shown().await.text(), "Reminder cancelled\nnumber 49");
    world.says("ou_1", "om_103", "/remind 1h one more").await;
    assert_eq!(world.shown().await.view.title, "You will be reminded");
    assert_eq!(world.count(SCHED, subject::SCHED_ALL).await, 101);
}

#[tokio::test]
async fn the_language_is_chosen_and_kept() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/lang").await;
    assert_eq!(world.shown().await.view.title, "Language: English");
    world.says("ou_1", "om_2", "/lang klingon").await;
    assert!(world.shown().await.text().contains("/lang"));
    world.says("ou_1", "om_3", "/lang zh").await;
    assert_eq!(world.shown().await.view.title, "好的，以后说中文");
    // It beats what the platform says, and outlives the router.
    world.kill_router().await;
    world.start_router().await;
    let text = InboundBody::Text {
        text: "/remind list".into(),
    };
    let en = Some(common::lang::Lang::En);
    world.act_in("ou_1", "om_4", text, en).await;
    assert!(world.shown().await.text().starts_with("没有提醒"));
    world.says("ou_2", "om_5", "/remind list").await;
    assert!(world.shown().await.text().starts_with("No reminders"));
    world.says("ou_1", "om_6", "/remind 1s 喝水").await;
    assert_eq!(world.shown().await.view.title, "好的，会提醒您");
    assert_eq!(world.shown().await.view.title, "提醒");
    world.out().await;
    world.says("ou_1", "om_7", "/lang English").await;
    assert_eq!(world.shown().await.view.title, "English from now on");
}
