//! The whole way from text to settings or sentences. Bad input is in `bad`.

mod bad;
mod examples;
mod find;

use std::path::PathBuf;

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;

/// A request as from a tidy machine: no environment but a home folder.
fn request(kind: FileKind) -> Request {
    Request {
        kind,
        file: None,
        folder: PathBuf::from("/srv/dir"),
        env: [("HOME", "/home/ann")].into_iter().collect(),
        flags: BTreeMap::new(),
        machine: Machine {
            hostname: Some("Lab-1.example".to_owned()),
            timezone: Some("Europe/Paris".to_owned()),
        },
    }
}

fn with_env(kind: FileKind, pairs: &[(&str, &str)]) -> Request {
    let env = [("HOME", "/home/ann")]
        .iter()
        .chain(pairs)
        .copied()
        .collect();
    Request {
        env,
        ..request(kind)
    }
}

fn keyring(text: &str) -> Result<Settings, ConfigError> {
    load_text(&request(FileKind::Keyring), Path::new("keyring.yaml"), text)
}

fn host(text: &str) -> Result<Settings, ConfigError> {
    load_text(
        &request(FileKind::Host),
        Path::new("host_config.yaml"),
        text,
    )
}

fn warnings(settings: &Settings) -> Vec<String> {
    settings
        .warnings
        .iter()
        .map(|warning| warning.text(Lang::En))
        .collect()
}

fn secret(secret: Option<&secrecy::SecretString>) -> Option<&str> {
    secret.map(secrecy::ExposeSecret::expose_secret)
}

#[test]
fn nothing_set_gives_the_defaults() {
    for text in [
        "",
        "\n",
        "# only a comment\n",
        "---\n",
        "PORT:\nWEB: ~\nALLOWED_OPEN_IDS: null\nCLAUDE_ARGS: []\n",
        "{}",
    ] {
        let settings = keyring(text).unwrap();
        assert!(
            settings.feishu.is_none() && settings.llm.is_none() && settings.metaso.is_none(),
            "{text:?}"
        );
        assert!(
            settings.web.enabled && settings.web.port == 8000 && settings.web.bind.is_loopback()
        );
        assert!(settings.allowed.is_open() && settings.admins.is_empty());
        assert_eq!(settings.working_dir, Path::new("/home/ann/phonework"));
        assert_eq!(
            settings.data_dir,
            Path::new("/home/ann/.local/share/phonework")
        );
        assert_eq!(settings.node.id.as_str(), "lab-1");
        assert_eq!(settings.node.display_name, "lab-1");
        assert_eq!(settings.timezone, chrono_tz::Europe::Paris);
        assert_eq!((settings.log.as_str(), settings.audit_days), ("info", 90));
        assert!(settings.nats.url.is_none() && settings.locale.is_none() && !settings.router_mode);
        assert_eq!(warnings(&settings), [""; 0], "{text:?}");
    }
}

