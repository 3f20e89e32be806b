//! Hands work to a node. Returns as soon as the stream has it: whether the node is there, and what
//! the person is told of it, is `waiting`'s.
//!
//! Which node it is was decided before; what the node makes of it is the node's.

use chrono::Utc;
use common::broker::PublishError;
use common::lang::Lang;
use common::message::inbound::{Inbound, InboundBody};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::address;
use crate::decide::Candidate;
use crate::reply::Replies;
use crate::users::Stopped;
use crate::waiting::{Item, Refusal, Waiting};

/// What became of work.
#[derive(Debug)]
pub(crate) enum Handed {
    /// The stream has it, now or since an earlier attempt.
    Taken,
    /// There is no room; nobody has told the person yet.
    Refused(Refusal),
    /// It was refused before, and the person knows.
    RefusedBefore,
}

/// Everything that handing out work needs. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    pub(crate) broker: common::broker::Broker,
    pub(crate) waiting: Waiting,
    pub(crate) replies: Replies,
    pub(crate) cancel: CancellationToken,
}

impl Dispatch {
    /// Sends `inbound`, which lies at `place` in PW_IN, to `to`; returns when the stream has it. The
    /// same act for the same node is stored once, however often it is sent.
    pub(crate) async fn hand(
        &self,
        inbound: &Inbound,
        place: u64,
        to: &Candidate,
        lang: Lang,
    ) -> Result<Handed, Stopped> {
        let cause = &inbound.meta.cause;
        let node = &to.node;
        // A repeat of an act that the person took back, or that has waited since, must not go out.
        if self.waiting.knows(cause) {
            debug!(%node, %cause, "handed over before; what became of it is known");
            return Ok(Handed::Taken);
        }
        if self
            .waiting
            .refusals()
            .has(&inbound.user, node, place)
            .await
        {
            return Ok(Handed::RefusedBefore);
        }
        let key = format!("{cause}:{node}");
        let meant = meant(inbound);
        match self.waiting.line().put(&meant, node, lang, &key).await {
            Ok(ack) => {
                common::crash_point!("router.work.stored");
                debug!(%node, %cause, repeat = ack.repeat, "work handed over");
                let item = Item::new(inbound, to, lang, ack.sequence, Utc::now());
                self.waiting.note(item);
                Ok(Handed::Taken)
            }
            Err(PublishError::Unsure(_)) => Err(Stopped),
            Err(PublishError::Full(why)) => {
                let refusal = refusal(&why);
                warn!(code = refusal.code(), %node, user = %inbound.user, %cause, %why, "work refused");
                Ok(Handed::Refused(refusal))
            }
        }
    }
}

/// The act as a node gets it: a text that begins with `@@` is one that begins with `@`.
fn meant(inbound: &Inbound) -> Inbound {
    let mut meant = inbound.clone();
    if let InboundBody::Text { text } | InboundBody::Files { text, .. } = &mut meant.body {
        *text = address::meant(text).to_owned();
    }
    meant
}

/// What a full stream says.
pub(crate) fn refusal(why: &str) -> Refusal {
    if why.contains("per subject") {
        Refusal::Queue
    } else {
        Refusal::Hub
    }
}
