//! Which credentials a part uses: those that the configuration names, those that are kept in `DATA_DIR`, those of
//! standalone's own host, or, with `ROUTER_SECRET`, those that the hub gives when it is asked.

use std::path::{Path, PathBuf};

use anyhow::bail;
use common::config::Settings;
use common::identity::{Creds, EnrollOptions, Hub};
use common::ids::NodeId;
use host::enter::EnterOptions;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The credentials of standalone's own host: made at the first start, and again if they are lost. None once this
/// machine was removed.
pub(crate) fn local_creds(hub: &Hub, node: &NodeId, name: &str) -> anyhow::Result<Option<Creds>> {
    let path = hub.creds_path(node.as_str());
    if hub
        .node(node.as_str())?
        .is_some_and(|record| record.revoked_at.is_some())
    {
        warn!(
            %node,
            "this machine was removed with `phonework revoke`, so nothing runs on it. To use it again, run `phonework enroll \
             {node} --out DIR` and put the creds file from there in the place of {}",
            path.display()
        );
        return Ok(None);
    }
    if path.exists() {
        return Ok(Some(Creds::read(&path)?));
    }
    let options = EnrollOptions {
        serves: Vec::new(),
        name: name.to_owned(),
        replace: hub.node(node.as_str())?.is_some(),
    };
    let enrolled = hub.enroll(node.as_str(), &options)?;
    enrolled.creds.write(&path)?;
    Ok(Some(enrolled.creds))
}

/// A host's credentials. A machine that has none and knows `ROUTER_SECRET` asks for them first.
pub(crate) async fn own_creds(
    settings: &Settings,
    url: &str,
    cancel: &CancellationToken,
) -> anyhow::Result<Creds> {
    let node = &settings.node.id;
    let (place, _) = creds_place(settings, node.as_str());
    let Some(secret) = settings.router_secret.clone().filter(|_| !place.exists()) else {
        return creds_of(settings, node.as_str());
    };
    let options = EnterOptions {
        node: node.clone(),
        name: settings.node.display_name.clone(),
        url: url.to_owned(),
        ca: ca_of(settings),
        secret,
        creds: place,
    };
    Ok(host::enter::enter(&options, cancel).await?)
}

/// Where an identity's credentials are, and whether the configuration says so.
pub(crate) fn creds_place(settings: &Settings, who: &str) -> (PathBuf, bool) {
    let kept = || settings.data_dir.join("creds").join(format!("{who}.creds"));
    let said = settings.nats.creds.clone();
    let known = said.is_some();
    (said.unwrap_or_else(kept), known)
}

/// The authority of the broker's certificate: `NATS_CA`, else the hub's own when `DATA_DIR` has it and the broker shows
/// no other's certificate. None: those that the system trusts.
pub(crate) fn ca_of(settings: &Settings) -> Option<PathBuf> {
    let own = || Some(settings.data_dir.join("creds/ca.pem")).filter(|path| path.exists());
    let nats = &settings.nats;
    nats.ca
        .clone()
        .or_else(|| own().filter(|_| nats.certificate.is_none()))
}

/// What to do without credentials.
pub(crate) fn no_creds(who: &str, place: &Path) -> String {
    format!(
        "no credentials for `{who}`: {} is not there. On the hub run `phonework init`; for a host run `phonework enroll {who}` \
         there and here the line that it prints, or set ROUTER_SECRET here as there; or set NATS_CREDS to the file",
        place.display()
    )
}

/// What to do with the credentials of another.
pub(crate) fn other_node(node: &str, creds: &str) -> String {
    format!(
        "NODE_ID is `{node}`, but the credentials are those of `{creds}`: set NODE_ID to that, or enrol `{node}` on the hub"
    )
}

/// `NATS_CREDS`, else what `init` or standalone keeps in `DATA_DIR`.
pub(crate) fn creds_of(settings: &Settings, who: &str) -> anyhow::Result<Creds> {
    let (place, known) = creds_place(settings, who);
    if !known && !place.exists() {
        bail!(no_creds(who, &place));
    }
    Ok(Creds::read(&place)?)
}
