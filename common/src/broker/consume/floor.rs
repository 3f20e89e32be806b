//! How often the oldest unsettled message has been begun. The broker's own count goes when the
//! consumer is reset, which a reader does at each start and after each cut link, so it is kept
//! beside it.
//!
//! What is done with what has come too often is `suspects`' and `carry`'s.

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::Earlier;
use crate::broker::Broker;
use crate::broker::lease::{Cas, Place};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Floor {
    /// Everything up to here is settled.
    floor: u64,
    /// How often a reader has begun there and not come further.
    times: i64,
}

/// Notes at `place` that reading begins once more above `floor`, where messages up to `through`
/// have been delivered before; gives how often that was. Written down before any of them is
/// handled, so that one that ends the process each time is counted.
pub(super) async fn begin(
    broker: &Broker,
    place: &Place,
    floor: u64,
    through: u64,
) -> Result<Earlier, String> {
    let found = place.read(broker).await?;
    let seq = found.as_ref().map_or(0, |found| found.seq);
    let known = found.and_then(|found| serde_json::from_slice::<Floor>(&found.value).ok());
    let now = next(known, floor);
    let times = now.times;
    let value = serde_json::to_vec(&now).map_err(|why| why.to_string())?;
    // Without a count one message may hold people up; without reading all are held up.
    match place.put(broker, seq, &value).await {
        Ok(Cas::Won(_)) => {}
        Ok(Cas::Refused) => return Err("somebody else begins to read as well".into()),
        Err(why) => {
            warn!(%place, %why, "how often messages were begun cannot be kept; reading goes on");
        }
    }
    crate::crash_point!("broker.floor.kept");
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
