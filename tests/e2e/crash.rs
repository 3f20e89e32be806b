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

/// A process of the CLI that outlives the host, watched by the next one, which dies as well: its
/// answer is found by the third, and shown once.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_two_deaths() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid finished-alone");
    world.model.waiting("mid").await;
    phonework.kill();
    let watching = world.standalone().await;
    let card = world.sees("of this turn still runs").await;
    watching.kill();
    world.model.release("mid");
    no_claude(&world).await;
    let _third = world.standalone().await;
    let found = world.sees("found after a restart").await;
    assert_eq!(found.message_id, card.message_id);
    assert!(!found.has_button("Continue") && !found.text().contains("still runs"));
    assert_eq!(world.model.turns_containing("finished-alone"), 1);
    assert_eq!(world.count("found after a restart"), 1);
    // Nothing of it is left to take up.
    anna.say("fake: text next-one");
    world.sees("next-one").await;
}

/// The same, but this time the process ends while it is watched.
#[tokio::test(flavor = "multi_thread")]
async fn a_watched_turn_ends_under_our_eyes() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid finished-alone");
    world.model.waiting("mid").await;
    phonework.kill();
    let _again = world.standalone().await;
    let card = world.sees("of this turn still runs").await;
    anna.say("fake: text next-one");
    world.sees("Waiting, place 1").await;
    world.model.release("mid");
    let found = world.sees("found after a restart").await;
    assert_eq!(found.message_id, card.message_id);
    world
        .sees_that(|m| m.text().contains("next-one") && !m.text().contains("Waiting"))
        .await;
    assert_eq!(world.model.turns_containing("finished-alone"), 1);
}

/// A process left over that comes to no end is ended by /stop, and its turn is offered.
#[tokio::test(flavor = "multi_thread")]
async fn a_watched_turn_can_be_stopped() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    phonework.kill();
    let _again = world.standalone().await;
    let card = world.sees("of this turn still runs").await;
    anna.say("/stop");
    let offered = world
        .sees_that(|m| {
            m.message_id == card.message_id && m.text().contains("in the middle of this turn")
        })
        .await;
    assert!(offered.has_button("Continue"));
    no_claude(&world).await;
    world.model.queue("text went-on");
    anna.tap(&offered.message_id, "Continue").await.unwrap();
    world.sees("went-on").await;
}

/// Killed while it takes up a turn that ended without it: before it has read the transcript, and
/// after what it found is written down.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_dies_is_taken_up_again() {
    for at in ["host.found.asked", "host.found.offered"] {
        let world = World::start().await;
        let phonework = world.standalone().await;
        let anna = world.anna();
        anna.say("/new demo fake: hold mid finished-alone");
        world.model.waiting("mid").await;
        phonework.kill();
        world.model.release("mid");
        no_claude(&world).await;
        let mut dying = world.standalone_dying(at);
        dying.ended(LONG).await;
        let _third = world.standalone().await;
        world.sees("found after a restart").await;
        assert_eq!(world.model.turns_containing("finished-alone"), 1, "{at}");
        assert_eq!(world.count("found after a restart"), 1, "{at}");
    }
}

/// Dead between starting a process and writing down that it did: nothing knows of that process, and
/// it does not end by itself. It is found all the same, and the turn, which it never had, runs.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_nobody_knows_of_is_ended() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::start().await;
    let (script, stuck) = (
        world.home.root().join("agent"),
        world.home.root().join("stuck"),
    );
    // Where it is told to be stuck it reads nothing, heeds only force, and has a child in its group.
    let text = format!(
        "#!/bin/sh\nif [ -e {} ]; then trap '' INT TERM; while :; do sleep 1; done; fi\nexec {} \"$@\"\n",
        stuck.display(),
        world.claude.display(),
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    world.claude = script;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    phonework.kill();

    std::fs::write(&stuck, "").unwrap();
    let mut dying = world.standalone_dying("host.agent.spawned");
    world.connected().await;
    anna.say("fake: text ran-once");
    dying.ended(LONG).await;
    let left = claudes(&world);
    assert_eq!(left.len(), 1, "one process is left over: {left:?}");
    std::fs::remove_file(&stuck).unwrap();
    let _again = world.standalone().await;
    world
        .sees_that(|m| m.text().contains("ran-once") && !m.text().contains("fake:"))
        .await;
    assert_eq!(world.model.turns_containing("ran-once"), 1);
    assert!(!claudes(&world).contains(&left[0]), "it still runs");
}

/// The CLI's processes of this test.
fn claudes(world: &World) -> Vec<u32> {
    let home = world.home.root().display().to_string();
    let mut all = processes(&["--input-format stream-json"]);
    all.retain(|pid| lives_in(*pid, &home));
    all
}

/// Waits until no process of the CLI is left.
async fn no_claude(world: &World) {
    until(LONG, "the end of claude", || claudes(world).is_empty()).await;
}
