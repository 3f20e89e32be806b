//! Hosts behind NAT, for real: network namespaces, a site with a nats-server of its own and a host by itself in another
//! LAN, everything as `init` and `enroll` make it, and the lines cut silently in the middle of a turn.
//!
//! Needs root, `ip` and `nft`; `PHONEWORK_NETNS=off` leaves it out. `--nocapture` shows each step.

mod net;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kit::claude::ClaudeHome;
use kit::feishu::{BotMessage, User};
use net::{HUB, LEAF, Net, Place};

use crate::world::{LONG, Phonework, World};

/// How long nothing passes.
const CUT: Duration = Duration::from_secs(20);
/// What a person waits for once the line is whole again.
const PATIENCE: Duration = Duration::from_secs(120);

/// A machine with a host, and the person who works there.
struct Host {
    node: &'static str,
    place: Place,
    person: &'static str,
    home: ClaudeHome,
}

/// Says what is done, and when.
struct Steps(Instant);

impl Steps {
    fn say(&self, what: &str) {
        eprintln!("[{:6.1} s] {what}", self.0.elapsed().as_secs_f64());
    }
}

/// Everything, up.
struct Field {
    // First: what runs in the namespaces ends before they go.
    _parts: Vec<Phonework>,
    hosts: Vec<Host>,
    world: World,
    net: Net,
    steps: Steps,
}

