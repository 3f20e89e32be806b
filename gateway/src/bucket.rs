//! Reading the newest value of a key. The gateway's account owns no streams: it reaches the buckets
//! that are open to it through an imported direct read.

use std::time::Duration;

use async_nats::{Message, StatusCode};
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
    let request = broker.client().request(subject, bytes::Bytes::new());
    let answer = tokio::time::timeout(TRY, request)
        .await
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|why| why.to_string())?;
    match answer.status {
        Some(StatusCode::NOT_FOUND) => Ok(None),
        Some(status) if !status.is_success() => Err(format!("the broker answered {status}")),
        Some(_) | None => Ok(Some(answer)),
    }
}
