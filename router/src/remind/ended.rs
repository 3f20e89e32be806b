//! How a reminder ends before its time, or after it: taken back, put off, dealt with, forgotten.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use common::ids::{CauseId, MessageId, UserId};
use common::message::inbound::Chat;
use common::stream;
use tracing::warn;

use super::record::{self, Reminder, State, card_of};
use super::{Refused, Reminders, alarm};
use crate::kept::Record as _;
use crate::users::Stopped;

/// How long one that is over is known: cards are not edited any more after that.
const OVER_KEPT: TimeDelta = TimeDelta::days(14);
/// What [Snooze] is.
const SNOOZE: TimeDelta = TimeDelta::minutes(10);

impl Reminders {
    /// Takes back the reminder of that number, by this act; none: there is none.
    pub(crate) async fn cancel_number(
        &self,
        user: &UserId,
        number: u32,
        by: &CauseId,
    ) -> Result<Option<Arc<Reminder>>, Stopped> {
        let theirs = self.kept.of(user);
        // The same act again, after a crash: the number may be another one's by now.
        let before = theirs
            .iter()
            .find(|one| matches!(&one.state, State::Cancelled { by: first, .. } if first == by));
        let meant = before.or_else(|| {
            let mut waiting = theirs.iter().filter(|one| one.waits());
            waiting.find(|one| one.number == number)
        });
        match meant {
            Some(meant) => self.cancel(user, meant.id, by).await,
            None => Ok(None),
        }
    }

    /// Takes back a person's own reminder. Gives how it stands then; one that came stays so.
    pub(crate) async fn cancel(
        &self,
        user: &UserId,
        id: MessageId,
        by: &CauseId,
    ) -> Result<Option<Arc<Reminder>>, Stopped> {
        let _one = self.lock(user).await;
        if self.own(user, id).is_none() {
            return Ok(None);
        }
        let cancelled = self.kept.change(&id, |now| {
            let now = now.filter(|now| now.waits())?;
            Some(Reminder {
                state: State::Cancelled {
                    at: Utc::now(),
                    by: by.clone(),
                },
                ..now.clone()
            })
        });
        let cancelled = cancelled.await?;
        if let Some(cancelled) = &cancelled
            && matches!(&cancelled.state, State::Cancelled { by: first, .. } if first == by)
        {
            alarm::take(&self.broker, cancelled).await;
            self.note(cancelled, "cancelled");
        }
        Ok(cancelled)
    }

    /// The reminder that comes ten minutes after a tap on [Snooze] on the card of that time.
    fn snoozed(user: &UserId, id: MessageId, due: i64) -> MessageId {
        let card = card_of(user, id, due).to_string();
        MessageId::derived(&["snooze", &card])
    }

    /// Sets a reminder once more; of several taps on one card the last counts. None: it is not known any
    /// more. One that waits keeps its number.
    pub(crate) async fn snooze(
        &self,
        user: &UserId,
        chat: &Chat,
        (id, due): (MessageId, i64),
        now: DateTime<Utc>,
        cause: &CauseId,
    ) -> Result<Option<Result<Arc<Reminder>, Refused>>, Stopped> {
        let _one = self.lock(user).await;
        let Some(first) = self.own(user, id) else {
            return Ok(None);
        };
        let again = Self::snoozed(user, id, due);
        let known = self.kept.get(&again);
        if let Some(known) = known.as_ref().filter(|known| known.cause == *cause) {
            if known.waits() {
                self.stands(known).await?;
            }
            return Ok(Some(Ok(Arc::clone(known))));
        }
        let number = match known.filter(|known| known.waits()) {
            Some(known) => known.number,
            None => match self.room(user).await {
                Ok(()) => self.next_number(user),
                Err(why) => return Ok(Some(Err(why))),
            },
        };
        let reminder = Reminder {
            id: again,
            chat: record::place(chat),
            cause: cause.clone(),
            number,
            from: now,
            due: now + SNOOZE,
            again: None,
            state: State::Waits,
            ..(*first).clone()
        };
        self.write(reminder).await.map(|set| Some(Ok(set)))
    }

    /// It is dealt with: what was put off with its card does not come either.
    pub(crate) async fn done(
        &self,
        user: &UserId,
        (id, due): (MessageId, i64),
        by: &CauseId,
    ) -> Result<Option<Arc<Reminder>>, Stopped> {
        let Some(first) = self.own(user, id) else {
            return Ok(None);
        };
        self.cancel(user, Self::snoozed(user, id, due), by).await?;
        self.note(&first, "done");
        Ok(Some(first))
    }

    /// Forgets what has been over for long.
    pub(super) async fn sweep(&self, now: DateTime<Utc>) {
        let old = |one: &Reminder| one.over().is_some_and(|at| now - at > OVER_KEPT);
        for one in self.kept.all(old) {
            self.forget(&one).await;
        }
    }

    /// Lets go of one that is over.
    pub(super) async fn forget(&self, one: &Reminder) {
        let subject = format!("$KV.{}.{}", stream::KV_REMIND, Reminder::place(&one.id));
        let bucket = format!("KV_{}", stream::KV_REMIND);
        let gone = async {
            let bucket = self.broker.jetstream().get_stream_no_info(bucket).await;
            let bucket = bucket.map_err(|why| why.to_string())?;
            let purged = bucket.purge().filter(subject).await;
            purged.map_err(|why| why.to_string())
        };
        match gone.await {
            Ok(_) => self.kept.retain(|other| other.id != one.id),
            Err(why) => warn!(reminder = %one.id, why, "one that is over was not forgotten; later"),
        }
    }
}
