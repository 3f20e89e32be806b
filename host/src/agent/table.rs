//! The system's table of processes: who is in which group, and with which command line it was
//! started. What to make of one is left to the caller.

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its process id.
    pub(super) pid: u32,
    /// Its process group.
    pub(super) group: u32,
    /// Its command line, the program first. Where the system gives it as one line, it is cut at
    /// blanks.
    pub(super) args: Vec<String>,
}

impl Row {
    /// The word behind the first of `options` on the command line.
    pub(super) fn value_of(&self, options: &[&str]) -> Option<&str> {
        let at = self
            .args
            .iter()
            .position(|arg| options.contains(&arg.as_str()))?;
        self.args.get(at + 1).map(String::as_str)
    }
}

/// All processes that can be seen; reads files or runs a program, so it blocks.
#[cfg(target_os = "linux")]
pub(super) fn rows() -> Vec<Row> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let args = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let args = args
                .split(|byte| *byte == 0)
                .map(|arg| String::from_utf8_lossy(arg).into_owned())
                .collect();
            Some(Row {
                pid,
                group: group_in(&stat)?,
                args,
            })
        })
        .collect()
}

/// Third field behind the name, which may hold anything and ends with the last bracket.
#[cfg(target_os = "linux")]
fn group_in(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// All processes that can be seen; reads files or runs a program, so it blocks.
#[cfg(not(target_os = "linux"))]
pub(super) fn rows() -> Vec<Row> {
    by_ps()
}

/// As `ps` tells it, everywhere.
#[cfg(any(test, not(target_os = "linux")))]
fn by_ps() -> Vec<Row> {
    let output = std::process::Command::new("ps")
        .env("LC_ALL", "C")
        .args(["-axww", "-o", "pid=,pgid=,command="])
        .output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            Some(Row {
                pid: words.next()?.parse().ok()?,
                group: words.next()?.parse().ok()?,
                args: words.map(str::to_owned).collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What is read from files and what `ps` says is the same.
    #[test]
    fn a_process_is_found_with_its_group_and_words() {
        let mut child = Command::new("sleep").args(["600", "1"]).spawn().unwrap();
        let mine = rustix::process::getpgrp().as_raw_nonzero().get();
        for rows in [rows(), by_ps()] {
            let row = rows.iter().find(|row| row.pid == child.id()).unwrap();
            assert_eq!(i32::try_from(row.group).unwrap(), mine);
            assert_eq!(row.value_of(&["--other", "600"]), Some("1"));
            assert_eq!(row.value_of(&["--other"]), None);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
