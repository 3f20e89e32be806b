//! Plain requests: what is taken, what is refused and with which code, what is seen afterwards.

use std::time::Duration;

use kit::feishu::{Entry, Feishu, How, Reaction};
use serde_json::{Value, json};

use super::probe::{Probe, Reply, button, card};

fn code(reply: &Reply) -> i64 {
    reply.1["code"].as_i64().unwrap_or(-1)
}

fn id(reply: &Reply) -> String {
    reply.1["data"]["message_id"]
        .as_str()
        .unwrap_or_else(|| panic!("{reply:?}"))
        .to_owned()
}

#[tokio::test]
async fn content_is_judged_by_its_type() {
    let feishu = Feishu::start().await;
    feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let md = |text: &str| json!([[{"tag": "md", "text": text}]]);
    let post = |content: Value| json!({"zh_cn": {"title": "", "content": content}});
    let cases = [
        ("text", json!({"text": "hi"}), 0),
        ("text", json!({"text": ""}), 230_001),
        ("text", json!(["hi"]), 230_001),
        ("text", json!({"text": "x".repeat(149_000)}), 0),
        ("text", json!({"text": "字".repeat(51_000)}), 230_025),
        ("post", post(md("**b**")), 0),
        (
            "post",
            json!({"title": "", "content": md("no locale")}),
            230_001,
        ),
        ("post", json!({"post": post(md("wrapped"))}), 230_001),
        (
            "post",
            post(json!([[{"tag": "md", "text": "a"}, {"tag": "text", "text": "b"}]])),
            230_001,
        ),
        (
            "post",
            post(json!([[{"tag": "blink", "text": "a"}]])),
            230_001,
        ),
        ("post", post(md(&"x".repeat(30_000))), 230_025),
        ("image", json!({"image_key": "img_unknown"}), 230_017),
        ("carrier_pigeon", json!({}), 230_001),
        (
            "interactive",
            card(&json!([{"tag": "markdown", "content": "x".repeat(30_000)}])),
            230_025,
        ),
        ("interactive", json!({"card_id": "7"}), 230_099),
    ];
    for (msg_type, content, expected) in cases {
        let reply = probe.send("ou_a", msg_type, &content).await;
        let shown: String = content.to_string().chars().take(80).collect();
        assert_eq!(code(&reply), expected, "{msg_type} {shown}: {reply:?}");
        assert_eq!(reply.0, if expected == 0 { 200 } else { 400 });
    }
    assert_eq!(feishu.messages("ou_a").len(), 3);
    assert_eq!(
        code(
            &probe
                .send("ou_unknown", "text", &json!({"text": "x"}))
                .await
        ),
        230_034
    );
    let long = "u".repeat(51);
    let reply = probe
        .send_as("ou_a", "text", &json!({"text": "x"}), Some(&long))
        .await
        .unwrap();
    assert_eq!(code(&reply), 99_992_402);
}

#[tokio::test]
async fn edits_follow_the_kind_and_the_owner() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let asked = ada.say("what?");
    let text = id(&probe.send("ou_a", "text", &json!({"text": "v1"})).await);
    let shown = card(&json!([{"tag": "markdown", "content": "c1"}, button("Stop", "stop")]));
    let shown = id(&probe.send("ou_a", "interactive", &shown).await);
    let at = |id: &str| format!("/open-apis/im/v1/messages/{id}");
    let new_card =
        json!({"content": card(&json!([{"tag": "markdown", "content": "c2"}])).to_string()});
    let new_text = json!({"msg_type": "text", "content": json!({"text": "v2"}).to_string()});
    for (method, target, body, expected) in [
        ("PATCH", &shown, &new_card, 0),
        ("PATCH", &text, &new_card, 230_054),
        ("PATCH", &asked, &new_card, 230_071),
        ("PUT", &text, &new_text, 0),
        ("PUT", &shown, &new_text, 230_054),
        ("PUT", &asked, &new_text, 230_071),
        ("DELETE", &asked, &Value::Null, 230_026),
    ] {
        let reply = probe.call(method, &at(target), body).await.unwrap();
        assert_eq!(code(&reply), expected, "{method} {target}: {reply:?}");
    }
    let message = feishu.message(&shown).unwrap();
    assert_eq!(
        (message.text().as_str(), message.edits[0].how),
        ("c2", How::Patch)
    );
    assert!(message.buttons().is_empty());
    assert_eq!(feishu.message(&text).unwrap().text(), "v2");
    for _ in 0..19 {
        assert_eq!(
            code(&probe.call("PUT", &at(&text), &new_text).await.unwrap()),
            0
        );
    }
    assert_eq!(
        code(&probe.call("PUT", &at(&text), &new_text).await.unwrap()),
        230_072
    );
    let old =
        json!({"content": json!({"config": {"update_multi": false}, "schema": "2.0"}).to_string()});
    assert_eq!(
        code(&probe.call("PATCH", &at(&shown), &old).await.unwrap()),
        230_099
    );
    feishu.skip(Duration::from_secs(15 * 24 * 3600));
    let probe = Probe::new(&feishu).await;
    assert_eq!(
        code(&probe.call("PATCH", &at(&shown), &new_card).await.unwrap()),
        230_031
    );
    assert_eq!(
        code(
            &probe
                .call("DELETE", &at(&shown), &Value::Null)
                .await
                .unwrap()
        ),
        0
    );
    assert!(feishu.message(&shown).unwrap().recalled);
    assert_eq!(
        code(&probe.call("PATCH", &at(&shown), &new_card).await.unwrap()),
        230_011
    );
}

