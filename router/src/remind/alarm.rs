//! The broker's clock: a message that the broker itself publishes again, at a time, under another subject
//! (JetStream's schedules), whatever of ours runs then.
//!
//! Every alarm is for one time. The broker knows series as well, but counts a period anew from each of its
//! own starts, and leaves out what fell into its absence (nats-server 2.15); one time that is over comes at
//! once. So the next one of a series is set when one has come.

use async_nats::HeaderMap;
use async_nats::header;
use chrono::{DateTime, SecondsFormat, Utc};
use common::broker::{Broker, PublishError};
use common::ids::MessageId;
use common::message::encode;
use common::{stream, subject};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::record::Reminder;
use crate::users::Stopped;

/// What comes when it is time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fire {
    /// When it was due, in milliseconds since 1970.
    pub(super) due: i64,
}

/// Sets the alarm of a reminder, in place of the one before. Returns when the stream has it.
pub(super) async fn put(
    broker: &Broker,
    reminder: &Reminder,
    due: DateTime<Utc>,
    cancel: &CancellationToken,
) -> Result<(), Stopped> {
    let (user, id) = (&reminder.user, reminder.id);
    let mut headers = HeaderMap::new();
    let at = due.to_rfc3339_opts(SecondsFormat::Millis, true);
    headers.insert(header::NATS_SCHEDULE, format!("@at {at}"));
    headers.insert(header::NATS_SCHEDULE_TARGET, subject::fire(user, id));
    let waits = stream::FIRED_WAITS.as_secs();
    headers.insert(header::NATS_SCHEDULE_TTL, format!("{waits}s"));
    let fire = Fire {
        due: due.timestamp_millis(),
    };
    let subject = subject::sched(user, id);
    loop {
        let payload = encode(&fire).into();
        let sent = broker.publish_headers_until(&subject, &headers, payload, cancel);
        match sent.await {
            Ok(_) => return Ok(()),
            Err(PublishError::Unsure(_)) => return Err(Stopped),
            Err(PublishError::Full(why)) => {
                warn!(code = "sched-full", %user, reminder = %id, %why, "no room for a reminder's alarm; again");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(2)) => {}
            () = cancel.cancelled() => return Err(Stopped),
        }
    }
}

/// Takes the alarm of a reminder back. That it is not there is as good; that it comes all the same does
/// nothing, as the record says that it is over.
pub(super) async fn take(broker: &Broker, reminder: &Reminder) {
    let subject = subject::sched(&reminder.user, reminder.id);
    let taken = async {
        let alarms = broker.jetstream().get_stream_no_info(stream::SCHED).await;
        let alarms = alarms.map_err(|why| why.to_string())?;
        let purged = alarms.purge().filter(subject).await;
        purged.map_err(|why| why.to_string())
    };
    if let Err(why) = taken.await {
        warn!(reminder = %reminder.id, why, "an alarm was not taken back; it will come and do nothing");
    }
}

/// All reminders that have an alarm.
pub(super) async fn set(broker: &Broker) -> Result<HashSet<MessageId>, async_nats::Error> {
    let alarms = broker.jetstream().get_stream(stream::SCHED).await?;
    let mut subjects = alarms.info_with_subjects(subject::SCHED_ALL).await?;
    let mut found = HashSet::new();
    while let Some((subject, _)) = subjects.try_next().await? {
        found.extend(subject::parse_sched(&subject).map(|(_, id)| id));
    }
    Ok(found)
}

/// Takes out a message that has been dealt with. Left there, it goes by its age.
pub(super) async fn done(broker: &Broker, sequence: u64) {
    let Ok(alarms) = broker.jetstream().get_stream_no_info(stream::SCHED).await else {
        return;
    };
    if let Err(why) = alarms.delete_message(sequence).await {
        tracing::debug!(sequence, %why, "a reminder that has come was not taken out");
    }
}
