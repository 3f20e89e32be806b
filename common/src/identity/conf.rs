//! The two configuration files of the broker. `hub.conf` is written once and then the operator's to edit;
//! `identity.conf`, which it includes, is ours and is written anew whenever an account changes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::IdentityError;
use super::certificate::Pair;

/// What the broker should listen on, as far as `init` decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOptions {
    /// Address to listen on: `127.0.0.1` for one machine, `0.0.0.0` for a hub.
    pub host: String,
    /// Port; -1 takes a free one at every start (see the ports file in `run/`).
    pub port: i32,
    /// Loopback port of the monitoring page; -1 takes a free one.
    pub monitor_port: i32,
    /// Upper bound for streams on disk, in bytes. Streams reserve about 5 GB of it.
    pub max_file_store: u64,
    /// How connections are encrypted; none: not at all.
    pub tls: Option<Tls>,
    /// Port for websockets, with TLS only; -1 takes a free one.
    pub websocket_port: Option<i32>,
    /// Port for the servers of sites; -1 takes a free one.
    pub leaf_port: Option<i32>,
}

/// Whose certificate the broker shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// One that the hub's own authority signs for this name (also for `localhost`).
    Own {
        /// Host name or IP address that machines connect to.
        name: String,
    },
    /// One that is there, for this name.
    Given {
        /// Host name or IP address that machines connect to.
        name: String,
        /// The certificate and those between it and its authority, in PEM.
        certificate: PathBuf,
        /// Its key, in PEM.
        key: PathBuf,
    },
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 4222,
            monitor_port: -1,
            max_file_store: 8 * 1024 * 1024 * 1024,
            tls: None,
            websocket_port: None,
            leaf_port: None,
        }
    }
}

impl HubOptions {
    /// Listens where this address says: on the loopback address when it names it, else on every address, since the
    /// name others use for this machine (or its router's) need not be one of its own. With `tls://` it is encrypted,
    /// with a certificate of the hub's own authority; see [`HubOptions::with_certificate`].
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
                "the hub's own address is tls://…; its port for websockets is NATS_WEBSOCKET_PORT"
                    .into(),
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
            tls: (address.scheme() == "tls").then(|| Tls::Own {
                name: address.host().to_owned(),
            }),
            ..Self::default()
        })
    }

    /// Shows this certificate instead of one of the hub's own.
    ///
    /// # Errors
    /// [`IdentityError::Url`] when `url`, which these options were made from, asks for no encryption.
    pub fn with_certificate(
        self,
        url: &str,
        certificate: PathBuf,
        key: PathBuf,
    ) -> Result<Self, IdentityError> {
        let Some(Tls::Own { name } | Tls::Given { name, .. }) = self.tls else {
            return Err(IdentityError::Url {
                url: url.to_owned(),
                why: "with NATS_TLS_CERT it has to begin with tls://".into(),
            });
        };
        Ok(Self {
            tls: Some(Tls::Given {
                name,
                certificate,
                key,
            }),
            ..self
        })
    }
}

