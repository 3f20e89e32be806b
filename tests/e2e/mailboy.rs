//! Smart mode through Feishu's wire: plain text goes to a model with tools, whatever the vendor, and
//! whatever it does wrong.

mod faults;
mod guards;
mod person;
mod rooms;
mod wire;
mod writes;

use kit::feishu::BotMessage;
use kit::llm::Llm;

use crate::world::{LONG, Phonework, World};

/// Bob has a chat of his own.
const BOB: &str = "ou_bob";

/// A world with a chat model.
pub(crate) async fn world() -> (World, Llm) {
    let mut world = World::start().await;
    let llm = Llm::start().await;
    world.extra += &format!(
        "OPENAI_BASE_URL: {}\nOPENAI_API_KEY: sk-llm-test\nOPENAI_MODEL: test-model\n",
        llm.url()
    );
    (world, llm)
}

async fn started() -> (World, Llm, Phonework) {
    let (world, llm) = world().await;
    let phonework = world.standalone().await;
    (world, llm, phonework)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_and_the_conversation_goes_on() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("what is the capital of France? llm: text Paris, of course.");
    let card = world
        .sees_that(|m| m.text().contains("Paris, of course.") && m.buttons().is_empty())
        .await;
    assert!(card.text().contains("test-model"), "{}", card.text());
    anna.say("and before? llm: text {n} messages");
    // The words in front, the first text and its answer, the second text.
    world.sees("4 messages").await;
    let first = &llm.requests()[0];
    let words = &first.said_by("system")[0];
    assert!(
        words.contains("You are the assistant of PhoneWork"),
        "{words}"
    );
    assert_eq!(first.headers["authorization"], "Bearer sk-llm-test");
    anna.say("/clear");
    world.sees("Forgotten").await;
    anna.say("and now? llm: text now {n} messages");
    world.sees("now 2 messages").await;
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_have_two_conversations() {
    let (world, llm, _phonework) = started().await;
    let (anna, bob) = (world.anna(), world.feishu.user(BOB));
    anna.say("my word is heron llm: text noted-for-anna");
    world.sees("noted-for-anna").await;
    bob.say("what is the word? llm: text noted-for-bob");
    bob.wait_text("noted-for-bob", LONG).await.unwrap();
    let last = llm.requests().pop().unwrap();
    assert!(!last.body.to_string().contains("heron"), "{}", last.body);
    bob.say("/clear");
    bob.wait_text("Forgotten", LONG).await.unwrap();
    anna.say("what is it? llm: text still-anna");
    world.sees("still-anna").await;
    let last = llm.requests().pop().unwrap();
    assert!(last.body.to_string().contains("heron"), "{}", last.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_conversation_goes_on_with_a_summary_of_its_beginning() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    let said = async |n: &str| {
        let done = |m: &BotMessage| m.text().contains(n) && m.buttons().is_empty();
        world.sees_that(done).await;
    };
    // Some thousand tokens each; six of them are more than is kept.
    for n in 0..6 {
        let words = "长".repeat(3900);
        anna.say(&format!("word-{n}- {words}\nllm: text noted-{n}"));
        said(&format!("noted-{n}")).await;
    }
    anna.say("and now? llm: text still-here");
    said("still-here").await;
    let all = llm.requests().into_iter();
    let mut asked = all.filter(|one| one.body.to_string().contains("still-here"));
    let last = asked.next_back().unwrap();
    let (front, body) = (last.said_by("system").concat(), last.body.to_string());
    assert!(front.contains("summary of"), "{front}");
    assert!(!body.contains("word-0-") && body.contains("word-5-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_mode_goes_past_the_model_and_is_kept() {
    let (world, llm, phonework) = started().await;
    let anna = world.anna();
    anna.say("/new demo fake: text session-begun");
    world.sees("session-begun").await;
    anna.say("/direct");
    world.sees("Direct mode").await;
    anna.say("llm: text from-the-model fake: text from-the-session");
    world
        .sees_that(|m| m.text().contains("from-the-session") && m.buttons().is_empty())
        .await;
    phonework.kill();
    let phonework = world.standalone().await;
    anna.say("/status");
    world
        .sees_that(|m| m.text().contains("Sessions on") && m.text().contains("direct"))
        .await;
    anna.say("fake: text again-the-session");
    world
        .sees_that(|m| m.text().contains("again-the-session") && m.buttons().is_empty())
        .await;
    assert!(llm.requests().is_empty());
    anna.say("/smart");
    world.sees("Smart mode: test-model reads").await;
    phonework.kill();
    let _phonework = world.standalone().await;
    anna.say("/status");
    world.sees("smart (test-model reads your text first)").await;
    anna.say("hello llm: text from-the-model");
    world.sees("from-the-model").await;
    assert_eq!(llm.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_wait_in_order_and_can_be_taken_back() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("llm: hold one answer-one");
    llm.waiting("one").await;
    anna.say("second llm: text answer-two");
    let second = world.sees_that(|m| m.has_button("Cancel")).await;
    anna.say("third llm: text answer-three");
    world
        .sees_that(|m| m.has_button("Cancel") && m.text().contains("place 2"))
        .await;
    anna.tap(&second.message_id, "Cancel").await.unwrap();
    world
        .sees_that(|m| m.message_id == second.message_id && m.text().contains("Taken back"))
        .await;
    llm.release("one");
    world
        .sees_that(|m| m.text().contains("answer-one") && m.buttons().is_empty())
        .await;
    world
        .sees_that(|m| m.text().contains("answer-three") && m.buttons().is_empty())
        .await;
    let asked = |part: &str| {
        let of = |request: &kit::llm::Request| request.body.to_string().contains(part);
        llm.requests().iter().filter(|request| of(request)).count()
    };
    assert_eq!(asked("answer-two"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_works_by_card_and_by_command() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("llm: hold one begun-one");
    llm.waiting("one").await;
    let card = world.sees_that(|m| m.has_button("Stop")).await;
    // Nobody else's tap stops it.
    let tap = kit::feishu::Tap {
        by: Some(BOB.into()),
        ..kit::feishu::Tap::default()
    };
    world
        .feishu
        .tap_with(&card.message_id, "Stop", tap)
        .await
        .unwrap();
    world.sees("somebody else's").await;
    anna.tap(&card.message_id, "Stop").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("Stopped"))
        .await;
    crate::world::until(LONG, "the model's connection is let go", || {
        llm.requests()[0].left
    })
    .await;
    anna.say("again llm: hold two begun-two");
    llm.waiting("two").await;
    anna.say("/stop");
    world
        .sees_that(|m| m.message_id != card.message_id && m.text().contains("Stopped"))
        .await;
    anna.say("and now llm: text usable-after");
    world.sees("usable-after").await;
}

/// Killed in the middle: nothing runs again by itself, what was done is named, and the person decides.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_was_cut_off_is_not_run_again() {
    let (world, llm, phonework) = started().await;
    let anna = world.anna();
    anna.say("do it llm: tool new_session {\"dir\":\"made\"} ;; hold one never-said");
    llm.waiting("one").await;
    anna.say("behind it llm: text answer-behind");
    world.sees_that(|m| m.has_button("Cancel")).await;
    phonework.kill();
    let before = llm.requests().len();
    let _again = world.standalone().await;
    let card = world
        .sees_that(|m| m.has_button("Continue") && m.text().contains("interrupted by a restart"))
        .await;
    assert!(
        card.text().contains("✓ new_session: made"),
        "{}",
        card.text()
    );
    // What waited behind it is read all the same.
    world
        .sees_that(|m| m.text().contains("answer-behind") && m.buttons().is_empty())
        .await;
    assert_eq!(llm.requests().len(), before + 1);
    llm.queue("text went-on");
    anna.tap(&card.message_id, "Continue").await.unwrap();
    world.sees("went-on").await;
    let last = llm.requests().pop().unwrap();
    let asked = last.said_by("user").pop().unwrap();
    assert!(
        asked.contains("cut off")
            && asked.contains("✓ new_session: made")
            && asked.contains("do it"),
        "{asked}"
    );
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("Taken up again"))
        .await;
    anna.say("/status");
    let status = world.sees("Sessions on").await;
    assert_eq!(
        status.text().matches("made").count(),
        1,
        "{}",
        status.text()
    );
}

/// Killed while it asked whether it may write: the question goes with the text that it belongs to.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_text_that_was_cut_off_is_taken_back() {
    let (world, llm, phonework) = started().await;
    let anna = world.anna();
    anna.say("note it llm: tool write_file {\"path\":\"note.txt\",\"text\":\"x\"} ;; text unheard");
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    phonework.kill();
    let _again = world.standalone().await;
    world
        .sees_that(|m| m.message_id == question.message_id && m.buttons().is_empty())
        .await;
    let card = world
        .sees_that(|m| m.has_button("Continue") && m.text().contains("interrupted by a restart"))
        .await;
    // Taken up again, it asks anew, and that answer counts.
    llm.queue("tool write_file {\"path\":\"note.txt\",\"text\":\"x\"}");
    llm.queue("text noted");
    anna.tap(&card.message_id, "Continue").await.unwrap();
    let again = world
        .sees_that(|m| m.has_button("Allow once") && m.message_id != question.message_id)
        .await;
    anna.tap(&again.message_id, "Allow once").await.unwrap();
    world.sees("noted").await;
    assert!(world.work().join("note.txt").exists());
}
