//! Reaching the broker and staying in touch: what is tried again and how fast, what is known of
//! the connection that stands, and in plain words why there is none.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{
    Client, ClientError, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError,
};
use rand::RngExt as _;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::refusal::{Refusals, Refused, is_refusal};
use super::{BrokerError, BrokerOptions, MIN_SERVER, REQUEST_TIMEOUT};
use crate::identity::Creds;
use crate::stream;

/// The library gives a connection up with the third ping that nothing has come after: a line on
/// which everything vanishes is given up after 24 s.
const PING_EVERY: Duration = Duration::from_secs(8);
const FIRST_DELAY: Duration = Duration::from_millis(400);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// Trying on is said again after this long.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// Messages that wait in a subscription. Deltas are droppable: over this the newest are dropped and a
/// warning is logged.
const HEARS: usize = 1024;
/// The same for the router, whose buckets come as fast as the broker can send, with an entry for each
/// node, and to whom all nodes beat at once after a cut. A bucket of which something was dropped is read
/// again from there, and only after seconds.
const ROUTER_HEARS: usize = 2 * stream::MAX_NODES.unsigned_abs() as usize;

/// What is known of the connection.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// Whether it stands.
    pub(super) up: watch::Receiver<bool>,
    /// How often the server refused something.
    pub(super) refusals: Arc<AtomicU64>,
    /// How often it was cut.
    pub(super) cuts: Arc<AtomicU64>,
    /// The server refuses us for good.
    pub(super) refused: watch::Receiver<Option<Refused>>,
}

/// Connects, and keeps trying while the server cannot be reached.
pub(super) async fn reach(
    options: &BrokerOptions,
    cancel: &CancellationToken,
) -> Result<(Client, Link), BrokerError> {
    crate::http::install_tls();
    let url = options.url.clone();
    let (up, follow) = watch::channel(false);
    let (refuse, refused) = watch::channel(None);
    let link = Link {
        up: follow,
        refusals: Arc::default(),
        cuts: Arc::default(),
        refused,
    };
    let mut told: Option<Instant> = None;
    let client = loop {
        // Boxed: with websockets in it, the library's future is a large one.
        let attempt = Box::pin(
            connect_options(options, up.clone(), refuse.clone(), link.clone())?
                .connect(url.as_str()),
        );
        let outcome = tokio::select! {
            outcome = attempt => outcome,
            () = cancel.cancelled() => return Err(BrokerError::Cancelled { url }),
        };
        match outcome {
            Ok(client) => break client,
            Err(error) => match explain(&error, &url, Some(&options.creds)) {
                BrokerError::Unreachable { detail, .. } => {
                    if told.is_none_or(|at| at.elapsed() >= SAID_AGAIN) {
                        warn!(%url, error = %detail, "the broker cannot be reached; trying on");
                        told = Some(Instant::now());
                    }
                    let pause = Duration::from_millis(rand::rng().random_range(500..1500));
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = cancel.cancelled() => return Err(BrokerError::Cancelled { url }),
                    }
                }
                // Time does not mend these.
                error => return Err(error),
            },
        }
    };
    let found = client.server_info().version;
    if !new_enough(&found) {
        return Err(BrokerError::TooOld { url, found });
    }
    up.send_replace(true);
    info!(%url, name = options.creds.name(), server = %found, "connected to the broker");
    Ok((client, link))
}

/// One attempt; gives the server's version.
pub(super) async fn look(options: &BrokerOptions) -> Result<String, BrokerError> {
    crate::http::install_tls();
    let url = &options.url;
    let connect = bare_options(options)?.connection_timeout(Duration::from_secs(5));
    let client = Box::pin(connect.connect(url))
        .await
        .map_err(|error| explain(&error, url, Some(&options.creds)))?;
    let found = client.server_info().version;
    if new_enough(&found) {
        Ok(found)
    } else {
        let url = url.clone();
        Err(BrokerError::TooOld { url, found })
    }
}

/// Why an attempt failed, in plain words.
pub(super) fn explain(error: &ConnectError, url: &str, creds: Option<&Creds>) -> BrokerError {
    let url = url.to_owned();
    // The library wraps the reason; the words of the innermost ones tell.
    let mut detail = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let text = inner.to_string();
        if !detail.contains(&text) {
            detail = format!("{detail}: {text}");
        }
        source = inner.source();
    }
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            return match creds {
                Some(creds) => BrokerError::Refused {
                    url,
                    name: creds.name().to_owned(),
                    why: super::refusal::why(creds),
                },
                None => BrokerError::Setup {
                    url,
                    detail: "it lets no strangers in, so no machine can be enrolled there: is it the broker that `phonework init` set \
                             up?"
                    .into(),
                },
            };
        }
        ConnectErrorKind::ServerParse => return BrokerError::Setup { url, detail },
        _ => {}
    }
    let certificate = [
        (
            "unknownissuer",
            "this machine does not trust who signed it. Set NATS_CA to the hub's own certificate authority (a PEM file); if it is \
             set, it is another hub's",
        ),
        (
            "not valid for name",
            "it is for another name than the one in NATS_URL. Write the name that the certificate has",
        ),
        (
            "not valid yet",
            "it is not valid yet. Is this machine's clock behind?",
        ),
        (
            "expired",
            "it has expired. The hub needs a new one; or is this machine's clock ahead?",
        ),
        (
            "invalid peer certificate",
            "it cannot be used. The hub needs another one",
        ),
    ];
    let lower = detail.to_ascii_lowercase();
    let about_it = lower.contains("invalid peer certificate");
    for (mark, words) in certificate {
        if about_it && lower.contains(mark) {
            let detail = words.to_owned();
            return BrokerError::Untrusted { url, detail };
        }
    }
    BrokerError::Unreachable { url, detail }
}

