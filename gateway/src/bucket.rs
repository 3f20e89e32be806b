//! Reading the newest value of a key. The gateway's account owns no streams: it reaches the buckets
//! that are open to it through an imported direct read.

use std::time::Duration;

use async_nats::Message;
use common::broker::{Broker, IMPORTED_API};

/// What the broker has to answer in.
pub(crate) const TRY: Duration = Duration::from_secs(5);

/// The newest value of `key` in `bucket`; none where there is none.
///
/// # Errors
/// Why it cannot be read now, for the log.
pub(crate) async fn newest(
    broker: &Broker,
    bucket: &str,
    key: &str,
) -> Result<Option<Message>, String> {
    let subject = format!("{IMPORTED_API}.DIRECT.GET.KV_{bucket}.$KV.{bucket}.{key}");
    broker.read_directly(subject).await
}
