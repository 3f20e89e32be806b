//! `phonework enroll --leaf <site> --nodes …`: makes the folder that a site's own nats-server runs in, and for each of its
//! hosts that is new a folder with what that host needs. Works with router and broker down. Run again with another list
//! it makes the server's files anew and leaves the hosts' alone.

use std::fmt::Write as _;
use std::path::PathBuf;

use common::config::{Problem, Settings};
use common::identity::{Hub, IdentityError, SiteOptions};
use secrecy::ExposeSecret as _;

use super::enroll::{EnrollError, EnrollRequest, enroll};
use super::host_files::{FileError, make_dir, read_ca, write_over};
use crate::arguments::SiteWish;
use crate::hub::{self, hub_url};

/// Who signed the hub's certificate, when it is neither the hub itself nor somebody whom systems trust.
const OTHER_CA: &str = "hub-ca.pem";

/// Makes the files. Returns what to tell.
///
/// # Errors
/// [`EnrollError`], whose text says what to do.
pub(crate) async fn site(settings: &Settings, wish: &SiteWish) -> Result<String, EnrollError> {
    let id = wish.site.as_str();
    common::identity::check_node_id(id)?;
    let hub = Hub::open(&settings.data_dir)?;
    let up = way_up(settings)?;
    let (host, port) = match &wish.at {
        Some(at) => address(at).ok_or_else(|| EnrollError::At(at.clone()))?,
        None => (None, None),
    };
    let before = hub.site(id)?;
    let out = wish.out.clone().unwrap_or_else(|| PathBuf::from(id));
    let conf = out.join("leaf.conf");
    let another = |text: String| !text.contains(&format!("\nserver_name: {id}\n"));
    if std::fs::read_to_string(&conf).is_ok_and(another) {
        return Err(FileError::Exists(conf).into());
    }
    let mut nodes = wish.nodes.clone();
    nodes.sort();
    nodes.dedup();
    for node in &nodes {
        common::identity::check_node_id(node)?;
    }
    let known = |node: &String| {
        let record = hub.node(node)?;
        Ok::<_, IdentityError>(record.is_some_and(|record| record.revoked_at.is_none()))
    };
    let mut fresh = Vec::new();
    for node in &nodes {
        if !known(node)? {
            fresh.push(node.clone());
        }
    }
    let options = SiteOptions {
        host,
        port,
        nodes: nodes.clone(),
        hub: up.clone(),
        hub_ca: match (&settings.nats.ca, &settings.nats.certificate) {
            (Some(_), _) => Some(OTHER_CA),
            (None, None) => Some("ca.pem"),
            (None, Some(_)) => None,
        },
    };
    let url = hub.site_url(id, &options)?;
    let ca = hub.authority()?;
    make_dir(&out)?;
    for node in &fresh {
        let request = EnrollRequest {
            data_dir: &settings.data_dir,
            nats_url: &url,
            nats_ca: Some(&ca),
            node,
            serves: &[],
            name: "",
            out: &out.join(node),
            replace: false,
        };
        let enrolled = Box::pin(enroll(&request)).await;
        enrolled.map_err(|why| EnrollError::Node {
            node: node.clone(),
            why: Box::new(why),
        })?;
    }
    let other = settings.nats.ca.as_deref().map(read_ca).transpose()?;
    let files = hub.enroll_site(id, &options)?;
    if let Some(pem) = other {
        write_over(&out.join(OTHER_CA), &pem, false)?;
    }
    for (name, text, secret) in [
        ("ca.pem", files.ca.as_str(), false),
        ("leaf.pem", &files.certificate, false),
        ("leaf.key", files.key.expose_secret(), true),
        ("leaf.creds", files.creds.text().expose_secret(), true),
        ("leaf.conf", &files.conf, true),
    ] {
        write_over(&out.join(name), text, secret)?;
    }
    let told = if files.cut_off {
        let running = hub.running_url();
        let near = running.as_deref().unwrap_or_else(|| hub_url(settings));
        Some(
            hub.tell_broker(near, crate::credentials::ca_of(settings).as_deref())
                .await,
        )
    } else {
        None
    };

    let folder = out.display();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match &before {
        None => writeln!(
            text,
            "The site {id}, for {}. Carry {folder} to the machine that shall be its way to the hub, and run there, in it:\n  \
             nats-server -c leaf.conf",
            nodes.join(", ")
        ),
        Some(_) => writeln!(
            text,
            "The site {id}, now for {}. Carry the files of {folder} over those on its server, and there:\n  \
             restart nats-server -c leaf.conf",
            nodes.join(", ")
        ),
    };
    let _ = writeln!(
        text,
        "It reaches the hub at {up}; its hosts reach it at {url}.\n\
         Keep leaf.creds and leaf.key private, and delete them here afterwards. The certificate in leaf.pem is good for 825 days; \
         this command renews it.\n"
    );
    for node in &nodes {
        let _ = if fresh.contains(node) {
            writeln!(
                text,
                "{node}: new. Carry {folder}/{node} to that machine, and run `phonework host` in it."
            )
        } else {
            writeln!(
                text,
                "{node}: enrolled before. Its host_config.yaml needs NATS_URL: {url} and NATS_CA: with the ca.pem of {folder}."
            )
        };
    }
    match told {
        None => {}
        Some(Ok(())) => text.push_str("\nAn earlier key of the site is cut off.\n"),
        Some(Err(why)) => {
            let _ = writeln!(text, "\nAn earlier key of the site is cut off, but {why}.");
        }
    }
    Ok(text)
}

/// Where the site's server reaches the hub.
fn way_up(settings: &Settings) -> Result<String, EnrollError> {
    let url = hub_url(settings);
    if url.starts_with("wss://") {
        return Ok(url.to_owned());
    }
    let options = hub::hub_options(settings)?;
    let Some(port) = options.leaf_port else {
        return Err(EnrollError::NoWay(
            if options.host == "127.0.0.1" && options.tls.is_none() {
                "the hub listens on this machine alone: set NATS_URL to tls://<its name>:4222, run `phonework init` and start \
             the broker again"
            } else {
                "NATS_LEAF_PORT is 0, so the hub listens for no site: give it a port, run `phonework init` and start the broker \
             again; or go through the web's port, with --nats-url wss://<the hub>"
            },
        ));
    };
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    // Without the port, which comes after the bracket of an address.
    let host = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        Some(_) | None => host,
    };
    let scheme = if Problem::plaintext(url).is_some() {
        "nats-leaf"
    } else {
        "tls"
    };
    Ok(format!("{scheme}://{host}:{port}"))
}

/// `HOST`, `HOST:PORT`, or an address of IPv6 with or without brackets.
fn address(at: &str) -> Option<(Option<String>, Option<u16>)> {
    if at.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some((Some(at.to_owned()), None));
    }
    let url = common::identity::HubOptions::from_url(&format!("tls://{at}")).ok()?;
    let Some(common::identity::Tls::Own { name }) = url.tls else {
        return None;
    };
    let plain = !at.contains(['/', '@', '?', '#', ' ']);
    plain.then(|| (Some(name), u16::try_from(url.port).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_sites() {
        for (at, host, port) in [
            ("10.0.0.2", "10.0.0.2", Some(4222)),
            ("leaf.lan:4333", "leaf.lan", Some(4333)),
            ("fd00::2", "fd00::2", None),
            ("[fd00::2]:4333", "fd00::2", Some(4333)),
        ] {
            assert_eq!(address(at), Some((Some(host.to_owned()), port)), "{at}");
        }
        for bad in ["", "nats://x", "a b", "x/y", "x:y"] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }
}
