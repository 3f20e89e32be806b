//! The journal's file: tables, transactions, pruning. Runs on the journal's thread only.

use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use common::ids::{CauseId, PromptId, TurnId};
use common::message::work::Work;
use redb::{
    Database, ReadableDatabase as _, ReadableTable, StorageError, TableDefinition, TableError,
    WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Accepted, Change, JournalError, Snapshot, Waiting};
use crate::record::{PromptRecord, PromptState, TurnRecord};

type Bytes = &'static [u8];

const SEEN: TableDefinition<'_, &str, i64> = TableDefinition::new("seen");
const INBOX: TableDefinition<'_, u64, Bytes> = TableDefinition::new("inbox");
const OUTBOX: TableDefinition<'_, u64, Bytes> = TableDefinition::new("outbox");
const USERS: TableDefinition<'_, &str, Bytes> = TableDefinition::new("users");
const SESSIONS: TableDefinition<'_, &'static [u8], Bytes> = TableDefinition::new("sessions");
const TURNS: TableDefinition<'_, &'static [u8], Bytes> = TableDefinition::new("turns");
const PROMPTS: TableDefinition<'_, &'static [u8], Bytes> = TableDefinition::new("prompts");
const NEXT: TableDefinition<'_, &str, u64> = TableDefinition::new("next");

/// Platforms repeat a message for up to 7 h, the broker keeps one for 72 h: a week covers both.
const SEEN_FOR: Duration = Duration::days(7);
/// Late taps are told who answered for as long.
const PROMPTS_FOR: Duration = Duration::days(7);

/// The open file.
pub(super) struct Store {
    db: Database,
}

/// A transaction in the making. Dropped without `commit`, it never was.
pub(super) struct Step {
    txn: WriteTransaction,
}

