//! Trouble on order: lost answers, expired tokens, dead and silent lines, an outage.

use std::time::{Duration, Instant};

use kit::feishu::{Class, Fault, Feishu, Limits, Settings};
use serde_json::{Value, json};

use super::probe::{Probe, SOON};

fn text(text: &str) -> Value {
    json!({ "text": text })
}

#[tokio::test]
async fn a_lost_answer_after_the_work_and_the_same_uuid() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    feishu.fault(Class::Send, Fault::DropBeforeWork);
    feishu.fault(Class::Send, Fault::DropAfterWork);
    assert!(
        probe
            .send_as("ou_a", "text", &text("x"), Some("u1"))
            .await
            .is_err()
    );
    assert_eq!(ada.messages().len(), 0);
    assert!(
        probe
            .send_as("ou_a", "text", &text("x"), Some("u1"))
            .await
            .is_err()
    );
    assert_eq!(ada.messages().len(), 1);
    let (_, answer) = probe
        .send_as("ou_a", "text", &text("x"), Some("u1"))
        .await
        .unwrap();
    assert_eq!(answer["data"]["message_id"], ada.messages()[0].message_id);
    assert_eq!(ada.messages()[0].repeats, 1);
    assert_eq!(feishu.faults_left(Class::Send), 0);
    let statuses: Vec<Option<u16>> = feishu
        .calls()
        .iter()
        .filter(|c| c.class == Class::Send)
        .map(|c| c.status)
        .collect();
    assert_eq!(statuses, [None, None, Some(200)]);
    // After an hour the uuid is forgotten.
    feishu.skip(Duration::from_secs(3700));
    feishu.expire_tokens();
    let probe = Probe::new(&feishu).await;
    probe
        .send_as("ou_a", "text", &text("x"), Some("u1"))
        .await
        .unwrap();
    assert_eq!(ada.messages().len(), 2);
}

