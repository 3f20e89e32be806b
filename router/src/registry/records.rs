//! The records that the hub keeps of its nodes: reading them, and what they mean for routing.

use std::collections::BTreeMap;
use std::path::Path;

use common::identity::NodeRecord;
use common::ids::NodeId;
use tracing::{error, warn};

use super::Enrolled;

/// All records in the folder. One that cannot be read is passed over, with a word in the log: the
/// others still count. Blocking.
pub(super) fn read(folder: &Path) -> BTreeMap<NodeId, NodeRecord> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) => {
            warn!(folder = %folder.display(), %why, "cannot list the records of nodes");
            return BTreeMap::new();
        }
    };
    let mut records = BTreeMap::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        // Temporary files begin with a dot and so are not ids.
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let id = match (stem.map(str::parse::<NodeId>), path.extension()) {
            (Some(Ok(id)), Some(end)) if end == "json" => id,
            (Some(Ok(_) | Err(_)) | None, _) => continue,
        };
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
        let found = read(dir.path());
        assert_eq!(found.keys().map(NodeId::as_str).collect::<Vec<_>>(), ["pc"]);
        assert!(read(&dir.path().join("missing")).is_empty());
    }
}
