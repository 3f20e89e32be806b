//! A chat model chooses the machine where rules do not; slow, lying or down, the rules do.

use std::time::{Duration, Instant};

use common::config::LlmSettings;
use common::{stream, subject};
use kit::llm::Llm;

use crate::node::Node;
use crate::world::{World, id};

async fn world(llm: &Llm) -> (World, Node, Node) {
    let mut world = World::hub(&["home", "lab"]).await;
    world.model = Some(LlmSettings {
        base_url: llm.url().to_owned(),
        api_key: "test-key".to_owned().into(),
        model: "test".into(),
        extra: serde_json::Map::default(),
    });
    world.start_router().await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    (world, home, lab)
}

const LAB: &str = r#"tool route {"node":"lab","reason":"it names the lab"}"#;

#[tokio::test]
async fn it_chooses_and_says_so_and_what_follows_goes_there() {
    let llm = Llm::start().await;
    let (world, home, lab) = world(&llm).await;
    llm.queue(LAB);
    world
        .says("ou_1", "om_1", "see how full the disk of the lab is")
        .await;
    assert_eq!(lab.text().await, "see how full the disk of the lab is");
    let card = world.shown().await;
    insta::assert_snapshot!(card.text(), @"
    Sent to LAB
    Chosen by the model. What you send now goes to LAB as well; /node <name> changes that.
    Reason: it names the lab
    ");
    // Names, state and last use were told; thinking was not wanted; nobody is asked about what follows.
    let asked = &llm.requests()[0];
    let told = asked.said_by("system").concat();
    assert!(
        told.contains(r#""id":"home""#)
            && told.contains(r#""name":"LAB""#)
            && told.contains(r#""on":true"#),
        "{told}"
    );
    world.says("ou_1", "om_2", "and now clean it").await;
    assert_eq!(lab.text().await, "and now clean it");
    assert_eq!(llm.requests().len(), 1);

    // It names another one: that message only.
    llm.queue(r#"tool route {"node":"home","reason":""}"#);
    world.says("ou_1", "om_3", "copy it to home, please").await;
    assert_eq!(home.text().await, "copy it to home, please");
    let once = world.shown().await;
    assert!(
        once.text().contains("the active machine stays as it is"),
        "{}",
        once.text()
    );
    world.says("ou_1", "om_4", "thanks").await;
    assert_eq!(lab.text().await, "thanks");

    // Elsewhere after all.
    world
        .taps("ou_1", "tap_1", once.button("Other machine"))
        .await;
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @"
    Which machine?
    “copy it to home, please”
    HOME has it and may have begun: it cannot be taken back. Choose another machine and it runs on both; if you do not want that, tap [Stop] on the card of HOME first.
    ");
    assert_eq!(
        (&question.card, question.rev > once.rev),
        (&once.card, true)
    );
    world.taps("ou_1", "tap_2", question.button("LAB")).await;
    let sent = world.shown().await;
    insta::assert_snapshot!(sent.text(), @"
    Sent to LAB
    What you send now goes to LAB; /node <name> changes that.
    HOME has this message as well and goes on with it; [Stop] on its card ends that.
    ");
    assert_eq!(sent.card, once.card);
    assert_eq!(lab.text().await, "copy it to home, please");
    world
        .taps("ou_2", "tap_3", once.button("Other machine"))
        .await;
    assert_eq!(
        world.shown().await.view.title,
        "This message is not kept any more"
    );
}

#[tokio::test]
async fn it_may_ask_or_need_none() {
    let llm = Llm::start().await;
    let (world, home, lab) = world(&llm).await;
    llm.queue(r#"tool route {"node":"ask","reason":"unclear"}"#);
    world.says("ou_1", "om_1", "build it").await;
    assert_eq!(world.shown().await.view.title, "Which machine?");
    llm.queue(r#"tool route {"node":"none","reason":"a general question"}"#);
    world.says("ou_1", "om_2", "why is the sky blue").await;
    assert!(
        world
            .shown()
            .await
            .text()
            .contains("the active machine stays as it is")
    );
    let waiting = world.count(stream::WORK, subject::WORK_ALL).await;
    assert_eq!(waiting, 1);
    drop((home, lab));
}

#[tokio::test]
async fn lying_or_down_it_changes_nothing() {
    let llm = Llm::start().await;
    let (world, _home, lab) = world(&llm).await;
    for (n, step) in [
        r#"tool route {"node":"moon","reason":"x"}"#,
        r#"tool run_shell {"command":"true"}"#,
        r#"tool route {"node":7}"#,
        "text I would say lab",
        "error 500",
    ]
    .into_iter()
    .enumerate()
    {
        llm.queue(step);
        world.says("ou_1", &format!("om_{n}"), "build it").await;
        assert_eq!(world.shown().await.view.title, "Which machine?", "{step}");
    }
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
    // With an active one, that gets what the model knows nothing of.
    world.says("ou_1", "om_a", "/node lab").await;
    world.shown().await;
    llm.queue(r#"tool route {"node":"moon","reason":"x"}"#);
    world.says("ou_1", "om_b", "as at home").await;
    assert_eq!(lab.text().await, "as at home");
}

#[tokio::test]
async fn slow_it_is_not_waited_for_and_others_go_on() {
    let llm = Llm::start().await;
    let (world, _home, lab) = world(&llm).await;
    llm.queue("hold slow lab");
    let begun = Instant::now();
    world.says("ou_1", "om_1", "build it").await;
    llm.waiting("slow").await;
    world.says("ou_2", "om_2", "@lab at once").await;
    assert_eq!(lab.text().await, "at once");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(world.shown().await.view.title, "Which machine?");
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
}

/// What it said once counts, whatever it would say when the act comes again.
#[tokio::test]
async fn an_act_that_comes_again_goes_nowhere_else() {
    let llm = Llm::start().await;
    let (mut world, _home, lab) = world(&llm).await;
    llm.queue(LAB);
    let act = world.says("ou_1", "om_1", "the lab is not home").await;
    assert_eq!(lab.text().await, "the lab is not home");
    world.shown().await;
    world.stop_router().await;
    // The same place of the stream is read again, as after a crash before it was settled.
    let acts = world
        .inside
        .jetstream()
        .get_stream(stream::IN)
        .await
        .unwrap();
    acts.delete_consumer(stream::IN_ROUTER).await.unwrap();
    llm.always(r#"tool route {"node":"home","reason":"changed its mind"}"#);
    world.start_router().await;
    world.says("ou_1", "om_2", "@lab behind it").await;
    assert_eq!(lab.text().await, "behind it");
    assert_eq!(
        world
            .count(stream::WORK, &subject::work_of(&id("home")))
            .await,
        0
    );
    assert_eq!(llm.requests().len(), 1);
    drop(act);
}

/// What lies for a node.
async fn lying(world: &World, node: &str) -> usize {
    let of = subject::work_of(&id(node));
    world.count(stream::WORK, &of).await
}

/// The router starts anew and reads all acts once more, as after a crash before they were settled.
async fn reads_all_again(world: &mut World) {
    world.stop_router().await;
    let js = world.inside.jetstream();
    let acts = js.get_stream(stream::IN).await.unwrap();
    acts.delete_consumer(stream::IN_ROUTER).await.unwrap();
    world.start_router().await;
}

#[tokio::test]
async fn what_has_not_begun_is_taken_back_and_runs_once() {
    let llm = Llm::start().await;
    let (mut world, home, lab) = world(&llm).await;
    llm.queue(r#"tool route {"node":"home","reason":""}"#);
    // Home is on and takes nothing yet.
    world.says("ou_1", "om_1", "build it").await;
    let sent = world.shown().await;
    assert_eq!(lying(&world, "home").await, 1);
    world
        .taps("ou_1", "tap_1", sent.button("Other machine"))
        .await;
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @"
    Which machine?
    “build it”
    HOME has not begun it: it is taken back there, and runs once.
    ");
    let labels: Vec<_> = question
        .view
        .buttons
        .iter()
        .map(|one| one.label.as_str())
        .collect();
    assert_eq!(labels, ["LAB"]);
    world.taps("ou_1", "tap_2", question.button("LAB")).await;
    insta::assert_snapshot!(world.shown().await.text(), @"
    Sent to LAB instead of HOME
    HOME never had it, so it runs once.
    ");
    let moved = world.shown().await;
    assert_eq!(
        (moved.card.as_str(), moved.view.title.as_str()),
        (sent.card.as_str(), "Sent to LAB")
    );
    assert_eq!(lab.text().await, "build it");
    assert_eq!(lying(&world, "home").await, 0);
    // The same once more, by hand and by the router.
    world.taps("ou_1", "tap_3", question.button("LAB")).await;
    assert_eq!(world.shown().await.view.title, "Sent to LAB");
    reads_all_again(&mut world).await;
    world.says("ou_1", "om_2", "and now clean").await;
    assert_eq!(lab.text().await, "and now clean");
    assert_eq!(
        (lying(&world, "home").await, lying(&world, "lab").await),
        (0, 0)
    );
    drop(home);
}

#[tokio::test]
async fn what_began_meanwhile_runs_on_both_only_when_that_is_said_twice() {
    let llm = Llm::start().await;
    let (mut world, home, lab) = world(&llm).await;
    llm.queue(r#"tool route {"node":"home","reason":""}"#);
    world.says("ou_1", "om_1", "build it").await;
    let sent = world.shown().await;
    world
        .taps("ou_1", "tap_1", sent.button("Other machine"))
        .await;
    let question = world.shown().await;
    assert!(
        question.text().contains("has not begun it"),
        "{}",
        question.text()
    );
    // In this very moment home takes it.
    assert_eq!(home.text().await, "build it");
    world.taps("ou_1", "tap_2", question.button("LAB")).await;
    let warned = world.shown().await;
    assert_eq!(warned.view.title, "Which machine?");
    assert!(
        warned.text().contains("it runs on both"),
        "{}",
        warned.text()
    );
    // The same tap again, as after a crash, is no second word.
    reads_all_again(&mut world).await;
    world.says("ou_2", "om_2", "@lab behind it").await;
    assert_eq!(lab.text().await, "behind it");
    assert_eq!(lying(&world, "lab").await, 0);
    world.taps("ou_1", "tap_3", warned.button("LAB")).await;
    let both = loop {
        let shown = world.shown().await;
        if shown.view.title == "Sent to LAB" {
            break shown;
        }
    };
    assert!(both.text().contains("goes on with it"), "{}", both.text());
    assert_eq!(lab.text().await, "build it");
}

#[tokio::test]
async fn too_slow_for_one_person_it_is_left_alone_for_a_while() {
    let llm = Llm::start().await;
    let (world, _home, _lab) = world(&llm).await;
    llm.queue("hold slow lab");
    world.says("ou_1", "om_1", "build it").await;
    world.says("ou_1", "om_2", "and test it").await;
    world.says("ou_1", "om_3", "and clean it").await;
    for _ in 0..3 {
        assert_eq!(world.shown().await.view.title, "Which machine?");
    }
    assert_eq!(llm.requests().len(), 1);
}

/// What a machine says of itself is shown, and told to the model as data.
#[tokio::test]
async fn descriptions_are_told() {
    let llm = Llm::start().await;
    let (world, _home, lab) = world(&llm).await;
    llm.queue(LAB);
    world.says("ou_1", "om_1", "where is the GPU").await;
    lab.work().await;
    world.shown().await;
    let told = llm.requests()[0].said_by("system").concat();
    assert!(
        told.contains(r#""description":"The lab machine""#),
        "{told}"
    );
    assert!(world.list("ou_1").await.contains("· “The lab machine”"));
}
