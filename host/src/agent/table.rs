//! The system's table of processes: who is in which group, and with which command line it was
//! started. What to make of one is left to the caller.

/// A running process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its process id.
    pub(crate) pid: u32,
    /// The process id of its parent.
    pub(crate) parent: u32,
    /// Its process group.
    pub(crate) group: u32,
    /// Its command line, the program first. Where the system gives it as one line, it is cut at
    /// blanks.
    pub(crate) args: Vec<String>,
}

impl Row {
    /// The word behind the first of `options` on the command line.
    pub(crate) fn value_of(&self, options: &[&str]) -> Option<&str> {
        let at = self
            .args
            .iter()
            .position(|arg| options.contains(&arg.as_str()))?;
        self.args.get(at + 1).map(String::as_str)
    }
}

/// All processes that can be seen; reads files or runs a program, so it blocks.
#[cfg(target_os = "linux")]
pub(crate) fn rows() -> Vec<Row> {
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
            let (parent, group) = parent_and_group(&stat)?;
            Some(Row {
                pid,
                parent,
                group,
                args,
            })
        })
        .collect()
}

/// Second and third field behind the name, which may hold anything and ends with the last bracket.
#[cfg(target_os = "linux")]
fn parent_and_group(stat: &str) -> Option<(u32, u32)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// All processes that can be seen; reads files or runs a program, so it blocks.
#[cfg(not(target_os = "linux"))]
pub(crate) fn rows() -> Vec<Row> {
    by_ps()
}

/// As `ps` tells it, everywhere.
#[cfg(any(test, not(target_os = "linux")))]
fn by_ps() -> Vec<Row> {
    let output = std::process::Command::new("ps")
        .env("LC_ALL", "C")
        .args(["-axww", "-o", "pid=,ppid=,pgid=,command="])
        .output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output)
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            Some(Row {
                pid: words.next()?.parse().ok()?,
                parent: words.next()?.parse().ok()?,
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
            assert_eq!(row.parent, std::process::id());
            assert_eq!(row.value_of(&["--other", "600"]), Some("1"));
            assert_eq!(row.value_of(&["--other"]), None);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
