//! Encrypted from end to end with nothing but `NATS_URL: tls://…`: the hub makes its authority, every part finds it or is
//! given it, and hosts come in over both ports. And nothing goes out plainly unless somebody has said so.

use common::lang::Lang;
use kit::process::free_port;

use crate::enrol::Machine;
use crate::processes::Hub;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn hosts_come_in_over_both_ports_and_turns_run() {
    let mut world = World::start().await;
    let [port, wss, leaf] = [free_port(), free_port(), free_port()];
    world.extra = format!(
        "NATS_URL: tls://127.0.0.1:{port}\nNATS_WEBSOCKET_PORT: {wss}\nNATS_LEAF_PORT: {leaf}\n"
    );
    let (made, said) = world.command(&["init"]);
    assert!(made.success(), "{said}");
    for part in [
        "certificate for 127.0.0.1 made",
        &format!("port {wss}, for hosts with NATS_URL wss://"),
        "renews the certificate in its last three months",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (again, said) = world.command(&["init"]);
    assert!(
        again.success() && said.contains("nothing changed"),
        "{said}"
    );
    let _broker = Hub::at(&world, port).await;
    let router = world.role("router");
    let _gateway = world.role("gateway");
    world.connected().await;
    router.says("the router is ready").await;

    // By one line.
    let keyring = world.keyring();
    let line = world.prepare(&["enroll", "lab-1"], Some(&keyring)).output();
    let line = String::from_utf8(line.unwrap().stdout).unwrap();
    let lab = Machine::new();
    let (joined, said) = lab.run(&world, &line);
    assert!(joined, "{said}");
    let _lab = lab.host(&world, "lab");
    router.says("node is on node=lab-1").await;
    // With files, through the web's port.
    let far = Machine::new();
    let url = format!("wss://127.0.0.1:{wss}");
    let out = far.dir.display().to_string();
    let (enrolled, said) = world.command(&["enroll", "far", "--nats-url", &url, "--out", &out]);
    assert!(enrolled.success() && said.contains("ca.pem"), "{said}");
    let _far = far.host(&world, "far");
    router.says("node is on node=far").await;

    let anna = world.anna();
    for node in ["lab-1", "far"] {
        anna.say(&format!("/node {node}"));
        world.sees(node).await;
        anna.say(&format!("/new demo-{node}"));
        world.sees(&format!("demo-{node}")).await;
        anna.say(&format!("fake: text hello-from-{node}"));
        let answer = world
            .sees_that(|m| {
                m.text().contains(&format!("hello-from-{node}")) && m.text().contains("context")
            })
            .await;
        assert!(answer.text().contains(node), "{}", answer.text());
    }
    let (looked, said) = world.command(&["doctor"]);
    assert!(
        looked.success() && said.contains("certificate: good for 127.0.0.1"),
        "{said}"
    );
    // The line to this machine goes through the authority as well.
    let (removed, said) = world.command(&["revoke", "far"]);
    assert!(removed.success() && said.contains("is cut off"), "{said}");
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_out_plainly_unless_somebody_says_so() {
    let mut world = World::start().await;
    let plain = "nats://192.0.2.7:4222";
    // Makes a hub whose hosts would not be refused.
    let (made, said) = world.command(&["init"]);
    assert!(made.success(), "{said}");
    world.extra = format!("NATS_URL: {plain}\n");
    let commands: [&[&str]; 7] = [
        &["init"],
        &["router"],
        &["gateway"],
        &["enroll", "lab-1"],
        &["revoke", "lab-1"],
        &["nodes"],
        &[],
    ];
    for args in commands {
        let (status, said) = world.command(args);
        assert_eq!(status.code(), Some(64), "{args:?}: {said}");
        assert!(
            said.contains("is not encrypted")
                && said.contains("Write NATS_URL: tls://192.0.2.7:4222")
                && said.contains("NATS_PLAINTEXT: true"),
            "{args:?}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // A host, by its environment.
    let machine = Machine::new();
    let mut host = world.prepare_on(&machine.home, &machine.dir, &["host"]);
    host.env("PHONEWORK_NATS_URL", plain)
        .env("PHONEWORK_LOCALE", "zh");
    let output = host.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("没有加密") && said.contains("PHONEWORK_NATS_PLAINTEXT=true"),
        "{said}"
    );

    // Said on the hub, it is said once more where the line is run.
    let keyring = world.keyring();
    let args = ["enroll", "lab-1", "--nats-plaintext", "true"];
    let line = world.prepare(&args, Some(&keyring)).output().unwrap();
    let line = String::from_utf8(line.stdout).unwrap();
    assert!(line.trim().ends_with(" --nats-plaintext true"), "{line}");
    let bare = line.trim().trim_end_matches(" --nats-plaintext true");
    let (joined, said) = machine.run(&world, bare);
    assert!(
        !joined && said.contains("is not encrypted") && said.contains("--nats-plaintext true"),
        "{said}"
    );
    assert!(!machine.path("lab-1.nk").exists(), "nothing was begun");
    let problem = common::config::Problem::plaintext(plain).unwrap();
    assert!(problem.text(Lang::Zh).contains("没有加密"));
}
