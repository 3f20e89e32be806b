//! The harness of the tests: real parts started for one test and gone with it, and stand-ins for
//! what cannot be had in a test. What is tested, and what must hold, is left to the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test harness"
)]

pub mod http;
pub mod model;
