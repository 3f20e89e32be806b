//! From a new machine to its first answered message, and out again: one command on each side, in two folders with two
//! homes, and every way in that must stay shut.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kit::claude::ClaudeHome;
use secrecy::ExposeSecret as _;

use crate::processes::Hub;
use crate::world::{LONG, Phonework, World, until};

/// Hub, router and gateway, and no machine yet.
struct Site {
    world: World,
    hub: Hub,
    router: Phonework,
    _gateway: Phonework,
}

/// A machine that is not the hub.
struct Machine {
    home: ClaudeHome,
    /// Where its configuration is.
    dir: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let home = ClaudeHome::new();
        let dir = home.root().join("phonework");
        std::fs::create_dir(&dir).unwrap();
        Self { home, dir }
    }

    /// Runs a line as it was printed on the hub: whether it went well, and what it said.
    fn run(&self, world: &World, line: &str) -> (bool, String) {
        self.run_in(world, &self.dir, line)
    }

    fn run_in(&self, world: &World, dir: &Path, line: &str) -> (bool, String) {
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("phonework"));
        let args: Vec<&str> = words.collect();
        let mut command = world.prepare_on(&self.home, dir, &args);
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    fn host(&self, world: &World, name: &str) -> Phonework {
        world.start_on(name, &self.home, &self.dir, &["host"])
    }

    fn host_with(&self, world: &World, name: &str, env: &[(&str, &str)]) -> Phonework {
        let mut command = world.prepare_on(&self.home, &self.dir, &["host"]);
        command.envs(env.iter().copied());
        world.start_as(name, command)
    }

    /// Writes the configuration of a machine that knows the secret.
    fn knows(&self, world: &World, secret: &str, node: &str) {
        let url = world.extra.lines().next().unwrap();
        let text = format!("NODE_ID: {node}\n{url}\nROUTER_SECRET: {secret}\n");
        let path = self.path("host_config.yaml");
        std::fs::write(&path, text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).unwrap();
    }

    /// The credentials that it gets for itself.
    fn own_creds(&self, node: &str) -> PathBuf {
        let data = self.home.home().join(".local/share/phonework");
        data.join(format!("creds/{node}.creds"))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }
}

impl Site {
    /// `more`: further lines of the hub's configuration.
    async fn start(more: &str) -> Self {
        let mut world = World::start().await;
        let hub = Hub::start(&mut world).await;
        world.extra += more;
        let router = world.role("router");
        let gateway = world.role("gateway");
        world.connected().await;
        router.says("the router is ready").await;
        Self {
            world,
            hub,
            router,
            _gateway: gateway,
        }
    }

    /// What `phonework enroll` prints on standard output.
    fn enroll(&self, args: &[&str]) -> String {
        let keyring = self.world.keyring();
        let args = [&["enroll"], args].concat();
        let output = self.world.prepare(&args, Some(&keyring)).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("60 minutes"), "{said}");
        let line = String::from_utf8(output.stdout).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        line
    }

    async fn is_on(&self, node: &str) {
        self.router.says(&format!("node is on node={node}")).await;
    }
}

/// ROUTER_SECRET.
const SECRET: &str = "one-secret-of-some-32-characters";

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_on_each_side_and_a_message_is_answered() {
    let site = Site::start("").await;
    let world = &site.world;
    let line = site.enroll(&["lab-1", "--name", "Lab One"]);
    let machine = Machine::new();
    let (joined, said) = machine.run(world, &line);
    assert!(joined, "{said}");
    assert!(said.contains("phonework host"), "{said}");
    assert_eq!(mode(&machine.path("lab-1.creds")), 0o600);
    assert!(!machine.path("lab-1.nk").exists());

    let _host = machine.host(world, "lab");
    site.is_on("lab-1").await;
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
