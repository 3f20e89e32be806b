//! Whether the server can still store: asked of its own health page, which names a stream that could
//! not be written and says when its streams are off altogether.
//!
//! Seen with nats-server 2.15: after a write that failed for want of room a stream takes nothing more
//! and answers nobody, also when there is room again; after one that its file system did not permit,
//! all streams are off. Both end with a restart and with nothing else.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How often the page is asked.
const LOOK: Duration = Duration::from_secs(2);
/// How long an answer may take.
const WAIT: Duration = Duration::from_secs(5);
/// More of an answer than this is not read.
const MOST: u64 = 16 * 1024;

/// Returns when the server behind the page at `monitor` (`host:port`) cannot store any more, with
/// its reason. Never returns without a page: then nobody can tell.
pub(super) async fn lost(monitor: Option<&str>) -> String {
    let Some(monitor) = monitor else {
        return std::future::pending().await;
    };
    let mut before = false;
    loop {
        sleep(LOOK).await;
        let why = timeout(WAIT, ask(monitor))
            .await
            .ok()
            .flatten()
            .and_then(|page| reason(&page));
        match why {
            // Twice, so that nothing passing counts.
            Some(why) if before => return why,
            why => before = why.is_some(),
        }
    }
}

/// The answer's body; none if there is no answer. A server that does not answer at all is not for
/// us to judge: it may be busy.
async fn ask(monitor: &str) -> Option<String> {
    let mut stream = TcpStream::connect(monitor).await.ok()?;
    let request = format!("GET /healthz HTTP/1.0\r\nHost: {monitor}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
}

/// Why the server cannot store, out of its answer; none if it can, or if it has other troubles.
fn reason(page: &str) -> Option<String> {
    let page: serde_json::Value = serde_json::from_str(page).ok()?;
    let error = page.get("error")?.as_str()?;
    let lost = error.contains("write error") || error.contains("not enabled");
    lost.then(|| error.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_restart_mends_counts() {
        assert_eq!(reason(r#"{"status":"ok"}"#), None);
        assert_eq!(reason("<html>"), None);
        let other = r#"{"status":"unavailable","error":"JetStream has not established contact with a meta leader"}"#;
        assert_eq!(reason(other), None);
        let off = r#"{"status":"unavailable","error":"JetStream not enabled (10076)"}"#;
        assert_eq!(reason(off).unwrap(), "JetStream not enabled (10076)");
        let full = r#"{"status":"unavailable","error":"JetStream stream 'A > PW_IN' write error: write 1.blk: no space left on device"}"#;
        assert!(reason(full).unwrap().contains("no space left"));
    }
}
