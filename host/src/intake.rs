//! The broker's work for this node, written down and only then acknowledged.
//!
//! Dying before the journal has it: the broker delivers it again. Dying after the journal has it
//! and before the acknowledgement arrives: it is delivered again and recognised. One message is in
//! flight at a time, so order is the broker's order.

use std::sync::Arc;
use std::time::Duration;

use common::broker::consume::{ConsumeOptions, Delivery, Outcome, consume};
use common::message::decode;
use common::message::work::Work;
use common::{stream, subject};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::context::Context;
use crate::journal::Accepted;

/// Reads until `cancel`. What is accepted goes to `desk`, in order.
pub(crate) async fn run(
    context: Arc<Context>,
    desk: mpsc::Sender<Accepted>,
    cancel: CancellationToken,
) {
    let node = context.node.clone();
    let options = ConsumeOptions {
        stream: stream::WORK,
        consumer: node.as_str(),
        in_flight: 1,
        drain: Duration::from_secs(1),
        dead: Some(node.as_str()),
        lead: None,
    };
    let broker = context.broker.clone();
    consume(
        &broker,
        options,
        cancel,
        |_| String::new(),
        |delivery| take(Arc::clone(&context), desk.clone(), delivery),
    )
    .await;
}

async fn take(context: Arc<Context>, desk: mpsc::Sender<Accepted>, delivery: Delivery) -> Outcome {
    let work: Work = match decode("work", &delivery.payload) {
        Ok(work) => work,
        Err(why) => return Outcome::Dead(why.to_string()),
    };
    // Only what came on our own subject, for the person it names.
    match subject::parse_work(&delivery.subject) {
        Some((node, user))
            if node == context.node && work.node == node && user == work.inbound.user => {}
        _ => return Outcome::Dead(format!("not for this node: {}", delivery.subject)),
    }
    common::crash_point!("host.work.read");
    match context.journal.accept(work.clone()).await {
        Ok(Some(place)) => {
            common::crash_point!("host.work.kept");
            // The desk takes it from the journal after a restart, so losing it here loses nothing.
            let _ = desk.send(Accepted { place, work }).await;
            Outcome::Done
        }
        Ok(None) => {
            debug!(cause = %work.inbound.meta.cause, "seen before, not run again");
            Outcome::Done
        }
        Err(why) => {
            warn!(%why, "work cannot be written down; it stays with the broker");
            Outcome::Again(Duration::from_secs(2))
        }
    }
}
