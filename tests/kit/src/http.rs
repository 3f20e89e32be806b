//! The HTTP client of the tests. It talks to the loopback only, so it ignores the proxies of the
//! machine it runs on.

use std::time::Duration;

/// A client for servers on the loopback; a request may take 60 seconds.
pub fn client() -> reqwest::Client {
    // Building a client wants a TLS provider; a second installation is refused, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()
        .expect("build the HTTP client")
}

/// Pages of JSON, for those who want nothing else of HTTP.
#[derive(Debug, Clone)]
pub struct Pages(reqwest::Client);

impl Default for Pages {
    fn default() -> Self {
        Self(client())
    }
}

impl Pages {
    /// What is at an address; none while nobody answers there with JSON.
    pub async fn get(&self, address: &str) -> Option<serde_json::Value> {
        self.0.get(address).send().await.ok()?.json().await.ok()
    }
}
