//! From a new machine to its first answered message, and out again: one command on each side, in two folders with two
//! homes, and every way in that must stay shut.

use std::path::{Path, PathBuf};

use kit::claude::ClaudeHome;
use secrecy::ExposeSecret as _;

use crate::processes::Hub;
use crate::world::{Phonework, World};

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
