//! `phonework revoke <node>`: cuts a machine off. Its key is refused from then on, also by a broker that is started
//! later; a running one is told and closes the connection. What waits for the machine is the router's to tell of: it
//! sees the record change. A site's server is cut off the same way, by its id, or when a machine that it carries is.

use std::fmt::Write as _;
use std::path::Path;

use common::identity::{Hub, IdentityError};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RevokeRequest<'a> {
    /// Folder of the hub.
    pub(crate) data_dir: &'a Path,
    /// Where the configuration says that the broker is; none: wherever it runs now.
    pub(crate) nats_url: Option<&'a str>,
    /// Authority that signed the broker's certificate, when it is a private one.
    pub(crate) nats_ca: Option<&'a Path>,
    /// Node id.
    pub(crate) node: &'a str,
}

/// Why the machine is not cut off, or perhaps not yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeError {
    /// Nothing was changed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The record says so, and the broker does not know it.
    #[error(
        "{node} is removed, but {why}. If a broker runs, the machine stays connected to it until then: run this again, or \
         restart the broker"
    )]
    NotTold {
        /// The node.
        node: String,
        /// What happened.
        why: IdentityError,
    },
}

/// Cuts it off. Returns what to tell; a second time it tells the broker once more.
///
/// # Errors
/// [`RevokeError`], whose text says what to do.
pub(crate) async fn revoke(request: RevokeRequest<'_>) -> Result<String, RevokeError> {
    let RevokeRequest {
        data_dir,
        nats_url,
        nats_ca,
        node,
    } = request;
    let hub = Hub::open(data_dir)?;
    let known = hub.node(node)?;
    let carriers: Vec<String> = hub
        .sites()?
        .into_iter()
        .filter(|site| site.carries(node))
        .map(|site| site.id)
        .collect();
    let site = hub.revoke_site(node)?;
    if known.is_some() || site.is_none() {
        hub.revoke(node)?;
    }
    let before = known.as_ref().and_then(|record| record.revoked_at);
    let running = hub.running_url();
    let url = nats_url
        .or(running.as_deref())
        .unwrap_or(crate::hub::DEFAULT_URL);
    let mut told = hub.tell_broker(url, nats_ca).await;
    // The name that others use for this machine need not lead here from itself.
    if let (Err(_), Some(near)) = (&told, running.as_deref().filter(|near| *near != url)) {
        told = hub.tell_broker(near, nats_ca).await;
    }
    told.map_err(|why| RevokeError::NotTold {
        node: node.to_owned(),
        why,
    })?;
    if let (Some(site), None) = (&site, &known) {
        return Ok(format!(
            "{node} is removed: its server is cut off, and its keys are refused from now on. Its hosts have no way through it any \
             more. To let it in again: phonework enroll --leaf {node} --nodes {}\n",
            site.keys
                .last()
                .map(|key| key.nodes.join(","))
                .unwrap_or_default()
        ));
    }
    let what = match before {
        Some(_) => "was removed before; the broker was told once more",
        None => "is removed: it is cut off, and its key is refused from now on",
    };
    let mut text = format!(
        "{node} {what}. People are told of what waited for it. To let it in again: phonework enroll {node}\n"
    );
    for site in carriers {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "The site {site} carried it and is cut off with it. For the others there: phonework enroll --leaf {site} --nodes \
             <all but {node}>, and carry leaf.conf and leaf.creds to its server."
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_cut_off_at_once_and_for_good() {
        let mut broker = kit::nats::Broker::start().await;
        let creds = broker.enroll("lab-1");
        let client = broker.connect(&creds).await;
        let url = broker.url();
        let data = broker.data_dir().to_owned();
        let request = RevokeRequest {
            data_dir: &data,
            nats_url: Some(&url),
            nats_ca: None,
            node: "lab-1",
        };
        let said = revoke(request).await.unwrap();
        assert!(said.contains("is cut off"), "{said}");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while client.connection_state() == async_nats::connection::State::Connected {
            assert!(std::time::Instant::now() < deadline, "still connected");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let refused = || async {
            let connected = creds.connect_options().unwrap().connect(&url).await;
            connected.is_err_and(|why| {
                why.kind() == async_nats::ConnectErrorKind::AuthorizationViolation
            })
        };
        assert!(refused().await);
        broker.restart().await;
        assert!(refused().await, "a restart changes nothing");
        let said = revoke(request).await.unwrap();
        assert!(said.contains("removed before"), "{said}");

        let unknown = RevokeRequest {
            node: "nobody",
            ..request
        };
        let why = revoke(unknown).await.unwrap_err().to_string();
        assert!(why.contains("no node"), "{why}");
        broker.enroll("lab-2");
        broker.stop().await;
        let other = RevokeRequest {
            node: "lab-2",
            ..request
        };
        let why = revoke(other).await.unwrap_err().to_string();
        assert!(why.contains("was not told"), "{why}");
        broker.restart().await;
        let record = broker.hub().node("lab-2").unwrap().unwrap();
        assert!(record.revoked_at.is_some());
    }
}
