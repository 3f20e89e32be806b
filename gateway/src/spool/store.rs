//! The spool's files: one for each process of this folder, and what a process left behind.
//!
//! Two gateways may use one data folder (and a new one may start while the old one ends), so the
//! files are numbered: each process takes the first that nobody has open, and takes over what is in
//! the others that nobody has open. Used by one thread; when to do what is the owner's.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use common::ids::UserId;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, TableDefinition,
    TableError,
};
use tracing::{info, warn};

use super::Kept;

/// Files in one folder; one more process keeps no taps, and says so.
const FILES: u8 = 8;
/// The database's own memory; what is kept is held by us.
const CACHE: usize = 1 << 20;
/// Acts given to the drainer at a time: this many people, this many of each.
const PEOPLE: usize = 32;
const OF_ONE: usize = 16;

/// Acts by place, as JSON of [`Kept`].
const ACTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("acts");

pub(super) type Any = Box<dyn std::error::Error + Send + Sync>;

/// Our file, and in memory what is in it.
pub(super) struct Store {
    db: Database,
    folder: PathBuf,
    number: u8,
    acts: BTreeMap<u64, Kept>,
    /// Never given twice while we live: a place that is to be removed must not be another's.
    place: u64,
}

impl Store {
    /// Opens or makes the first file that nobody has open.
    pub(super) fn open(folder: &Path) -> Result<Self, Any> {
        for number in 1..=FILES {
            let path = path(folder, number);
            make_private(&path)?;
            let Some(db) = open_free(&path)? else {
                continue;
            };
            let acts = read(&db)?;
            if !acts.is_empty() {
                info!(count = acts.len(), path = %path.display(), "taps wait for the broker");
            }
            return Ok(Self {
                db,
                folder: folder.to_owned(),
                number,
                place: acts.last_key_value().map_or(0, |(place, _)| place + 1),
                acts,
            });
        }
        Err(format!("all {FILES} files are in use by other processes").into())
    }

    /// How many acts each person has here.
    pub(super) fn people(&self) -> HashMap<UserId, usize> {
        let mut people = HashMap::new();
        for kept in self.acts.values() {
            *people.entry(kept.user.clone()).or_default() += 1;
        }
        people
    }

    /// Adds acts behind all others, in one step. One that is here already stays where it is.
    pub(super) fn add(&mut self, acts: Vec<Kept>) -> Result<(), Any> {
        let mut known: HashSet<_> = self.acts.values().map(|kept| kept.cause.clone()).collect();
        let fresh: Vec<(u64, Kept)> = (self.place..)
            .zip(
                acts.into_iter()
                    .filter(|kept| known.insert(kept.cause.clone())),
            )
            .collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let write = self.db.begin_write()?;
        {
            let mut table = write.open_table(ACTS)?;
            for (place, kept) in &fresh {
                table.insert(place, serde_json::to_vec(kept)?.as_slice())?;
            }
        }
        // Durable when this returns: the person is told so next.
        write.commit()?;
        self.place = fresh.last().map_or(self.place, |(place, _)| place + 1);
        self.acts.extend(fresh);
        Ok(())
    }

    /// Forgets acts that are in the stream.
    pub(super) fn remove(&mut self, places: &[u64]) -> Result<(), Any> {
        if places.is_empty() {
            return Ok(());
        }
        let write = self.db.begin_write()?;
        {
            let mut table = write.open_table(ACTS)?;
            for place in places {
                table.remove(place)?;
            }
        }
        write.commit()?;
        for place in places {
            self.acts.remove(place);
        }
        Ok(())
    }

    /// Forgets and gives what was written down before `oldest`.
    pub(super) fn drop_older(&mut self, oldest: DateTime<Utc>) -> Result<Vec<Kept>, Any> {
        let old = self.acts.iter().filter(|(_, kept)| kept.at < oldest);
        let (places, gone): (Vec<u64>, Vec<Kept>) =
            old.map(|(place, kept)| (*place, kept.clone())).unzip();
        self.remove(&places)?;
        Ok(gone)
    }

    /// The oldest acts of each person, people in the order of their oldest.
    pub(super) fn next(&self) -> Vec<Vec<(u64, Kept)>> {
        let mut order: Vec<Vec<(u64, Kept)>> = Vec::new();
        let mut at: HashMap<&UserId, usize> = HashMap::new();
        for (place, kept) in &self.acts {
            let index = match at.get(&kept.user) {
                Some(index) => *index,
                None if order.len() == PEOPLE => continue,
                None => {
                    at.insert(&kept.user, order.len());
                    order.push(Vec::new());
                    order.len() - 1
                }
            };
            let Some(mine) = order.get_mut(index) else {
                continue;
            };
            if mine.len() < OF_ONE {
                mine.push((*place, kept.clone()));
            }
        }
        order
    }

