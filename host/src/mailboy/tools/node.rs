//! What the machine is.

use chrono::Utc;

use super::Field;
use crate::context::Context;
use crate::grounds::Grounds;

pub(super) const INFO: (&str, &[Field]) = (
    "Tells about this machine: name, system, processors, load, working directory, current folder, time and time zone.",
    &[],
);

pub(super) fn info(context: &Context, grounds: &Grounds) -> String {
    let now = Utc::now().with_timezone(&context.timezone);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    format!(
        "name: {}\nnode id: {}\nsystem: {} on {}\nprocessors: {cores}\nload (1, 5, 15 min): {}\nworking directory: {}\ncurrent folder: {}\ntime: {}\ntime zone: {}\nPhoneWork: {}",
        context.name,
        context.node,
        std::env::consts::OS,
        std::env::consts::ARCH,
        if load.is_empty() {
            "unknown".to_owned()
        } else {
            load.join(" ")
        },
        grounds.root.display(),
        grounds.dir,
        now.format("%A, %Y-%m-%d %H:%M:%S"),
        context.timezone.name(),
        env!("CARGO_PKG_VERSION"),
    )
}
