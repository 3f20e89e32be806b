//! How often the oldest unsettled act has been begun. The broker's own count goes when the consumer
//! is reset, which the router does at each start and after each cut link, so it is kept beside it.
//!
//! What is done with what has come too often is `common::broker::consume`'s.

use async_nats::jetstream::kv::Store;
use common::broker::consume::Earlier;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// Its key in PW_USERS; `router` is no surface, so nobody's entry has it.
const KEY: &str = "router/floor";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Floor {
    /// Everything up to here is settled.
    floor: u64,
    /// How often a reader has begun there and not come further.
    times: i64,
}

/// Notes that reading begins once more above `floor`, where messages up to `through` have been
/// delivered before; gives how often that was. Written down before any of them is handled, so that
/// one that ends the process each time is counted.
pub(crate) async fn begin(
    store: &Store,
    floor: u64,
    through: u64,
) -> Result<Earlier, async_nats::Error> {
    let known = store.get(KEY).await?;
    let known = known.and_then(|value| serde_json::from_slice::<Floor>(&value).ok());
    let now = next(known, floor);
    let times = now.times;
    // Without a count one message may hold people up; without reading all are held up.
    if let Err(why) = store.put(KEY, serde_json::to_vec(&now)?.into()).await {
        warn!(%why, "how often acts were begun cannot be kept; reading goes on");
    }
    common::crash_point!("router.floor.kept");
    Ok(Earlier { through, times })
}

fn next(known: Option<Floor>, floor: u64) -> Floor {
    let times = match known {
        Some(known) if known.floor == floor => known.times.saturating_add(1),
        Some(_) | None => 1,
    };
    Floor { floor, times }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_standing_still_counts() {
        let mut known = None;
        let mut begun = |floor| {
            let now = next(known.take(), floor);
            let times = now.times;
            known = Some(now);
            times
        };
        assert_eq!([begun(5), begun(5), begun(5)], [1, 2, 3]);
        assert_eq!([begun(6), begun(6)], [1, 2]);
        // A stream that was made anew.
        assert_eq!(begun(1), 1);
    }
}
