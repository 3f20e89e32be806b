//! Who may use the bot at all.
//!
//! What a person may do once they are in (their own sessions, the nodes that serve them) is
//! decided by those who carry it out.

use std::collections::HashSet;
use std::time::Duration;

use common::ids::{Surface, UserId};
use moka::sync::Cache;

/// A refused person is told once within this time, so that nobody can make us write to a chat as
/// often as they like.
const TELL_EVERY: Duration = Duration::from_secs(3600);
/// Refused persons remembered. Beyond it the longest unseen are forgotten and would be told again.
const REMEMBERED: u64 = 10_000;

/// What becomes of a person's act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Let in.
    Admitted,
    /// Refused; tell them, politely, once.
    Refused,
    /// Refused, and they were told within the last hour: say nothing.
    RefusedAgain,
}

/// The allowlist and who was refused lately. Cheap to clone; all clones share the memory.
#[derive(Debug, Clone)]
pub struct Admission {
    allowed: std::sync::Arc<HashSet<UserId>>,
    told: Cache<UserId, ()>,
}

impl Admission {
    /// Lets in `allowed`; everybody if it is empty.
    pub fn new(allowed: impl IntoIterator<Item = UserId>) -> Self {
        Self {
            allowed: std::sync::Arc::new(allowed.into_iter().collect()),
            told: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(TELL_EVERY)
                .build(),
        }
    }

    /// Whether anybody at all is let in, for the start-up log.
    pub fn is_open(&self) -> bool {
        self.allowed.is_empty()
    }

    /// Judges one act of `user`.
    pub fn judge(&self, user: &UserId) -> Verdict {
        if self.lets_in(user) {
            return Verdict::Admitted;
        }
        // Two acts at once must not both be answered: only the one that makes the entry tells. The
        // cache lets one at a time make it; its plain `or_insert` looks first and writes then.
        if self
            .told
            .entry_by_ref(user)
            .or_insert_with(|| ())
            .is_fresh()
        {
            Verdict::Refused
        } else {
            Verdict::RefusedAgain
        }
    }

    fn lets_in(&self, user: &UserId) -> bool {
        match user.surface() {
            // The list names people of the chat platform. Whoever is logged in on the page has
            // held the link that only the owner of this machine can read.
            Surface::Web => true,
            Surface::Feishu => self.allowed.is_empty() || self.allowed.contains(user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> UserId {
        text.parse().unwrap()
    }

    #[test]
    fn an_empty_list_lets_everybody_in() {
        assert_eq!(Admission::new([]).judge(&user("ou_1")), Verdict::Admitted);
    }

    #[test]
    fn strangers_are_told_once() {
        let admission = Admission::new([user("ou_1")]);
        assert_eq!(admission.judge(&user("ou_1")), Verdict::Admitted);
        assert_eq!(admission.judge(&user("ou_2")), Verdict::Refused);
        assert_eq!(
            admission.clone().judge(&user("ou_2")),
            Verdict::RefusedAgain
        );
        assert_eq!(admission.judge(&user("ou_3")), Verdict::Refused);
        assert_eq!(admission.judge(&user("web/owner")), Verdict::Admitted);
    }

    #[test]
    fn many_acts_at_once_are_answered_once() {
        for round in 0..200 {
            let admission = Admission::new([user("ou_1")]);
            let stranger = user(&format!("ou_x{round}"));
            let start = std::sync::Barrier::new(4);
            let told = std::thread::scope(|scope| {
                let judge = || {
                    start.wait();
                    admission.judge(&stranger) == Verdict::Refused
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(judge)).collect();
                threads
                    .into_iter()
                    .filter_map(|thread| thread.join().ok())
                    .filter(|told| *told)
                    .count()
            });
            assert_eq!(told, 1, "round {round}");
        }
    }
}
