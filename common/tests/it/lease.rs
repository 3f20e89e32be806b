//! A lease at a real broker, with the gateway's permissions: one leads, never two, and the next
//! follows soon, however the one before ended.

#![expect(clippy::unwrap_used, reason = "test code: a failure is a panic")]

mod order;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::kv;
use common::broker::lease::{
    Candidate, Instance, LOST_AFTER, Lease, Place, Role, Standing, TAKEN_AFTER,
};
use common::broker::{Broker, BrokerOptions};
use kit::proxy::Proxy;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Long enough for a busy machine; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

async fn hub() -> (kit::nats::Broker, Broker) {
    let nats = kit::nats::Broker::start().await;
    let router = connect(&nats, nats.url(), "router").await;
    let config = kv::Config {
        bucket: "PW_GATE_feishu".into(),
        ..kv::Config::default()
    };
    router.jetstream().create_key_value(config).await.unwrap();
    (nats, router)
}

fn options(nats: &kit::nats::Broker, url: String, who: &str) -> BrokerOptions {
    BrokerOptions {
        url,
        creds: nats.creds(who),
        ca: None,
        owner: who == "router",
    }
}

async fn connect(nats: &kit::nats::Broker, url: String, who: &str) -> Broker {
    let never = CancellationToken::new();
    Box::pin(Broker::connect(&options(nats, url, who), &never))
        .await
        .unwrap()
}

fn place() -> Place {
    Place {
        bucket: "PW_GATE_feishu".into(),
        key: "lease".into(),
    }
}

/// One gateway in a runtime of its own, so that it can end where it stands.
struct One {
    runtime: Option<Runtime>,
    candidate: Candidate,
    broker: Broker,
    cancel: CancellationToken,
}

impl One {
    async fn start(nats: &kit::nats::Broker) -> Self {
        Self::at(nats, nats.url()).await
    }

