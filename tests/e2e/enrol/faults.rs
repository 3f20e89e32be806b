//! What keeps a machine out, each in one sentence, the same at the terminal, in the log and in `doctor`.

use crate::world::{LONG, until};

use super::site::{Machine, Site, serve_tls, tls};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_join_says_why() {
    let mut site = Site::start("").await;
    let machine = Machine::new();
    let world = &site.world;
    let refused = |line: &str, part: &str| {
        let (joined, said) = machine.run(world, line);
        assert!(!joined && said.contains(part), "{line}: {said}");
        assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    };
    refused("phonework join abc", "copy the whole line");
    let line = site.enroll(&["lab-1"]);
    refused(&line[..line.len() - 5], "copy the whole line");
    // A newer one voids the older.
    let newer = site.enroll(&["lab-1"]);
    refused(&line, "does not know this join token");
    // Too old.
    let path = world.data().join("invites/lab-1.json");
    let kept = std::fs::read_to_string(&path).unwrap();
    let mut invite: serde_json::Value = serde_json::from_str(&kept).unwrap();
    invite["expires_at"] = 1.into();
    std::fs::write(&path, invite.to_string()).unwrap();
    refused(&newer, "has expired");
    std::fs::write(&path, kept).unwrap();

    for bad in [">", "*", "a.b", "", &"x".repeat(200), "router"] {
        let (status, said) = world.command(&["enroll", bad]);
        assert!(
            !status.success() && said.contains("cannot be a node id"),
            "{bad}: {said}"
        );
    }
    let (status, said) = world.command(&["enroll", "lab-2", "--serves", "a b"]);
    assert!(!status.success() && said.contains("a b"), "{said}");

    // No router; then it is there, and the line is still good.
    let router = std::mem::replace(&mut site.router, world.role("doctor"));
    router.stop().await;
    let line = newer.clone();
    let (joined, said) = machine.run(&site.world, &line);
    assert!(
        !joined && said.contains("nobody answers for the hub"),
        "{said}"
    );
    site.router = site.world.role("router");
    site.router.says("the router is ready").await;
    let (joined, said) = machine.run(&site.world, &line);
    assert!(joined, "{said}");

    // Taken, from now on.
    let (status, said) = site.world.command(&["enroll", "lab-1"]);
    assert!(!status.success() && said.contains("--replace"), "{said}");
    // No broker.
    let line = site.enroll(&["lab-2"]);
    site.hub.signal(rustix::process::Signal::KILL);
    let other = Machine::new();
    let (joined, said) = other.run(&site.world, &line);
    assert!(!joined && said.contains("cannot be reached"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// What `phonework host` dies of and what `doctor` shows is the same sentence.
async fn both_say(site: &Site, machine: &Machine, part: &str) {
    let mut host = machine.host(&site.world, "lab");
    assert!(!host.ended(LONG).await.success(), "{}", host.log());
    let log = host.log();
    let sentence = log.lines().find(|line| line.contains(part));
    let sentence = sentence.unwrap_or_else(|| panic!("no `{part}` in {log}"));
    let sentence = sentence.trim_start_matches("phonework: ");
    let (_, said) = machine.run(&site.world, "phonework doctor --host");
    let told = said.lines().find(|line| line.contains(part)).map(str::trim);
    let told = told.unwrap_or_else(|| panic!("no `{part}` in {said}"));
    assert!(sentence.ends_with(told), "log: {sentence}\ndoctor: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_with_a_certificate_is_trusted_by_its_own_authority_only() {
    let mut site = Site::start_tls().await;
    let machine = Machine::new();
    let line = site.enroll(&["lab-1"]);
    let (joined, said) = machine.run(&site.world, &line);
    assert!(joined, "{said}");
    let ca = std::fs::read_to_string(machine.path("ca.pem")).unwrap();
    assert_eq!(ca, std::fs::read_to_string(tls("ca.pem")).unwrap());
    let host = machine.host(&site.world, "lab");
    site.is_on("lab-1").await;
    let (_, said) = machine.run(&site.world, "phonework doctor --host");
    assert!(
        said.contains("router: answers") && said.contains("`lab-1` is let in"),
        "{said}"
    );
    let (_, said) = site.world.command(&["doctor"]);
    assert!(
        said.contains("`router` is let in") && said.contains("machines enrolled: 1"),
        "{said}"
    );
    host.stop().await;

    std::fs::copy(tls("other-ca.pem"), machine.path("ca.pem")).unwrap();
    both_say(&site, &machine, "does not trust who signed it").await;
    std::fs::write(machine.path("ca.pem"), "none").unwrap();
    both_say(&site, &machine, "holds no certificate").await;
    std::fs::remove_file(machine.path("ca.pem")).unwrap();
    both_say(&site, &machine, "cannot be read").await;
    std::fs::copy(tls("ca.pem"), machine.path("ca.pem")).unwrap();
    serve_tls(&site.world, "elsewhere.pem");
    site.hub.restart(&site.world);
    both_say(&site, &machine, "is for another name").await;
    // A machine that joins is told the same.
    let other = Machine::new();
    let line = site.enroll(&["lab-2"]);
    let (joined, said) = other.run(&site.world, &line);
    assert!(!joined && said.contains("is for another name"), "{said}");
    serve_tls(&site.world, "hub.pem");
    site.hub.restart(&site.world);

    // Removed.
    let address = site.world.extra.lines().next().unwrap();
    let address = address.rsplit_once("//").unwrap().1;
    until(LONG, "the broker", || {
        std::net::TcpStream::connect(address).is_ok()
    })
    .await;
    let (status, said) = site.world.command(&["revoke", "lab-1"]);
    assert!(status.success(), "{said}");
    both_say(&site, &machine, "refused the credentials of `lab-1`").await;

    // Away: it goes on trying, and says so.
    site.hub.signal(rustix::process::Signal::KILL);
    let (_, said) = machine.run(&site.world, "phonework doctor --host");
    assert!(said.contains("cannot be reached"), "{said}");
    let mut host = machine.host(&site.world, "lab");
    host.says("the broker cannot be reached; trying on").await;
    assert!(host.has_ended().is_none());
}
