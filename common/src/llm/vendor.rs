//! What vendors have of their own: how their addresses go on, and how thinking is switched off.
//! Pure.

use reqwest::Url;
use serde_json::{Map, Value, json};

/// Where requests go: the base address as people write it, with or without a slash at its end,
/// with or without the version, or with the whole path.
pub(super) fn endpoint(base: &str) -> Option<Url> {
    const LAST: &str = "/chat/completions";
    let mut url = Url::parse(base.trim()).ok()?;
    let host = url.host_str()?.to_owned();
    let path = url.path().trim_end_matches('/').to_owned();
    let glm = is_glm_host(&host);
    let path = match path.as_str() {
        whole if whole.ends_with(LAST) => whole.to_owned(),
        "" if glm => format!("/api/paas/v4{LAST}"),
        "/api/paas" | "/api/coding/paas" if glm => format!("{path}/v4{LAST}"),
        "" => format!("/v1{LAST}"),
        _ => format!("{path}{LAST}"),
    };
    url.set_path(&path);
    url.set_fragment(None);
    Some(url)
}

fn is_glm_host(host: &str) -> bool {
    host == "z.ai" || host.ends_with(".z.ai") || host.ends_with("bigmodel.cn")
}

/// Fields that switch thinking off, as far as this vendor is known to have such a switch. One that
/// is refused is left away by the caller.
pub(super) fn quick(url: &Url, model: &str) -> Map<String, Value> {
    let host = url.host_str().unwrap_or_default();
    // Resellers put a name in front: `zai-org/GLM-4.7`.
    let name = model.rsplit('/').next().unwrap_or(model).to_lowercase();
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let fields = if is_glm_host(host)
        || host.ends_with("deepseek.com")
        || host.ends_with("moonshot.cn")
        || host.ends_with("volces.com")
        || is(&["glm", "deepseek"])
    {
        json!({"thinking": {"type": "disabled"}})
    } else if host.ends_with("aliyuncs.com") || is(&["qwen"]) {
        json!({"enable_thinking": false})
    } else if host.ends_with("openai.com") && is(&["gpt-5", "o1", "o3", "o4"]) {
        json!({"reasoning_effort": "low"})
    } else {
        json!({})
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_as_people_write_them() {
        let table = [
            (
                "https://open.bigmodel.cn/api/paas/v4",
                "https://open.bigmodel.cn/api/paas/v4/chat/completions",
            ),
            (
                "https://open.bigmodel.cn/api/paas/v4/",
                "https://open.bigmodel.cn/api/paas/v4/chat/completions",
            ),
            (
                "https://open.bigmodel.cn/api/paas",
                "https://open.bigmodel.cn/api/paas/v4/chat/completions",
            ),
            (
                "https://open.bigmodel.cn",
                "https://open.bigmodel.cn/api/paas/v4/chat/completions",
            ),
            (
                "https://api.z.ai/api/coding/paas/v4//",
                "https://api.z.ai/api/coding/paas/v4/chat/completions",
            ),
            (
                "https://api.openai.com/v1",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                "https://api.openai.com",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                "https://api.deepseek.com/",
                "https://api.deepseek.com/v1/chat/completions",
            ),
            (
                "http://127.0.0.1:8080/v1/chat/completions/",
                "http://127.0.0.1:8080/v1/chat/completions",
            ),
            (
                "https://x.example/openai/v1?api-version=1",
                "https://x.example/openai/v1/chat/completions?api-version=1",
            ),
        ];
        for (base, whole) in table {
            assert_eq!(endpoint(base).unwrap().as_str(), whole, "{base}");
        }
        assert_eq!(endpoint("nothing"), None);
    }

    #[test]
    fn thinking_is_switched_off_where_the_switch_is_known() {
        let of = |base: &str, model: &str| {
            serde_json::to_string(&quick(&endpoint(base).unwrap(), model)).unwrap()
        };
        let off = r#"{"thinking":{"type":"disabled"}}"#;
        assert_eq!(of("https://open.bigmodel.cn/api/paas/v4", "glm-4.7"), off);
        assert_eq!(of("http://127.0.0.1:1/v1", "zai-org/GLM-4.7"), off);
        assert_eq!(of("https://api.deepseek.com", "deepseek-chat"), off);
        assert_eq!(
            of(
                "https://dashscope.aliyuncs.com/compatible-mode/v1",
                "qwen3-max"
            ),
            r#"{"enable_thinking":false}"#
        );
        assert_eq!(
            of("https://api.openai.com/v1", "gpt-5-mini"),
            r#"{"reasoning_effort":"low"}"#
        );
        assert_eq!(of("https://api.openai.com/v1", "gpt-4o"), "{}");
        assert_eq!(of("http://127.0.0.1:1/v1", "llama"), "{}");
    }
}
