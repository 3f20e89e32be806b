//! Listening: on the wished port or one near it, until the end.

use std::net::IpAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Ports tried from the wished one on.
const PORTS: u16 = 10;

/// Listens on `port`, or on one of the next ones if it is taken. 0 takes any.
pub(crate) async fn listen(bind: IpAddr, port: u16) -> std::io::Result<TcpListener> {
    for offset in 0..PORTS {
        let Some(next) = port.checked_add(offset) else {
            break;
        };
        match TcpListener::bind((bind, next)).await {
            Err(why) if why.kind() == std::io::ErrorKind::AddrInUse && offset + 1 < PORTS => {
                warn!(port = next, "the port is taken; trying the next one");
            }
            Ok(listener) => {
                if offset > 0 {
                    info!(wished = port, port = next, "listening on another port");
                }
                return Ok(listener);
            }
            other => return other,
        }
    }
    Err(std::io::ErrorKind::AddrInUse.into())
}

/// Serves until `cancel`; open pages are let go then.
pub(crate) async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned());
    if let Err(why) = served.await {
        warn!(%why, "the web server ended");
    }
}
