//! `GET /health` and `GET /metrics` for whoever watches the router. What it shows is written by each part.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use common::health::Health;
use common::metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

/// Ports tried after the wanted one.
const NEXT: u16 = 9;

/// Serves on `wanted`, or on one of the next nine ports where that is taken; gives the address.
///
/// # Errors
/// What the system said about the last port.
pub(crate) async fn serve(
    wanted: SocketAddr,
    health: Health,
    tasks: &TaskTracker,
    cancel: CancellationToken,
) -> std::io::Result<SocketAddr> {
    let listener = bind(wanted).await?;
    let address = listener.local_addr()?;
    info!(%address, "health at http://{address}/health");
    let app = axum::Router::new()
        .route("/health", get(show))
        .route("/metrics", get(numbers))
        .with_state(health);
    tasks.spawn(async move {
        let serving = axum::serve(listener, app).with_graceful_shutdown(cancel.cancelled_owned());
        if let Err(why) = serving.await {
            error!(%why, "the health page has ended");
        }
    });
    Ok(address)
}

async fn bind(wanted: SocketAddr) -> std::io::Result<TcpListener> {
    let mut address = wanted;
    loop {
        match TcpListener::bind(address).await {
            Err(why)
                if why.kind() == std::io::ErrorKind::AddrInUse
                    && address.port() < wanted.port().saturating_add(NEXT) =>
            {
                warn!(%address, "this port is taken; trying the next");
                address.set_port(address.port() + 1);
            }
            outcome => return outcome,
        }
    }
}

async fn show(State(health): State<Health>) -> impl IntoResponse {
    let (ok, report) = health.report();
    let code = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(report))
}

async fn numbers(State(health): State<Health>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (kind, health.metrics().text())
}
