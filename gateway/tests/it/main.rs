//! Integration tests of the gateway, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    clippy::format_collect,
    reason = "tests, and helpers of theirs"
)]

mod crash;
mod deliver;
mod feishu_wire;
mod files;
mod flood;
mod inbound;
mod kept;
mod open_choices;
mod pair;
mod served;
mod stage;
mod visitor;
mod web;
mod web_away;
mod web_disk;
mod web_door;
mod web_files;
mod web_page;
