//! Two of each: two routers and two gateways of one hub, of which either may end or hang at any
//! time; and two of what there may be only one of, where the second says so and ends.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::processes::Hub;
use crate::world::{LONG, Phonework, World, until};

const ROUTER: &str = "PW_ROUTER/lease";
const GATEWAY: &str = "PW_GATE_feishu/lease";
/// How long a process hangs: longer than others wait for it.
const HANGS: Duration = Duration::from_secs(8);

/// Two of one role; `None` was killed.
struct Pair {
    place: &'static str,
    role: &'static str,
    /// A folder of its own for the second one's page and spool.
    configs: [Option<PathBuf>; 2],
    running: [Option<Phonework>; 2],
}

impl Pair {
    fn start(world: &World, role: &'static str, place: &'static str) -> Self {
        let mut pair = Self {
            place,
            role,
            configs: [None, None],
            running: [None, None],
        };
        pair.running[0] = Some(world.role(role));
        let keyring = std::fs::read_to_string(world.home.root().join("keyring.yaml")).unwrap();
        let data = world.data().display().to_string();
        let other = world.home.root().join(format!("{role}-2"));
        let text = keyring.replace(
            &format!("DATA_DIR: {data}"),
            &format!(
                "DATA_DIR: {}\nNATS_CREDS: {data}/creds/{role}.creds",
                other.display()
            ),
        );
        let config = other.with_extension("yaml");
        std::fs::write(&config, text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&config, private).unwrap();
        pair.configs[1] = Some(config);
        pair.again(world);
        pair
    }

    /// Starts whichever is not running.
    fn again(&mut self, world: &World) {
        for (config, running) in self.configs.iter().zip(&mut self.running) {
            if running.is_none() {
                *running = Some(match config {
                    None => world.role(self.role),
                    Some(config) => world.role_with(self.role, config),
                });
            }
        }
    }

    /// Waits until one of them leads, and gives which.
    async fn leader(&self) -> usize {
        let leads = || {
            self.running.iter().position(|one| {
                one.as_ref().is_some_and(|one| {
                    let log = one.log();
                    let last = |words: &str| log.rfind(&format!("{words} place={}", self.place));
                    let ends = last("no longer leading").max(last("leading is given up"));
                    last(": leading") > ends
                })
            })
        };
        until(LONG, &format!("one {} leads", self.role), || {
            leads().is_some()
        })
        .await;
        leads().unwrap()
    }

    async fn kill_leader(&mut self) {
        let leader = self.leader().await;
        self.running[leader].take().unwrap().kill();
    }

    async fn stop_leader(&mut self) {
        let leader = self.leader().await;
        let (status, _) = self.running[leader].take().unwrap().stop().await;
        assert!(status.success(), "{status:?}");
    }

    /// Freezes the leader for a while.
    async fn hang_leader(&self) -> tokio::task::JoinHandle<()> {
        let leader = self.leader().await;
        let pid = self.running[leader].as_ref().unwrap().pid();
        kill_process(pid, Signal::STOP).unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(HANGS).await;
            kill_process(pid, Signal::CONT).unwrap();
        })
    }
}

/// Enrols a node and writes its configuration; the host's folders are `machine` of its own.
fn enrol(world: &World, node: &str) -> PathBuf {
    let dir = world.home.root().join(format!("machine-{node}"));
    let out = dir.display().to_string();
    let (status, said) = world.command(&["enroll", node, "--out", &out]);
    assert!(status.success(), "{said}");
    settle(&dir, &dir);
    dir
}

