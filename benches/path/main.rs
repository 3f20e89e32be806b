//! What the path costs: from a chat event to the line on the agent's input, and from the agent's
//! last word to the chat platform, with everything written down on the way; and what memory each
//! process holds. Run with `make bench`.
//!
//! Beside it, in the same run, over the same broker, accounts and consumers: the least that two
//! durable hand-overs cost, a bare publish, pull, publish, pull (`floor`), and what a flush of this
//! disk takes, which no broker does for us. The agent is a stand-in
//! (`agent`) that notes when it was spoken to, because the real one cannot be asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for developers, which may end with a panic and prints its tables"
)]

mod agent;
mod floor;
mod site;

use std::time::Duration;

use site::{Site, Standalone};

/// Rounds of one message for each person, by how many people speak at the same instant.
const CROWDS: [(usize, usize); 3] = [(1, 200), (10, 40), (100, 10)];
/// Flushes of the disk that are measured.
const FLUSHES: usize = 100;
/// Turns after which memory is read again.
const TURNS: usize = 1_000;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == agent::FLAG) {
        agent::run(&args);
        return;
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(bench());
}

async fn bench() {
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    println!("\n{profile} build, real broker, streams on disk. Times in ms.");
    let mut site = Site::start().await;
    let mut floors = Vec::new();
    for (people, rounds) in CROWDS {
        floors.push(floor::measure(&site, people, rounds).await);
    }
    let flushes = floor::flushes(&site.creds("gateway"), FLUSHES).await;
    site.run().await;
    let idle = site.memory();
    println!(
        "\n{:<26} {:>8} {:>8}   {:>8} {:>8}   {:>7} {:>7}",
        "chat event → agent", "floor50", "floor99", "p50", "p99", "p50 ×", "p99 ×"
    );
    let mut turns = 0;
    let mut backs = Vec::new();
    for ((people, rounds), floor) in CROWDS.into_iter().zip(&floors) {
        let (there, back) = site.rounds(people, rounds).await;
        turns += there.len();
        let (f50, f99) = (at(floor, 50), at(floor, 99));
        let (p50, p99) = (at(&there, 50), at(&there, 99));
        println!(
            "{:<26} {f50:>8.2} {f99:>8.2}   {p50:>8.2} {p99:>8.2}   {:>7.2} {:>7.2}",
            format!("{people} at once, {} turns", there.len()),
            p50 / f50,
            p99 / f99
        );
        backs.push((people, back));
    }
    println!(
        "{:<26} {:>8.2} {:>8.2}   (a host waits for two of them; the floor for none)",
        "one flush of this disk",
        at(&flushes, 50),
        at(&flushes, 99)
    );
    println!("\n{:<26} {:>8} {:>8}", "last word → platform", "p50", "p99");
    for (people, back) in &backs {
        println!(
            "{:<26} {:>8.2} {:>8.2}",
            format!("{people} at once"),
            at(back, 50),
            at(back, 99)
        );
    }
    while turns < TURNS {
        turns += site.rounds(10, 5).await.0.len();
    }
    let after = site.memory();
    site.end();
    let standalone = Standalone::start().await;
    let alone = standalone.memory();
    standalone.end();
    println!(
        "\n{:<26} {:>10} {:>22}",
        "resident memory, MB",
        "idle",
        format!("after {turns} turns")
    );
    for ((name, before), (_, after)) in idle.iter().zip(&after) {
        println!("{name:<26} {before:>10.1} {after:>22.1}");
    }
    for (name, rss) in alone {
        println!("{name:<26} {rss:>10.1}");
    }
    println!();
}

/// The value below which `percent` of the times lie, in ms.
fn at(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let index = (sorted.len() * percent / 100).min(sorted.len() - 1);
    sorted[index].as_secs_f64() * 1000.0
}
