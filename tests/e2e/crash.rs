//! A process dies in the middle of a turn: the person learns what happened and can go on; tools
//! that ran do not run again; sessions and directories are as before.

use crate::world::{LONG, World, processes, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_host_killed_in_a_turn_offers_to_continue() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say(
        "/new demo fake: tool Bash {\"command\":\"echo x >> ran.txt\"} ;; hold mid ;; text the-end",
    );
    let prompt = world.sees_that(|m| m.has_button("Allow once")).await;
    anna.tap(&prompt.message_id, "Allow once").await.unwrap();
    world.model.waiting("mid").await;
    phonework.kill();
    let _again = world.standalone().await;
    let card = world.sees_that(|m| m.has_button("Continue")).await;
    assert!(card.text().contains("restart"), "{}", card.text());
    assert!(
        card.text().contains("ran.txt"),
        "the prompt is quoted: {}",
        card.text()
    );
    // The session is where it was.
    anna.say("/status");
    let status = world.sees("Sessions on").await;
    assert!(status.text().contains("demo"), "{}", status.text());
    // Going on: the agent hears a request to continue, not the prompt again.
    world.model.queue("text went-on");
    anna.tap(&card.message_id, "Continue").await.unwrap();
    world.sees("went-on").await;
    let ran = std::fs::read_to_string(world.work().join("demo/ran.txt")).unwrap();
    assert_eq!(ran, "x\n", "the tool ran once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_claude_finished_alone_is_found() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid finished-alone");
    world.model.waiting("mid").await;
    phonework.kill();
    // Claude goes on by itself, ends its turn, saves it, and exits.
    world.model.release("mid");
    let claude = world.home.root().display().to_string();
    until(LONG, "the end of claude", || {
        processes(&["--input-format stream-json", "--session-id"])
            .iter()
            .all(|pid| !lives_in(*pid, &claude))
    })
    .await;
    let _again = world.standalone().await;
    world.sees("finished-alone").await;
    assert_eq!(world.model.turns_containing("finished-alone"), 1);
    assert_eq!(world.count("finished-alone"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn discarding_leaves_the_session_usable() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    phonework.kill();
    let _again = world.standalone().await;
    let card = world.sees_that(|m| m.has_button("Discard")).await;
    anna.tap(&card.message_id, "Discard").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("Discarded"))
        .await;
    anna.say("fake: text next-one");
    world.sees("next-one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_killed_in_a_turn_is_told_and_can_be_continued() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    let home = world.home.root().display().to_string();
    for pid in processes(&["--input-format stream-json"]) {
        if lives_in(pid, &home) {
            let pid = i32::try_from(pid)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
        }
    }
    let card = world.sees("ended unexpectedly").await;
    assert!(card.has_button("Try again"));
    world.model.queue("text went-on");
    anna.tap(&card.message_id, "Try again").await.unwrap();
    world.sees("went-on").await;
}

/// Whether a process of the CLI belongs to this test: its working directory is in the test's home.
pub(crate) fn lives_in(pid: u32, home: &str) -> bool {
    let output = std::process::Command::new("lsof")
        .args(["-a", "-d", "cwd", "-Fn", "-p", &pid.to_string()])
        .output();
    if let Ok(cwd) = std::fs::read_link(format!("/proc/{pid}/cwd")) {
        return cwd.starts_with(home);
    }
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(home))
}
