//! From the fake platform into a real broker: nothing lost, nothing twice, in order, and only from
//! people who may.

use std::time::Duration;

use common::identity::check_seal;
use common::ids::CardId;
use common::message::inbound::{ChatKind, FileKind, InboundBody, MAX_TEXT};
use common::message::view::{Action, Button, ButtonStyle, Tone};
use kit::feishu::{Feishu, SayOptions, Settings};
use secrecy::SecretString;

use crate::stage::{SOON, Stage, app, card, direct, until, view};

fn text(body: &InboundBody) -> &str {
    match body {
        InboundBody::Text { text } => text,
        other => panic!("not a text: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_once_and_confirmed() {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let me = feishu.user("ou_me");
    let id = me.say("hello");
    let said = stage.wait_said(1).await;
    assert_eq!(text(&said[0].body), "hello");
    assert_eq!(said[0].user.to_string(), "feishu/ou_me");
    assert_eq!(said[0].meta.cause.as_str(), format!("feishu:{id}"));
    assert_eq!(
        (said[0].chat.id.as_str(), said[0].chat.kind),
        (me.chat_id().as_str(), ChatKind::Direct)
    );
    assert_eq!(said[0].chat.message.as_deref(), Some(id.as_str()));
    assert_eq!(said[0].meta.traceparent.len(), 55);
    let reacted = |f: &Feishu| f.reactions(&id).iter().any(|one| one.by_bot);
    feishu.wait_until(reacted, SOON).await.unwrap();

    // The platform repeats it under another event id.
    feishu.redeliver(&id, None);
    let acked = |f: &Feishu| f.acks().iter().filter(|ack| ack.accepted).count() == 2;
    feishu.wait_until(acked, SOON).await.unwrap();
    assert_eq!(stage.said().await.len(), 1);
    assert_eq!(feishu.reactions(&id).len(), 1);
    assert!(feishu.violations().is_empty(), "{:?}", feishu.violations());
    let ping = stage
        .router
        .client()
        .request("$SRV.PING.phonework-gateway-feishu", "".into());
    let pong = tokio::time::timeout(SOON, ping).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&pong.payload).contains("phonework-gateway-feishu"));
    let info = stage
        .router
        .client()
        .request("$SRV.INFO.phonework-gateway-feishu", "".into());
    let info = tokio::time::timeout(SOON, info).await.unwrap().unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info.payload).unwrap();
    assert_eq!(info["metadata"]["surface"], "feishu");
    assert_eq!(info["metadata"]["version"], env!("CARGO_PKG_VERSION"));
    let told = info["description"].as_str().unwrap();
    assert_eq!(told, "PhoneWork gateway: receives and shows on feishu");
    until("a good board", async || {
        gateway.health.report().0.then_some(())
    })
    .await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_broker_nothing_is_acknowledged_and_nothing_lost() {
    let mut stage = Stage::start().await;
    let feishu = Feishu::start_with(Settings {
        redelivery: vec![Duration::from_millis(500); 40],
        ..Settings::default()
    })
    .await;
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    stage.nats.kill().await;
    feishu.user("ou_me").say("are you there?");
    let refused = |f: &Feishu| f.acks().iter().any(|ack| !ack.accepted);
    feishu.wait_until(refused, SOON).await.unwrap();
    assert!(feishu.acks().iter().all(|ack| !ack.accepted));
    stage.nats.restart().await;
    let accepted = |f: &Feishu| f.acks().iter().any(|ack| ack.accepted);
    feishu.wait_until(accepted, SOON).await.unwrap();
    let said = stage.wait_said(1).await;
    assert_eq!(said.len(), 1);
    assert_eq!(text(&said[0].body), "are you there?");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_messages_keep_their_order() {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let (me, you) = (feishu.user("ou_me"), feishu.user("ou_you"));
    // No more at once than the connection takes in hand.
    for n in 0..25 {
        me.say(&format!("{n}"));
        you.say(&format!("{n}"));
    }
    let said = stage.wait_said(50).await;
    for open_id in ["ou_me", "ou_you"] {
        let mine = said.iter().filter(|one| one.user.native() == open_id);
        let texts: Vec<&str> = mine.map(|one| text(&one.body)).collect();
        let wanted: Vec<String> = (0..25).map(|n| n.to_string()).collect();
        assert_eq!(texts, wanted, "{open_id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_told_once_and_go_no_further() {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let mut set_up = app(&feishu);
    set_up.allowed = vec!["ou_me".parse().unwrap()];
    let _gateway = stage.gateway(set_up);
    feishu.wait_connected(1, SOON).await.unwrap();
    let stranger = feishu.user("ou_stranger");
    stranger.say("let me in");
    stranger.wait_text("ou_stranger", SOON).await.unwrap();
    stranger.say("please");
    feishu.user("ou_me").say("hi");
    let acked = |f: &Feishu| f.acks().iter().filter(|ack| ack.accepted).count() == 3;
    feishu.wait_until(acked, SOON).await.unwrap();
    let said = stage.wait_said(1).await;
    assert_eq!((said.len(), text(&said[0].body)), (1, "hi"));
    assert_eq!(stranger.messages().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_text_or_too_long_is_said_so() {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let me = feishu.user("ou_me");
    me.say("  ");
    me.send_image(vec![1, 2, 3]);
    let sticker = SayOptions {
        msg_type: Some("sticker".into()),
        content: Some(serde_json::json!({"file_key": "file_1"})),
        ..SayOptions::default()
    };
    me.say_with("", sticker);
    me.say(&"x".repeat(MAX_TEXT + 1));
    let group = feishu.group(&["ou_me"]);
    let options = SayOptions {
        chat: Some(group.chat_id().to_owned()),
        mention: true,
        ..SayOptions::default()
    };
    me.say_with("in the group", options);
    let said = stage.wait_said(4).await;
    let bodies: Vec<&InboundBody> = said.iter().map(|one| &one.body).collect();
    let InboundBody::Files { files, text: words } = bodies[0] else {
        panic!("{:?}", bodies[0]);
    };
    // Sealed, so that whoever asks for its bytes shows that this person sent it.
    let (file, secret) = (&files[0], SecretString::from(feishu.app_secret()));
    let holds = |user: &str| check_seal(&secret, user, &file.message, &file.key, &file.seal);
    assert_eq!((file.kind, words.as_str()), (FileKind::Image, ""));
    assert!(holds("feishu/ou_me") && !holds("feishu/ou_you"));
    assert_eq!(
        bodies[1],
        &InboundBody::Unsupported {
            what: "sticker".into()
        }
    );
    assert_eq!(
        bodies[2],
        &InboundBody::TooLong {
            bytes: MAX_TEXT + 1
        }
    );
    assert_eq!(text(bodies[3]), "in the group");
    assert_eq!(said[3].chat.kind, ChatKind::Group);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_is_taken_and_says_so() {
    let (stage, feishu) = (Stage::start().await, Feishu::start().await);
    let _gateway = stage.gateway(app(&feishu));
    feishu.wait_connected(1, SOON).await.unwrap();
    let me = feishu.user("ou_me");
    let user = "ou_me".parse().unwrap();
    let action = Action::UseNode {
        node: "lab-1".parse().unwrap(),
        pending: Some(7),
    };
    let mut asking = view(Tone::Asking, "Which machine?");
    asking.buttons = vec![Button {
        label: "lab-1".into(),
        style: ButtonStyle::Primary,
        action: action.clone(),
    }];
    let shown = card(&user, &direct(&me.chat_id()), CardId::new(), 1, asking);
    stage.show(&shown).await;
    let message = me.wait_text("Which machine?", SOON).await.unwrap();

    let answer = me.tap(&message.message_id, "lab-1").await.unwrap();
    assert_eq!(answer.code, 0);
    let toast = answer.toast.unwrap();
    // Each app shows its own language.
    assert_eq!(
        (toast.content.as_str(), toast.zh_cn.as_deref()),
        ("Got it", Some("收到"))
    );
    let said = stage.wait_said(1).await;
    assert_eq!(said[0].body, InboundBody::Tap { action });
    assert_eq!(said[0].user, user);
}
