//! A process dies in the middle of a turn: the person learns what happened and can go on; tools
//! that ran do not run again; sessions and directories are as before.

use kit::feishu::BotMessage;

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

/// A message that was handed to a running turn waits in the agent when the host dies, and runs as a
/// turn of its own while the next host looks on: its answer is found, as is that of the turn before.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_left_in_the_agent_is_watched() {
    let world = World::start().await;
    // The agent's third line is the message that is handed in.
    let mut dying = world.standalone_dying("host.agent.line.written@3");
    world.connected().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold one first-done");
    world.model.waiting("one").await;
    anna.say("fake: hold two second-done");
    let waits = |m: &BotMessage| m.has_button("Send now") && m.text().contains("second-done");
    let second = world.sees_that(waits).await;
    anna.tap(&second.message_id, "Send now").await.unwrap();
    dying.ended(LONG).await;
    world.model.release("one");
    world.model.waiting("two").await;
    let _again = world.standalone().await;
    let is_watched = |m: &BotMessage| m.message_id == second.message_id && m.has_button("Continue");
    let watched = world.sees_that(is_watched).await;
    assert!(watched.text().contains("still runs"), "{}", watched.text());
    world.model.release("two");
    for (said, own) in [("first-done", false), ("second-done", true)] {
        let is_found = |m: &BotMessage| {
            let found = m.text().contains("found after a restart") && m.text().contains(said);
            found && (m.message_id == second.message_id) == own && m.buttons().is_empty()
        };
        world.sees_that(is_found).await;
        assert_eq!(world.count(said), 1, "{said}");
        assert_eq!(world.model.turns_containing(said), 1, "{said}");
    }
    // Nothing stands in the way of what comes next.
    anna.say("fake: text next-one");
    world.sees("next-one").await;
}

/// A turn that is taken up goes before those that wait behind it, and none of them stands still.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_taken_up_goes_before_those_that_wait() {
    let world = World::start().await;
    let phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    for (said, place) in [("answer-two", "place 1"), ("answer-three", "place 2")] {
        anna.say(&format!("fake: text {said}"));
        world.sees(place).await;
    }
    phonework.kill();
    let _again = world.standalone().await;
    let card = world.sees("of this turn still runs").await;
    anna.say("fake: text answer-four");
    world.sees("place 3").await;
    world.model.queue("text went-on");
    anna.tap(&card.message_id, "Continue").await.unwrap();
    let is_told = |m: &BotMessage| m.message_id == card.message_id && m.text().contains("went-on");
    world.sees_that(is_told).await;
    let answers = ["answer-two", "answer-three", "answer-four"];
    for said in answers {
        let is_over = |m: &BotMessage| m.text().contains(said) && m.buttons().is_empty();
        world.sees_that(is_over).await;
        assert_eq!(world.count(said), 1, "{said}");
    }
    assert_eq!(world.count("went-on"), 1);
    let order = ["hold mid", GOES_ON, answers[0], answers[1], answers[2]];
    assert_eq!(turns(&world, &order), order);
}

/// Taken up after others have run, a turn is still itself: the agent is told which it was. It goes
/// before what waits, and not into what runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_taken_up_late_is_itself() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo fake: hold mid never-seen");
    world.model.waiting("mid").await;
    for pid in claudes(&world) {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
    }
    let card = world.sees("ended unexpectedly").await;
    anna.say("fake: text second-done");
    let is_second = |m: &BotMessage| m.text().contains("second-done") && m.buttons().is_empty();
    world.sees_that(is_second).await;
    anna.say("fake: hold third third-done");
    world.model.waiting("third").await;
    anna.say("fake: text fourth-done");
    let waits = |m: &BotMessage| m.text().contains("fourth-done") && m.has_button("Cancel");
    world.sees_that(waits).await;

    anna.tap(&card.message_id, "Try again").await.unwrap();
    let first = |m: &BotMessage| m.message_id == card.message_id && m.text().contains("place 1");
    world.sees_that(first).await;
    world.model.queue("text went-on");
    world.model.release("third");
    let is_told = |m: &BotMessage| m.message_id == card.message_id && m.text().contains("went-on");
    world.sees_that(is_told).await;
    let is_fourth = |m: &BotMessage| m.text().contains("fourth-done") && m.buttons().is_empty();
    world.sees_that(is_fourth).await;
    for said in ["second-done", "third-done", "fourth-done", "went-on"] {
        assert_eq!(world.count(said), 1, "{said}");
    }
    let order = [
        "hold mid",
        "second-done",
        "third-done",
        GOES_ON,
        "fourth-done",
    ];
    assert_eq!(turns(&world, &order), order);
}

/// What the agent is told when the first turn of these tests is taken up.
const GOES_ON: &str = "The request was:\n\nfake: hold mid";

/// The turns as the model saw them begin, each by the longest of `marks` that it has.
fn turns<'a>(world: &World, marks: &[&'a str]) -> Vec<&'a str> {
    let requests = world.model.requests();
    let begun = requests.iter().filter(|one| one.kind.is_turn());
    let openings = begun.filter_map(|one| one.opening.as_deref());
    openings
        .map(|words| {
            let has = |mark: &&&str| words.contains(**mark);
            let mark = marks.iter().filter(has).max_by_key(|mark| mark.len());
            *mark.unwrap_or_else(|| panic!("what turn is this? {words}"))
        })
        .collect()
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
