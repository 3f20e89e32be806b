//! What becomes of messages on a host with the real CLI: a turn from end to end, the queue, and when
//! processes come and go.

use super::*;

fn over(view: &View) -> bool {
    view.buttons.is_empty()
}

impl World {
    /// Whether the model was told `earlier` when it was asked for the turn of `marker`.
    fn remembers(&self, marker: &str, earlier: &str) -> bool {
        let requests = self.model.requests();
        let turn = requests.iter().find(|request| {
            let opening = request.opening.as_deref();
            request.kind.is_turn() && opening.is_some_and(|words| words.contains(marker))
        });
        let turn = turn.unwrap_or_else(|| panic!("no turn of {marker}"));
        turn.body.to_string().contains(earlier)
    }

    /// What `/status` says once it fits.
    async fn status(&self, node: &str, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let mut asked = 0;
        let last = std::cell::RefCell::new(String::new());
        let found = async {
            loop {
                asked += 1;
                let cause = format!("{what}-{asked}");
                self.say(node, &cause, "/status").await;
                let text = words(&self.sees(&cause, "Sessions on Home").await);
                if fits(&text) {
                    return text;
                }
                *last.borrow_mut() = text;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("{what}: {}", last.borrow()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_from_end_to_end() {
    let world = World::start(&["a"]).await;
    let host = world.host("a").await;
    let input = serde_json::json!({"file_path": "note.txt", "content": "hi"});
    let prompt = format!("/new demo fake: tool Write {input} ;; text all-done");
    world.say("a", "om_1", &prompt).await;
    let ask = world.sees("om_1", "May I use Write?").await;
    assert!(words(&ask).contains("note.txt"), "{ask:#?}");
    let running = |view: &View| words(view).contains("Waiting for your answer");
    // The turn's own card came first and has its button all the while.
    let cards = world.cards().await;
    assert!(matches!(button(&cards[0].1, "Stop"), Action::Stop { .. }));
    assert!(
        !cards.iter().any(|(_, view)| running(view)),
        "previews are not stored"
    );
    world
        .tap("a", "tap_1", button(&ask, "Allow once").clone())
        .await;
    let done = world
        .card("om_1", "the answer", |view| {
            over(view) && words(view).contains("all-done")
        })
        .await;
    assert_eq!(done.title, "Home · demo");
    assert!(words(&done).contains("Write"), "its steps: {done:#?}");
    assert_eq!(
        std::fs::read_to_string(world.dir("a", "work/demo/note.txt")).unwrap(),
        "hi"
    );
    let answered = world.sees("om_1", "Allowed once at").await;
    assert!(over(&answered));

    // The next message goes on in the same conversation and process.
    world.say("a", "om_2", "fake: text second-one").await;
    world
        .card("om_2", "second-one", |view| {
            over(view) && words(view).contains("second-one")
        })
        .await;
    assert!(world.remembers("second-one", "all-done"));
    let status = world
        .status("a", "ready", |text| text.contains("ready"))
        .await;
    assert!(status.contains("1: demo (active) · ready"), "{status}");
    // What was shown is only final states: two of each turn, two of the question, and its ring.
    let shown = world.shown().await;
    let notices = shown
        .iter()
        .filter(|one| matches!(one.body, OutboundBody::Notice { .. }))
        .count();
    assert_eq!(notices, 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_wait_for_the_turn_before_them() {
    let world = World::start(&["a"]).await;
    let host = world.host("a").await;
    world
        .say("a", "om_1", "/new demo fake: hold one answer-one")
        .await;
    world.model.waiting("one").await;
    for (cause, said) in [
        ("om_2", "answer-two"),
        ("om_3", "answer-three"),
        ("om_4", "answer-four"),
    ] {
        world.say("a", cause, &format!("fake: text {said}")).await;
    }
    let third = world.sees("om_3", "Waiting, place 2").await;
    world.sees("om_4", "Waiting, place 3").await;
    world
        .tap("a", "tap_1", button(&third, "Cancel").clone())
        .await;
    let gone = world.sees("om_3", "Taken back").await;
    assert!(over(&gone));
    // The same tap again finds nothing to take back.
    world
        .tap("a", "tap_2", button(&third, "Cancel").clone())
        .await;
    world.model.release("one");
    for (cause, said) in [
        ("om_1", "answer-one"),
        ("om_2", "answer-two"),
        ("om_4", "answer-four"),
    ] {
        world
            .card(cause, said, |view| over(view) && words(view).contains(said))
            .await;
    }
    assert_eq!(world.model.turns_containing("answer-three"), 0);
    assert_eq!(world.model.turns_containing("answer-two"), 1);
    assert_eq!(world.model.turns_containing("answer-four"), 1);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_process_is_closed_and_the_conversation_goes_on() {
    let world = World::start(&["a"]).await;
    let host = world.host("a").await;
    world
        .say("a", "om_1", "/new demo --idle 5 fake: text first")
        .await;
    world.card("om_1", "first", over).await;
    let begun = Instant::now();
    world
        .status("a", "ready", |text| text.contains("ready"))
        .await;
    world
        .status("a", "asleep", |text| text.contains("asleep"))
        .await;
    let after = begun.elapsed();
    assert!(after > Duration::from_secs(4), "{after:?}");
    world.say("a", "om_2", "fake: text second").await;
    world
        .card("om_2", "second", |view| {
            over(view) && words(view).contains("second")
        })
        .await;
    assert!(world.remembers("text second", "text first"));
    world
        .status("a", "again", |text| text.contains("ready"))
        .await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_cap_the_idle_one_makes_room() {
    let world = World::start(&["a"]).await;
    let mut options = world.options("a");
    options.agents.max_live = 1;
    let host = world.host_with(options).await;
    world
        .say("a", "om_1", "/new one fake: text first-in-one")
        .await;
    world
        .card("om_1", "first-in-one", |view| {
            over(view) && words(view).contains("first-in-one")
        })
        .await;
    world
        .say("a", "om_2", "/new two fake: text first-in-two")
        .await;
    world
        .card("om_2", "first-in-two", |view| {
            over(view) && words(view).contains("first-in-two")
        })
        .await;
    let status = world
        .status("a", "two-live", |text| {
            text.contains("two (active) · ready")
        })
        .await;
    assert!(status.contains("one · asleep"), "{status}");
    world.say("a", "om_3", "/switch 1").await;
    world.say("a", "om_4", "fake: hold busy answer-busy").await;
    world.model.waiting("busy").await;
    // The other one has to wait while this one works, and may be stopped while it does.
    world.say("a", "om_5", "/switch 2").await;
    world.say("a", "om_6", "fake: text must-not-run").await;
    let waits = world.card("om_6", "its card", |view| !over(view)).await;
    world
        .tap("a", "tap_1", button(&waits, "Stop").clone())
        .await;
    let stopped = world.sees("om_6", "Stopped").await;
    assert!(over(&stopped), "{stopped:#?}");
    world.say("a", "om_7", "fake: text ran-after").await;
    world.card("om_7", "its card", |view| !over(view)).await;
    world.model.release("busy");
    world.sees("om_4", "answer-busy").await;
    assert!(world.remembers("answer-busy", "first-in-one"));
    world
        .card("om_7", "ran-after", |view| {
            over(view) && words(view).contains("ran-after")
        })
        .await;
    assert_eq!(world.model.turns_containing("must-not-run"), 0);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_takes_too_long_is_stopped_and_can_go_on() {
    let world = World::start(&["a"]).await;
    let host = world.host("a").await;
    world
        .say(
            "a",
            "om_1",
            "/new demo --timeout 5 fake: hold one never-seen",
        )
        .await;
    world.model.waiting("one").await;
    let late = world.sees("om_1", "Stopped after 5 seconds").await;
    let labels: Vec<&str> = late.buttons.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["Continue", "Discard"]);
    assert!(words(&late).contains("turn-timeout"), "{late:#?}");
    // The session is free for something else meanwhile.
    world.say("a", "om_2", "fake: text something-else").await;
    world.sees("om_2", "something-else").await;
    world.model.queue("text went-on");
    world
        .tap("a", "tap_1", button(&late, "Continue").clone())
        .await;
    let done = world.sees("om_1", "went-on").await;
    assert!(over(&done));
    // The request is named, and not given again as it was.
    let asked = "do not repeat steps that are done. The request was:\n\nfake: hold one never-seen";
    assert_eq!(world.model.turns_containing(asked), 1);
    assert_eq!(world.model.turns_containing("hold one"), 2);
    host.stop().await;
}
