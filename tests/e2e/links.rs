//! Bad lines: cut in the middle of a turn, or silent without an end. What was on its way arrives
//! afterwards, in order, once; who is there is shown rightly meanwhile; and those who lost a line do
//! not come back all at once.
//!
//! The length of a cut is `PHONEWORK_LINK_CUT_S` in seconds, 18 without it.

use std::time::Duration;

use common::broker::{Broker, BrokerOptions};
use kit::feishu::BotMessage;
use kit::proxy::Proxy;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::separate::{Part, Separate};
use crate::world::World;

/// How the line to a host breaks, and how it is mended.
#[derive(Debug, Clone, Copy)]
enum Break {
    /// Both ends are told at once.
    Cut,
    /// Nobody is told; what was on its way arrives when it is mended.
    Silent,
    /// Nobody is told, and the old connections are dead for ever.
    Forgotten,
}

fn length() -> Duration {
    let seconds = std::env::var("PHONEWORK_LINK_CUT_S").ok();
    Duration::from_secs(seconds.map_or(18, |text| text.parse().expect("seconds")))
}

/// What the person waits for once the line is whole again.
fn patience() -> Duration {
    Duration::from_secs(90)
}

fn is_answer(message: &BotMessage, end: &str) -> bool {
    // A card of a waiting message quotes it; an answer has its small print.
    message.text().contains(end) && message.text().contains("context")
}

async fn answered(world: &World, end: &str) {
    let found = world
        .anna()
        .wait_message(|m| is_answer(m, end), patience())
        .await;
    if let Err(why) = found {
        panic!("{why:#}\n{}", world.logs());
    }
}

/// Each was asked of the model once and answered once, in this order.
fn once_and_in_order(world: &World, ends: &[&str]) {
    let messages = world.anna().messages();
    let mut places = Vec::new();
    for end in ends {
        assert_eq!(world.model.turns_containing(end), 1, "{end}");
        let of_end: Vec<usize> = (0..messages.len())
            .filter(|at| is_answer(&messages[*at], end))
            .collect();
        assert_eq!(of_end.len(), 1, "{end}: {}", world.logs());
        places.extend(of_end);
    }
    assert!(places.is_sorted(), "{places:?}");
}

/// Whether `/nodes` says that the host is on, asked now.
async fn is_on(world: &World) -> bool {
    let id = world.anna().say("/nodes");
    let answer = world
        .sees_that(|m| m.reply_to.as_deref() == Some(id.as_str()))
        .await;
    let text = answer.text();
    let line = text.lines().find(|line| {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).collect();
        words.contains(&"on") || words.contains(&"off")
    });
    let line = line.unwrap_or_else(|| panic!("neither on nor off: {text}"));
    !line
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| word == "off")
}

