//! Commands in a shell: whether one may run (`guard`), what it can reach (`sandbox`), running it (`run`),
//! and that nothing of it stays behind (`keeper`). What runs by itself, and what people are shown of it, is
//! `task`'s.

pub(crate) mod guard;
pub(crate) mod keeper;
pub(crate) mod output;
pub(crate) mod run;
pub mod sandbox;

use std::ffi::{OsStr, OsString};

/// This program's part in a command that is started through it: `keep -- command…` or `hold -- command…`,
/// as `run` and `keeper` word it. With the exit code.
pub fn begin(words: &[OsString]) -> i32 {
    let part = words.first().and_then(|part| part.to_str());
    let command = words.get(2..).unwrap_or_default();
    match (part, words.get(1).map(OsString::as_os_str)) {
        (Some("keep"), Some(mark)) if mark == OsStr::new("--") => keeper::keep(command),
        _ => sandbox::hold(command),
    }
}
