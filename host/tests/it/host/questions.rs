//! Questions of the CLI when the CLI, or its turn, ends before the answer: the card closes at once,
//! and a tap after that says that nobody asks any more.

use common::message::view::Tone;
use rustix::process::{Pid, Signal, kill_process};

use super::*;

impl World {
    /// Begins a session whose second turn asks; gives its process and the question.
    async fn asked(&self, host: &str) -> (Pid, View) {
        let tell = r#"fake: tool Bash {"command":"echo $PPID > pid"} ;; text told"#;
        self.say(host, "om_pid", &format!("/new demo {tell}")).await;
        self.sees("om_pid", "told").await;
        let pid = std::fs::read_to_string(self.dir(host, "work/demo/pid")).unwrap();
        let input = serde_json::json!({"file_path": "note.txt", "content": "hi"});
        self.say(
            host,
            "om_ask",
            &format!("fake: tool Write {input} ;; text wrote-it"),
        )
        .await;
        let question = self.sees("om_ask", "May I use Write?").await;
        (
            Pid::from_raw(pid.trim().parse().unwrap()).unwrap(),
            question,
        )
    }

    async fn host_with_bash(&self) -> Host {
        let mut options = self.options("a");
        options.agents.args = vec!["--allowedTools".to_owned(), "Bash".to_owned()];
        self.host_with(options).await
    }

    /// What rang for this act.
    async fn rung(&self, cause: &str) -> Vec<String> {
        let cause = CauseId::new(Surface::Feishu, cause);
        let shown = self.shown().await.into_iter();
        shown
            .filter(|one| one.meta.cause == cause)
            .filter_map(|one| match one.body {
                OutboundBody::Notice { text } => Some(text),
                OutboundBody::Card { .. }
                | OutboundBody::File { .. }
                | OutboundBody::Fetch { .. } => None,
            })
            .collect()
    }
}

fn note(world: &World) -> Option<String> {
    std::fs::read_to_string(world.dir("a", "work/demo/note.txt")).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_killed_process_closes_at_once() {
    let world = World::start(&["a"]).await;
    let host = world.host_with_bash().await;
    let (claude, question) = world.asked("a").await;
    kill_process(claude, Signal::KILL).unwrap();
    let closed = world.sees("om_ask", "No answer is needed").await;
    assert!(closed.buttons.is_empty() && closed.tone != Tone::Asking);
    world.sees("om_ask", "ended unexpectedly").await;
    world
        .tap("a", "tap_1", button(&question, "Allow once").clone())
        .await;
    let told = until("a word on the tap", async || {
        world.rung("tap_1").await.pop()
    })
    .await;
    assert!(told.contains("Nobody waits for this answer"), "{told}");
    assert_eq!(note(&world), None);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_held_hears_the_answer_when_it_goes_on() {
    let world = World::start(&["a"]).await;
    let host = world.host_with_bash().await;
    let (claude, question) = world.asked("a").await;
    kill_process(claude, Signal::STOP).unwrap();
    let yes = button(&question, "Allow once").clone();
    world.tap("a", "tap_1", yes.clone()).await;
    world.sees("om_ask", "Allowed once at").await;
    assert_eq!(note(&world), None);
    kill_process(claude, Signal::CONT).unwrap();
    world
        .card("om_ask", "the answer", |view| {
            view.tone == Tone::Done && words(view).contains("wrote-it")
        })
        .await;
    assert_eq!(note(&world).as_deref(), Some("hi"));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_turn_takes_its_question_with_it() {
    let world = World::start(&["a"]).await;
    let host = world.host_with_bash().await;
    let (_, question) = world.asked("a").await;
    world.say("a", "om_stop", "/stop").await;
    world.sees("om_ask", "Stopped").await;
    let closed = world.sees("om_ask", "No answer is needed").await;
    assert!(closed.buttons.is_empty());
    world
        .tap("a", "tap_1", button(&question, "Allow once").clone())
        .await;
    let told = until("a word on the tap", async || {
        world.rung("tap_1").await.pop()
    })
    .await;
    assert!(told.contains("Nobody waits for this answer"), "{told}");
    assert_eq!(note(&world), None);
    // The session goes on.
    world.say("a", "om_next", "fake: text next-one").await;
    world.sees("om_next", "next-one").await;
    host.stop().await;
}

/// The time of a turn stands still while the person is asked; once it runs out, nothing of the
/// question is left open. The process is held, so that only the force at the end helps.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_runs_out_of_time_leaves_no_question_open() {
    let world = World::start(&["a"]).await;
    let host = world.host_with_bash().await;
    let input = serde_json::json!({"file_path": "note.txt", "content": "hi"});
    let command = "echo $PPID > pid; kill -STOP $PPID";
    let bash = serde_json::json!({ "command": command });
    world
        .say(
            "a",
            "om_1",
            &format!(
                "/new demo --timeout 10 fake: tool Write {input} ;; tool Bash {bash} ;; text no"
            ),
        )
        .await;
    let question = world.sees("om_1", "May I use Write?").await;
    // Longer than the turn may take: the person's time is not the turn's.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(world.rung("om_1").await.len(), 1, "it still waits");
    world
        .tap("a", "tap_1", button(&question, "Allow once").clone())
        .await;
    let late = world.sees("om_1", "Stopped after 10 seconds").await;
    let labels: Vec<&str> = late.buttons.iter().map(|b| b.label.as_str()).collect();
    assert_eq!(labels, ["Continue", "Discard"]);
    let cards = world.cards().await;
    let open = |(_, view): &&(CauseId, View)| matches!(view.tone, Tone::Asking | Tone::Working);
    assert_eq!(cards.iter().find(open), None);
    let pid = std::fs::read_to_string(world.dir("a", "work/demo/pid")).unwrap();
    let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    until("the end of the held process", async || {
        rustix::process::test_kill_process(pid)
            .is_err()
            .then_some(())
    })
    .await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_expires() {
    let world = World::start(&["a"]).await;
    let mut options = world.options("a");
    options.agents.args = vec!["--allowedTools".to_owned(), "Bash".to_owned()];
    options.agents.question_waits = std::time::Duration::from_secs(2);
    let host = world.host_with(options).await;
    let (_claude, question) = world.asked("a").await;
    let closed = world.sees("om_ask", "Nobody answered by").await;
    assert!(closed.buttons.is_empty() && closed.tone != Tone::Asking);
    // The agent heard a no and ended its turn; the file was not written.
    world
        .card("om_ask", "the answer", |view| {
            view.tone == Tone::Done && words(view).contains("wrote-it")
        })
        .await;
    world
        .tap("a", "tap_1", button(&question, "Allow once").clone())
        .await;
    let told = until("a word on the tap", async || {
        world.rung("tap_1").await.pop()
    })
    .await;
    assert!(told.contains("Nobody answered by"), "{told}");
    assert_eq!(note(&world), None);
    host.stop().await;
}
