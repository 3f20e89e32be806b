//! Several people on one host: a session that is slow, held up or flooded is its owner's alone.

use common::message::view::Tone;
use futures_util::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};

use super::*;

fn ben() -> UserId {
    "ou_ben".parse().unwrap()
}

impl World {
    async fn ben_says(&self, cause: &str, said: &str) {
        let body = InboundBody::Text { text: said.into() };
        self.send(&act_of(ben(), "a", cause, body)).await;
    }

    async fn crowd(&self, max_live: usize) -> Host {
        let mut options = self.options("a");
        options.serves = Vec::new();
        options.agents.args = vec!["--allowedTools".to_owned(), "Bash".to_owned()];
        options.agents.max_live = max_live;
        self.host_with(options).await
    }

    /// The process of a session that wrote its number down.
    fn claude(&self, dir: &str) -> Pid {
        let pid = std::fs::read_to_string(self.dir("a", &format!("work/{dir}/pid"))).unwrap();
        Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    }

    /// Whether any card answers this act.
    async fn answered(&self, cause: &str) -> bool {
        let cause = CauseId::new(Surface::Feishu, cause);
        self.cards().await.iter().any(|(of, _)| *of == cause)
    }
}

const TELL: &str = r#"tool Bash {"command":"echo $PPID > pid"}"#;

/// A process that does not heed anything takes many seconds to end. Everybody else, its owner
/// included, is served meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn closing_a_session_holds_up_nobody() {
    let world = World::start(&["a"]).await;
    let host = world.crowd(6).await;
    world
        .say(
            "a",
            "om_1",
            &format!("/new slow fake: {TELL} ;; hold one never"),
        )
        .await;
    world.model.waiting("one").await;
    let claude = world.claude("slow");
    kill_process(claude, Signal::STOP).unwrap();
    world.say("a", "om_close", "/close").await;
    world.sees("om_close", "Closing session 1 (slow)").await;
    world
        .ben_says("om_ben", "/new ben fake: text ben-is-served")
        .await;
    world.sees("om_ben", "ben-is-served").await;
    world.say("a", "om_status", "/status").await;
    let status = world.sees("om_status", "No sessions").await;
    assert!(!words(&status).contains("slow"), "{status:#?}");
    let closing = words(&world.sees("om_close", "session 1 (slow)").await);
    assert!(
        closing.contains("Closing"),
        "it was to take longer: {closing}"
    );
    let closed = world.sees("om_close", "is closed").await;
    assert!(words(&closed).contains("Session 1 (slow)"));
    let turn = world.sees("om_1", "Stopped").await;
    assert!(turn.buttons.is_empty());
    assert!(rustix::process::test_kill_process(claude).is_err());
    host.stop().await;
}

/// The same, killed while the session is on its way out: it ends at the next start, and only it,
/// whatever its number would mean by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_close_goes_on_after_a_crash() {
    let world = World::start(&["a"]).await;
    let host = world.crowd(6).await;
    world.say("a", "om_0", "/new first").await;
    world.sees("om_0", "is ready").await;
    world
        .say(
            "a",
            "om_1",
            &format!("/new slow fake: {TELL} ;; hold one never"),
        )
        .await;
    world.model.waiting("one").await;
    kill_process(world.claude("slow"), Signal::STOP).unwrap();
    world.say("a", "om_2", "/new third").await;
    world.sees("om_2", "is ready").await;
    world.say("a", "om_slow", "/close 2").await;
    world.sees("om_slow", "Closing session 2 (slow)").await;
    world.say("a", "om_first", "/close 1").await;
    world.sees("om_first", "Session 1 (first) is closed").await;
    host.kill();
    let host = world.crowd(6).await;
    world.sees("om_slow", "Session 2 (slow) is closed").await;
    let turn = world.sees("om_1", "Stopped").await;
    assert!(turn.buttons.is_empty());
    world.say("a", "om_status", "/status").await;
    let status = words(&world.sees("om_status", "Sessions on Home").await);
    assert!(
        status.contains("1: third") && !status.contains("2: "),
        "{status}"
    );
    assert_eq!(world.model.turns_containing("hold one"), 1);
    host.stop().await;
    // And is not remembered for ever.
    let (_, snapshot) = until("the journal is closed", async || {
        host::journal::Journal::open(&world.dir("a", "data")).ok()
    })
    .await;
    assert!(snapshot.users.iter().all(|user| user.closing.is_empty()));
    assert!(snapshot.turns.is_empty(), "{:#?}", snapshot.turns);
}