/// Asks until `/nodes` says so; gives how long that took.
async fn shown(world: &World, on: bool, within: Duration) -> Duration {
    let since = Instant::now();
    while is_on(world).await != on {
        assert!(
            since.elapsed() < within,
            "not {on} within {within:?}\n{}",
            world.logs()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    since.elapsed()
}

async fn host_behind_a_bad_line(how: Break) {
    let (parts, proxy) = Separate::start_behind(Part::Host).await;
    let world = &parts.world;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    anna.say("fake: hold mid the-first-end");
    world.model.waiting("mid").await;
    let since = Instant::now();
    match how {
        Break::Cut => proxy.cut().await,
        Break::Silent | Break::Forgotten => proxy.freeze().await,
    }
    // The turn comes to its end where nobody hears of it, and the person goes on.
    world.model.release("mid");
    anna.say("fake: text the-second-end");
    anna.say("fake: text the-third-end");
    match how {
        Break::Cut => {
            let took = shown(world, false, Duration::from_secs(35)).await;
            eprintln!("{how:?}: shown off after {took:?}");
        }
        Break::Silent | Break::Forgotten => {}
    }
    // How long it lasts is what this test is about.
    tokio::time::sleep_until(since + length()).await;
    assert_eq!(world.model.turns_containing("the-second-end"), 0);
    match how {
        Break::Cut | Break::Silent => proxy.heal().await,
        Break::Forgotten => proxy.forget().await,
    }
    let mended = Instant::now();
    for end in ["the-first-end", "the-second-end", "the-third-end"] {
        answered(world, end).await;
    }
    eprintln!(
        "{how:?}: all answered {:?} after it was mended",
        mended.elapsed()
    );
    once_and_in_order(world, &["the-first-end", "the-second-end", "the-third-end"]);
    shown(world, true, Duration::from_secs(35)).await;
    // Nothing comes late.
    anna.say("fake: text the-fourth-end");
    answered(world, "the-fourth-end").await;
    once_and_in_order(
        world,
        &[
            "the-first-end",
            "the-second-end",
            "the-third-end",
            "the-fourth-end",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_in_mid_turn_loses_and_repeats_nothing() {
    host_behind_a_bad_line(Break::Cut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_line_in_mid_turn_loses_and_repeats_nothing() {
    host_behind_a_bad_line(Break::Silent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_forgotten_loses_and_repeats_nothing() {
    host_behind_a_bad_line(Break::Forgotten).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_line_shows_within_35_s_and_so_does_its_return() {
    let (parts, proxy) = Separate::start_behind(Part::Host).await;
    let world = &parts.world;
    assert!(is_on(world).await);
    proxy.freeze().await;
    // Asking takes its time as well.
    let slack = Duration::from_secs(3);
    let off = shown(world, false, Duration::from_secs(35) + slack).await;
    proxy.heal().await;
    let on = shown(world, true, Duration::from_secs(35)).await;
    eprintln!("shown off after {off:?}, on again after {on:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_line_of_the_gateway_loses_and_repeats_nothing() {
    let (parts, proxy) = Separate::start_behind(Part::Gateway).await;
    let world = &parts.world;
    let anna = world.anna();
    anna.say("/new demo fake: tool Bash {\"command\":\"echo x >> ran.txt\"} ;; text the-first-end");
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    let since = Instant::now();
    proxy.freeze().await;
    let answer = anna.tap(&question.message_id, "Allow once").await.unwrap();
    let toast = answer.toast.map(|toast| toast.content).unwrap_or_default();
    assert!(answer.code == 0 && toast.starts_with("Kept"), "{toast}");
    anna.say("fake: text the-second-end");
    tokio::time::sleep_until(since + Duration::from_secs(8)).await;
    proxy.heal().await;
    answered(world, "the-first-end").await;
    answered(world, "the-second-end").await;
    assert_eq!(parts.ran("demo/ran.txt"), 1);
    once_and_in_order(world, &["the-first-end", "the-second-end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_line_of_the_router_loses_and_repeats_nothing() {
    let (parts, proxy) = Separate::start_behind(Part::Router).await;
    let world = &parts.world;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    let since = Instant::now();
    proxy.freeze().await;
    for end in ["the-first-end", "the-second-end"] {
        anna.say(&format!("fake: text {end}"));
    }
    tokio::time::sleep_until(since + Duration::from_secs(8)).await;
    proxy.heal().await;
    for end in ["the-first-end", "the-second-end"] {
        answered(world, end).await;
    }
    once_and_in_order(world, &["the-first-end", "the-second-end"]);
    assert!(!parts.router().log().contains("refused"));
}

/// Twenty connections lose one broker and try to come back for a while.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_lost_a_line_come_back_one_by_one() {
    const MANY: usize = 20;
    let nats = kit::nats::Broker::start().await;
    let proxy = Proxy::start(([127, 0, 0, 1], nats.port()).into()).await;
    let options = BrokerOptions {
        url: format!("nats://{}", proxy.addr()),
        creds: nats.creds("gateway"),
        ca: None,
        owner: false,
    };
    let cancel = CancellationToken::new();
    let mut brokers = Vec::new();
    for _ in 0..MANY {
        brokers.push(Broker::connect(&options, &cancel).await.unwrap());
    }
    let (before, since) = (proxy.taken().len(), Instant::now());
    proxy.slam().await;
    let last = Duration::from_secs(12);
    tokio::time::sleep_until(since + last).await;
    let tries: Vec<Duration> = proxy.taken()[before..]
        .iter()
        .map(|at| at.duration_since(since))
        .collect();
    proxy.heal().await;
    for broker in &brokers {
        let mut up = broker.up();
        let back = up.wait_for(|up| *up);
        tokio::time::timeout(Duration::from_secs(20), back)
            .await
            .expect("back in time")
            .unwrap();
    }
    // The floor: nobody at once. The pauses grow: no more than six tries each.
    assert!(tries[0] >= Duration::from_millis(290), "{:?}", tries[0]);
    assert!(tries.len() >= MANY * 3, "{}", tries.len());
    assert!(tries.len() <= MANY * 6, "{}", tries.len());
    // Not in step: after the first round they are spread ever wider.
    let later: Vec<Duration> = tries.iter().skip(MANY).copied().collect();
    let crowd = (0..later.len())
        .map(|at| {
            let near =
                |other: &&Duration| other.saturating_sub(later[at]) < Duration::from_millis(50);
            later[at..].iter().take_while(near).count()
        })
        .max();
    eprintln!(
        "{} tries of {MANY} in {last:?}; at most {crowd:?} of them within 50 ms",
        tries.len()
    );
    assert!(crowd < Some(MANY / 2), "{crowd:?}");
}
