//! What the router remembers of a person: the active node, the language, and which of their
//! waiting messages have been decided. Kept in the bucket PW_USERS; the router is its only writer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use common::ids::{NodeId, UserId};
use common::lang::Lang;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// People kept in memory. At the bound all are dropped and read again when they come.
const CACHED: usize = 10_000;
/// Decisions remembered per person; an older one is forgotten. Its card has long lost its buttons.
const DECIDED: usize = 64;
const PAUSE: Duration = Duration::from_millis(300);

/// What is remembered of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// The node that gets what they send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) active: Option<NodeId>,
    /// Their language, as their platform last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lang: Option<Lang>,
    /// Messages that waited for a choice, by place in the stream, and where they went.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    decided: VecDeque<(u64, NodeId)>,
}

impl User {
    /// Where the waiting message went, if that has been decided.
    pub(crate) fn decided(&self, sequence: u64) -> Option<&NodeId> {
        self.decided
            .iter()
            .find(|(of, _)| *of == sequence)
            .map(|(_, node)| node)
    }

    /// Remembers where the waiting message goes.
    pub(crate) fn decide(&mut self, sequence: u64, node: NodeId) {
        if self.decided.len() >= DECIDED {
            self.decided.pop_front();
        }
        self.decided.push_back((sequence, node));
    }
}

/// Stopped before the broker answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Handle. Cheap to clone. One person's acts are handled one after the other, so nobody else
/// changes a person's entry between [`Users::get`] and [`Users::put`].
#[derive(Debug, Clone)]
pub(crate) struct Users {
    store: Store,
    cache: Arc<Mutex<HashMap<UserId, User>>>,
    cancel: CancellationToken,
}

impl Users {
    pub(crate) fn new(store: Store, cancel: CancellationToken) -> Self {
        Self {
            store,
            cache: Arc::default(),
            cancel,
        }
    }

    /// What is known of a person. Waits for the broker where it must.
    pub(crate) async fn get(&self, user: &UserId) -> Result<User, Stopped> {
        let cached = self.lock().get(user).cloned();
        if let Some(found) = cached {
            return Ok(found);
        }
        let found = loop {
            match self.store.get(user.to_string()).await {
                Ok(None) => break User::default(),
                Ok(Some(value)) => match serde_json::from_slice(&value) {
                    Ok(found) => break found,
                    Err(why) => {
                        warn!(%user, %why, "what is remembered of them cannot be read; begun anew");
                        break User::default();
                    }
                },
                Err(why) => self.wait(user, &why).await?,
            }
        };
        self.remember(user, &found);
        Ok(found)
    }

    /// Keeps what is known of a person; returns when the broker has it.
    pub(crate) async fn put(&self, user: &UserId, value: &User) -> Result<(), Stopped> {
        let text = serde_json::to_vec(value).unwrap_or_default();
        loop {
            match self.store.put(user.to_string(), text.clone().into()).await {
                Ok(_) => break,
                Err(why) => self.wait(user, &why).await?,
            }
        }
        self.remember(user, value);
        Ok(())
    }

    async fn wait(
        &self,
        user: &UserId,
        why: &(dyn std::error::Error + Sync),
    ) -> Result<(), Stopped> {
        warn!(%user, %why, "what is remembered of them cannot be reached; again");
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => Ok(()),
            () = self.cancel.cancelled() => Err(Stopped),
        }
    }

    fn remember(&self, user: &UserId, value: &User) {
        let mut cache = self.lock();
        if cache.len() >= CACHED && !cache.contains_key(user) {
            cache.clear();
        }
        cache.insert(user.clone(), value.clone());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<UserId, User>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_remembered_up_to_a_bound() {
        let node: NodeId = "pc".parse().unwrap();
        let mut user = User::default();
        for sequence in 0..100 {
            user.decide(sequence, node.clone());
        }
        assert_eq!(user.decided(99), Some(&node));
        assert_eq!(user.decided(35), None);
        assert_eq!(user.decided(36), Some(&node));
        // A full entry fits the bucket's largest value with ease.
        let longest = NodeId::try_from("x".repeat(32)).unwrap();
        for _ in 0..DECIDED {
            user.decide(u64::MAX, longest.clone());
        }
        let bytes = serde_json::to_vec(&user).unwrap().len();
        assert!(
            bytes < usize::try_from(crate::provision::MAX_VALUE).unwrap() / 4,
            "{bytes}"
        );
    }
}
