//! Cards: what 2.0 refuses, what a person reads in them, and entities with their sequence.

use std::time::Duration;

use kit::feishu::{Feishu, How};
use serde_json::{Value, json};

use super::probe::{Probe, Reply, SOON, button, card};

fn code(reply: &Reply) -> i64 {
    reply.1["code"].as_i64().unwrap_or(-1)
}

fn md(id: &str, text: &str) -> Value {
    json!({"tag": "markdown", "element_id": id, "content": text})
}

fn submit() -> Value {
    json!({"tag": "button", "name": "go", "form_action_type": "submit",
           "text": {"tag": "plain_text", "content": "Send"},
           "behaviors": [{"type": "callback", "value": {"op": "why"}}]})
}

fn form(elements: &Value) -> Value {
    json!({"tag": "form", "name": "f", "elements": elements})
}

#[tokio::test]
async fn what_schema_2_refuses() {
    let feishu = Feishu::start().await;
    feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let input = |name: &str| json!({"tag": "input", "name": name, "required": true});
    let table = "| a | b |\n|---|---|\n| 1 | 2 |\n\n";
    let many = |n: usize| Value::Array(vec![json!({"tag": "hr"}); n]);
    let plain = json!({"tag": "button", "text": {"tag": "plain_text", "content": "x"}});
    let mut named = plain.clone();
    named["value"] = json!({"op": "old"});
    let nested = |n: usize| {
        (0..n).fold(
            md("x", "deep"),
            |inner, _| json!({"tag": "interactive_container", "elements": [inner]}),
        )
    };
    let cases = [
        (
            card(&json!([md("a", "fine"), button("Go", "go"), {"tag": "hr"}])),
            "",
        ),
        (card(&json!([form(&json!([input("why"), submit()]))])), ""),
        (card(&many(200)), ""),
        (card(&json!([nested(5)])), ""),
        (card(&json!([md("a", &table.repeat(3))])), ""),
        (card(&many(201)), "ErrCode: 11310"),
        (
            card(&json!([md("a", &table.repeat(4))])),
            "card table number over limit",
        ),
        (card(&json!([nested(6)])), "levels"),
        (json!({"elements": [md("a", "1.0")]}), "schema 2.0"),
        (
            card(&json!([{"tag": "action", "actions": []}])),
            "ErrCode: 200861",
        ),
        (
            card(&json!([{"tag": "note", "elements": []}])),
            "ErrCode: 200861",
        ),
        (card(&json!([{"tag": "marquee"}])), "marquee"),
        (card(&json!([{"tag": "hr", "colour": "red"}])), "colour"),
        (card(&json!([md("1a", "x")])), "element_id"),
        (card(&json!([md(&"a".repeat(21), "x")])), "element_id"),
        (card(&json!([md("a", "x"), md("a", "y")])), "stands twice"),
        (card(&json!([plain])), "behaviors"),
        (card(&json!([named])), "value"),
        (
            card(&json!([md("a", "![x](https://example.com/x.png)")])),
            "image",
        ),
        (card(&json!([input("why")])), "inside a form"),
        (
            card(&json!([form(&json!([input("why")]))])),
            "ErrCode: 200530",
        ),
        (
            card(&json!([form(&json!([input("go"), submit()]))])),
            "ErrCode: 200530",
        ),
        (card(&json!([])), "no elements"),
    ];
    for (content, expected) in cases {
        let reply = probe.send("ou_a", "interactive", &content).await;
        let msg = reply.1["msg"].as_str().unwrap();
        if expected.is_empty() {
            assert_eq!(code(&reply), 0, "{content}: {msg}");
        } else {
            assert_eq!((reply.0, code(&reply)), (400, 230_099), "{content}");
            assert!(
                msg.contains(expected) && msg.contains("ext=ErrCode: "),
                "{content}: {msg}"
            );
        }
    }
}

