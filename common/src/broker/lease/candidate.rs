//! Those who may hold a lease: how one is found alive or gone, and when one may take it.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_nats::client::RequestErrorKind;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};
use uuid::Uuid;

use super::key::{Cas, Found, Place};
use super::{Confirmed, Inner, Lease, TAKEN_AFTER, keep};
use crate::broker::Broker;
use crate::subject;

/// How often one who waits looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a holder has to answer. Whoever is gone is told at once, by the broker.
const ASK_WAIT: Duration = Duration::from_millis(500);
/// After a cut of our own link others may be on their way back as well: that nobody listens says
/// nothing for this long.
const OTHERS_COME_BACK: Duration = Duration::from_secs(2);

/// What equal processes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Routers.
    Router,
    /// Gateways.
    Gateway,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One start of one process among its equals. It answers to those who ask whether it lives. Cheap
/// to clone.
#[derive(Debug, Clone)]
pub struct Instance {
    broker: Broker,
    role: Role,
    id: Uuid,
    host: String,
    tasks: TaskTracker,
}

/// How one stands to a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Neither ours nor, as far as we can see, anybody's.
    Seeks,
    /// Ours.
    Leads,
    /// Somebody else's who lives.
    StandsBy,
}

impl Standing {
    /// The word in `/health`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seeks => "seeks",
            Self::Leads => "leads",
            Self::StandsBy => "standby",
        }
    }
}

/// One instance at one lease, which it may hold again and again. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Candidate {
    instance: Instance,
    place: Place,
    standing: watch::Sender<Standing>,
}

/// What stands at the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Holder {
    instance: Uuid,
    /// The machine, for people.
    host: String,
    since: DateTime<Utc>,
}

/// What is known of one who can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Answers,
    /// It listens and says nothing, or we could not ask.
    Silent,
    /// Nobody listens.
    Gone,
}

/// What one who waits has seen so far.
#[derive(Debug, Default)]
struct Watching {
    /// The key's latest change, and since when it is known.
    unchanged: Option<(u64, Instant)>,
    /// Cuts of our link, when we last looked, and since when.
    link: Option<(u64, Instant)>,
    /// The connection on which we were found by ourselves.
    reachable_on: Option<u64>,
    told_of: Option<Uuid>,
    told_unreachable: bool,
}

impl Instance {
    /// Begins to answer, until `cancel`, on `tasks`; so do the renewals of what it holds.
    pub fn start(
        broker: &Broker,
        role: Role,
        tasks: &TaskTracker,
        cancel: &CancellationToken,
    ) -> Self {
        let instance = Self {
            broker: broker.clone(),
            role,
            id: Uuid::new_v4(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            tasks: tasks.clone(),
        };
        tasks.spawn(answer(instance.clone(), cancel.clone()));
        instance
    }

    /// This instance at the lease at `place`. Once for each place.
    pub fn candidate(&self, place: Place) -> Candidate {
        Candidate {
            instance: self.clone(),
            place,
            standing: watch::Sender::new(Standing::Seeks),
        }
    }

    async fn ask(&self, instance: Uuid) -> Life {
        let subject = subject::alive(self.role.as_str(), &instance.to_string());
        let request = self.broker.client().request(subject, Bytes::new());
        match tokio::time::timeout(ASK_WAIT, request).await {
            Ok(Ok(_)) => Life::Answers,
            Ok(Err(why)) if why.kind() == RequestErrorKind::NoResponders => Life::Gone,
            Ok(Err(_)) | Err(_) => Life::Silent,
        }
    }
}

impl Candidate {
    /// How it stands now; follows changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Waits until the lease is ours; none when cancelled before. One instance holds a lease at a
    /// place once.
    pub async fn lead(&self, cancel: &CancellationToken) -> Option<Lease> {
        let mut watching = Watching::default();
        loop {
            // Stopped in the middle of taking it, it stands there for nobody: the next one finds
            // this instance gone.
            let found = tokio::select! {
                found = self.look(&mut watching, cancel) => found,
                () = cancel.cancelled() => return None,
            };
            if found.is_some() {
                return found;
            }
            let pause = LOOK_EVERY.mul_f64(rand::random_range(0.8..1.2));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.cancelled() => return None,
            }
        }
    }

