//! What comes after joining: the host runs as a service, or here and now, or later. Said by a flag, or asked where a
//! person sits at a terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::service::{Service, ServiceError};
use crate::arguments::Then;

/// Does it, or asks what to do. Returns what to tell; running here does not return.
///
/// # Errors
/// [`ServiceError`]. The machine has joined all the same.
pub(crate) fn then(then: Option<Then>, node: &str, config: &Path) -> Result<String, ServiceError> {
    let then = match then {
        Some(then) => then,
        None if io::stdin().is_terminal() && io::stdout().is_terminal() => asked(),
        None => Then::Nothing,
    };
    match then {
        Then::Service => Service::of(node, config)?.install(),
        // The same process from here on, so that whoever started it finds the host.
        Then::Run => {
            let program =
                std::env::current_exe().map_err(|why| ServiceError::Where("this program", why))?;
            let why = Command::new(program)
                .arg("host")
                .arg("--config")
                .arg(config)
                .exec();
            Err(ServiceError::Where("this program", why))
        }
        Then::Nothing => {
            let folder = config.parent().filter(|dir| *dir != Path::new("."));
            let place = folder.map_or_else(
                || "here".to_owned(),
                |folder| format!("in {}", folder.display()),
            );
            Ok(format!(
                "To start it, run {place}:\n  phonework host       in this terminal\n  \
                 phonework service    from now on, also after a restart of the machine (with systemd)\n"
            ))
        }
    }
}

fn asked() -> Then {
    let mut out = io::stdout();
    let _ = write!(
        out,
        "Start it now? [s] as a service  [h] here, in this terminal  [n] not now: "
    );
    let _ = out.flush();
    let mut line = String::new();
    // Whoever says nothing is told what to run.
    let _ = io::stdin().lock().read_line(&mut line);
    match line.trim().to_lowercase().chars().next() {
        Some('s') => Then::Service,
        Some('h') => Then::Run,
        Some(_) | None => Then::Nothing,
    }
}
