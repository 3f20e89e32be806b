//! The router: decides which node gets a message, knows which nodes are there, and answers what
//! concerns nodes. It never talks to a platform, runs no tools and keeps no conversations.
//!
//! Read `intake`, then `decide`, `act` and `dispatch`; `presence` and `registry` are what they ask.
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
mod enrol;
mod fan;
mod housekeeping;
mod http;
mod intake;
mod kept;
pub mod look;
mod notices;
mod presence;
mod provision;
mod registry;
mod remind;
mod reply;
mod users;
mod waiting;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use async_nats::service::{Service, ServiceExt as _};
use chrono_tz::Tz;
use common::audit::{Audit, AuditOptions};
use common::broker::Broker;
use common::broker::lease::{Candidate, Instance, Lease, Place, Role, Standing};
use common::config::LlmSettings;
use common::health::Health;
use common::lang::Lang;
use common::stream::{
    KV_FANOUT, KV_NODES, KV_NOTICES, KV_PRESENCE, KV_REMIND, KV_ROUTER, KV_USERS, KV_WAITING,
    WORK_WAITS,
};
use secrecy::SecretString;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

pub use enrol::EnrolOptions;
pub use notices::Times as NoticeTimes;
pub use provision::ProvisionError;
pub use remind::RemindTimes;

use act::Desk;
use dispatch::Dispatch;
use fan::Fans;
use notices::{Notices, Uses};
use presence::{Overview, Presence};
use registry::Registry;
use remind::Reminders;
use reply::Replies;
use users::Users;

/// How long what belongs to a lead may take to end, after the intake has.
const TERM_ENDS_WITHIN: Duration = Duration::from_secs(2);
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
    /// [`WORK_WAITS`].
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
        match Box::pin(lead(&options, &broker, &known, &lease)).await {
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

/// Leads until the lease is over: everything that acts begins here, anew each time, and ends here.
async fn lead(
    options: &RouterOptions,
    broker: &Broker,
    known: &Known,
    lease: &Lease,
) -> Result<(), RouterError> {
    let tasks = TaskTracker::new();
    // The tasks end after the intake has, which needs them until then.
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let desk = Box::pin(start(options, broker, known, &tasks, &stop, lease.over())).await?;
    tasks.spawn(dead::run(Arc::clone(&desk), broker.clone(), lease.clone()));
    tasks.spawn(fan::collect(
        desk.fans.clone(),
        broker.clone(),
        lease.clone(),
    ));
    tasks.spawn(remind::fired::run(
        Arc::clone(&desk),
        broker.clone(),
        lease.clone(),
        stop.clone(),
    ));
    remind::asked::start(Arc::clone(&desk), broker.clone(), &tasks, &stop)
        .await
        .map_err(RouterError::Start)?;
    tasks.spawn(desk.reminders.clone().tidy(stop.clone()));
    tasks.spawn(housekeeping::run(broker.clone(), stop.clone()));
    info!("the router is ready");
    intake::run(desk, broker.clone(), lease).await;
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(TERM_ENDS_WITHIN, tasks.wait())
        .await
        .is_err()
    {
        warn!("no longer leading, with tasks left over");
    }
    Ok(())
}

/// Starts everything that acts but the intake, each part after those it asks.
async fn start(
    options: &RouterOptions,
    broker: &Broker,
    known: &Known,
    tasks: &TaskTracker,
    stop: &CancellationToken,
    cancel: &CancellationToken,
) -> Result<Arc<Desk>, RouterError> {
    let Known {
        registry,
        presence,
        audit,
    } = known.clone();
    let (people, uses) = (bucket_of(broker, KV_USERS).await?, Uses::default());
    let users = Users::new(people.clone(), uses.clone(), cancel.clone());
    let replies = Replies {
        broker: broker.clone(),
        cancel: cancel.clone(),
    };
    let fans = bucket_of(broker, KV_FANOUT).await?;
    let fans = Fans::open(fans, cancel.clone())
        .await
        .map_err(RouterError::Start)?;
    tasks.spawn(fan::show(fans.clone(), replies.clone(), stop.clone()));
    let waiting = Box::pin(waiting::start(
        bucket_of(broker, KV_WAITING).await?,
        waiting::Around {
            replies: replies.clone(),
            presence: presence.clone(),
            registry: registry.clone(),
            fans: fans.clone(),
        },
        options.waits.unwrap_or(WORK_WAITS),
        tasks,
        stop,
    ))
    .await
    .map_err(RouterError::Start)?;
    let notices = Notices {
        broker: broker.clone(),
        replies: replies.clone(),
        presence: presence.clone(),
        registry: registry.clone(),
        waiting: waiting.clone(),
        users: users.clone(),
        uses,
        people,
        told: bucket_of(broker, KV_NOTICES).await?,
        times: options.notices,
        lang: options.lang,
    };
    tasks.spawn(notices::run(notices, stop.clone()));
    let dispatch = Dispatch {
        broker: broker.clone(),
        waiting,
        replies,
        cancel: cancel.clone(),
    };
    let parts = enrol::Parts {
        broker: broker.clone(),
        replies: dispatch.replies.clone(),
        users: users.clone(),
        registry: registry.clone(),
        lang: options.lang,
    };
    let enrol = enrol::start(
        &options.enrol,
        options.data_dir.as_ref(),
        parts,
        tasks,
        stop,
    )
    .await
    .map_err(RouterError::Start)?;
    let reminders = Box::pin(Reminders::open(
        broker,
        bucket_of(broker, KV_REMIND).await?,
        options.timezone,
        options.remind,
        audit.clone(),
        cancel.clone(),
    ))
    .await
    .map_err(RouterError::Start)?;
    let desk = Desk {
        registry,
        presence,
        users,
        audit,
        dispatch,
        fans,
        enrol,
        reminders,
        chooser: options.model.clone().and_then(chooser::Chooser::new),
        lang: options.lang,
    };
    Ok(Arc::new(desk))
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