#[tokio::test]
async fn what_a_person_reads() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let content = json!({"schema": "2.0", "config": {"summary": {"content": "short"}},
        "header": {"title": {"tag": "plain_text", "content": "Title"}, "template": "blue"},
        "body": {"elements": [
            md("a", "**body**"),
            {"tag": "collapsible_panel", "expanded": false,
             "header": {"title": {"tag": "plain_text", "content": "Steps"}},
             "elements": [md("b", "one step")]},
            {"tag": "column_set", "columns": [
                {"tag": "column", "elements": [button("Allow", "allow")]},
                {"tag": "column", "elements": [button("Deny", "deny")]}]}]}});
    probe.send("ou_a", "interactive", &content).await;
    let message = ada.wait_text("body", SOON).await.unwrap();
    assert_eq!(
        message.text(),
        "Title\n**body**\nSteps\none step\nAllow\nDeny"
    );
    assert_eq!(message.summary(), Some("short"));
    let buttons: Vec<_> = message
        .buttons()
        .into_iter()
        .map(|b| (b.label, b.value))
        .collect();
    let pair = |label: &str, op: &str| (label.to_owned(), json!({ "op": op }));
    assert_eq!(buttons, [pair("Allow", "allow"), pair("Deny", "deny")]);
}

#[tokio::test]
async fn a_form_comes_with_its_values() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let mut socket = probe.connect().await;
    let fields = json!([{"tag": "input", "name": "why", "required": true},
        {"tag": "select_static", "name": "scope", "initial_option": "once", "options": [
            {"text": {"tag": "plain_text", "content": "Once"}, "value": "once"}]},
        submit()]);
    let reply = probe
        .send("ou_a", "interactive", &card(&json!([form(&fields)])))
        .await;
    let message_id = reply.1["data"]["message_id"].as_str().unwrap();
    assert!(
        ada.tap(message_id, "Send").await.is_err(),
        "a required field is empty"
    );
    let serve = async {
        let (frame, event) = socket.event().await;
        socket.ack(&frame, &json!({"code": 200})).await;
        event
    };
    let (answer, event) = tokio::join!(
        ada.tap_form(message_id, "Send", json!({"why": "no need"})),
        serve
    );
    assert_eq!(answer.unwrap().code, 0);
    let action = &event["event"]["action"];
    assert_eq!(
        action["form_value"],
        json!({"why": "no need", "scope": "once"})
    );
    assert_eq!(
        (&action["name"], &action["value"]),
        (&json!("go"), &json!({"op": "why"}))
    );
}

struct Kit<'a>(&'a Probe, String);

impl Kit<'_> {
    async fn stream(&self, text: &str, sequence: i64) -> i64 {
        let path = format!(
            "/open-apis/cardkit/v1/cards/{}/elements/main/content",
            self.1
        );
        let body = json!({"content": text, "sequence": sequence});
        code(&self.0.call("PUT", &path, &body).await.unwrap())
    }

    async fn streaming(&self, on: bool, sequence: i64) -> i64 {
        let path = format!("/open-apis/cardkit/v1/cards/{}/settings", self.1);
        let settings = json!({"config": {"streaming_mode": on}}).to_string();
        let body = json!({"settings": settings, "sequence": sequence});
        code(&self.0.call("PATCH", &path, &body).await.unwrap())
    }

    async fn replace(&self, card: &Value, body: Value) -> i64 {
        let path = format!("/open-apis/cardkit/v1/cards/{}", self.1);
        let mut body = body;
        body["card"] = json!({"type": "card_json", "data": card.to_string()});
        code(&self.0.call("PUT", &path, &body).await.unwrap())
    }
}