    /// Moves here what processes that are gone left in their files. If we die between writing it
    /// here and removing it there, it is in both, and the stream recognises the second.
    pub(super) fn take_over_others(&mut self) -> Result<(), Any> {
        for number in 1..=FILES {
            let path = path(&self.folder, number);
            if number == self.number || !path.exists() {
                continue;
            }
            let other = match open_free(&path) {
                Ok(Some(other)) => other,
                Ok(None) => continue,
                Err(why) => {
                    warn!(path = %path.display(), %why, "a file of kept taps cannot be read");
                    continue;
                }
            };
            let left = read(&other)?;
            if left.is_empty() {
                continue;
            }
            info!(count = left.len(), path = %path.display(), "taking over kept taps");
            self.add(left.into_values().collect())?;
            // Emptied and not deleted: another process may be opening it right now.
            let write = other.begin_write()?;
            write.delete_table(ACTS)?;
            write.commit()?;
        }
        Ok(())
    }
}

fn path(folder: &Path, number: u8) -> PathBuf {
    folder.join(format!("taps-{number}.redb"))
}

/// None: another process has it open.
fn open_free(path: &Path) -> Result<Option<Database>, Any> {
    match Builder::new().set_cache_size(CACHE).create(path) {
        Ok(db) => Ok(Some(db)),
        Err(DatabaseError::DatabaseAlreadyOpen) => Ok(None),
        Err(why) => Err(format!(
            "{}: {why}; if it is damaged, move it away and a new one is made",
            path.display()
        )
        .into()),
    }
}

fn read(db: &Database) -> Result<BTreeMap<u64, Kept>, Any> {
    let mut acts = BTreeMap::new();
    let table = match db.begin_read()?.open_table(ACTS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(acts),
        Err(why) => return Err(why.into()),
    };
    for row in table.iter()? {
        let (place, json) = row?;
        match serde_json::from_slice::<Kept>(json.value()) {
            Ok(kept) => {
                acts.insert(place.value(), kept);
            }
            // It stays on disk, where a newer version can read it.
            Err(why) => warn!(%why, "a kept tap cannot be read and is left out"),
        }
    }
    Ok(acts)
}

/// Makes the file before the database does, so that it is never readable by others.
fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use common::ids::{CauseId, Surface};

    use super::*;

    fn kept(user: &str, cause: &str) -> Kept {
        Kept {
            user: user.parse().unwrap(),
            cause: CauseId::new(Surface::Feishu, cause),
            subject: "s".into(),
            trace: String::new(),
            payload: "{}".into(),
            at: Utc::now(),
        }
    }

    fn causes(store: &Store) -> Vec<Vec<String>> {
        let ids = |acts: Vec<(u64, Kept)>| {
            let cause = |(_, kept): (u64, Kept)| kept.cause.as_str().to_owned();
            acts.into_iter().map(cause).collect()
        };
        store.next().into_iter().map(ids).collect()
    }

    #[test]
    fn acts_are_kept_in_order_once_and_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let acts = ["a", "b", "a"].map(|cause| kept("ou_1", cause));
        store.add(acts.into()).unwrap();
        store
            .add(vec![kept("ou_2", "c"), kept("ou_1", "b")])
            .unwrap();
        let wanted = [vec!["feishu:a", "feishu:b"], vec!["feishu:c"]];
        assert_eq!(causes(&store), wanted);
        drop(store);
        let mut again = Store::open(dir.path()).unwrap();
        assert_eq!(causes(&again), wanted);
        again.remove(&[0]).unwrap();
        drop(again);
        let again = Store::open(dir.path()).unwrap();
        assert_eq!(causes(&again), [vec!["feishu:b"], vec!["feishu:c"]]);
        assert_eq!(again.people().len(), 2);
    }

    #[test]
    fn a_second_process_takes_a_second_file_and_takes_over_a_dead_ones() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Store::open(dir.path()).unwrap();
        let mut second = Store::open(dir.path()).unwrap();
        first.add(vec![kept("ou_1", "a")]).unwrap();
        second.add(vec![kept("ou_2", "b")]).unwrap();
        first.take_over_others().unwrap();
        assert_eq!(causes(&first), [["feishu:a"]], "the second one lives");
        drop(second);
        first.take_over_others().unwrap();
        assert_eq!(causes(&first), [["feishu:a"], ["feishu:b"]]);
        let second = Store::open(dir.path()).unwrap();
        assert!(second.next().is_empty(), "it was moved, not copied");
    }

    #[test]
    fn what_is_too_old_goes() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path()).unwrap();
        let mut old = kept("ou_1", "old");
        old.at -= chrono::TimeDelta::hours(73);
        store.add(vec![old, kept("ou_1", "new")]).unwrap();
        let gone = store.drop_older(Utc::now() - chrono::TimeDelta::hours(72));
        assert_eq!(gone.unwrap().len(), 1);
        assert_eq!(causes(&store), [["feishu:new"]]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(Store::open(&file.join("below")).is_err());
    }
}
