//! The key that a lease is, or what its holder writes beside it: read by a direct get and written by
//! compare-and-set, the two things that also an account without streams of its own may do with a
//! bucket.

use std::fmt;
use std::time::Duration;

use async_nats::StatusCode;
use async_nats::header::NATS_SEQUENCE;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;

use crate::broker::Broker;
use crate::broker::storing::{self, Ending};

/// How long one request may take.
const TRY: Duration = Duration::from_millis(1500);

/// Where a lease is, or what belongs to it: a key of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket; the router makes it.
    pub bucket: String,
    /// The key.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket, self.key)
    }
}

/// What stands there.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Found {
    pub(in crate::broker) seq: u64,
    pub(in crate::broker) value: Bytes,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) enum Cas {
    /// It stands there, at this place in the stream.
    Won(u64),
    /// Something else was written meanwhile.
    Refused,
}

impl Place {
    /// What stands there now; none if nothing ever did. The error is for the log.
    pub(in crate::broker) async fn read(&self, broker: &Broker) -> Result<Option<Found>, String> {
        let (api, bucket, key) = (broker.api(), &self.bucket, &self.key);
        let subject = format!("{api}.DIRECT.GET.KV_{bucket}.$KV.{bucket}.{key}");
        let request = broker.client().request(subject, Bytes::new());
        let answer = tokio::time::timeout(TRY, request)
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|why| why.to_string())?;
        match answer.status {
            Some(StatusCode::NOT_FOUND) => return Ok(None),
            Some(status) if !status.is_success() => {
                return Err(format!("the broker answered {status}"));
            }
            Some(_) | None => {}
        }
        let seq = answer
            .headers
            .as_ref()
            .and_then(|headers| headers.get(NATS_SEQUENCE))
            .and_then(|seq| seq.as_str().parse().ok())
            .ok_or_else(|| "an answer without its place".to_owned())?;
        let value = answer.payload;
        Ok(Some(Found { seq, value }))
    }

    /// Writes `value` if what stands there is still what was read at `seq` (0: nothing). An error
    /// means that it may or may not stand there now.
    pub(in crate::broker) async fn put(
        &self,
        broker: &Broker,
        seq: u64,
        value: &[u8],
    ) -> Result<Cas, String> {
        let message = PublishMessage::build()
            .payload(Bytes::copy_from_slice(value))
            .expected_last_subject_sequence(seq);
        let subject = format!("$KV.{}.{}", self.bucket, self.key);
        let attempt = broker.storing.attempt(&subject, broker.cuts());
        let sent = tokio::time::timeout(TRY, async {
            broker
                .jetstream()
                .send_publish(subject.clone(), message)
                .await?
                .await
        })
        .await;
        // A bucket that takes no lease is the first to show that the broker cannot store.
        let up = *broker.link.up.borrow();
        let ending = match &sent {
            Ok(Ok(_)) => Ending::Stored,
            Ok(Err(why)) => storing::ending(why, up),
            Err(_) => storing::silence(up),
        };
        attempt.ended(ending, broker.cuts());
        match sent.map_err(|_| "no answer in time".to_owned())? {
            Ok(ack) => Ok(Cas::Won(ack.sequence)),
            Err(why) if why.kind() == PublishErrorKind::WrongLastSequence => Ok(Cas::Refused),
            Err(why) => Err(why.to_string()),
        }
    }
}
