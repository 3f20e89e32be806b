//! One person's things are nobody else's, also where both sit in one group: sessions and their folders,
//! commands that run, reminders, what was said to the model.

use kit::feishu::{BotMessage, Group, SayOptions, Tap, User};

use crate::world::{LONG, World, until};

/// The last thing said in a group, once something new is there.
async fn answered(group: &Group, who: &User, text: &str) -> String {
    let before = group.messages().len();
    let options = SayOptions {
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    who.say_with(text, options);
    until(LONG, text, || group.messages().len() > before).await;
    // A command's card says at once that it runs; what counts is its end.
    until(LONG, text, || {
        let last = group.messages().pop().unwrap();
        !last.has_button("Stop")
    })
    .await;
    group.messages().pop().unwrap().text()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_things_are_nobody_elses_in_a_group_as_well() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let (anna, bob) = (world.anna(), world.feishu.user("ou_bob"));
    let group = world.feishu.group(&["ou_anna", "ou_bob"]);
    anna.say("/new demo");
    world.sees("is ready").await;
    let demo = world.work().join("demo");
    std::fs::write(demo.join("secret.txt"), "annas-secret").unwrap();
    anna.say("/shell --bg echo annas-task; while [ ! -e go ]; do sleep 0.1; done");
    let task = world
        .sees_that(|m| m.text().contains("annas-task") && m.has_button("Stop"))
        .await;
    anna.say("/remind 2h annas-reminder");
    world.sees("You will be reminded").await;

    // Her folder is not there for him, whatever he tries it with.
    for text in [
        "/cat demo/secret.txt",
        "/ls demo",
        "/grep annas demo",
        "/send demo/secret.txt",
        "/shell cat demo/secret.txt",
        "/shell ls demo",
        "/shell echo bobs > demo/bobs.txt",
        "/shell cp -r demo mine",
        "/new demo",
        "/new demo/inside",
        "/status",
        "/tasks",
        "/tasks 1",
        "/remind list",
        "/remind cancel 1",
        "/switch 1",
        "/close 1",
    ] {
        let said = answered(&group, &bob, text).await;
        for hers in ["annas-secret", "annas-task", "annas-reminder"] {
            assert!(!said.contains(hers), "{text}: {said}");
        }
    }
    let there = |name: &str| demo.join(name).exists();
    assert!(!there("bobs.txt") && !there("inside"));
    assert!(!world.work().join("mine/secret.txt").exists());

    // His tap on her command's card stops nothing.
    let tap = Tap {
        by: Some("ou_bob".into()),
        ..Tap::default()
    };
    let id = &task.message_id;
    world.feishu.tap_with(id, "Stop", tap).await.unwrap();
    std::fs::write(demo.join("go"), "").unwrap();
    let ended = |m: &BotMessage| m.message_id == *id && m.text().contains("exit 0");
    world.sees_that(ended).await;

    // Hers are still hers, and asked in the group she is answered there.
    let said = answered(&group, &anna, "/remind list").await;
    assert!(said.contains("annas-reminder"), "{said}");
    let said = answered(&group, &anna, "/cat secret.txt").await;
    assert!(said.contains("annas-secret"), "{said}");
}
