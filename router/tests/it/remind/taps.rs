//! The buttons of reminders.

use chrono::{TimeDelta, Utc};
use common::message::view::{Action, RemindChoice};
use common::stream::SCHED;
use common::subject;

use super::{change, comes, hub, listed};
use crate::world::World;

#[tokio::test]
async fn snoozed_it_comes_again_and_done_it_does_not() {
    let mut world = hub().await;
    world.says("ou_1", "om_1", "/remind 1s stretch").await;
    world.shown().await;
    let (card, _) = comes(&world).await;
    // Two taps are one more reminder.
    for tap in ["tap_1", "tap_2"] {
        world.taps("ou_1", tap, card.button("Snooze 10 min")).await;
        let snoozed = world.shown().await;
        assert_eq!(snoozed.card, card.card);
        assert!(
            snoozed.view.title.starts_with("Again "),
            "{}",
            snoozed.text()
        );
        assert!(snoozed.rev > card.rev);
    }
    assert_eq!(world.count(SCHED, subject::SCHED_ALL).await, 1);
    assert!(listed(&world, "ou_1", "om_2").await.contains("stretch"));
    world.taps("ou_1", "tap_3", card.button("Done")).await;
    let done = world.shown().await;
    assert_eq!(
        (done.card.as_str(), done.view.title.as_str()),
        (card.card.as_str(), "Done")
    );
    assert!(done.view.buttons.is_empty());
    assert_eq!(world.count(SCHED, subject::SCHED_ALL).await, 0);
    assert!(
        listed(&world, "ou_1", "om_3")
            .await
            .starts_with("No reminders")
    );

    // Put off once more after all, and its time comes while nobody is there.
    world
        .taps("ou_1", "tap_4", card.button("Snooze 10 min"))
        .await;
    world.shown().await;
    world.stop_router().await;
    soon(&world).await;
    world.start_router().await;
    let (again, rings) = comes(&world).await;
    assert_ne!(again.card, card.card);
    assert_eq!(rings, "⏰ stretch");
}

/// What waits is due now.
async fn soon(world: &World) {
    change(world, |record| {
        if record["state"]["state"] == "waits" {
            let due = Utc::now() - TimeDelta::seconds(1);
            record["due"] = due.to_rfc3339().into();
        }
    })
    .await;
    let alarms = world.inside.jetstream().get_stream(SCHED).await.unwrap();
    alarms.purge().await.unwrap();
}

#[tokio::test]
async fn cancelled_it_does_not_come() {
    let world = hub().await;
    world.says("ou_1", "om_1", "/remind 2s never").await;
    let set = world.shown().await;
    world.taps("ou_1", "tap_1", set.button("Cancel")).await;
    let cancelled = world.shown().await;
    assert_eq!(
        (cancelled.card.as_str(), cancelled.view.title.as_str()),
        (set.card.as_str(), "Reminder cancelled")
    );
    world.says("ou_1", "om_2", "/remind 2s by number").await;
    world.shown().await;
    world.says("ou_1", "om_3", "/remind 4s last").await;
    world.shown().await;
    world.says("ou_1", "om_4", "/remind cancel 1").await;
    assert_eq!(world.shown().await.text(), "Reminder cancelled\nby number");
    // The same act again, though number 1 is nobody's now.
    world.says("ou_1", "om_5", "/remind list").await;
    let list = world.shown().await;
    assert!(list.text().contains("2. "), "{}", list.text());
    let (card, _) = comes(&world).await;
    assert_eq!(card.text(), "Reminder\nlast");
    // Too late to take it back.
    world.taps("ou_1", "tap_2", list.button("Cancel 2")).await;
    assert_eq!(
        world.shown().await.view.title,
        "This reminder has come already"
    );
}

