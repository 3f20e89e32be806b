//! Every end that a turn can come to, in one table: whatever ends it, its card says so, offers what
//! can still be done, and never goes on saying that something works.

use common::message::view::Tone;

use super::*;

/// What the card of a turn says in the end.
struct End {
    /// How it came about; also the message's cause, and mostly the directory.
    how: &'static str,
    says: &'static str,
    buttons: &'static [&'static str],
}

const fn end(how: &'static str, says: &'static str, buttons: &'static [&'static str]) -> End {
    End { how, says, buttons }
}

const GO_ON: &[&str] = &["Continue", "Discard"];
const AGAIN: &[&str] = &["Try again", "Discard"];

const ENDS: &[End] = &[
    end("finished", "fin-ok", &[]),
    end("refused", "refused the request", &[]),
    end("overloaded", "overloaded", AGAIN),
    end("stopped", "Stopped", &[]),
    end("late", "Stopped after 5 seconds", GO_ON),
    end("died", "ended unexpectedly", AGAIN),
    end("discarded", "Discarded", &[]),
    end("closed-working", "Stopped", &[]),
    end("closed-waiting", "Taken back", &[]),
    end("closed-cancelled", "Taken back", &[]),
    end("closed-asking", "Stopped", &[]),
    end("closed-cut-off", "Discarded", &[]),
    end("host-working", "restarted in the middle", GO_ON),
    end("host-queued", "Waiting, place 1", &["Send now", "Cancel"]),
    end("host-no-slot", "Waiting, place 1", &["Cancel"]),
];

/// A command that ends the CLI that runs it.
const SUICIDE: &str = r#"fake: tool Bash {"command":"kill -9 $PPID"} ;; text never-seen"#;

impl World {
    /// A host whose commands run unasked, with this many processes.
    pub(super) async fn trusting(&self, max_live: usize) -> Host {
        let mut options = self.options("a");
        options.agents.args = vec!["--allowedTools".to_owned(), "Bash".to_owned()];
        options.agents.max_live = max_live;
        self.host_with(options).await
    }

    /// Begins a session in a directory of the message's name.
    pub(super) async fn begin(&self, how: &str, more: &str) {
        self.say("a", how, &format!("/new {how} {more}")).await;
    }

