//! What the configuration says of the hub: where its broker is and how it listens; and an eye on its certificate.
//! Making the hub is `common::identity`'s.

use std::time::Duration;

use common::config::Settings;
use common::identity::{Hub, HubOptions, IdentityError, Tls};
use tracing::warn;

/// How often the hub's certificate is looked at.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(12 * 3600);
/// Where a hub listens when nothing else is said.
pub(crate) const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

/// Where the broker is, as the configuration of a hub says.
pub(crate) fn hub_url(settings: &Settings) -> &str {
    settings.nats.url.as_deref().unwrap_or(DEFAULT_URL)
}

/// Where the hub of this configuration listens, and how.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn hub_options(settings: &Settings) -> Result<HubOptions, IdentityError> {
    let nats = &settings.nats;
    let mut options = HubOptions::from_url(hub_url(settings))?;
    if let Some((certificate, key)) = nats.certificate.clone() {
        options = options.with_certificate(hub_url(settings), certificate, key)?;
    }
    if nats.url.is_none() {
        return Ok(options);
    }
    if options.tls.is_some() {
        options.websocket_port = nats.websocket_port.map(i32::from);
    }
    // For this machine alone there are no sites.
    if options.tls.is_some() || options.host != "127.0.0.1" {
        options.leaf_port = nats.leaf_port.map(i32::from);
    }
    Ok(options)
}

/// Says in time when the hub's own certificate ends, for as long as the process runs. Where the hub is not, nothing.
pub(crate) fn watch_certificate(settings: &Settings) {
    if let (Ok(hub), Ok(options)) = (Hub::open(&settings.data_dir), hub_options(settings))
        && let Some(Tls::Own { name }) = options.tls
    {
        tokio::spawn(watch(hub, name));
    }
}

async fn watch(hub: Hub, name: String) {
    while hub.certificate_lasts(&name) != Some(false) {
        tokio::time::sleep(CERTIFICATE_LOOK).await;
    }
    warn!(
        "the hub's certificate for {name} ends within two months, or is for another name: run `phonework init`, then `{}`",
        crate::commands::init::reload(&hub)
    );
}
