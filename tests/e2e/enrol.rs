//! From a new machine to its first answered message, and out again: one command on each side, in two folders with two
//! homes, and every way in that must stay shut.

mod faults;
mod removed;
mod secret;
mod site;

use secrecy::ExposeSecret as _;

pub(crate) use site::Machine;
use site::{Site, mode};

#[tokio::test(flavor = "multi_thread")]
async fn one_command_on_each_side_and_a_message_is_answered() {
    let site = Site::start("").await;
    let world = &site.world;
    let line = site.enroll(&["lab-1", "--name", "Lab One"]);
    let machine = Machine::new();
    let _host = machine.starts(world, &format!("{line} --run"));
    site.is_on("lab-1").await;
    assert_eq!(mode(&machine.path("lab-1.creds")), 0o600);
    assert!(!machine.path("lab-1.nk").exists());
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    anna.say("fake: text hello-from-the-lab");
    let answer = world.sees("hello-from-the-lab").await;
    assert!(answer.text().contains("Lab One"), "{}", answer.text());
    assert!(
        machine.home.home().join("phonework/demo").is_dir(),
        "it ran on that machine"
    );

    // The line once more: here nothing changes, elsewhere it opens nothing.
    let config = std::fs::read_to_string(machine.path("host_config.yaml")).unwrap();
    let (again, said) = machine.run(world, &line);
    assert!(again && said.contains("nothing was changed"), "{said}");
    assert!(said.contains("phonework host"), "{said}");
    let other = Machine::new();
    let (joined, said) = other.run(world, &line);
    assert!(!joined && said.contains("was used already"), "{said}");
    assert!(
        !other.path("lab-1.creds").exists() && !other.path("host_config.yaml").exists(),
        "nothing was written"
    );
    std::fs::write(
        machine.path("host_config.yaml"),
        config + "WORKING_DIR: /srv\n",
    )
    .unwrap();
    let (again, said) = machine.run(world, &line);
    assert!(again && said.contains("nothing was changed"), "{said}");
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_join_goes_on_with_its_key() {
    let site = Site::start("").await;
    let world = &site.world;
    let line = site.enroll(&["lab-1", "--serves", "ou_anna"]);
    let machine = Machine::new();
    let (joined, said) = machine.run(world, &line);
    assert!(joined, "{said}");
    let creds = machine.path("lab-1.creds");
    let before = common::identity::Creds::read(&creds).unwrap();

    // As if it had died when the hub had answered, and nothing but the key was written.
    let text = before.text().expose_secret();
    let seed = text.lines().find(|line| line.starts_with("SU")).unwrap();
    std::fs::write(machine.path("lab-1.nk"), seed).unwrap();
    std::fs::remove_file(&creds).unwrap();
    std::fs::remove_file(machine.path("host_config.yaml")).unwrap();
    let (joined, said) = machine.run(world, &line);
    assert!(joined, "{said}");
    let after = common::identity::Creds::read(&creds).unwrap();
    assert_eq!(after.public_key(), before.public_key());

    // And when all but the end was done.
    std::fs::write(machine.path("lab-1.nk"), seed).unwrap();
    let (joined, said) = machine.run(world, &line);
    assert!(joined, "{said}");
    assert!(!machine.path("lab-1.nk").exists());
    let _host = machine.host(world, "lab");
    site.is_on("lab-1").await;
}