#[tokio::test]
async fn a_series_is_stopped_by_its_card() {
    let world = hub().await;
    world.says("ou_1", "om_1", "/remind every 2s breathe").await;
    world.shown().await;
    let (card, _) = comes(&world).await;
    world
        .taps("ou_1", "tap_1", card.button("Stop repeating"))
        .await;
    let mut stopped = world.shown().await;
    while stopped.view.title == "Reminder" {
        // One that was under way.
        world.out().await;
        stopped = world.shown().await;
    }
    assert_eq!(
        (stopped.card.as_str(), stopped.view.title.as_str()),
        (card.card.as_str(), "Reminder cancelled")
    );
    super::passes(3).await;
    assert!(
        listed(&world, "ou_1", "om_2")
            .await
            .starts_with("No reminders")
    );
}

#[tokio::test]
async fn a_tap_names_what_is_not_there() {
    let world = hub().await;
    for (n, choice) in [
        RemindChoice::Snooze,
        RemindChoice::Done,
        RemindChoice::Cancel,
        RemindChoice::CancelListed,
    ]
    .into_iter()
    .enumerate()
    {
        for due in [None, Some(0), Some(i64::MIN)] {
            let action = Action::Remind {
                reminder: common::ids::MessageId::new(),
                due,
                choice,
            };
            world
                .taps("ou_1", &format!("tap_{n}_{due:?}"), action)
                .await;
            assert_eq!(
                world.shown().await.view.title,
                "This reminder is not kept any more"
            );
        }
    }
}

/// Numbers that the person has read stay as they are.
#[tokio::test]
async fn put_off_twice_it_keeps_its_number() {
    let world = hub().await;
    world.says("ou_1", "om_1", "/remind 1s stretch").await;
    world.shown().await;
    let (card, _) = comes(&world).await;
    world
        .taps("ou_1", "tap_1", card.button("Snooze 10 min"))
        .await;
    world.shown().await;
    world.says("ou_1", "om_2", "/remind 1h tea").await;
    world.shown().await;
    for tap in ["tap_2", "tap_3"] {
        world.taps("ou_1", tap, card.button("Snooze 10 min")).await;
        world.shown().await;
        let list = listed(&world, "ou_1", &format!("list_{tap}")).await;
        let numbers: Vec<_> = list
            .lines()
            .filter_map(|line| line.split_once(". "))
            .collect();
        assert!(
            numbers[0].0 == "1" && numbers[0].1.ends_with("stretch"),
            "{list}"
        );
        assert!(
            numbers[1].0 == "2" && numbers[1].1.ends_with("tea"),
            "{list}"
        );
    }
}

#[tokio::test]
async fn done_leaves_a_series_as_it_is() {
    let world = hub().await;
    world.says("ou_1", "om_1", "/remind every 3s breathe").await;
    world.shown().await;
    let (card, _) = comes(&world).await;
    for tap in ["tap_1", "tap_2"] {
        world.taps("ou_1", tap, card.button("Done")).await;
    }
    let (mut done, mut due) = (0, 0);
    while done < 2 || due < 1 {
        let shown = world.shown().await;
        match shown.view.title.as_str() {
            "Done" => {
                assert_eq!(shown.card, card.card);
                done += 1;
            }
            "Reminder" => {
                world.out().await;
                due += 1;
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn putting_off_has_the_same_bound_as_setting() {
    let world = hub().await;
    world.says("ou_1", "om_0", "/remind 1s stretch").await;
    world.shown().await;
    let (card, _) = comes(&world).await;
    for n in 1..=100 {
        let text = format!("/remind 1h number {n}");
        world.says("ou_1", &format!("om_{n}"), &text).await;
    }
    for _ in 1..=100 {
        world.shown().await;
    }
    world
        .taps("ou_1", "tap_1", card.button("Snooze 10 min"))
        .await;
    let refused = world.shown().await;
    assert_ne!(refused.card, card.card);
    assert_eq!(
        refused.view.title,
        "Not set: you have 100 reminders already"
    );
    // With room again, the buttons are still there.
    world.says("ou_1", "om_x", "/remind cancel 50").await;
    world.shown().await;
    world
        .taps("ou_1", "tap_2", card.button("Snooze 10 min"))
        .await;
    assert_eq!(world.shown().await.card, card.card);
}
