//! The surfaces: where people talk to us. Each module of a platform receives what people do there
//! and shows them what comes back. Decides neither where a message goes nor what a node is beyond
//! its name.
//!
//! The way in: a surface's event, `admission`, `intake`, the broker. The way out: the broker,
//! `deliver` (and `preview` for what runs), the surface.
//!
//! Several gateways may run for one surface. All of them receive: a platform gives each event to one
//! of the open connections, and what one that dies had in hand it gives to another; if only one
//! were open, what comes between its end and the next one's beginning would come late. One of them
//! shows, the one with the surface's lease (`common::broker::lease`), as what a card looks like is
//! an order. What two gateways receive within the same moment may change places; that is less time
//! than a person needs between two messages.
//!
//! The page keeps what it shows in the process that showed it. Of two gateways with a page both take
//! what people write there, and the one that leads shows the answers; the page of the other one has
//! what it showed when it led. So two gateways of one hub are for the chat platform, and one of them
//! for the page.

pub mod admission;
mod bucket;
pub mod deliver;
pub mod feishu;
mod files;
pub mod intake;
pub mod ledger;
pub mod preview;
mod served;
pub mod share;
pub mod spool;
pub mod web;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::service::ServiceExt as _;
use common::broker::Broker;
use common::broker::lease::{Candidate, Instance, Place, Role, Standing};
use common::health::Health;
use common::ids::{Surface, UserId};
use common::lang::Lang;
use common::stream;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::admission::Admission;
use crate::deliver::Show;
use crate::feishu::FeishuOptions;
use crate::feishu::surface::Parts;
use crate::files::Transfers;
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::served::Served;
use crate::spool::Spool;
use crate::web::{WebError, WebOptions};

/// After `cancel`, what is under way may take this long.
const GRACE: Duration = Duration::from_secs(8);
const HEALTH_EVERY: Duration = Duration::from_secs(1);

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
    /// The language for people whose own is unknown; none: Chinese for whoever writes it, else English.
    pub lang: Option<Lang>,
    /// Where taps are kept while the broker is away. Several gateways may use one folder.
    pub data_dir: PathBuf,
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
    /// No thread for what is kept.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
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
    let spool = Spool::start(options.data_dir, &broker, health.clone(), &tracker, &cancel)
        .map_err(GatewayError::Thread)?;
    let intake = Intake::new(broker.clone(), spool.clone());
    // Answers until what it leads has ended, so that nobody follows before.
    let (answering, answers) = (CancellationToken::new(), TaskTracker::new());
    let _answering = answering.clone().drop_guard();
    let stage = Stage {
        instance: Instance::start(&broker, Role::Gateway, &answers, &answering),
        served: Served::new(broker.clone(), health.metrics()),
        broker: broker.clone(),
        tracker: tracker.clone(),
        cancel: cancel.clone(),
    };
    let transfers = Transfers::new(broker.clone(), tracker.clone(), cancel.clone());
    let mut surfaces: Vec<Seat> = Vec::new();
    let mut page = None;
    if let Some(web) = options.web {
        let web = web::start(
            web,
            intake.clone(),
            transfers.clone(),
            &health,
            options.lang.unwrap_or_default(),
            &tracker,
            &cancel,
        )
        .await?;
        surfaces.push(stage.show(&web, None));
        page = Some(web);
    } else if let Some(address) = options.health_http {
        let listener = web::server::listen(address.ip(), address.port()).await;
        let bound = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (at, listener) = bound.map_err(|source| GatewayError::Health { address, source })?;
        info!(address = %at, "/health is served");
        let lang = options.lang.unwrap_or_default();
        let router = web::server::health_only(health.clone(), at, lang);
        tracker.spawn(web::server::serve(listener, router, cancel.clone()));
    }
    if let Some(feishu) = &options.feishu {
        let admission = Admission::new(options.allowed);
        if admission.is_open() {
            warn!("ALLOWED_OPEN_IDS is empty: everybody who can write to the bot may use it");
        }
        let ledger = Ledger::new(broker.clone(), Surface::Feishu);
        let parts = Parts {
            intake,
            admission,
            ledger: ledger.clone(),
            transfers: transfers.clone(),
            lang: options.lang,
        };
        let feishu = feishu::surface::start(feishu, parts, &health, &tracker, &cancel)?;
        surfaces.push(stage.show(&feishu, Some(ledger)));
    }
    tracker.spawn(watch_broker(broker, health, surfaces, cancel.clone()));
    cancel.cancelled().await;
    tracker.close();
    if tokio::time::timeout(GRACE, tracker.wait()).await.is_err() {
        warn!("the gateway stopped with work under way; it is taken up again at the next start");
    }
    answering.cancel();
    spool.close().await;
    // Last, as what was under way may have been shown on it.
    if let Some(page) = page {
        page.close().await;
    }
    Ok(())
}

