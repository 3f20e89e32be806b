//! Hears how turns go whose message went to several nodes: reads PW_TURN, changes the line, and only
//! then acknowledges.

use common::broker::Broker;
use common::broker::consume::Delivery;
use common::broker::lease::Lease;
use common::message::decode;
use common::message::turn::TurnReport;
use common::{stream, subject};
use tracing::warn;

use super::Fans;
use crate::reading::Reading;
use crate::users::Stopped;

/// Reports held at once; the rest stays in the stream.
const IN_FLIGHT: usize = 256;

/// Reads as long as we lead.
pub(crate) async fn run(fans: Fans, broker: Broker, lease: Lease) {
    let reading = Reading {
        stream: stream::TURN,
        consumer: stream::TURN_ROUTER,
        in_flight: IN_FLIGHT,
        // A line is not worth a question to the person either; the turn's own cards say everything.
        floor: "turns",
    };
    let handle = |delivery: Delivery| {
        let fans = fans.clone();
        async move { take(&fans, &delivery).await }
    };
    let cancel = lease.over().clone();
    reading.run(&broker, &lease, cancel, key, handle).await;
}

/// One node's reports to one person are one order.
fn key(subject: &str) -> String {
    subject.to_owned()
}

async fn take(fans: &Fans, delivery: &Delivery) -> Result<(), Stopped> {
    let report: TurnReport = match decode("turn report", &delivery.payload) {
        Ok(report) => report,
        Err(why) => {
            warn!(subject = %delivery.subject, %why, "a report cannot be read; passed over");
            return Ok(());
        }
    };
    // The broker lets a node publish below its own name only, so the subject is the truth.
    if subject::parse_turn(&delivery.subject) != Some((report.node.clone(), report.user.clone())) {
        warn!(subject = %delivery.subject, says = %report.node, "a report for another node or person; passed over");
        return Ok(());
    }
    fans.reported(&report).await?;
    common::crash_point!("router.turn.kept");
    Ok(())
}
