//! Tests of the harness itself: each stand-in and each real part it starts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers"
)]

mod browser;
mod claude;
mod disk;
mod feishu;
mod model;
mod process;
mod proxy;
