//! Makes room in PW_IN in good time. That stream refuses when it is full, as dropping its oldest
//! message could drop one that nobody has read; so somebody has to take out what is settled.
//!
//! What is settled stays as long as there is room: a choice of node still asks for it, and after a
//! restart the broker knows repeats by it. What goes is known for the rest of a day to the broker that
//! runs, and for a week to the host's journal. Several routers may do this at the same time.

use std::time::Duration;

use async_nats::jetstream::stream::State;
use common::broker::Broker;
use common::stream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// How often to look.
const EVERY: Duration = Duration::from_secs(5);

/// Looks after the stream until `cancel`.
pub(crate) async fn run(broker: Broker, cancel: CancellationToken) {
    // Full of what nobody has read: told once.
    let mut full = false;
    loop {
        match once(&broker).await {
            Ok(look) => {
                let now = look == Look::Full;
                if now && !full {
                    warn!(
                        code = "in-full",
                        "PW_IN is more than half full of acts that are not settled"
                    );
                }
                full = now;
            }
            Err(why) => debug!(%why, "PW_IN cannot be looked at now"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = cancel.cancelled() => return,
        }
    }
}

/// What a look at the stream came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Room,
    Made,
    Full,
}

async fn once(broker: &Broker) -> Result<Look, async_nats::Error> {
    let acts = broker.jetstream().get_stream(stream::IN).await?;
    let info = acts.cached_info();
    let most = u64::try_from(info.config.max_bytes).unwrap_or(0);
    if !crowded(&info.state, most) {
        return Ok(Look::Room);
    }
    let reader = acts.consumer_info(stream::IN_ROUTER).await?;
    let floor = reader.ack_floor.stream_sequence;
    let Some(first) = keep_from(&info.state, most, floor) else {
        return Ok(Look::Full);
    };
    let gone = acts.purge().sequence(first).await?;
    info!(count = gone.purged, "settled acts taken out of PW_IN");
    Ok(Look::Made)
}

fn crowded(state: &State, most: u64) -> bool {
    most > 0 && state.bytes > most / 2
}

/// The first message to keep, so that about a quarter of the room stays taken and nothing goes that
/// is not settled (up to `floor`, included). None if nothing may go.
fn keep_from(state: &State, most: u64, floor: u64) -> Option<u64> {
    let (first, count) = (state.first_sequence, state.messages);
    // Messages differ in size; a look later what is still too much goes as well.
    let size = state.bytes.checked_div(count)?.max(1);
    let excess = state.bytes.saturating_sub(most / 4).div_ceil(size);
    let keep = first.saturating_add(excess).min(floor.saturating_add(1));
    (keep > first).then_some(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(first: u64, last: u64, bytes: u64) -> State {
        serde_json::from_value(serde_json::json!({
            "messages": last + 1 - first, "bytes": bytes, "first_seq": first, "last_seq": last,
            "first_ts": "2026-01-01T00:00:00Z", "last_ts": "2026-01-01T00:00:00Z",
            "consumer_count": 1, "num_deleted": 0, "num_subjects": 1,
        }))
        .unwrap()
    }

    #[test]
    fn half_full_is_time_to_tidy() {
        assert!(!crowded(&state(1, 50, 500), 1000));
        assert!(crowded(&state(1, 51, 510), 1000));
        assert!(!crowded(&state(1, 51, 510), 0), "a stream without a limit");
    }

    #[test]
    fn the_oldest_settled_go_and_nothing_else() {
        let crowd = state(101, 160, 600);
        // 600 of 1000 bytes in 60 messages: 35 of them go, if they are settled.
        assert_eq!(keep_from(&crowd, 1000, 160), Some(136));
        assert_eq!(keep_from(&crowd, 1000, 120), Some(121));
        assert_eq!(keep_from(&crowd, 1000, 101), Some(102));
        assert_eq!(keep_from(&crowd, 1000, 100), None);
        assert_eq!(keep_from(&crowd, 1000, 0), None);
    }
}
