//! Processes of this machine, as `ps` and the system know them: whose child, where at home. For
//! tests that kill, and that look for what was left over. Killing itself is left to them.

use std::path::Path;
use std::process::Command;

/// One running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// Its command line.
    pub command: String,
}

/// All processes. Those that have ended and were not fetched by their parent do not count.
///
/// # Panics
/// Where there is no `ps`.
pub fn all() -> Vec<Process> {
    let output = Command::new("ps")
        .args(["-axww", "-o", "pid=,ppid=,stat=,command="])
        .output()
        .expect("ps");
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let pid = words.next()?.parse().ok()?;
        let parent = words.next()?.parse().ok()?;
        let alive = !words.next()?.starts_with('Z');
        let command = words.collect::<Vec<_>>().join(" ");
        alive.then_some(Process {
            pid,
            parent,
            command,
        })
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(read)
        .collect()
}

/// Whether the working directory of a process is in `dir`, which must be a real path.
pub fn lives_in(pid: u32, dir: &Path) -> bool {
    if let Ok(cwd) = std::fs::read_link(format!("/proc/{pid}/cwd")) {
        return cwd.starts_with(dir);
    }
    // Elsewhere than on Linux.
    let output = Command::new("lsof")
        .args(["-a", "-d", "cwd", "-Fn", "-p", &pid.to_string()])
        .output();
    let dir = dir.display().to_string();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&dir))
}

/// A port of the loopback that nobody has, and that the system gives to no connection of its own
/// accord: those begin at 32768 on Linux and higher elsewhere.
///
/// # Panics
/// When all are taken.
pub fn free_port() -> u16 {
    let from: u16 = rand::random_range(0..10_000);
    (0..10_000)
        .map(|step| 20_000 + (from + step) % 10_000)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
