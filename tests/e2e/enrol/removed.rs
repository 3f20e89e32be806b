//! Machines that are removed.

use std::time::{Duration, Instant};

use super::site::{Machine, Site};
use crate::world::{LONG, until};

/// Removed: cut off within 5 s, for good, and what waited for it is told once, with the way out.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_machine_is_cut_off_and_what_waited_for_it_is_told() {
    let mut site = Site::start("").await;
    let (lab, other) = (Machine::new(), Machine::new());
    let join = |site: &Site, machine: &Machine, node: &str, name: &str| {
        let line = site.enroll(&[node, "--name", name]);
        let (joined, said) = machine.run(&site.world, &line);
        assert!(joined, "{said}");
    };
    join(&site, &lab, "lab-1", "Lab One");
    join(&site, &other, "pc", "Home PC");
    let mut host = lab.host(&site.world, "lab");
    let _other = other.host(&site.world, "pc");
    site.is_on("lab-1").await;
    site.is_on("pc").await;
    let world = &site.world;
    let anna = world.anna();
    anna.say("/node lab-1");
    world.sees("Now using Lab One").await;
    anna.say("/new demo");
    world.sees("is ready").await;
    let (status, _) = host.stop().await;
    assert!(status.success());
    // Two wait; the person knows.
    let first = anna.say("fake: text waited-in-vain");
    let card = world
        .sees_that(|m| m.reply_to.as_deref() == Some(&first) && m.has_button("Cancel"))
        .await;
    let second = anna.say("fake: text the-second");
    world
        .sees_that(|m| m.reply_to.as_deref() == Some(&second) && m.has_button("Cancel"))
        .await;

    let (status, said) = world.command(&["revoke", "lab-1"]);
    assert!(status.success() && said.contains("is removed"), "{said}");
    let removed = "Not delivered: Lab One was removed";
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains(removed))
        .await;
    until(LONG, "both are told", || world.count(removed) == 2).await;
    let card = world.feishu.message(&card.message_id).unwrap();
    assert!(card.text().contains("It was not run."), "{}", card.text());
    assert!(!card.has_button("Cancel"), "{}", card.text());
    // A new router says nothing twice, and the way out works.
    let router = std::mem::replace(&mut site.router, world.role("router-2"));
    router.kill();
    site.router = site.world.role("router");
    site.router.says("the router is ready").await;
    let world = &site.world;
    anna.tap(&card.message_id, "Send to Home PC").await.unwrap();
    world
        .sees_that(|m| {
            m.message_id == card.message_id && m.text().contains("Sent to Home PC instead")
        })
        .await;
    world.sees("no session yet").await;
    assert_eq!(world.count(removed), 1, "the other one");
    assert_eq!(world.model.turns_containing("waited-in-vain"), 0);

    // It starts again: one sentence, and it ends.
    host = lab.host(world, "lab");
    let status = host.ended(LONG).await;
    assert!(!status.success());
    host.says("were revoked").await;
    host.says("phonework enroll lab-1").await;
    // Nor by its old line, nor after a restart of the broker.
    site.hub.restart(&site.world);
    host = lab.host(&site.world, "lab");
    assert!(!host.ended(LONG).await.success());
    host.says("were revoked").await;

    // Let in again, with a new key.
    let again = Machine::new();
    join(&site, &again, "lab-1", "Lab One");
    let _host = again.host(&site.world, "lab-again");
    site.is_on("lab-1").await;
}

/// The same while it is on and works: the connection is cut, and the process says why it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_host_that_is_removed_ends_and_says_why() {
    let site = Site::start("").await;
    let machine = Machine::new();
    let line = site.enroll(&["lab-1"]);
    let (joined, said) = machine.run(&site.world, &line);
    assert!(joined, "{said}");
    let mut host = machine.host(&site.world, "lab");
    site.is_on("lab-1").await;
    let begun = Instant::now();
    let (status, said) = site.world.command(&["revoke", "lab-1"]);
    assert!(status.success(), "{said}");
    host.says("broker connection is down").await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert!(!host.ended(LONG).await.success());
    let log = host.log();
    let last = log.lines().last().unwrap();
    assert!(
        last.contains("refused the credentials of `lab-1`")
            && last.contains("phonework enroll lab-1"),
        "{last}"
    );
    let anna = site.world.anna();
    anna.say("hello?");
    site.world.sees("No machine").await;
}