#[test]
fn every_key_arrives() {
    let settings = keyring(
        "FEISHU_APP_ID: cli_1\nFEISHU_APP_SECRET: 12345678901234567890\nFEISHU_BASE_URL: https://open.larksuite.com/\n\
         OPENAI_BASE_URL: http://127.0.0.1:1/v1/\nOPENAI_API_KEY: 12e34567\nOPENAI_MODEL: 4.7\n\
         OPENAI_EXTRA: {temperature: 0.3, thinking: {type: off}}\nMETASO_API_KEY: 'mk: #1'\n\
         METASO_BASE_URL: https://metaso.cn/api/v1\nPORT: \"9000\"\nBIND: '::1'\nWEB: no\nROUTER_MODE: \"true\"\n\
         ROUTER_SECRET: 0123456789abcdef\nAUTO_APPROVE_HOSTS: On\nALLOWED_OPEN_IDS:\n- ou_a\n- web/anna\n\
         ADMIN_OPEN_IDS: ou_a, feishu/ou_b\nNATS_URL: tls://hub:4222\nNATS_CREDS: creds/x.creds\nNATS_CA: /ca.pem\n\
         NATS_SERVER: bin/nats-server\nDATA_DIR: ~/data\nWORKING_DIR: ../projects\nLOG: debug,hyper=trace\n\
         CLAUDE_BIN: claude\nCLAUDE_ARGS: --effort  high\nCLAUDE_LIVE: 9\nTRUST_PROJECTS: [a, ~/b]\nSHELL_READ: /opt/sdk\n\
         AUDIT_DAYS: 7\nLOCALE: zh_CN.UTF-8\nTIMEZONE: Asia/Shanghai\n",
    )
    .unwrap();
    let feishu = settings.feishu.as_ref().unwrap();
    assert_eq!(
        (feishu.app_id.as_str(), feishu.base_url.as_str()),
        ("cli_1", "https://open.larksuite.com")
    );
    assert_eq!(feishu.app_secret.expose_secret(), "12345678901234567890");
    let llm = settings.llm.as_ref().unwrap();
    assert_eq!(
        (llm.base_url.as_str(), llm.model.as_str()),
        ("http://127.0.0.1:1/v1", "4.7")
    );
    assert_eq!(llm.api_key.expose_secret(), "12e34567");
    assert_eq!(
        serde_json::to_string(&llm.extra).unwrap(),
        r#"{"temperature":0.3,"thinking":{"type":"off"}}"#
    );
    let metaso = settings.metaso.as_ref().unwrap();
    assert_eq!(
        (metaso.base_url.as_str(), metaso.api_key.expose_secret()),
        ("https://metaso.cn", "mk: #1")
    );
    assert!(!settings.web.enabled && settings.web.port == 9000 && settings.web.bind.is_ipv6());
    assert!(settings.router_mode && settings.auto_approve_hosts);
    assert_eq!(
        secret(settings.router_secret.as_ref()),
        Some("0123456789abcdef")
    );
    assert!(settings.allowed.allows(&"web/anna".parse().unwrap()));
    assert!(!settings.allowed.allows(&"web/bob".parse().unwrap()));
    assert_eq!(
        settings
            .admins
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["feishu/ou_a", "feishu/ou_b"]
    );
    assert_eq!(settings.nats.url.as_deref(), Some("tls://hub:4222"));
    assert_eq!(
        settings.nats.creds.as_deref(),
        Some(Path::new("/srv/dir/creds/x.creds"))
    );
    assert_eq!(
        settings.nats.server.as_deref(),
        Some(Path::new("/srv/dir/bin/nats-server"))
    );
    assert_eq!(settings.data_dir, Path::new("/home/ann/data"));
    assert_eq!(settings.working_dir, Path::new("/srv/dir/../projects"));
    assert_eq!(settings.claude.bin.as_deref(), Some(Path::new("claude")));
    assert_eq!(settings.claude.args, ["--effort", "high"]);
    assert_eq!(settings.claude.live, 9);
    assert_eq!(
        settings.claude.trust_projects,
        [Path::new("/srv/dir/a"), Path::new("/home/ann/b")]
    );
    assert_eq!(settings.shell_read, [Path::new("/opt/sdk")]);
    assert_eq!((settings.audit_days, settings.locale), (7, Some(Lang::Zh)));
    assert_eq!(settings.timezone, chrono_tz::Asia::Shanghai);
    insta::assert_snapshot!(warnings(&settings).join("\n"), @"keyring.yaml, line 9, column 18: METASO_BASE_URL is written without /api/v1; that end was left out.");

    let settings =
        host("NATS_URL: tls://hub\nNODE_ID: a-1\nDISPLAY_NAME: 家里\nDESCRIPTION: 有显卡\nSERVES_USERS: [ou_a]\n")
            .unwrap();
    assert_eq!(
        (
            settings.node.id.as_str(),
            settings.node.display_name.as_str(),
            settings.node.description.as_str()
        ),
        ("a-1", "家里", "有显卡")
    );
    let long = format!(
        "NATS_URL: tls://hub\nNODE_ID: a\nDESCRIPTION: {}\n",
        "GPU ".repeat(41)
    );
    let why = host(&long).unwrap_err().to_string();
    assert!(why.contains("DESCRIPTION is longer than 160"), "{why}");
    assert_eq!(settings.node.serves_users.len(), 1);
}

