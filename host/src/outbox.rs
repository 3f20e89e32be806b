//! Drains the journal's outbox to the broker, in order, each message until it is confirmed.
//!
//! Dying after the confirmation and before it is written down sends the message once more with the
//! same id; stream and gateway know it by that. While the journal cannot be written, what is
//! confirmed is remembered, so that it is not sent again and again.

use common::broker::{Broker, PublishError};
use common::ids::NodeId;
use common::message::encode;
use common::message::outbound::Outbound;
use common::subject;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::journal::{Change, Journal};
use crate::report;

/// Messages read from the journal at once.
const BATCH: usize = 64;

/// Runs until `cancel`; then sends what is left as long as the broker answers at once.
pub(crate) async fn run(node: NodeId, journal: Journal, broker: Broker, cancel: CancellationToken) {
    let mut grown = journal.outbox_grown();
    // Confirmed and not yet marked; at most a batch.
    let mut sent = Vec::with_capacity(BATCH);
    loop {
        let emptied = drain(&node, &journal, &broker, &cancel, &mut sent).await;
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
    sent: &mut Vec<Change>,
) -> bool {
    loop {
        if !sent.is_empty() {
            if let Err(why) = journal.commit(sent.clone()).await {
                debug!(%why, "sent replies cannot be marked yet");
                return false;
            }
            sent.clear();
        }
        let waiting = match journal.outbox(0, BATCH).await {
            Ok(waiting) if waiting.is_empty() => return true,
            Ok(waiting) => waiting,
            Err(why) => {
                // The journal says so loudly, and once.
                debug!(%why, "the outbox cannot be read");
                return false;
            }
        };
        let mut stuck = false;
        for one in waiting {
            let subject = subject::out(node, &one.outbound.user);
            let id = one.outbound.meta.id.to_string();
            let trace = one.outbound.meta.traceparent.clone();
            let payload = encode(&one.outbound).into();
            common::crash_point!("host.outbox.read");
            match broker
                .publish_until(&subject, &id, &trace, payload, cancel)
                .await
            {
                Ok(_) => {
                    common::crash_point!("host.outbox.stored");
                    if !report(node, &one.outbound, broker, cancel).await {
                        stuck = true;
                        break;
                    }
                    sent.push(Change::Sent(one.place));
                }
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
        if stuck {
            if !sent.is_empty() && journal.commit(sent.clone()).await.is_ok() {
                sent.clear();
            }
            return false;
        }
    }
}

/// Tells the router how the turn stands that this was shown of, if it collects that. Before the message
/// is marked as sent, so that a report is as sure as what it tells of. False: to be tried again.
async fn report(
    node: &NodeId,
    outbound: &Outbound,
    broker: &Broker,
    cancel: &CancellationToken,
) -> bool {
    let Some(report) = report::of(node, outbound) else {
        return true;
    };
    let subject = subject::turn(node, &report.user);
    let (id, trace) = (report.meta.id.to_string(), &report.meta.traceparent);
    let payload = encode(&report).into();
    match broker
        .publish_until(&subject, &id, trace, payload, cancel)
        .await
    {
        Ok(_) => true,
        Err(PublishError::Full(why)) => {
            // Answers do not wait for a line about them.
            warn!(%why, "how a turn goes cannot be told; its card says it");
            true
        }
        Err(PublishError::Unsure(_)) => false,
    }
}
