//! Events on the websocket: whole and in parts, acked, badly acked, repeated; and taps.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::feishu::{Class, Fault, Feishu, Order, SayOptions, Settings};
use serde_json::{Value, json};

use super::probe::{Probe, SOON, ack_of, button, card};

fn quick() -> Settings {
    let pause = Duration::from_millis(30);
    Settings {
        ack_deadline: Duration::from_millis(250),
        redelivery: vec![pause; 4],
        ..Settings::default()
    }
}

#[tokio::test]
async fn an_acked_event_comes_once_and_the_ack_is_on_record() {
    let feishu = Feishu::start_with(quick()).await;
    let mut socket = Probe::new(&feishu).await.connect().await;
    let said = feishu.user("ou_a").say("one");
    let (frame, event) = socket.event().await;
    assert_eq!(frame.header("sum"), Some("1"));
    assert_eq!(event["header"]["event_type"], "im.message.receive_v1");
    assert_eq!(event["event"]["message"]["message_id"], said);
    assert_eq!(event["event"]["message"]["content"], r#"{"text":"one"}"#);
    assert_eq!(event["event"]["message"]["chat_type"], "p2p");
    socket.ack(&frame, &json!({"code": 200})).await;
    feishu.user("ou_a").say("two");
    // Were the first one repeated, it would come before the second.
    let (frame, event) = socket.event().await;
    assert_eq!(event["event"]["message"]["content"], r#"{"text":"two"}"#);
    socket.ack(&frame, &json!({"code": 200})).await;
    feishu
        .wait_until(
            |f| f.acks().iter().filter(|a| a.accepted).count() == 2,
            SOON,
        )
        .await
        .unwrap();
    assert_eq!(feishu.acks()[0].biz_rt, Some(1));
    let attempts = feishu.attempts();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].message_id.as_deref(), Some(said.as_str()));
    assert!(attempts[0].sent_at <= feishu.acks()[0].at);
}

#[tokio::test]
async fn what_is_not_well_acked_comes_again_under_the_same_event_id() {
    let feishu = Feishu::start_with(quick()).await;
    let mut socket = Probe::new(&feishu).await.connect().await;
    feishu.user("ou_a").say("again and again");
    let (first, event) = socket.event().await;
    // 500 is "failed".
    socket.ack(&first, &json!({"code": 500})).await;
    let (second, repeat) = socket.event().await;
    assert_eq!(event["header"]["event_id"], repeat["header"]["event_id"]);
    assert_ne!(first.header("message_id"), second.header("message_id"));
    // A header lost.
    let mut wrong = ack_of(&second, &json!({"code": 200}));
    wrong.headers.remove(4);
    socket.raw(wrong.to_bytes()).await;
    let (third, _) = socket.event().await;
    // Another LogID.
    let mut wrong = ack_of(&third, &json!({"code": 200}));
    wrong.log_id += 1;
    socket.raw(wrong.to_bytes()).await;
    let (fourth, _) = socket.event().await;
    // No handling time.
    let mut wrong = ack_of(&fourth, &json!({"code": 200}));
    wrong.headers.pop();
    socket.raw(wrong.to_bytes()).await;
    let (fifth, _) = socket.event().await;
    socket
        .ack(&fifth, &json!({"code": 200, "headers": null, "data": null}))
        .await;
    feishu
        .wait_until(|f| f.acks().iter().any(|a| a.accepted), SOON)
        .await
        .unwrap();
    let acks = feishu.acks();
    let problems: Vec<String> = acks
        .iter()
        .map(|a| a.problem.clone().unwrap_or_default())
        .collect();
    assert_eq!(
        acks.iter().map(|a| a.code).collect::<Vec<_>>(),
        [500, 200, 200, 200, 200]
    );
    assert!(problems[1].contains("headers"), "{problems:?}");
    assert!(problems[2].contains("LogID"), "{problems:?}");
    assert!(problems[3].contains("biz_rt"), "{problems:?}");
    assert_eq!(problems[4], "");
}

