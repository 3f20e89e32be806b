//! Reading an answer that is a refusal: what is wrong, and which field it is about.

use std::time::Duration;

use chrono::Utc;

use super::super::fault::LlmFault;
use super::super::read::error;
use super::Failed;
use super::headers::retry_after;

/// Most of a refusal that is read.
const MOST_REFUSAL: usize = 64 * 1024;

/// What a refusal says; `special` are the fields in the request that a vendor may not know.
pub(super) async fn read(mut response: reqwest::Response, special: &[String]) -> Failed {
    let status = response.status().as_u16();
    let after = retry_after(response.headers(), Utc::now());
    let mut body = Vec::new();
    // What is there counts, even if the rest never comes.
    let reading = async {
        while let Ok(Some(bytes)) = response.chunk().await {
            body.extend_from_slice(&bytes);
            if body.len() > MOST_REFUSAL {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(10), reading).await;
    let text = String::from_utf8_lossy(&body);
    let is_page = text.trim_start().starts_with('<');
    // Who sends elsewhere, or shows a page for people, is no API: a key is not taken there either.
    if response.status().is_redirection() || (is_page && matches!(status, 403..=405)) {
        return LlmFault::NoApi { status }.into();
    }
    let (code, said) = serde_json::from_str(&text)
        .ok()
        .and_then(|value| error(&value))
        .unwrap_or_else(|| {
            let said = if is_page { "" } else { text.trim() };
            (String::new(), said.to_owned())
        });
    let field = matches!(status, 400 | 422)
        .then(|| special.iter().find(|field| text.contains(field.as_str())))
        .flatten()
        .cloned();
    Failed {
        fault: LlmFault::of(status, &code, &said, after),
        after,
        field,
    }
}
