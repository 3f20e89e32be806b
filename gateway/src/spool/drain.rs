//! Publishes what is kept, as soon as the broker takes it: people side by side, each in order.

use std::time::Duration;

use common::broker::{Broker, PublishError};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Kept, Spool};

/// Between two looks at files that other processes left, at acts too old, and at a disk that did
/// not take anything.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// One try of one act.
const TRY: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Drains until `cancel`.
pub(super) async fn run(spool: Spool, broker: Broker, cancel: CancellationToken) {
    let work = async {
        let mut tidy = tokio::time::interval(TIDY_EVERY);
        // The owner has done so just now.
        tidy.tick().await;
        loop {
            let changed = spool.shared.changed.notified();
            if spool.shared.is_empty() {
                tokio::select! {
                    () = changed => {}
                    _ = tidy.tick() => spool.tidy().await,
                }
            } else {
                tokio::select! {
                    () = empty(&spool, &broker) => {}
                    _ = tidy.tick() => spool.tidy().await,
                }
            }
        }
    };
    cancel.run_until_cancelled(work).await;
}

/// Returns when everything kept is in the stream.
async fn empty(spool: &Spool, broker: &Broker) {
    let mut pause = FIRST_PAUSE;
    loop {
        let people = spool.next().await;
        if people.is_empty() {
            if spool.shared.is_empty() {
                return;
            }
            // The file cannot be read now; it is opened again in time.
            tokio::time::sleep(LONGEST_PAUSE).await;
            continue;
        }
        let all: usize = people.iter().map(Vec::len).sum();
        let done = join_all(people.iter().map(|acts| in_order(broker, acts))).await;
        let done: Vec<u64> = done.into_iter().flatten().collect();
        let through = done.len() == all;
        if done.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            // While the connection is down there is nothing to try.
            let _ = broker.up().wait_for(|up| *up).await;
            continue;
        }
        common::crash_point!("gateway.tap.stored");
        info!(count = done.len(), "kept taps are on their way");
        // If we die right here they are published again, and the stream recognises them.
        spool.remove(done).await;
        if through {
            pause = FIRST_PAUSE;
        }
    }
}

/// Publishes one person's acts up to the first that is not confirmed; gives those that are.
async fn in_order(broker: &Broker, acts: &[(u64, Kept)]) -> Vec<u64> {
    let mut done = Vec::new();
    for (place, kept) in acts {
        let payload = kept.payload.clone();
        let once = broker.publish(&kept.subject, kept.cause.as_str(), &kept.trace, payload);
        match tokio::time::timeout(TRY, once).await {
            Ok(Ok(_)) => done.push(*place),
            Ok(Err(why @ (PublishError::Full(_) | PublishError::Unsure(_)))) => {
                warn!(user = %kept.user, cause = %kept.cause, %why, "a kept tap waits on");
                break;
            }
            Err(_) => break,
        }
    }
    done
}
