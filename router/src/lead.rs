//! What begins when a router leads, and ends with that: everything that acts, each part after those it asks.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::lease::Lease;
use common::stream::{KV_FANOUT, KV_NOTICES, KV_REMIND, KV_USERS, KV_WAITING, WORK_WAITS};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::act::Desk;
use crate::dispatch::Dispatch;
use crate::fan::{self, Fans};
use crate::notices::{self, Notices, Uses};
use crate::remind::{self, Reminders};
use crate::reply::Replies;
use crate::users::Users;
use crate::{Known, RouterError, RouterOptions, bucket_of};
use crate::{chooser, dead, enrol, housekeeping, intake, waiting};

/// How long what belongs to a lead may take to end, after the intake has.
const TERM_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// Leads until the lease is over: everything that acts begins here, anew each time, and ends here.
pub(crate) async fn lead(
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