    async fn look(&self, watching: &mut Watching, cancel: &CancellationToken) -> Option<Lease> {
        let Instance {
            broker, role, id, ..
        } = &self.instance;
        let place = &self.place;
        if !*broker.up().borrow() {
            self.standing.send_replace(Standing::Seeks);
            return None;
        }
        let cuts = broker.cuts();
        let reconnected = match watching.link {
            Some((known, since)) if known == cuts => cuts > 0 && since.elapsed() < OTHERS_COME_BACK,
            Some(_) | None => {
                watching.link = Some((cuts, Instant::now()));
                cuts > 0
            }
        };
        let found = match place.read(broker).await {
            Ok(found) => found,
            Err(why) => {
                debug!(%place, %why, "cannot see who leads");
                self.standing.send_replace(Standing::Seeks);
                return None;
            }
        };
        let (seq, before) = match &found {
            None => (0, Before::Nobody),
            Some(found) if found.value.is_empty() => (found.seq, Before::Nobody),
            Some(found) => {
                let holder: Option<Holder> = serde_json::from_slice(&found.value).ok();
                let mine = holder.as_ref().is_some_and(|one| one.instance == *id);
                if !mine && !self.is_free(watching, found, holder, reconnected).await {
                    return None;
                }
                let before = if mine { Before::Us } else { Before::Another };
                (found.seq, before)
            }
        };
        // Whoever cannot be asked would be followed at once.
        if watching.reachable_on != Some(cuts) {
            if self.instance.ask(*id).await != Life::Answers {
                if !watching.told_unreachable
                    && watching
                        .link
                        .is_some_and(|(_, since)| since.elapsed() > TAKEN_AFTER)
                {
                    watching.told_unreachable = true;
                    warn!(%role, "cannot hear others of our kind; is the broker of an older phonework? start its hub once with this one");
                }
                return None;
            }
            watching.reachable_on = Some(cuts);
        }
        self.take(seq, cuts, before, cancel).await
    }

    /// Whether somebody else's lease may be taken.
    async fn is_free(
        &self,
        watching: &mut Watching,
        found: &Found,
        holder: Option<Holder>,
        reconnected: bool,
    ) -> bool {
        let place = &self.place;
        let since = match watching.unchanged {
            Some((seq, since)) if seq == found.seq => since,
            Some(_) | None => {
                let now = Instant::now();
                watching.unchanged = Some((found.seq, now));
                now
            }
        };
        if since.elapsed() >= TAKEN_AFTER {
            warn!(%place, "who led is silent; taking over");
            return true;
        }
        let Some(holder) = holder else { return false };
        match self.instance.ask(holder.instance).await {
            Life::Gone if !reconnected => {
                info!(%place, host = holder.host, "who led is gone; taking over");
                true
            }
            Life::Gone | Life::Silent => false,
            Life::Answers => {
                self.standing.send_replace(Standing::StandsBy);
                if watching.told_of != Some(holder.instance) {
                    watching.told_of = Some(holder.instance);
                    info!(%place, host = holder.host, since = %holder.since, "another one leads; standing by");
                }
                false
            }
        }
    }

    async fn take(
        &self,
        seq: u64,
        cuts: u64,
        before: Before,
        cancel: &CancellationToken,
    ) -> Option<Lease> {
        let (place, instance) = (&self.place, &self.instance);
        let holder = Holder {
            instance: instance.id,
            host: instance.host.clone(),
            since: Utc::now(),
        };
        let value = serde_json::to_vec(&holder).ok()?;
        let (at, wall) = (Instant::now(), SystemTime::now());
        let seq = match place.put(&instance.broker, seq, &value).await {
            Ok(Cas::Won(seq)) => seq,
            Ok(Cas::Refused) => return None,
            // If it came through all the same, it is found to be ours at the next look.
            Err(why) => {
                debug!(%place, %why, "cannot take the lead yet");
                return None;
            }
        };
        crate::crash_point!("broker.lease.taken");
        info!(%place, "leading");
        self.standing.send_replace(Standing::Leads);
        let stop = CancellationToken::new();
        let inner = Arc::new(Inner {
            broker: instance.broker.clone(),
            place: place.clone(),
            value,
            last: Mutex::new(Confirmed {
                seq,
                cuts,
                at,
                wall,
            }),
            news: watch::Sender::new(()),
            standing: self.standing.clone(),
            lost: CancellationToken::new(),
            over: cancel.child_token(),
            stop: stop.clone(),
            release: false.into(),
            renewer: Mutex::new(None),
        });
        let renewer = instance.tasks.spawn(keep(Arc::clone(&inner)));
        *super::lock(&inner.renewer) = Some(renewer);
        Some(Lease {
            inner,
            unbroken: before == Before::Us,
            seized: before == Before::Another,
            _renewing: Arc::new(stop.drop_guard()),
        })
    }
}

/// Who held a lease that is taken, and did not give it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nobody,
    Us,
    Another,
}

/// Answers to whoever asks whether this instance lives.
async fn answer(instance: Instance, cancel: CancellationToken) {
    let subject = subject::alive(instance.role.as_str(), &instance.id.to_string());
    let client = instance.broker.client();
    let mut asked = loop {
        match client.subscribe(subject.clone()).await {
            Ok(asked) => break asked,
            Err(why) => {
                debug!(%why, "cannot listen to others of our kind yet");
                tokio::select! {
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                    () = cancel.cancelled() => return,
                }
            }
        }
    };
    loop {
        let question = tokio::select! {
            question = asked.next() => question,
            () = cancel.cancelled() => return,
        };
        let Some(question) = question else { return };
        if let Some(reply) = question.reply {
            // Lost with the link: then they ask again.
            let sent = client.publish(reply, Bytes::new());
            let _ = tokio::time::timeout(ASK_WAIT, sent).await;
        }
    }
}