/// Gives the host configured in `dir` its folders below `at`.
fn settle(dir: &Path, at: &Path) {
    let config = dir.join("host_config.yaml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    let at = at.display();
    text += &format!("\nWORKING_DIR: {at}/work\nDATA_DIR: {at}/data\nLOG: debug\n");
    std::fs::write(&config, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_two_may_end_or_hang_and_nothing_is_lost_doubled_or_swapped() {
    let mut world = World::start().await;
    let _hub = Hub::start(&mut world).await;
    let mut routers = Pair::start(&world, "router", ROUTER);
    let mut gateways = Pair::start(&world, "gateway", GATEWAY);
    let dir = enrol(&world, "a");
    let host = world.host("a", &dir);
    world.feishu.wait_connected(2, LONG).await.unwrap();
    host.says("host is up").await;
    for router in routers.running.iter().flatten() {
        router.says("node is on node=a").await;
    }
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;

    let mut hanging = Vec::new();
    let marker = |n: usize| format!("n{n:02}-end");
    for n in 0..40 {
        let id = anna.say(&format!("fake: text {}", marker(n)));
        // Right now, with the message somewhere on its way.
        match n {
            3 | 9 => routers.kill_leader().await,
            6 | 12 | 35 => routers.again(&world),
            15 => gateways.kill_leader().await,
            18 | 31 => gateways.again(&world),
            21 => hanging.push(gateways.hang_leader().await),
            26 => hanging.push(routers.hang_leader().await),
            29 => gateways.stop_leader().await,
            33 => routers.stop_leader().await,
            37 => {
                routers.kill_leader().await;
                gateways.kill_leader().await;
            }
            _ => {}
        }
        // What was not taken yet has no order: the platform itself brings it again later than what
        // is written after it.
        let taken = |f: &kit::feishu::Feishu| {
            let mut acks = f.acks().into_iter();
            acks.any(|ack| ack.accepted && ack.message_id.as_deref() == Some(id.as_str()))
        };
        if let Err(why) = world.feishu.wait_until(taken, LONG).await {
            panic!("message {n} was never taken: {why:#}\n{}", world.logs());
        }
        // The one that hangs must have been missed and must have woken before the next fault.
        if matches!(n, 25 | 28) {
            for one in hanging.drain(..) {
                one.await.unwrap();
            }
        }
    }
    for n in 0..40 {
        world.sees(&marker(n)).await;
    }
    let answers = || {
        let all = anna.messages();
        let texts = all.iter().map(kit::feishu::BotMessage::text);
        // A card that says that a message waits quotes it.
        texts
            .filter(|text| !text.contains("fake: text"))
            .filter_map(|text| {
                let at = text.find("-end")?;
                text.get(at.checked_sub(2)?..at)?.parse::<usize>().ok()
            })
            .collect::<Vec<_>>()
    };
    let wanted: Vec<usize> = (0..40).collect();
    until(LONG, "all answers", || answers().len() >= wanted.len()).await;
    let story = || format!("{}\n{}", world.feishu.story(), world.logs());
    assert_eq!(answers(), wanted, "{}", story());
    for n in wanted {
        assert_eq!(world.model.turns_containing(&marker(n)), 1, "{}", marker(n));
    }
    world.no_secret_in_logs();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_host_of_one_node_says_so_and_ends() {
    let mut world = World::start().await;
    let _hub = Hub::start(&mut world).await;
    let router = world.role("router");
    let dir = enrol(&world, "a");
    let first = world.host("a", &dir);
    first.says("host is up").await;
    router.says("node is on node=a").await;

    // The same credentials with folders of their own: as from a copy of the machine.
    let copy = world.home.root().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for entry in std::fs::read_dir(&dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
        }
    }
    let config = copy.join("host_config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let (here, there) = (dir.display().to_string(), copy.display().to_string());
    std::fs::write(&config, text.replace(&here, &there)).unwrap();
    let refuses = async |mut second: Phonework, expected: &[&str]| {
        let status = second.ended(LONG).await;
        let said = second.log();
        assert_eq!(status.code(), Some(1), "{said}");
        for part in expected {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("host is up"), "{said}");
    };
    let pid = first.pid().as_raw_nonzero();
    let claimed = [
        "phonework: node `a` already runs on machine ",
        &format!("(process {pid}, since "),
        "Stop that one, or enrol this machine under an id of its own: phonework enroll <id> on the hub",
    ];
    refuses(world.host("copy", &copy), &claimed).await;
    // On the very same folder the journal is met first.
    refuses(
        world.host("again", &dir),
        &[
            "journal.redb cannot be opened",
            "is a second host running on this folder?",
        ],
    )
    .await;

    // One that was killed is missed by nobody, its restart least of all.
    first.kill();
    let second = world.host("copy", &copy);
    second.says("host is up").await;
    // One that hangs cannot answer. When it wakes, one of the two stays.
    second.signal(Signal::STOP);
    let mut third = world.host("a", &dir);
    third.says("host is up").await;
    second.signal(Signal::CONT);
    let mut second = second;
    let deadline = std::time::Instant::now() + LONG;
    let (ended, status) = loop {
        if let Some(status) = second.has_ended() {
            break (&second, status);
        }
        if let Some(status) = third.has_ended() {
            break (&third, status);
        }
        assert!(
            std::time::Instant::now() < deadline,
            "both stay\n{}",
            world.logs()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(status.code(), Some(1));
    assert!(
        ended.log().contains("already runs on machine"),
        "{}",
        ended.log()
    );
    let left = usize::from(second.has_ended().is_none()) + usize::from(third.has_ended().is_none());
    assert_eq!(left, 1, "{}", world.logs());
    drop((second, third));

    // Two at the same moment: one of them.
    let mut both = [world.host("a", &dir), world.host("copy", &copy)];
    let ended = loop {
        if let Some(ended) = both.iter_mut().position(|one| one.has_ended().is_some()) {
            break ended;
        }
        assert!(
            std::time::Instant::now() < deadline + LONG,
            "both stay\n{}",
            world.logs()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(
        both[ended].log().contains("already runs on machine"),
        "{}",
        both[ended].log()
    );
    both[1 - ended].says("host is up").await;
    assert!(!both[ended].log().contains("host is up"), "it took nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_standalone_on_one_folder_says_so_and_ends() {
    let world = World::start().await;
    let mut first = world.standalone().await;
    let (status, said) = world.command(&[]);
    assert_eq!(status.code(), Some(1), "{said}");
    let folder = world.data().display().to_string();
    assert!(
        said.contains(&format!(
            "phonework: another phonework is already running with the data folder {folder}. Stop that one first, or give this one a folder of its own with DATA_DIR"
        )),
        "{said}"
    );
    // The first one goes on as if nothing was.
    let anna = world.anna();
    anna.say("/new demo fake: text still-here");
    world.sees("still-here").await;
    assert!(first.has_ended().is_none());
}
