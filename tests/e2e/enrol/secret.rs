//! The unattended way in.

use super::site::{Machine, SECRET, Site, mode};
use crate::world::LONG;

/// A machine that knows only the address and the secret: a person is asked, and it goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_secret_a_machine_asks_and_an_administrator_lets_it_in() {
    let mut site = Site::start(&format!(
        "ROUTER_SECRET: {SECRET}\nADMIN_OPEN_IDS: [ou_anna, ou_ben]\n"
    ))
    .await;
    let world = &site.world;
    let (anna, ben) = (world.anna(), world.feishu.user("ou_ben"));
    let machine = Machine::new();
    machine.knows(world, SECRET, "lab-1");
    let host = machine.host(world, "lab");
    host.says("an administrator of the hub must tap [Approve]")
        .await;
    world.sees("Machine lab-1 asks to be let in").await;
    let card = world.sees_that(|m| m.has_button("Approve")).await;
    let key_end = host.log();
    let key_end = key_end.split("end of its key: ").nth(1).unwrap();
    let key_end = key_end.split(')').next().unwrap();
    assert!(card.text().contains(key_end), "{}", card.text());
    let bens = ben
        .wait_message(|m| m.has_button("Approve"), LONG)
        .await
        .unwrap();
    // A new router asks nobody twice.
    let router = std::mem::replace(&mut site.router, world.role("router-2"));
    router.kill();
    site.router = site.world.role("router");
    site.router.says("the router is ready").await;
    let world = &site.world;
    assert!(!machine.own_creds("lab-1").exists());

    anna.tap(&card.message_id, "Approve").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("is let in"))
        .await;
    host.says("let in node=lab-1").await;
    assert_eq!(mode(&machine.own_creds("lab-1")), 0o600);
    ben.wait_message(
        |m| m.message_id == bens.message_id && m.text().contains("Decided by feishu/ou_anna"),
        LONG,
    )
    .await
    .unwrap();
    anna.say("/new demo");
    world.sees("is ready").await;
    anna.say("fake: text hello-from-the-lab");
    world.sees("hello-from-the-lab").await;
    assert_eq!(world.count("asks to be let in"), 1);

    // Who is there, for the terminal: with all up, without the router, without the broker.
    let (status, said) = world.command(&["nodes"]);
    assert!(status.success(), "{said}");
    assert!(
        said.contains("lab-1") && said.contains(" on ") && said.contains("everybody"),
        "{said}"
    );
    let (_, said) = world.command(&["nodes", "--json"]);
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(read["nodes"][0]["state"], "on", "{said}");
    // The same id with another key.
    let thief = Machine::new();
    thief.knows(world, SECRET, "lab-1");
    let mut second = thief.host(world, "thief");
    assert!(!second.ended(LONG).await.success());
    second.says("is enrolled already, with another key").await;
    // Another secret; what it cannot know is not in any log.
    let stranger = Machine::new();
    stranger.knows(world, "another-secret-of-32-characters", "lab-2");
    let mut third = stranger.host(world, "stranger");
    assert!(!third.ended(LONG).await.success());
    third.says("has another ROUTER_SECRET").await;
    for process in [&host, &second, &third, &site.router] {
        assert!(!process.log().contains(SECRET));
    }
    site.router.stop().await;
    let (_, said) = site.world.command(&["nodes"]);
    assert!(
        said.contains("The router does not run") && said.contains("lab-1"),
        "{said}"
    );
    site.hub.signal(rustix::process::Signal::KILL);
    let (status, said) = site.world.command(&["nodes"]);
    assert!(status.success() && said.contains("lab-1"), "{said}");
    assert!(said.contains("Which are on is not known"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_denied_ends_and_says_so() {
    let site = Site::start(&format!(
        "ROUTER_SECRET: {SECRET}\nADMIN_OPEN_IDS: ou_anna\n"
    ))
    .await;
    let world = &site.world;
    let machine = Machine::new();
    machine.knows(world, SECRET, "lab-1");
    let mut host = machine.host(world, "lab");
    let card = world.sees_that(|m| m.has_button("Deny")).await;
    world.anna().tap(&card.message_id, "Deny").await.unwrap();
    assert!(!host.ended(LONG).await.success());
    host.says("refused to let lab-1 in").await;
    assert!(!world.data().join("nodes/lab-1.json").exists());
}

/// Two keys and nothing else, on a machine without a configuration file.
#[tokio::test(flavor = "multi_thread")]
async fn approved_at_once_it_needs_two_keys_and_no_file() {
    let site = Site::start(&format!(
        "ROUTER_SECRET: {SECRET}\nAUTO_APPROVE_HOSTS: true\n"
    ))
    .await;
    let world = &site.world;
    let machine = Machine::new();
    let url = world.extra.lines().next().unwrap();
    let url = url.strip_prefix("NATS_URL: ").unwrap();
    let env = [
        ("PHONEWORK_NATS_URL", url),
        ("PHONEWORK_ROUTER_SECRET", SECRET),
    ];
    let _host = machine.host_with(world, "lab", &env);
    site.router.says("node is on node=").await;
    world.anna().say("/new demo fake: text hello-from-the-lab");
    world.sees("hello-from-the-lab").await;
}
