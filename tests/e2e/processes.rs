//! Router, gateway and hosts as processes of their own at an external broker: one user, two
//! machines.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::world::{LONG, Phonework, World, until};

/// A broker started from the hub.conf that `phonework init` made.
pub(crate) struct Hub(Child);

impl Hub {
    /// Gives `world` a hub and starts its broker.
    pub(crate) async fn start(world: &mut World) -> Self {
        let port = free_port();
        world.extra = format!("NATS_URL: nats://127.0.0.1:{port}\n");
        let (status, said) = world.command(&["init"]);
        assert!(status.success(), "{said}");
        Self::at(world, port).await
    }

    /// Starts the broker of the hub that `world` has; its last port to open is this.
    pub(crate) async fn at(world: &World, port: u16) -> Self {
        // Guarded from the first moment: a failure below must not leave it running.
        let hub = Hub(Self::spawn(world));
        until(LONG, "the broker", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        hub
    }

    fn spawn(world: &World) -> Child {
        Command::new(kit::nats::server_binary())
            .arg("-c")
            .arg(world.data().join("hub.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Ends its broker in order and starts it again, as its operator does.
    pub(crate) fn restart(&mut self, world: &World) {
        self.signal(rustix::process::Signal::TERM);
        self.0.wait().unwrap();
        self.0 = Self::spawn(world);
    }

    /// Lets its broker stand still, or go on.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).unwrap();
        if signal == rustix::process::Signal::STOP {
            // The signal is sent, but until every thread has heeded it the broker goes on confirming.
            while !self.stands_still() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }

    fn stands_still(&self) -> bool {
        let state = Command::new("ps")
            .args(["-o", "state=", "-p", &self.0.id().to_string()])
            .output();
        state.is_ok_and(|output| output.stdout.trim_ascii_start().starts_with(b"T"))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One user, two machines `a` and `b`, everything as processes of their own.
pub(crate) struct Fleet {
    pub(crate) world: World,
    _hub: Hub,
    pub(crate) router: Phonework,
    pub(crate) gateway: Phonework,
    pub(crate) hosts: Vec<Phonework>,
    pub(crate) dirs: Vec<PathBuf>,
}

/// A port that nobody has, and that the system gives to no connection of its own accord: those
/// begin at 32768 on Linux and higher elsewhere.
pub(crate) fn free_port() -> u16 {
    let seed = u16::from_le_bytes(uuid::Uuid::new_v4().into_bytes()[..2].try_into().unwrap());
    (0..10_000_u16)
        .map(|step| 20_000 + (seed % 10_000 + step) % 10_000)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

impl Fleet {
    pub(crate) async fn start() -> Self {
        let mut world = World::start().await;
        let hub = Hub::start(&mut world).await;
        let (status, again) = world.command(&["init"]);
        assert!(
            status.success() && again.contains("nothing changed"),
            "{again}"
        );
        let router = world.role("router");
        let gateway = world.role("gateway");
        let mut hosts = Vec::new();
        let mut dirs = Vec::new();
        for node in ["a", "b"] {
            let dir = world.home.root().join(format!("machine-{node}"));
            let out = dir.display().to_string();
            let name = format!("Machine {}", node.to_uppercase());
            let (status, said) = world.command(&["enroll", node, "--name", &name, "--out", &out]);
            assert!(status.success(), "{said}");
            let config = dir.join("host_config.yaml");
            let mut text = std::fs::read_to_string(&config).unwrap();
            text += &format!("\nWORKING_DIR: {out}/work\nDATA_DIR: {out}/data\nLOG: debug\n");
            std::fs::write(&config, text).unwrap();
            hosts.push(world.host(node, &dir));
            dirs.push(dir);
        }
        world.connected().await;
        for node in ["a", "b"] {
            router.says(&format!("node is on node={node}")).await;
        }
        Self {
            world,
            _hub: hub,
            router,
            gateway,
            hosts,
            dirs,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_serve_one_user() {
    let fleet = Fleet::start().await;
    let world = &fleet.world;
    let anna = world.anna();
    // Both machines are known as on.
    let mut nodes = None;
    for _ in 0..100 {
        let id = anna.say("/nodes");
        let answer = world
            .sees_that(|m| m.reply_to.as_deref() == Some(id.as_str()))
            .await;
        let text = answer.text();
        if text.contains("Machine A") && text.contains("Machine B") && !text.contains("never") {
            nodes = Some(text);
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(nodes.is_some(), "{}", world.logs());

    // Nobody said which: the person is asked, and the message goes where the tap says.
    anna.say("/new first fake: text answer-from-asked");
    let ask = world.sees_that(|m| m.has_button("Machine A")).await;
    anna.tap(&ask.message_id, "Machine A").await.unwrap();
    // The question quotes the message, so the answer is told by where it ran.
    world
        .sees_that(|m| {
            let text = m.text();
            text.contains("Machine A · first") && text.contains("answer-from-asked")
        })
        .await;
    assert!(fleet.dirs[0].join("work/first").is_dir());

    anna.say("/node b");
    world.sees("Machine B").await;
    anna.say("/new second fake: text answer-from-b");
    let answer = world.sees("answer-from-b").await;
    assert!(answer.text().contains("Machine B"), "{}", answer.text());
    assert!(fleet.dirs[1].join("work/second").is_dir());

    anna.say("/node a");
    anna.say("fake: text back-on-a");
    let answer = world.sees("back-on-a").await;
    assert!(answer.text().contains("Machine A"), "{}", answer.text());
    assert_eq!(world.model.turns_containing("back-on-a"), 1);
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_may_be_killed_and_nothing_runs_twice() {
    let Fleet {
        world,
        _hub,
        mut router,
        mut gateway,
        mut hosts,
        dirs,
    } = Fleet::start().await;
    let anna = world.anna();
    anna.say("/node a");
    world.sees("Machine A").await;
    anna.say("/new demo");
    world.sees("is ready").await;
    let mut said = Vec::new();
    for round in 0..3 {
        let marker = format!("round-{round}-end");
        let id = anna.say(&format!("fake: text {marker}"));
        world.sees(&marker).await;
        said.push((id.clone(), marker));
        match round {
            0 => {
                router.kill();
                world.feishu.redeliver(&id, None);
                router = world.role("router");
            }
            1 => {
                gateway.kill();
                world.feishu.redeliver(&id, None);
                gateway = world.role("gateway");
                world.connected().await;
            }
            _ => {
                hosts.remove(0).kill();
                world.feishu.redeliver(&id, None);
                hosts.insert(0, world.host("a", &dirs[0]));
            }
        }
        for (id, _) in &said {
            world.feishu.redeliver(id, None);
        }
        let behind = format!("behind-{round}-end");
        anna.say(&format!("fake: text {behind}"));
        world.sees(&behind).await;
    }
    for (_, marker) in &said {
        assert_eq!(world.model.turns_containing(marker), 1, "{marker}");
        assert_eq!(world.count(marker), 1, "{marker}");
    }
    drop((router, gateway, hosts));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_for_a_machine_that_is_off() {
    let mut fleet = Fleet::start().await;
    let world = &fleet.world;
    let anna = world.anna();
    anna.say("/node b");
    world.sees("Machine B").await;
    anna.say("/new demo");
    world.sees("is ready").await;
    let (status, _) = fleet.hosts.remove(1).stop().await;
    assert!(status.success());
    anna.say("fake: text waited-for-it");
    let told = world.sees("off").await;
    assert!(told.text().contains("Machine B"), "{}", told.text());
    assert_eq!(world.model.turns_containing("waited-for-it"), 0);
    let _back = world.host("b", &fleet.dirs[1]);
    world.sees("waited-for-it").await;
    assert_eq!(world.count("waited-for-it"), 1);
    until(LONG, "one run", || {
        world.model.turns_containing("waited-for-it") == 1
    })
    .await;
}