fn is_answer(message: &BotMessage, end: &str) -> bool {
    // A card of a waiting message quotes it; an answer has its small print.
    message.text().contains(end) && message.text().contains("context")
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

impl Field {
    async fn start() -> Option<Self> {
        let net = Net::build()?;
        let steps = Steps(Instant::now());
        steps.say(&net.picture());
        let mut world = World::start().await;
        world.extra = format!("NATS_URL: tls://{HUB}:4222\n");
        // The chat platform and the model are no part of these networks: each place has them on its loopback.
        net.relay(Place::Public, port_of(&world.feishu.base_url()));
        for place in [Place::Lab1, Place::Lab2, Place::Far] {
            net.relay(place, port_of(world.model.url()));
        }

        let command = |args: &[&str]| {
            let keyring = world.keyring();
            let output = net
                .wrap(Place::Public, &world.prepare(args, Some(&keyring)))
                .output();
            let output = output.unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(output.status.success(), "{args:?}: {said}");
            steps.say(&format!(
                "phonework {}\n{}",
                args.join(" "),
                said.trim_end()
            ));
        };
        command(&["init"]);
        let site = world.home.root().join("site-a");
        let far = world.home.root().join("far");
        let text = |path: &Path| path.display().to_string();
        command(&[
            "enroll",
            "--leaf",
            "site-a",
            "--nodes",
            "lab-1,lab-2",
            "--at",
            LEAF,
            "--out",
            &text(&site),
        ]);
        let wss = format!("wss://{HUB}");
        command(&["enroll", "far", "--nats-url", &wss, "--out", &text(&far)]);

        let server = |name: &str, place: Place, conf: &Path| {
            let mut command = Command::new(kit::nats::server_binary());
            command
                .args(["-c"])
                .arg(conf)
                .current_dir(conf.parent().unwrap());
            if place == Place::Public {
                // The hub says in its own log what it has to say.
                command = Command::new(kit::nats::server_binary());
                command.arg("-c").arg(conf).stdout(Stdio::null());
            }
            world.start_as(name, net.wrap(place, &command))
        };
        let hub = server("nats-hub", Place::Public, &world.data().join("hub.conf"));
        hub.says("Server is ready").await;
        let keyring = world.keyring();
        let role = |name: &str| {
            let command = world.prepare(&[name], Some(&keyring));
            world.start_as(name, net.wrap(Place::Public, &command))
        };
        let router = role("router");
        let gateway = role("gateway");
        world.connected().await;
        router.says("the router is ready").await;
        steps.say("hub, router and gateway run at public");
        let leaf = server("nats-leaf", Place::Leaf, &site.join("leaf.conf"));
        leaf.says("Server is ready").await;
        steps.say("the site's server runs at leaf");

        let mut hosts = Vec::new();
        let mut parts = vec![hub, gateway, leaf];
        for (node, place, person, dir) in [
            ("lab-1", Place::Lab1, "ou_anna", site.join("lab-1")),
            ("lab-2", Place::Lab2, "ou_ben", site.join("lab-2")),
            ("far", Place::Far, "ou_cleo", far),
        ] {
            let home = ClaudeHome::new();
            let command = world.prepare_on(&home, &dir, &["host"]);
            parts.push(world.start_as(&format!("host-{node}"), net.wrap(place, &command)));
            let on = format!("node is on node={node}");
            let deadline = Instant::now() + LONG;
            while !router.log().contains(&on) {
                assert!(
                    Instant::now() < deadline,
                    "{node} is not on\n{}",
                    world.logs()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            steps.say(&format!("{node} is on"));
            hosts.push(Host {
                node,
                place,
                person,
                home,
            });
        }
        parts.push(router);
        Some(Self {
            _parts: parts,
            hosts,
            world,
            net,
            steps,
        })
    }

    fn person(&self, host: &Host) -> User {
        self.world.feishu.user(host.person)
    }

    async fn sees(&self, host: &Host, what: &str, fits: impl Fn(&BotMessage) -> bool) {
        let found = self.person(host).wait_message(fits, PATIENCE).await;
        if let Err(why) = found {
            panic!(
                "{}: never saw {what}: {why:#}\n{}",
                host.node,
                self.world.logs()
            );
        }
    }

    /// A session on each host, with a turn that waits in the middle.
    async fn begin(&self) {
        for host in &self.hosts {
            let person = self.person(host);
            person.say(&format!("/node {}", host.node));
            self.sees(host, "the node", |m| m.text().contains(host.node))
                .await;
            person.say("/new demo");
            self.sees(host, "the session", |m| m.text().contains("is ready"))
                .await;
            person.say(&format!("fake: hold mid-{0} first-of-{0}", host.node));
        }
        for host in &self.hosts {
            self.world
                .model
                .waiting(&format!("mid-{}", host.node))
                .await;
        }
        self.steps.say("a turn is in its middle on each host");
    }

    /// Ends the turns in hand, and asks for more.
    fn go_on(&self) {
        for host in &self.hosts {
            self.world.model.release(&format!("mid-{}", host.node));
            for which in ["second", "third"] {
                let line = format!("fake: text {which}-of-{}", host.node);
                self.person(host).say(&line);
            }
        }
        self.steps
            .say("the turns end, and each person asks twice more");
    }

    /// Everything was asked of the model once and answered once, in order, where it belongs.
    async fn all_is_well(&self) {
        for host in &self.hosts {
            let mut places = Vec::new();
            for which in ["first", "second", "third"] {
                let end = format!("{which}-of-{}", host.node);
                self.sees(host, &end, |m| is_answer(m, &end)).await;
                self.steps.say(&format!("{end} is answered"));
            }
            let messages = self.person(host).messages();
            for which in ["first", "second", "third"] {
                let end = format!("{which}-of-{}", host.node);
                assert_eq!(self.world.model.turns_containing(&end), 1, "{end}");
                let found: Vec<usize> = (0..messages.len())
                    .filter(|at| is_answer(&messages[*at], &end))
                    .collect();
                assert_eq!(found.len(), 1, "{end}: {}", self.world.logs());
                places.extend(found);
            }
            assert!(places.is_sorted(), "{}: {places:?}", host.node);
            let here = host.home.home().join("phonework/demo");
            assert!(
                here.is_dir(),
                "{} did not work in {}",
                host.node,
                here.display()
            );
            assert!(matches!(host.place, Place::Lab1 | Place::Lab2 | Place::Far));
        }
        self.world.no_secret_in_logs();
    }

    /// Nothing can be opened towards a LAN, and everything that is needed can be opened from it.
    fn the_doors_are_shut(&self) {
        for (from, to, open) in [
            (Place::Public, "10.77.0.2:4222", false),
            (Place::Far, "10.77.0.2:4222", false),
            (Place::Lab1, "10.77.0.2:4222", true),
            (Place::Lab1, "203.0.113.1:443", true),
            (Place::Far, "203.0.113.1:4222", true),
        ] {
            let reached = self.net.reaches(from, to);
            self.steps.say(&format!(
                "{} -> {to}: {}",
                from.name(),
                if reached { "open" } else { "shut" }
            ));
            assert_eq!(reached, open, "{from:?} -> {to}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_run_on_a_site_and_on_a_host_by_itself_behind_nat() {
    let Some(field) = Box::pin(Field::start()).await else {
        return;
    };
    field.the_doors_are_shut();
    field.begin().await;
    field.go_on();
    field.all_is_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_cut_of_both_sites_in_mid_turn_loses_and_repeats_nothing() {
    let Some(field) = Box::pin(Field::start()).await else {
        return;
    };
    field.begin().await;
    for nat in [Place::NatA, Place::NatB] {
        field.net.cut(nat);
        field.steps.say(&format!("{} drops everything", nat.name()));
    }
    let since = Instant::now();
    assert!(
        !field.net.reaches(Place::Far, "203.0.113.1:4222"),
        "not cut"
    );
    field.go_on();
    // How long it lasts is what this test is about.
    tokio::time::sleep(CUT.saturating_sub(since.elapsed())).await;
    for host in &field.hosts {
        let end = format!("second-of-{}", host.node);
        assert_eq!(
            field.world.model.turns_containing(&end),
            0,
            "it passed the cut"
        );
    }
    for nat in [Place::NatA, Place::NatB] {
        field.net.mend(nat);
        field
            .steps
            .say(&format!("{} lets through again", nat.name()));
    }
    field.all_is_well().await;
    // Nothing comes late.
    let host = &field.hosts[0];
    field.person(host).say("fake: text fourth-of-all");
    field
        .sees(host, "the fourth", |m| is_answer(m, "fourth-of-all"))
        .await;
    field.all_is_well().await;
}