fn refused(why: impl std::fmt::Display) -> JournalError {
    JournalError::Step(why.to_string())
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(value).map_err(refused)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JournalError> {
    serde_json::from_slice(bytes).map_err(refused)
}

impl Store {
    pub(super) fn open(data_dir: &Path) -> Result<Self, JournalError> {
        let path = data_dir.join("journal.redb");
        let fault = |why: String| JournalError::Open {
            path: path.display().to_string(),
            why,
        };
        // It holds what people wrote: for its owner's eyes only.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(|why| fault(why.to_string()))?;
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| fault(why.to_string()))?;
        let db = Database::create(&path).map_err(|why| match why {
            redb::DatabaseError::DatabaseAlreadyOpen => fault(
                "another process has it open; is a second host running on this folder?".into(),
            ),
            // The system's reasons (rights, space) are for the owner to mend; the file is good.
            redb::DatabaseError::Storage(StorageError::Io(why))
                if why.kind() != ErrorKind::InvalidData =>
            {
                fault(why.to_string())
            }
            other => fault(format!(
                "{other}; the file is damaged or of another program and was left as it is: put a copy of it back, or move it away to begin without sessions and waiting messages"
            )),
        })?;
        let store = Self { db };
        let step = store.begin()?;
        step.prepare()?;
        step.prune(Utc::now())?;
        step.commit()?;
        Ok(store)
    }

    pub(super) fn begin(&self) -> Result<Step, JournalError> {
        Ok(Step {
            txn: self.db.begin_write().map_err(refused)?,
        })
    }

    pub(super) fn snapshot(&mut self) -> Result<Snapshot, JournalError> {
        let mut snapshot = Snapshot {
            users: self.all(USERS)?,
            sessions: self.all(SESSIONS)?,
            turns: self.all(TURNS)?,
            prompts: self.all(PROMPTS)?,
            inbox: Vec::new(),
        };
        snapshot.turns.sort_by_key(|turn| turn.created_at);
        snapshot.sessions.sort_by_key(|session| session.created_at);
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(INBOX).map_err(refused)?;
        for row in table.iter().map_err(refused)? {
            let (place, bytes) = row.map_err(refused)?;
            snapshot.inbox.push(Accepted {
                place: place.value(),
                work: read(bytes.value())?,
            });
        }
        Ok(snapshot)
    }

    fn all<K, T>(&self, table: TableDefinition<'_, K, Bytes>) -> Result<Vec<T>, JournalError>
    where
        K: redb::Key + 'static,
        T: DeserializeOwned,
    {
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(table).map_err(refused)?;
        let mut all = Vec::new();
        for row in table.iter().map_err(refused)? {
            let (_, bytes) = row.map_err(refused)?;
            all.push(read(bytes.value())?);
        }
        Ok(all)
    }

    pub(super) fn outbox(&self, after: u64, limit: usize) -> Result<Vec<Waiting>, JournalError> {
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(OUTBOX).map_err(refused)?;
        let mut waiting = Vec::new();
        for row in table.range(after + 1..).map_err(refused)?.take(limit) {
            let (place, bytes) = row.map_err(refused)?;
            waiting.push(Waiting {
                place: place.value(),
                outbound: read(bytes.value())?,
            });
        }
        Ok(waiting)
    }

    pub(super) fn prompt(&self, id: PromptId) -> Result<Option<PromptRecord>, JournalError> {
        self.one(PROMPTS, id.uuid())
    }

    pub(super) fn turn(&self, id: TurnId) -> Result<Option<TurnRecord>, JournalError> {
        self.one(TURNS, id.uuid())
    }

    fn one<T: DeserializeOwned>(
        &self,
        table: TableDefinition<'_, &'static [u8], Bytes>,
        id: uuid::Uuid,
    ) -> Result<Option<T>, JournalError> {
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(table).map_err(refused)?;
        let row = table.get(id.as_bytes().as_slice()).map_err(refused)?;
        row.map(|bytes| read(bytes.value())).transpose()
    }

    pub(super) fn seen(&self, cause: &CauseId) -> Result<bool, JournalError> {
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(SEEN).map_err(refused)?;
        Ok(table.get(cause.as_str()).map_err(refused)?.is_some())
    }
}

impl Step {
    /// Makes all tables, so that reading never meets a missing one.
    fn prepare(&self) -> Result<(), JournalError> {
        let fault = |why: TableError| refused(why);
        self.txn.open_table(SEEN).map_err(fault)?;
        self.txn.open_table(INBOX).map_err(fault)?;
        self.txn.open_table(OUTBOX).map_err(fault)?;
        self.txn.open_table(USERS).map_err(fault)?;
        self.txn.open_table(SESSIONS).map_err(fault)?;
        self.txn.open_table(TURNS).map_err(fault)?;
        self.txn.open_table(PROMPTS).map_err(fault)?;
        self.txn.open_table(NEXT).map_err(fault)?;
        Ok(())
    }

    /// Lets go of what nobody will ask for any more.
    pub(super) fn prune(&self, now: DateTime<Utc>) -> Result<(), JournalError> {
        let oldest = (now - SEEN_FOR).timestamp_millis();
        let mut seen = self.txn.open_table(SEEN).map_err(refused)?;
        seen.retain(|_, at| at >= oldest).map_err(refused)?;
        let mut prompts = self.txn.open_table(PROMPTS).map_err(refused)?;
        prompts
            .retain(|_, bytes| {
                read::<PromptRecord>(bytes).is_ok_and(|prompt| {
                    prompt.state == PromptState::Open || prompt.asked_at > now - PROMPTS_FOR
                })
            })
            .map_err(refused)?;
        Ok(())
    }

    /// `None`: seen before.
    pub(super) fn accept(&mut self, work: &Work) -> Result<Option<u64>, JournalError> {
        let mut seen = self.txn.open_table(SEEN).map_err(refused)?;
        let cause = work.inbound.meta.cause.as_str();
        if seen
            .insert(cause, Utc::now().timestamp_millis())
            .map_err(refused)?
            .is_some()
        {
            return Ok(None);
        }
        drop(seen);
        self.append(INBOX, "inbox", &json(work)?).map(Some)
    }

    pub(super) fn apply(&mut self, changes: &[Change]) -> Result<(), JournalError> {
        for change in changes {
            match change {
                Change::Done(place) => self.remove(INBOX, *place)?,
                Change::Sent(place) => self.remove(OUTBOX, *place)?,
                Change::User(user) => self.put(USERS, user.user.to_string().as_str(), user)?,
                Change::Session(session) => {
                    self.put(SESSIONS, session.id.uuid().as_bytes().as_slice(), session)?;
                }
                Change::DropSession(id) => {
                    self.remove(SESSIONS, id.uuid().as_bytes().as_slice())?;
                }
                Change::Turn(turn) => {
                    self.put(TURNS, turn.id.uuid().as_bytes().as_slice(), turn)?;
                }
                Change::DropTurn(id) => self.remove(TURNS, id.uuid().as_bytes().as_slice())?,
                Change::Prompt(prompt) => {
                    self.put(PROMPTS, prompt.id.uuid().as_bytes().as_slice(), prompt)?;
                }
                Change::Send(outbound) => {
                    self.append(OUTBOX, "outbox", &json(outbound)?)?;
                }
            }
        }
        Ok(())
    }

    fn append(
        &self,
        table: TableDefinition<'_, u64, Bytes>,
        counter: &str,
        bytes: &[u8],
    ) -> Result<u64, JournalError> {
        let mut next = self.txn.open_table(NEXT).map_err(refused)?;
        let place = next
            .get(counter)
            .map_err(refused)?
            .map_or(1, |row| row.value());
        next.insert(counter, place + 1).map_err(refused)?;
        let mut table = self.txn.open_table(table).map_err(refused)?;
        table.insert(place, bytes).map_err(refused)?;
        Ok(place)
    }

    fn put<'k, K, T: Serialize>(
        &self,
        table: TableDefinition<'_, K, Bytes>,
        key: impl std::borrow::Borrow<K::SelfType<'k>>,
        value: &T,
    ) -> Result<(), JournalError>
    where
        K: redb::Key + 'static,
    {
        let bytes = json(value)?;
        let mut table = self.txn.open_table(table).map_err(refused)?;
        table.insert(key, bytes.as_slice()).map_err(refused)?;
        Ok(())
    }

    fn remove<'k, K>(
        &self,
        table: TableDefinition<'_, K, Bytes>,
        key: impl std::borrow::Borrow<K::SelfType<'k>>,
    ) -> Result<(), JournalError>
    where
        K: redb::Key + 'static,
    {
        let mut table = self.txn.open_table(table).map_err(refused)?;
        table.remove(key).map_err(refused)?;
        Ok(())
    }

    pub(super) fn commit(self) -> Result<(), JournalError> {
        self.txn.commit().map_err(refused)
    }
}

#[cfg(test)]
mod tests;
