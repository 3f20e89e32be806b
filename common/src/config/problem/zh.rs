//! The sentences in Chinese. The place is put in front by the caller.

use super::{Problem, What, Why};
use crate::config::keys::{Key, Kind};

pub(super) fn sentence(problem: &Problem) -> String {
    let guess = |guess: &Option<Key>| match guess {
        Some(key) => format!("您是否想写 {}？", key.name()),
        None => String::new(),
    };
    match &problem.what {
        What::NotFound { kind, looked } => {
            let places: Vec<_> = looked
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            format!(
                "找不到 {name}，已查找 {places}。请把 {example} 复制为 {name} 并填写，或用 --config 指定文件。",
                name = kind.file_name(),
                places = places.join(" 和 "),
                example = kind.example_name(),
            )
        }
        What::NoSuchFile(kind) => {
            format!(
                "文件不存在。请用 --config 指定已有的文件，或把 {} 复制到该位置。",
                kind.example_name()
            )
        }
        What::Unreadable(detail) => {
            format!("无法读取文件（{detail}）。请确认它是普通文件且您有读取权限。")
        }
        What::TooBig => {
            "文件过大，不像配置文件（最多 64 KB、200 个键）。请确认文件是否正确。".to_owned()
        }
        What::NotText => "文件不是 UTF-8 文本。请另存为 UTF-8 编码。".to_owned(),
        What::NotYaml(detail) => format!(
            "不是合法的 YAML（{detail}）。请每行写一个 `KEY: 值`，列表用空格缩进，含特殊字符的值放在 '单引号' 中。"
        ),
        What::NotKeys => "应为 `KEY: 值` 形式的行，冒号后要有空格。请对照示例文件。".to_owned(),
        What::UnknownKey { name, guess: meant } => {
            format!("没有 {name} 这个键。{}请改正或删除这一行。", guess(meant))
        }
        What::OtherFile { key, belongs } => format!(
            "{key} 不属于 {here}，应写在 {there}。请移到那里或删除这一行。",
            key = key.name(),
            here = belongs.other().file_name(),
            there = belongs.file_name(),
        ),
        What::RouterUrl(host) => format!(
            "ROUTER_URL 属于旧程序，已不再使用。请改写为消息服务器的地址，例如 NATS_URL: tls://{}:4222",
            host.as_deref().unwrap_or("192.168.1.100")
        ),
        What::Twice { name, first } => {
            format!("{name} 写了两次，第一次在第 {first} 行。请删除其中一个。")
        }
        What::Shape(key) => {
            format!(
                "{} 须为{}。例如写成 {}",
                key.name(),
                want(key.spec().kind),
                problem.write_as(*key)
            )
        }
        What::Value { key, value, why } => {
            let name = key.name();
            let example = problem.write_as(*key);
            match why {
                Why::Kind if key.is_secret() => {
                    format!("{name} 须为{}。例如写成 {example}", want(key.spec().kind))
                }
                Why::Kind => {
                    format!(
                        "{name} 须为{}，而不是 \"{value}\"。例如写成 {example}",
                        want(key.spec().kind)
                    )
                }
                Why::ReservedNode => format!(
                    "{name} 不能是 \"{value}\"，该名称由路由自己使用。请换一个，例如 {example}"
                ),
                Why::WindowsPath => {
                    format!(
                        "{name} 是 Windows 路径 \"{value}\"，但这台机器不是 Windows。例如写成 {example}"
                    )
                }
                Why::PasswordInUrl => format!(
                    "{name} 不能包含用户名或密码。请去掉 @ 之前的部分；若是消息服务器的凭据，请放入 NATS_CREDS 指定的文件。"
                ),
                Why::Surface => {
                    format!("{name} 含有 \"{value}\"，但平台只有 feishu 和 web。例如写成 {example}")
                }
                Why::Zone(meant) => {
                    let meant = meant
                        .map(|zone| format!("您是否想写 {zone}？"))
                        .unwrap_or_default();
                    format!(
                        "{name}：没有 \"{value}\" 这个时区。{meant}请写 IANA 名称，例如 {example}"
                    )
                }
                Why::Control => format!("{name} 含有换行或其他控制字符。请写在一行内并去掉它们。"),
                Why::TooLong(most) => {
                    format!("{name} 超过 {most} 个字符。请写短一些，例如 {example}")
                }
            }
        }
        What::Missing {
            key,
            because: Some(because),
        } => format!(
            "设置了 {because} 但没有 {key}。请添加 {example}，或删除 {because}。",
            because = because.name(),
            key = key.name(),
            example = problem.write_as(*key),
        ),
        What::Missing { key, because: None } => {
            format!(
                "缺少 {}。请添加，例如 {}",
                key.name(),
                problem.write_as(*key)
            )
        }
        What::Plaintext { url, better } => format!(
            "{url} 指向另一台机器，却没有加密：途中的任何人都能读取和改动全部内容。请写成 {tls}（在中心上运行 `phonework init` 会生成证书）；若您信任途中的每一段网络，请添加 {anyway}",
            tls = problem.write_value(Key::NatsUrl, better),
            anyway = problem.write_value(Key::NatsPlaintext, "true"),
        ),
        What::NoHome(key) => format!(
            "没有设置 {}，也没有主目录（HOME）可用作默认值。请添加，例如 {}",
            key.name(),
            problem.write_as(*key)
        ),
        What::Placeholder(key) => format!(
            "{} 仍是示例中的值，按未设置处理。请填写或留空。",
            key.name()
        ),
        What::PlaceholderUser(key) => format!(
            "{} 仍是示例中的 id，不对应任何人。请填入您自己的 id，或清空列表。",
            key.name()
        ),
        What::ApiSuffix => "METASO_BASE_URL 不应带 /api/v1，已自动去掉。".to_owned(),
        What::ShortSecret(key) => format!(
            "{} 太短，容易被猜到。请用至少 16 个随机字符，例如 `openssl rand -hex 32` 的输出。",
            key.name()
        ),
        What::OpenFile => {
            format!(
                "本机其他用户可以读取其中的密钥。请执行：chmod 600 {}",
                problem.file_name()
            )
        }
        What::UnknownEnv { name, guess: meant } => {
            let meant = meant
                .map(|key| format!("您是否想写 {}？", key.env_name()))
                .unwrap_or_default();
            format!("{name} 没有意义，已忽略。{meant}")
        }
        What::NoFile(kind) => format!("没有 {}，只使用环境变量和参数。", kind.file_name()),
    }
}

fn want(kind: Kind) -> String {
    match kind {
        Kind::Text | Kind::Secret => "文本".to_owned(),
        Kind::Bool => " true 或 false".to_owned(),
        Kind::Number { min, max } => format!(" {min} 到 {max} 的整数"),
        Kind::Path => "一个路径".to_owned(),
        Kind::Paths => "路径列表".to_owned(),
        Kind::Program => "程序名或其路径".to_owned(),
        Kind::Words => "单词列表或一行文本".to_owned(),
        Kind::Users => "用户 id 列表，如 ou_abc123 或 web/anna".to_owned(),
        Kind::Map => "名称到值的映射".to_owned(),
        Kind::HttpUrl => "以 https:// 或 http:// 开头的地址".to_owned(),
        Kind::NatsUrl => "以 tls://、wss:// 或 nats:// 开头的地址".to_owned(),
        Kind::Address => " IP 地址".to_owned(),
        Kind::Locale => " zh 或 en".to_owned(),
        Kind::Zone => " IANA 时区名".to_owned(),
        Kind::NodeId => " 1 到 32 个 a-z、0-9 或 - 字符".to_owned(),
        Kind::Filter => "日志级别（error、warn、info、debug、trace）或过滤规则".to_owned(),
    }
}
