//! What the agent says when nobody asked: a command that it left running ends after its turn.

use common::message::view::Tone;

use super::*;

impl World {
    /// The card with the result of background work.
    async fn of_background_work(&self, part: &str) -> (CauseId, View) {
        until("the result of background work", async || {
            self.cards().await.into_iter().find(|(_, view)| {
                let words = words(view);
                words.contains("Result of background work") && words.contains(part)
            })
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn background_work_answers_after_its_turn() {
    let world = World::start(&["a"]).await;
    let host = world.trusting(6).await;
    world.model.rule(
        |words| words.contains("task-notification"),
        "text later-done",
    );
    let input = serde_json::json!({
        "command": "while [ ! -e go ]; do sleep 0.05; done; echo built",
        "run_in_background": true,
    });
    let asks = format!("fake: tool Bash {input} ;; text started-it ;; text later-done");
    world.begin("first", &asks).await;
    let first = world
        .card("first", "its end", |view| view.tone == Tone::Done)
        .await;
    assert!(words(&first).contains("started-it"), "{first:#?}");
    assert_eq!(world.saying("Result of background work").await, 0);
    std::fs::write(world.dir("a", "work/first").join("go"), "").unwrap();
    let (cause, later) = world.of_background_work("later-done").await;
    let (own, _) = world
        .cards()
        .await
        .into_iter()
        .find(|(_, view)| words(view).contains("started-it"))
        .unwrap();
    assert_eq!(cause, own, "{later:#?}");
    assert!(later.buttons.is_empty(), "{later:#?}");
    assert_eq!(later.tone, Tone::Done);
    // The turn's own answer stays, and the next turn is not taken for it.
    let first = world.sees("first", "started-it").await;
    assert_eq!(first.tone, Tone::Done);
    world.say("a", "second", "fake: text second-done").await;
    world.sees("second", "second-done").await;
    assert_eq!(world.saying("Result of background work").await, 1);
    host.stop().await;
}

/// It ends while another turn runs: that turn's answer is its own, and what comes of the work is told.
#[tokio::test(flavor = "multi_thread")]
async fn background_work_that_ends_in_another_turn_takes_no_answer_away() {
    let world = World::start(&["a"]).await;
    let host = world.trusting(6).await;
    let input = serde_json::json!({
        "command": "while [ ! -e go ]; do sleep 0.05; done; touch ended",
        "run_in_background": true,
    });
    let asks = format!("fake: tool Bash {input} ;; text started-it");
    world.begin("first", &asks).await;
    world.sees("first", "started-it").await;
    world
        .say(
            "a",
            "second",
            "fake: hold two second-done ;; text later-done",
        )
        .await;
    world.model.waiting("two").await;
    let dir = world.dir("a", "work/first");
    std::fs::write(dir.join("go"), "").unwrap();
    until("the end of the command", async || {
        dir.join("ended").exists().then_some(())
    })
    .await;
    world.model.release("two");
    world.of_background_work("later-done").await;
    let second = world
        .card("second", "its end", |view| view.tone == Tone::Done)
        .await;
    assert!(words(&second).contains("second-done"), "{second:#?}");
    assert_eq!(world.saying("second-done").await, 1);
    assert_eq!(world.saying("later-done").await, 1);
    world.say("a", "third", "fake: text third-done").await;
    world.sees("third", "third-done").await;
    assert_eq!(world.saying("Result of background work").await, 1);
    host.stop().await;
}
