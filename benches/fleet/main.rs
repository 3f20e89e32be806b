//! What a hub carries: so many nodes with connections, identities and consumers of their own, and the
//! people that the router knows; what hub and router hold and use as the fleet grows, how long a
//! message takes to its node, and how long all take to come back. Run with `make bench`, a larger
//! one with `FLEET=100,1000,5000 make fleet`; `docs/scale.md` says what came of it.
//!
//! Broker and router are the real programs. The nodes are one process with us (`node` says what they
//! leave out), so on a small machine they take processor time from what is measured: theirs is shown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for developers, which may end with a panic and prints its tables"
)]

mod hub;
mod node;
mod people;
mod stage;
mod table;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How large, how long.
#[derive(Debug, Clone)]
struct Size {
    /// Nodes, one fleet after the other.
    fleets: Vec<usize>,
    /// People whose records the router has.
    users: usize,
    /// Messages in a second.
    rates: Vec<u32>,
    /// How long each rate, and doing nothing, is watched, in seconds.
    seconds: u64,
}

fn main() {
    let number = |name: &str, default: u64| {
        let text = std::env::var(name).unwrap_or_default();
        match text.as_str() {
            "" => default,
            text => text
                .parse()
                .unwrap_or_else(|_| panic!("{name}={text}: a number, please")),
        }
    };
    let list = |name: &str, default: &str| -> Vec<u64> {
        let text = std::env::var(name).unwrap_or_default();
        let text = if text.is_empty() {
            default.to_owned()
        } else {
            text
        };
        let read = |part: &str| part.trim().parse().ok();
        let all: Option<Vec<u64>> = text.split(',').map(read).collect();
        all.unwrap_or_else(|| panic!("{name}={text}: numbers with commas between, please"))
    };
    let size = Size {
        fleets: list("FLEET", "100").iter().map(|&n| n as usize).collect(),
        users: number("FLEET_USERS", 100_000) as usize,
        rates: list("FLEET_RATES", "50,200")
            .iter()
            .map(|&n| n as u32)
            .collect(),
        seconds: number("FLEET_SECONDS", 6),
    };
    let most = size.fleets.iter().copied().max().unwrap_or_default();
    room_for(most);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(bench(&size));
}

/// A connection each, here and in the broker, which has files besides.
fn room_for(nodes: usize) {
    let wanted = nodes as u64 * 2 + 512;
    let mut limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(
        wanted <= most,
        "{nodes} nodes need {wanted} open files and {most} are allowed: `ulimit -Hn {wanted}` as root, or fewer nodes"
    );
    limit.current = Some(most);
    setrlimit(Resource::Nofile, Rlimit { ..limit }).expect("more open files");
}

async fn bench(size: &Size) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "\nfleet: {cores} cores, load before {}; {} people known, {} s for each rate.",
        load.join(" "),
        size.users,
        size.seconds
    );
    let mut rows = Vec::new();
    for &nodes in &size.fleets {
        rows.push(Box::pin(stage::play(nodes, size)).await);
    }
    table::print(&rows);
}