#[tokio::test]
async fn parts_cut_within_characters_in_any_order() {
    let feishu = Feishu::start_with(quick()).await;
    let mut socket = Probe::new(&feishu).await.connect().await;
    let ada = feishu.user("ou_a");
    let text = "字".repeat(200);
    // So many that some cut falls within a character.
    let count = 40;
    let forward: Vec<usize> = (0..count).collect();
    for (order, expected) in [
        (Order::InOrder, forward.clone()),
        (Order::Reversed, forward.iter().rev().copied().collect()),
        (
            Order::Repeated,
            forward.iter().flat_map(|i| [*i, *i]).collect(),
        ),
    ] {
        ada.say_with(
            &text,
            SayOptions {
                parts: count,
                order,
                ..SayOptions::default()
            },
        );
        let mut parts = vec![Vec::new(); count];
        let mut seen = Vec::new();
        let mut last = None;
        for _ in &expected {
            let frame = socket.frame().await.unwrap();
            assert_eq!(frame.header("sum"), Some("40"));
            let seq: usize = frame.header("seq").unwrap().parse().unwrap();
            parts[seq] = frame.payload.clone().unwrap();
            seen.push(seq);
            last = Some(frame);
        }
        assert_eq!(seen, expected);
        assert!(
            parts.iter().any(|p| std::str::from_utf8(p).is_err()),
            "cut within a character"
        );
        let whole: Value = serde_json::from_slice(&parts.concat()).unwrap();
        let content = whole["event"]["message"]["content"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(content).unwrap()["text"],
            text
        );
        socket.ack(&last.unwrap(), &json!({"code": 200})).await;
    }
    // A lost part: the repeat is whole.
    ada.say_with(
        &text,
        SayOptions {
            parts: 3,
            order: Order::PartLost,
            ..SayOptions::default()
        },
    );
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(
            socket
                .frame()
                .await
                .unwrap()
                .header("seq")
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(seen, ["0", "1", "0", "1", "2"]);
}

#[tokio::test]
async fn bad_frames_end_the_connection_and_stand_on_record() {
    let feishu = Feishu::start_with(quick()).await;
    let probe = Probe::new(&feishu).await;
    let mut socket = probe.connect().await;
    socket.raw(socket.ping().to_bytes()).await;
    assert_eq!(socket.frame().await.unwrap().header("type"), Some("pong"));
    // A proto3 encoder leaves the zeros out: SeqID and LogID are the first four bytes.
    let bytes = socket.ping().to_bytes();
    socket.raw(bytes[4..].to_vec()).await;
    assert_eq!(socket.frame().await, None);
    let mut socket = probe.connect().await;
    let mut ping = socket.ping();
    ping.service += 1;
    socket.raw(ping.to_bytes()).await;
    assert_eq!(socket.frame().await, None);
    let violations = feishu.violations();
    assert!(violations[0].contains("SeqID"), "{violations:?}");
    assert!(violations[1].contains("service"), "{violations:?}");
}

#[tokio::test]
async fn a_pong_carries_new_settings_and_a_url_serves_once() {
    let feishu = Feishu::start().await;
    let probe = Probe::new(&feishu).await;
    let endpoint = probe.endpoint().await;
    assert_eq!(endpoint["data"]["ClientConfig"]["PingInterval"], 120);
    let url = endpoint["data"]["URL"].as_str().unwrap();
    let mut socket = super::probe::Socket::open(url).await.unwrap();
    feishu.set(|s| s.pong_settings = Some(json!({"PingInterval": 7})));
    socket.raw(socket.ping().to_bytes()).await;
    assert_eq!(
        socket.frame().await.unwrap().payload.unwrap(),
        br#"{"PingInterval":7}"#
    );
    assert!(super::probe::Socket::open(url).await.is_err());
    assert_eq!(feishu.connections().len(), 1);
    // The limit, a refusal on demand, and wrong credentials.
    feishu.set(|s| s.max_connections = 1);
    assert_eq!(probe.endpoint().await["code"], 1_000_040_350);
    for code in [1, 514, 1_000_040_350, 1_000_040_351] {
        feishu.fault(Class::Endpoint, Fault::Code { http: 200, code });
        assert_eq!(probe.endpoint().await["code"], code);
    }
    let body = json!({"AppID": "cli_a", "AppSecret": "no"});
    assert_eq!(
        probe
            .call("POST", "/callback/ws/endpoint", &body)
            .await
            .unwrap()
            .1["code"],
        514
    );
}

#[tokio::test]
async fn each_event_goes_to_one_of_several_connections() {
    let feishu = Feishu::start().await;
    let probe = Probe::new(&feishu).await;
    let (mut a, mut b) = (probe.connect().await, probe.connect().await);
    feishu.wait_connected(2, SOON).await.unwrap();
    let ada = feishu.user("ou_a");
    for _ in 0..24 {
        ada.say("to whom?");
    }
    let mut counts = [0, 0];
    while counts.iter().sum::<usize>() < 24 {
        let (frame, one) = tokio::select! {
            frame = a.frame() => (frame.unwrap(), true),
            frame = b.frame() => (frame.unwrap(), false),
        };
        let socket = if one { &mut a } else { &mut b };
        socket.ack(&frame, &json!({"code": 200})).await;
        counts[usize::from(one)] += 1;
    }
    assert!(counts.iter().all(|c| *c > 0), "{counts:?}");
    feishu
        .wait_until(|f| f.acks().len() == 24, SOON)
        .await
        .unwrap();
    assert!(feishu.acks().iter().all(|a| a.accepted));
}

#[tokio::test]
async fn a_message_can_be_told_again_under_another_event_id() {
    let feishu = Feishu::start().await;
    let mut socket = Probe::new(&feishu).await.connect().await;
    let ada = feishu.user("ou_a");
    let options = SayOptions {
        message_id: Some("om_1".to_owned()),
        event_id: Some("ev_1".to_owned()),
        create_time: Some(5),
        ..SayOptions::default()
    };
    assert_eq!(ada.say_with("once", options), "om_1");
    feishu.redeliver("om_1", Some("ev_2"));
    for expected in ["ev_1", "ev_2"] {
        let (frame, event) = socket.event().await;
        assert_eq!(event["header"]["event_id"], expected);
        assert_eq!(event["event"]["message"]["message_id"], "om_1");
        assert_eq!(event["event"]["message"]["create_time"], "5");
        socket.ack(&frame, &json!({"code": 200})).await;
    }
    assert_eq!(ada.timeline().len(), 1, "the person said it once");
}

#[tokio::test]
async fn a_group_mention_names_the_bot() {
    let feishu = Feishu::start().await;
    let mut socket = Probe::new(&feishu).await.connect().await;
    let group = feishu.group(&["ou_a", "ou_b"]);
    let chat = Some(group.chat_id().to_owned());
    feishu.user("ou_b").say_with(
        "hi",
        SayOptions {
            chat,
            mention: true,
            ..SayOptions::default()
        },
    );
    let (_, event) = socket.event().await;
    let message = &event["event"]["message"];
    assert_eq!(message["chat_type"], "group");
    assert_eq!(message["content"], r#"{"text":"@_user_1 hi"}"#);
    assert_eq!(
        message["mentions"][0]["id"]["open_id"],
        feishu.bot_open_id()
    );
    assert_eq!(event["event"]["sender"]["sender_id"]["open_id"], "ou_b");
}

#[tokio::test]
async fn a_tap_gets_toast_card_or_the_clients_error() {
    let feishu = Feishu::start_with(quick()).await;
    let probe = Probe::new(&feishu).await;
    let ada = feishu.user("ou_a");
    let content = card(&json!([button("Allow", "allow"), button("Deny", "deny")]));
    let (_, answer) = probe.send("ou_a", "interactive", &content).await;
    let message_id = answer["data"]["message_id"].as_str().unwrap();
    assert!(ada.tap(message_id, "Perhaps").await.is_err());
    assert_eq!(
        ada.tap(message_id, "Allow").await.unwrap().code,
        200_340,
        "nobody connected"
    );

    let mut socket = probe.connect().await;
    feishu.wait_connected(1, SOON).await.unwrap();
    assert_eq!(
        ada.tap(message_id, "Allow").await.unwrap().code,
        200_341,
        "not in time"
    );
    let (_, event) = socket.event().await;
    assert_eq!(
        event["header"]["create_time"].as_str().unwrap().len(),
        16,
        "microseconds"
    );
    assert_eq!(event["event"]["operator"]["open_id"], "ou_a");
    assert_eq!(event["event"]["context"]["open_message_id"], message_id);
    assert_eq!(event["event"]["action"]["value"], json!({"op": "allow"}));

    let old = json!({"elements": []});
    let new = card(&json!([{"tag": "markdown", "content": "allowed"}]));
    let raw = |card: &Value| json!({"card": {"type": "raw", "data": card}});
    let toast = json!({"toast": {"type": "info", "content": "ok"}});
    for (reply, code, text) in [
        (json!({"toast": "ok"}), 200_672, "Allow\nDeny"),
        (raw(&old), 200_830, "Allow\nDeny"),
        (
            raw(&card(&json!([{"tag": "note"}]))),
            200_673,
            "Allow\nDeny",
        ),
        (toast, 0, "Allow\nDeny"),
        (raw(&new), 0, "allowed"),
    ] {
        let serve = async {
            let (frame, _) = socket.event().await;
            let data = STANDARD.encode(reply.to_string());
            socket
                .ack(&frame, &json!({"code": 200, "data": data}))
                .await;
        };
        let (answer, ()) = tokio::join!(ada.tap(message_id, "deny"), serve);
        assert_eq!(answer.unwrap().code, code, "{reply}");
        assert_eq!(feishu.message(message_id).unwrap().text(), text);
    }
}
