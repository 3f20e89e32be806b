//! Puts the newest state on the card of a message to several nodes. States that follow each other
//! fast are shown as one.

use std::time::Duration;

use chrono::Utc;
use common::ids::{CardId, MessageId};
use common::message::outbound::OutboundBody;
use tokio_util::sync::CancellationToken;

use super::{Fan, Fans};
use crate::cards;
use crate::reply::{Replies, To};
use crate::users::Stopped;

/// Between two looks for news: platforms take few edits of one card.
const EVERY: Duration = Duration::from_millis(500);

/// Shows what is new until `stop`. The next router shows what we did not.
pub(crate) async fn run(fans: Fans, replies: Replies, stop: CancellationToken) {
    let shown = async {
        loop {
            fans.bell.notified().await;
            for fan in fans.take_news() {
                card(&replies, &fan).await?;
                fans.was_shown(&fan).await?;
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    let _: Option<Result<(), Stopped>> = stop.run_until_cancelled(shown).await;
}

/// Shows a state; the same one again shows nothing twice.
pub(super) async fn card(replies: &Replies, fan: &Fan) -> Result<(), Stopped> {
    let card = CardId::derived(&["router", fan.cause.as_str(), "fan"]);
    let rev = fan.rev;
    let id = MessageId::derived(&[&card.to_string(), &rev.to_string()]);
    let to = To {
        user: &fan.user,
        chat: &fan.chat,
        cause: &fan.cause,
        traceparent: &fan.traceparent,
    };
    let view = cards::fan::view(fan, Utc::now());
    replies
        .put(id, &to, OutboundBody::Card { card, rev, view })
        .await
}
