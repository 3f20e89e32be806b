//! One person's things are nobody else's, also where both sit in one group: sessions and their folders,
//! commands that run, reminders. What was said to the model is `mailboy`'s.

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

/// A picture of one by one.
const PNG: &[u8] =
    b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\
    \x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_sends_is_theirs_in_a_group_as_well() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let (anna, bob) = (world.anna(), world.feishu.user("ou_bob"));
    let group = world.feishu.group(&["ou_anna", "ou_bob"]);
    // Without a session it is in a folder of her own.
    anna.send_file("notes.txt", &b"annas-notes"[..]);
    world.sees("inbox/feishu-ou_anna/notes.txt (11 B)").await;
    std::fs::create_dir_all(world.work().join("open")).unwrap();
    for text in [
        "/ls inbox",
        "/ls inbox/feishu-ou_anna",
        "/cat inbox/feishu-ou_anna/notes.txt",
        "/cat ./inbox/../inbox/feishu-ou_anna/notes.txt",
        "/grep annas",
        "/grep annas inbox/feishu-ou_anna",
        "/send inbox/feishu-ou_anna/notes.txt",
        "/shell cat inbox/feishu-ou_anna/notes.txt",
        "/shell ls inbox/feishu-ou_anna",
        "/shell cp -r inbox open",
        "/shell mv inbox/feishu-ou_anna open",
        "/shell ln -s ../inbox/feishu-ou_anna open/link",
        "/shell cat open/link/notes.txt",
        "/cat open/link/notes.txt",
        "/shell cd inbox/feishu-ou_anna",
        "/shell echo bobs > inbox/feishu-ou_anna/bobs.txt",
        "/new inbox/feishu-ou_anna",
        "/new inbox/feishu-ou_anna/deeper",
    ] {
        let said = answered(&group, &bob, text).await;
        assert!(!said.contains("annas-notes"), "{text}: {said}");
        assert!(
            text.contains("open")
                || !said.contains("notes.txt")
                || said.contains("There is no")
                || said.contains("Permission denied")
                || said.contains("No such file")
                || said.contains("refused"),
            "{text}: {said}"
        );
    }
    let hers = world.work().join("inbox/feishu-ou_anna");
    assert_eq!(
        std::fs::read(hers.join("notes.txt")).unwrap(),
        b"annas-notes"
    );
    let names: Vec<_> = std::fs::read_dir(&hers).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(group.messages().iter().all(|m| m.msg_type != "file"));

    // What he sends in the group is his: it lies in his folder, not in her session's, and goes with his
    // next message, not with hers.
    anna.say("/new demo");
    world.sees("is ready").await;
    let message_id = "om_bobs_picture".to_owned();
    bob.attach(&message_id, "img_bobs", "image", "", PNG.into());
    let content = serde_json::json!({"title": "", "content": [
        [{"tag": "at", "user_id": "@_user_1"}, {"tag": "img", "image_key": "img_bobs"}],
    ]});
    let sent = SayOptions {
        message_id: Some(message_id),
        msg_type: Some("post".into()),
        content: Some(content),
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    bob.say_with("", sent);
    until(LONG, "his picture", || {
        let his = |m: &BotMessage| m.text().contains("inbox/feishu-ou_bob/image-");
        group.messages().iter().any(his)
    })
    .await;
    let in_group = || SayOptions {
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    for (who, words, pictures) in [(&anna, "for-anna", 0), (&bob, "for-bob", 1)] {
        if pictures == 1 {
            bob.say_with("/new bobs", in_group());
            until(LONG, "his session", || {
                group
                    .messages()
                    .iter()
                    .any(|m| m.text().contains("is ready"))
            })
            .await;
        }
        let text = format!("fake: text {{images}} picture {words}");
        who.say_with(&text, in_group());
        let answer = format!("{pictures} picture {words}");
        until(LONG, &answer, || {
            let fits = |m: &BotMessage| m.text().contains(&answer) && m.buttons().is_empty();
            group.messages().iter().any(fits)
        })
        .await;
    }
    let demo: Vec<_> = std::fs::read_dir(world.work().join("demo"))
        .unwrap()
        .collect();
    assert!(demo.is_empty(), "{demo:?}");
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

    // His folder becomes a link to hers: nothing of his runs there, and nothing that he sends lands there.
    let in_group = || SayOptions {
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    answered(&group, &bob, "/new bobs/inner").await;
    let said = answered(
        &group,
        &bob,
        "/shell mv ../inner ../old && ln -s ../demo ../inner",
    )
    .await;
    let link = world.work().join("bobs/inner");
    assert!(link.is_symlink(), "{said}");
    bob.say_with("fake: text from-her-folder", in_group());
    until(LONG, "his message is refused", || {
        group
            .messages()
            .iter()
            .any(|m| m.text().contains("it is a link"))
    })
    .await;
    let asked = world.model.requests();
    assert!(
        !asked
            .iter()
            .any(|one| one.body.to_string().contains("from-her-folder"))
    );
    let message_id = "om_bobs_file".to_owned();
    bob.attach(&message_id, "img_b", "image", "", PNG.into());
    let content = serde_json::json!({"title": "", "content": [
        [{"tag": "at", "user_id": "@_user_1"}, {"tag": "img", "image_key": "img_b"}],
    ]});
    let sent = SayOptions {
        message_id: Some(message_id),
        msg_type: Some("post".into()),
        content: Some(content),
        ..in_group()
    };
    bob.say_with("", sent);
    until(LONG, "his file is refused", || {
        group
            .messages()
            .iter()
            .any(|m| m.text().contains("did not arrive"))
    })
    .await;
    let names: Vec<_> = std::fs::read_dir(&demo)
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !["secret.txt", "go"].contains(&name.as_str()))
        .collect();
    assert_eq!(names, Vec::<String>::new());

    // Hers are still hers, and asked in the group she is answered there.
    let said = answered(&group, &anna, "/remind list").await;
    assert!(said.contains("annas-reminder"), "{said}");
    let said = answered(&group, &anna, "/cat secret.txt").await;
    assert!(said.contains("annas-secret"), "{said}");
}
