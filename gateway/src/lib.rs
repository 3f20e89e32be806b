//! The surfaces: where people talk to us. Each module of a platform receives what people do there
//! and shows them what comes back. Decides neither where a message goes nor what a node is beyond
//! its name.
//!
//! The way in: a surface's event, `admission`, `intake`, the broker. The way out: the broker,
//! `deliver` (and `preview` for what runs), the surface.

pub mod admission;
pub mod deliver;
pub mod feishu;
pub mod intake;
pub mod ledger;
pub mod preview;
pub mod web;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_nats::service::ServiceExt as _;
use common::broker::Broker;
use common::health::Health;
use common::ids::{Surface, UserId};
use common::lang::Lang;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::admission::Admission;
use crate::deliver::Show;
use crate::feishu::FeishuOptions;
use crate::feishu::surface::Parts;
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::web::{WebError, WebOptions};

/// After `cancel`, what is under way may take this long.
const GRACE: Duration = Duration::from_secs(8);
const HEALTH_EVERY: Duration = Duration::from_secs(5);

/// What the gateway is to do.
#[derive(Debug)]
pub struct GatewayOptions {
    /// The Feishu app; none: that surface is off.
    pub feishu: Option<FeishuOptions>,
    /// The page; none: that surface is off.
    pub web: Option<WebOptions>,
    /// Where `/health` is served when the page is off. With the page it is on the page's port.
    pub health_http: Option<SocketAddr>,
    /// Who may use the chat platform's bot; empty: everybody who can write to it.
    pub allowed: Vec<UserId>,
    /// The language for people whose own is unknown.
    pub lang: Lang,
}

/// Why the gateway cannot run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The page.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The HTTP client of the Feishu surface.
    #[error(transparent)]
    Http(#[from] common::http::HttpError),
    /// No port for `/health`.
    #[error(
        "cannot serve /health on {address} or the nine ports after it: {source}; set BIND or PORT"
    )]
    Health {
        /// Wished address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Runs all surfaces until `cancel`. An unreachable platform or broker is no error: it is tried
/// again, and `health` says so.
pub async fn run(
    options: GatewayOptions,
    broker: Broker,
    health: Health,
    cancel: CancellationToken,
) -> Result<(), GatewayError> {
    let tracker = TaskTracker::new();
    // Also ends what was started when starting the rest fails.
    let cancel = cancel.child_token();
    let _ended = cancel.clone().drop_guard();
    let intake = Intake::new(broker.clone());
    let mut surfaces: Vec<Surface> = Vec::new();
    let mut page = None;
    if let Some(web) = options.web {
        let web = web::start(
            web,
            intake.clone(),
            &health,
            options.lang,
            &tracker,
            &cancel,
        )
        .await?;
        show(&web, &broker, &tracker, &cancel);
        surfaces.push(Surface::Web);
        page = Some(web);
    } else if let Some(address) = options.health_http {
        let listener = web::server::listen(address.ip(), address.port()).await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (at, listener) = bound.map_err(|source| GatewayError::Health { address, source })?;
        info!(address = %at, "/health is served");
        let router = web::server::health_only(health.clone(), at, options.lang);
        tracker.spawn(web::server::serve(listener, router, cancel.clone()));
    }
    if let Some(feishu) = &options.feishu {
        let admission = Admission::new(options.allowed);
        if admission.is_open() {
            warn!("ALLOWED_OPEN_IDS is empty: everybody who can write to the bot may use it");
        }
        let parts = Parts {
            intake,
            admission,
            ledger: Ledger::new(broker.clone(), Surface::Feishu),
            lang: options.lang,
        };
        let feishu = feishu::surface::start(feishu, parts, &health, &tracker, &cancel)?;
        show(&feishu, &broker, &tracker, &cancel);
        surfaces.push(Surface::Feishu);
    }
    tracker.spawn(watch_broker(broker, health, surfaces, cancel.clone()));
    cancel.cancelled().await;
    tracker.close();
    if tokio::time::timeout(GRACE, tracker.wait()).await.is_err() {
        warn!("the gateway stopped with work under way; it is taken up again at the next start");
    }
    // Last, as what was under way may have been shown on it.
    if let Some(page) = page {
        page.close().await;
    }
    Ok(())
}

/// Starts what a surface shows: deliveries and previews.
fn show<S: Show>(
    surface: &Arc<S>,
    broker: &Broker,
    tracker: &TaskTracker,
    cancel: &CancellationToken,
) {
    tracker.spawn(deliver::run(
        Arc::clone(surface),
        broker.clone(),
        cancel.clone(),
    ));
    tracker.spawn(preview::run(
        Arc::clone(surface),
        broker.clone(),
        cancel.clone(),
    ));
    tracker.spawn(announce(S::SURFACE, broker.clone(), cancel.clone()));
}

/// Lets operators find us with `nats micro ls`. Not having it is a nuisance and no more.
async fn announce(surface: Surface, broker: Broker, cancel: CancellationToken) {
    let service = broker
        .client()
        .service_builder()
        .description("PhoneWork gateway: shows and receives on one surface")
        .start(
            format!("phonework-gateway-{surface}"),
            env!("CARGO_PKG_VERSION"),
        )
        .await;
    match service {
        Ok(service) => {
            cancel.cancelled().await;
            let _ = service.stop().await;
        }
        Err(why) => warn!(%surface, %why, "not listed as a micro service"),
    }
}

/// Keeps the gateway's own line on the board: whether the broker is there, and whether it ever
/// refused us something, which would be a defect of ours or a wrong set-up.
async fn watch_broker(
    broker: Broker,
    health: Health,
    surfaces: Vec<Surface>,
    cancel: CancellationToken,
) {
    let mut up = broker.up();
    let mut tick = tokio::time::interval(HEALTH_EVERY);
    loop {
        let connected = *up.borrow_and_update();
        let refusals = broker.refusals();
        health.set(
            "gateway",
            connected && refusals == 0,
            json!({"broker": connected, "refusals": refusals, "surfaces": surfaces}),
        );
        tokio::select! {
            changed = up.changed() => if changed.is_err() { return },
            _ = tick.tick() => {}
            () = cancel.cancelled() => return,
        }
    }
}
