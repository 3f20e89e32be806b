//! Reaching the broker and staying in touch: what is tried again and how fast, and what is known of
//! the connection that stands.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use rand::RngExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{BrokerError, BrokerOptions, MIN_SERVER, REQUEST_TIMEOUT};

/// The library gives a connection up with the third ping that nothing has come after: a line on
/// which everything vanishes is given up after 24 s.
const PING_EVERY: Duration = Duration::from_secs(8);
const FIRST_DELAY: Duration = Duration::from_millis(400);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// What is known of the connection.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// Whether it stands.
    pub(super) up: watch::Receiver<bool>,
    /// How often the server refused something.
    pub(super) refusals: Arc<AtomicU64>,
    /// How often it was cut.
    pub(super) cuts: Arc<AtomicU64>,
}

/// Connects, and keeps trying while the server cannot be reached.
pub(super) async fn reach(
    options: &BrokerOptions,
    cancel: &CancellationToken,
) -> Result<(Client, Link), BrokerError> {
    crate::http::install_tls();
    let url = options.url.clone();
    let (up, follow) = watch::channel(false);
    let link = Link {
        up: follow,
        refusals: Arc::default(),
        cuts: Arc::default(),
    };
    let mut told = false;
    let client = loop {
        let attempt = connect_options(options, up.clone(), link.clone())
            .map_err(|detail| BrokerError::Setup {
                url: url.clone(),
                detail,
            })?
            .connect(url.as_str());
        let outcome = tokio::select! {
            outcome = attempt => outcome,
            () = cancel.cancelled() => return Err(BrokerError::Cancelled { url }),
        };
        match outcome {
            Ok(client) => break client,
            Err(error) => match error.kind() {
                ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                    return Err(BrokerError::Refused {
                        url,
                        name: options.creds.name().to_owned(),
                    });
                }
                ConnectErrorKind::ServerParse => {
                    return Err(BrokerError::Setup {
                        url,
                        detail: error.to_string(),
                    });
                }
                _ => {
                    if !told {
                        warn!(%url, %error, "the broker cannot be reached; trying on");
                        told = true;
                    }
                    let pause = Duration::from_millis(rand::rng().random_range(500..1500));
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = cancel.cancelled() => return Err(BrokerError::Cancelled { url }),
                    }
                }
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

fn connect_options(
    options: &BrokerOptions,
    up: watch::Sender<bool>,
    link: Link,
) -> Result<ConnectOptions, String> {
    let name = options.creds.name().to_owned();
    let begun = AtomicBool::new(false);
    let mut connect = options
        .creds
        .connect_options()
        .map_err(|error| error.to_string())?
        .connection_timeout(Duration::from_secs(5))
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_EVERY)
        // Deltas are droppable: over this the newest are dropped and a warning is logged.
        .subscription_capacity(1024)
        // Without a floor a server that accepts and then kicks would be called in a hot loop. The
        // library asks for the very first attempt as well, which has nothing to wait for.
        .reconnect_delay_callback(move |attempts| {
            if !begun.swap(true, Ordering::Relaxed) {
                return Duration::ZERO;
            }
            reconnect_delay(attempts, rand::rng().random_range(0.0..1.0))
        })
        .event_callback(move |event| {
            let (up, name) = (up.clone(), name.clone());
            let Link { refusals, cuts, .. } = link.clone();
            async move {
                match event {
                    Event::Connected => {
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
                        warn!(%name, "the broker refused our credentials");
                    }
                    Event::ServerError(ServerError::Other(text)) => {
                        refusals.fetch_add(1, Ordering::Relaxed);
                        warn!(%name, %text, "the broker refused something");
                    }
                    other => debug!(%name, ?other, "broker event"),
                }
            }
        });
    if let Some(ca) = &options.ca {
        connect = connect.add_root_certificates(ca.clone());
    }
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
