//! Reading a whole bucket once, as each part does at its start.

use async_nats::jetstream::kv::{Entry, Store};
use futures_util::StreamExt as _;

/// The newest entry of every key, deleted ones included.
pub(crate) async fn read_all(store: &Store) -> Result<Vec<Entry>, async_nats::Error> {
    let mut all = Vec::new();
    each(store, |entry| all.push(entry)).await?;
    Ok(all)
}

/// The same, one after the other, for a bucket whose values are large.
pub(crate) async fn each(
    store: &Store,
    mut take: impl FnMut(Entry),
) -> Result<(), async_nats::Error> {
    // An empty bucket gives no entry at all, and so no word that this was the last.
    if store.status().await?.values() == 0 {
        return Ok(());
    }
    let mut entries = store.watch_with_history(">").await?;
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        let last = entry.seen_current;
        take(entry);
        if last {
            break;
        }
    }
    Ok(())
}
