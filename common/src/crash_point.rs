//! Crash points: named places between two durable steps, where a test can let the process die.
//!
//! Only with the feature `failpoints`, which tests turn on and nothing else does: there
//! `PHONEWORK_CRASH_AT=name` (or `name@3`: the third time) kills the process with SIGKILL at the
//! place of that name. Without it `crash_point!` is a check of its name by the compiler and no code.
//! What is on disk at each place, and why nothing is lost or doubled there, stands in
//! `ARCHITECTURE.md`; who dies where, and what must be seen then, in `tests/e2e/crash_points.rs`.

/// Every crash point there is, in the order of a message's way. Each stands at one place in the code.
pub const NAMES: &[&str] = &[
    // The way in.
    "gateway.act.received",
    "gateway.act.stored",
    "gateway.tap.kept",
    "gateway.tap.stored",
    "gateway.page.act.stored",
    "router.act.read",
    "router.choice.kept",
    "router.route.heard",
    "router.route.kept",
    "router.work.stored",
    "router.reply.stored",
    "router.waiting.told",
    "router.waiting.taken",
    "router.waiting.claimed",
    "router.waiting.out",
    "router.waiting.placed",
    "router.waiting.settled",
    "router.fan.kept",
    "router.turn.kept",
    "router.remind.kept",
    "router.remind.came",
    "broker.dead.stored",
    "router.dead.handed",
    "router.dead.settled",
    "broker.lease.taken",
    "broker.floor.kept",
    "host.work.read",
    "host.work.kept",
    // On the node.
    "host.desk.takes",
    "host.session.made",
    "host.queue.kept",
    "host.turn.started",
    "host.agent.spawned",
    "host.agent.kept",
    "host.agent.line.written",
    "host.agent.heard",
    "host.question.heard",
    "host.question.kept",
    "host.answer.kept",
    "host.fold.kept",
    "host.fold.taken",
    "host.stop.kept",
    "host.close.begun",
    "host.close.ended",
    "host.close.kept",
    "host.result.heard",
    "host.result.kept",
    "host.exit.heard",
    "host.exit.kept",
    "host.found.asked",
    "host.found.offered",
    "host.mail.begun",
    "host.mail.tool",
    "host.mail.kept",
    "host.confirm.kept",
    "host.task.kept",
    "host.task.over",
    "host.parcel.kept",
    // The way out.
    "host.outbox.read",
    "host.outbox.stored",
    "gateway.shown.read",
    "gateway.shown.created",
    "gateway.shown.part",
    "gateway.shown.edited",
    "gateway.shown.rung",
    "gateway.shown.kept",
    "gateway.page.writing",
    "gateway.page.written",
];

/// Whether `name` is in [`NAMES`]; for the compiler.
pub const fn is_listed(name: &str) -> bool {
    let mut at = 0;
    while at < NAMES.len() {
        #[expect(clippy::indexing_slicing, reason = "bounded by the line above; const")]
        if same(NAMES[at].as_bytes(), name.as_bytes()) {
            return true;
        }
        at += 1;
    }
    false
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        #[expect(clippy::indexing_slicing, reason = "both are as long; const")]
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Lets the process die here if a test said so. The name is one of
/// [`NAMES`](crate::crash_point::NAMES); any other does not compile.
#[cfg(feature = "failpoints")]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {{
        const { assert!($crate::crash_point::is_listed($name)) };
        $crate::crash_point::pass($name);
    }};
}

/// Nothing: this is no build for tests. The name is one of [`NAMES`](crate::crash_point::NAMES);
/// any other does not compile.
#[cfg(not(feature = "failpoints"))]
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        const { assert!($crate::crash_point::is_listed($name)) }
    };
}

#[cfg(feature = "failpoints")]
pub use armed::{VARIABLE, pass};

#[cfg(feature = "failpoints")]
mod armed {
    use std::io::Write as _;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The environment variable that says where to die.
    pub const VARIABLE: &str = "PHONEWORK_CRASH_AT";

    /// Where to die, and how often to pass there before; none in a process that may live.
    struct Armed {
        name: String,
        left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    /// Passes a crash point, or dies there: by SIGKILL, so that nothing more is done or written.
    pub fn pass(name: &str) {
        let Some(armed) = ARMED.get_or_init(read) else {
            return;
        };
        // Several tasks may pass at the same time: one of them takes the last step.
        if armed.name == name && armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            say(&format!("dies at {name}"));
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            );
            std::process::abort();
        }
    }

    fn read() -> Option<Armed> {
        let wish = std::env::var(VARIABLE)
            .ok()
            .filter(|wish| !wish.is_empty())?;
        let (name, times) = wish.split_once('@').unwrap_or((&wish, "1"));
        match times.parse() {
            Ok(left) if left > 0 && super::is_listed(name) => Some(Armed {
                name: name.to_owned(),
                left: AtomicU64::new(left),
            }),
            // A test that means nothing must not pass for one that means something.
            _ => {
                say(&format!("{VARIABLE} names no crash point: {wish}"));
                std::process::abort()
            }
        }
    }

    /// Past the log, which may be gathered by somebody who is about to die as well.
    fn say(what: &str) {
        let _ = writeln!(std::io::stderr(), "{what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for (at, name) in NAMES.iter().enumerate() {
            assert!(is_listed(name));
            assert!(!NAMES[..at].contains(name), "{name} is listed twice");
            let plain = name.bytes().all(|b| b == b'.' || b.is_ascii_lowercase());
            assert!(plain && name.contains('.'), "{name}");
        }
        for other in ["", "host", "host.work", "host.work.reads", "host.work.kepd"] {
            assert!(!is_listed(other), "{other}");
        }
    }
}