    async fn is(&self, how: &str) -> View {
        let end = ENDS.iter().find(|end| end.how == how).unwrap();
        self.sees(how, end.says).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_a_turn_its_card_says_so() {
    let world = World::start(&["a"]).await;
    let host = world.trusting(6).await;
    world.begin("finished", "fake: text fin-ok").await;
    world.is("finished").await;
    world.begin("refused", "fake: error 400").await;
    world.is("refused").await;
    world.begin("overloaded", "fake: error 529").await;
    world.is("overloaded").await;

    world.begin("stopped", "fake: hold one never-seen").await;
    world.model.waiting("one").await;
    world.say("a", "stop", "/stop").await;
    world.is("stopped").await;

    world
        .begin("late", "--timeout 5 fake: hold two never-seen")
        .await;
    world.is("late").await;
    world.begin("died", SUICIDE).await;
    world.is("died").await;
    world.begin("discarded", SUICIDE).await;
    let died = world.sees("discarded", "ended unexpectedly").await;
    let discard = button(&died, "Discard").clone();
    world.tap("a", "tap-discard", discard).await;
    world.is("discarded").await;

    closed(&world).await;

    // The host stops: in a turn, with one behind it, and with one that has no process yet.
    host.stop().await;
    let host = world.trusting(1).await;
    world
        .begin("host-working", "fake: hold four never-seen")
        .await;
    world.model.waiting("four").await;
    world.say("a", "host-queued", "fake: text ran-later").await;
    world.is("host-queued").await;
    world.begin("host-no-slot", "fake: text ran-last").await;
    world
        .card("host-no-slot", "its card", |view| {
            view.tone == Tone::Working
        })
        .await;
    host.stop().await;

    let cards = world.cards().await;
    for End { how, says, buttons } in ENDS {
        let cause = CauseId::new(Surface::Feishu, how);
        let of: Vec<&View> = cards
            .iter()
            .filter(|(of, _)| *of == cause)
            .map(|(_, view)| view)
            .collect();
        let Some(turn) = of.iter().find(|view| words(view).contains(says)) else {
            panic!("{how}: {of:#?}");
        };
        let labels: Vec<&str> = turn.buttons.iter().map(|b| b.label.as_str()).collect();
        assert_eq!(labels, *buttons, "{how}: {turn:#?}");
    }
    for (cause, view) in &cards {
        assert!(
            !matches!(view.tone, Tone::Working | Tone::Asking),
            "{cause} is still open: {view:#?}"
        );
    }

    // What had no process runs at the next start, once; what was cut off does not.
    let host = world.trusting(6).await;
    for (how, said) in [("host-queued", "ran-later"), ("host-no-slot", "ran-last")] {
        world
            .card(how, said, |view| {
                view.tone == Tone::Done && words(view).contains(said)
            })
            .await;
        assert_eq!(world.model.turns_containing(said), 1);
    }
    assert_eq!(world.model.turns_containing("hold four"), 1);
    host.stop().await;
}

/// `/close` in the middle of each of the things that a session can be at.
async fn closed(world: &World) {
    world
        .begin("closed-working", "fake: hold three never-seen")
        .await;
    world.model.waiting("three").await;
    for how in ["closed-waiting", "closed-cancelled"] {
        world.say("a", how, "fake: text must-not-run").await;
        world.sees(how, "Waiting, place").await;
    }
    world.say("a", "close-1", "/close").await;
    let gone = world.sees("close-1", "is closed").await;
    assert!(words(&gone).contains("closed-working"), "{gone:#?}");
    for how in ["closed-working", "closed-waiting", "closed-cancelled"] {
        world.is(how).await;
    }

    let input = serde_json::json!({"file_path": "note.txt", "content": "hi"});
    let asks = format!("fake: tool Write {input} ;; text never-seen");
    world.begin("closed-asking", &asks).await;
    let question = world.sees("closed-asking", "May I use Write?").await;
    world.say("a", "close-2", "/close").await;
    world.sees("close-2", "is closed").await;
    world.is("closed-asking").await;
    world.sees("closed-asking", "No answer is needed").await;
    // A tap on what is gone changes nothing, and opens nothing again.
    let yes = button(&question, "Allow once").clone();
    world.tap("a", "tap-late", yes).await;
    assert!(!world.dir("a", "work/closed-asking/note.txt").exists());

    world.begin("closed-cut-off", SUICIDE).await;
    world.sees("closed-cut-off", "ended unexpectedly").await;
    world.say("a", "close-3", "/close").await;
    world.sees("close-3", "is closed").await;
    world.is("closed-cut-off").await;
    assert_eq!(world.model.turns_containing("must-not-run"), 0);
}

/// A turn that was given to a process may have done anything: going on with it never sends the bare
/// request again, also where the agent's own file knows nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_without_a_trace_is_not_begun_again() {
    let world = World::start(&["a"]).await;
    let host = world.trusting(6).await;
    let request = r#"fake: tool Bash {"command":"echo x >> ran.txt; kill -9 $PPID"} ;; text no"#;
    world.begin("lost", request).await;
    let died = world.sees("lost", "ended unexpectedly").await;
    // The file is written late: here, never.
    std::fs::remove_dir_all(world.home.config_dir().join("projects")).unwrap();
    world.model.queue("text went-on");
    world
        .tap("a", "tap-1", button(&died, "Try again").clone())
        .await;
    let done = world.sees("lost", "went-on").await;
    assert!(done.buttons.is_empty(), "{done:#?}");
    let unsure = "first look at what is already done";
    assert_eq!(world.model.turns_containing(unsure), 1);
    assert_eq!(
        world
            .model
            .turns_containing(&format!("was:\n\n{}", &request[..20])),
        1,
        "the request is quoted"
    );
    let ran = std::fs::read_to_string(world.dir("a", "work/lost/ran.txt")).unwrap();
    assert_eq!(ran, "x\n");
    host.stop().await;
}
