//! The timeline's database: what is kept, for how long, and how a repeat is recognised.
//!
//! Used by one thread; whom to tell about a change is the owner's business, and so is when to open a
//! database again that the disk has refused. Reading needs no disk: it is all in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chrono::Utc;
use common::ids::{CardId, MessageId};
use common::message::outbound::Preview;
use common::message::view::{Action, View};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use uuid::Uuid;

use super::{Entry, Fit, Item, PageFile};

/// Items kept; with one more the oldest goes.
const MOST_ITEMS: usize = 500;
/// Bytes kept, as JSON; over it the oldest go.
const MOST_BYTES: usize = 20_000_000;
/// Keys remembered beyond their items, so that a late repeat of a dropped item is still known.
const REMEMBERED: u64 = 5_000;
/// Cards with a preview in memory; at the bound all are forgotten, the next previews make up for it.
const PREVIEWS: usize = 64;

/// Items by place, as JSON of [`Entry`].
const ITEMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("items");
/// What is known under which key: the place, and for cards the revision.
const KEYS: TableDefinition<'_, &str, (u64, u32)> = TableDefinition::new("keys");
/// The keys by place, to forget the oldest.
const KEY_AT: TableDefinition<'_, u64, &str> = TableDefinition::new("key_at");
/// `name` of the database.
const NAMES: TableDefinition<'_, &str, &str> = TableDefinition::new("names");
/// `seq` and `pos`: the last numbers given.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// The database, and in memory what the page is given.
pub(super) struct Store {
    path: PathBuf,
    /// None after a write that failed: such a database takes nothing until it is opened again, and
    /// only then shows whether it has what failed.
    db: Option<Database>,
    name: String,
    seq: u64,
    pos: u64,
    entries: BTreeMap<u64, (Entry, usize)>,
    bytes: usize,
    keys: HashMap<String, (u64, u32)>,
    previews: HashMap<CardId, Preview>,
}

type Any = Box<dyn std::error::Error + Send + Sync>;