#[tokio::test]
async fn ordered_answers() {
    let feishu = Feishu::start().await;
    feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    feishu.fault(Class::Send, Fault::Status(502));
    feishu.fault(
        Class::Send,
        Fault::Code {
            http: 400,
            code: 230_049,
        },
    );
    feishu.fault(Class::Send, Fault::RateLimited { reset_s: 2 });
    feishu.fault(Class::Send, Fault::Delay(Duration::from_millis(150)));
    assert_eq!(
        probe.send("ou_a", "text", &text("x")).await,
        (502, Value::Null)
    );
    let (status, answer) = probe.send("ou_a", "text", &text("x")).await;
    assert_eq!((status, &answer["code"]), (400, &json!(230_049)));
    let (status, answer) = probe.send("ou_a", "text", &text("x")).await;
    assert_eq!((status, &answer["code"]), (429, &json!(99_991_400)));
    let started = Instant::now();
    assert_eq!(probe.send("ou_a", "text", &text("x")).await.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
    feishu.fault(Class::Send, Fault::Hang);
    let content = text("never");
    let hang = probe.send("ou_a", "text", &content);
    assert!(
        tokio::time::timeout(Duration::from_millis(200), hang)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn tokens() {
    let feishu = Feishu::start().await;
    feishu.user("ou_a");
    let mut probe = Probe::new(&feishu).await;
    assert_eq!(
        probe.fetch_token().await,
        probe.token,
        "the same while 30 min are left"
    );
    feishu.skip(Duration::from_secs(91 * 60));
    let fresh = probe.fetch_token().await;
    assert_ne!(fresh, probe.token);
    assert_eq!(
        probe.send("ou_a", "text", &text("old token")).await.0,
        200,
        "both are good"
    );
    feishu.fault(Class::Send, Fault::ExpireToken);
    let (status, answer) = probe.send("ou_a", "text", &text("x")).await;
    assert_eq!((status, &answer["code"]), (400, &json!(99_991_663)));
    for (token, code) in [
        ("", 99_991_661),
        ("nonsense", 99_991_671),
        ("t-unknown", 99_991_663),
    ] {
        token.clone_into(&mut probe.token);
        assert_eq!(probe.send("ou_a", "text", &text("x")).await.1["code"], code);
    }
    let path = "/open-apis/auth/v3/tenant_access_token/internal";
    for (id, secret, code) in [("cli_no", "x", 10_003), (kit::feishu::APP_ID, "x", 10_014)] {
        let body = json!({"app_id": id, "app_secret": secret});
        assert_eq!(
            probe.call("POST", path, &body).await.unwrap().1["code"],
            code
        );
    }
}

#[tokio::test]
async fn rates() {
    let feishu = Feishu::start_with(Settings {
        limits: Limits::real(),
        ..Settings::default()
    })
    .await;
    feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(
            probe.send("ou_a", "text", &text("x")).await.1["code"]
                .as_i64()
                .unwrap(),
        );
    }
    assert_eq!(codes, [0, 0, 0, 0, 0, 230_020]);
    feishu.skip(Duration::from_secs(1));
    assert_eq!(probe.send("ou_a", "text", &text("x")).await.0, 200);
    // All at once, as no machine is too slow for that to be within a second.
    let calls = (0..100).map(|_| probe.call("GET", "/open-apis/bot/v3/info", &Value::Null));
    let answers = futures_util::future::join_all(calls).await;
    let refused = answers.into_iter().flatten().find(|one| one.0 != 200);
    let (status, body) = refused.unwrap();
    assert_eq!((status, &body["code"]), (429, &json!(99_991_400)));
}

#[tokio::test]
async fn dead_lines_lose_events_until_the_repeat() {
    let feishu = Feishu::start().await;
    feishu.set(|s| {
        s.ack_deadline = Duration::from_millis(200);
        s.redelivery = vec![Duration::from_millis(50); 20];
    });
    let probe = Probe::new(&feishu).await;
    let ada = feishu.user("ou_a");
    // Cut instead of delivered.
    let mut socket = probe.connect().await;
    feishu.wait_connected(1, SOON).await.unwrap();
    feishu.fault(Class::Delivery, Fault::Disconnect);
    ada.say("one");
    assert_eq!(socket.frame().await, None);
    let mut socket = probe.connect().await;
    let (frame, _) = socket.event().await;
    socket.ack(&frame, &json!({"code": 200})).await;
    feishu
        .wait_until(|f| f.acks().iter().any(|a| a.accepted), SOON)
        .await
        .unwrap();
    // Silent: open, yet no pong and no event, until there is another connection.
    feishu.half_open_all();
    socket.raw(socket.ping().to_bytes()).await;
    ada.say("two");
    let silence = tokio::time::timeout(Duration::from_millis(300), socket.frame()).await;
    assert!(silence.is_err(), "neither a frame nor an end");
    assert!(feishu.connections().last().unwrap().is_open());
    let mut other = probe.connect().await;
    let (_, event) = other.event().await;
    assert_eq!(event["event"]["message"]["content"], r#"{"text":"two"}"#);
    // The peer's own end is seen on a silent line, too.
    drop(socket);
    feishu
        .wait_until(|f| !f.connections()[1].is_open(), SOON)
        .await
        .unwrap();
    feishu.close_all(1000, "bye");
    while other.frame().await.is_some() {}
    feishu.wait_connected(0, SOON).await.unwrap();
}

#[tokio::test]
async fn an_outage_ends_on_the_same_port_with_everything_kept() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let mut socket = probe.connect().await;
    probe.send("ou_a", "text", &text("before")).await;
    let base = feishu.base_url();
    feishu.stop_listening().await;
    assert_eq!(socket.frame().await, None);
    let error = probe
        .send_as("ou_a", "text", &text("during"), None)
        .await
        .unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    feishu.resume().await;
    assert_eq!(feishu.base_url(), base);
    assert_eq!(probe.send("ou_a", "text", &text("after")).await.0, 200);
    let texts: Vec<String> = ada
        .messages()
        .iter()
        .map(kit::feishu::BotMessage::text)
        .collect();
    assert_eq!(texts, ["before", "after"]);
    probe.connect().await;
}

#[tokio::test]
async fn a_refused_handshake_says_why() {
    let feishu = Feishu::start().await;
    let probe = Probe::new(&feishu).await;
    let url = probe.endpoint().await["data"]["URL"]
        .as_str()
        .unwrap()
        .to_owned();
    feishu.fault(
        Class::Handshake,
        Fault::Code {
            http: 514,
            code: 1_000_040_350,
        },
    );
    let Err(tokio_tungstenite::tungstenite::Error::Http(answer)) =
        tokio_tungstenite::connect_async(&url).await
    else {
        panic!("a refusal");
    };
    assert_eq!(answer.status().as_u16(), 514);
    assert_eq!(answer.headers()["handshake-status"], "514");
    assert_eq!(answer.headers()["handshake-autherrcode"], "1000040350");
}
