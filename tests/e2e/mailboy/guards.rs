//! Every tool obeys what the command of its name obeys: nothing outside the working directory, nothing of
//! another person, no dangerous command, no private address; what writes or is risky asks first.

use serde_json::{Value, json};

use crate::world::{LONG, until};

/// What must come of a call.
enum Must {
    /// An error with these words in it; nobody is asked.
    Fail(&'static str),
    /// A result with these words in it; nobody is asked.
    Tell(&'static str),
    /// The person is asked first; a no is a no.
    Ask,
}
use Must::{Ask, Fail, Tell};

fn table() -> Vec<(&'static str, Value, Must)> {
    let path = |path: &str| json!({ "path": path });
    let write = |path: &str| json!({"path": path, "text": "written\n"});
    let dir = |dir: &str| json!({ "dir": dir });
    let command = |command: &str| json!({ "command": command });
    let session = |session: Value| json!({"session": session, "text": "hi"});
    let url = |url: &str| json!({ "url": url });
    vec![
        (
            "read_file",
            path("../keyring.yaml"),
            Fail("leads out of the working directory"),
        ),
        (
            "read_file",
            path("/etc/passwd"),
            Fail("leads out of the working directory"),
        ),
        ("read_file", path("bobs/secret.txt"), Fail("")),
        ("read_file", path(".ssh/id_rsa"), Fail("keys or passwords")),
        (
            "list_dir",
            path(".."),
            Fail("leads out of the working directory"),
        ),
        ("list_dir", path("bobs"), Fail("")),
        (
            "search_files",
            json!({"pattern": "bobs.secret"}),
            Tell("Nothing found"),
        ),
        (
            "search_files",
            json!({"pattern": "a", "path": ".."}),
            Fail("leads out of the working directory"),
        ),
        (
            "search_files",
            json!({"pattern": "a", "path": "bobs"}),
            Fail(""),
        ),
        (
            "send_file",
            path("../keyring.yaml"),
            Fail("leads out of the working directory"),
        ),
        ("send_file", path("bobs/secret.txt"), Fail("")),
        (
            "write_file",
            write("../out.txt"),
            Fail("leads out of the working directory"),
        ),
        ("write_file", write("bobs/out.txt"), Fail("")),
        ("write_file", write("bobs/new/out.txt"), Fail("")),
        ("write_file", write("mine/out.txt"), Ask),
        (
            "append_file",
            write("../out.txt"),
            Fail("leads out of the working directory"),
        ),
        ("append_file", write("bobs/secret.txt"), Fail("")),
        ("append_file", write("out.txt"), Ask),
        ("run_shell", command("rm -rf /"), Fail("Not run")),
        (
            "run_shell",
            command("sudo rm -rf /var/lib"),
            Fail("Not run"),
        ),
        (
            "run_shell",
            command("cat bobs/secret.txt"),
            Fail("exit code"),
        ),
        ("run_shell", command("touch ../out.txt"), Fail("exit code")),
        ("run_shell", command("eval \"$(cat some.txt)\""), Ask),
        ("new_session", dir("../out"), Fail("not inside")),
        ("new_session", dir("bobs"), Fail("somebody else's")),
        ("new_session", dir("bobs/inside"), Fail("somebody else's")),
        ("send_to_session", session(json!(1)), Fail("no session 1")),
        ("send_to_session", session(json!("bobs")), Fail("bobs")),
        (
            "send_to_session",
            json!({"text": "hi"}),
            Fail("no session yet"),
        ),
        (
            "switch_session",
            json!({"session": 1}),
            Fail("no session 1"),
        ),
        ("close_session", json!({"session": 1}), Fail("no session 1")),
        ("close_session", json!({"session": "bobs"}), Fail("bobs")),
        ("list_sessions", json!({}), Tell("no sessions")),
        ("task_status", json!({}), Tell("touch ../out.txt")),
        ("task_status", json!({"n": 1000}), Fail("no task 1000")),
        ("list_reminders", json!({}), Tell("")),
        ("cancel_reminder", json!({"number": 1}), Fail("")),
        (
            "set_reminder",
            json!({"when": "some day", "text": "x"}),
            Fail("not understood"),
        ),
        ("read_url", url("http://127.0.0.1:1/"), Fail("")),
        ("read_url", url("http://[::1]:1/"), Fail("")),
        ("read_url", url("http://169.254.169.254/latest"), Fail("")),
        ("read_url", url("file:///etc/passwd"), Fail("")),
        ("web_search", json!({"query": "x"}), Fail("METASO_API_KEY")),
        ("web_ask", json!({"question": "x"}), Fail("METASO_API_KEY")),
        ("node_info", json!({}), Tell("time zone:")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_obeys_what_its_command_obeys() {
    let (world, llm, _phonework) = super::started().await;
    let (anna, bob) = (world.anna(), world.feishu.user(super::BOB));
    bob.say("/new bobs");
    bob.wait_text("is ready", LONG).await.unwrap();
    let bobs = world.work().join("bobs");
    std::fs::write(bobs.join("secret.txt"), "bobs-secret\n").unwrap();
    bob.say("/shell --bg echo bobs-task; while [ ! -e go ]; do sleep 0.1; done");
    bob.wait_message(
        |m| m.text().contains("bobs-task") && m.has_button("Stop"),
        LONG,
    )
    .await
    .unwrap();
    bob.say("/remind 2h bobs-reminder");
    bob.wait_text("You will be reminded", LONG).await.unwrap();

    let (mut questions, mut wrong) = (0, Vec::new());
    let mut open = table();
    let mut round = 0;
    while !open.is_empty() {
        round += 1;
        // As many as are carried out at once; what asks goes alone.
        let alone = |must: &Must| matches!(must, Ask);
        let many = open.iter().take(8).take_while(|row| !alone(&row.2)).count();
        let rows: Vec<_> = open.drain(..many.max(1)).collect();
        let calls: Vec<Value> = rows
            .iter()
            .map(|(name, args, _)| json!([name, args]))
            .collect();
        let calls = Value::from(calls);
        anna.say(&format!(
            "round llm: tools {calls} ;; text told-{round}-all"
        ));
        if alone(&rows[0].2) {
            let is_new = |m: &kit::feishu::BotMessage| m.has_button("Allow once");
            let question = world.sees_that(is_new).await;
            questions += 1;
            anna.tap(&question.message_id, "Deny").await.unwrap();
        }
        world.sees(&format!("told-{round}-all")).await;
        let last = llm.requests().pop().unwrap();
        let results = last.said_by("tool");
        let results = &results[results.len() - rows.len()..];
        for ((name, args, must), result) in rows.iter().zip(results) {
            let fails = result.starts_with("Error: ");
            let (is_right, words) = match must {
                Fail(words) => (fails, *words),
                Tell(words) => (!fails, *words),
                Ask => (fails, ""),
            };
            if !is_right || !result.contains(words) || result.contains("bobs-") {
                wrong.push(format!("{name} {args}: {result}"));
            }
        }
        let asked = anna.messages();
        let asked = asked
            .iter()
            .filter(|m| m.text().contains("May I use"))
            .count();
        assert_eq!(asked, questions, "{calls}");
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let tools = llm.requests()[0].body["tools"].clone();
    for tool in tools.as_array().unwrap() {
        let name = &tool["function"]["name"];
        let is_tried = table().iter().any(|(tried, _, _)| name == tried);
        assert!(is_tried, "the table has no row for {name}");
    }
    for file in [
        "mine",
        "out.txt",
        "bobs/out.txt",
        "bobs/new",
        "../out.txt",
        "../out",
    ] {
        assert!(!world.work().join(file).exists(), "{file}");
    }
    let secret = std::fs::read_to_string(bobs.join("secret.txt")).unwrap();
    assert_eq!(secret, "bobs-secret\n");
    assert_eq!(world.count("bobs-"), 0);

    // Nothing of his has changed.
    bob.say("/status");
    let status = bob.wait_text("Sessions on", LONG).await.unwrap();
    assert!(status.text().contains("bobs (active)"), "{}", status.text());
    bob.say("/remind list");
    until(LONG, "his reminder", || {
        let messages = bob.messages();
        messages.last().unwrap().text().contains("bobs-reminder")
    })
    .await;
    std::fs::write(world.work().join("go"), "").unwrap();
    std::fs::write(bobs.join("go"), "").unwrap();
    bob.wait_message(
        |m| m.text().contains("bobs-task") && !m.has_button("Stop"),
        LONG,
    )
    .await
    .unwrap();
}

/// What the person allows is what is written: all of it is on the card, and nothing else happened to the
/// file meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_is_what_was_read() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    let work = world.work();
    let result = || llm.requests().pop().unwrap().said_by("tool").pop().unwrap();
    // More than a card shows whole is not asked at all.
    let long = "a line of text\\n".repeat(900);
    anna.say(&format!(
        "a llm: tool write_file {{\"path\":\"long.txt\",\"text\":\"{long}\"}} ;; text told-a"
    ));
    world.sees("told-a").await;
    assert!(
        result().contains("more than the person can read"),
        "{}",
        result()
    );
    let command = format!("echo {}", "x".repeat(13_000));
    anna.say(&format!(
        "b llm: tool run_shell {{\"command\":\"{command}\"}} ;; text told-b"
    ));
    world.sees("told-b").await;
    assert!(
        result().contains("a command may have at most"),
        "{}",
        result()
    );
    assert_eq!(world.count("May I use"), 0);
    // What would be lost and cannot be shown is named.
    let binary = [vec![0_u8; 100], b"end".to_vec()].concat();
    std::fs::write(work.join("data.bin"), &binary).unwrap();
    anna.say("c llm: tool write_file {\"path\":\"data.bin\",\"text\":\"new\"} ;; text told-c");
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    assert!(question.text().contains("103 bytes"), "{}", question.text());
    anna.tap(&question.message_id, "Deny").await.unwrap();
    world.sees("told-c").await;
    assert_eq!(std::fs::read(work.join("data.bin")).unwrap(), binary);
    // The file changes while the person thinks.
    std::fs::write(work.join("notes.txt"), "one\n").unwrap();
    anna.say("e llm: tool write_file {\"path\":\"notes.txt\",\"text\":\"two\\n\"} ;; text told-e");
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    assert!(question.text().contains("-one"), "{}", question.text());
    std::fs::write(work.join("notes.txt"), "theirs\n").unwrap();
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    world.sees("told-e").await;
    assert!(result().contains("has changed since"), "{}", result());
    let notes = std::fs::read_to_string(work.join("notes.txt")).unwrap();
    assert_eq!(notes, "theirs\n");
}
