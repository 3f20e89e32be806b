//! What the router remembers of people (`person`), kept in the bucket PW_USERS; the router is its only writer.

mod person;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::{Store, UpdateErrorKind};
use chrono::Utc;
use common::ids::UserId;
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(crate) use person::{Route, Routed, Settled, User};

use crate::notices::Uses;

/// People kept in memory. At the bound all are dropped and read again when they come.
const CACHED: usize = 10_000;
const PAUSE: Duration = Duration::from_millis(300);

/// Stopped before the broker answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Handle. Cheap to clone. One person's acts are handled one after the other, so nobody else
/// changes a person's entry between [`Users::get`] and [`Users::put`]. An entry is replaced only by
/// whoever knows its newest state: what a router that no longer leads had sent into a dead line
/// arrives late and is refused.
#[derive(Debug, Clone)]
pub(crate) struct Users {
    store: Store,
    /// What is remembered, and its revision in the bucket.
    cache: Arc<Mutex<HashMap<UserId, (User, u64)>>>,
    uses: Uses,
    cancel: CancellationToken,
}

impl Users {
    pub(crate) fn new(store: Store, uses: Uses, cancel: CancellationToken) -> Self {
        Self {
            store,
            cache: Arc::default(),
            uses,
            cancel,
        }
    }

    /// What is known of a person. Waits for the broker where it must.
    pub(crate) async fn get(&self, user: &UserId) -> Result<User, Stopped> {
        let cached = self.lock().get(user).cloned();
        if let Some((found, _)) = cached {
            return Ok(found);
        }
        let (found, revision) = self.read(user).await?;
        self.remember(user, &found, revision);
        Ok(found)
    }

    /// The same for somebody who looks beside the person's acts, and changes nothing. What is read
    /// here is not remembered: an act may have changed it meanwhile.
    pub(crate) async fn peek(&self, user: &UserId) -> Result<User, Stopped> {
        let cached = self.lock().get(user).cloned();
        match cached {
            Some((found, _)) => Ok(found),
            None => Ok(self.read(user).await?.0),
        }
    }

    async fn read(&self, user: &UserId) -> Result<(User, u64), Stopped> {
        loop {
            match self.store.entry(user.to_string()).await {
                Ok(None) => return Ok((User::default(), 0)),
                Ok(Some(entry)) => match serde_json::from_slice(&entry.value) {
                    Ok(found) => return Ok((found, entry.revision)),
                    Err(why) => {
                        warn!(%user, %why, "what is remembered of them cannot be read; begun anew");
                        return Ok((User::default(), entry.revision));
                    }
                },
                Err(why) => self.wait(user, &why).await?,
            }
        }
    }

    /// Keeps what is known of a person; returns when the broker has it.
    pub(crate) async fn put(&self, user: &UserId, value: &User) -> Result<(), Stopped> {
        let (key, text) = (
            user.to_string(),
            serde_json::to_vec(value).unwrap_or_default(),
        );
        let known = self.lock().get(user).map(|(_, revision)| *revision);
        let mut revision = match known {
            Some(revision) => revision,
            None => self.read(user).await?.1,
        };
        let stored = loop {
            match self.store.update(&key, text.clone().into(), revision).await {
                Ok(stored) => break stored,
                // Our own, whose confirmation was lost, or the last word of a router before us, on
                // which ours does not depend: its act came to us again.
                Err(why) if why.kind() == UpdateErrorKind::WrongLastRevision => {
                    revision = self.read(user).await?.1;
                }
                Err(why) => self.wait(user, &why).await?,
            }
        };
        self.remember(user, value, stored);
        self.uses.learn(user, value, Utc::now());
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

    fn remember(&self, user: &UserId, value: &User, revision: u64) {
        let mut cache = self.lock();
        if cache.len() >= CACHED && !cache.contains_key(user) {
            cache.clear();
        }
        cache.insert(user.clone(), (value.clone(), revision));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<UserId, (User, u64)>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