#[tokio::test]
async fn an_entity_and_its_rules() {
    let feishu = Feishu::start().await;
    feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let mut streamed = card(&json!([md("main", "..."), {"tag": "hr", "element_id": "line"}]));
    streamed["config"] = json!({"streaming_mode": true});
    let create = |data: &Value| json!({"type": "card_json", "data": data.to_string()});
    let cards = "/open-apis/cardkit/v1/cards";
    let refused = probe
        .call("POST", cards, &create(&json!({"elements": []})))
        .await
        .unwrap();
    assert_eq!(code(&refused), 300_303);
    let made = probe.call("POST", cards, &create(&streamed)).await.unwrap();
    let card_id = made.1["data"]["card_id"].as_str().unwrap().to_owned();
    assert!(card_id.len() <= 20);
    let content = json!({"type": "card", "data": {"card_id": card_id}});
    let sent = probe.send("ou_a", "interactive", &content).await;
    let message_id = sent.1["data"]["message_id"].as_str().unwrap().to_owned();
    assert_eq!(
        code(&probe.send("ou_a", "interactive", &content).await),
        230_099,
        "sent once only"
    );

    let kit = Kit(&probe, card_id);
    assert_eq!(kit.stream("one", 5).await, 0);
    assert_eq!(kit.stream("two", 5).await, 300_317);
    assert_eq!(kit.stream("two", 0).await, 300_317);
    assert_eq!(kit.stream("two", 9).await, 0);
    assert_eq!(kit.stream("", 10).await, 10_002);
    assert_eq!(kit.stream(&"x".repeat(30_000), 10).await, 200_860);
    let line = format!("{cards}/{}/elements/line/content", kit.1);
    let body = json!({"content": "x", "sequence": 10});
    assert_eq!(
        code(&probe.call("PUT", &line, &body).await.unwrap()),
        300_310
    );
    // Ten minutes after it was switched on, streaming is over, until it is switched on again.
    feishu.skip(Duration::from_secs(601));
    assert_eq!(kit.stream("late", 10).await, 200_850);
    assert_eq!(kit.stream("late", 10).await, 300_309);
    assert_eq!(kit.streaming(true, 10).await, 0);
    assert_eq!(kit.stream("three", 11).await, 0);
    assert!(feishu.message(&message_id).unwrap().streaming);
    assert_eq!(kit.streaming(false, 11).await, 300_317);
    assert_eq!(kit.streaming(false, 12).await, 0);
    assert_eq!(kit.stream("four", 13).await, 300_309);
    let done = card(&json!([md("main", "done")]));
    assert_eq!(
        kit.replace(&done, json!({"sequence": 13, "uuid": "w"}))
            .await,
        0
    );
    assert_eq!(
        kit.replace(&done, json!({"sequence": 14, "uuid": "w"}))
            .await,
        200_770
    );
    assert_eq!(
        kit.replace(&card(&json!([])), json!({"sequence": 14}))
            .await,
        300_307
    );
    let add = json!({"type": "insert_after", "target_element_id": "main", "sequence": 15,
                     "elements": json!([button("More", "more")]).to_string()});
    let path = format!("{cards}/{}/elements", kit.1);
    assert_eq!(code(&probe.call("POST", &path, &add).await.unwrap()), 0);

    let message = feishu.message(&message_id).unwrap();
    assert_eq!(message.text(), "done\nMore");
    let edits: Vec<How> = message.edits.iter().map(|e| e.how).collect();
    assert_eq!(
        edits,
        [
            How::Stream,
            How::Stream,
            How::Settings,
            How::Stream,
            How::Settings,
            How::Replace,
            How::Elements
        ]
    );
    feishu.skip(Duration::from_secs(15 * 24 * 3600));
    let probe = Probe::new(&feishu).await;
    let kit = Kit(&probe, kit.1.clone());
    assert_eq!(kit.replace(&done, json!({"sequence": 20})).await, 200_750);
}

#[tokio::test]
async fn a_press_blocks_streaming_and_streaming_blocks_its_answer() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let mut socket = probe.connect().await;
    let mut streamed = card(&json!([md("main", "..."), button("Stop", "stop")]));
    streamed["config"] = json!({"streaming_mode": true});
    let data = json!({"type": "card_json", "data": streamed.to_string()});
    let made = probe
        .call("POST", "/open-apis/cardkit/v1/cards", &data)
        .await
        .unwrap();
    let kit = Kit(
        &probe,
        made.1["data"]["card_id"].as_str().unwrap().to_owned(),
    );
    let content = json!({"type": "card", "data": {"card_id": kit.1}});
    let sent = probe.send("ou_a", "interactive", &content).await;
    let message_id = sent.1["data"]["message_id"].as_str().unwrap();
    let serve = async {
        let (frame, event) = socket.event().await;
        assert_eq!(kit.stream("meanwhile", 1).await, 200_810);
        let new = json!({"card": {"type": "raw", "data": card(&json!([md("main", "stopped")]))}});
        let data =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, new.to_string());
        socket
            .ack(&frame, &json!({"code": 200, "data": data}))
            .await;
        event["event"]["token"].as_str().unwrap().to_owned()
    };
    let (answer, token) = tokio::join!(ada.tap(message_id, "Stop"), serve);
    assert_eq!(answer.unwrap().card, None, "the card streams");
    assert_eq!(feishu.message(message_id).unwrap().text(), "...\nStop");
    // The delayed way, once streaming is off; its token is good for two uses.
    assert_eq!(kit.streaming(false, 2).await, 0);
    let update = json!({"token": token, "card": card(&json!([md("main", "stopped")]))});
    let path = "/open-apis/interactive/v1/card/update";
    for expected in [0, 0, 300_020] {
        assert_eq!(
            code(&probe.call("POST", path, &update).await.unwrap()),
            expected
        );
    }
    assert_eq!(feishu.message(message_id).unwrap().text(), "stopped");
}
