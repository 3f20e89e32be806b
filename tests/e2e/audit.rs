//! The audit: what a person did through Feishu stands in it, by whom, where and with what outcome, and
//! no secret does.

use std::os::unix::fs::PermissionsExt as _;

use kit::feishu::{Class, Fault};
use serde_json::Value;

use crate::world::{ANNA, World, until};

fn lines(world: &World, args: &[&str]) -> Vec<Value> {
    let (status, text) = world.command(&[&["audit", "--json"], args].concat());
    assert!(status.success(), "{text}");
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_by_whose_word_is_written_down() {
    let world = World::start().await;
    let (_, text) = world.command(&["audit"]);
    assert!(text.contains("There is no audit in"), "{text}");
    let phonework = world.standalone().await;
    let anna = world.anna();
    let secret = world.feishu.app_secret().to_owned();
    let said =
        anna.say("/new demo fake: tool Bash {\"command\":\"echo ran > ran.txt\"} ;; text all-done");
    let question = world.sees_that(|card| card.has_button("Allow once")).await;
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    world.sees("all-done").await;
    anna.say("/shell echo from-the-shell");
    world.sees("from-the-shell").await;
    anna.say(&format!("/search {secret}"));
    world.sees("METASO_API_KEY").await;
    until(crate::world::LONG, "the search in the audit", || {
        let lines = lines(&world, &["--user", ANNA]);
        of(&lines, "answer")
            .iter()
            .any(|line| line["outcome"] == "warning")
            && !of(&lines, "turn_ended").is_empty()
    })
    .await;

    let all = lines(&world, &["--user", ANNA, "--since", "1h"]);
    for kind in [
        "message",
        "decision",
        "command",
        "turn_began",
        "asked",
        "tap",
        "answered",
        "turn_ended",
        "answer",
        "shell",
    ] {
        let found = of(&all, kind);
        assert!(!found.is_empty(), "no {kind} in {all:#?}");
        for line in found {
            assert_eq!(line["user"], format!("feishu/{ANNA}"), "{line}");
            assert!(
                line["cause"].is_string() && line["at"].is_string(),
                "{line}"
            );
        }
    }
    let message = of(&all, "message")[0];
    assert!(
        message["cause"].as_str().unwrap().contains(&said),
        "{message}"
    );
    assert_eq!(message["by"], "router");
    let began = of(&all, "turn_began")[0];
    assert_eq!(
        (&began["cause"], &began["outcome"]),
        (&message["cause"], &Value::from("started"))
    );
    assert!(
        began["turn"].is_string() && began["node"] == began["by"],
        "{began}"
    );
    assert_eq!(of(&all, "turn_ended")[0]["outcome"], "done");
    let (asked, answered) = (of(&all, "asked")[0], of(&all, "answered")[0]);
    assert!(
        asked["what"].as_str().unwrap().contains("echo ran"),
        "{asked}"
    );
    assert_eq!(
        (&answered["outcome"], &answered["prompt"]),
        (&Value::from("allowed once"), &asked["prompt"])
    );
    let times: Vec<_> = all
        .iter()
        .map(|line| line["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        of(&all, "command")
            .iter()
            .any(|line| line["what"] == "/search •••"),
        "{all:#?}"
    );

    let shell = of(&all, "shell");
    let last = shell.last().unwrap();
    assert_eq!(last["what"], "echo from-the-shell");
    assert!(
        last["outcome"]
            .as_str()
            .unwrap()
            .starts_with("exit 0 after"),
        "{last}"
    );

    // Readable, also while nothing runs; others' lines are others'.
    let (status, _) = phonework.stop().await;
    assert!(status.success());
    let (status, text) = world.command(&["audit", "--user", ANNA]);
    assert!(
        status.success() && text.contains("allowed once") && !text.contains(&secret),
        "{text}"
    );
    assert!(lines(&world, &["--user", "ou_other"]).is_empty());
    let (status, text) = world.command(&["audit", "--since", "soon"]);
    assert!(
        status.code() == Some(64) && text.contains("2026-11-01"),
        "{text}"
    );
    for folder in common::audit::read::folders(&world.data()) {
        for file in std::fs::read_dir(folder).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_to_and_from_the_chat_are_written_down_once_with_what_became_of_them() {
    let world = World::start().await;
    let _phonework = world.standalone().await;
    let anna = world.anna();
    anna.say("/new demo");
    world.sees("is ready").await;
    anna.send_file("in.txt", &b"12345"[..]);
    world.sees("demo/in.txt (5 B)").await;
    world.feishu.fault(
        Class::Resource,
        Fault::Code {
            http: 400,
            code: 234_003,
        },
    );
    anna.send_file("gone.txt", &b"x"[..]);
    world.sees("gone.txt did not arrive").await;
    anna.say("/send in.txt");
    world.sees_that(|m| m.msg_type == "file").await;
    // Refused, it is a command with its answer and no file.
    anna.say("/send ../../etc/passwd");
    world.sees("leads out of the working directory").await;

    until(crate::world::LONG, "the files in the audit", || {
        let all = lines(&world, &["--user", ANNA]);
        of(&all, "file_in").len() >= 2 && !of(&all, "file_out").is_empty()
    })
    .await;
    let all = lines(&world, &["--user", ANNA]);
    let told = |kind: &str| {
        let lines = of(&all, kind).into_iter();
        let lines = lines.map(|line| format!("{kind}: {} {}", line["what"], line["outcome"]));
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!([told("file_in"), told("file_out")].join("\n"), @r#"
    file_in: "demo/in.txt" "received, 5 bytes"
    file_in: "gone.txt" "not received: it is not there any more. Send it again."
    file_out: "in.txt" "sent, 5 bytes"
    "#);
    for line in of(&all, "file_in").into_iter().chain(of(&all, "file_out")) {
        assert_eq!(line["user"], format!("feishu/{ANNA}"), "{line}");
        for field in ["at", "chat", "node", "cause"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    let refused = of(&all, "answer");
    assert!(
        refused.iter().any(|line| line["outcome"] == "warning"),
        "{refused:?}"
    );
    let (_, text) = world.command(&["audit", "--user", "ou_other"]);
    assert!(!text.contains("in.txt"), "{text}");
}
