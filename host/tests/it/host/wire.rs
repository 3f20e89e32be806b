//! What crosses the broker: work is acknowledged once it is written down and never before, foreign
//! and broken work is put aside, answers wait out an outage in order, and signs of life.

use common::broker::consume::{ConsumeOptions, Outcome, consume};
use common::ids::BootId;
use common::message::control::{HEARTBEAT_EVERY, Heartbeat, Verb};
use futures_util::{StreamExt as _, TryStreamExt as _};
use host::journal::{Change, Journal};

use super::*;

/// A host that ends at any moment between the arrival of work and its answer loses nothing and
/// does nothing twice. Many hosts side by side, each killed a little later than the one before.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_host_gets_its_work_again_and_runs_it_once() {
    let nodes: Vec<String> = (0..8).map(|n| format!("n{n}")).collect();
    let names: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let world = World::start(&names).await;
    let life = async |n: usize| {
        let node = names[n];
        let host = world.host(node).await;
        world.say(node, &format!("new-{n}"), "/new demo").await;
        world.say(node, &format!("mode-{n}"), "/direct").await;
        // Not a wait for something: the moment of the crash is what differs.
        tokio::time::sleep(Duration::from_millis(4 * u64::try_from(n).unwrap())).await;
        host.kill();
        let host = world.host(node).await;
        world.say(node, &format!("status-{n}"), "/status").await;
        let status = world.sees(&format!("status-{n}"), "Sessions on Home").await;
        let status = words(&status);
        assert_eq!(status.matches("demo (active)").count(), 1, "{status}");
        assert_eq!(status.matches("demo").count(), 1, "{status}");
        assert!(status.contains("Mode: direct"), "{status}");
        host.stop().await;
    };
    futures_util::future::join_all((0..names.len()).map(life)).await;
    // Every act was answered by one card, and the broker has nothing left to deliver.
    for cause in (0..8).flat_map(|n| ["new", "mode", "status"].map(|what| format!("{what}-{n}"))) {
        let cause = CauseId::new(Surface::Feishu, &cause);
        let cards = world.cards().await;
        let answers = cards.iter().filter(|(of, _)| *of == cause).count();
        assert_eq!(answers, 1, "{cause}");
    }
    until("all work is acknowledged", async || {
        (world.waiting(stream::WORK).await == 0).then_some(())
    })
    .await;
}

/// Numbers of sessions move up when one is closed, so a `/close` that is taken up again after a
/// crash must not close the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_is_cut_off_closes_one_session() {
    let nodes: Vec<String> = (0..8).map(|n| format!("n{n}")).collect();
    let names: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let world = World::start(&names).await;
    let life = async |n: usize| {
        let node = names[n];
        let host = world.host(node).await;
        for dir in ["one", "two", "three"] {
            let cause = format!("{dir}-{n}");
            world.say(node, &cause, &format!("/new {dir}")).await;
            world.sees(&cause, "is ready").await;
        }
        world.say(node, &format!("close-{n}"), "/close 1").await;
        // Not a wait for something: the moment of the crash is what differs.
        tokio::time::sleep(Duration::from_millis(2 * u64::try_from(n).unwrap())).await;
        host.kill();
        let host = world.host(node).await;
        let closed = world.sees(&format!("close-{n}"), "is closed").await;
        assert!(words(&closed).contains("Session 1 (one)"), "{closed:#?}");
        world.say(node, &format!("status-{n}"), "/status").await;
        let status = world.sees(&format!("status-{n}"), "Sessions on Home").await;
        let status = words(&status);
        assert!(status.contains("1: two"), "{status}");
        assert!(status.contains("2: three (active)"), "{status}");
        host.stop().await;
    };
    futures_util::future::join_all((0..names.len()).map(life)).await;
}