/// How a surface stands among its gateways.
type Seat = (Surface, watch::Receiver<Standing>);

/// What showing needs.
struct Stage {
    instance: Instance,
    broker: Broker,
    served: Served,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Stage {
    /// Starts what a surface shows: deliveries and previews, whenever we lead there. `ledger` is what
    /// it remembers of what was shown.
    fn show<S: Show>(&self, surface: &Arc<S>, ledger: Option<Ledger>) -> Seat {
        let candidate = self.instance.candidate(Place {
            bucket: stream::kv_gate(S::SURFACE),
            key: "lease".into(),
        });
        let standing = candidate.standing();
        let (broker, cancel) = (self.broker.clone(), self.cancel.clone());
        let announced = announce(S::SURFACE, broker.clone(), cancel.clone());
        self.tracker.spawn(announced);
        let (surface, served) = (Arc::clone(surface), self.served.clone());
        self.tracker
            .spawn(lead(surface, candidate, ledger, broker, served, cancel));
        (S::SURFACE, standing)
    }
}

/// Shows whenever we lead, until `cancel`.
async fn lead<S: Show>(
    surface: Arc<S>,
    candidate: Candidate,
    ledger: Option<Ledger>,
    broker: Broker,
    served: Served,
    cancel: CancellationToken,
) {
    while let Some(lease) = candidate.lead(&cancel).await {
        if let Some(ledger) = ledger.as_ref().filter(|_| !lease.is_unbroken()) {
            ledger.forget();
        }
        if lease.is_seized() {
            surface.seized();
        }
        let shown = deliver::run(
            Arc::clone(&surface),
            broker.clone(),
            served.clone(),
            lease.clone(),
        );
        let previewed = preview::run(
            Arc::clone(&surface),
            broker.clone(),
            served.clone(),
            lease.clone(),
        );
        tokio::join!(shown, previewed);
        lease.release().await;
    }
}

/// Lets operators find us with `nats micro ls`. Not having it is a nuisance and no more.
async fn announce(surface: Surface, broker: Broker, cancel: CancellationToken) {
    let service = broker
        .client()
        .service_builder()
        .description(format!(
            "PhoneWork gateway: receives and shows on {surface}"
        ))
        .metadata(HashMap::from([
            ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("surface".to_owned(), surface.to_string()),
        ]))
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

/// Keeps the gateway's own line on the board: whether the broker is there and takes what we send,
/// and whether it ever refused us something, which would be a defect of ours or a wrong set-up; and
/// who shows.
async fn watch_broker(
    broker: Broker,
    health: Health,
    mut surfaces: Vec<Seat>,
    cancel: CancellationToken,
) {
    let mut up = broker.up();
    let mut tick = tokio::time::interval(HEALTH_EVERY);
    loop {
        let connected = *up.borrow_and_update();
        let (refusals, trouble) = (broker.refusals(), broker.trouble());
        let standing: BTreeMap<&str, Standing> = surfaces
            .iter_mut()
            .map(|(surface, standing)| (surface.as_str(), *standing.borrow_and_update()))
            .collect();
        // Standing by is as it should be; that nobody shows, as far as we can see, is not.
        let shown = standing.values().all(|one| *one != Standing::Seeks);
        let roles: BTreeMap<&str, &str> = standing
            .iter()
            .map(|(surface, standing)| (*surface, standing.as_str()))
            .collect();
        health.set(
            "gateway",
            connected && refusals == 0 && shown && trouble.is_none(),
            json!({"broker": connected, "refusals": refusals, "surfaces": roles, "trouble": trouble}),
        );
        let changes = surfaces.iter_mut().map(|(_, one)| Box::pin(one.changed()));
        let changed = async {
            if changes.len() == 0 {
                std::future::pending::<()>().await;
            }
            let _ = futures_util::future::select_all(changes).await;
        };
        tokio::select! {
            changed = up.changed() => if changed.is_err() { return },
            () = changed => {}
            _ = tick.tick() => {}
            () = cancel.cancelled() => return,
        }
    }
}
