//! Encrypted connections to a real broker: with the hub's own authority, over both ports, and every certificate that must
//! not be accepted; and what becomes of a hub that had none.

use std::path::{Path, PathBuf};

use common::broker::{Broker as Connection, BrokerError, BrokerOptions};
use common::identity::{Hub, HubOptions, IdentityError, Outcome, Signed, Tls};
use kit::nats::Broker;

/// Listens on every address and is called `name`.
fn encrypted(name: &str) -> HubOptions {
    HubOptions {
        host: "0.0.0.0".into(),
        port: -1,
        tls: Some(Tls::Own { name: name.into() }),
        websocket_port: Some(-1),
        leaf_port: Some(-1),
        ..HubOptions::default()
    }
}

async fn look(broker: &Broker, url: String, ca: Option<PathBuf>) -> Result<String, BrokerError> {
    let options = BrokerOptions {
        url,
        creds: broker.creds("router"),
        ca,
        owner: true,
    };
    Connection::look(&options).await
}

fn why(looked: Result<String, BrokerError>) -> String {
    match looked {
        Ok(version) => panic!("it was let in: {version}"),
        Err(why) => why.to_string(),
    }
}

#[tokio::test]
async fn both_ports_are_encrypted_and_known_by_the_authority_alone() {
    let broker = Broker::start_with(&encrypted("hub.example")).await;
    let other = Broker::start_with(&encrypted("hub.example")).await;
    let wss = broker.websocket_port().unwrap();
    for url in [broker.url(), format!("wss://127.0.0.1:{wss}")] {
        look(&broker, url.clone(), broker.ca()).await.unwrap();
        // Another hub's authority, and none.
        for ca in [other.ca(), None] {
            let why = why(look(&broker, url.clone(), ca).await);
            assert!(why.contains("does not trust who signed it"), "{why}");
        }
        let elsewhere = url.replace("127.0.0.1", "127.0.0.2");
        let why = why(look(&broker, elsewhere, broker.ca()).await);
        assert!(
            why.contains("another name than the one in NATS_URL"),
            "{why}"
        );
    }
    // Who speaks plainly hears nothing but that it must not.
    let plain = broker.url().replace("tls://", "nats://");
    let why = why(look(&broker, plain, None).await);
    assert!(why.contains("does not trust"), "{why}");
    let ca = std::fs::metadata(broker.data_dir().join("keys/ca.key")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&ca.permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_new_certificate_is_taken_by_the_running_broker() {
    let broker = Broker::start_with(&encrypted("hub.example")).await;
    let url = broker.url().replace("127.0.0.1", "127.0.0.2");
    let before = why(look(&broker, url.clone(), broker.ca()).await);
    assert!(before.contains("another name"), "{before}");
    let hub = Hub::init(broker.data_dir(), &encrypted("127.0.0.2")).unwrap();
    assert_eq!(
        (hub.outcome(), hub.signed()),
        (Outcome::Repaired, Some(Signed::Renewed))
    );
    assert_eq!(hub.certificate_lasts("127.0.0.2"), Some(true));
    assert_eq!(hub.certificate_lasts("hub.example"), Some(false));
    broker.reload();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while let Err(why) = look(&broker, url.clone(), broker.ca()).await {
        assert!(std::time::Instant::now() < until, "{why}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn conf(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("hub.conf")).unwrap()
}

#[test]
fn a_hub_without_tls_gets_it_unless_its_file_was_edited() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    Hub::init(data, &HubOptions::default()).unwrap();
    let plain = conf(data);
    assert!(!plain.contains("cert_file") && !data.join("creds/ca.pem").exists());
    // As older versions left it.
    std::fs::write(data.join("hub.conf"), format!("# older words\n{plain}")).unwrap();
    let wanted = encrypted("hub.example");
    assert_eq!(
        Hub::init(data, &wanted).unwrap().outcome(),
        Outcome::Repaired
    );
    let tls = conf(data);
    assert_eq!(tls.matches("cert_file").count(), 3, "{tls}");
    assert_eq!(
        Hub::init(data, &wanted).unwrap().outcome(),
        Outcome::Unchanged
    );
    // It follows to other ports, and never back to none.
    let moved = HubOptions {
        websocket_port: None,
        ..wanted.clone()
    };
    assert_eq!(
        Hub::init(data, &moved).unwrap().outcome(),
        Outcome::Repaired
    );
    assert_eq!(conf(data).matches("cert_file").count(), 2);
    let before = conf(data);
    Hub::init(data, &HubOptions::default()).unwrap();
    assert_eq!(conf(data), before);

    // Somebody's own: with TLS it is left alone, without it is refused with the lines that it lacks.
    std::fs::write(data.join("hub.conf"), format!("{tls}max_connections: 9\n")).unwrap();
    assert_eq!(
        Hub::init(data, &moved).unwrap().outcome(),
        Outcome::Unchanged
    );
    assert!(conf(data).ends_with("max_connections: 9\n"));
    let edited = format!("{plain}max_connections: 9\n");
    std::fs::write(data.join("hub.conf"), &edited).unwrap();
    let Err(refused) = Hub::init(data, &wanted) else {
        panic!("it would listen without TLS");
    };
    assert!(matches!(refused, IdentityError::PlainConf { .. }));
    let refused = refused.to_string();
    assert!(
        refused.contains("edited by hand") && refused.contains("tls/hub.pem"),
        "{refused}"
    );
    assert_eq!(conf(data), edited);
}

#[tokio::test]
async fn a_certificate_of_somebody_elses_making_is_shown() {
    let maker = Broker::start_with(&encrypted("hub.example")).await;
    let options = HubOptions {
        tls: Some(Tls::Given {
            name: "hub.example".into(),
            certificate: maker.data_dir().join("tls/hub.pem"),
            key: maker.data_dir().join("tls/hub.key"),
        }),
        ..encrypted("")
    };
    let dir = tempfile::tempdir().unwrap();
    let hub = Hub::init(dir.path(), &options).unwrap();
    assert_eq!(hub.signed(), None);
    assert!(!dir.path().join("creds/ca.pem").exists() && !dir.path().join("keys/ca.key").exists());
    let other = HubOptions {
        tls: Some(Tls::Given {
            name: "elsewhere.example".into(),
            certificate: maker.data_dir().join("tls/hub.pem"),
            key: maker.data_dir().join("tls/hub.key"),
        }),
        ..encrypted("")
    };
    let Err(refused) = Hub::init(dir.path(), &other) else {
        panic!("it is for another name");
    };
    assert!(
        refused.to_string().contains("not for elsewhere.example"),
        "{refused}"
    );
}
