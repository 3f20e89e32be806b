//! Hands work to a node and, when the node is not there, tells the person at once.
//!
//! Which node it is was decided before; what the node makes of it is the node's.

use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use common::broker::{Broker, PublishError};
use common::ids::{MessageId, NodeId, UserId};
use common::lang::Lang;
use common::message::inbound::Inbound;
use common::message::view::View;
use common::message::work::Work;
use common::message::{Meta, encode};
use common::{stream, subject};
use futures_util::TryStreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::cards;
use crate::decide::Candidate;
use crate::presence::{Presence, State};
use crate::reply::Replies;
use crate::users::Stopped;

/// How long work may lie before its node is called off; the person is told within a second.
const PATIENCE: Duration = Duration::from_millis(600);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of work.
#[derive(Debug)]
pub(crate) enum Handed {
    /// The stream has it, now or since an earlier attempt.
    Taken,
    /// There is no room; the card says so.
    Refused(View),
}

/// Everything that handing out work needs. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    pub(crate) broker: Broker,
    pub(crate) presence: Presence,
    pub(crate) replies: Replies,
    pub(crate) cancel: CancellationToken,
}

impl Dispatch {
    /// Sends `inbound` to `to`; returns when the stream has it. The same act for the same node is
    /// stored once, however often it is sent.
    pub(crate) async fn hand(
        &self,
        inbound: &Inbound,
        to: &Candidate,
        lang: Lang,
    ) -> Result<Handed, Stopped> {
        let cause = &inbound.meta.cause;
        let node = &to.node;
        let traceparent = inbound.meta.traceparent.as_str();
        let id = MessageId::derived(&[cause.as_str(), "work", node.as_str()]);
        let work = Work {
            meta: Meta::new(id, cause.clone(), traceparent),
            node: node.clone(),
            lang,
            inbound: inbound.clone(),
        };
        let subject = subject::work(node, &inbound.user);
        let key = format!("{cause}:{node}");
        let payload = Bytes::from(encode(&work));
        let sent = self
            .broker
            .publish_until(&subject, &key, traceparent, payload, &self.cancel);
        match sent.await {
            Ok(repeat) => debug!(%node, %cause, repeat, "work handed over"),
            Err(PublishError::Unsure(_)) => return Err(Stopped),
            Err(PublishError::Full(why)) if why.contains("per subject") => {
                warn!(code = "queue-full", %node, user = %inbound.user, %cause, "work refused");
                return Ok(Handed::Refused(cards::queue_full(lang, &to.name)));
            }
            Err(PublishError::Full(why)) => {
                warn!(code = "hub-full", %node, %cause, %why, "work refused");
                return Ok(Handed::Refused(cards::hub_full(lang)));
            }
        }
        self.tell_if_off(inbound, to, lang).await?;
        Ok(Handed::Taken)
    }

    /// Tells the person that a node is not there, once per message.
    async fn tell_if_off(
        &self,
        inbound: &Inbound,
        to: &Candidate,
        lang: Lang,
    ) -> Result<(), Stopped> {
        let since = match self.presence.check(&to.node).await {
            State::On => return Ok(()),
            State::Off { since } => Some(since),
            State::Never => None,
        };
        // Whoever takes its work is there, whatever we have heard of it: a node that has just
        // started may not have beaten where we could hear it.
        let patience = Instant::now() + PATIENCE;
        let place = loop {
            match self.place(&to.node, &inbound.user).await {
                Some(0) => return Ok(()),
                place if Instant::now() >= patience => break place,
                Some(_) | None => tokio::time::sleep(LOOK_EVERY).await,
            }
        };
        let view = cards::waiting(lang, &to.name, since, place, Utc::now());
        self.replies.show(inbound, "waiting", view).await
    }

    /// How many acts of the person wait for the node, the one just handed over included; none if
    /// the broker does not say.
    async fn place(&self, node: &NodeId, user: &UserId) -> Option<u64> {
        let subject = subject::work(node, user);
        let count = async {
            let work = self
                .broker
                .jetstream()
                .get_stream_no_info(stream::WORK)
                .await?;
            let mut counts = work.info_with_subjects(&subject).await?;
            let mut all = 0;
            while let Some((_, count)) = counts.try_next().await? {
                all += count;
            }
            Ok::<_, async_nats::Error>(u64::try_from(all).unwrap_or(u64::MAX))
        };
        count
            .await
            .inspect_err(|why| warn!(%node, %why, "cannot count what waits"))
            .ok()
    }
}