#[tokio::test]
async fn replies_reactions_and_the_order_of_a_chat() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let first = ada.say("first");
    let body = json!({"msg_type": "text", "content": r#"{"text":"answer"}"#, "uuid": "u"});
    let path = format!("/open-apis/im/v1/messages/{first}/reply");
    let reply = id(&probe.call("POST", &path, &body).await.unwrap());
    ada.say("second");
    let entry = |e: &Entry| (e.from.clone(), e.text.clone());
    let order: Vec<_> = ada.timeline().iter().map(entry).collect();
    let me = Some("ou_a".to_owned());
    let expected = [(me.clone(), "first"), (None, "answer"), (me, "second")];
    assert_eq!(order, expected.map(|(from, text)| (from, text.to_owned())));
    assert_eq!(
        feishu.message(&reply).unwrap().reply_to,
        Some(first.clone())
    );
    let replies = feishu.replies(&first);
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].message_id, reply);
    assert!(feishu.replies(&reply).is_empty());

    let path = format!("/open-apis/im/v1/messages/{first}/reactions");
    let emoji = |name: &str| json!({"reaction_type": {"emoji_type": name}});
    assert_eq!(
        code(
            &probe
                .call("POST", &path, &emoji("NoSuchEmoji"))
                .await
                .unwrap()
        ),
        231_001
    );
    let added = probe.call("POST", &path, &emoji("OnIt")).await.unwrap();
    let reaction_id = added.1["data"]["reaction_id"].as_str().unwrap().to_owned();
    let held = Reaction {
        reaction_id: reaction_id.clone(),
        emoji: "OnIt".to_owned(),
        by_bot: true,
    };
    assert_eq!(feishu.reactions(&first), [held]);
    let removed = probe
        .call("DELETE", &format!("{path}/{reaction_id}"), &Value::Null)
        .await
        .unwrap();
    assert_eq!((code(&removed), feishu.reactions(&first)), (0, Vec::new()));
    // Two chats: the one spoken in last stands first.
    let group = feishu.group(&["ou_a"]);
    assert_eq!(
        feishu.chats("ou_a"),
        [ada.chat_id(), group.chat_id().to_owned()]
    );
    let body =
        json!({"receive_id": group.chat_id(), "msg_type": "text", "content": r#"{"text":"g"}"#});
    let path = "/open-apis/im/v1/messages?receive_id_type=chat_id";
    assert_eq!(code(&probe.call("POST", path, &body).await.unwrap()), 0);
    assert_eq!(
        feishu.chats("ou_a"),
        [group.chat_id().to_owned(), ada.chat_id()]
    );
    group.remove_bot();
    assert_eq!(
        code(&probe.call("POST", path, &body).await.unwrap()),
        230_002
    );
    ada.refuse_messages(Some(230_053));
    assert_eq!(
        code(&probe.send("ou_a", "text", &json!({"text": "x"})).await),
        230_053
    );
}

#[tokio::test]
async fn media_have_kinds_and_owners() {
    let feishu = Feishu::start().await;
    let ada = feishu.user("ou_a");
    let probe = Probe::new(&feishu).await;
    let (images, files) = ("/open-apis/im/v1/images", "/open-apis/im/v1/files");
    let png = b"\x89PNG\r\n\x1a\n0000";
    let kind = [("image_type", "message")];
    assert_eq!(
        code(&probe.upload(images, &kind, "image", b"").await),
        234_010
    );
    assert_eq!(
        code(&probe.upload(images, &kind, "image", b"words").await),
        234_011
    );
    assert_eq!(
        code(
            &probe
                .upload(images, &kind, "image", &vec![b'0'; 10_000_001])
                .await
        ),
        234_006
    );
    let made = probe.upload(images, &kind, "image", png).await;
    let key = made.1["data"]["image_key"].as_str().unwrap().to_owned();
    assert_eq!(
        code(
            &probe
                .send("ou_a", "image", &json!({"image_key": key}))
                .await
        ),
        0
    );
    let opus = [("file_type", "opus"), ("file_name", "a.opus")];
    let made = probe.upload(files, &opus, "file", b"OggS").await;
    let key = json!({"file_key": made.1["data"]["file_key"]});
    assert_eq!(code(&probe.send("ou_a", "file", &key).await), 230_055);
    assert_eq!(code(&probe.send("ou_a", "audio", &key).await), 0);
    let zip = [("file_type", "zip"), ("file_name", "a.zip")];
    assert_eq!(
        code(&probe.upload(files, &zip, "file", b"PK").await),
        234_001
    );

    let (with, other) = (ada.send_file("n.txt", "notes"), ada.say("no file"));
    let event_key = feishu.timeline("ou_a");
    assert_eq!(
        event_key
            .iter()
            .find(|e| e.message_id == with)
            .unwrap()
            .text,
        "n.txt"
    );
    let read = probe
        .call(
            "GET",
            &format!("/open-apis/im/v1/messages/{with}"),
            &Value::Null,
        )
        .await
        .unwrap();
    let content: Value = serde_json::from_str(
        read.1["data"]["items"][0]["body"]["content"]
            .as_str()
            .unwrap(),
    )
    .unwrap();
    let key = content["file_key"].as_str().unwrap();
    for (message, kind, status, expected) in [
        (&with, "file", 200, -1),
        (&with, "image", 400, 234_003),
        (&other, "file", 400, 234_003),
    ] {
        let path = format!("/open-apis/im/v1/messages/{message}/resources/{key}?type={kind}");
        let reply = probe.call("GET", &path, &Value::Null).await.unwrap();
        assert_eq!((reply.0, code(&reply)), (status, expected), "{reply:?}");
    }
}