/// The moment between the two: written down, and the broker not told.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_was_written_down_and_not_acknowledged_is_recognised() {
    let world = World::start(&["a"]).await;
    let work = text("a", "om_1", "/new demo");
    world.send(&work).await;
    let (journal, _) = Journal::open(&world.dir("a", "data")).unwrap();
    assert!(journal.accept(work.clone()).await.unwrap().is_some());
    drop(journal);
    let host = world.host("a").await;
    world.sees("om_1", "Session 1 is ready").await;
    until("it is acknowledged", async || {
        (world.waiting(stream::WORK).await == 0).then_some(())
    })
    .await;
    // And once more under another name, as after a platform's repeat that the router let through.
    let mut again = work;
    again.meta.id = MessageId::new();
    world.send(&again).await;
    world.say("a", "om_2", "/status").await;
    let status = words(&world.sees("om_2", "Sessions on").await);
    assert!(
        status.contains("1: demo") && !status.contains("2: "),
        "{status}"
    );
    assert_eq!(world.shown().await.len(), 2);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_broken_work_is_put_aside_and_holds_nothing_up() {
    let world = World::start(&["a", "b"]).await;
    let subject = subject::work(&id("a"), &anna());
    world.raw(&subject, "broken-1", b"{not json".to_vec()).await;
    world
        .raw(&subject, "broken-2", br#"{"v":1,"kind":"later"}"#.to_vec())
        .await;
    // On our subject, but of another node, and of another person.
    world
        .raw(
            &subject,
            "broken-3",
            encode(&text("b", "om_b", "/new stolen")),
        )
        .await;
    let mut other = text("a", "om_o", "/new stolen");
    other.inbound.user = "ou_other".parse().unwrap();
    world.raw(&subject, "broken-4", encode(&other)).await;
    world.say("a", "om_1", "/status").await;
    let host = world.host("a").await;
    let begun = Instant::now();
    world.sees("om_1", "No sessions").await;
    assert!(
        begun.elapsed() < stream::ACK_WAIT,
        "nothing waited for a redelivery"
    );
    // Each whole, in the name of this node and for the person whose subject it came on.
    let letters = subject::dead("a", &anna());
    until("four dead letters", async || {
        let found = world.inside.jetstream().get_stream(stream::DLQ).await;
        let counts = found.ok()?.info_with_subjects(&letters).await.ok()?;
        let counts: Vec<(String, usize)> = counts.try_collect().await.ok()?;
        (counts == [(letters.clone(), 4)]).then_some(())
    })
    .await;
    assert_eq!(world.waiting(stream::WORK).await, 0);
    assert_eq!(world.shown().await.len(), 1);
    assert!(!world.dir("a", "work/stolen").exists());
    host.stop().await;
}

/// Answers that find no broker wait in the journal and arrive once, in order.
#[tokio::test(flavor = "multi_thread")]
async fn answers_wait_out_an_outage_in_order() {
    let mut world = World::start(&["a"]).await;
    let (journal, _) = Journal::open(&world.dir("a", "data")).unwrap();
    // Enough to be cut off in the middle.
    let texts: Vec<String> = (0..600).map(|n| format!("notice {n}")).collect();
    for some in texts.chunks(100) {
        let changes: Vec<Change> = some
            .iter()
            .map(|text| crate::journal::notice(text))
            .collect();
        journal.commit(changes).await.unwrap();
    }
    drop(journal);
    let (options, creds, url) = (
        world.options("a"),
        world.creds["a"].clone(),
        world.nats.url(),
    );
    let host = Host::start(options, url, creds, world.nats.stop()).await;
    host.up().await;
    world.nats.restart().await;
    // The broker goes again in the middle of them.
    let seen = until("some of them", async || {
        let shown = world.waiting(stream::OUT).await;
        (shown > 0).then_some(shown)
    })
    .await;
    world.nats.kill().await;
    world.nats.restart().await;
    until("all of them", async || {
        (world.waiting(stream::OUT).await >= 600).then_some(())
    })
    .await;
    let shown: Vec<String> = world
        .shown()
        .await
        .into_iter()
        .map(|one| match one.body {
            OutboundBody::Notice { text } => text,
            OutboundBody::Card { .. } | OutboundBody::File { .. } | OutboundBody::Fetch { .. } => {
                panic!("no cards here")
            }
        })
        .collect();
    assert_eq!(shown, texts, "{seen} were there before the second outage");
    host.stop().await;
    let (journal, _) = until("the journal is closed", async || {
        Journal::open(&world.dir("a", "data")).ok()
    })
    .await;
    assert!(journal.outbox(0, 1).await.unwrap().is_empty());
}

/// A reader beside the test that takes what is shown, as a gateway does, so that it is known to
/// have been delivered and confirmed end to end.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_reaches_the_surface_it_is_for() {
    let world = World::start(&["a"]).await;
    let js = world.inside.jetstream();
    for surface in Surface::ALL {
        let config = stream::out_surface(surface);
        js.create_consumer_on_stream(config, stream::OUT)
            .await
            .unwrap();
    }
    let host = world.host("a").await;
    world.say("a", "om_1", "/help").await;
    let gateway = connect(world.nats.url(), world.nats.creds("gateway")).await;
    let (heard, mut hears) = tokio::sync::mpsc::channel(8);
    let end = CancellationToken::new();
    let options = ConsumeOptions {
        stream: stream::OUT,
        consumer: Surface::Feishu.as_str(),
        in_flight: 8,
        drain: Duration::from_secs(1),
        dead: None,
        lead: None,
    };
    let reading = consume(&gateway, options, end.clone(), str::to_owned, |delivery| {
        let heard = heard.clone();
        async move {
            heard.send(delivery).await.unwrap();
            Outcome::Done
        }
    });
    let looking = async {
        let delivery = tokio::time::timeout(PATIENCE, hears.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(delivery.subject, subject::out(&id("a"), &anna()));
        let outbound: Outbound = decode("outbound", &delivery.payload).unwrap();
        assert_eq!(outbound.chat.id, "oc_1");
        assert_eq!(outbound.meta.cause.as_str(), "feishu:om_1");
        end.cancel();
    };
    tokio::join!(reading, looking);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_of_life() {
    let world = World::start(&["a"]).await;
    let router = world.inside.client();
    let mut beats = router
        .subscribe(common::subject::HEARTBEAT_ALL)
        .await
        .unwrap();
    // The server knows the subscription once it has answered something sent after it.
    router.request("$JS.API.INFO", "".into()).await.unwrap();
    let begun = Instant::now();
    let host = world.host("a").await;
    let mut next = async || {
        let message = tokio::time::timeout(PATIENCE, beats.next())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(message.subject.as_str(), "pw.hb.a");
        let beat: Heartbeat = decode("heartbeat", &message.payload).unwrap();
        (Instant::now(), beat)
    };
    let (mut last, first) = next().await;
    assert!(last - begun < HEARTBEAT_EVERY, "one at the start");
    assert_eq!((first.node.as_str(), first.name.as_str()), ("a", "Home"));
    assert_eq!(first.serves, [anna()]);
    assert_eq!(
        (first.sessions, first.running, first.leaving),
        (0, 0, false)
    );

    // Asked under its boot id it answers at once; under another it does not.
    let ask = async |boot: BootId| {
        let subject = subject::control(&id("a"), boot, Verb::Status);
        router.request(subject, "".into()).await
    };
    let answer = ask(first.boot).await.unwrap();
    let answer: Heartbeat = decode("heartbeat", &answer.payload).unwrap();
    assert_eq!((answer.boot, answer.leaving), (first.boot, false));
    assert!(answer.sent_at >= first.sent_at);
    let nobody = ask(BootId::new()).await.unwrap_err();
    assert_eq!(nobody.kind(), async_nats::RequestErrorKind::NoResponders);

    // Then one every ten seconds at the latest.
    world.say("a", "om_1", "/new demo").await;
    loop {
        let (at, beat) = next().await;
        let pause = at - last;
        assert!(pause < HEARTBEAT_EVERY * 2, "{pause:?}");
        assert_eq!((beat.boot, beat.leaving), (first.boot, false));
        last = at;
        if pause > Duration::from_millis(9500) {
            assert_eq!(beat.sessions, 1);
            break;
        }
    }
    host.stop().await;
    let (_, leaving) = next().await;
    assert!(leaving.leaving && leaving.boot == first.boot, "{leaving:?}");

    // Another start is another boot.
    let again = world.host("a").await;
    let (_, beat) = next().await;
    assert_ne!(beat.boot, first.boot);
    again.stop().await;
}
