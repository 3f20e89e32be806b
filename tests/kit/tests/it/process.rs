//! Processes as the system shows them.

use std::process::Command;

use kit::process::{all, lives_in};

#[test]
fn a_child_is_found_with_its_parent_its_words_and_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let mut child = Command::new("sleep")
        .arg("600.25")
        .current_dir(&dir)
        .spawn()
        .unwrap();
    let found = all();
    let found = found.iter().find(|process| process.pid == child.id());
    let found = found.unwrap().clone();
    assert_eq!(found.parent, std::process::id());
    assert_eq!(found.command, "sleep 600.25");
    assert!(lives_in(child.id(), &dir));
    assert!(!lives_in(std::process::id(), &dir));
    child.kill().unwrap();
    // Ended, and not fetched: no longer there for whoever looks.
    let gone = || all().iter().all(|process| process.pid != child.id());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !gone() {
        assert!(std::time::Instant::now() < deadline, "it still runs");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.wait().unwrap();
}
