//! The directory that a person's commands run in: at first that of the active session, then wherever
//! `cd` led, and that of the session again once another one is active.

use std::path::{Path, PathBuf};

use common::ids::UserId;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::grounds::Grounds;
use crate::journal::{Change, Shelf};

/// As it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    dir: String,
    /// The session's directory at the time.
    base: String,
}

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    /// Relative to the working directory; `.` for itself.
    pub(crate) dir: String,
    /// Absolute, links resolved.
    pub(crate) path: PathBuf,
}

fn resolved(grounds: &Grounds, path: &Path) -> Option<At> {
    let path = path.canonicalize().ok().filter(|path| path.is_dir())?;
    let inner = path.strip_prefix(&grounds.root).ok()?;
    if grounds.is_others(inner) {
        return None;
    }
    let dir = match inner.to_str()? {
        "" => ".".to_owned(),
        dir => dir.to_owned(),
    };
    Some(At { dir, path })
}

/// Where this person's next command runs.
pub(super) async fn find(context: &Context, grounds: &Grounds) -> At {
    let kept = context.kept(Shelf::Place, &grounds.user.to_string()).await;
    let kept: Option<Kept> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    kept.filter(|kept| kept.base == grounds.dir)
        .and_then(|kept| resolved(grounds, &grounds.root.join(kept.dir)))
        .or_else(|| resolved(grounds, &grounds.root.join(&grounds.dir)))
        .unwrap_or_else(|| At {
            dir: ".".into(),
            path: grounds.root.clone(),
        })
}

/// A directory that was found before, by its name, if it is still there and the person's to use.
pub(super) fn again(grounds: &Grounds, dir: &str) -> Option<At> {
    resolved(grounds, &grounds.root.join(dir))
}

/// The directory that a command ended in, if the next one may run there.
pub(super) fn entered(grounds: &Grounds, path: &Path) -> Option<At> {
    resolved(grounds, path)
}

/// Writes it down.
pub(super) fn keep(user: &UserId, at: &At, base: &str) -> Change {
    let kept = Kept {
        dir: at.dir.clone(),
        base: base.to_owned(),
    };
    let bytes = serde_json::to_vec(&kept).unwrap_or_default();
    Change::Put(Shelf::Place, user.to_string(), bytes)
}
