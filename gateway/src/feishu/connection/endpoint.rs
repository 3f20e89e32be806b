//! Asks for the address of the long connection and opens it.
//!
//! Turns the platform's refusals into plain sentences. The address holds a
//! ticket: it is never logged.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::error::Error as SocketError;
use tokio_tungstenite::tungstenite::http;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Tuning;
use super::settings::Settings;
use crate::feishu::FeishuOptions;
use crate::feishu::error::{Answer, plain};
use crate::feishu::parts;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const LIMIT: i64 = 1_000_040_350;
const WRONG_DOMAIN: i64 = 1_000_040_351;

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Expected to pass.
    Retry {
        why: String,
        /// Whether the platform was spoken to.
        reached: bool,
    },
    /// A person has to mend it.
    Refused { why: String },
}

/// A fresh connection.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) socket: Socket,
    /// Goes into every frame.
    pub(super) service: i32,
    /// The platform's id of the connection.
    pub(super) device_id: String,
}

/// Fetches a new address and opens it.
pub(super) async fn open(
    options: &FeishuOptions,
    http: &reqwest::Client,
    settings: &mut Settings,
    tuning: &Tuning,
) -> Result<Open, Trouble> {
    let url = ask(options, http, settings, tuning).await?;
    let (service, device_id) = identity(url.expose_secret());
    let config = WebSocketConfig::default()
        .max_message_size(Some(parts::MAX_BYTES + 64 * 1024))
        .max_frame_size(Some(parts::MAX_BYTES + 64 * 1024));
    let connect =
        tokio_tungstenite::connect_async_with_config(url.expose_secret(), Some(config), true);
    match tokio::time::timeout(tuning.connect_timeout, connect).await {
        Ok(Ok((socket, _))) => Ok(Open {
            socket,
            service,
            device_id,
        }),
        Ok(Err(error)) => Err(refused_handshake(&error)),
        Err(_) => Err(retry("opening the long connection took too long", false)),
    }
}

async fn ask(
    options: &FeishuOptions,
    http: &reqwest::Client,
    settings: &mut Settings,
    tuning: &Tuning,
) -> Result<SecretString, Trouble> {
    let body = json!({
        "AppID": options.app_id,
        "AppSecret": options.app_secret.expose_secret(),
    });
    let network = |error: reqwest::Error| {
        let reached = !error.is_connect();
        let text = format!("{} cannot be reached: {}", options.base_url, plain(error));
        retry(&text, reached)
    };
    let response = http
        .post(options.url("/callback/ws/endpoint"))
        .header("locale", "zh")
        .timeout(tuning.connect_timeout)
        .json(&body)
        .send()
        .await
        .map_err(network)?;
    let answer = Answer::read(response).await.map_err(network)?;
    if let Some(trouble) = refusal(&answer, options) {
        return Err(trouble);
    }
    let data = answer.body.get("data").unwrap_or(&Value::Null);
    if let Some(config) = data.get("ClientConfig") {
        settings.merge(config);
    }
    match data.get("URL").and_then(Value::as_str) {
        Some(url) if !url.is_empty() => Ok(SecretString::from(url)),
        Some(_) | None => Err(retry(
            "the platform gave no address for the long connection",
            true,
        )),
    }
}

/// What the answer of the endpoint call means, unless it is fine.
fn refusal(answer: &Answer, options: &FeishuOptions) -> Option<Trouble> {
    let said = answer.body.get("msg").and_then(Value::as_str).unwrap_or("");
    let code = match answer.code {
        Some(0) if answer.status == 200 => return None,
        Some(code) if code != 0 => code,
        Some(_) | None => {
            let text = format!(
                "{} answered HTTP status {}",
                options.base_url, answer.status
            );
            return Some(retry(&text, true));
        }
    };
    Some(match code {
        1 => retry("the platform is busy", true),
        1_000_040_343 => retry("the platform has an internal error", true),
        LIMIT => limit(),
        WRONG_DOMAIN => refused(format!(
            "the app {} does not live on {}. Set FEISHU_BASE_URL to https://open.feishu.cn for a Feishu app, to https://open.larksuite.com for a Lark app",
            options.app_id, options.base_url
        )),
        403 => refused(format!(
            "the app {} may not use the long connection (code 403: {said}). It must be a self-built app with the bot ability, switched on",
            options.app_id
        )),
        514 | 1_000_040_344 | 10_003 | 10_014 | 10_015 => refused(format!(
            "the platform does not accept the app's credentials (code {code}: {said}). Check FEISHU_APP_ID and FEISHU_APP_SECRET"
        )),
        // A busy gateway may say anything in its body.
        _ if answer.status == 429 || answer.status >= 500 => retry(
            &format!(
                "the platform answered HTTP status {} (code {code}: {said})",
                answer.status
            ),
            true,
        ),
        _ => refused(format!(
            "the platform refuses the long connection (code {code}: {said}). Check FEISHU_APP_ID, FEISHU_APP_SECRET and FEISHU_BASE_URL"
        )),
    })
}

fn limit() -> Trouble {
    refused(
        "this app has as many long connections as the platform allows (50). Another program uses the same FEISHU_APP_ID: stop it, or give this one an app of its own".to_owned(),
    )
}

fn refused(why: String) -> Trouble {
    Trouble::Refused { why }
}

