//! The client side of the Feishu (Lark) platform.
//!
//! `connection` receives events over the platform's long connection, `event`
//! reads them, `api` sends and edits messages, `render` and `split` turn our
//! cards and texts into the platform's. What is said, to whom and when belongs
//! to the surface built on top of these.

pub mod api;
pub mod connection;
pub mod error;
pub mod event;
pub mod frame;
pub mod limits;
pub mod parts;
pub mod render;
pub mod split;
pub mod surface;
mod tags;
pub mod token;

use secrecy::SecretString;

/// What is needed to speak for one app.
#[derive(Debug, Clone)]
pub struct FeishuOptions {
    /// App id, `cli_…`.
    pub app_id: String,
    /// App secret.
    pub app_secret: SecretString,
    /// Scheme, host and port of the platform: `https://open.feishu.cn`, or
    /// `https://open.larksuite.com` for Lark.
    pub base_url: String,
}

impl FeishuOptions {
    /// The address of a path that begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.trim_end_matches('/'))
    }
}
