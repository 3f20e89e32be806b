//! Who may have a live agent process. A process costs 150 to 200 MB, so there is a cap per node;
//! at the cap the least recently used idle one is asked to make room, and the newcomer waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use common::ids::SessionId;
use tokio::sync::{Notify, watch};

#[derive(Debug)]
struct Holder {
    session: SessionId,
    idle: bool,
    used: Instant,
    asked: watch::Sender<bool>,
}

/// The slots of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slots {
    max: usize,
    holders: Arc<Mutex<Vec<Holder>>>,
    freed: Arc<Notify>,
}

/// The right to a live process; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    session: SessionId,
    slots: Slots,
    asked: watch::Receiver<bool>,
}

impl Slots {
    /// At most `max` live processes, at least one.
    pub fn new(max: usize) -> Self {
        Self {
            max: max.max(1),
            holders: Arc::default(),
            freed: Arc::default(),
        }
    }

    /// Takes a slot if one is free. If not, the least recently used idle holder is asked to leave;
    /// wait for [`Self::freed`] and try again.
    pub fn take(&self, session: SessionId) -> Option<Slot> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if holders.len() >= self.max {
            if let Some(oldest) = holders
                .iter()
                .filter(|holder| holder.idle)
                .min_by_key(|holder| holder.used)
            {
                oldest.asked.send_replace(true);
            }
            return None;
        }
        let (asked, told) = watch::channel(false);
        holders.push(Holder {
            session,
            idle: false,
            used: Instant::now(),
            asked,
        });
        Some(Slot {
            session,
            slots: self.clone(),
            asked: told,
        })
    }

    /// Resolves when a slot may have become free. Holders also become idle without a word, so look
    /// again after a while in any case.
    pub async fn freed(&self) {
        let _ =
            tokio::time::timeout(std::time::Duration::from_secs(2), self.freed.notified()).await;
    }
}

impl Slot {
    /// Says whether the process works.
    pub fn set_idle(&self, idle: bool) {
        let mut holders = self
            .slots
            .holders
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(holder) = holders
            .iter_mut()
            .find(|holder| holder.session == self.session)
        {
            holder.idle = idle;
            holder.used = Instant::now();
        }
    }

    /// Resolves when another session needs the slot.
    pub async fn wanted(&mut self) {
        if self.asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots
            .holders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|holder| holder.session != self.session);
        self.slots.freed.notify_waiters();
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_idle_one_makes_room() {
        let slots = Slots::new(2);
        let (a, b, c) = (SessionId::new(), SessionId::new(), SessionId::new());
        let mut first = slots.take(a).unwrap();
        let second = slots.take(b).unwrap();
        assert!(slots.take(c).is_none(), "both work, nobody is asked");
        assert!(!*first.asked.borrow());
        second.set_idle(false);
        first.set_idle(true);
        assert!(slots.take(c).is_none());
        first.wanted().await;
        drop(first);
        assert!(slots.take(c).is_some());
    }
}
