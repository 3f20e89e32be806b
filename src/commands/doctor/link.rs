//! What stands between this machine and the hub, in the same sentences that the log has: the broker, whether it is to be
//! trusted, whether a router answers, the clock, the credentials.

use chrono::Utc;
use common::broker::knock::{Door, KnockError};
use common::broker::{Broker, BrokerOptions};
use common::config::{FileKind, Settings};
use common::identity::{Creds, Hub, Tls};
use common::message::enrol::{Answer, Knock, Proof, Refused};

use crate::{credentials, hub};

/// Looks, a line for each thing found.
pub(super) async fn look(settings: &Settings) -> Vec<String> {
    match settings.kind {
        FileKind::Host => host(settings).await,
        FileKind::Keyring => hub(settings).await,
    }
}

async fn host(settings: &Settings) -> Vec<String> {
    let Some(url) = settings.nats.url.as_deref() else {
        return vec!["NATS_URL is not set: write where the hub's broker is".into()];
    };
    let mut lines = match door(settings, url).await {
        Ok(lines) => lines,
        // Nothing behind it can be seen.
        Err(why) => return vec![why],
    };
    let node = settings.node.id.as_str();
    let (place, known) = credentials::creds_place(settings, node);
    let line = match (Creds::read(&place), &settings.router_secret) {
        (Ok(creds), _) if creds.name() != node => credentials::other_node(node, creds.name()),
        (Ok(creds), _) => let_in(settings, url, creds, false).await,
        (Err(_), Some(_)) if !place.exists() => format!(
            "no credentials yet ({}): `phonework host` asks the hub for them, with ROUTER_SECRET",
            place.display()
        ),
        (Err(_), None) if !known => credentials::no_creds(node, &place),
        (Err(why), _) => why.to_string(),
    };
    lines.push(line);
    lines
}

async fn hub(settings: &Settings) -> Vec<String> {
    let known = match Hub::open(&settings.data_dir) {
        Ok(known) => known,
        Err(why) => return vec![why.to_string()],
    };
    let url = settings.nats.url.clone().or_else(|| known.running_url());
    let url = url.unwrap_or_else(|| hub::DEFAULT_URL.to_owned());
    let mut lines = match door(settings, &url).await {
        Ok(mut lines) => {
            lines.push(match Creds::read(&known.creds_path("router")) {
                Ok(creds) => let_in(settings, &url, creds, true).await,
                Err(why) => why.to_string(),
            });
            lines
        }
        Err(why) => vec![why],
    };
    if settings.router_secret.is_some()
        && settings.admins.is_empty()
        && !settings.auto_approve_hosts
    {
        lines.push(
            "ROUTER_SECRET is set, and nobody can be asked whether to let a machine in: set ADMIN_OPEN_IDS".into(),
        );
    }
    if let Ok(Some(Tls::Own { name })) = hub::hub_options(settings).map(|options| options.tls)
        && let Some(lasts) = known.certificate_lasts(&name)
    {
        lines.push(if lasts {
            format!("certificate: good for {name}")
        } else {
            format!(
                "certificate: for {name} it ends within two months, or is not good: run `phonework init`, then `{}`",
                crate::commands::init::reload(&known)
            )
        });
    }
    match known.nodes() {
        Ok(nodes) => {
            let count = nodes.iter().filter(|one| one.revoked_at.is_none()).count();
            lines.push(format!(
                "machines enrolled: {count} (`phonework nodes` lists them)"
            ));
        }
        Err(why) => lines.push(why.to_string()),
    }
    lines
}

/// The broker as a stranger sees it; an error if it cannot be used at all.
async fn door(settings: &Settings, url: &str) -> Result<Vec<String>, String> {
    let door = Door::reach(url, credentials::ca_of(settings).as_deref())
        .await
        .map_err(|why| why.to_string())?;
    let mut lines = vec![format!("broker: {url} is reached")];
    let knock = Knock::new("", "", "", Proof::Look);
    match door.ask(&knock).await {
        Ok(reply) => {
            lines.extend(reply.skew(Utc::now()));
            lines.push(match reply.answer {
                Answer::Here => "router: answers".to_owned(),
                Answer::Refused {
                    why: why @ Refused::Slow { .. },
                } => format!("router: {why}"),
                Answer::Refused { .. } | Answer::Welcome { .. } | Answer::Waits { .. } => {
                    format!("router: {}", Refused::Unreadable)
                }
            });
        }
        Err(why @ (KnockError::NoRouter { .. } | KnockError::Silent { .. })) => {
            lines.push(why.to_string());
        }
        Err(KnockError::Broker(why)) => lines.push(why.to_string()),
    }
    door.leave().await;
    Ok(lines)
}

async fn let_in(settings: &Settings, url: &str, creds: Creds, owner: bool) -> String {
    let name = creds.name().to_owned();
    let options = BrokerOptions {
        url: url.to_owned(),
        creds,
        ca: credentials::ca_of(settings),
        owner,
    };
    match Broker::look(&options).await {
        Ok(version) => format!("credentials: `{name}` is let in (nats-server {version})"),
        Err(why) => why.to_string(),
    }
}