fn retry(why: &str, reached: bool) -> Trouble {
    Trouble::Retry {
        why: why.to_owned(),
        reached,
    }
}

/// The service number and the connection's id, from the address.
fn identity(url: &str) -> (i32, String) {
    let Ok(url) = Url::parse(url) else {
        return (0, String::new());
    };
    let query = |key: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(name, _)| name == key)
    };
    let service = query("service_id").and_then(|(_, value)| value.parse().ok());
    let device = query("device_id").map(|(_, value)| value.into_owned());
    (service.unwrap_or(0), device.unwrap_or_default())
}

/// Why the socket was not opened. Some error texts hold the address, so only
/// known ones are passed on.
fn refused_handshake(error: &SocketError) -> Trouble {
    match error {
        SocketError::Http(response) => {
            refused_upgrade(response.status().as_u16(), response.headers())
        }
        SocketError::Io(error) => retry(&format!("the long connection failed: {error}"), false),
        SocketError::Tls(error) => retry(
            &format!("the long connection could not be secured: {error}"),
            false,
        ),
        _ => retry("the long connection could not be opened", true),
    }
}

fn refused_upgrade(status: u16, headers: &http::HeaderMap) -> Trouble {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(handshake), Some(said)) = (header("handshake-status"), header("handshake-msg"))
    else {
        return retry(
            &format!("the long connection was answered with HTTP status {status}"),
            true,
        );
    };
    let auth_code =
        header("handshake-autherrcode").and_then(|code| code.trim().parse::<i64>().ok());
    match (handshake.trim(), auth_code) {
        ("514", Some(LIMIT)) => limit(),
        ("403", _) => refused(format!(
            "the platform refuses the long connection (handshake 403: {said}). Check that the app is switched on"
        )),
        (handshake, _) => retry(
            &format!(
                "the platform did not take the long connection (handshake {handshake}: {said})"
            ),
            true,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> FeishuOptions {
        FeishuOptions {
            app_id: "cli_1".into(),
            app_secret: SecretString::from("s"),
            base_url: "https://open.feishu.cn".into(),
        }
    }

    fn meaning(status: u16, body: Value) -> Option<Trouble> {
        let answer = Answer {
            status,
            code: body.get("code").and_then(Value::as_i64),
            body,
            ..Answer::default()
        };
        refusal(&answer, &options())
    }

    #[test]
    fn codes_that_pass_and_codes_that_do_not() {
        assert_eq!(meaning(200, json!({"code": 0})), None);
        for (status, code) in [(200, 1), (200, 1_000_040_343), (503, 99)] {
            let trouble = meaning(status, json!({"code": code}));
            assert!(matches!(trouble, Some(Trouble::Retry { .. })), "{code}");
        }
        assert!(matches!(
            meaning(502, Value::Null),
            Some(Trouble::Retry { .. })
        ));
        for code in [403, 514, 1_000_040_344, LIMIT, WRONG_DOMAIN, 10_014, 77] {
            let trouble = meaning(200, json!({"code": code}));
            assert!(matches!(trouble, Some(Trouble::Refused { .. })), "{code}");
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        let why = |code| match meaning(200, json!({"code": code, "msg": "no"})) {
            Some(Trouble::Refused { why }) => why,
            other => panic!("{other:?}"),
        };
        insta::assert_snapshot!(why(WRONG_DOMAIN), @"the app cli_1 does not live on https://open.feishu.cn. Set FEISHU_BASE_URL to https://open.feishu.cn for a Feishu app, to https://open.larksuite.com for a Lark app");
        insta::assert_snapshot!(why(514), @"the platform does not accept the app's credentials (code 514: no). Check FEISHU_APP_ID and FEISHU_APP_SECRET");
        insta::assert_snapshot!(why(LIMIT), @"this app has as many long connections as the platform allows (50). Another program uses the same FEISHU_APP_ID: stop it, or give this one an app of its own");
    }

    #[test]
    fn handshakes_follow_their_headers() {
        let headers = |status: &str, code: &str| {
            let pairs = [
                ("handshake-status", status),
                ("handshake-msg", "m"),
                ("handshake-autherrcode", code),
            ];
            pairs
                .into_iter()
                .map(|(name, value)| {
                    let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                    (name, value.parse().unwrap())
                })
                .collect::<http::HeaderMap>()
        };
        assert_eq!(refused_upgrade(400, &headers("514", "1000040350")), limit());
        let retried = [("514", "7"), ("500", "")];
        for (status, code) in retried {
            let trouble = refused_upgrade(400, &headers(status, code));
            assert!(matches!(trouble, Trouble::Retry { .. }), "{status}");
        }
        let refused = refused_upgrade(400, &headers("403", ""));
        assert!(matches!(refused, Trouble::Refused { .. }));
        let plain = refused_upgrade(200, &http::HeaderMap::new());
        assert!(matches!(plain, Trouble::Retry { .. }));
    }

    #[test]
    fn the_address_names_service_and_connection() {
        let url = "wss://x.example/ws/v2?fpid=1&device_id=d7&service_id=33554678&ticket=t";
        assert_eq!(identity(url), (33_554_678, "d7".to_owned()));
        assert_eq!(identity("nonsense"), (0, String::new()));
    }
}
