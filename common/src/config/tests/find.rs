//! Which file is taken, and what happens without one.

use super::*;

#[test]
fn files_are_found_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (here, home) = (folder.path().join("here"), folder.path().join("home"));
    let config = home.join(".config/phonework");
    let xdg = folder.path().join("xdg");
    for made in [&here, &config, &xdg.join("phonework")] {
        std::fs::create_dir_all(made).unwrap();
    }
    let mut request = request(FileKind::Keyring);
    request.folder.clone_from(&here);
    request.env = [("HOME", home.to_str().unwrap())].into_iter().collect();
    let port = |request: &Request| load(request).unwrap().web.port;

    let error = load(&request).unwrap_err();
    assert_eq!(error.exit_code(), 64);
    let text = error
        .to_string()
        .replace(folder.path().to_str().unwrap(), "TMP");
    insta::assert_snapshot!(text, @"There is no keyring.yaml; looked for TMP/here/keyring.yaml and TMP/home/.config/phonework/keyring.yaml. Copy keyring.example.yaml to keyring.yaml and fill it in, or name a file with --config FILE.");

    std::fs::write(config.join("keyring.yaml"), "PORT: 1").unwrap();
    assert_eq!(port(&request), 1);
    let with_xdg = Request {
        env: [
            ("HOME", home.to_str().unwrap()),
            ("XDG_CONFIG_HOME", xdg.to_str().unwrap()),
        ]
        .into_iter()
        .collect(),
        ..request.clone()
    };
    load(&with_xdg).unwrap_err();
    std::fs::write(xdg.join("phonework/keyring.yaml"), "PORT: 2").unwrap();
    assert_eq!(port(&with_xdg), 2);
    std::fs::write(here.join("keyring.yaml"), "PORT: 3\nWORKING_DIR: p").unwrap();
    assert_eq!(port(&request), 3);
    assert_eq!(load(&request).unwrap().working_dir, here.join("p"));

    request.file = Some(PathBuf::from("none.yaml"));
    let text = load(&request)
        .unwrap_err()
        .to_string()
        .replace(folder.path().to_str().unwrap(), "TMP");
    insta::assert_snapshot!(text, @"TMP/here/none.yaml: there is no such file. Give --config an existing file, or copy keyring.example.yaml to that place.");
    request.file = Some(config.join("keyring.yaml"));
    assert_eq!(port(&request), 1);
    request.file = Some(config);
    assert!(matches!(
        load(&request).unwrap_err().problems[0].what,
        What::Unreadable(_)
    ));
}

#[test]
fn the_environment_alone_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = with_env(
        FileKind::Host,
        &[
            ("PHONEWORK_NATS_URL", "tls://hub"),
            ("PHONEWORK_ROUTER_SECRET", "0123456789abcdef"),
        ],
    );
    host.folder = folder.path().to_owned();
    let settings = load(&host).unwrap();
    insta::assert_snapshot!(warnings(&settings).join("\n"), @"There is no host_config.yaml; only the environment and the flags are used.");
    // What is set for a whole machine does not count as configuring us.
    host.env = [("HOME", "/nonexistent"), ("PHONEWORK_LOG", "debug")]
        .into_iter()
        .collect();
    assert!(matches!(
        load(&host).unwrap_err().problems[0].what,
        What::NotFound { .. }
    ));
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.yaml");
    let request = Request {
        folder: folder.path().to_owned(),
        ..request(FileKind::Keyring)
    };
    let count = |text: &str, mode: u32| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        load(&request).unwrap().warnings.len()
    };
    assert_eq!(count("ROUTER_SECRET: 0123456789abcdef", 0o644), 1);
    assert_eq!(count("ROUTER_SECRET: 0123456789abcdef", 0o600), 0);
    assert_eq!(count("PORT: 1", 0o644), 0);
}
