//! What is not allowed, wrong or too much gets a clear answer and changes nothing; what is wrong
//! with the configuration is said with file and line. No log holds a secret.

use kit::feishu::SayOptions;

use crate::world::{ANNA, LONG, World};

/// Without LOCALE a stranger is told in the language that they write.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused_in_their_own_words() {
    let mut world = World::start().await;
    world.locale = "";
    world.extra = format!("ALLOWED_OPEN_IDS:\n  - {ANNA}\n");
    let _phonework = world.standalone().await;
    for (who, says, hears) in [
        ("ou_wang", "你好，请让我进来", "抱歉，您还没有使用权限"),
        (
            "ou_eve",
            "let me in, please",
            "Sorry, you may not use this bot yet",
        ),
    ] {
        let stranger = world.feishu.user(who);
        stranger.say(says);
        let refused = stranger.wait_text(hears, LONG).await.unwrap();
        assert!(refused.text().contains(who), "{}", refused.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_clear_answer() {
    let mut world = World::start().await;
    world.extra = format!("ALLOWED_OPEN_IDS:\n  - {ANNA}\n");
    let _phonework = world.standalone().await;
    let anna = world.anna();

    // Not on the list: one line, and only one, however often.
    let eve = world.feishu.user("ou_eve");
    for n in 0..3 {
        eve.say(&format!("let me in {n}"));
    }
    eve.wait_text("ou_eve", crate::world::LONG).await.unwrap();

    anna.say("/new ../../etc fake: text must-not-run");
    let refused = world.sees("../../etc").await;
    assert!(
        refused.text().contains("working directory"),
        "{}",
        refused.text()
    );
    anna.say("/switch 99");
    world.sees("no session 99").await;
    anna.say("/switch x");
    world.sees("/switch <n>").await;
    anna.say("/new");
    world.sees("/new <dir>").await;
    anna.say("hello?");
    world.sees("no session yet").await;
    anna.say("/compact");
    world.sees("/compact is not a command").await;

    let long = "fake: text must-not-run ".repeat(9001);
    anna.say(&long);
    let told = world.sees("at most 100000").await;
    assert!(told.text().contains("21"), "its size: {}", told.text());
    anna.say_with(
        "",
        SayOptions {
            msg_type: Some("sticker".into()),
            content: Some(serde_json::json!({"file_key": "file_x"})),
            ..SayOptions::default()
        },
    );
    world.sees("Cannot handle stickers yet").await;

    let lines: Vec<String> = eve.messages().iter().map(|m| format!("{m:?}")).collect();
    assert_eq!(lines.len(), 1, "one polite line: {lines:#?}");
    assert_eq!(world.model.requests().len(), 0, "nothing ran");
    let made: Vec<_> = std::fs::read_dir(world.work()).unwrap().collect();
    assert!(made.is_empty(), "nothing was made: {made:?}");
    anna.say("/status");
    world.sees("No sessions").await;
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_configuration_is_named_with_file_and_line() {
    let mut world = World::start().await;
    for (line, expected) in [
        ("WORKNG_DIR: /x", "WORKING_DIR"),
        ("PORT: many", "PORT"),
        ("ROUTER_URL: ws://10.0.0.1:8000/ws/node", "NATS_URL"),
        ("LOG: [", "keyring.yaml"),
    ] {
        world.extra = format!("{line}\n");
        let (status, said) = world.command(&[]);
        assert_eq!(status.code(), Some(64), "{line}: {said}");
        assert!(said.contains(expected), "{line}: {said}");
        assert!(said.contains("keyring.yaml"), "{line}: {said}");
        assert!(!said.contains(world.feishu.app_secret()), "{said}");
    }
    let missing = world
        .prepare(&[], Some(&world.home.root().join("none.yaml")))
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(64));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("none.yaml"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_claude_everything_else_works_and_new_says_what_to_do() {
    let mut world = World::start().await;
    world.claude = std::path::PathBuf::from("/nowhere/claude");
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    anna.say("hello");
    let card = world.sees("no claude on this machine").await;
    assert!(card.text().contains("CLAUDE_BIN"), "{}", card.text());
    assert!(card.has_button("Try again"));
    anna.say("/status");
    world.sees("Sessions on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_agent_cannot_do_is_said_with_what_to_do() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    for (script, expected) in [
        ("fake: error 401", "refused the key"),
        ("fake: error 400", "refused the request (400)"),
        (
            "<fake>[{\"error\": 400, \"message\": \"prompt is too long: 210000 tokens > 200000 maximum\"}]</fake>",
            "too long for the model",
        ),
    ] {
        anna.say(script);
        world.sees(expected).await;
    }
    anna.say("fake: error 529");
    let card = world.sees("overloaded").await;
    assert!(card.has_button("Try again"), "{:?}", card.buttons());
    anna.say("fake: text still-here");
    world.sees("still-here").await;
}
