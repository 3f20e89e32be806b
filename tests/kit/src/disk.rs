//! Disks that a test can fill up or make read-only: a small file system of its own, and a folder
//! that nothing can be written to any more, not even through files that are open.
//!
//! Both need rights that only root has (or CAP_SYS_ADMIN and CAP_LINUX_IMMUTABLE). Without them the
//! test fails and says so: a disk that never filled would show nothing.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of its own in memory, gone when dropped.
pub struct SmallDisk {
    path: PathBuf,
    // Removed after it is unmounted; none where the test owns the folder.
    _dir: Option<tempfile::TempDir>,
}

impl SmallDisk {
    /// A disk of so many bytes, in a temporary folder.
    ///
    /// # Panics
    /// When it cannot be mounted; the text says what to do.
    pub fn new(bytes: u64) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("pw-disk-")
            .tempdir()
            .expect("a temporary folder");
        mount(dir.path(), bytes);
        Self {
            path: dir.path().to_owned(),
            _dir: Some(dir),
        }
    }

    /// The same, mounted on `folder`, which is made if it is missing. To be dropped before the
    /// folder is.
    ///
    /// # Panics
    /// As [`SmallDisk::new`].
    pub fn at(folder: &Path, bytes: u64) -> Self {
        std::fs::create_dir_all(folder).expect("a folder to mount on");
        mount(folder, bytes);
        Self {
            path: folder.to_owned(),
            _dir: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes all room there is. It is given back by [`SmallDisk::clear`].
    pub fn fill(&self) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .expect("a file to fill the disk with");
        let block = vec![b'.'; 64 * 1024];
        for size in [block.len(), 4096, 1] {
            let part = block.get(..size).expect("not longer than the block");
            loop {
                match file.write_all(part) {
                    Ok(()) => {}
                    Err(why) if why.kind() == ErrorKind::StorageFull => break,
                    Err(why) => panic!("filling {}: {why}", self.path.display()),
                }
            }
        }
    }

    /// Gives the room back.
    pub fn clear(&self) {
        std::fs::remove_file(self.filler()).expect("giving the room back");
    }

    /// Makes it read-only. The system refuses that while any file on it is open for writing.
    ///
    /// # Errors
    /// When it refuses.
    pub fn read_only(&self) -> Result<(), String> {
        self.remount("ro")
    }

    /// Makes it writable again.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn writable(&self) -> Result<(), String> {
        self.remount("rw")
    }

    fn remount(&self, how: &str) -> Result<(), String> {
        let options = format!("remount,{how}");
        output(Command::new("mount").args(["-o", &options]).arg(&self.path))
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what a failing test left open must not keep it.
        let gone = output(Command::new("umount").arg("-l").arg(&self.path));
        if let Err(why) = gone {
            eprintln!("{} stays mounted: {why}", self.path.display());
        }
    }
}

/// A folder in which nothing can be written any more, as on a disk that the system has made
/// read-only under running programs. Writable again when dropped.
pub struct Frozen {
    path: PathBuf,
}

impl Frozen {
    /// Freezes `folder` and all in it, files that are open included.
    ///
    /// # Panics
    /// When its file system does not do that; the text says what to do.
    pub fn freeze(folder: &Path) -> Self {
        let frozen = Self {
            path: folder.to_owned(),
        };
        let probe = folder.join("frozen-probe");
        let mut open = File::create(&probe).expect("a file to try it with");
        run(
            Command::new("chattr").args(["-R", "+i"]).arg(folder),
            "tests of read-only folders use immutable files: run them as root (in a container with \
             --cap-add LINUX_IMMUTABLE) and have TMPDIR on an ext4 file system",
        );
        assert!(
            open.write_all(b"x").is_err(),
            "open files in {} can still be written: tests of read-only folders need TMPDIR on an \
             ext4 file system",
            folder.display()
        );
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let thawed = output(Command::new("chattr").args(["-R", "-i"]).arg(&self.path));
        if let Err(why) = thawed {
            eprintln!("{} stays read-only: {why}", self.path.display());
        }
        let _ = std::fs::remove_file(self.path.join("frozen-probe"));
    }
}

fn mount(folder: &Path, bytes: u64) {
    let options = format!("size={bytes},mode=0700");
    run(
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder),
        "tests of full disks mount small file systems: run them as root (in a container with \
         --cap-add SYS_ADMIN)",
    );
}

fn run(command: &mut Command, needed: &str) {
    if let Err(why) = output(command) {
        panic!("{needed}. {why}");
    }
}

fn output(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|why| format!("{}: {why}", command.get_program().to_string_lossy()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}
