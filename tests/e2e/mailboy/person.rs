//! The person's side: what they do while something runs, waits or is asked, and what a crash leaves of it.

use kit::feishu::{SayOptions, Tap, User};
use kit::model::Step;
use serde_json::json;

use crate::world::{LONG, World, until};

/// The host dies while a tool asks: the question is taken back, as nobody would hear its answer; going on
/// asks anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_does_not_outlive_what_asked() {
    let (world, _llm, phonework) = super::started().await;
    let anna = world.anna();
    let call = "tool write_file {\"path\":\"a.txt\",\"text\":\"one\\n\"} ;; text written-it";
    anna.say(&format!("write it llm: {call}"));
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    phonework.kill();
    let _again = world.standalone().await;
    let card = world
        .sees_that(|m| m.has_button("Continue") && m.text().contains("… write_file: a.txt"))
        .await;
    world
        .sees_that(|m| m.message_id == question.message_id && m.buttons().is_empty())
        .await;
    anna.tap(&card.message_id, "Continue").await.unwrap();
    let second = world.sees_that(|m| m.has_button("Allow once")).await;
    assert_ne!(second.message_id, question.message_id);
    assert!(!world.work().join("a.txt").exists());
    anna.tap(&second.message_id, "Allow once").await.unwrap();
    world.sees("written-it").await;
    assert!(world.work().join("a.txt").exists());
}

/// A text that waits is read as things are then, not as they were when it came.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_sees_what_was_done_before_it() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    llm.queue_step(Step {
        hold: Some("one".into()),
        tool: Some("new_session".into()),
        input: Some(json!({"dir": "made"})),
        ..Step::default()
    });
    anna.say("first llm: text never ;; text done-one");
    llm.waiting("one").await;
    anna.say("second llm: tool run_shell {\"command\":\"pwd\"} ;; text done-two {tool_result}");
    world
        .sees_that(|m| m.text().contains("place 1") && m.has_button("Cancel"))
        .await;
    llm.release("one");
    let card = world
        .sees_that(|m| m.text().contains("done-two") && m.buttons().is_empty())
        .await;
    assert!(card.text().contains("work/made"), "{}", card.text());
    // The first of the second text: two of the first were before it.
    let front = llm.requests()[2].said_by("system").concat();
    assert!(
        front.contains("1. made (idle, active") && front.contains("Current folder: made"),
        "{front}"
    );
}

/// Stopped while its beginning is put in short: nothing is lost by that.
#[tokio::test(flavor = "multi_thread")]
async fn stopping_a_summary_forgets_nothing() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    // Some thousand tokens each; five of them are more than is kept.
    for n in 0..5 {
        let words = "长".repeat(3900);
        anna.say(&format!("word-{n}- {words}\nllm: text noted-{n}"));
        let noted = format!("noted-{n}");
        world
            .sees_that(|m| m.text().contains(&noted) && m.buttons().is_empty())
            .await;
    }
    let is_summary = |one: &kit::llm::Request| one.body["tools"].is_null();
    assert!(!llm.requests().iter().any(is_summary), "not yet too long");
    llm.queue("hold sum never-said");
    anna.say("and more llm: text never");
    llm.waiting("sum").await;
    let before = llm.requests().pop().unwrap().body.to_string();
    assert!(before.contains("word-0-"), "it is the summary that hangs");
    anna.say("/stop");
    world
        .sees_that(|m| m.text().contains("Stopped") && m.buttons().is_empty())
        .await;
    anna.say("and now? llm: text still-here");
    world.sees("still-here").await;
    let requests = llm.requests();
    let summaries: Vec<_> = requests.iter().filter(|one| is_summary(one)).collect();
    assert_eq!(summaries.len(), 2, "it is put in short again");
    assert!(summaries[1].body.to_string().contains("word-0-"));
}

/// Direct mode in the middle: what was taken is answered, in order, and what comes goes to the session.
#[tokio::test(flavor = "multi_thread")]
async fn direct_mode_in_the_middle_loses_nothing() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready in demo").await;
    anna.say("first llm: hold one answer-one");
    llm.waiting("one").await;
    anna.say("second llm: text answer-two");
    world.sees("place 1").await;
    anna.say("/direct");
    world.sees("Direct mode").await;
    anna.say("third fake: text from-the-session");
    let done = |part: &'static str| {
        move |m: &kit::feishu::BotMessage| m.text().contains(part) && m.buttons().is_empty()
    };
    world.sees_that(done("from-the-session")).await;
    let early = anna.messages().into_iter().any(|m| done("answer-two")(&m));
    assert!(!early, "it waits for the first");
    llm.release("one");
    world.sees_that(done("answer-one")).await;
    world.sees_that(done("answer-two")).await;
    // In order: the second is told what came of the first.
    let asked = llm.requests();
    assert_eq!(asked.len(), 2, "the third went past the model");
    assert!(asked[1].body.to_string().contains("answer-one"));
}

