//! The journal's file: tables, transactions, pruning. Runs on the journal's thread only.

mod reopen;

use std::collections::HashSet;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use common::ids::{CauseId, MessageId, PromptId, TurnId};
use common::message::work::Work;
use redb::{
    Database, Durability, ReadableDatabase as _, ReadableTable, StorageError, TableDefinition,
    TableError, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Accepted, Change, JournalError, Kept, Shelf, Snapshot, Waiting};
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

const fn on(shelf: Shelf) -> TableDefinition<'static, &'static str, Bytes> {
    TableDefinition::new(shelf.name())
}

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
    added: Added,
}

/// The disk's, or the database's about it.
fn refused(why: impl std::fmt::Display) -> JournalError {
    JournalError::Trouble(why.to_string())
}

/// A record's own; to open the file again would not mend it.
fn garbled(why: impl std::fmt::Display) -> JournalError {
    JournalError::Step(why.to_string())
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(value).map_err(garbled)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JournalError> {
    serde_json::from_slice(bytes).map_err(garbled)
}

/// What a step added. If the step may have failed on its last metres, this is how to find out.
#[derive(Debug, Default)]
pub(super) struct Added {
    /// Acts in the inbox.
    pub(super) acts: Vec<(u64, CauseId)>,
    /// Messages in the outbox.
    pub(super) sends: Vec<(u64, MessageId)>,
}

impl Store {
    pub(super) fn open(data_dir: &Path) -> Result<Self, JournalError> {
        let path = data_dir.join("journal.redb");
        let fault = |why: String| JournalError::Open {
            path: path.display().to_string(),
            why,
        };
        let no_disk = |why: &std::io::Error| fault(common::disk::say(data_dir, why));
        // It holds what people wrote: for its owner's eyes only.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(|why| no_disk(&why))?;
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| no_disk(&why))?;
        let db = Database::create(&path).map_err(|why| match why {
            redb::DatabaseError::DatabaseAlreadyOpen => fault(
                "another process has it open; is a second host running on this folder?".into(),
            ),
            // The system's reasons (rights, space) are for the owner to mend; the file is good.
            redb::DatabaseError::Storage(StorageError::Io(why))
                if why.kind() != ErrorKind::InvalidData =>
            {
                no_disk(&why)
            }
            other => fault(format!(
                "{other}; the file is damaged or of another program and was left as it is: put a copy of it back, or move it away to begin without sessions and waiting messages"
            )),
        })?;
        let store = Self { db };
        let step = store.begin()?;
        let prepared = step
            .prepare()
            .and_then(|()| step.prune(Utc::now()))
            .and_then(|()| step.commit());
        match prepared {
            Ok(()) => Ok(store),
            // The file was opened a moment ago: it is the disk that takes no more.
            Err(JournalError::Trouble(why)) => Err(match common::disk::has_room(data_dir) {
                Err(disk) => no_disk(&disk),
                Ok(()) => fault(why),
            }),
            Err(other) => Err(other),
        }
    }

    pub(super) fn begin(&self) -> Result<Step, JournalError> {
        Ok(Step {
            txn: self.db.begin_write().map_err(refused)?,
            added: Added::default(),
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

    pub(super) fn shelf(&self, shelf: Shelf) -> Result<Vec<Kept>, JournalError> {
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(on(shelf)).map_err(refused)?;
        let rows = table.iter().map_err(refused)?.map(|row| {
            let (key, bytes) = row.map_err(refused)?;
            Ok((key.value().to_owned(), bytes.value().to_vec()))
        });
        rows.collect()
    }

    pub(super) fn kept(&self, shelf: Shelf, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let txn = self.db.begin_read().map_err(refused)?;
        let table = txn.open_table(on(shelf)).map_err(refused)?;
        let row = table.get(key).map_err(refused)?;
        Ok(row.map(|bytes| bytes.value().to_vec()))
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
        for shelf in Shelf::ALL {
            self.txn.open_table(on(shelf)).map_err(fault)?;
        }
        Ok(())
    }

    /// Lets go of what nobody will ask for any more.
    pub(super) fn prune(&self, now: DateTime<Utc>) -> Result<(), JournalError> {
        let oldest = (now - SEEN_FOR).timestamp_millis();
        let mut seen = self.txn.open_table(SEEN).map_err(refused)?;
        seen.retain(|_, at| at.abs() >= oldest).map_err(refused)?;
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
        let place = self.append(INBOX, "inbox", &json(work)?)?;
        self.added
            .acts
            .push((place, work.inbound.meta.cause.clone()));
        Ok(Some(place))
    }

    /// What this step has added so far.
    pub(super) fn take_added(&mut self) -> Added {
        std::mem::take(&mut self.added)
    }

    /// Carries out `changes`; a message in `there` is in the outbox already, or was.
    /// False: it came before, and nothing changed. An act that never came is marked by a time
    /// below zero, so that the same step again, after one whose end is unclear, is no refusal.
    pub(super) fn withdraw(
        &mut self,
        cause: &CauseId,
        changes: &[Change],
        there: &HashSet<MessageId>,
    ) -> Result<bool, JournalError> {
        let mut seen = self.txn.open_table(SEEN).map_err(refused)?;
        let before = seen.get(cause.as_str()).map_err(refused)?;
        if before.is_some_and(|at| at.value() >= 0) {
            return Ok(false);
        }
        seen.insert(cause.as_str(), -Utc::now().timestamp_millis())
            .map_err(refused)?;
        drop(seen);
        self.apply(changes, there)?;
        Ok(true)
    }

    pub(super) fn apply(
        &mut self,
        changes: &[Change],
        there: &HashSet<MessageId>,
    ) -> Result<(), JournalError> {
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
                Change::Put(shelf, key, bytes) => {
                    let mut table = self.txn.open_table(on(*shelf)).map_err(refused)?;
                    table
                        .insert(key.as_str(), bytes.as_slice())
                        .map_err(refused)?;
                }
                Change::Take(shelf, key) => self.remove(on(*shelf), key.as_str())?,
                Change::Send(outbound) if there.contains(&outbound.meta.id) => {}
                Change::Send(outbound) => {
                    let place = self.append(OUTBOX, "outbox", &json(outbound)?)?;
                    self.added.sends.push((place, outbound.meta.id));
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

    /// Returns when it is on the disk, and with it all that was committed before.
    pub(super) fn commit(self) -> Result<(), JournalError> {
        self.txn.commit().map_err(refused)
    }

    /// The same without waiting for the disk: it holds for whoever reads here, and is on the disk
    /// with the next [`Step::commit`]. A process that dies before that finds things as they were.
    pub(super) fn commit_later(mut self) -> Result<(), JournalError> {
        self.txn.set_durability(Durability::None).map_err(refused)?;
        self.txn.commit().map_err(refused)
    }
}

#[cfg(test)]
mod tests;