impl Store {
    /// Opens or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        Self::try_open(path).map_err(|why| {
            let folder = path.parent().unwrap_or(path);
            match common::disk::has_room(folder) {
                Err(disk) => common::disk::say(folder, &disk),
                Ok(()) => why.to_string(),
            }
        })
    }

    fn try_open(path: &Path) -> Result<Self, Any> {
        make_private(path)?;
        Self::of(path, Database::create(path)?)
    }

    fn of(path: &Path, db: Database) -> Result<Self, Any> {
        let mut store = Self {
            path: path.to_owned(),
            db: None,
            name: String::new(),
            seq: 0,
            pos: 0,
            entries: BTreeMap::new(),
            bytes: 0,
            keys: HashMap::new(),
            previews: HashMap::new(),
        };
        let write = db.begin_write()?;
        {
            write.open_table(ITEMS)?;
            write.open_table(KEYS)?;
            write.open_table(KEY_AT)?;
            write.open_table(NUMBERS)?;
            let mut names = write.open_table(NAMES)?;
            let known = names.get("name")?.map(|name| name.value().to_owned());
            store.name = known.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
            names.insert("name", store.name.as_str())?;
        }
        write.commit()?;
        store.load(&db)?;
        store.db = Some(db);
        Ok(store)
    }

    /// Whether it can be written, as far as we know.
    pub(super) fn is_open(&self) -> bool {
        self.db.is_some()
    }

    /// Opens the database again after a write that failed, and gives what that write has changed
    /// after all.
    pub(super) fn reopen(&mut self) -> Result<Vec<Entry>, String> {
        let folder = self.path.parent().unwrap_or(&self.path);
        common::disk::has_room(folder).map_err(|why| common::disk::say(folder, &why))?;
        // Not made anew where it is missing: that would forget what was shown.
        let opened = Database::open(&self.path)
            .map_err(Any::from)
            .and_then(|db| Self::of(&self.path, db));
        let mut fresh = opened.map_err(|why| format!("{}: {why}", self.path.display()))?;
        let changed = fresh.after(self.seq);
        fresh.previews = std::mem::take(&mut self.previews);
        for entry in &changed {
            if let Item::Card { card, .. } = &entry.item {
                fresh.previews.remove(card);
            }
        }
        *self = fresh;
        Ok(changed)
    }

    fn load(&mut self, db: &Database) -> Result<(), Any> {
        let read = db.begin_read()?;
        let numbers = read.open_table(NUMBERS)?;
        self.seq = numbers.get("seq")?.map_or(0, |value| value.value());
        self.pos = numbers.get("pos")?.map_or(0, |value| value.value());
        for row in read.open_table(KEYS)?.iter()? {
            let (key, value) = row?;
            self.keys.insert(key.value().to_owned(), value.value());
        }
        for row in read.open_table(ITEMS)?.iter()? {
            let (pos, json) = row?;
            match serde_json::from_slice::<Entry>(json.value()) {
                Ok(entry) => {
                    self.bytes += json.value().len();
                    self.entries
                        .insert(pos.value(), (entry, json.value().len()));
                }
                // A newer version's item; it stays on disk and off the page.
                Err(why) => {
                    tracing::warn!(%why, "an item of the page's timeline cannot be read and is left out");
                }
            }
        }
        Ok(())
    }

    /// Which database this is.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Items changed after `after`, by number.
    pub(super) fn after(&self, after: u64) -> Vec<Entry> {
        let entries = self.entries.values().map(|(entry, _)| entry);
        let mut found: Vec<Entry> = entries.filter(|entry| entry.seq > after).cloned().collect();
        found.sort_by_key(|entry| entry.seq);
        found
    }

    /// Previews that fit what is shown.
    pub(super) fn previews(&self) -> Vec<Preview> {
        self.previews.values().cloned().collect()
    }

    /// What the person wrote.
    pub(super) fn mine(
        &mut self,
        id: String,
        text: String,
        files: Vec<PageFile>,
    ) -> Result<Option<Entry>, String> {
        let key = format!("mine:{id}");
        if self.keys.contains_key(&key) {
            return Ok(None);
        }
        let at = Utc::now();
        let item = Item::Mine {
            id,
            text,
            files,
            at,
        };
        self.put(key, 0, None, item)
    }

    /// A notice.
    pub(super) fn notice(&mut self, id: MessageId, text: String) -> Result<Option<Entry>, String> {
        let key = format!("notice:{id}");
        if self.keys.contains_key(&key) {
            return Ok(None);
        }
        let at = Utc::now();
        self.put(key, 0, None, Item::Notice { id, text, at })
    }

    /// A file.
    pub(super) fn file(&mut self, id: MessageId, file: PageFile) -> Result<Option<Entry>, String> {
        let key = format!("file:{id}");
        if self.keys.contains_key(&key) {
            return Ok(None);
        }
        let at = Utc::now();
        self.put(key, 0, None, Item::File { id, file, at })
    }

    /// A card's revision.
    pub(super) fn card(
        &mut self,
        card: CardId,
        rev: u32,
        view: View,
    ) -> Result<Option<Entry>, String> {
        let key = card_key(card);
        let known = self.keys.get(&key).copied();
        if known.is_some_and(|(_, shown)| rev <= shown) {
            return Ok(None);
        }
        // A card that was dropped from the top comes again at the end.
        let place = known.and_then(|(pos, _)| self.entries.contains_key(&pos).then_some(pos));
        let at = place
            .and_then(|pos| self.entries.get(&pos))
            .and_then(|(entry, _)| match &entry.item {
                Item::Card { at, .. } => Some(*at),
                Item::Mine { .. } | Item::Notice { .. } | Item::File { .. } => None,
            })
            .unwrap_or_else(Utc::now);
        let item = Item::Card {
            card,
            rev,
            view,
            at,
        };
        let changed = self.put(key, rev, place, item)?;
        self.previews.remove(&card);
        Ok(changed)
    }

    /// Whether a preview fits; the newest that does is remembered.
    pub(super) fn preview(&mut self, preview: &Preview) -> Fit {
        let Some((_, shown)) = self.keys.get(&card_key(preview.card)) else {
            return Fit::Early;
        };
        if preview.rev > *shown {
            return Fit::Early;
        }
        let last = self.previews.get(&preview.card);
        if preview.rev < *shown || last.is_some_and(|last| preview.n <= last.n) {
            return Fit::Stale;
        }
        if self.previews.len() >= PREVIEWS && !self.previews.contains_key(&preview.card) {
            self.previews.clear();
        }
        self.previews.insert(preview.card, preview.clone());
        Fit::Told
    }

    /// Whether a card has this button now, in its last revision or in what is previewed over it.
    pub(super) fn offers(&self, card: CardId, action: &Action) -> bool {
        let has = |view: &View| view.buttons.iter().any(|button| button.action == *action);
        let shown = self
            .keys
            .get(&card_key(card))
            .and_then(|(pos, _)| self.entries.get(pos))
            .is_some_and(|(entry, _)| match &entry.item {
                Item::Card { view, .. } => has(view),
                Item::Mine { .. } | Item::Notice { .. } | Item::File { .. } => false,
            });
        shown
            || self
                .previews
                .get(&card)
                .is_some_and(|preview| has(&preview.view))
    }

    /// Writes an item, at `place` or at the end, and drops what is over the bounds; in one
    /// transaction, so that a crash leaves all of it or nothing. Memory follows the disk.
    fn put(
        &mut self,
        key: String,
        rev: u32,
        place: Option<u64>,
        item: Item,
    ) -> Result<Option<Entry>, String> {
        let seq = self.seq + 1;
        let last = self.pos + u64::from(place.is_none());
        let pos = place.unwrap_or(last);
        let entry = Entry { seq, pos, item };
        let json = serde_json::to_vec(&entry).map_err(|why| why.to_string())?;
        let dropped = self.over(pos, json.len());
        let Some(db) = &self.db else {
            return Err("its disk refuses; it is tried again every second".into());
        };
        let written = self.write(db, &key, rev, &entry, last, &json, &dropped);
        let forgotten = written.map_err(|why| {
            self.db = None;
            why.to_string()
        })?;
        common::crash_point!("gateway.page.written");
        (self.seq, self.pos) = (seq, last);
        for gone in dropped {
            if let Some((_, size)) = self.entries.remove(&gone) {
                self.bytes -= size;
            }
        }
        for gone in forgotten {
            self.keys.remove(&gone);
        }
        self.keys.insert(key, (pos, rev));
        self.bytes += json.len();
        if let Some((_, size)) = self.entries.insert(pos, (entry.clone(), json.len())) {
            self.bytes -= size;
        }
        Ok(Some(entry))
    }

    /// The oldest places that must go so that `size` bytes fit at `pos`.
    fn over(&self, pos: u64, size: usize) -> Vec<u64> {
        let replaced = self.entries.get(&pos).map(|(_, size)| *size);
        let mut items = self.entries.len() + usize::from(replaced.is_none());
        let mut bytes = self.bytes + size - replaced.unwrap_or(0);
        let mut dropped = Vec::new();
        for (at, (_, size)) in &self.entries {
            if items <= MOST_ITEMS && bytes <= MOST_BYTES {
                break;
            }
            if *at != pos {
                dropped.push(*at);
                items -= 1;
                bytes -= size;
            }
        }
        dropped
    }

    #[expect(clippy::too_many_arguments, reason = "one row of each table")]
    fn write(
        &self,
        db: &Database,
        key: &str,
        rev: u32,
        entry: &Entry,
        last: u64,
        json: &[u8],
        dropped: &[u64],
    ) -> Result<Vec<String>, Any> {
        let mut forgotten = Vec::new();
        let write = db.begin_write()?;
        {
            let mut items = write.open_table(ITEMS)?;
            items.insert(entry.pos, json)?;
            for gone in dropped {
                items.remove(gone)?;
            }
            let mut numbers = write.open_table(NUMBERS)?;
            numbers.insert("seq", entry.seq)?;
            numbers.insert("pos", last)?;
            let mut keys = write.open_table(KEYS)?;
            keys.insert(key, (entry.pos, rev))?;
            let mut key_at = write.open_table(KEY_AT)?;
            key_at.insert(entry.pos, key)?;
            let old: Vec<(u64, String)> = key_at
                .range(..last.saturating_sub(REMEMBERED))?
                .map(|row| row.map(|(pos, key)| (pos.value(), key.value().to_owned())))
                .collect::<Result<_, _>>()?;
            for (pos, old) in old {
                key_at.remove(pos)?;
                // A card that came again at the end is known under its newer place.
                if self.keys.get(&old).is_some_and(|(at, _)| *at == pos) {
                    keys.remove(old.as_str())?;
                    forgotten.push(old);
                }
            }
        }
        common::crash_point!("gateway.page.writing");
        write.commit()?;
        Ok(forgotten)
    }
}

fn card_key(card: CardId) -> String {
    format!("card:{card}")
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
mod tests;
