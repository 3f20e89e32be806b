//! What a process uses, as the system counts it, and what many numbers come to: for benches. What
//! is measured, and when, is theirs.

use std::time::Duration;

/// What a process holds and has used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Resident memory, in MB.
    pub resident: f64,
    /// The part of it that is its own and not of files, in MB.
    pub own: f64,
    /// Processor time since its start, of all its threads.
    pub cpu: Duration,
}

/// What a process uses now.
///
/// # Panics
/// When there is no such process, or this is not Linux.
pub fn of(pid: u32) -> Usage {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"))
    };
    let status = read("status");
    Usage {
        resident: megabytes(&status, "VmRSS:").expect("resident memory"),
        own: megabytes(&status, "RssAnon:").expect("memory of its own"),
        cpu: cpu(&read("stat")).expect("processor time"),
    }
}

/// A line of `/proc/<pid>/status` that is in kB.
fn megabytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kb: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024.0)
}

/// The processor time in `/proc/<pid>/stat`: user and system, in the ticks of 10 ms that Linux has
/// everywhere.
fn cpu(stat: &str) -> Option<Duration> {
    // The name of the program may hold anything, blanks and brackets too.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// The time that `percent` of them do not exceed, in ms; not a number if there are none.
pub fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    // The nearest rank: the smallest that has so many at or below it.
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted
        .get(rank - 1)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_lines_are_read() {
        let status = "Name:\tx\nVmRSS:\t  4096 kB\nRssAnon:\t    1024 kB\nRssFile:\t 3072 kB\n";
        assert_eq!(megabytes(status, "VmRSS:"), Some(4.0));
        assert_eq!(megabytes(status, "RssAnon:"), Some(1.0));
        assert_eq!(megabytes(status, "VmSwap:"), None);
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 900 0 3 0 150 25 0 0 20 0 3 0 100 1 2";
        assert_eq!(cpu(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu("7 (x"), None);
    }

    #[test]
    fn ourselves_are_measured() {
        let begun = of(std::process::id());
        assert!(
            begun.resident > 0.5 && begun.own <= begun.resident,
            "{begun:?}"
        );
        let page = vec![1_u8; 64 * 1024 * 1024];
        let now = of(std::process::id());
        assert!(now.own - begun.own > 32.0, "{begun:?} {now:?}");
        assert_eq!(
            page.iter().map(|&one| u64::from(one)).sum::<u64>(),
            64 << 20
        );
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(percentile(&times, 50), 100.0));
        assert!(close(percentile(&times, 99), 198.0));
        assert!(close(percentile(&times, 100), 200.0));
        assert!(close(percentile(&times[..1], 1), 200.0));
        assert!(percentile(&[], 50).is_nan());
    }
}
