//! A small internet of network namespaces: a public network, two NATs that let nothing in, and what is behind them.
//! It is made of `ip` and `nft` and needs root. It goes with the value; what a run that was killed has left goes
//! before the next one. Who runs where is the tests'.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The hub's address.
pub(crate) const HUB: &str = "203.0.113.1";
/// Where the hosts of the site find its server.
pub(crate) const LEAF: &str = "10.77.0.2";

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The hub, with router and gateway.
    Public,
    /// Between the public network and the site.
    NatA,
    /// The site's server.
    Leaf,
    /// A host of the site.
    Lab1,
    /// Another one.
    Lab2,
    /// Between the public network and the second LAN.
    NatB,
    /// A host there, by itself.
    Far,
}

impl Place {
    const ALL: [Self; 7] = [
        Self::Public,
        Self::NatA,
        Self::Leaf,
        Self::Lab1,
        Self::Lab2,
        Self::NatB,
        Self::Far,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::NatA => "nat-a",
            Self::Leaf => "leaf",
            Self::Lab1 => "lab-1",
            Self::Lab2 => "lab-2",
            Self::NatB => "nat-b",
            Self::Far => "far",
        }
    }
}

/// The whole of it.
pub(crate) struct Net {
    /// Begins the names of its namespaces: `pw<pid>x<random>-`.
    prefix: String,
    relays: CancellationToken,
    _end: DropGuard,
}

impl Net {
    /// Builds it. None when `PHONEWORK_NETNS` is `off`.
    ///
    /// # Panics
    /// When this cannot be done here, with what to do.
    pub(crate) fn build() -> Option<Self> {
        if std::env::var("PHONEWORK_NETNS").is_ok_and(|text| text == "off") {
            eprintln!(
                "\n*** PHONEWORK_NETNS=off: LEFT OUT, sites and hosts behind NAT in network namespaces ***\n"
            );
            return None;
        }
        let otherwise = "or leave this test out with PHONEWORK_NETNS=off";
        for (program, arg, package) in [("ip", "-V", "iproute2"), ("nft", "-v", "nftables")] {
            let found = Command::new(program)
                .arg(arg)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            assert!(
                found.is_ok_and(|status| status.success()),
                "there is no `{program}` here: apt-get install {package}, {otherwise}"
            );
        }
        assert!(
            rustix::process::geteuid().is_root(),
            "network namespaces need root: run the tests as root, {otherwise}"
        );
        sweep();
        let relays = CancellationToken::new();
        let net = Self {
            prefix: format!("pw{}x{:04x}-", std::process::id(), rand::random::<u16>()),
            _end: relays.clone().drop_guard(),
            relays,
        };
        for place in Place::ALL {
            run("ip", &["netns", "add", &net.of(place)], "");
            net.ip(place, "link set lo up");
        }
        // A cable from each end to a bridge: the public network is at the hub, each LAN at its NAT.
        net.bridge(Place::Public, &format!("{HUB}/24"));
        net.bridge(Place::NatA, "10.77.0.1/24");
        net.bridge(Place::NatB, "10.88.0.1/24");
        for (bridge, end, port, address) in [
            (Place::Public, Place::NatA, "out", "203.0.113.2/24"),
            (Place::Public, Place::NatB, "out", "203.0.113.3/24"),
            (Place::NatA, Place::Leaf, "eth0", "10.77.0.2/24"),
            (Place::NatA, Place::Lab1, "eth0", "10.77.0.11/24"),
            (Place::NatA, Place::Lab2, "eth0", "10.77.0.12/24"),
            (Place::NatB, Place::Far, "eth0", "10.88.0.2/24"),
        ] {
            net.cable(bridge, end, port, address);
        }
        for nat in [Place::NatA, Place::NatB] {
            run(
                "ip",
                &[
                    "netns",
                    "exec",
                    &net.of(nat),
                    "sh",
                    "-c",
                    "echo 1 > /proc/sys/net/ipv4/ip_forward",
                ],
                "",
            );
            net.nft(nat, &format!("{MASQUERADE}{FORWARD}"));
        }
        for (place, by) in [
            (Place::Leaf, "10.77.0.1"),
            (Place::Lab1, "10.77.0.1"),
            (Place::Lab2, "10.77.0.1"),
            (Place::Far, "10.88.0.1"),
        ] {
            net.ip(place, &format!("route add default via {by}"));
        }
        // As if the provider would send it there: it is the NAT that lets nothing in.
        net.ip(Place::Public, "route add 10.77.0.0/24 via 203.0.113.2");
        net.ip(Place::Public, "route add 10.88.0.0/24 via 203.0.113.3");
        Some(net)
    }

    /// Drawn for whoever reads the run.
    pub(crate) fn picture(&self) -> String {
        format!(
            "namespaces {}*\n\
             \x20 public 203.0.113.1   hub (4222 tls, 443 wss, 7422 leaf), router, gateway\n\
             \x20   ├── nat-a 203.0.113.2 | 10.77.0.1   masquerade, nothing comes in\n\
             \x20   │     ├── leaf  10.77.0.2    nats-server -c leaf.conf\n\
             \x20   │     ├── lab-1 10.77.0.11   host, over the leaf\n\
             \x20   │     └── lab-2 10.77.0.12   host, over the leaf\n\
             \x20   └── nat-b 203.0.113.3 | 10.88.0.1   masquerade, nothing comes in\n\
             \x20         └── far   10.88.0.2    host, by itself over wss",
            self.prefix
        )
    }

