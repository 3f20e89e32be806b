//! What was shown on a platform that cannot be asked: for each card its messages and revision, for
//! each notice that it was sent.
//!
//! Kept in a key-value bucket of the broker, so that it survives us and is shared by all instances
//! of a surface. The gateway's account owns no streams; it reaches the bucket through two imported
//! services: a direct read of the newest value, and a publish. What to do with what is written here
//! is the surface's.

use std::time::Duration;

use async_nats::StatusCode;
use common::broker::{Broker, IMPORTED_API, PublishError};
use common::ids::{CardId, MessageId, Surface};
use common::stream;
use moka::sync::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Entries kept in memory; any other is read from the bucket again.
const CACHED: u64 = 10_000;
const TRY: Duration = Duration::from_secs(5);

/// One message of the platform that shows a part of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The platform's id; empty if it confirmed the message without naming it.
    pub id: String,
    /// Whether it is a card, which can be edited; else a post or text that can not.
    pub card: bool,
}

impl Part {
    /// Whether it can be edited: a card whose id is known.
    pub fn is_editable(&self) -> bool {
        self.card && !self.id.is_empty()
    }
}

/// What is known of one card.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CardEntry {
    /// The revision shown whole; none while the first is on its way.
    pub rev: Option<u32>,
    /// Its messages, in order.
    pub parts: Vec<Part>,
}

/// What is known of one notice: that it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEntry {
    /// The platform's id, where it named one.
    pub id: String,
}

/// The ledger cannot be read or written now. Repeating is safe.
#[derive(Debug, thiserror::Error)]
#[error("the record of what was shown cannot be {doing}: {why}")]
pub struct LedgerError {
    doing: &'static str,
    why: String,
}

/// An entry in memory.
#[derive(Debug, Clone)]
struct Held<T> {
    entry: T,
    /// Whether the bucket has it.
    saved: bool,
}

/// The ledger of one surface. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    broker: Broker,
    bucket: String,
    cards: Cache<CardId, Held<CardEntry>>,
    notices: Cache<MessageId, Held<NoticeEntry>>,
}

impl Ledger {
    /// The ledger of `surface`; the bucket is made by the router.
    pub fn new(broker: Broker, surface: Surface) -> Self {
        Self {
            broker,
            bucket: stream::kv_gate(surface),
            cards: Cache::new(CACHED),
            notices: Cache::new(CACHED),
        }
    }

    /// What is known of a card, by the bucket: another instance may have shown it. What we could
    /// not write yet is written first.
    pub async fn card(&self, card: CardId) -> Result<CardEntry, LedgerError> {
        if let Some(held) = self.cards.get(&card).filter(|held| !held.saved) {
            self.set_card(card, held.entry.clone()).await?;
            return Ok(held.entry);
        }
        let found: Option<CardEntry> = self.read(&card_key(card)).await?;
        if let Some(entry) = &found {
            let (entry, saved) = (entry.clone(), true);
            self.cards.insert(card, Held { entry, saved });
        }
        Ok(found.unwrap_or_default())
    }

    /// What is known of a card, by memory where it has it: good enough for a preview.
    pub async fn recall(&self, card: CardId) -> Result<CardEntry, LedgerError> {
        match self.cards.get(&card) {
            Some(held) => Ok(held.entry),
            None => self.card(card).await,
        }
    }

    /// Writes down what is known of a card. On an error memory knows it, and [`Ledger::card`]
    /// writes it before anything else happens to the card: what is shown is never shown again
    /// because the bucket was away for a while.
    pub async fn set_card(&self, card: CardId, entry: CardEntry) -> Result<(), LedgerError> {
        let held = |saved| Held {
            entry: entry.clone(),
            saved,
        };
        self.cards.insert(card, held(false));
        self.write(&card_key(card), &entry).await?;
        self.cards.insert(card, held(true));
        Ok(())
    }

    /// Whether a notice was sent; as [`Ledger::card`].
    pub async fn notice(&self, outbound: MessageId) -> Result<Option<NoticeEntry>, LedgerError> {
        match self.notices.get(&outbound) {
            Some(held) => {
                if !held.saved {
                    self.set_notice(outbound, held.entry.clone()).await?;
                }
                Ok(Some(held.entry))
            }
            None => self.read(&notice_key(outbound)).await,
        }
    }

    /// Writes down that a notice was sent; as [`Ledger::set_card`].
    pub async fn set_notice(
        &self,
        outbound: MessageId,
        entry: NoticeEntry,
    ) -> Result<(), LedgerError> {
        let held = |saved| Held {
            entry: entry.clone(),
            saved,
        };
        self.notices.insert(outbound, held(false));
        self.write(&notice_key(outbound), &entry).await?;
        self.notices.insert(outbound, held(true));
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LedgerError> {
        let error = |why: String| LedgerError { doing: "read", why };
        let subject = format!(
            "{IMPORTED_API}.DIRECT.GET.KV_{0}.$KV.{0}.{key}",
            self.bucket
        );
        let request = self.broker.client().request(subject, bytes::Bytes::new());
        let answer = tokio::time::timeout(TRY, request)
            .await
            .map_err(|_| error("no answer in time".into()))?
            .map_err(|why| error(why.to_string()))?;
        match answer.status {
            Some(StatusCode::NOT_FOUND) => return Ok(None),
            Some(status) if !status.is_success() => {
                return Err(error(format!("the broker answered {status}")));
            }
            Some(_) | None => {}
        }
        match serde_json::from_slice(&answer.payload) {
            Ok(entry) => Ok(Some(entry)),
            // Waiting would not mend it and would hold up everything behind it.
            Err(why) => {
                tracing::error!(key, %why, "an entry of what was shown is damaged; going on as if nothing was");
                Ok(None)
            }
        }
    }

    async fn write<T: Serialize>(&self, key: &str, entry: &T) -> Result<(), LedgerError> {
        let error = |why: String| LedgerError {
            doing: "written",
            why,
        };
        let payload = serde_json::to_vec(entry).map_err(|why| error(why.to_string()))?;
        let subject = format!("$KV.{}.{key}", self.bucket);
        // An id of its own: this write may be repeated by ourselves, but is no repeat of another.
        let id = MessageId::new().to_string();
        self.broker
            .publish(&subject, &id, "", payload)
            .await
            .map(drop)
            .map_err(|why| match why {
                PublishError::Full(why) | PublishError::Unsure(why) => error(why),
            })
    }
}

fn card_key(card: CardId) -> String {
    format!("card.{card}")
}

fn notice_key(outbound: MessageId) -> String {
    format!("notice.{outbound}")
}
