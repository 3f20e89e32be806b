//! `phonework enroll <node>` without `--out`: makes a one-time code on the hub and prints the one line to run on that
//! machine. Works with router and broker down; the machine needs them when the line is run.

use std::fmt::Write as _;
use std::path::Path;

use super::host_files::{CaError, read_ca};
use common::config::Problem;
use common::identity::{CODE_VALID, EnrollOptions, Hub, IdentityError, JoinToken};

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct InviteRequest<'a> {
    /// Folder of the hub.
    pub(crate) data_dir: &'a Path,
    /// Where the configuration says that the broker is; none: wherever it runs now.
    pub(crate) nats_url: Option<&'a str>,
    /// Authority that signed the broker's certificate, when it is a private one.
    pub(crate) nats_ca: Option<&'a Path>,
    /// Node id.
    pub(crate) node: &'a str,
    /// What the hub notes of it.
    pub(crate) options: EnrollOptions,
}

/// What is printed: the line alone on standard output, so that it can be copied or piped; the rest beside it.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// To be run on the machine.
    pub(crate) line: String,
    /// For whoever reads along.
    pub(crate) notes: String,
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InviteError {
    /// The hub refused.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The authority's file cannot be used.
    #[error(transparent)]
    Ca(#[from] CaError),
}

/// Makes the code.
///
/// # Errors
/// [`InviteError`]; nothing is kept then.
pub(crate) fn invite(request: &InviteRequest<'_>) -> Result<Invitation, InviteError> {
    common::identity::check_node_id(request.node)?;
    let hub = Hub::open(request.data_dir)?;
    let url = request
        .nats_url
        .map(str::to_owned)
        .or_else(|| hub.running_url())
        .unwrap_or_else(|| crate::hub::DEFAULT_URL.to_owned());
    let ca = request.nats_ca.map(read_ca).transpose()?;
    let code = hub.invite(request.node, &request.options)?;
    let token = JoinToken {
        url: url.clone(),
        ca,
        node: request.node.to_owned(),
        name: request.options.name.clone(),
        serves: request.options.serves.clone(),
        code,
    };
    let mut notes = format!(
        "Run this line on {}, in the folder that shall hold its configuration. It works once, for {} minutes; hand it \
         over privately.\n",
        request.node,
        CODE_VALID / 60,
    );
    if is_loopback(&url) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            notes,
            "Mind: {url} can be reached from this machine only. For another one, set NATS_URL here to the address that it \
             sees."
        );
    }
    // Whoever runs the line shall see it, too.
    let anyway = if Problem::plaintext(&url).is_some() {
        " --nats-plaintext true"
    } else {
        ""
    };
    Ok(Invitation {
        line: format!("phonework join {}{anyway}\n", token.to_text()),
        notes,
    })
}

fn is_loopback(url: &str) -> bool {
    let host = url.rsplit_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|start| host.starts_with(start))
}

#[cfg(test)]
mod tests {
    use common::identity::HubOptions;

    use super::*;

    #[test]
    fn the_line_is_one_and_holds_all_that_is_needed() {
        let dir = tempfile::tempdir().unwrap();
        Hub::init(dir.path(), &HubOptions::default()).unwrap();
        let ca = dir.path().join("ca.pem");
        let pem = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
        std::fs::write(&ca, format!("subject=CN = hub\n{pem}trailer\n")).unwrap();
        let request = InviteRequest {
            data_dir: dir.path(),
            nats_url: Some("tls://hub.example:4222"),
            nats_ca: Some(&ca),
            node: "lab-1",
            options: EnrollOptions {
                name: "Lab".into(),
                ..EnrollOptions::default()
            },
        };
        let made = invite(&request).unwrap();
        assert_eq!(made.line.lines().count(), 1);
        assert!(
            made.notes.contains("60 minutes") && !made.notes.contains("Mind"),
            "{}",
            made.notes
        );
        let token = made.line.trim().strip_prefix("phonework join ").unwrap();
        let token = JoinToken::parse(token).unwrap();
        assert_eq!(
            (token.url.as_str(), token.ca.as_deref()),
            ("tls://hub.example:4222", Some(pem))
        );
        assert_eq!((token.node.as_str(), token.name.as_str()), ("lab-1", "Lab"));

        let near = InviteRequest {
            nats_url: None,
            nats_ca: None,
            ..request.clone()
        };
        let made = invite(&near).unwrap();
        assert!(
            made.notes.contains("from this machine only"),
            "{}",
            made.notes
        );
        std::fs::write(&ca, "no certificate").unwrap();
        let why = invite(&request).unwrap_err().to_string();
        assert!(why.contains("no certificate"), "{why}");
        for bad in [">", "*", "a.b", "", &"x".repeat(200)] {
            let bad = InviteRequest {
                node: bad,
                ..near.clone()
            };
            let why = invite(&bad).unwrap_err().to_string();
            assert!(
                why.contains("cannot be a node id") && why.len() < 200,
                "{why}"
            );
        }
    }
}
