//! The router: decides which node gets a message, knows which nodes are there, and answers what
//! concerns nodes. It never talks to a platform, runs no tools and keeps no conversations.
//!
//! Read `intake`, then `decide`, `act` and `dispatch`; `presence` and `registry` are what they ask. `lead` puts
//! them together.
//!
//! Several routers may run: all of them know who is there, one leads, which is to say that it reads
//! and acts. When it ends or hangs another one leads (`common::broker::lease`); it begins with the
//! oldest act that is not settled, and with nothing remembered. That an act is then acted on a
//! second time is no difference from a restart: the ids of work and replies are derived from it.

mod act;
mod address;
mod audit;
mod bucket;
mod cards;
mod chooser;
mod dead;
mod decide;
mod dispatch;
mod elsewhere;
mod enrol;
mod fan;
mod housekeeping;
mod http;
mod intake;
mod kept;
mod lead;
pub mod look;
mod notices;
mod presence;
mod provision;
mod reading;
mod registry;
mod remind;
mod reply;
mod users;
mod waiting;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use async_nats::service::{Service, ServiceExt as _};
use chrono_tz::Tz;
use common::audit::{Audit, AuditOptions};
use common::broker::Broker;
use common::broker::lease::{Candidate, Instance, Place, Role, Standing};
use common::config::LlmSettings;
use common::health::Health;
use common::lang::Lang;
use common::stream::{KV_NODES, KV_PRESENCE, KV_ROUTER};
use secrecy::SecretString;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

pub use enrol::EnrolOptions;
pub use notices::Times as NoticeTimes;
pub use provision::ProvisionError;
pub use remind::RemindTimes;

use presence::{Overview, Presence};
use registry::Registry;

/// Time for the last lines of the audit to reach the disk.
const AUDIT_ENDS_WITHIN: Duration = Duration::from_millis(500);

/// Settings of the router.
#[derive(Debug, Clone, Default)]
pub struct RouterOptions {
    /// For people whose platform does not tell their language. None: theirs is taken from what
    /// they write.
    pub lang: Option<Lang>,
    /// The hub's data folder, where `nodes/<id>.json` lie; none where the router does not run on
    /// the hub. The bucket PW_NODES alone counts then.
    pub data_dir: Option<PathBuf>,
    /// Where `GET /health` is served. A taken port gives way to one of the next nine. None where
    /// another part serves it.
    pub http: Option<SocketAddr>,
    /// How long a message waits for a node that is off. None: as long as
    /// [`WORK_WAITS`](common::stream::WORK_WAITS).
    pub waits: Option<Duration>,
    /// When people are told that a machine is off, or back.
    pub notices: NoticeTimes,
    /// How machines are let in.
    pub enrol: EnrolOptions,
    /// The chat model that chooses a machine where rules do not; none: the person is asked.
    pub model: Option<LlmSettings>,
    /// The zone of reminders for people who have chosen none.
    pub timezone: Tz,
    /// What bounds reminders.
    pub remind: RemindTimes,
    /// Days that the audit log is kept.
    pub audit_days: u32,
    /// Values that no line of it may hold.
    pub secrets: Vec<SecretString>,
}

