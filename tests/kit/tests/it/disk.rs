//! The small disk is really full when it says so, and the frozen folder really takes nothing.

use std::fs::File;
use std::io::{ErrorKind, Write as _};

use kit::disk::{Frozen, SmallDisk};

#[test]
fn a_small_disk_fills_up_and_has_room_again() {
    let disk = SmallDisk::new(1024 * 1024);
    let mut early = File::create(disk.path().join("early")).unwrap();
    early.write_all(b"x").unwrap();
    disk.fill();
    let why = std::fs::write(disk.path().join("late"), vec![0; 8192]).unwrap_err();
    assert_eq!(why.kind(), ErrorKind::StorageFull);
    // Of a file that is open the system does not take the right to write.
    assert!(disk.read_only().unwrap_err().contains("busy"));
    drop(early);
    disk.read_only().unwrap();
    let why = File::create(disk.path().join("early")).unwrap_err();
    assert_eq!(why.kind(), ErrorKind::ReadOnlyFilesystem);
    disk.writable().unwrap();
    disk.clear();
    std::fs::write(disk.path().join("late"), vec![0; 8192]).unwrap();
    let path = disk.path().to_owned();
    drop(disk);
    assert!(!path.exists());
}

#[test]
fn a_frozen_folder_takes_nothing_until_it_thaws() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut open = File::create(&path).unwrap();
    let frozen = Frozen::freeze(dir.path());
    assert!(open.write_all(b"x").is_err());
    assert!(File::options().append(true).open(&path).is_err());
    assert!(File::create(dir.path().join("new")).is_err());
    drop(frozen);
    open.write_all(b"x").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"x");
}
