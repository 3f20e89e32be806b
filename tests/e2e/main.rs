//! Whole binaries, from outside: what a person sees in the chat or on the page, what the model was
//! asked, what is on the disk. One file per promise. Every neighbour is real (`nats-server`,
//! `claude`, Chromium) or speaks the real protocol (Feishu, the model's API).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::print_stderr,
    reason = "a test that cannot go on fails; what it measured is said"
)]

mod audit;
mod commands;
mod crash;
mod crash_points;
mod crowd;
mod disk;
mod docs;
mod enrol;
mod fan;
mod files;
mod isolation;
mod links;
mod mailboy;
mod off;
mod page;
mod pairs;
mod poison;
mod processes;
mod prompts;
mod refusals;
mod remind;
mod repeats;
mod separate;
mod sessions;
mod shell;
mod shutdown;
#[cfg(target_os = "linux")]
mod sites;
mod transport;
mod wire;
mod world;