/// Why the router ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    /// The broker could not be made ready.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// The broker stopped answering while the router started.
    #[error(
        "the broker could not be read at the start ({0}). Start the router again; see the broker's log"
    )]
    Start(async_nats::Error),
    /// No port for the health page.
    #[error(
        "cannot listen on {address} or the nine ports after it for /health: {source}. Set another PORT or BIND"
    )]
    Http {
        /// The wanted address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Runs until `cancel`, then lets what is under way finish for at most 3 s. Makes the broker's
/// streams, consumers and buckets first; that is repeatable.
///
/// # Errors
/// When the broker cannot be made ready, or the health page has no port.
pub async fn run(
    options: RouterOptions,
    broker: Broker,
    health: Health,
    cancel: CancellationToken,
) -> Result<(), RouterError> {
    health.set("router", false, "starting".into());
    let tasks = TaskTracker::new();
    // The tasks end after the intake has, which needs them until then.
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let address = match options.http {
        Some(address) => Some(
            http::serve(address, health.clone(), &tasks, stop.clone())
                .await
                .map_err(|source| RouterError::Http { address, source })?,
        ),
        None => None,
    };
    // Boxed, here and below: the parts' futures are large, and whoever runs us holds ours.
    match Box::pin(provision::provision(&broker, &cancel)).await {
        Ok(()) => {}
        Err(ProvisionError::Cancelled) => return Ok(()),
        Err(error) => {
            health.set("router", false, error.to_string().into());
            return Err(error.into());
        }
    }
    let audit = start_audit(&options, &health);
    let (known, service) = Box::pin(know(&options, &broker, audit.clone(), &tasks, &stop)).await?;
    // Answers until the end, as it leads until then.
    let instance = Instance::start(&broker, Role::Router, &tasks, &stop);
    let candidate = instance.candidate(Place {
        bucket: KV_ROUTER.into(),
        key: "lease".into(),
    });
    tasks.spawn(report(
        health,
        broker.clone(),
        known.clone(),
        candidate.clone(),
        address,
        stop.clone(),
    ));
    while let Some(lease) = candidate.lead(&cancel).await {
        match Box::pin(lead::lead(&options, &broker, &known, &lease)).await {
            Ok(()) => {}
            Err(why) => {
                warn!(%why, "cannot lead yet; again");
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        lease.release().await;
    }
    if let Err(why) = service.stop().await {
        warn!(%why, "the micro service did not end in order");
    }
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(Duration::from_secs(2), tasks.wait())
        .await
        .is_err()
    {
        warn!("the router ended with tasks left over");
    }
    let _ = tokio::time::timeout(AUDIT_ENDS_WITHIN, audit.flush()).await;
    Ok(())
}

/// Begins the audit, where there is a folder for it.
fn start_audit(options: &RouterOptions, health: &Health) -> Audit {
    options
        .data_dir
        .as_ref()
        .map_or_else(Audit::default, |dir| {
            Audit::start(AuditOptions {
                dir: dir.join("audit"),
                by: "router".to_owned(),
                days: options.audit_days,
                secrets: options.secrets.clone(),
                health: (health.clone(), "router_audit"),
            })
        })
}

/// What every router knows, whether it leads or not.
#[derive(Clone)]
struct Known {
    registry: Registry,
    presence: Presence,
    audit: Audit,
}

/// Starts knowing who is enrolled and who is there.
async fn know(
    options: &RouterOptions,
    broker: &Broker,
    audit: Audit,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(Known, Service), RouterError> {
    let nodes = bucket_of(broker, KV_NODES).await?;
    let (registry, task) = registry::open(broker, nodes, options.data_dir.clone())
        .await
        .map_err(RouterError::Start)?;
    let beats = bucket_of(broker, KV_PRESENCE).await?;
    let presence = presence::start(broker, beats, &registry, tasks, stop)
        .await
        .map_err(RouterError::Start)?;
    tasks.spawn(task.run(stop.clone()));
    // For `nats micro ls`: no endpoints, the router's work comes by streams.
    let service = broker
        .client()
        .service_builder()
        .description("PhoneWork router: decides which node gets a message")
        .metadata(HashMap::from([(
            "version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        )]))
        .start("phonework-router", env!("CARGO_PKG_VERSION"))
        .await
        .map_err(RouterError::Start)?;
    let known = Known {
        registry,
        presence,
        audit,
    };
    Ok((known, service))
}

async fn bucket_of(broker: &Broker, name: &str) -> Result<Store, RouterError> {
    let store = broker.jetstream().get_key_value(name).await;
    store.map_err(|why| RouterError::Start(why.into()))
}

/// Keeps the lines of `/health` up to date.
async fn report(
    health: Health,
    broker: Broker,
    known: Known,
    candidate: Candidate,
    http: Option<SocketAddr>,
    stop: CancellationToken,
) {
    let up = broker.up();
    let mut standing = candidate.standing();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        let connected = *up.borrow();
        let Overview { on, trouble } = known.presence.overview().await;
        let enrolled = known.registry.nodes().len();
        let stuck = broker.trouble();
        let detail = json!({ "refusals": broker.refusals(), "trouble": stuck });
        health.set("broker", connected && stuck.is_none(), detail);
        let role = *standing.borrow_and_update();
        let detail = json!({
            "nodes": enrolled, "on": on, "off": enrolled.saturating_sub(on), "http": http,
            "role": role.as_str(), "trouble": trouble,
        });
        // Standing by is as it should be; that nobody leads, as far as we can see, is not.
        health.set("router", role != Standing::Seeks, detail);
        tokio::select! {
            _ = tick.tick() => {}
            changed = standing.changed() => if changed.is_err() { break },
            () = stop.cancelled() => break,
        }
    }
    health.set("router", false, "stopped".into());
}
