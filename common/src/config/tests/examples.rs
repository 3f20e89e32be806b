//! The examples, the older program's file and the documentation keep in step
//! with the keys.

use super::*;

/// The older program's example, as people have it.
const OLD_KEYRING: &str = "\
FEISHU_APP_ID: cli_xxxxxxxxxxxxxxxx
FEISHU_APP_SECRET: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
OPENAI_BASE_URL: https://open.bigmodel.cn/api/paas/v4/
OPENAI_API_KEY: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
OPENAI_MODEL: glm-4.7
# Default: 8000
PORT: 8000
WORKING_DIR: C:/Users/yourname/projects
# Leave empty to allow all users.
ALLOWED_OPEN_IDS:
- ou_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
METASO_API_KEY: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
ROUTER_MODE: false
ROUTER_SECRET: your-shared-secret-for-router-host-auth
";

#[test]
fn the_old_example_works_and_lets_nobody_in() {
    let settings = keyring(OLD_KEYRING).unwrap();
    assert!(
        settings.feishu.is_none() && settings.llm.is_none() && settings.router_secret.is_none()
    );
    assert!(!settings.allowed.is_open());
    insta::assert_snapshot!(warnings(&settings).join("\n"), @r"
    keyring.yaml, line 1, column 16: FEISHU_APP_ID still has the example's value and counts as not set. Fill it in or empty it.
    keyring.yaml, line 2, column 20: FEISHU_APP_SECRET still has the example's value and counts as not set. Fill it in or empty it.
    keyring.yaml, line 4, column 17: OPENAI_API_KEY still has the example's value and counts as not set. Fill it in or empty it.
    keyring.yaml, line 8, column 14: WORKING_DIR still has the example's value and counts as not set. Fill it in or empty it.
    keyring.yaml, line 11, column 1: ALLOWED_OPEN_IDS still has the example's id, which is nobody. Put in your own, or empty the list.
    keyring.yaml, line 12, column 17: METASO_API_KEY still has the example's value and counts as not set. Fill it in or empty it.
    keyring.yaml, line 14, column 16: ROUTER_SECRET still has the example's value and counts as not set. Fill it in or empty it.
    ");
    let filled = OLD_KEYRING
        .replace("cli_xxxxxxxxxxxxxxxx", "cli_9f3a")
        .replace(
            "ou_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ou_7d8a6e6df7621556ce0d21922b676706ccs",
        )
        .replace(
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "kT93jdlwQpz01mvnRw82hxbA",
        )
        .replace("C:/Users/yourname/projects", "/home/ann/projects")
        .replace(
            "your-shared-secret-for-router-host-auth",
            "5f0b7c1f5f0b7c1f",
        );
    let settings = keyring(&filled).unwrap();
    assert_eq!(warnings(&settings), [""; 0]);
    assert!(settings.feishu.is_some() && settings.llm.is_some() && settings.metaso.is_some());
}

#[test]
fn the_examples_work_untouched_and_name_every_key() {
    for (kind, text) in [
        (
            FileKind::Keyring,
            include_str!("../../../../keyring.example.yaml"),
        ),
        (
            FileKind::Host,
            include_str!("../../../../host_config.example.yaml"),
        ),
    ] {
        let settings = load_text(&request(kind), Path::new(kind.example_name()), text).unwrap();
        assert_eq!(warnings(&settings), [""; 0]);
        assert!(settings.feishu.is_none() && settings.llm.is_none() && settings.allowed.is_open());
        for key in Key::ALL {
            let named = text
                .lines()
                .any(|line| line.split(':').next() == Some(key.name()));
            assert_eq!(
                named,
                key.spec().files.contain(kind),
                "{} in {}",
                key.name(),
                kind.example_name()
            );
        }
        // A value that stands in the example is the default, or the example lies.
        let bare = load_text(
            &request(kind),
            Path::new("x.yaml"),
            "NATS_URL: nats://127.0.0.1:4222",
        )
        .unwrap();
        assert_eq!(settings.web.port, bare.web.port);
        assert_eq!(
            (&settings.working_dir, settings.audit_days),
            (&bare.working_dir, bare.audit_days)
        );
    }
}

#[test]
fn the_documentation_lists_the_keys() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once("<!-- keys: begin -->\n").unwrap();
    let (table, after) = rest.split_once("<!-- keys: end -->").unwrap();
    let wanted = markdown_table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = format!("{before}<!-- keys: begin -->\n{wanted}<!-- keys: end -->{after}");
        std::fs::write(path, text).unwrap();
        return;
    }
    assert_eq!(
        table, wanted,
        "docs/configuration.md is out of step; see the comment above its table"
    );
}

#[test]
fn every_example_of_a_key_is_good() {
    for key in Key::ALL {
        let spec = key.spec();
        let mut request = request(FileKind::Host);
        request.flags.insert(Key::NatsUrl, "tls://h".to_owned());
        // Some keys make others necessary.
        request.flags.insert(Key::FeishuAppId, "cli_1".to_owned());
        request.flags.insert(Key::FeishuAppSecret, "s".to_owned());
        request.flags.insert(Key::OpenaiModel, "m".to_owned());
        request.flags.insert(Key::NatsTlsCert, "c.pem".to_owned());
        request.flags.insert(Key::NatsTlsKey, "k.pem".to_owned());
        request.flags.insert(*key, spec.example.to_owned());
        load_text(&request, Path::new("x.yaml"), "").unwrap();
    }
}
