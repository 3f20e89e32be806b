//! One message to several machines: each runs it once and answers in full in a card of its own, and
//! one card has a line for each, whatever is off, asks, or dies meanwhile.

use kit::feishu::{BotMessage, SayOptions};

use crate::processes::Fleet;
use crate::world::{LONG, World};

/// A session on each machine; machine a is the active one.
async fn sessions(fleet: &Fleet) {
    let world = &fleet.world;
    let id = world.anna().say("/all /new demo");
    let card = collects(world, &id).await;
    becomes(world, &card, "2 finished").await;
    for name in ["Machine A", "Machine B"] {
        let ready = |m: &BotMessage| m.text().contains(name) && m.text().contains("is ready");
        world.sees_that(ready).await;
    }
    world.anna().say("/node a");
    world.sees("Now using Machine A").await;
}

/// The card that collects the answers to a message.
async fn collects(world: &World, id: &str) -> BotMessage {
    let fits =
        |m: &BotMessage| m.reply_to.as_deref() == Some(id) && m.text().contains("machines, ");
    world.sees_that(fits).await
}

async fn becomes(world: &World, card: &BotMessage, part: &str) -> BotMessage {
    let fits = |m: &BotMessage| m.message_id == card.message_id && m.text().contains(part);
    world.sees_that(fits).await
}

/// A card of that machine which holds this.
async fn answers(world: &World, machine: &str, part: &str) -> BotMessage {
    let fits = |m: &BotMessage| {
        let text = m.text();
        text.contains(&format!("{machine} · demo")) && text.contains(part)
    };
    world.sees_that(fits).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_machine_answers_in_full_and_one_card_has_a_line_for_each() {
    let fleet = Fleet::start().await;
    let world = &fleet.world;
    sessions(&fleet).await;
    // Longer than any line.
    let words: Vec<_> = (0..400).map(|n| format!("word-{n}")).collect();
    let long = words.join(" ");
    let id = world
        .anna()
        .say(&format!("/all fake: text {long} to-the-end"));
    let card = collects(world, &id).await;
    let card = becomes(world, &card, "2 finished").await;
    for machine in ["Machine A", "Machine B"] {
        assert!(card.text().contains(machine), "{}", card.text());
        answers(world, machine, "word-399 to-the-end").await;
    }
    assert!(
        card.text().contains("done · word-0 word-1"),
        "{}",
        card.text()
    );
    assert_eq!(world.model.turns_containing("to-the-end"), 2);
    // Only the whole answers have its end.
    assert_eq!(world.count("word-399 to-the-end"), 2);

    // A name in a group, behind the bot's; nothing else changes.
    let group = world.feishu.group(&[world.anna().open_id()]);
    let options = SayOptions {
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    world
        .anna()
        .say_with("@b fake: text said-in-the-group", options);
    let fits = |m: &BotMessage| {
        let text = m.text();
        text.contains("Machine B · demo") && text.contains("said-in-the-group")
    };
    let answered = world.feishu.wait_message(group.chat_id(), fits, LONG);
    answered.await.unwrap();
    world.anna().say("fake: text to-the-active-one");
    answers(world, "Machine A", "to-the-active-one").await;
    assert_eq!(world.model.turns_containing("said-in-the-group"), 1);
    assert_eq!(world.model.turns_containing("to-the-active-one"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_off_one_asks_and_everything_else_dies() {
    let mut fleet = Fleet::start().await;
    sessions(&fleet).await;
    let (status, _) = fleet.hosts.remove(1).stop().await;
    assert!(status.success());
    let script = r#"fake: tool Bash {"command":"echo asked-for >> asked.txt"} ;; text all-asked"#;
    let id = fleet.world.anna().say(&format!("@a @b {script}"));
    let card = collects(&fleet.world, &id).await;
    becomes(&fleet.world, &card, "the message waits for it").await;
    let asks = becomes(&fleet.world, &card, "asks you").await;
    assert!(asks.has_button("Cancel Machine B"), "{}", asks.text());
    // The question itself is a card of its own, and only that.
    let question = |m: &BotMessage| m.has_button("Allow once");
    let question = fleet.world.sees_that(question).await;
    assert_eq!(fleet.world.count("waits for it"), 1);

    // The router and the gateway die, and come back.
    let router = fleet.world.role("router");
    std::mem::replace(&mut fleet.router, router).kill();
    let gateway = fleet.world.role("gateway");
    std::mem::replace(&mut fleet.gateway, gateway).kill();
    fleet.router.says("the router is ready").await;
    let world = &fleet.world;
    world.connected().await;
    let anna = world.anna();
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    answers(world, "Machine A", "all-asked").await;
    becomes(world, &card, "1 finished").await;

    let _back = world.host("b", &fleet.dirs[1]);
    let fits = |m: &BotMessage| m.has_button("Allow once") && m.message_id != question.message_id;
    let question = world.sees_that(fits).await;
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    answers(world, "Machine B", "all-asked").await;
    let last = becomes(world, &card, "2 finished").await;
    assert!(!last.has_button("Cancel Machine B"), "{}", last.text());
    // It ran once on each: a turn and what came of its tool.
    assert_eq!(world.model.turns_containing("asked-for"), 2);
    let collecting = |m: &&BotMessage| {
        m.text().contains("machines, ") && m.reply_to.as_deref() == Some(id.as_str())
    };
    assert_eq!(anna.messages().iter().filter(collecting).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_one_machine_is_taken_back() {
    let mut fleet = Fleet::start().await;
    sessions(&fleet).await;
    let (status, _) = fleet.hosts.remove(1).stop().await;
    assert!(status.success());
    let world = &fleet.world;
    let anna = world.anna();
    let id = anna.say("/all fake: text not-everywhere");
    let card = collects(world, &id).await;
    becomes(world, &card, "the message waits for it").await;
    anna.tap(&card.message_id, "Cancel Machine B")
        .await
        .unwrap();
    becomes(world, &card, "cancelled; it will not run").await;
    becomes(world, &card, "2 finished").await;
    let _back = world.host("b", &fleet.dirs[1]);
    anna.say("@b fake: text and-then-this");
    answers(world, "Machine B", "and-then-this").await;
    assert_eq!(world.model.turns_containing("not-everywhere"), 1);
}
