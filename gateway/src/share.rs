//! How much of what is in hand may be one person's: a flood from one slows only that one.
//!
//! Pure bookkeeping in bytes of memory. What becomes of an act over the share is the surface's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::ids::UserId;

/// Each act costs this besides its own size: a task, a place in line, its message.
const OVERHEAD: usize = 4 << 10;

/// What is in hand, by person. Cheap to clone; all clones count together.
#[derive(Debug, Clone)]
pub struct Shares {
    most: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of: HashMap<UserId, usize>,
}

/// An act in hand; gives its room back when dropped.
#[derive(Debug)]
pub struct Share {
    shares: Shares,
    user: UserId,
    size: usize,
}

impl Shares {
    /// Room for `most` bytes.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            held: Arc::default(),
        }
    }

    /// Takes an act of `bytes` in hand, unless its person would then hold more than is left for all
    /// others. So one person alone gets half of the room, two a third each, and however many flood
    /// us, there is as much left as each of them has. Somebody with nothing in hand is refused only
    /// when there is no room at all.
    pub fn take(&self, user: &UserId, bytes: usize) -> Option<Share> {
        let size = bytes.saturating_add(OVERHEAD);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = held.of.get(user).copied().unwrap_or(0);
        let left = self.most.checked_sub(held.all.checked_add(size)?)?;
        if mine > 0 && mine.saturating_add(size) > left {
            return None;
        }
        held.all += size;
        *held.of.entry(user.clone()).or_default() += size;
        Some(Share {
            shares: self.clone(),
            user: user.clone(),
            size,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let held = &mut *self
            .shares
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.all -= self.size;
        if let Some(mine) = held.of.get_mut(&self.user) {
            *mine -= self.size;
            if *mine == 0 {
                held.of.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: usize) -> UserId {
        format!("ou_{n}").parse().unwrap()
    }

    fn flood(shares: &Shares, n: usize) -> Vec<Share> {
        std::iter::from_fn(|| shares.take(&user(n), 0)).collect()
    }

    #[test]
    fn one_flood_leaves_half_and_each_further_one_as_much_as_it_has_itself() {
        let shares = Shares::new(OVERHEAD * 1000);
        let first = flood(&shares, 1);
        assert_eq!(first.len(), 500);
        let second = flood(&shares, 2);
        assert_eq!(second.len(), 250);
        assert!(shares.take(&user(3), 0).is_some());
        drop((first, second));
        assert_eq!(flood(&shares, 1).len(), 500, "all of it came back");
        assert!(shares.held.lock().unwrap().of.is_empty());
    }

    #[test]
    fn large_acts_count_by_their_size() {
        let shares = Shares::new(1 << 20);
        let large: Vec<_> = std::iter::from_fn(|| shares.take(&user(1), 150_000)).collect();
        assert_eq!(large.len(), 3);
        assert!(shares.take(&user(2), 150_000).is_some());
        assert!(shares.take(&user(3), 2 << 20).is_none());
    }
}
