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

#[cfg(test)]
mod tests {
    use common::broker::{Broker, BrokerOptions};
    use common::stream::KV_NODES;
    use futures_util::FutureExt as _;
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// More than an ordinary subscription holds.
    const NODES: usize = 4_000;

    /// A bucket of which something was dropped on the way is read again from there, after seconds.
    #[tokio::test]
    async fn thousands_of_entries_are_read_in_one_go() {
        let nats = kit::nats::Broker::start().await;
        let options = BrokerOptions {
            url: nats.url(),
            creds: nats.creds("router"),
            ca: None,
            owner: true,
        };
        let never = CancellationToken::new();
        let broker = Box::pin(Broker::connect(&options, &never)).await.unwrap();
        Box::pin(crate::provision::provision(&broker, &never))
            .await
            .unwrap();
        let js = broker.jetstream();
        for node in 0..NODES {
            let subject = format!("$KV.{KV_NODES}.node-{node}");
            let stored = js.publish(subject, "x".repeat(400).into()).await.unwrap();
            if node % 500 == 499 {
                stored.await.unwrap();
            }
        }
        let store = js.get_key_value(KV_NODES).await.unwrap();
        let mut readers = broker
            .client()
            .subscribe("$JS.API.CONSUMER.CREATE.>")
            .await
            .unwrap();
        assert_eq!(read_all(&store).await.unwrap().len(), NODES);
        store.status().await.unwrap();
        let mut begun = 0;
        while readers.next().now_or_never().is_some() {
            begun += 1;
        }
        assert_eq!(begun, 1);
    }
}