/// A model that is away leaves no more texts to be taken up than there is room for.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_taken_up_has_a_bound() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    llm.always("error 401");
    let mut first = None;
    for n in 0..11 {
        anna.say(&format!("text {n}"));
        let cards = || {
            let all = anna.messages();
            all.iter().filter(|m| m.has_button("Try again")).count()
        };
        until(LONG, "the next one can be tried again", || {
            cards() == (n + 1).min(10)
        })
        .await;
        if n == 0 {
            let all = anna.messages();
            first = all.into_iter().find(|m| m.has_button("Try again"));
        }
        until(LONG, "nothing runs", || {
            !anna.messages().iter().any(|m| m.has_button("Stop"))
        })
        .await;
    }
    let first = first.unwrap().message_id;
    world
        .sees_that(|m| m.message_id == first && m.text().contains("Discarded"))
        .await;
}

/// A new session says who reads what is written next.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_says_where_text_goes() {
    let (world, _llm, _phonework) = super::started().await;
    let anna = world.anna();
    anna.say("/new one");
    let card = world.sees("Session 1 is ready").await;
    assert!(
        card.text().contains("Tell the assistant"),
        "{}",
        card.text()
    );
    anna.say("/direct");
    world.sees("Direct mode").await;
    anna.say("/new two");
    let card = world.sees("Session 2 is ready").await;
    assert!(card.text().contains("Just write to it"), "{}", card.text());
    // Neither of two is the active one.
    anna.say("/close");
    world.sees("Session 2 (two) is closed").await;
    anna.say("/new three");
    world.sees("is ready in three").await;
    anna.say("/close");
    world.sees("(three) is closed").await;
    anna.say("fake: text from-the-only-one");
    world
        .sees_that(|m| m.text().contains("from-the-only-one") && m.buttons().is_empty())
        .await;
    anna.say("/new four");
    world.sees("is ready in four").await;
    anna.say("/new five");
    world.sees("is ready in five").await;
    anna.say("/close");
    world.sees("(five) is closed").await;
    anna.say("to whom?");
    world.sees("None of your sessions is the active one").await;
}

/// Without a model the commands work, and a text says why nobody answers it.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_a_text_is_told_so() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("what is the capital of France?");
    let card = world.sees("No model is set up").await;
    assert!(
        card.text().contains("/new demo") && card.text().contains("OPENAI_API_KEY"),
        "{}",
        card.text()
    );
    anna.say("/clear");
    world.sees("no session yet").await;
    anna.say("/smart");
    world.sees("no model is set up").await;
    anna.say("/shell echo works-$((40+2))");
    world.sees("works-42").await;
}

/// Two people in one group: nobody waits for the other, reads what the other said, or stops it.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_in_one_group_have_two_conversations() {
    let (world, llm, _phonework) = super::started().await;
    let (anna, bob) = (world.anna(), world.feishu.user(super::BOB));
    let group = world.feishu.group(&["ou_anna", super::BOB]);
    let say = |who: &User, text: &str| {
        let options = SayOptions {
            chat: Some(group.chat_id().to_owned()),
            mention: true,
            ..SayOptions::default()
        };
        who.say_with(text, options);
    };
    let seen = async |part: &str| {
        until(LONG, part, || {
            let all = group.messages();
            all.iter()
                .any(|m| m.text().contains(part) && !m.has_button("Stop"))
        })
        .await;
    };
    say(&anna, "my word is heron llm: hold one noted-anna");
    llm.waiting("one").await;
    say(&bob, "what is the word? llm: text noted-bob {n}");
    seen("noted-bob 2").await;
    let last = llm.requests().pop().unwrap().body.to_string();
    assert!(!last.contains("heron"), "{last}");
    let all = group.messages();
    let card = all.iter().find(|m| m.has_button("Stop")).unwrap();
    let tap = Tap {
        by: Some(super::BOB.into()),
        ..Tap::default()
    };
    world
        .feishu
        .tap_with(&card.message_id, "Stop", tap)
        .await
        .unwrap();
    seen("somebody else's").await;
    say(&bob, "/stop");
    seen("Nothing is running").await;
    say(&bob, "/clear");
    seen("Forgotten").await;
    llm.release("one");
    seen("noted-anna").await;
    say(&anna, "which word? llm: text still-anna {n}");
    seen("still-anna 4").await;
}
