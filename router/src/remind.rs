//! Reminders: set, listed and taken back by people (`command`), by the chat models on their nodes (`asked`),
//! taken back or put off (`ended`), and shown when they are due (`fired`), whatever hosts are up and whatever of ours was down meanwhile.
//!
//! What is set is a record in the bucket PW_REMIND; the broker's clock (`alarm`) wakes us. An alarm that does
//! not fit its record does nothing, so that one that comes twice, late, or after it was taken back is shown
//! once or not at all. The router in office is the only one that changes records, one person's one after the
//! other. Times are read in `when`.

mod alarm;
pub(crate) mod asked;
pub(crate) mod command;
mod ended;
pub(crate) mod fired;
pub(crate) mod record;
pub(crate) mod repeat;
pub(crate) mod when;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::Store;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use common::audit::{Audit, Entry, Kind};
use common::broker::Broker;
use common::ids::{CauseId, MessageId, UserId};
use common::message::inbound::Chat;
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::kept::Kept;
use crate::users::Stopped;
use record::{Reminder, State};
use when::{Bounds, When, Why};

/// Reminders that wait, of one person. One more is refused and told.
pub(crate) const PER_PERSON: usize = 100;
/// Reminders of one person that are over and still known, for the buttons of their cards; of more the oldest
/// are forgotten.
const OVER_PER_PERSON: usize = 200;
/// All that are known. Beyond it nobody sets another one, and is told.
const ALL: usize = 50_000;
/// The longest text, in characters.
pub(crate) const LONGEST: usize = 1_000;
/// People whose reminders are changed at once; others wait a moment.
const LOCKS: usize = 64;

/// What bounds reminders.
#[derive(Debug, Clone, Copy)]
pub struct RemindTimes {
    /// The shortest time to a reminder.
    pub soonest: Duration,
    /// The shortest time between two of one series.
    pub period: Duration,
}

impl Default for RemindTimes {
    fn default() -> Self {
        Self {
            soonest: Duration::from_secs(5),
            period: Duration::from_secs(60),
        }
    }
}

/// Why a reminder is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Its time.
    When(Why),
    /// Nothing to be reminded of.
    NoText,
    /// Too much.
    TooLong,
    /// Too many of this person.
    Full,
    /// Too many of all.
    HubFull,
}

/// A reminder that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    /// Derived from what led to it: asked again, it is the same one.
    pub(crate) id: MessageId,
    pub(crate) user: &'a UserId,
    pub(crate) chat: &'a Chat,
    pub(crate) cause: &'a CauseId,
    pub(crate) traceparent: &'a str,
    /// Since when a span counts.
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

/// Handle. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reminders {
    kept: Kept<Reminder>,
    broker: Broker,
    cancel: CancellationToken,
    locks: Arc<Vec<Mutex<()>>>,
    pub(crate) zone: Tz,
    bounds: Bounds,
    audit: Audit,
}

impl Reminders {
    /// Reads what is set, and sets the alarms that are missing.
    pub(crate) async fn open(
        broker: &Broker,
        store: Store,
        zone: Tz,
        times: RemindTimes,
        audit: Audit,
        cancel: CancellationToken,
    ) -> Result<Self, async_nats::Error> {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let reminders = Self {
            kept: Kept::open(store, cancel.clone()).await?,
            broker: broker.clone(),
            cancel,
            locks: Arc::new((0..LOCKS).map(|_| Mutex::new(())).collect()),
            zone,
            bounds: Bounds {
                soonest: seconds(times.soonest),
                period: seconds(times.period),
            },
            audit,
        };
        let set = alarm::set(broker).await?;
        let missing = |one: &Reminder| one.waits() && !set.contains(&one.id);
        for one in reminders.kept.all(missing) {
            // One that has come and was not dealt with is set a second time: of two the second does nothing.
            debug!(reminder = %one.id, "its alarm is set again");
            if reminders.alarm(&one).await.is_err() {
                break;
            }
        }
        reminders.sweep(Utc::now()).await;
        Ok(reminders)
    }

