//! The router against a real broker, with its real accounts and permissions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod chooser;
mod choosing;
mod dead;
mod dispatching;
mod enrol;
mod fan;
mod limits;
mod node;
mod notices;
mod presence;
mod provisioning;
mod remind;
mod repeats;
mod room;
mod running;
mod waiting;
mod world;
