//! Who has a conversation open. Nothing locks one: of two processes that write to it, one loses
//! its work. The CLI keeps a file for each of its processes (what `claude agents --json` shows);
//! reading them costs nothing, starting the CLI would cost half a second.

use std::path::{Path, PathBuf};

use serde_json::Value;
use uuid::Uuid;

use super::fields::{string_at, uuid_at};
use crate::agent::orphan::Orphan;

/// Files looked at; a machine does not run more.
const MAX_FILES: usize = 1024;
/// Longest such file; they are a few hundred bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// A running process of the CLI, in a terminal or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// The process.
    pub process: Orphan,
    /// The conversation it has open.
    pub session_id: Uuid,
    /// Where it works.
    pub cwd: Option<PathBuf>,
    /// How it was started: `cli` in a terminal, `phonework` by us.
    pub entrypoint: Option<String>,
}

/// All of them.
pub async fn live_sessions(config_dir: &Path) -> Vec<LiveSession> {
    let folder = config_dir.join("sessions");
    let files = tokio::task::spawn_blocking(move || read_files(&folder)).await;
    let mut live = Vec::new();
    for (pid, file) in files.unwrap_or_default() {
        let Some(session_id) = uuid_at(&file, "sessionId") else {
            continue;
        };
        // Files of processes that were killed stay behind, and their pids come round again.
        let Some(process) = Orphan::of(pid).await else {
            continue;
        };
        if !same_start(&file, &process) {
            continue;
        }
        live.push(LiveSession {
            process,
            session_id,
            cwd: string_at(&file, "cwd").map(PathBuf::from),
            entrypoint: string_at(&file, "entrypoint"),
        });
    }
    live
}

/// The process that has this conversation open. Resuming it beside that process would lose work.
pub async fn live_owner(config_dir: &Path, session_id: Uuid) -> Option<LiveSession> {
    let live = live_sessions(config_dir).await;
    live.into_iter().find(|live| live.session_id == session_id)
}

fn read_files(folder: &Path) -> Vec<(u32, Value)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let is_json = path.extension().is_some_and(|end| end == "json");
            let pid = path.file_stem()?.to_str()?.parse().ok()?;
            let small = entry.metadata().is_ok_and(|meta| meta.len() <= MAX_BYTES);
            (is_json && small).then_some((pid, path))
        })
        .take(MAX_FILES)
        .filter_map(|(pid, path)| {
            let bytes = std::fs::read(path).ok()?;
            Some((pid, serde_json::from_slice(&bytes).ok()?))
        })
        .collect()
}

/// Where the file and the system count the start alike (on Linux), they must agree.
fn same_start(file: &Value, process: &Orphan) -> bool {
    let written = string_at(file, "procStart").filter(|ticks| {
        cfg!(target_os = "linux") && ticks.bytes().all(|byte| byte.is_ascii_digit())
    });
    match (written, process.started().rsplit_once(':')) {
        (Some(written), Some((_, ticks))) => written == ticks,
        (Some(_) | None, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_living_count() {
        let config = tempfile::tempdir().unwrap();
        let folder = config.path().join("sessions");
        std::fs::create_dir(&folder).unwrap();
        let me = Orphan::of(std::process::id()).await.unwrap();
        let ticks = me.started().rsplit_once(':').map(|(_, ticks)| ticks);
        let ids: Vec<Uuid> = (0..5).map(|_| Uuid::new_v4()).collect();
        let write = |name: String, id: Uuid, ticks: Option<&str>| {
            let file = serde_json::json!({"sessionId": id, "procStart": ticks, "cwd": "/p"});
            std::fs::write(folder.join(name), file.to_string()).unwrap();
        };
        write(format!("{}.json", me.pid()), ids[0], ticks);
        write("4194399.json".to_owned(), ids[1], None);
        write("1.key".to_owned(), ids[2], None);
        std::fs::write(folder.join("2.json"), "{broken").unwrap();

        let owner = live_owner(config.path(), ids[0]).await.unwrap();
        assert_eq!((owner.process, owner.cwd), (me.clone(), Some("/p".into())));
        for dead in &ids[1..] {
            assert_eq!(live_owner(config.path(), *dead).await, None);
        }

        // The same pid, but an earlier process's file.
        write(format!("{}.json", me.pid()), ids[3], Some("1"));
        let expected = !cfg!(target_os = "linux");
        let found = live_owner(config.path(), ids[3]).await.is_some();
        assert_eq!(found, expected);
    }
}
