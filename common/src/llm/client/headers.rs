//! What stands around an answer: its id, how it is packed, when the vendor wants to be asked again. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_ENCODING, HeaderMap, RETRY_AFTER};

/// The vendor's id of a request, for its support; nothing that is no id.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = ["x-request-id", "x-log-id", "request-id"]
        .into_iter()
        .find_map(|name| headers.get(name))?
        .to_str()
        .ok()?;
    (id.len() <= 80).then(|| id.to_owned())
}

/// Whether a body has to be unpacked before it can be read.
pub(super) fn is_packed(headers: &HeaderMap) -> bool {
    let encoding = headers.get(CONTENT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok());
    encoding.is_some_and(|encoding| !matches!(encoding.trim(), "" | "identity"))
}

/// When the vendor wants to be asked again: seconds, milliseconds or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.trim().parse().ok()) {
        return Some(Duration::from_millis(ms));
    }
    let after = text(RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = DateTime::parse_from_rfc2822(after).ok()?;
    Some((at.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}
