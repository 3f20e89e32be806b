//! What people get told about bad input, word by word, in both languages.

use super::*;

/// Both texts of a refused keyring.
fn told(text: &str) -> String {
    both(&keyring(text).unwrap_err())
}

fn both(error: &ConfigError) -> String {
    format!("{}\n{}", error.text(Lang::En), error.text(Lang::Zh))
}

#[test]
fn unknown_key() {
    insta::assert_snapshot!(told("NATS_ULR: nats://h"), @r"
    keyring.yaml, line 1, column 1: there is no key NATS_ULR. Did you mean NATS_URL? Correct or remove the line.
    keyring.yaml 第 1 行第 1 列：没有 NATS_ULR 这个键。您是否想写 NATS_URL？请改正或删除这一行。
    ");
    insta::assert_snapshot!(told("port: 80\n"), @r"
    keyring.yaml, line 1, column 1: there is no key port. Did you mean PORT? Correct or remove the line.
    keyring.yaml 第 1 行第 1 列：没有 port 这个键。您是否想写 PORT？请改正或删除这一行。
    ");
    insta::assert_snapshot!(told("COLOUR: red"), @r"
    keyring.yaml, line 1, column 1: there is no key COLOUR. Correct or remove the line.
    keyring.yaml 第 1 行第 1 列：没有 COLOUR 这个键。请改正或删除这一行。
    ");
}

#[test]
fn key_of_the_other_file() {
    insta::assert_snapshot!(both(&host("NATS_URL: tls://h\nPORT: 1").unwrap_err()), @r"
    host_config.yaml, line 2, column 1: PORT does not belong in host_config.yaml but in keyring.yaml. Move the line there or remove it.
    host_config.yaml 第 2 行第 1 列：PORT 不属于 host_config.yaml，应写在 keyring.yaml。请移到那里或删除这一行。
    ");
    insta::assert_snapshot!(told("NODE_ID: home-pc"), @r"
    keyring.yaml, line 1, column 1: NODE_ID does not belong in keyring.yaml but in host_config.yaml. Move the line there or remove it.
    keyring.yaml 第 1 行第 1 列：NODE_ID 不属于 keyring.yaml，应写在 host_config.yaml。请移到那里或删除这一行。
    ");
}

#[test]
fn key_of_the_older_program() {
    let text = "NODE_ID: home-pc\nROUTER_URL: ws://192.168.1.100:8000/ws/node\nROUTER_SECRET: 0123456789abcdef\n";
    insta::assert_snapshot!(both(&host(text).unwrap_err()), @r"
    host_config.yaml, line 2, column 1: ROUTER_URL is of an older program and no longer used. Write in its place the address of the broker, for example NATS_URL: tls://192.168.1.100:4222
    host_config.yaml 第 2 行第 1 列：ROUTER_URL 属于旧程序，已不再使用。请改写为消息服务器的地址，例如 NATS_URL: tls://192.168.1.100:4222
    ");
}

#[test]
fn twice() {
    insta::assert_snapshot!(told("PORT: 1\nWEB: true\nPORT: 2\n"), @r"
    keyring.yaml, line 3, column 1: PORT is written twice, first in line 1. Remove one of the two.
    keyring.yaml 第 3 行第 1 列：PORT 写了两次，第一次在第 1 行。请删除其中一个。
    ");
}

#[test]
fn no_yaml() {
    insta::assert_snapshot!(told("PORT: [1\nWEB: true\n"), @r"
    keyring.yaml, line 2, column 4: this is not valid YAML (did not find expected ',' or ']' at line 2 column 4, while parsing a flow sequence at line 1 column 7). Write one `KEY: value` a line, indent lists with spaces, and put values with special characters in 'single quotes'.
    keyring.yaml 第 2 行第 4 列：不是合法的 YAML（did not find expected ',' or ']' at line 2 column 4, while parsing a flow sequence at line 1 column 7）。请每行写一个 `KEY: 值`，列表用空格缩进，含特殊字符的值放在 '单引号' 中。
    ");
    insta::assert_snapshot!(told("PORT: 1\n\tWEB: true\n"), @r"
    keyring.yaml, line 2, column 1: this is not valid YAML (found a tab character that violates indentation at line 2 column 1, while scanning a plain scalar at line 1 column 7). Write one `KEY: value` a line, indent lists with spaces, and put values with special characters in 'single quotes'.
    keyring.yaml 第 2 行第 1 列：不是合法的 YAML（found a tab character that violates indentation at line 2 column 1, while scanning a plain scalar at line 1 column 7）。请每行写一个 `KEY: 值`，列表用空格缩进，含特殊字符的值放在 '单引号' 中。
    ");
    insta::assert_snapshot!(told("FEISHU_APP_SECRET @s3cret\nPORT: 1\n"), @r"
    keyring.yaml, line 2, column 5: this is not valid YAML (mapping values are not allowed in this context at line 2 column 5). Write one `KEY: value` a line, indent lists with spaces, and put values with special characters in 'single quotes'.
    keyring.yaml 第 2 行第 5 列：不是合法的 YAML（mapping values are not allowed in this context at line 2 column 5）。请每行写一个 `KEY: 值`，列表用空格缩进，含特殊字符的值放在 '单引号' 中。
    ");
}

#[test]
fn no_keys() {
    insta::assert_snapshot!(told("FEISHU_APP_SECRET:s3cret"), @r"
    keyring.yaml, line 1, column 1: expected lines of the form `KEY: value`, with a blank after the colon. Compare with the example file.
    keyring.yaml 第 1 行第 1 列：应为 `KEY: 值` 形式的行，冒号后要有空格。请对照示例文件。
    ");
    insta::assert_snapshot!(told("- PORT\n- 8000\n"), @r"
    keyring.yaml, line 1, column 1: expected lines of the form `KEY: value`, with a blank after the colon. Compare with the example file.
    keyring.yaml 第 1 行第 1 列：应为 `KEY: 值` 形式的行，冒号后要有空格。请对照示例文件。
    ");
}

#[test]
fn wrong_shape() {
    insta::assert_snapshot!(told("PORT: [1, 2]"), @r"
    keyring.yaml, line 1, column 7: PORT must be a whole number from 0 to 65535. Write for example PORT: 8000
    keyring.yaml 第 1 行第 7 列：PORT 须为 0 到 65535 的整数。例如写成 PORT: 8000
    ");
    insta::assert_snapshot!(told("ALLOWED_OPEN_IDS:\n  ou_a: yes"), @r"
    keyring.yaml, line 2, column 3: ALLOWED_OPEN_IDS must be a list of user ids like ou_abc123 or web/anna. Write for example ALLOWED_OPEN_IDS: [ou_abc123]
    keyring.yaml 第 2 行第 3 列：ALLOWED_OPEN_IDS 须为用户 id 列表，如 ou_abc123 或 web/anna。例如写成 ALLOWED_OPEN_IDS: [ou_abc123]
    ");
    insta::assert_snapshot!(told("OPENAI_EXTRA: 0.3"), @r#"
    keyring.yaml, line 1, column 15: OPENAI_EXTRA must be a map of names and values. Write for example OPENAI_EXTRA: {"temperature": 0.3}
    keyring.yaml 第 1 行第 15 列：OPENAI_EXTRA 须为名称到值的映射。例如写成 OPENAI_EXTRA: {"temperature": 0.3}
    "#);
    insta::assert_snapshot!(told("FEISHU_APP_SECRET: {a: s3cret}"), @r"
    keyring.yaml, line 1, column 20: FEISHU_APP_SECRET must be a text. Write for example FEISHU_APP_SECRET: the secret of the app
    keyring.yaml 第 1 行第 20 列：FEISHU_APP_SECRET 须为文本。例如写成 FEISHU_APP_SECRET: the secret of the app
    ");
}

#[test]
fn bad_values() {
    insta::assert_snapshot!(told("PORT: 80000"), @r#"
    keyring.yaml, line 1, column 7: PORT must be a whole number from 0 to 65535, not "80000". Write for example PORT: 8000
    keyring.yaml 第 1 行第 7 列：PORT 须为 0 到 65535 的整数，而不是 "80000"。例如写成 PORT: 8000
    "#);
    insta::assert_snapshot!(told("WEB: perhaps"), @r#"
    keyring.yaml, line 1, column 6: WEB must be true or false, not "perhaps". Write for example WEB: true
    keyring.yaml 第 1 行第 6 列：WEB 须为 true 或 false，而不是 "perhaps"。例如写成 WEB: true
    "#);
    insta::assert_snapshot!(told("BIND: localhost"), @r#"
    keyring.yaml, line 1, column 7: BIND must be an IP address, not "localhost". Write for example BIND: 127.0.0.1
    keyring.yaml 第 1 行第 7 列：BIND 须为 IP 地址，而不是 "localhost"。例如写成 BIND: 127.0.0.1
    "#);
    insta::assert_snapshot!(told("NATS_URL: ws://h:8000"), @r#"
    keyring.yaml, line 1, column 11: NATS_URL must be an address beginning with tls://, wss:// or nats://, not "ws://h:8000". Write for example NATS_URL: tls://hub.example.org:4222
    keyring.yaml 第 1 行第 11 列：NATS_URL 须为以 tls://、wss:// 或 nats:// 开头的地址，而不是 "ws://h:8000"。例如写成 NATS_URL: tls://hub.example.org:4222
    "#);
    insta::assert_snapshot!(told("NATS_URL: nats://ann:s3cret@h:4222"), @r"
    keyring.yaml, line 1, column 11: NATS_URL must not hold a user name or password. Leave out what stands before the @ and put the credentials into a file named by NATS_CREDS, if they are for the broker.
    keyring.yaml 第 1 行第 11 列：NATS_URL 不能包含用户名或密码。请去掉 @ 之前的部分；若是消息服务器的凭据，请放入 NATS_CREDS 指定的文件。
    ");
    insta::assert_snapshot!(told("NATS_URL: nats://10.0.0.7:4222"), @r"
    keyring.yaml, line 1, column 11: nats://10.0.0.7:4222 leads to another machine and is not encrypted: whoever is on the way could read and change everything. Write NATS_URL: tls://10.0.0.7:4222 (on the hub, `phonework init` makes the certificate for it), or, if you trust every network on the way, add NATS_PLAINTEXT: true
    keyring.yaml 第 1 行第 11 列：nats://10.0.0.7:4222 指向另一台机器，却没有加密：途中的任何人都能读取和改动全部内容。请写成 NATS_URL: tls://10.0.0.7:4222（在中心上运行 `phonework init` 会生成证书）；若您信任途中的每一段网络，请添加 NATS_PLAINTEXT: true
    ");
    keyring("NATS_URL: nats://10.0.0.7:4222\nNATS_PLAINTEXT: true").unwrap();
    insta::assert_snapshot!(told("FEISHU_BASE_URL: open.feishu.cn"), @r#"
    keyring.yaml, line 1, column 18: FEISHU_BASE_URL must be an address beginning with https:// or http://, not "open.feishu.cn". Write for example FEISHU_BASE_URL: https://open.feishu.cn
    keyring.yaml 第 1 行第 18 列：FEISHU_BASE_URL 须为以 https:// 或 http:// 开头的地址，而不是 "open.feishu.cn"。例如写成 FEISHU_BASE_URL: https://open.feishu.cn
    "#);
    insta::assert_snapshot!(told("TIMEZONE: Shanghai"), @r#"
    keyring.yaml, line 1, column 11: TIMEZONE: there is no time zone "Shanghai". Did you mean Asia/Shanghai? Write an IANA name, for example TIMEZONE: Asia/Shanghai
    keyring.yaml 第 1 行第 11 列：TIMEZONE：没有 "Shanghai" 这个时区。您是否想写 Asia/Shanghai？请写 IANA 名称，例如 TIMEZONE: Asia/Shanghai
    "#);
    insta::assert_snapshot!(told("TIMEZONE: GMT+25"), @r#"
    keyring.yaml, line 1, column 11: TIMEZONE: there is no time zone "GMT+25". Did you mean Etc/GMT+5? Write an IANA name, for example TIMEZONE: Asia/Shanghai
    keyring.yaml 第 1 行第 11 列：TIMEZONE：没有 "GMT+25" 这个时区。您是否想写 Etc/GMT+5？请写 IANA 名称，例如 TIMEZONE: Asia/Shanghai
    "#);
    insta::assert_snapshot!(told("LOCALE: fr"), @r#"
    keyring.yaml, line 1, column 9: LOCALE must be zh or en, not "fr". Write for example LOCALE: en
    keyring.yaml 第 1 行第 9 列：LOCALE 须为 zh 或 en，而不是 "fr"。例如写成 LOCALE: en
    "#);
    insta::assert_snapshot!(told("LOG: loud"), @r#"
    keyring.yaml, line 1, column 6: LOG must be a log level (error, warn, info, debug, trace) or filter, not "loud". Write for example LOG: info,host=debug
    keyring.yaml 第 1 行第 6 列：LOG 须为日志级别（error、warn、info、debug、trace）或过滤规则，而不是 "loud"。例如写成 LOG: info,host=debug
    "#);
    insta::assert_snapshot!(told("AUDIT_DAYS: 0"), @r#"
    keyring.yaml, line 1, column 13: AUDIT_DAYS must be a whole number from 1 to 3650, not "0". Write for example AUDIT_DAYS: 90
    keyring.yaml 第 1 行第 13 列：AUDIT_DAYS 须为 1 到 3650 的整数，而不是 "0"。例如写成 AUDIT_DAYS: 90
    "#);
    insta::assert_snapshot!(told("ALLOWED_OPEN_IDS: [anna]"), @r#"
    keyring.yaml, line 1, column 19: ALLOWED_OPEN_IDS must be a list of user ids like ou_abc123 or web/anna, not "anna". Write for example ALLOWED_OPEN_IDS: [ou_abc123]
    keyring.yaml 第 1 行第 19 列：ALLOWED_OPEN_IDS 须为用户 id 列表，如 ou_abc123 或 web/anna，而不是 "anna"。例如写成 ALLOWED_OPEN_IDS: [ou_abc123]
    "#);
    insta::assert_snapshot!(told("ALLOWED_OPEN_IDS: [feishi/ou_a]"), @r#"
    keyring.yaml, line 1, column 19: ALLOWED_OPEN_IDS has "feishi/ou_a", but the surfaces are feishu and web. Write for example ALLOWED_OPEN_IDS: [ou_abc123]
    keyring.yaml 第 1 行第 19 列：ALLOWED_OPEN_IDS 含有 "feishi/ou_a"，但平台只有 feishu 和 web。例如写成 ALLOWED_OPEN_IDS: [ou_abc123]
    "#);
    insta::assert_snapshot!(told("WORKING_DIR: D:/projects"), @r#"
    keyring.yaml, line 1, column 14: WORKING_DIR is the Windows path "D:/projects", but this machine is not Windows. Write for example WORKING_DIR: /home/me/projects
    keyring.yaml 第 1 行第 14 列：WORKING_DIR 是 Windows 路径 "D:/projects"，但这台机器不是 Windows。例如写成 WORKING_DIR: /home/me/projects
    "#);
    insta::assert_snapshot!(told("ROUTER_SECRET: \"s3cret\\n\\ts3cret\""), @r"
    keyring.yaml, line 1, column 16: ROUTER_SECRET holds a line break or another control character. Write it on one line, without them.
    keyring.yaml 第 1 行第 16 列：ROUTER_SECRET 含有换行或其他控制字符。请写在一行内并去掉它们。
    ");
}

/// An entry that came out empty must not open the list to everybody.
#[test]
fn an_empty_user_is_refused() {
    insta::assert_snapshot!(told("ALLOWED_OPEN_IDS:\n  -\n"), @r#"
    keyring.yaml, line 2, column 3: ALLOWED_OPEN_IDS must be a list of user ids like ou_abc123 or web/anna, not "". Write for example ALLOWED_OPEN_IDS: [ou_abc123]
    keyring.yaml 第 2 行第 3 列：ALLOWED_OPEN_IDS 须为用户 id 列表，如 ou_abc123 或 web/anna，而不是 ""。例如写成 ALLOWED_OPEN_IDS: [ou_abc123]
    "#);
    let request = with_env(FileKind::Keyring, &[("PHONEWORK_ALLOWED_OPEN_IDS", ",")]);
    load_text(&request, Path::new("k"), "").unwrap_err();
}

#[test]
fn bad_node_ids() {
    insta::assert_snapshot!(both(&host("NATS_URL: tls://h\nNODE_ID: Home PC").unwrap_err()), @r#"
    host_config.yaml, line 2, column 10: NODE_ID must be 1 to 32 of the characters a-z, 0-9 and -, not "Home PC". Write for example NODE_ID: home-pc
    host_config.yaml 第 2 行第 10 列：NODE_ID 须为 1 到 32 个 a-z、0-9 或 - 字符，而不是 "Home PC"。例如写成 NODE_ID: home-pc
    "#);
    insta::assert_snapshot!(both(&host("NATS_URL: tls://h\nNODE_ID: router").unwrap_err()), @r#"
    host_config.yaml, line 2, column 10: NODE_ID cannot be "router": the router itself goes by that name. Choose another, for example NODE_ID: home-pc
    host_config.yaml 第 2 行第 10 列：NODE_ID 不能是 "router"，该名称由路由自己使用。请换一个，例如 NODE_ID: home-pc
    "#);
}

#[test]
fn missing_keys() {
    insta::assert_snapshot!(told("FEISHU_APP_ID: cli_1"), @r"
    keyring.yaml, line 1, column 1: FEISHU_APP_ID is set but FEISHU_APP_SECRET is not. Add FEISHU_APP_SECRET: the secret of the app, or remove FEISHU_APP_ID.
    keyring.yaml 第 1 行第 1 列：设置了 FEISHU_APP_ID 但没有 FEISHU_APP_SECRET。请添加 FEISHU_APP_SECRET: the secret of the app，或删除 FEISHU_APP_ID。
    ");
    insta::assert_snapshot!(told("PORT: 1\nOPENAI_API_KEY: k"), @r"
    keyring.yaml, line 2, column 1: OPENAI_API_KEY is set but OPENAI_MODEL is not. Add OPENAI_MODEL: glm-4.7, or remove OPENAI_API_KEY.
    keyring.yaml 第 2 行第 1 列：设置了 OPENAI_API_KEY 但没有 OPENAI_MODEL。请添加 OPENAI_MODEL: glm-4.7，或删除 OPENAI_API_KEY。
    ");
    insta::assert_snapshot!(both(&host("NODE_ID: a").unwrap_err()), @r"
    host_config.yaml: NATS_URL is missing. Add for example NATS_URL: tls://hub.example.org:4222
    host_config.yaml：缺少 NATS_URL。请添加，例如 NATS_URL: tls://hub.example.org:4222
    ");
}

#[test]
fn no_home_folder() {
    let request = Request {
        env: Env::default(),
        ..request(FileKind::Keyring)
    };
    insta::assert_snapshot!(both(&load_text(&request, Path::new("k"), "DATA_DIR: /d").unwrap_err()), @r"
    k: WORKING_DIR is not set and there is no home folder (HOME) for its default. Add for example WORKING_DIR: /home/me/projects
    k：没有设置 WORKING_DIR，也没有主目录（HOME）可用作默认值。请添加，例如 WORKING_DIR: /home/me/projects
    ");
}

#[test]
fn environment_and_flags() {
    let mut request = with_env(
        FileKind::Keyring,
        &[
            ("PHONEWORK_PORT", "many"),
            ("PHONEWORK_ROUTER_URL", "ws://h"),
        ],
    );
    request.flags.insert(Key::AllowedOpenIds, "anna".to_owned());
    insta::assert_snapshot!(both(&load_text(&request, Path::new("k"), "").unwrap_err()), @r#"
    3 things are wrong in the configuration:
    - environment variable PHONEWORK_ROUTER_URL: ROUTER_URL is of an older program and no longer used. Write in its place the address of the broker, for example NATS_URL: tls://h:4222
    - environment variable PHONEWORK_PORT: PORT must be a whole number from 0 to 65535, not "many". Write for example PHONEWORK_PORT=8000
    - flag --allowed-open-ids: ALLOWED_OPEN_IDS must be a list of user ids like ou_abc123 or web/anna, not "anna". Write for example --allowed-open-ids ou_abc123
    配置有 3 处错误：
    - 环境变量 PHONEWORK_ROUTER_URL：ROUTER_URL 属于旧程序，已不再使用。请改写为消息服务器的地址，例如 NATS_URL: tls://h:4222
    - 环境变量 PHONEWORK_PORT：PORT 须为 0 到 65535 的整数，而不是 "many"。例如写成 PHONEWORK_PORT=8000
    - 参数 --allowed-open-ids：ALLOWED_OPEN_IDS 须为用户 id 列表，如 ou_abc123 或 web/anna，而不是 "anna"。例如写成 --allowed-open-ids ou_abc123
    "#);
    let request = with_env(FileKind::Keyring, &[("PHONEWORK_NATS_ULR", "nats://h")]);
    let settings = load_text(&request, Path::new("k"), "ROUTER_SECRET: short").unwrap();
    insta::assert_snapshot!(warnings(&settings).join("\n"), @r"
    k, line 1, column 16: ROUTER_SECRET is short enough to be guessed. Take at least 16 random characters, for example from `openssl rand -hex 32`.
    PHONEWORK_NATS_ULR means nothing and is ignored. Did you mean PHONEWORK_NATS_URL?
    ");
}

#[test]
fn everything_at_once_in_the_persons_language() {
    let text = "PROT: 1\nLOCALE: zh\nWEB: perhaps\nFEISHU_APP_SECRET: s3cret\nBIND: here\n";
    insta::assert_snapshot!(keyring(text).unwrap_err(), @r#"
    配置有 4 处错误：
    - keyring.yaml 第 1 行第 1 列：没有 PROT 这个键。您是否想写 PORT？请改正或删除这一行。
    - keyring.yaml 第 3 行第 6 列：WEB 须为 true 或 false，而不是 "perhaps"。例如写成 WEB: true
    - keyring.yaml 第 4 行第 1 列：设置了 FEISHU_APP_SECRET 但没有 FEISHU_APP_ID。请添加 FEISHU_APP_ID: cli_a1b2c3d4e5f6，或删除 FEISHU_APP_SECRET。
    - keyring.yaml 第 5 行第 7 列：BIND 须为 IP 地址，而不是 "here"。例如写成 BIND: 127.0.0.1
    "#);
    let request = with_env(FileKind::Keyring, &[("LANG", "zh_CN.UTF-8")]);
    assert_eq!(
        load_text(&request, Path::new("k"), "PORT: x")
            .unwrap_err()
            .lang,
        Lang::Zh
    );
}

#[test]
fn too_big_or_not_text() {
    let many = (0..300).fold(String::new(), |text, n| text + &format!("K{n}: 1\n"));
    insta::assert_snapshot!(told(&many), @r"
    keyring.yaml: the file is too big for a configuration (at most 64 KB and 200 keys). Is it the right file?
    keyring.yaml：文件过大，不像配置文件（最多 64 KB、200 个键）。请确认文件是否正确。
    ");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.yaml");
    let request = Request {
        folder: folder.path().to_owned(),
        ..request(FileKind::Keyring)
    };
    let told =
        || both(&load(&request).unwrap_err()).replace(folder.path().to_str().unwrap(), "TMP");
    std::fs::write(&path, "#".repeat(100_000)).unwrap();
    insta::assert_snapshot!(told(), @r"
    TMP/keyring.yaml: the file is too big for a configuration (at most 64 KB and 200 keys). Is it the right file?
    TMP/keyring.yaml：文件过大，不像配置文件（最多 64 KB、200 个键）。请确认文件是否正确。
    ");
    std::fs::write(&path, b"PORT: \xff").unwrap();
    insta::assert_snapshot!(told(), @r"
    TMP/keyring.yaml: the file is not UTF-8 text. Save it as UTF-8.
    TMP/keyring.yaml：文件不是 UTF-8 文本。请另存为 UTF-8 编码。
    ");
}
