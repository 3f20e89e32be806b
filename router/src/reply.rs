//! Shows a person what the router itself has to say, so that it is shown once: every id is derived
//! from what the person did, and a repeat of the same act makes the same ids.

use std::time::Duration;

use common::broker::{Broker, PublishError};
use common::ids::{CardId, CauseId, MessageId, UserId};
use common::message::inbound::{Chat, ChatKind, Inbound};
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::View;
use common::message::{Meta, encode};
use common::subject;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::users::Stopped;

/// How often a full stream is tried again; gateways empty it.
const PAUSE: Duration = Duration::from_secs(2);

/// Handle. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    pub(crate) broker: Broker,
    pub(crate) cancel: CancellationToken,
}

/// The card that an act led to; `part` tells several of one act apart.
pub(crate) fn card_of(inbound: &Inbound, part: &str) -> CardId {
    CardId::derived(&["router", inbound.meta.cause.as_str(), part])
}

/// The chat of person and bot, by the person: for what was not said in any.
pub(crate) fn their_own() -> Chat {
    Chat {
        id: String::new(),
        kind: ChatKind::Direct,
        message: None,
    }
}

/// Where something is shown, and on whose act.
#[derive(Debug, Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) chat: &'a Chat,
    pub(crate) cause: &'a CauseId,
    pub(crate) traceparent: &'a str,
}

impl<'a> To<'a> {
    fn of(inbound: &'a Inbound) -> Self {
        Self {
            user: &inbound.user,
            chat: &inbound.chat,
            cause: &inbound.meta.cause,
            traceparent: &inbound.meta.traceparent,
        }
    }
}

impl Replies {
    /// Shows a new card in answer to `inbound`. Returns when the stream has it.
    pub(crate) async fn show(
        &self,
        inbound: &Inbound,
        part: &str,
        view: View,
    ) -> Result<(), Stopped> {
        self.card(inbound, part, card_of(inbound, part), 1, view)
            .await
    }

    /// Shows revision `rev` of a card because of `inbound`. Returns when the stream has it.
    pub(crate) async fn card(
        &self,
        inbound: &Inbound,
        part: &str,
        card: CardId,
        rev: u32,
        view: View,
    ) -> Result<(), Stopped> {
        let id = MessageId::derived(&[inbound.meta.cause.as_str(), "reply", part]);
        self.put(id, &To::of(inbound), OutboundBody::Card { card, rev, view })
            .await
    }

    /// Shows something under an id that a repeat makes again. Returns when the stream has it.
    pub(crate) async fn put(
        &self,
        id: MessageId,
        to: &To<'_>,
        body: OutboundBody,
    ) -> Result<(), Stopped> {
        let outbound = Outbound {
            meta: Meta::new(id, to.cause.clone(), to.traceparent),
            user: to.user.clone(),
            chat: to.chat.clone(),
            body,
        };
        let subject = subject::out_router(to.user);
        let (id, payload) = (id.to_string(), bytes::Bytes::from(encode(&outbound)));
        loop {
            let sent = self.broker.publish_until(
                &subject,
                &id,
                to.traceparent,
                payload.clone(),
                &self.cancel,
            );
            match sent.await {
                Ok(_) => {
                    common::crash_point!("router.reply.stored");
                    return Ok(());
                }
                Err(PublishError::Unsure(_)) => return Err(Stopped),
                Err(PublishError::Full(why)) => {
                    warn!(code = "out-full", user = %to.user, %why, "no room for a reply; is a gateway running? again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.cancel.cancelled() => return Err(Stopped),
            }
        }
    }
}
