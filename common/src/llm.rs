//! Asking a chat model behind an OpenAI-compatible API. Vendors differ in the places where strict
//! types break, so ours are tolerant: what is asked is in `types`, what comes back is read by
//! `read` and put together by `gather`, the vendors' own switches are in `vendor`, why there is no
//! answer is in `fault`, and `client` does the talking. What to ask, and what to do with an
//! answer, is left to the callers.

mod client;
mod fault;
mod gather;
mod read;
mod types;
mod vendor;

use secrecy::SecretString;
use serde_json::{Map, Value};

pub use client::{Limits, Llm, SetupFault};
pub use fault::{LlmFault, Stage};
pub use types::{
    Answer, Ask, Call, Choice, Finish, Heard, Message, Reasoning, Said, Tool, Usage, estimate,
};

use crate::config::LlmSettings;

/// Which model, where, and as whom.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// Up to the version, as `https://open.bigmodel.cn/api/paas/v4`.
    pub base_url: String,
    /// Its key; in no log.
    pub key: SecretString,
    /// Model name.
    pub model: String,
    /// Merged into each request.
    pub extra: Map<String, Value>,
}

impl From<&LlmSettings> for ModelOptions {
    fn from(settings: &LlmSettings) -> Self {
        Self {
            base_url: settings.base_url.clone(),
            key: settings.api_key.clone(),
            model: settings.model.clone(),
            extra: settings.extra.clone(),
        }
    }
}
