//! The two configuration files of the broker. `hub.conf` is written once and then the operator's to edit;
//! `identity.conf`, which it includes, is ours and is written anew whenever an account changes.

use std::fmt::Write as _;
use std::path::Path;

use super::IdentityError;

/// What the broker should listen on, as far as `init` decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOptions {
    /// Address to listen on: `127.0.0.1` for one machine, `0.0.0.0` for a hub.
    pub host: String,
    /// Port; -1 takes a free one at every start (see the ports file in `run/`).
    pub port: i32,
    /// Loopback port of the monitoring page; -1 takes a free one.
    pub monitor_port: i32,
    /// Upper bound for streams on disk, in bytes. Streams reserve about 4 GB of it.
    pub max_file_store: u64,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 4222,
            monitor_port: -1,
            max_file_store: 8 * 1024 * 1024 * 1024,
        }
    }
}

impl HubOptions {
    /// Listens where this address says: on the loopback address when it names it, else on every address, since the
    /// name others use for this machine (or its router's) need not be one of its own.
    ///
    /// # Errors
    /// [`IdentityError::Url`] when it is not an address of a broker.
    pub fn from_url(url: &str) -> Result<Self, IdentityError> {
        let wrong = |why: String| IdentityError::Url {
            url: url.to_owned(),
            why,
        };
        let address: async_nats::ServerAddr = url
            .parse()
            .map_err(|error: std::io::Error| wrong(error.to_string()))?;
        if address.host().is_empty() {
            return Err(wrong("it names no machine".into()));
        }
        if address.is_websocket() {
            return Err(wrong(
                "the hub's own port speaks NATS; a websocket port is set in hub.conf".into(),
            ));
        }
        let loopback = address.host() == "localhost"
            || address
                .host()
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());
        Ok(Self {
            host: if loopback { "127.0.0.1" } else { "0.0.0.0" }.into(),
            port: address.port().into(),
            ..Self::default()
        })
    }
}

/// The text of `hub.conf`.
pub(super) fn hub_conf(options: &HubOptions) -> String {
    let HubOptions {
        host,
        port,
        monitor_port,
        max_file_store,
    } = options;
    let host = quoted(host);
    format!(
        r#"# The PhoneWork broker. All of it: nats-server -c hub.conf   (nats-server 2.14 or newer)
# Written once by `phonework init` and left alone afterwards: edit what you need.
# Accounts and folders are in identity.conf, which is written anew when a machine is cut off.
include "identity.conf"

server_name: hub
host: {host}
port: {port}
http: "127.0.0.1:{monitor_port}"

# A dead link is noticed within half a minute.
ping_interval: "10s"
ping_max: 2
max_payload: 1MB

# For a hub that others reach over the internet: your certificate.
# tls {{ cert_file: "/etc/phonework/hub.pem", key_file: "/etc/phonework/hub.key" }}
# For a site with its own nats-server near its hosts (see leaf.conf.example):
# leafnodes {{ listen: "0.0.0.0:7422", tls {{ cert_file: "/etc/phonework/hub.pem", key_file: "/etc/phonework/hub.key" }} }}

jetstream {{
  store_dir: $PW_STORE_DIR
  domain: hub
  max_file_store: {max_file_store}
  max_memory_store: 134217728
  # What a power cut may cost; a crash of the process alone costs nothing.
  sync_interval: "10s"
  # The server's own default is 1000 consumers on a stream, one per machine.
  limits: {{ default_max_consumers: 20000 }}
}}

pid_file: $PW_PID_FILE
ports_file_dir: $PW_RUN_DIR
logfile_size_limit: 10MB
logfile_max_num: 3
"#
    )
}

/// What goes into `identity.conf`.
pub(super) struct Identity<'a> {
    pub(super) store_dir: &'a Path,
    pub(super) run_dir: &'a Path,
    pub(super) pid_file: &'a Path,
    pub(super) accounts_dir: &'a Path,
    pub(super) operator: &'a str,
    pub(super) system_account: &'a str,
    /// Token for whoever connects without credentials.
    pub(super) knocking: &'a str,
    /// Public key and token of every account.
    pub(super) accounts: &'a [(String, String)],
}

/// The text of `identity.conf`.
pub(super) fn identity_conf(identity: &Identity<'_>) -> String {
    let mut text = format!(
        "# Written by phonework. Do not edit: this file is replaced when an account changes.\n\
         PW_STORE_DIR: {}\nPW_RUN_DIR: {}\nPW_PID_FILE: {}\n\n\
         operator: {}\nsystem_account: {}\n\n\
         # Who connects without credentials may ask to be enrolled, and nothing else.\n\
         default_sentinel: {}\n\n\
         # Kept in a folder, so that a machine can be cut off while the broker runs.\n\
         resolver: {{ type: full, dir: {}, allow_delete: false, interval: \"2m\" }}\nresolver_preload: {{\n",
        quoted(&identity.store_dir.to_string_lossy()),
        quoted(&identity.run_dir.to_string_lossy()),
        quoted(&identity.pid_file.to_string_lossy()),
        identity.operator,
        identity.system_account,
        identity.knocking,
        quoted(&identity.accounts_dir.to_string_lossy()),
    );
    for (key, token) in identity.accounts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {key}: {token}");
    }
    text.push_str("}\n");
    text
}

/// A string as the broker's configuration wants it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_where_to_listen() {
        for (url, host, port) in [
            ("nats://127.0.0.1:4222", "127.0.0.1", 4222),
            ("nats://localhost", "127.0.0.1", 4222),
            ("127.0.0.1:5000", "127.0.0.1", 5000),
            ("tls://hub.example:4333", "0.0.0.0", 4333),
            ("nats://10.0.0.7", "0.0.0.0", 4222),
        ] {
            let options = HubOptions::from_url(url).unwrap();
            assert_eq!((options.host.as_str(), options.port), (host, port), "{url}");
        }
        for url in ["http://hub.example", "wss://hub.example", "nats://"] {
            let error = HubOptions::from_url(url).unwrap_err().to_string();
            assert!(error.contains(url), "{error}");
        }
    }

    #[test]
    fn the_example_for_operators_has_every_line_we_write() {
        let example = include_str!("../../../nats/hub.conf.example");
        let options = HubOptions {
            host: "0.0.0.0".into(),
            monitor_port: 8222,
            ..HubOptions::default()
        };
        for line in hub_conf(&options)
            .lines()
            .filter(|line| !line.trim().starts_with('#'))
        {
            assert!(
                example.lines().any(|other| other == line),
                "missing: {line}"
            );
        }
    }

    #[test]
    fn a_quote_in_a_path_stays_inside_its_string() {
        assert_eq!(quoted(r#"/a "b"\c"#), r#""/a \"b\"\\c""#);
    }
}
