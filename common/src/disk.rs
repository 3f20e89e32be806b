//! Whether a folder can be written, asked of the disk itself, and what is said when it cannot.
//!
//! Who keeps what in a folder, and what it does when it cannot, is left to each part.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Write as _};
use std::path::Path;

/// What must fit for a folder to count as one with room, in bytes: more than any single thing that
/// we write at once, so that whatever goes on does not stop again at the next step.
pub const ROOM: usize = 1024 * 1024;

/// Writes [`ROOM`] bytes into `folder`, waits for the disk, and takes them away again. Free space as
/// the system counts it says less: of reserved blocks, quotas and disks that are gone it knows nothing.
///
/// # Errors
/// What the system said.
pub fn has_room(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(".room");
    let tried = try_out(&path);
    // Also of a try that was cut short, or it would keep what little room there is. Somebody beside
    // us may try the same folder and have removed it.
    match std::fs::remove_file(&path) {
        Err(why) if tried.is_ok() && why.kind() != ErrorKind::NotFound => Err(why),
        Ok(()) | Err(_) => tried,
    }
}

fn try_out(path: &Path) -> std::io::Result<()> {
    let mut file: File = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)?;
    file.write_all(&vec![0; ROOM])?;
    file.sync_all()
}

/// One sentence on why nothing can be written at `path`: what, where, what to do.
pub fn say(path: &Path, why: &Error) -> String {
    let path = path.display();
    match why.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            format!("no room on the disk of {path} ({why}): free some space there")
        }
        ErrorKind::ReadOnlyFilesystem => format!(
            "{path} is on a disk that is read-only ({why}): make it writable, or name another folder with DATA_DIR"
        ),
        ErrorKind::PermissionDenied => format!(
            "{path} may not be written ({why}): give this user the right to, or name another folder with DATA_DIR"
        ),
        _ => format!("{path} cannot be written ({why}): look after its disk"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_room_is_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        has_room(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let missing = has_room(&dir.path().join("none")).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn each_reason_says_what_to_do() {
        let said = |kind: ErrorKind| say(Path::new("/data"), &Error::from(kind));
        insta::assert_snapshot!(
            [
                said(ErrorKind::StorageFull),
                said(ErrorKind::ReadOnlyFilesystem),
                said(ErrorKind::PermissionDenied),
                said(ErrorKind::TimedOut),
            ]
            .join("\n"),
            @r"
        no room on the disk of /data (no storage space): free some space there
        /data is on a disk that is read-only (read-only filesystem or storage medium): make it writable, or name another folder with DATA_DIR
        /data may not be written (permission denied): give this user the right to, or name another folder with DATA_DIR
        /data cannot be written (timed out): look after its disk
        "
        );
    }
}
