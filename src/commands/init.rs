//! `phonework init`: makes the hub in the data folder, or says that it is there. Starting a broker is not part of it.

use std::path::Path;

use common::identity::{Hub, HubOptions, IdentityError, Outcome};

/// Makes or finishes the hub in `data_dir`, to listen where `nats_url` says. Works with the broker down; run again it
/// changes nothing.
///
/// # Errors
/// [`IdentityError`], whose text says what to do.
pub(crate) fn init(data_dir: &Path, nats_url: &str) -> Result<String, IdentityError> {
    let options = HubOptions::from_url(nats_url)?;
    let hub = Hub::init(data_dir, &options)?;
    let done = match hub.outcome() {
        Outcome::Created => "Made a hub in",
        Outcome::Finished => "Finished the hub that an interrupted run had begun in",
        Outcome::Repaired => "Wrote missing files of the hub again, with the same keys, in",
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
         Gateway:  {}\n\n\
         Keep keys/ and creds/ to yourself, and in your backup: they cannot be made again.\n\
         Next: start the broker, then `phonework router` and `phonework gateway`; \
         add machines with `phonework enroll <node>`.\n",
        hub.data_dir().display(),
        hub.conf_path().display(),
        hub.creds_path("router").display(),
        hub.creds_path("gateway").display(),
    );
    if options.host != "127.0.0.1" {
        text.push_str(
            "The broker will listen on all addresses: put your certificate into hub.conf (tls) before you open its \
             port to the internet.\n",
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_time_nothing_changes() {
        let dir = tempfile::tempdir().unwrap();
        let first = init(dir.path(), "nats://127.0.0.1:4222").unwrap();
        assert!(
            first.starts_with("Made a hub in ") && first.contains("router.creds"),
            "{first}"
        );
        assert!(!first.contains("certificate"), "{first}");
        let second = init(dir.path(), "nats://127.0.0.1:4222").unwrap();
        assert!(second.contains("nothing changed"), "{second}");
    }

    #[test]
    fn it_listens_where_the_address_says() {
        let dir = tempfile::tempdir().unwrap();
        let text = init(dir.path(), "tls://hub.example:4333").unwrap();
        assert!(text.contains("certificate"), "{text}");
        let conf = std::fs::read_to_string(dir.path().join("hub.conf")).unwrap();
        assert!(conf.contains("host: \"0.0.0.0\"\nport: 4333\n"), "{conf}");
    }

    #[test]
    fn a_bad_address_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let error = init(dir.path(), "http://hub").unwrap_err().to_string();
        assert!(
            error.contains("NATS_URL") && error.contains("nats://"),
            "{error}"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
