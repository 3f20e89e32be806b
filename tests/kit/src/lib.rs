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

pub mod browser;
pub mod claude;
pub mod disk;
pub mod feishu;
pub mod http;
pub mod llm;
pub mod metaso;
pub mod model;
pub mod nats;
pub mod page;
pub mod process;
pub mod proxy;
pub mod usage;

/// The root of the workspace, where `.deps` is.
pub fn workspace() -> std::path::PathBuf {
    let kit = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    kit.ancestors()
        .nth(2)
        .expect("two folders above the harness")
        .to_owned()
}

/// A lock that a failed assertion elsewhere cannot poison for us.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
