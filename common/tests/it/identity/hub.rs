//! The hub's folder: made once, left alone afterwards, finished when it was half made, clear when it is damaged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::identity::{Creds, EnrollOptions, Hub, HubOptions, IdentityError, Outcome};
use kit::nats::Broker;

/// Every file below a folder with its content; the lock has none worth comparing.
fn snapshot(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry
                    .path()
                    .strip_prefix(dir)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

fn init(dir: &Path) -> Hub {
    Hub::init(dir, &HubOptions::default()).unwrap()
}

#[test]
fn a_second_init_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let hub = init(&data);
    assert_eq!(hub.outcome(), Outcome::Created);
    hub.enroll("home-pc", &EnrollOptions::default()).unwrap();
    hub.revoke("home-pc").unwrap();
    let before = snapshot(&data);
    let other = HubOptions {
        port: 9999,
        ..HubOptions::default()
    };
    assert_eq!(
        Hub::init(&data, &other).unwrap().outcome(),
        Outcome::Unchanged
    );
    assert_eq!(snapshot(&data), before);
    Hub::open(&data).unwrap();
    assert_eq!(snapshot(&data), before);
}

#[cfg(unix)]
#[test]
fn secrets_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    init(&data).enroll("a", &EnrollOptions::default()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in ["", "keys", "creds", "nodes", "nats", "run"] {
        assert_eq!(mode(&data.join(folder)), 0o700, "{folder}");
    }
    let secret: Vec<String> = snapshot(&data)
        .into_keys()
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|end| end == "nk" || end == "creds")
        })
        .collect();
    assert_eq!(secret.len(), 13, "{secret:?}");
    for name in secret {
        assert_eq!(mode(&data.join(&name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_half_made_hub_is_finished_with_the_keys_it_has() {
    // Whatever file was the last one written before the crash, the next run makes a hub that works.
    let whole = tempfile::tempdir().unwrap();
    init(whole.path());
    let made: Vec<(String, Vec<u8>)> = snapshot(whole.path())
        .into_iter()
        .filter(|(name, _)| name != "hub.lock")
        .collect();
    for missing in 1..made.len() {
        let dir = tempfile::tempdir().unwrap();
        let order = |name: &str| match name.split('/').next() {
            Some("keys") => (0, name != "keys/operator.nk"),
            Some("creds") => (1, false),
            Some("hub.conf") => (2, false),
            Some("identity.conf") => (3, false),
            _ => (4, false),
        };
        let mut files = made.clone();
        files.sort_by_key(|(name, _)| order(name));
        for (name, content) in files.iter().take(made.len() - missing) {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let hub = init(dir.path());
        assert_eq!(hub.outcome(), Outcome::Finished, "{missing} missing");
        let after = snapshot(dir.path());
        for (name, content) in files
            .iter()
            .take(made.len() - missing)
            .filter(|(name, _)| name.starts_with("keys/"))
        {
            assert_eq!(&after[name], content, "{name} was kept");
        }
        assert_eq!(init(dir.path()).outcome(), Outcome::Unchanged);
    }
}

#[test]
fn what_can_be_derived_is_written_again_and_keys_are_not() {
    let dir = tempfile::tempdir().unwrap();
    init(dir.path());
    for name in ["hub.conf", "identity.conf", "creds/router.creds"] {
        let before = fs::read(dir.path().join("keys/operator.nk")).unwrap();
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        // Cut off, as after a full disk; hub.conf belongs to the operator, so only its absence is ours to mend.
        if name == "hub.conf" {
            fs::remove_file(dir.path().join(name)).unwrap();
        } else {
            fs::write(dir.path().join(name), &text[..text.len() / 2]).unwrap();
        }
        assert_eq!(init(dir.path()).outcome(), Outcome::Repaired, "{name}");
        assert_eq!(init(dir.path()).outcome(), Outcome::Unchanged, "{name}");
        assert_eq!(
            fs::read(dir.path().join("keys/operator.nk")).unwrap(),
            before
        );
    }
    Creds::read(&dir.path().join("creds/router.creds")).unwrap();

    let key = dir.path().join("keys/nodes.nk");
    let seed = fs::read_to_string(&key).unwrap();
    fs::write(&key, &seed[..20]).unwrap();
    for result in [
        Hub::init(dir.path(), &HubOptions::default()),
        Hub::open(dir.path()),
    ] {
        let error = result.err().unwrap();
        assert!(matches!(error, IdentityError::KeyFile { .. }));
        assert!(
            error.to_string().contains("nodes.nk") && error.to_string().contains("backup"),
            "{error}"
        );
    }
    fs::remove_file(&key).unwrap();
    let error = Hub::init(dir.path(), &HubOptions::default()).err().unwrap();
    assert!(error.to_string().contains("it is missing"), "{error}");
    assert!(!key.exists(), "no new key in its place");
    fs::write(&key, fs::read(dir.path().join("keys/gate.nk")).unwrap()).unwrap();
    let error = Hub::open(dir.path()).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("not the key this hub was made with"),
        "{error}"
    );
}

#[tokio::test]
async fn a_moved_folder_and_an_edited_configuration_still_run() {
    let mut broker = Broker::start().await;
    broker.stop().await;
    let conf = fs::read_to_string(broker.hub().conf_path())
        .unwrap()
        .replace("server_name: hub", "server_name: attic");
    fs::write(broker.hub().conf_path(), conf).unwrap();
    assert_eq!(init(broker.data_dir()).outcome(), Outcome::Unchanged);
    broker.restart().await;
    let router = broker.connect(&broker.creds("router")).await;
    assert_eq!(router.server_info().server_name, "attic");
    broker.stop().await;

    let dir = tempfile::tempdir().unwrap();
    let moved = dir.path().join("else \"where\"");
    fs::rename(broker.data_dir(), &moved).unwrap();
    assert_eq!(init(&moved).outcome(), Outcome::Repaired);
    let checked = std::process::Command::new(kit::nats::server_binary())
        .args(["-t", "-c"])
        .arg(moved.join("hub.conf"))
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[test]
fn an_id_is_bound_to_its_first_key() {
    let dir = tempfile::tempdir().unwrap();
    let hub = init(dir.path());
    let options = EnrollOptions {
        serves: vec!["feishu/ou_1".into()],
        name: "At home".into(),
        replace: false,
    };
    let first = hub.enroll("home-pc", &options).unwrap();
    assert_eq!(first.creds.name(), "home-pc");
    let record = hub.node("home-pc").unwrap().unwrap();
    assert_eq!(
        (record.name.as_str(), record.serves.as_slice()),
        ("At home", options.serves.as_slice())
    );
    assert_eq!(record.public_key, first.public_key);

    let taken = hub.enroll("home-pc", &options).unwrap_err();
    assert!(
        matches!(taken, IdentityError::Taken { .. }) && taken.to_string().contains("--replace"),
        "{taken}"
    );
    assert_eq!(hub.node("home-pc").unwrap().unwrap(), record);
    // The same key again is the same machine that did not hear the answer.
    hub.mint_node("home-pc", &first.public_key, &options)
        .unwrap();

    let replace = EnrollOptions {
        replace: true,
        ..options
    };
    let second = hub.enroll("home-pc", &replace).unwrap();
    let record = hub.node("home-pc").unwrap().unwrap();
    assert_eq!(record.public_key, second.public_key);
    assert_eq!(record.former_keys[0].public_key, first.public_key);
    let back = hub
        .mint_node("home-pc", &first.public_key, &replace)
        .unwrap_err();
    assert!(back.to_string().contains("cut off"), "{back}");
    assert!(hub.mint_node("other", "not a key", &replace).is_err());
    assert!(matches!(
        hub.enroll("router", &replace),
        Err(IdentityError::NodeId { .. })
    ));
    assert!(matches!(
        hub.revoke("nobody"),
        Err(IdentityError::UnknownNode(_))
    ));
    assert_eq!(hub.nodes().unwrap().len(), 1);
}

#[test]
fn two_commands_at_once_bind_an_id_once() {
    let dir = tempfile::tempdir().unwrap();
    init(dir.path());
    let results: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    Hub::open(dir.path())
                        .unwrap()
                        .enroll("a", &EnrollOptions::default())
                        .is_ok()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(results.iter().filter(|ok| **ok).count(), 1);
}

#[test]
fn opening_what_is_not_a_hub_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = Hub::open(&dir.path().join("none")).err().unwrap();
    assert!(error.to_string().contains("phonework init"), "{error}");
    let error = Hub::open(dir.path()).err().unwrap();
    assert!(matches!(error, IdentityError::NoHub(_)));
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "opening writes nothing"
    );
}
