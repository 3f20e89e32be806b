//! PW_WORK as the line in which work waits for its node: what lies there, how far the node has come,
//! and taking something out again so that it is known whether the node can have had it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::stream::RawMessageErrorKind;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use common::broker::{Ack, Broker, PublishError};
use common::ids::{CauseId, MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::{Inbound, InboundBody};
use common::message::view::Action;
use common::message::work::Work;
use common::message::{Meta, decode, encode};
use common::{stream, subject};
use futures_util::TryStreamExt as _;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::users::Stopped;

const PAUSE: Duration = Duration::from_millis(300);
/// How long counting what lies may take.
const COUNT: Duration = Duration::from_secs(2);

/// How far a node has come in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// Nothing above this was ever handed to it.
    pub(super) delivered: u64,
    /// Everything up to this is settled.
    pub(super) settled: u64,
}

/// Something that lies in the line.
#[derive(Debug)]
pub(super) struct Lying {
    pub(super) work: Work,
    pub(super) sequence: u64,
    pub(super) at: DateTime<Utc>,
}

/// Handle on the line. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    broker: Broker,
    cancel: CancellationToken,
}

impl Line {
    pub(crate) fn new(broker: Broker, cancel: CancellationToken) -> Self {
        Self { broker, cancel }
    }

    /// Puts an act into a node's line; returns when the stream has it. One `key` is stored once
    /// within the stream's window; whatever the key, a node runs a cause once.
    pub(crate) async fn put(
        &self,
        inbound: &Inbound,
        node: &NodeId,
        lang: Lang,
        key: &str,
    ) -> Result<Ack, PublishError> {
        let cause = &inbound.meta.cause;
        let traceparent = inbound.meta.traceparent.as_str();
        let id = MessageId::derived(&[cause.as_str(), "work", node.as_str()]);
        let work = Work {
            meta: Meta::new(id, cause.clone(), traceparent),
            node: node.clone(),
            lang,
            inbound: inbound.clone(),
        };
        let subject = subject::work(node, &inbound.user);
        let payload = Bytes::from(encode(&work));
        self.broker
            .publish_until_acked(&subject, key, traceparent, payload, &self.cancel)
            .await
    }

    /// How many messages of a person lie for each node, in one question to the broker; nodes with
    /// none are missing. None when it does not answer in time: whoever lists nodes does not wait.
    pub(crate) async fn queued(&self, user: &UserId) -> Option<BTreeMap<NodeId, usize>> {
        let asked = count(&self.broker, subject::work_by(user));
        match tokio::time::timeout(COUNT, asked).await {
            Ok(Ok(counted)) => Some(counted),
            Ok(Err(why)) => {
                debug!(%user, %why, "cannot count what waits");
                None
            }
            Err(_) => None,
        }
    }

