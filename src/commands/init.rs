//! `phonework init`: makes the hub in the data folder, or says that it is there. Starting a broker is not part of it.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;

use common::identity::{Hub, HubOptions, IdentityError, Outcome, Signed, Tls};

/// Makes or finishes the hub in `data_dir`, to listen as `options` say. Works with the broker down; run again it changes
/// nothing, unless a certificate ends soon.
///
/// # Errors
/// [`IdentityError`], whose text says what to do.
pub(crate) fn init(data_dir: &Path, options: &HubOptions) -> Result<String, IdentityError> {
    let hub = Hub::init(data_dir, options)?;
    let running = hub.running_url().is_some();
    let done = match hub.outcome() {
        Outcome::Created => "Made a hub in",
        Outcome::Finished => "Finished the hub that an interrupted run had begun in",
        Outcome::Repaired => "Wrote files of the hub again, with the same keys, in",
        Outcome::Unchanged => {
            return Ok(format!(
                "The hub in {} is complete; nothing changed. Where it listens is in {}, yours to edit.\n",
                hub.data_dir().display(),
                hub.conf_path().display()
            ));
        }
    };
    let mut text = format!(
        "{done} {}\n\n\
         Broker:   nats-server -c {}\n\
         Router:   {}\n\
         Gateway:  {}\n",
        hub.data_dir().display(),
        hub.conf_path().display(),
        hub.creds_path("router").display(),
        hub.creds_path("gateway").display(),
    );
    // Writing to a String cannot fail.
    let _ = listeners(&mut text, &hub, options);
    text.push_str(
        "\nKeep keys/ and creds/ to yourself, and in your backup: they cannot be made again.\n\
         Next: start the broker, then `phonework router` and `phonework gateway`; \
         add machines with `phonework enroll <node>`.\n",
    );
    if running {
        let _ = writeln!(
            text,
            "A broker runs here already. It takes a new certificate with `{}`; new ports need a restart.",
            reload(&hub)
        );
    } else {
        blocked(&mut text, options);
    }
    Ok(text)
}

/// The command that has a running broker read its certificate and configuration again.
pub(crate) fn reload(hub: &Hub) -> String {
    let pid = hub.run_dir().join("nats.pid");
    format!("nats-server --signal reload={}", pid.display())
}

/// Where it listens, and with whose certificate.
fn listeners(text: &mut String, hub: &Hub, options: &HubOptions) -> std::fmt::Result {
    let ca = hub.data_dir().join("creds/ca.pem");
    match &options.tls {
        Some(Tls::Own { name }) => {
            let what = match hub.signed() {
                Some(Signed::Made) => "made",
                Some(Signed::Renewed) => "made anew",
                Some(Signed::Kept) | None => "there",
            };
            writeln!(
                text,
                "TLS:      port {}; certificate for {name} {what}, signed by {}\n\
                 \x20         (`enroll` and `join` carry that file to the machines; `phonework init` renews the certificate in its \
                 last three months)",
                options.port,
                ca.display()
            )?;
        }
        Some(Tls::Given {
            name, certificate, ..
        }) => writeln!(
            text,
            "TLS:      port {}; for {name}, {}",
            options.port,
            certificate.display()
        )?,
        None if options.host == "127.0.0.1" => {
            return writeln!(
                text,
                "TLS:      none, this machine alone (port {}); for others set NATS_URL to tls://<its name>:4222 and run this again",
                options.port
            );
        }
        None => writeln!(
            text,
            "TLS:      NONE, on all addresses (port {}), because of NATS_PLAINTEXT",
            options.port
        )?,
    }
    if let Some(port) = options.websocket_port {
        writeln!(
            text,
            "Web:      port {port}, for hosts with NATS_URL wss://… (NATS_WEBSOCKET_PORT; 0 closes it)"
        )?;
    }
    if let Some(port) = options.leaf_port {
        writeln!(
            text,
            "Sites:    port {port}, for `phonework enroll --leaf` (NATS_LEAF_PORT; 0 closes it)"
        )?;
    }
    Ok(())
}

/// Says which port the broker will not get. A container of its own may well have it, so it is no error.
fn blocked(text: &mut String, options: &HubOptions) {
    let main = [
        (Some(options.port), "NATS_URL"),
        (options.websocket_port, "NATS_WEBSOCKET_PORT"),
        (options.leaf_port, "NATS_LEAF_PORT"),
    ];
    for (port, key) in main {
        let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else {
            continue;
        };
        let why = match std::net::TcpListener::bind((options.host.as_str(), port)) {
            Err(why) if why.kind() == ErrorKind::AddrInUse => "another program has it",
            Err(why) if why.kind() == ErrorKind::PermissionDenied => {
                "you may not open ports below 1024 (as root: setcap cap_net_bind_service=+ep \"$(command -v nats-server)\")"
            }
            Ok(_) | Err(_) => continue,
        };
        let other = if key == "NATS_URL" { "" } else { " or 0" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "Mind: the broker does not start without port {port}, and on this machine {why}. Free it, or set {key} to another \
             port{other} and run `phonework init` again."
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> HubOptions {
        HubOptions::from_url(url).unwrap()
    }

    #[test]
    fn the_second_time_nothing_changes() {
        let dir = tempfile::tempdir().unwrap();
        let first = init(dir.path(), &at("nats://127.0.0.1:4222")).unwrap();
        assert!(
            first.starts_with("Made a hub in ") && first.contains("router.creds"),
            "{first}"
        );
        assert!(first.contains("this machine alone"), "{first}");
        let second = init(dir.path(), &at("nats://127.0.0.1:4222")).unwrap();
        assert!(second.contains("nothing changed"), "{second}");
    }

    #[test]
    fn a_hub_for_others_has_a_certificate_and_says_what_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let options = HubOptions {
            websocket_port: Some(8443),
            leaf_port: Some(7422),
            ..at("tls://hub.example:4333")
        };
        let text = init(dir.path(), &options).unwrap();
        for part in [
            "certificate for hub.example made",
            "creds/ca.pem",
            "port 8443",
            "port 7422",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let conf = std::fs::read_to_string(dir.path().join("hub.conf")).unwrap();
        assert!(conf.contains("host: \"0.0.0.0\"\nport: 4333\n"), "{conf}");
        let again = init(dir.path(), &options).unwrap();
        assert!(again.contains("nothing changed"), "{again}");
    }

    #[test]
    fn a_port_that_is_taken_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let options = HubOptions {
            port: -1,
            websocket_port: Some(port.into()),
            ..at("tls://127.0.0.1")
        };
        let text = init(dir.path(), &options).unwrap();
        assert!(
            text.contains(&format!("without port {port}"))
                && text.contains("set NATS_WEBSOCKET_PORT to another port or 0"),
            "{text}"
        );
    }
}