/// One person's hundreds of messages for a session that cannot take them: the others do not wait,
/// what fits runs in order, and the rest is told on one card.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_told_once_and_is_ones_own() {
    const FLOOD: usize = 150;
    let world = World::start(&["a"]).await;
    let host = world.crowd(1).await;
    world
        .say("a", "om_1", &format!("/new mine fake: {TELL} ;; text told"))
        .await;
    world
        .card("om_1", "told", |view| view.tone == Tone::Done)
        .await;
    // Its process is idle, and held: giving the slot away takes it many seconds, in which the
    // session takes nothing.
    kill_process(world.claude("mine"), Signal::STOP).unwrap();
    world
        .ben_says("om_ben", "/new bens fake: hold bens ben-done")
        .await;
    world
        .card("om_ben", "Ben's card", |view| view.tone == Tone::Working)
        .await;
    let begun = Instant::now();
    for n in 0..FLOOD {
        world
            .say(
                "a",
                &format!("flood-{n}"),
                &format!("fake: text flood-answer-{n}."),
            )
            .await;
    }
    until("all is taken from the broker", async || {
        (world.waiting(stream::WORK).await == 0).then_some(())
    })
    .await;
    let accepted = begun.elapsed();
    // More than a mailbox holds were taken, and nobody else waits for it.
    world.ben_says("om_status", "/status").await;
    world.sees("om_status", "Sessions on Home").await;
    assert!(
        accepted < Duration::from_secs(60),
        "{FLOOD} acts took {accepted:?}"
    );
    world.model.waiting("bens").await;
    let refused = world
        .sees("flood-51", "messages wait in this session")
        .await;
    assert!(refused.buttons.is_empty());
    // All but the first 51 (one that waits for a process, and 50 behind it) have no card at all.
    until("the flood is dealt with", async || {
        let journal = world.cards().await;
        let of = |n: usize| CauseId::new(Surface::Feishu, &format!("flood-{n}"));
        let known = |n| journal.iter().any(|(cause, _)| *cause == of(n));
        (0..=51).all(known).then_some(())
    })
    .await;
    world.model.release("bens");
    for n in [0, 1, 49, 50] {
        let said = format!("flood-answer-{n}.");
        world
            .card(&format!("flood-{n}"), &said, |view| {
                view.tone == Tone::Done && words(view).contains(&said)
            })
            .await;
    }
    // The next one is taken, and with it the person learns how many were not.
    world.say("a", "om_after", "fake: text after-flood").await;
    world.sees("om_after", "after-flood").await;
    let told = words(&world.sees("flood-51", "There is room again").await);
    assert!(told.contains(&format!("{} messages", FLOOD - 51)), "{told}");
    for n in 52..FLOOD {
        assert!(!world.answered(&format!("flood-{n}")).await, "flood-{n}");
    }
    // In order, each once.
    let opened: Vec<String> = world
        .model
        .requests()
        .into_iter()
        .filter(|request| request.kind.is_turn())
        .filter_map(|request| request.opening)
        .filter(|words| words.contains("flood-answer-"))
        .collect();
    let expected: Vec<String> = (0..51).map(|n| format!("flood-answer-{n}.")).collect();
    assert_eq!(opened.len(), expected.len());
    for (opened, expected) in opened.iter().zip(&expected) {
        assert!(opened.contains(expected), "{opened} instead of {expected}");
    }
    host.stop().await;
}

/// A turn that says nothing for a while still shows that it lives: previews, which nobody keeps.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_turn_shows_its_clock() {
    let world = World::start(&["a"]).await;
    let router = world.inside.client();
    let mut previews = router.subscribe("pw.delta.>").await.unwrap();
    router.request("$JS.API.INFO", "".into()).await.unwrap();
    let host = world.crowd(6).await;
    world
        .say("a", "om_1", "/new demo fake: hold one done")
        .await;
    world.model.waiting("one").await;
    let before = world.shown().await.len();
    let clock = async {
        loop {
            let message = previews.next().await.unwrap();
            let preview: common::message::outbound::Preview =
                decode("preview", &message.payload).unwrap();
            let footer = preview.view.footer.unwrap_or_default();
            if footer.starts_with("Working · 1") || footer.starts_with("Thinking · 1") {
                return footer;
            }
        }
    };
    let footer = tokio::time::timeout(PATIENCE, clock).await.unwrap();
    assert!(footer.ends_with(" s"), "{footer}");
    assert_eq!(
        world.shown().await.len(),
        before,
        "nothing is stored for it"
    );
    world.model.release("one");
    let done = world
        .card("om_1", "done", |view| view.tone == Tone::Done)
        .await;
    assert!(!done.footer.unwrap_or_default().contains("Working"));
    host.stop().await;
}
