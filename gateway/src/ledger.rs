//! What was shown on a platform that cannot be asked: for each card its messages and revision, for
//! each notice that it was sent.
//!
//! Kept in a key-value bucket of the broker, so that it survives us and is shared by all instances
//! of a surface. The gateway's account owns no streams; it reaches the bucket through two imported
//! services: a direct read of the newest value, and a publish. An entry is replaced only by whoever
//! has seen its newest state: what an instance that no longer leads had sent into a dead line
//! arrives late and is refused. What to do with what is written here is the surface's.

use async_nats::header::NATS_SEQUENCE;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use common::broker::Broker;
use common::ids::{CardId, MessageId, Surface};
use common::stream;
use moka::sync::Cache;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bucket::{TRY, newest};

/// Entries kept in memory; any other is read from the bucket again.
const CACHED: u64 = 10_000;

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
    /// The newest state that we have seen of an entry, by its place in the bucket's stream.
    seen: Cache<String, u64>,
}

impl Ledger {
    /// The ledger of `surface`; the bucket is made by the router.
    pub fn new(broker: Broker, surface: Surface) -> Self {
        Self {
            broker,
            bucket: stream::kv_gate(surface),
            cards: Cache::new(CACHED),
            notices: Cache::new(CACHED),
            seen: Cache::new(2 * CACHED),
        }
    }

    /// Forgets what is in memory: another instance has shown things meanwhile.
    pub fn forget(&self) {
        self.cards.invalidate_all();
        self.notices.invalidate_all();
        self.seen.invalidate_all();
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
        match self.write(&card_key(card), &entry).await? {
            Wrote::Yes => self.cards.insert(card, held(true)),
            Wrote::Older => {
                self.cards.invalidate(&card);
                return Err(overtaken());
            }
        }
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
        match self.write(&notice_key(outbound), &entry).await? {
            Wrote::Yes => self.notices.insert(outbound, held(true)),
            Wrote::Older => {
                self.notices.invalidate(&outbound);
                return Err(overtaken());
            }
        }
        Ok(())
    }

    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, LedgerError> {
        let error = |why: String| LedgerError { doing: "read", why };
        let found = newest(&self.broker, &self.bucket, key).await;
        let Some(answer) = found.map_err(error)? else {
            self.seen.insert(key.to_owned(), 0);
            return Ok(None);
        };
        let headers = answer.headers.as_ref();
        let sequence = headers.and_then(|headers| headers.get(NATS_SEQUENCE));
        match sequence.and_then(|sequence| sequence.as_str().parse().ok()) {
            Some(sequence) => self.seen.insert(key.to_owned(), sequence),
            None => self.seen.invalidate(key),
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

    async fn write<T: Serialize>(&self, key: &str, entry: &T) -> Result<Wrote, LedgerError> {
        let error = |why: String| LedgerError {
            doing: "written",
            why,
        };
        let payload = serde_json::to_vec(entry).map_err(|why| error(why.to_string()))?;
        let subject = format!("$KV.{}.{key}", self.bucket);
        // No id of a message: what is repeated is recognised by the state that it replaces.
        let mut message = PublishMessage::build().payload(payload.into());
        if let Some(seen) = self.seen.get(key) {
            message = message.expected_last_subject_sequence(seen);
        }
        let sent = tokio::time::timeout(TRY, async {
            self.broker
                .jetstream()
                .send_publish(subject, message)
                .await?
                .await
        });
        match sent.await {
            Ok(Ok(ack)) => {
                self.seen.insert(key.to_owned(), ack.sequence);
                Ok(Wrote::Yes)
            }
            Ok(Err(why)) if why.kind() == PublishErrorKind::WrongLastSequence => {
                self.seen.invalidate(key);
                Ok(Wrote::Older)
            }
            Ok(Err(why)) => Err(error(why.to_string())),
            Err(_) => Err(error("no answer in time".into())),
        }
    }
}

/// What became of a write.
enum Wrote {
    Yes,
    /// The bucket has a newer state than we knew: another's, or our own, whose confirmation was
    /// lost.
    Older,
}

fn overtaken() -> LedgerError {
    LedgerError {
        doing: "written",
        why: "it was changed meanwhile".into(),
    }
}

fn card_key(card: CardId) -> String {
    format!("card.{card}")
}

fn notice_key(outbound: MessageId) -> String {
    format!("notice.{outbound}")
}
