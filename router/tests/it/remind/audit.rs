//! What is done with reminders stands in the audit: set, fired, done, cancelled, each by whom and where.

use common::audit::read::{Wanted, folders, read};
use common::audit::{Kind, Record};

use super::{comes, hub};
use crate::world::{World, until};

fn lines(world: &World) -> Vec<Record> {
    let mut found = Vec::new();
    let read = read(
        &folders(world.nats.data_dir()),
        &Wanted::default(),
        |record| {
            found.push(record.clone());
            Ok::<_, std::convert::Infallible>(())
        },
    );
    assert_eq!(read.unwrap().bad, 0);
    found
}

fn outcomes(world: &World) -> Vec<String> {
    let lines = lines(world).into_iter();
    let of_reminders = lines.filter(|line| line.kind == Kind::Reminder);
    of_reminders
        .map(|line| {
            assert!(
                line.user.is_some() && line.chat.is_some() && line.cause.is_some(),
                "{line:?}"
            );
            let what = line.what.unwrap();
            let text = what.rsplit(' ').next().unwrap();
            format!("{} {text}", line.outcome.unwrap())
        })
        .collect()
}

#[tokio::test]
async fn each_step_has_its_line() {
    let world = hub().await;
    world.says("ou_1", "om_1", "/remind 1s stretch").await;
    world.shown().await;
    let (card, _) = comes(&world).await;
    world
        .taps("ou_1", "tap_1", card.button("Snooze 10 min"))
        .await;
    world.shown().await;
    world.taps("ou_1", "tap_2", card.button("Done")).await;
    world.shown().await;
    world
        .says("ou_1", "om_2", "/remind every day at 8 water")
        .await;
    let set = world.shown().await;
    world.taps("ou_1", "tap_3", set.button("Cancel")).await;
    world.shown().await;
    // What has come is not taken back any more, and no line says so.
    world.says("ou_1", "om_3", "/remind 1s late").await;
    let late = world.shown().await;
    comes(&world).await;
    world.taps("ou_1", "tap_4", late.button("Cancel")).await;
    assert_eq!(
        world.shown().await.view.title,
        "This reminder has come already"
    );
    let wanted = [
        "set stretch",
        "fired stretch",
        "set stretch",
        "cancelled stretch",
        "done stretch",
        "set water",
        "cancelled water",
        "set late",
        "fired late",
    ];
    until("all lines", || async {
        (outcomes(&world).len() >= wanted.len()).then_some(())
    })
    .await;
    assert_eq!(outcomes(&world), wanted);
    // And each act, and what was decided of it.
    let all = lines(&world);
    let count = |kind| all.iter().filter(|line| line.kind == kind).count();
    assert_eq!(
        (
            count(Kind::Message),
            count(Kind::Tap),
            count(Kind::Decision)
        ),
        (3, 4, 7)
    );
}