    /// Forgets what has been over for long; every hour until `stop`.
    pub(crate) async fn tidy(self, stop: CancellationToken) {
        let tidying = async {
            loop {
                tokio::time::sleep(Duration::from_secs(3_600)).await;
                self.sweep(Utc::now()).await;
            }
        };
        let _: Option<()> = stop.run_until_cancelled(tidying).await;
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn lock(&self, user: &UserId) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        user.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % (LOCKS as u64)).unwrap_or(0);
        Some(self.locks.get(at)?.lock().await)
    }

    /// Sets a reminder, and says how it stands. One that was set before stays as it is.
    pub(crate) async fn set(
        &self,
        wish: Wish<'_>,
        when: When,
        text: &str,
    ) -> Result<Result<Arc<Reminder>, Refused>, Stopped> {
        let text = text.trim();
        let _one = self.lock(wish.user).await;
        let known = self.kept.get(&wish.id);
        if let Some(known) = known.filter(|known| known.user == *wish.user) {
            if known.waits() {
                self.stands(&known).await?;
            }
            return Ok(Ok(known));
        }
        if text.is_empty() {
            return Ok(Err(Refused::NoText));
        }
        if text.chars().count() > LONGEST {
            return Ok(Err(Refused::TooLong));
        }
        let (due, again) = match when {
            When::Once(due) => (due, None),
            When::Again(again) => match again.next(wish.now, wish.now, wish.zone) {
                Some(due) => (due, Some(again)),
                None => return Ok(Err(Refused::When(Why::Unclear))),
            },
        };
        if let Err(refused) = self.room(wish.user).await {
            return Ok(Err(refused));
        }
        let number = self.next_number(wish.user);
        let reminder = Reminder {
            id: wish.id,
            user: wish.user.clone(),
            chat: record::place(wish.chat),
            cause: wish.cause.clone(),
            traceparent: wish.traceparent.to_owned(),
            text: text.to_owned(),
            zone: wish.zone.name().to_owned(),
            number,
            from: wish.now,
            due,
            again,
            state: State::Waits,
        };
        self.write(reminder).await.map(Ok)
    }

    /// Keeps a new record and sets its alarm.
    async fn write(&self, reminder: Reminder) -> Result<Arc<Reminder>, Stopped> {
        let set = self.kept.change(&reminder.id, |_| Some(reminder.clone()));
        let set = set.await?.unwrap_or_else(|| Arc::new(reminder));
        common::crash_point!("router.remind.kept");
        self.stands(&set).await?;
        Ok(set)
    }

    /// Sets the alarm of what is kept. The act that comes again does so once more.
    async fn stands(&self, set: &Reminder) -> Result<(), Stopped> {
        self.alarm(set).await?;
        info!(user = %set.user, reminder = %set.id, due = %set.due, again = set.again.is_some(), "a reminder is set");
        self.note(set, "set");
        Ok(())
    }

    /// Above those that wait, whose numbers stay.
    fn next_number(&self, user: &UserId) -> u32 {
        let waiting = self.waiting(user);
        let last = waiting.iter().map(|one| one.number).max().unwrap_or(0);
        last.saturating_add(1)
    }

    async fn alarm(&self, reminder: &Reminder) -> Result<(), Stopped> {
        alarm::put(&self.broker, reminder, reminder.due, &self.cancel).await
    }

    async fn room(&self, user: &UserId) -> Result<(), Refused> {
        let theirs = self.kept.of(user);
        if theirs.iter().filter(|one| one.waits()).count() >= PER_PERSON {
            return Err(Refused::Full);
        }
        let mut over: Vec<_> = theirs.iter().filter(|one| !one.waits()).collect();
        if over.len() > OVER_PER_PERSON {
            over.sort_by_key(|one| one.over());
            let oldest = over.len() - OVER_PER_PERSON;
            for one in over.into_iter().take(oldest) {
                self.forget(one).await;
            }
        }
        if self.kept.all(|_| true).len() >= ALL {
            return Err(Refused::HubFull);
        }
        Ok(())
    }

    /// What waits for a person, in the order in which it comes.
    pub(crate) fn waiting(&self, user: &UserId) -> Vec<Arc<Reminder>> {
        let mut waiting = self.kept.of(user);
        waiting.retain(|one| one.waits());
        waiting.sort_by_key(|one| (one.due, one.number));
        waiting
    }

    /// A person's own reminder.
    pub(crate) fn own(&self, user: &UserId, id: MessageId) -> Option<Arc<Reminder>> {
        self.kept.get(&id).filter(|one| one.user == *user)
    }

    /// A line of the audit.
    fn note(&self, one: &Reminder, outcome: &str) {
        let line = Entry::new(Kind::Reminder).act(&one.user, &one.chat, &one.cause);
        let due = one.local(one.due).format("%Y-%m-%d %H:%M");
        let what = format!("{due} {}", one.text);
        self.audit.note(line.what(what).outcome(outcome));
    }
}