    /// The same command, run there.
    pub(crate) fn wrap(&self, place: Place, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there
            .args(["netns", "exec", &self.of(place)])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                there.env(name, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            there.current_dir(folder);
        }
        there
    }

    /// From now on nothing passes this NAT, and nobody is told.
    pub(crate) fn cut(&self, nat: Place) {
        self.nft(
            nat,
            "insert rule ip filter forw iifname \"out\" drop\ninsert rule ip filter forw oifname \"out\" drop\n",
        );
    }

    /// Everything passes as before.
    pub(crate) fn mend(&self, nat: Place) {
        self.nft(nat, &format!("delete table ip filter\n{FORWARD}"));
    }

    /// Whether a connection from one place to another is let through, within a second.
    pub(crate) fn reaches(&self, from: Place, to: &str) -> bool {
        let to: SocketAddr = to.parse().unwrap();
        self.there(from, move || {
            TcpStream::connect_timeout(&to, Duration::from_secs(1)).is_ok()
        })
    }

    /// What listens on this port of our own loopback can be reached on that of `place`.
    pub(crate) fn relay(&self, place: Place, port: u16) {
        let listener = self.there(place, move || {
            TcpListener::bind(("127.0.0.1", port)).unwrap()
        });
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let end = self.relays.clone();
        tokio::spawn(end.clone().run_until_cancelled_owned(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let pass = async move {
                    let far = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
                    if let Ok(mut far) = far {
                        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                    }
                };
                tokio::spawn(end.clone().run_until_cancelled_owned(pass));
            }
        }));
    }

    /// Does something in there. A socket stays where it was made, whoever uses it.
    fn there<T: Send + 'static>(
        &self,
        place: Place,
        act: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let path = format!("/run/netns/{}", self.of(place));
        let thread = std::thread::spawn(move || {
            let file = std::fs::File::open(path).unwrap();
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), kind).unwrap();
            act()
        });
        thread.join().unwrap()
    }

    fn of(&self, place: Place) -> String {
        format!("{}{}", self.prefix, place.name())
    }

    fn ip(&self, place: Place, line: &str) {
        let of = self.of(place);
        let args: Vec<&str> = ["-n", &of].into_iter().chain(line.split(' ')).collect();
        run("ip", &args, "");
    }

    fn nft(&self, place: Place, rules: &str) {
        let of = self.of(place);
        run("ip", &["netns", "exec", &of, "nft", "-f", "-"], rules);
    }

    fn bridge(&self, place: Place, address: &str) {
        self.ip(place, "link add net type bridge");
        self.ip(place, &format!("addr add {address} dev net"));
        self.ip(place, "link set net up");
    }

    fn cable(&self, bridge: Place, end: Place, port: &str, address: &str) {
        let (here, there) = (end.name(), self.of(end));
        let line = format!("link add {here} type veth peer name {port} netns {there}");
        self.ip(bridge, &line);
        self.ip(bridge, &format!("link set {here} master net"));
        self.ip(bridge, &format!("link set {here} up"));
        self.ip(end, &format!("addr add {address} dev {port}"));
        self.ip(end, &format!("link set {port} up"));
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        remove(&self.prefix);
    }
}

/// Everybody goes out under one address.
const MASQUERADE: &str = r#"table ip nat {
  chain post {
    type nat hook postrouting priority 100; policy accept;
    oifname "out" masquerade
  }
}
"#;

/// Who passes. Some systems ask this also for what stays within a bridge.
const FORWARD: &str = r#"table ip filter {
  chain forw {
    type filter hook forward priority 0; policy drop;
    iifname "net" oifname "net" accept
    iifname "net" oifname "out" accept
    iifname "out" oifname "net" ct state established,related accept
  }
}
"#;

/// Removes what runs that were killed have left.
fn sweep() {
    for name in names() {
        let Some((prefix, _)) = name.split_once('-') else {
            continue;
        };
        let pid = prefix
            .strip_prefix("pw")
            .and_then(|rest| rest.split_once('x'));
        let Some(pid) = pid.and_then(|(pid, _)| pid.parse::<u32>().ok()) else {
            continue;
        };
        // One that has ended and that nobody has collected is not alive.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let alive = !state.is_empty() && !state.starts_with(['Z', 'X']);
        if !alive {
            eprintln!("removing {name}, which a run that was killed has left");
            remove(&name);
        }
    }
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir("/run/netns");
    let entries = entries.into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Ends what runs in the namespaces whose names begin so, and removes them; their cables go with them.
fn remove(prefix: &str) {
    for name in names().iter().filter(|name| name.starts_with(prefix)) {
        let pids = Command::new("ip").args(["netns", "pids", name]).output();
        let pids = pids.map(|output| output.stdout).unwrap_or_default();
        for pid in String::from_utf8_lossy(&pids).split_whitespace() {
            let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw);
            // Not ourselves: a thread of ours may be in there.
            if let Some(pid) = pid.filter(|pid| *pid != rustix::process::getpid()) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = Command::new("ip").args(["netns", "del", name]).status();
    }
}

/// Runs a command of the system with `input`; it must go well.
fn run(program: &str, args: &[&str], input: &str) {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|why| panic!("{program} {args:?}: {why}"));
    let mut pipe = child.stdin.take().unwrap();
    // Whoever ends at once reads nothing; what it says then is told below.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
}