#[test]
fn flag_goes_before_environment_before_file() {
    let text =
        "PORT: 1\nBIND: 0.0.0.0\nCLAUDE_BIN: x/claude\nNATS_CREDS: f.creds\nOPENAI_MODEL: file\n";
    let mut request = with_env(
        FileKind::Keyring,
        &[
            ("PHONEWORK_PORT", "2"),
            ("PHONEWORK_BIND", ""),
            ("PHONEWORK_OPENAI_API_KEY", "*a: b #c and more"),
            ("PHONEWORK_OPENAI_EXTRA", r#"{"top_p": 1}"#),
            ("PHONEWORK_ALLOWED_OPEN_IDS", "ou_a,ou_b"),
            ("PHONEWORK_NODE_ID", "box"),
            ("PHONEWORK_NATS_CREDS", "e.creds"),
        ],
    );
    request.flags.insert(Key::Port, "3".to_owned());
    let settings = load_text(&request, Path::new("/etc/pw/keyring.yaml"), text).unwrap();
    assert_eq!(
        (settings.web.port, settings.web.bind.to_string().as_str()),
        (3, "0.0.0.0")
    );
    assert_eq!(
        settings.claude.bin.as_deref(),
        Some(Path::new("/etc/pw/x/claude"))
    );
    assert_eq!(
        settings.nats.creds.as_deref(),
        Some(Path::new("/srv/dir/e.creds"))
    );
    assert_eq!(settings.allowed.users.len(), 2);
    assert_eq!(settings.node.id.as_str(), "box");
    assert_eq!(
        settings.llm.as_ref().unwrap().api_key.expose_secret(),
        "*a: b #c and more"
    );
    let of = |key| settings.sources.get(&key).unwrap().clone();
    assert_eq!(of(Key::Port).source, Source::Flag);
    let file = |line| Source::File {
        path: PathBuf::from("/etc/pw/keyring.yaml"),
        line,
    };
    assert_eq!(
        of(Key::Bind),
        Origin {
            source: file(2),
            shown: "0.0.0.0".to_owned()
        }
    );
    assert_eq!(of(Key::OpenaiModel).source, file(5));
    assert_eq!(
        of(Key::OpenaiApiKey),
        Origin {
            source: Source::Env,
            shown: "*a:…".to_owned()
        }
    );
    assert_eq!(of(Key::OpenaiExtra).shown, "top_p");
    assert_eq!(
        of(Key::WorkingDir),
        Origin {
            source: Source::Default,
            shown: "/home/ann/phonework".to_owned()
        }
    );
    assert!(
        Key::ALL.iter().all(|key| settings.sources.contains_key(key)
            || !key.spec().files.contain(FileKind::Keyring))
    );
    let shown = format!("{settings:?}");
    assert!(!shown.contains("and more"), "{shown}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|[\n\t:\\-\\[\\]{}&*!|>'\"%@#~ ]){0,200}") {
        if let Err(error) = keyring(&text) {
            prop_assert!(!error.problems.is_empty());
            let _ = error.text(Lang::Zh);
        }
    }

    #[test]
    fn no_value_makes_it_panic(index in 0..Key::ALL.len(), value in "(\\PC|[\n:\\-\\[\\]{}&*!|>'\"/~, ]){0,60}") {
        let key = Key::ALL[index];
        for loaded in [
            host(&format!("NATS_URL: tls://h\n{}: {value}\n", key.name())),
            load_text(&with_env(FileKind::Keyring, &[(&key.env_name(), &value)]), Path::new("k.yaml"), ""),
        ] {
            match loaded {
                Ok(settings) => prop_assert!(settings.working_dir.is_absolute()),
                Err(error) => prop_assert!(!error.problems.is_empty() && !error.to_string().is_empty()),
            }
        }
    }

    #[test]
    fn secrets_arrive_as_written(value in "[A-Za-z0-9+/=_.-]{1,40}") {
        // What YAML itself reads as "nothing" must be quoted.
        prop_assume!(!matches!(value.as_str(), "null" | "Null" | "NULL"));
        prop_assume!(!value.starts_with("---") && value != "-");
        prop_assume!(!super::check::is_placeholder(&value));
        let settings = keyring(&format!("ROUTER_SECRET: {value}\n")).unwrap();
        prop_assert_eq!(secret(settings.router_secret.as_ref()), Some(value.as_str()));
    }
}
