//! What becomes of a message that is handed to a running turn: taken into it, too late for it, and
//! left in the agent when that dies. Its own card always says how it ended.

use std::os::unix::fs::PermissionsExt as _;

use common::message::view::Tone;

use super::*;

/// Whether the card of a turn runs, with nothing of the past on it.
fn works(view: &View) -> bool {
    view.tone == Tone::Working
}

impl World {
    /// Says something while a turn runs, and hands it to that.
    async fn hands_in(&self, cause: &str, said: &str) {
        self.say("a", cause, said).await;
        let waits = self.sees(cause, "Waiting, place 1").await;
        let send = button(&waits, "Send now").clone();
        self.tap("a", &format!("tap-{cause}"), send).await;
        self.sees(cause, "Handed to the running turn").await;
    }

    /// How many cards say this.
    pub(super) async fn saying(&self, part: &str) -> usize {
        let cards = self.cards().await;
        cards
            .iter()
            .filter(|(_, view)| words(view).contains(part))
            .count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_turn_takes_in_ends_with_it() {
    let world = World::start(&["a"]).await;
    let host = world.host("a").await;
    let asks = r#"/new demo fake: tool Bash {"command":"touch x.txt"} ;; text not-this"#;
    world.say("a", "first", asks).await;
    let ask = world.sees("first", "May I use Bash?").await;
    world.hands_in("second", "fake: text for-both").await;
    let yes = button(&ask, "Allow once").clone();
    world.tap("a", "tap-yes", yes).await;
    world.sees("first", "for-both").await;
    let second = world.sees("second", "Answered together").await;
    assert!(second.buttons.is_empty(), "{second:#?}");
    assert_eq!(world.saying("for-both").await, 1);
    assert_eq!(world.model.turns_containing("for-both"), 0);
    // Nothing of it is left to be taken up.
    host.stop().await;
    let host = world.host("a").await;
    world.say("a", "third", "fake: text third-done").await;
    world.sees("third", "third-done").await;
    assert_eq!(world.saying("for-both").await, 1);
    host.stop().await;
}

/// The agent reads it only when the turn is over, and nothing runs any more.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_late_for_a_turn_is_one_of_its_own() {
    let world = World::start(&["a"]).await;
    let (script, deaf) = (
        world.home.root().join("agent"),
        world.home.root().join("deaf"),
    );
    // Hands on nothing that comes while it is deaf.
    let text = format!(
        "#!/bin/sh\nwhile IFS= read -r line; do\n  while [ -e {} ]; do sleep 0.05; done\n  printf '%s\\n' \"$line\"\ndone | {} \"$@\"\n",
        deaf.display(),
        kit::claude::binary().display(),
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut options = world.options("a");
    options.agents.program = Some(script);
    let host = world.host_with(options).await;
    world
        .say("a", "first", "/new demo fake: hold one first-done")
        .await;
    world.model.waiting("one").await;
    std::fs::write(&deaf, "").unwrap();
    world.hands_in("second", "fake: text second-done").await;
    world.model.release("one");
    let first = world
        .card("first", "its end", |view| view.tone == Tone::Done)
        .await;
    assert!(words(&first).contains("first-done"), "{first:#?}");
    let second = world.card("second", "its own turn", works).await;
    assert!(matches!(button(&second, "Stop"), Action::Stop { .. }));
    std::fs::remove_file(&deaf).unwrap();
    let second = world
        .card("second", "its end", |view| view.tone == Tone::Done)
        .await;
    assert!(words(&second).contains("second-done"), "{second:#?}");
    assert_eq!(world.saying("second-done").await, 1);
    assert_eq!(world.saying("background").await, 0);
    assert_eq!(world.model.turns_containing("second-done"), 1);
    world.say("a", "third", "fake: text third-done").await;
    world.sees("third", "third-done").await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dies_with_the_agent_is_offered() {
    let world = World::start(&["a"]).await;
    let host = world.trusting(6).await;
    let first = r#"fake: tool Bash {"command":"while [ ! -e go ]; do sleep 0.05; done; kill -9 $PPID"} ;; text no"#;
    world.begin("first", first).await;
    let dir = world.dir("a", "work/first");
    until("the command", async || {
        world.model.turns_containing("while [").eq(&1).then_some(())
    })
    .await;
    world.hands_in("second", "fake: text second-new").await;
    std::fs::write(dir.join("go"), "").unwrap();
    for cause in ["first", "second"] {
        let died = world.sees(cause, "ended unexpectedly").await;
        world.model.queue(&format!("text {cause}-went-on"));
        let again = button(&died, "Try again").clone();
        world.tap("a", &format!("again-{cause}"), again).await;
        let done = world.sees(cause, &format!("{cause}-went-on")).await;
        assert!(done.buttons.is_empty(), "{done:#?}");
    }
    assert_eq!(world.saying("-went-on").await, 2);
    host.stop().await;
}
