//! The official SDKs take the stand-in for the platform: what they saw and what it saw agree.

use std::process::Stdio;
use std::time::Duration;

use kit::feishu::{APP_ID, APP_SECRET, BotMessage, Feishu, How, Order, SayOptions, User};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

const LONG: Duration = Duration::from_secs(60);
const OPEN_ID: &str = "ou_ada";
const SAID: &str = "你好, bot — cut me at odd places";

#[tokio::test]
async fn python_sdk() {
    let deps = kit::workspace().join(".deps/py");
    // The packages lie in the folder itself or in a virtual environment there.
    let own = deps.join("bin/python");
    let python = if own.exists() { own } else { "python3".into() };
    let mut command = Command::new(python);
    command
        .arg(kit::workspace().join("tests/sdk/lark_check.py"))
        .env("PYTHONPATH", &deps);
    let probe = command.as_std().get_program().to_owned();
    let known = Command::new(probe)
        .env("PYTHONPATH", &deps)
        .args(["-c", "import lark_oapi"])
        .output();
    let known = known.await.is_ok_and(|o| o.status.success());
    assert!(
        known,
        "no lark-oapi below {}: run `make test-deps`",
        deps.display()
    );
    check(command, None, "python").await;
}

#[tokio::test]
async fn node_sdk() {
    let deps = kit::workspace().join(".deps/node");
    let sdk = deps.join("node_modules/@larksuiteoapi/node-sdk/package.json");
    assert!(sdk.exists(), "no {}: run `make test-deps`", sdk.display());
    let mut command = Command::new("node");
    command.arg(kit::workspace().join("tests/sdk/lark_check.mjs"));
    check(command, Some(deps.display().to_string()), "node").await;
}

async fn check(mut command: Command, last: Option<String>, name: &str) {
    let feishu = Feishu::start().await;
    let ada = feishu.user(OPEN_ID);
    let mut child = command
        .args([&feishu.base_url(), APP_ID, APP_SECRET, OPEN_ID])
        .args(last)
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("cannot run {name}: {e}: run `make test-deps`"));
    // Kept open: its end tells the script to go.
    let _input = child.stdin.take();
    let asked = tokio::select! {
        asked = converse(&feishu, &ada) => asked,
        ended = child.wait() => panic!("the script ended early: {ended:?}; see its output above"),
    };
    let (question, asked) = asked;

    let file = ada.send_file("notes.txt", "the notes");
    let answer = ada.tap(&asked.message_id, "Allow").await.unwrap();
    let verdict = verdict(&mut child).await;

    // What the SDK saw.
    assert_eq!(verdict["text"], SAID);
    assert_eq!(verdict["sent"], verdict["again"], "one uuid, one message");
    assert_eq!(verdict["read"], json!({"text": format!("from {name}")}));
    assert_eq!(verdict["stale"], 300_317);
    assert_eq!(verdict["downloaded"], "the notes");
    assert_eq!(verdict["tap"], json!({"op": "allow"}));
    assert_eq!(verdict["bot"], feishu.bot_open_id());

    // What the platform saw: the callback's answer …
    assert_eq!(answer.code, 0, "{}", feishu.story());
    let toast = answer.toast.unwrap();
    assert_eq!(
        (toast.kind.as_str(), toast.content.as_str()),
        ("success", "noted")
    );
    assert!(answer.card.is_some());

    // … the messages, in order, with what became of them …
    let messages = ada.messages();
    let ids: Vec<&str> = messages.iter().map(|m| m.message_id.as_str()).collect();
    let told = ["sent", "card", "reply", "entity", "image", "file"];
    assert_eq!(ids, told.map(|key| verdict[key].as_str().unwrap()));
    let [text, card, reply, entity, image, attached] = messages.as_slice() else {
        panic!("six messages");
    };
    assert_eq!((text.text(), text.repeats), (format!("from {name}"), 1));
    assert!(text.reactions.is_empty(), "added and taken away");
    assert_eq!(card.text(), "allowed");
    let edits: Vec<How> = card.edits.iter().map(|e| e.how).collect();
    assert_eq!(edits, [How::Patch, How::Callback]);
    assert_eq!(reply.reply_to.as_deref(), Some(question.as_str()));
    assert_eq!(reply.text(), "t\n**reply**");
    assert_eq!(entity.text(), "half and whole");
    assert!(!entity.streaming);
    let edits: Vec<How> = entity.edits.iter().map(|e| e.how).collect();
    assert_eq!(edits, [How::Stream, How::Stream, How::Settings]);
    assert!(
        feishu
            .media(image.content["image_key"].as_str().unwrap())
            .unwrap()
            .1
            .starts_with(b"\x89PNG")
    );
    let (file_name, bytes) = feishu
        .media(attached.content["file_key"].as_str().unwrap())
        .unwrap();
    assert_eq!(
        (file_name.as_str(), bytes.as_ref()),
        ("a.txt", format!("file from {name}").as_bytes())
    );
    assert_eq!(
        feishu
            .reactions(&question)
            .iter()
            .map(|r| r.emoji.as_str())
            .collect::<Vec<_>>(),
        ["OnIt"]
    );

    // … and the acks.
    feishu
        .wait_until(|f| f.acks().len() == 3, LONG)
        .await
        .unwrap();
    for about in [&question, &file, &asked.message_id] {
        let acks = feishu.acks();
        let ack = acks
            .iter()
            .find(|a| a.message_id.as_ref() == Some(about))
            .unwrap();
        assert!(ack.accepted && ack.problem.is_none(), "{ack:?}");
        assert!(ack.biz_rt.is_some(), "{ack:?}");
    }
    assert_eq!(feishu.violations(), Vec::<String>::new());
    assert!(
        !feishu.connections()[0].pings.is_empty(),
        "the SDKs ping right after connecting"
    );
}

/// Says something once the script is connected, and waits until it has done all its calls.
async fn converse(feishu: &Feishu, ada: &User) -> (String, BotMessage) {
    feishu.wait_connected(1, LONG).await.unwrap();
    let cut = SayOptions {
        parts: 5,
        order: Order::Reversed,
        ..SayOptions::default()
    };
    let question = ada.say_with(SAID, cut);
    (
        question,
        ada.wait_message(|m| m.has_button("Allow"), LONG)
            .await
            .unwrap(),
    )
}

/// The JSON behind the word VERDICT; the SDKs write their own lines before it.
async fn verdict(child: &mut tokio::process::Child) -> Value {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = String::new();
    let read = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(json) = line.strip_prefix("VERDICT ") {
                return serde_json::from_str(json).unwrap();
            }
            seen += &line;
            seen.push('\n');
        }
        panic!("the script ended without a verdict:\n{seen}");
    };
    tokio::time::timeout(LONG, read)
        .await
        .expect("a verdict in time")
}