/// Adds a private certificate authority.
pub(super) fn trust(
    options: ConnectOptions,
    url: &str,
    ca: Option<&Path>,
) -> Result<ConnectOptions, BrokerError> {
    let Some(ca) = ca else { return Ok(options) };
    // Found here, where it can be said; the library would call it a failed connection.
    let wrong = |why: String| BrokerError::Setup {
        url: url.to_owned(),
        detail: format!(
            "NATS_CA {} {why}. It must be a file with -----BEGIN CERTIFICATE-----",
            ca.display()
        ),
    };
    let text =
        std::fs::read_to_string(ca).map_err(|why| wrong(format!("cannot be read: {why}")))?;
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(wrong("holds no certificate".into()));
    }
    Ok(options.add_root_certificates(ca.to_owned()))
}

fn bare_options(options: &BrokerOptions) -> Result<ConnectOptions, BrokerError> {
    let connect = options
        .creds
        .connect_options()
        .map_err(|error| BrokerError::Setup {
            url: options.url.clone(),
            detail: error.to_string(),
        })?;
    trust(connect, &options.url, options.ca.as_deref())
}

fn connect_options(
    options: &BrokerOptions,
    up: watch::Sender<bool>,
    refuse: watch::Sender<Option<Refused>>,
    link: Link,
) -> Result<ConnectOptions, BrokerError> {
    let name = options.creds.name().to_owned();
    let begun = AtomicBool::new(false);
    let seen = Arc::new(Refusals::new(&options.url, options.creds.clone(), refuse));
    let connect = bare_options(options)?
        .connection_timeout(Duration::from_secs(5))
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_EVERY)
        .subscription_capacity(if options.owner { ROUTER_HEARS } else { HEARS })
        // Without a floor a server that accepts and then kicks would be called in a hot loop. The
        // library asks for the very first attempt as well, which has nothing to wait for.
        .reconnect_delay_callback(move |attempts| {
            if !begun.swap(true, Ordering::Relaxed) {
                return Duration::ZERO;
            }
            reconnect_delay(attempts, rand::rng().random_range(0.0..1.0))
        })
        .event_callback(move |event| {
            let (up, name, seen) = (up.clone(), name.clone(), Arc::clone(&seen));
            let Link { refusals, cuts, .. } = link.clone();
            async move {
                match event {
                    Event::Connected => {
                        seen.connected();
                        up.send_replace(true);
                        info!(%name, "broker connection is up");
                    }
                    Event::Disconnected | Event::Closed => {
                        cuts.fetch_add(1, Ordering::SeqCst);
                        up.send_replace(false);
                        warn!(%name, "broker connection is down");
                    }
                    Event::ServerError(ServerError::AuthorizationViolation) => {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        seen.refused();
                        warn!(%name, "the broker refused our credentials");
                    }
                    Event::ServerError(ServerError::Other(text)) => {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        if is_refusal(&text) {
                            seen.refused();
                        }
                        warn!(%name, %text, "the broker refused something");
                    }
                    Event::ClientError(ClientError::Other(text)) if is_refusal(&text) => {
                        seen.refused();
                        warn!(%name, "the broker refused our credentials");
                    }
                    Event::ClientError(ClientError::Other(text)) => {
                        if seen.say_again(SAID_AGAIN) {
                            warn!(%name, error = %text, "the broker cannot be reached; trying on");
                        }
                    }
                    other => debug!(%name, ?other, "broker event"),
                }
            }
        });
    Ok(connect)
}

/// The pause before an attempt to connect again, the first being number 1. It doubles up to a bound
/// and is spread by a quarter each way, so that those who lost one server together come back over a
/// time that grows with its absence. `spread` is from 0 to 1.
fn reconnect_delay(attempt: usize, spread: f64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    let base = FIRST_DELAY * 2_u32.saturating_pow(doublings.min(8));
    base.min(LONGEST_DELAY).mul_f64(0.75 + spread / 2.0)
}

fn new_enough(version: &str) -> bool {
    let mut parts = version
        .split(['.', '-'])
        .map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= MIN_SERVER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_to_reconnect_have_a_floor_a_bound_and_a_spread_that_grows() {
        let range = |attempt| {
            let ms = |spread| reconnect_delay(attempt, spread).as_millis();
            (ms(0.0), ms(1.0))
        };
        assert_eq!(range(0), range(1));
        assert_eq!(range(1), (300, 500));
        assert_eq!(range(2), (600, 1000));
        assert_eq!(range(4), (2400, 4000));
        for attempt in [5, 20, usize::MAX] {
            assert_eq!(range(attempt), (3750, 6250));
        }
    }

    #[test]
    fn old_servers_are_known() {
        for (version, good) in [
            ("2.15.1", true),
            ("2.14.0", true),
            ("3.0.0-dev", true),
            ("2.9.10", false),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(new_enough(version), good, "{version}");
        }
    }
}
