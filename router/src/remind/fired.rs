//! Shows reminders that are due: reads PW_SCHED, compares with the record, shows, writes down that it came
//! and when the series goes on, and only then acknowledges. Each time is shown once: its ids are derived from
//! reminder and time.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::broker::Broker;
use common::broker::consume::Delivery;
use common::broker::lease::Lease;
use common::ids::{CauseId, MessageId, UserId};
use common::message::decode;
use common::message::outbound::OutboundBody;
use common::{stream, subject};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::alarm::{self, Fire};
use super::record::{Reminder, State, card_of};
use crate::act::Desk;
use crate::cards;
use crate::reading::Reading;
use crate::reply::To;
use crate::users::Stopped;

/// Reminders held at once; the rest stays in the stream.
const IN_FLIGHT: usize = 128;

/// Reads as long as we lead, and until `stop`.
pub(crate) async fn run(desk: Arc<Desk>, broker: Broker, lease: Lease, stop: CancellationToken) {
    let cancel = lease.over().child_token();
    let read = read(desk, broker, &lease, cancel.clone());
    let mut read = std::pin::pin!(read);
    tokio::select! {
        () = &mut read => return,
        () = stop.cancelled() => cancel.cancel(),
    }
    read.await;
}

async fn read(desk: Arc<Desk>, broker: Broker, lease: &Lease, cancel: CancellationToken) {
    let reading = Reading {
        stream: stream::SCHED,
        consumer: stream::SCHED_ROUTER,
        in_flight: IN_FLIGHT,
        floor: "reminders",
    };
    let key = |subject: &str| {
        subject::parse_fire(subject)
            .map_or_else(|| subject.to_owned(), |(user, _)| user.to_string())
    };
    let handle = |delivery: Delivery| {
        let (desk, broker) = (Arc::clone(&desk), broker.clone());
        async move { take(&desk, &broker, &delivery).await }
    };
    reading.run(&broker, lease, cancel, key, handle).await;
}

async fn take(desk: &Desk, broker: &Broker, delivery: &Delivery) -> Result<(), Stopped> {
    let subject = delivery.subject.as_str();
    let fire = decode::<Fire>("reminder that is due", &delivery.payload);
    match (subject::parse_fire(subject), fire) {
        (Some((user, id)), Ok(fire)) => came(desk, &user, id, fire.due).await?,
        (_, found) => warn!(%subject, ?found, "not a reminder; passed over"),
    }
    alarm::done(broker, delivery.sequence).await;
    Ok(())
}

/// Reminds somebody of something that was due then.
async fn came(desk: &Desk, user: &UserId, id: MessageId, due: i64) -> Result<(), Stopped> {
    let reminders = &desk.reminders;
    let _one = reminders.lock(user).await;
    let fits = |one: &Reminder| one.waits() && one.due.timestamp_millis() == due;
    let Some(one) = reminders.own(user, id).filter(|one| fits(one)) else {
        debug!(%user, reminder = %id, due, "taken back, put off, or shown before");
        return Ok(());
    };
    let now = Utc::now();
    let zone = one.zone();
    let next = one
        .again
        .as_ref()
        .and_then(|again| again.next(one.from, now.max(one.due), zone));
    if let Some(next) = next {
        // First of all: should we die now, the series goes on.
        alarm::put(&reminders.broker, &one, next, &reminders.cancel).await?;
    }
    show(desk, &one, next, now).await?;
    common::crash_point!("router.remind.came");
    reminders.note(&one, "fired");
    reminders
        .kept
        .change(&id, |now_kept| {
            let before = now_kept.filter(|one| fits(one))?;
            Some(match next {
                Some(due) => Reminder {
                    due,
                    ..before.clone()
                },
                None => Reminder {
                    state: State::Came { at: now },
                    ..before.clone()
                },
            })
        })
        .await?;
    info!(%user, reminder = %id, late = (now - one.due).num_seconds(), "reminded");
    Ok(())
}

/// The card, and the short message that rings.
async fn show(
    desk: &Desk,
    one: &Reminder,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), Stopped> {
    let lang = desk.users.peek(&one.user).await?.language();
    let lang = lang.or(desk.lang).unwrap_or_default();
    let due = one.due.timestamp_millis();
    let which = format!("reminder-{}-{due}", one.id);
    let cause = CauseId::new(one.user.surface(), &which);
    let to = To {
        user: &one.user,
        chat: &one.chat,
        cause: &cause,
        traceparent: &one.traceparent,
    };
    let replies = &desk.dispatch.replies;
    let person = one.user.to_string();
    let id = |part: &str| MessageId::derived(&[&person, &which, part]);
    let card = OutboundBody::Card {
        card: card_of(&one.user, one.id, due),
        rev: 1,
        view: cards::remind::due(lang, one, next, now),
    };
    replies.put(id("card"), &to, card).await?;
    let text = cards::remind::rings(lang, one);
    replies
        .put(id("rings"), &to, OutboundBody::Notice { text })
        .await
}