    async fn at(nats: &kit::nats::Broker, url: String) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (options, cancel) = (options(nats, url, "gateway"), CancellationToken::new());
        let end = cancel.clone();
        let started = runtime.spawn(async move {
            let broker = Broker::connect(&options, &end).await.unwrap();
            let tasks = TaskTracker::new();
            let instance = Instance::start(&broker, Role::Gateway, &tasks, &end);
            (instance.candidate(place()), broker)
        });
        let (candidate, broker) = started.await.unwrap();
        Self {
            runtime: Some(runtime),
            candidate,
            broker,
            cancel,
        }
    }

    /// Campaigns in its own runtime.
    fn campaign(&self) -> tokio::task::JoinHandle<Option<Lease>> {
        let (candidate, cancel) = (self.candidate.clone(), self.cancel.clone());
        let runtime = self.runtime.as_ref().unwrap();
        runtime.spawn(async move { candidate.lead(&cancel).await })
    }

    async fn lead(&self) -> Lease {
        let lease = tokio::time::timeout(PATIENCE, self.campaign()).await;
        lease.unwrap().unwrap().unwrap()
    }

    async fn stands(&self, wanted: Standing) {
        let mut standing = self.candidate.standing();
        let come = standing.wait_for(|now| *now == wanted);
        tokio::time::timeout(PATIENCE, come).await.unwrap().unwrap();
    }

    /// As `kill -9`: nothing more is sent, the connection breaks.
    fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for One {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_takes_over_as_soon_as_the_one_before_is_gone() {
    let (nats, _router) = hub().await;
    let mut leader = One::start(&nats).await;
    let mut lease = leader.lead().await;
    for _ in 0..3 {
        assert!(lease.is_mine() && lease.settled().await);
        let next = One::start(&nats).await;
        let campaign = next.campaign();
        next.stands(Standing::StandsBy).await;
        let begun = Instant::now();
        leader.kill();
        let after = tokio::time::timeout(PATIENCE, campaign).await;
        let after = after.unwrap().unwrap().unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
        assert!(!after.is_unbroken());
        (leader, lease) = (next, after);
    }
    // The same for a restart, which finds the end of its predecessor only.
    leader.kill();
    let begun = Instant::now();
    let again = One::start(&nats).await;
    again.lead().await;
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(again.broker.refusals(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_taken_at_once() {
    let (nats, _router) = hub().await;
    let (one, other) = (One::start(&nats).await, One::start(&nats).await);
    let lease = one.lead().await;
    let campaign = other.campaign();
    other.stands(Standing::StandsBy).await;
    one.cancel.cancel();
    assert!(lease.over().is_cancelled(), "told to stop");
    assert!(lease.is_mine(), "and may finish what it has begun");
    let begun = Instant::now();
    lease.release().await;
    assert!(!lease.is_mine());
    let after = tokio::time::timeout(PATIENCE, campaign).await;
    assert!(after.unwrap().unwrap().unwrap().is_mine());
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_holder_stops_before_it_is_followed() {
    let (nats, _router) = hub().await;
    let line = Proxy::start(format!("127.0.0.1:{}", nats.port()).parse().unwrap()).await;
    let far = One::at(&nats, format!("nats://{}", line.addr())).await;
    let lease = far.lead().await;
    let near = One::start(&nats).await;
    let campaign = near.campaign();
    near.stands(Standing::StandsBy).await;
    let work = lease.clone();
    let working = tokio::spawn(async move {
        let forever = work.guard(std::future::pending::<()>()).await;
        (forever, Instant::now())
    });
    let begun = Instant::now();
    line.freeze().await;
    // Its connection stands, so only the clock tells.
    let after = tokio::time::timeout(PATIENCE, campaign).await;
    let (after, taken_at) = (after.unwrap().unwrap().unwrap(), Instant::now());
    let (left, left_at) = working.await.unwrap();
    assert!(left.is_none() && !lease.is_mine());
    assert!(left_at < taken_at, "two at once");
    let took = taken_at - begun;
    assert!(
        took > LOST_AFTER && took < TAKEN_AFTER + Duration::from_secs(4),
        "{took:?}"
    );
    // What it had said into the dead line arrives now and changes nothing.
    line.heal().await;
    let again = far.campaign();
    far.stands(Standing::StandsBy).await;
    assert!(after.settled().await && !lease.is_mine());
    after.release().await;
    let again = tokio::time::timeout(PATIENCE, again).await;
    assert!(!again.unwrap().unwrap().unwrap().is_unbroken());
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_contenders_are_never_two() {
    let (nats, _router) = hub().await;
    let leading = Arc::new(AtomicUsize::new(0));
    let terms = Arc::new(AtomicUsize::new(0));
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(One::start(&nats).await);
    }
    let mut campaigns = Vec::new();
    for one in &all {
        let (candidate, cancel) = (one.candidate.clone(), one.cancel.clone());
        let (leading, terms) = (Arc::clone(&leading), Arc::clone(&terms));
        let runtime = one.runtime.as_ref().unwrap();
        campaigns.push(runtime.spawn(async move {
            while terms.load(Ordering::SeqCst) < 24 {
                let Some(lease) = candidate.lead(&cancel).await else {
                    return;
                };
                assert_eq!(leading.fetch_add(1, Ordering::SeqCst), 0, "two lead");
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                    assert_eq!(leading.load(Ordering::SeqCst), 1, "two lead");
                }
                assert!(lease.settled().await);
                terms.fetch_add(1, Ordering::SeqCst);
                leading.fetch_sub(1, Ordering::SeqCst);
                lease.release().await;
            }
        }));
    }
    for campaign in campaigns {
        tokio::time::timeout(PATIENCE, campaign)
            .await
            .unwrap()
            .unwrap();
    }
    assert!(terms.load(Ordering::SeqCst) >= 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_cut_loses_nothing_and_what_was_taken_over_ends() {
    let (nats, router) = hub().await;
    let line = Proxy::start(format!("127.0.0.1:{}", nats.port()).parse().unwrap()).await;
    let one = One::at(&nats, format!("nats://{}", line.addr())).await;
    let lease = one.lead().await;
    let cuts = one.broker.cuts();
    line.cut().await;
    line.heal().await;
    let mut up = one.broker.up();
    while one.broker.cuts() == cuts {
        tokio::time::timeout(PATIENCE, up.changed())
            .await
            .unwrap()
            .unwrap();
    }
    assert!(lease.settled().await, "confirmed on the new connection");
    assert!(lease.is_mine());

    // Somebody else has it: the next renewal says so, and the work ends where it stands.
    router
        .jetstream()
        .publish("$KV.PW_GATE_feishu.lease", "{}".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let begun = Instant::now();
    assert!(lease.guard(std::future::pending::<()>()).await.is_none());
    assert!(begun.elapsed() < LOST_AFTER, "{:?}", begun.elapsed());
    assert!(lease.over().is_cancelled());
    // Of a holder that cannot be asked only silence tells.
    let begun = Instant::now();
    let again = one.lead().await;
    assert!(
        begun.elapsed() + Duration::from_secs(1) > TAKEN_AFTER,
        "{:?}",
        begun.elapsed()
    );
    assert!(!again.is_unbroken());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_taken_again_after_the_broker_was_away() {
    let (mut nats, _router) = hub().await;
    let one = One::start(&nats).await;
    let lease = one.lead().await;
    nats.kill().await;
    assert!(lease.guard(std::future::pending::<()>()).await.is_none());
    one.stands(Standing::Seeks).await;
    let campaign = one.campaign();
    nats.restart().await;
    let again = tokio::time::timeout(PATIENCE, campaign).await;
    let again = again.unwrap().unwrap().unwrap();
    assert!(again.is_unbroken(), "nobody led in between");
}
