//! The end: the first signal asks for an orderly one, the second ends at once.

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Exit code after a second signal: as a shell names death by SIGTERM.
const CUT_SHORT: i32 = 143;

/// A token that the first SIGTERM, SIGINT or SIGHUP cancels.
///
/// # Errors
/// When the system does not let us listen to signals.
pub(crate) fn on_signal() -> std::io::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let cancel = CancellationToken::new();
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut hup = signal(SignalKind::hangup())?;
    let told = cancel.clone();
    tokio::spawn(async move {
        let mut times = 0_u32;
        loop {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
                _ = hup.recv() => {}
            }
            times += 1;
            if times == 1 {
                info!("stopping; once more ends at once");
                told.cancel();
            } else {
                warn!("ended at once; what was under way is taken up at the next start");
                // The broker child dies with us; everything that counts is on the disk.
                std::process::exit(CUT_SHORT);
            }
        }
    });
    Ok(cancel)
}