    /// How far a node has come; none while it has no consumer.
    pub(super) async fn marks(&self, node: &NodeId) -> Result<Option<Marks>, async_nats::Error> {
        let work = self
            .broker
            .jetstream()
            .get_stream_no_info(stream::WORK)
            .await?;
        match work.consumer_info(node.as_str()).await {
            Ok(info) => Ok(Some(Marks {
                delivered: info.delivered.stream_sequence,
                settled: info.ack_floor.stream_sequence,
            })),
            Err(why) if why.kind() == ConsumerInfoErrorKind::NotFound => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    /// Whether a node can never have had what lies, or lay, at `sequence`. Only of something that
    /// has been taken out before is the answer good for ever. Waits for the broker.
    pub(super) async fn surely_never_had(
        &self,
        node: &NodeId,
        sequence: u64,
    ) -> Result<bool, Stopped> {
        loop {
            match self.marks(node).await {
                // Without a consumer nobody remembers what it was given.
                Ok(marks) => return Ok(marks.is_some_and(|marks| marks.delivered < sequence)),
                Err(why) => {
                    self.pause("cannot see how far a node has come", &*why)
                        .await?;
                }
            }
        }
    }

    /// What lies at a place, if it can be read.
    pub(super) async fn read(&self, sequence: u64) -> Result<Option<Lying>, Stopped> {
        loop {
            let read = async {
                let work = self
                    .broker
                    .jetstream()
                    .get_stream_no_info(stream::WORK)
                    .await?;
                match work.get_raw_message(sequence).await {
                    Ok(raw) => Ok(Some(raw)),
                    Err(why) if is_nothing(&why.kind()) => Ok(None),
                    Err(why) => Err(async_nats::Error::from(why)),
                }
            };
            match read.await {
                Ok(None) => return Ok(None),
                Ok(Some(raw)) => {
                    return Ok(lying(
                        &raw.payload,
                        sequence,
                        raw.time.unix_timestamp_nanos(),
                    ));
                }
                Err(why) => self.pause("cannot read what waits", &*why).await?,
            }
        }
    }

    /// An act of a person in a node's line, if it lies there.
    pub(super) async fn find(
        &self,
        node: &NodeId,
        user: &UserId,
        cause: &CauseId,
    ) -> Result<Option<Lying>, Stopped> {
        let subject = subject::work(node, user);
        loop {
            let search = async {
                let work = self
                    .broker
                    .jetstream()
                    .get_stream_no_info(stream::WORK)
                    .await?;
                let mut from = 1;
                loop {
                    let next = work.raw_message_builder().sequence(from);
                    match next.next_by_subject(subject.as_str()).send().await {
                        Ok(raw) => {
                            from = raw.sequence + 1;
                            let at = raw.time.unix_timestamp_nanos();
                            let found = lying(&raw.payload, raw.sequence, at);
                            let found = found.filter(|one| one.work.inbound.meta.cause == *cause);
                            if found.is_some() {
                                return Ok(found);
                            }
                        }
                        Err(why) if is_nothing(&why.kind()) => return Ok(None),
                        Err(why) => return Err(async_nats::Error::from(why)),
                    }
                }
            };
            match search.await {
                Ok(found) => return Ok(found),
                Err(why) => self.pause("cannot search what waits", &*why).await?,
            }
        }
    }

    /// Takes out what lies at a place, if it is that act of that person. After it nobody is handed
    /// it any more; who has it in hand keeps it.
    pub(super) async fn remove(
        &self,
        sequence: u64,
        cause: &CauseId,
        user: &UserId,
    ) -> Result<(), Stopped> {
        loop {
            let Some(found) = self.read(sequence).await? else {
                return Ok(());
            };
            if found.work.inbound.meta.cause != *cause || found.work.inbound.user != *user {
                warn!(sequence, %cause, "another message lies where this one lay; left as it is");
                return Ok(());
            }
            let remove = async {
                let work = self
                    .broker
                    .jetstream()
                    .get_stream_no_info(stream::WORK)
                    .await?;
                work.delete_message(sequence).await?;
                Ok::<_, async_nats::Error>(())
            };
            match remove.await {
                Ok(()) => return Ok(()),
                // Also when it has been taken in between; reading again tells.
                Err(why) => self.pause("cannot take out what waits", &*why).await?,
            }
        }
    }

    /// All acts of people that lie in the line, at most `limit`.
    pub(super) async fn scan(&self, limit: usize) -> Result<Vec<Lying>, async_nats::Error> {
        let work = self
            .broker
            .jetstream()
            .get_stream_no_info(stream::WORK)
            .await?;
        let subjects: Vec<(String, usize)> = work
            .info_with_subjects(subject::WORK_ALL)
            .await?
            .try_collect()
            .await?;
        let mut all = Vec::new();
        for (subject, _) in subjects {
            let mut from = 1;
            while all.len() < limit {
                let next = work.raw_message_builder().sequence(from);
                match next.next_by_subject(subject.as_str()).send().await {
                    Ok(raw) => {
                        from = raw.sequence + 1;
                        let at = raw.time.unix_timestamp_nanos();
                        all.extend(lying(&raw.payload, raw.sequence, at).filter(waits));
                    }
                    Err(why) if is_nothing(&why.kind()) => break,
                    Err(why) => return Err(why.into()),
                }
            }
        }
        Ok(all)
    }

    async fn pause(
        &self,
        what: &str,
        why: &(dyn std::error::Error + Send + Sync + 'static),
    ) -> Result<(), Stopped> {
        debug!(%why, "{what}; again");
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => Ok(()),
            () = self.cancel.cancelled() => Err(Stopped),
        }
    }
}

/// How many messages lie for each node, of those whose subject fits.
pub(crate) async fn count(
    broker: &Broker,
    subjects: String,
) -> Result<BTreeMap<NodeId, usize>, async_nats::Error> {
    let work = broker.jetstream().get_stream_no_info(stream::WORK).await?;
    let mut found = work.info_with_subjects(subjects).await?;
    let mut counted: BTreeMap<NodeId, usize> = BTreeMap::new();
    while let Some((subject, count)) = found.try_next().await? {
        if let Some((node, _)) = subject::parse_work(&subject) {
            *counted.entry(node).or_default() += count;
        }
    }
    Ok(counted)
}

fn is_nothing(why: &RawMessageErrorKind) -> bool {
    match why {
        RawMessageErrorKind::NoMessageFound => true,
        RawMessageErrorKind::JetStream(api) => api.error_code() == ErrorCode::NO_MESSAGE_FOUND,
        RawMessageErrorKind::InvalidSubject | RawMessageErrorKind::Other => false,
    }
}

/// Whether people are told of it when it lies long: a tap that takes back a message was answered
/// already.
fn waits(lying: &Lying) -> bool {
    !matches!(
        &lying.work.inbound.body,
        InboundBody::Tap {
            action: Action::Waiting { .. }
        }
    )
}

fn lying(payload: &[u8], sequence: u64, nanos: i128) -> Option<Lying> {
    let work: Work = decode("work", payload)
        .inspect_err(
            |why| debug!(sequence, %why, "what waits cannot be read; its node will say so"),
        )
        .ok()?;
    let at = DateTime::from_timestamp_nanos(i64::try_from(nanos).unwrap_or_default());
    Some(Lying { work, sequence, at })
}
