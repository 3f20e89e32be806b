//! Drains the journal's outbox to the broker, in order, each message until it is confirmed.
//!
//! Dying after the confirmation and before it is written down sends the message once more with the
//! same id; stream and gateway know it by that.

use common::broker::{Broker, PublishError};
use common::ids::NodeId;
use common::message::encode;
use common::subject;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::journal::{Change, Journal};

/// Messages read from the journal at once.
const BATCH: usize = 64;

/// Runs until `cancel`; then sends what is left as long as the broker answers at once.
pub(crate) async fn run(node: NodeId, journal: Journal, broker: Broker, cancel: CancellationToken) {
    let mut grown = journal.outbox_grown();
    loop {
        let emptied = drain(&node, &journal, &broker, &cancel).await;
        if cancel.is_cancelled() {
            return;
        }
        if emptied {
            tokio::select! {
                changed = grown.changed() => if changed.is_err() { return },
                () = cancel.cancelled() => {}
            }
        } else {
            // Full or failing: the messages stay where they are, order is kept by not going on.
            tokio::select! {
                () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
                () = cancel.cancelled() => {}
            }
        }
    }
}

/// Sends until the outbox is empty; false when it could not.
async fn drain(
    node: &NodeId,
    journal: &Journal,
    broker: &Broker,
    cancel: &CancellationToken,
) -> bool {
    loop {
        let waiting = match journal.outbox(0, BATCH).await {
            Ok(waiting) if waiting.is_empty() => return true,
            Ok(waiting) => waiting,
            Err(why) => {
                error!(%why, "the outbox cannot be read");
                return false;
            }
        };
        let mut sent = Vec::with_capacity(waiting.len());
        let mut stuck = false;
        for one in waiting {
            let subject = subject::out(node, &one.outbound.user);
            let id = one.outbound.meta.id.to_string();
            let trace = one.outbound.meta.traceparent.clone();
            let payload = encode(&one.outbound).into();
            match broker
                .publish_until(&subject, &id, &trace, payload, cancel)
                .await
            {
                Ok(_) => sent.push(Change::Sent(one.place)),
                Err(PublishError::Full(why)) => {
                    warn!(%why, "the stream of replies is full; replies wait here");
                    stuck = true;
                    break;
                }
                Err(PublishError::Unsure(_)) => {
                    stuck = true;
                    break;
                }
            }
        }
        if !sent.is_empty()
            && let Err(why) = journal.commit(sent).await
        {
            error!(%why, "sent replies cannot be marked; they will be sent again and recognised");
            return false;
        }
        if stuck {
            return false;
        }
    }
}
