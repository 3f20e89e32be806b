//! Through the chat platform's wire, with everything that goes wrong there: one answer each, none
//! lost. Guards the whole path tap → gateway → router → host → claude → gateway → chat.

use std::time::Duration;

use kit::feishu::{Class, Fault, Order, SayOptions};

use crate::world::{ANNA, LONG, World, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_runs_in_claude_and_its_prompt_is_a_card() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: tool Bash {\"command\":\"echo hi > hello.txt\"} ;; text finished {tool_result}");
    let prompt = world.sees_that(|m| m.has_button("Allow once")).await;
    assert!(
        prompt.text().contains("echo hi > hello.txt"),
        "{}",
        prompt.text()
    );
    let file = world.work().join("demo/hello.txt");
    assert!(!file.exists(), "nothing runs before the tap");
    let answer = anna.tap(&prompt.message_id, "Allow once").await.unwrap();
    assert_eq!(answer.code, 0);
    assert!(answer.toast.is_some());
    world.sees("finished").await;
    until(LONG, "the file", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text == "hi\n")
    })
    .await;
    let settled = world.feishu.message(&prompt.message_id).unwrap();
    assert!(settled.buttons().is_empty(), "the question is closed");
    assert!(
        settled.text().contains("Allowed once"),
        "{}",
        settled.text()
    );
    assert_eq!(world.count("finished"), 1);
    assert_eq!(world.feishu.violations(), Vec::<String>::new());
    let (status, _) = phonework.stop().await;
    assert!(status.success());
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_wire_does_each_message_is_answered_once() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    let feishu = &world.feishu;

    let say = |n: usize, options: SayOptions| {
        anna.say_with(&format!("fake: text answer-{n}-end"), options);
    };
    let faults = [
        (Class::Reply, Fault::ExpireToken),
        (Class::Reply, Fault::RateLimited { reset_s: 1 }),
        (Class::Reply, Fault::Status(502)),
        (Class::Reply, Fault::DropAfterWork),
        (Class::Reply, Fault::DropBeforeWork),
        (
            Class::Reply,
            Fault::Code {
                http: 400,
                code: 230_020,
            },
        ),
        (Class::Patch, Fault::Status(500)),
        (Class::Patch, Fault::DropAfterWork),
        (Class::Patch, Fault::RateLimited { reset_s: 1 }),
        (Class::Delivery, Fault::DropAfterWork),
    ];
    for (n, (class, fault)) in faults.into_iter().enumerate() {
        feishu.fault(class, fault);
        say(n, SayOptions::default());
        world.sees(&format!("answer-{n}-end")).await;
    }
    let cut = |parts, order| SayOptions {
        parts,
        order,
        ..SayOptions::default()
    };
    say(20, cut(5, Order::Reversed));
    say(21, cut(4, Order::Repeated));
    feishu.disconnect_all();
    world.connected().await;
    say(22, cut(3, Order::Reversed));
    // A message that waits is quoted on its card, which has buttons: only its answer counts.
    let answered = async |n: usize| {
        let text = format!("answer-{n}-end");
        world
            .sees_that(|m| m.text().contains(&text) && m.buttons().is_empty())
            .await;
    };
    for n in 20..23 {
        answered(n).await;
    }
    // A repeat under another event id, of each of them.
    for entry in anna.timeline() {
        if entry.from.is_some() {
            feishu.redeliver(&entry.message_id, None);
        }
    }
    say(30, SayOptions::default());
    answered(30).await;
    for n in (0..10).chain(20..23).chain([30]) {
        assert_eq!(
            world.count(&format!("answer-{n}-end")),
            1,
            "answer {n}\n{}",
            feishu.story()
        );
        assert_eq!(
            world.model.turns_containing(&format!("answer-{n}-end")),
            1,
            "run {n}"
        );
    }
    assert!(
        feishu
            .acks()
            .iter()
            .all(|ack| ack.latency < Duration::from_secs(3))
    );
    assert_eq!(feishu.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_whole_and_in_order() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: long 90000");
    // The model numbers the lines of a long text; all of them must be in the chat, in order.
    let numbers = || -> Vec<usize> {
        anna.messages()
            .iter()
            .flat_map(|message| {
                let text = message.text();
                text.lines()
                    .filter_map(|line| line.split_once("line ")?.1.get(..6)?.parse().ok())
                    .collect::<Vec<usize>>()
            })
            .collect()
    };
    // Lines are 61 bytes: the last whole one of 90,000 bytes is number 1474.
    until(LONG, "the last line", || numbers().last() >= Some(&1474)).await;
    let numbers = numbers();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{numbers:?}"
    );
    assert!(anna.messages().len() >= 3, "one card does not hold it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_away_for_a_while_loses_nothing() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold one first done-after-outage");
    world.model.waiting("one").await;
    world.feishu.stop_listening().await;
    world.model.release("one");
    world.feishu.resume().await;
    world.connected().await;
    world.sees("done-after-outage").await;
    anna.say("fake: text second-answer");
    world.sees("second-answer").await;
    assert_eq!(world.count("done-after-outage"), 1);
    assert!(world.feishu.user(ANNA).messages().len() >= 2);
}
