//! The records that the hub keeps of its nodes: reading them, and what they mean for routing.

use std::collections::{BTreeMap, HashMap};
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::identity::NodeRecord;
use common::ids::NodeId;
use tracing::{error, warn};

use super::Enrolled;

/// Age from which on a file's or folder's time is surely over: it moves in steps of milliseconds, and
/// two changes in one step look like one.
const SETTLED: Duration = Duration::from_secs(1);

/// Whether nothing more can happen at that time.
pub(super) fn is_over(at: SystemTime) -> bool {
    at.elapsed().is_ok_and(|age| age > SETTLED)
}

/// As what each file was read last. Bounded by the files in the folder.
#[derive(Debug, Default)]
pub(super) struct Stamps(HashMap<PathBuf, (SystemTime, u64)>);

impl Stamps {
    /// Whether a file is as it was read before; from here on it counts as read.
    fn is_known(&mut self, entry: &DirEntry) -> bool {
        let stamp = entry
            .metadata()
            .and_then(|data| Ok((data.modified()?, data.len())));
        let Ok(stamp) = stamp else {
            return false;
        };
        let path = entry.path();
        if !is_over(stamp.0) {
            self.0.remove(&path);
            return false;
        }
        self.0.insert(path, stamp) == Some(stamp)
    }
}

/// The records in the folder that are not as they were when last read. One that cannot be read is
/// passed over, with a word in the log: the others still count. Blocking.
pub(super) fn read(folder: &Path, stamps: &mut Stamps) -> BTreeMap<NodeId, NodeRecord> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) => {
            warn!(folder = %folder.display(), %why, "cannot list the records of nodes");
            return BTreeMap::new();
        }
    };
    let mut records = BTreeMap::new();
    for entry in entries.flatten() {
        let path = entry.path();
        // Temporary files begin with a dot and so are not ids.
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let id = match (stem.map(str::parse::<NodeId>), path.extension()) {
            (Some(Ok(id)), Some(end)) if end == "json" => id,
            (Some(Ok(_) | Err(_)) | None, _) => continue,
        };
        if stamps.is_known(&entry) {
            continue;
        }
        let record = std::fs::read_to_string(&path)
            .map_err(|why| why.to_string())
            .and_then(|text| {
                serde_json::from_str::<NodeRecord>(&text).map_err(|why| why.to_string())
            });
        match record {
            Ok(record) if record.id == id.as_str() => {
                records.insert(id, record);
            }
            Ok(record) => {
                error!(path = %path.display(), says = %record.id, "a record is about another node");
            }
            Err(why) => error!(
                path = %path.display(), %why,
                "a record of a node cannot be read: restore it from a backup, or remove it and enrol again"
            ),
        }
    }
    records
}

/// What a record means for routing.
pub(super) fn enrolled(record: &NodeRecord) -> Enrolled {
    Enrolled {
        name: record.name.clone(),
        serves: record.served(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> NodeRecord {
        NodeRecord {
            id: "pc".into(),
            name: "PC".into(),
            serves: Vec::new(),
            public_key: "U".into(),
            enrolled_at: 1,
            revoked_at: None,
            former_keys: Vec::new(),
        }
    }

    #[test]
    fn damaged_and_foreign_files_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let good = serde_json::to_string(&record()).unwrap();
        write("pc.json", &good);
        write("other.json", &good);
        write("broken.json", "{");
        write("pc.json.bak", &good);
        write(".pc.json", &good);
        write("router.json", &good);
        let found = read(dir.path(), &mut Stamps::default());
        assert_eq!(found.keys().map(NodeId::as_str).collect::<Vec<_>>(), ["pc"]);
        assert!(read(&dir.path().join("missing"), &mut Stamps::default()).is_empty());
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let put = |id: &str, name: &str, age: u64| {
            let path = dir.path().join(format!("{id}.json"));
            let record = NodeRecord {
                id: id.into(),
                name: name.into(),
                ..record()
            };
            std::fs::write(&path, serde_json::to_string(&record).unwrap()).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            let at = SystemTime::now() - Duration::from_secs(age);
            file.set_modified(at).unwrap();
        };
        let mut stamps = Stamps::default();
        let mut read = || {
            let found = read(dir.path(), &mut stamps);
            found
                .into_keys()
                .map(|id| id.to_string())
                .collect::<Vec<_>>()
        };
        put("a", "A", 60);
        put("b", "B", 60);
        assert_eq!(read(), ["a", "b"]);
        assert!(read().is_empty());
        put("b", "Other", 50);
        assert_eq!(read(), ["b"]);
        // One that may change once more at the same time is read until it cannot.
        put("a", "C", 0);
        assert_eq!(read(), ["a"]);
        assert_eq!(read(), ["a"]);
        put("a", "C", 40);
        assert_eq!(read(), ["a"]);
        assert!(read().is_empty());
    }
}
