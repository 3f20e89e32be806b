//! The journal's file after a step that the disk has refused: opened again, and what the step may
//! have left there sorted out. When to try is the owner's.

use std::path::Path;

use common::ids::{CauseId, MessageId};
use common::message::outbound::Outbound;
use common::message::work::Work;
use redb::{Database, ReadableTable as _};

use super::{Added, INBOX, JournalError, NEXT, OUTBOX, SEEN, Step, Store, read, refused};

impl Store {
    /// Opens the file again after the disk has refused something, and lets what the failed steps
    /// `added` be as if they had never been: whoever asked for them was told that they failed, and
    /// asks again. Gives the messages of them that are in the outbox all the same; those are to be
    /// added no second time.
    pub(in crate::journal) fn reopen(
        data_dir: &Path,
        added: &[Added],
    ) -> Result<(Self, Vec<MessageId>), JournalError> {
        common::disk::has_room(data_dir)
            .map_err(|why| JournalError::Trouble(common::disk::say(data_dir, &why)))?;
        // Not made anew where it is missing: to begin without a memory is for the owner to decide.
        let path = data_dir.join("journal.redb");
        let db = Database::open(&path)
            .map_err(|why| JournalError::Trouble(format!("{}: {why}", path.display())))?;
        let store = Self { db };
        let step = store.begin()?;
        let mut there = Vec::new();
        for failed in added {
            step.undo_acts(&failed.acts)?;
            there.extend(step.find_sends(&failed.sends)?);
        }
        // Also without anything to undo: it shows that steps can be written again.
        step.note_room()?;
        step.commit()?;
        Ok((store, there))
    }
}

impl Step {
    /// Takes back acts of a step that failed, if it is on the disk all the same.
    fn undo_acts(&self, acts: &[(u64, CauseId)]) -> Result<(), JournalError> {
        let mut inbox = self.txn.open_table(INBOX).map_err(refused)?;
        let mut seen = self.txn.open_table(SEEN).map_err(refused)?;
        for (place, cause) in acts {
            let row = inbox.get(*place).map_err(refused)?;
            let found = row.map(|bytes| read::<Work>(bytes.value())).transpose()?;
            if found.is_some_and(|work| work.inbound.meta.cause == *cause) {
                inbox.remove(*place).map_err(refused)?;
                seen.remove(cause.as_str()).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// Which messages of a step that failed are in the outbox all the same.
    fn find_sends(&self, sends: &[(u64, MessageId)]) -> Result<Vec<MessageId>, JournalError> {
        let outbox = self.txn.open_table(OUTBOX).map_err(refused)?;
        let mut there = Vec::new();
        for (place, id) in sends {
            let row = outbox.get(*place).map_err(refused)?;
            let found = row
                .map(|bytes| read::<Outbound>(bytes.value()))
                .transpose()?;
            if found.is_some_and(|outbound| outbound.meta.id == *id) {
                there.push(*id);
            }
        }
        Ok(there)
    }

    /// Changes something that means nothing.
    fn note_room(&self) -> Result<(), JournalError> {
        let mut next = self.txn.open_table(NEXT).map_err(refused)?;
        let times = next.get("reopened").map_err(refused)?;
        let times = times.map_or(1, |row| row.value().saturating_add(1));
        next.insert("reopened", times).map_err(refused)?;
        Ok(())
    }
}