/// The text of `hub.conf`; `files` are the broker's certificate and key, when it has any.
pub(super) fn hub_conf(options: &HubOptions, files: Option<&Pair>) -> String {
    let HubOptions {
        host: address,
        port,
        monitor_port,
        max_file_store,
        tls: _,
        websocket_port,
        leaf_port,
    } = options;
    let host = quoted(address);
    let tls = files.map_or_else(
        || {
            "# Without TLS: for this machine alone. With NATS_URL tls://… in keyring.yaml, `phonework init` makes a\n\
             # certificate and opens the ports that other machines need.\n"
                .to_owned()
        },
        tls_block,
    );
    let mut more = String::new();
    // Writing to a String cannot fail.
    if let (Some(files), Some(port)) = (files, websocket_port) {
        let _ = write!(
            more,
            "\n# Hosts that may only use the web's port: NATS_URL wss://…   (NATS_WEBSOCKET_PORT)\n\
             websocket {{\n  listen: {}\n  compression: true\n{}}}\n",
            quoted(&format!("{address}:{port}")),
            indented(&tls_block(files)),
        );
    }
    if let Some(port) = leaf_port {
        let _ = write!(
            more,
            "\n# Sites with a nats-server of their own: phonework enroll --leaf   (NATS_LEAF_PORT)\n\
             leafnodes {{\n  listen: {}\n  compression: s2_auto\n{}}}\n",
            quoted(&format!("{address}:{port}")),
            files
                .map(|files| indented(&tls_block(files)))
                .unwrap_or_default(),
        );
    }
    format!(
        r#"# The PhoneWork broker. All of it: nats-server -c hub.conf   (nats-server 2.14 or newer)
# Written by `phonework init`. Edit what you need: a file that was edited is left alone from then on.
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

{tls}{more}
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

/// What encrypts a listener. Used for each of the broker's.
pub(super) fn tls_block(files: &Pair) -> String {
    format!(
        "tls {{\n  cert_file: {}\n  key_file: {}\n}}\n",
        quoted(&files.certificate.to_string_lossy()),
        quoted(&files.key.to_string_lossy()),
    )
}

fn indented(block: &str) -> String {
    block.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// Whether the broker would encrypt with this configuration.
pub(super) fn has_tls(text: &str) -> bool {
    settings(text).any(|line| {
        line.strip_prefix("tls")
            .is_some_and(|rest| rest.trim_start().starts_with(['{', ':', '=']))
    })
}

/// Whether this is a `hub.conf` without TLS as any version wrote it, whatever its ports. What newer versions write is
/// known by its hash.
pub(super) fn is_plain_one_of_ours(text: &str) -> bool {
    let value = |key: &str| {
        settings(text)
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
            .map(|value| value.trim_matches('"').to_owned())
    };
    let number = |key: &str| value(key)?.parse().ok();
    let monitor = || value("http")?.rsplit_once(':')?.1.parse().ok();
    let (Some(host), Some(port), Some(monitor_port)) = (value("host"), number("port"), monitor())
    else {
        return false;
    };
    let store = settings(text).find_map(|line| line.strip_prefix("max_file_store: ")?.parse().ok());
    let options = HubOptions {
        host,
        port,
        monitor_port,
        max_file_store: store.unwrap_or(HubOptions::default().max_file_store),
        ..HubOptions::default()
    };
    settings(text).eq(settings(&hub_conf(&options, None)))
}

/// The lines that mean something.
fn settings(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
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
pub(super) fn quoted(text: &str) -> String {
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
            websocket_port: Some(443),
            leaf_port: Some(7422),
            ..HubOptions::default()
        };
        let files = Pair {
            certificate: "/etc/phonework/hub.pem".into(),
            key: "/etc/phonework/hub.key".into(),
        };
        for line in hub_conf(&options, Some(&files))
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
    fn what_we_wrote_is_known_and_what_was_edited_is_not() {
        let options = HubOptions {
            port: 4333,
            monitor_port: 8222,
            ..HubOptions::default()
        };
        let text = hub_conf(&options, None);
        assert!(is_plain_one_of_ours(&text) && !has_tls(&text));
        assert!(is_plain_one_of_ours(&format!("# mine\n{text}")));
        for edited in [
            format!("{text}max_connections: 9\n"),
            text.replace("ping_max: 2", "ping_max: 5"),
            String::new(),
        ] {
            assert!(!is_plain_one_of_ours(&edited), "{edited}");
        }
        for (line, tls) in [
            ("tls { cert_file: \"x\" }", true),
            ("tls: {", true),
            ("# tls { cert_file: \"x\" }", false),
            ("leafnodes { tls { } }", false),
        ] {
            assert_eq!(has_tls(&format!("{text}{line}\n")), tls, "{line}");
        }
    }

    #[test]
    fn tls_is_asked_for_by_the_address() {
        let options = HubOptions::from_url("tls://[fd00::1]:4222").unwrap();
        let name = "fd00::1".to_owned();
        assert_eq!(options.tls, Some(Tls::Own { name }));
        let plain = HubOptions::from_url("nats://127.0.0.1").unwrap();
        assert_eq!(plain.tls, None);
        let refused = plain.with_certificate("nats://127.0.0.1", "c".into(), "k".into());
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("begin with tls://"), "{refused}");
    }

    #[test]
    fn a_quote_in_a_path_stays_inside_its_string() {
        assert_eq!(quoted(r#"/a "b"\c"#), r#""/a \"b\"\\c""#);
    }
}
