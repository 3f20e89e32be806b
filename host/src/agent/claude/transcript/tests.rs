//! Turns pieced together from lines of both versions, and files with a lot in between.

use serde_json::{Value, json};

use super::*;

const OURS: u128 = 1;

fn id(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

/// One line of the tree.
fn node(n: u128, parent: u128, kind: &str, rest: Value) -> String {
    let mut line = json!({"uuid": id(n), "parentUuid": id(parent), "type": kind});
    if let (Some(line), Value::Object(rest)) = (line.as_object_mut(), rest) {
        line.extend(rest);
    }
    line.to_string()
}

fn prompt(n: u128, parent: u128) -> String {
    let rest =
        json!({"promptId": format!("p{n}"), "message": {"role": "user", "content": "words"}});
    node(n, parent, "user", rest)
}

fn reply(n: u128, parent: u128, text: &str, stop: Option<&str>) -> String {
    let message = json!({"id": format!("m{n}"), "model": "claude-opus-5-5", "stop_reason": stop,
        "content": [{"type": "text", "text": text}]});
    node(n, parent, "assistant", json!({"message": message}))
}

fn call(n: u128, parent: u128) -> String {
    let message = json!({"id": format!("m{n}"), "model": "x", "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]});
    node(n, parent, "assistant", json!({"message": message}))
}

fn tool_result(n: u128, parent: u128) -> String {
    let message = json!({"content": [{"type": "tool_result", "tool_use_id": "t", "content": ""}]});
    node(
        n,
        parent,
        "user",
        json!({"promptId": "p1", "message": message}),
    )
}

fn whole(lines: &[String]) -> Ending {
    ending(lines.iter().map(String::as_bytes), Uuid::from_u128(OURS))
}

fn of(lines: &[String]) -> TranscriptOutcome {
    whole(lines).outcome
}

fn finished(text: &str) -> TranscriptOutcome {
    TranscriptOutcome::Finished {
        text: text.to_owned(),
    }
}

#[test]
fn from_the_prompt_to_the_answer() {
    let mut lines = vec![prompt(90, 0), reply(91, 90, "before", Some("end_turn"))];
    assert_eq!(of(&lines), TranscriptOutcome::NotFound);
    lines.push(prompt(1, 91));
    assert_eq!(of(&lines), TranscriptOutcome::Unfinished);
    lines.push(node(
        2,
        1,
        "attachment",
        json!({"attachment": {"type": "date"}}),
    ));
    lines.push(call(3, 2));
    assert_eq!(of(&lines), TranscriptOutcome::Unfinished);
    lines.push(tool_result(4, 3));
    assert_eq!(of(&lines), TranscriptOutcome::Unfinished);
    lines.push(json!({"type": "last-prompt", "leafUuid": id(4)}).to_string());
    lines.push(reply(5, 4, "the answer", Some("end_turn")));
    assert_eq!(of(&lines), finished("the answer"));
    // The next turn, and one that nobody asked for, change nothing of that.
    lines.push(prompt(6, 5));
    lines.push(reply(7, 6, "another", None));
    lines.push(prompt(8, 7));
    assert_eq!(of(&lines), finished("the answer"));
}

#[test]
fn one_line_for_each_block() {
    let block = |n: u128, parent: u128, content: Value, stop: Option<&str>| {
        let message = json!({"id": "m", "model": "x", "stop_reason": stop, "content": [content]});
        node(n, parent, "assistant", json!({"message": message}))
    };
    let text = |text: &str| json!({"type": "text", "text": text});
    let lines = [
        prompt(1, 0),
        block(2, 1, json!({"type": "thinking", "thinking": "hm"}), None),
        block(3, 2, text("one"), None),
        block(4, 3, text("two"), Some("end_turn")),
    ];
    assert_eq!(of(&lines), finished("one\n\ntwo"));
    assert_eq!(of(&lines[..3]), TranscriptOutcome::Unfinished);
}

#[test]
fn stopped_failed_and_placeholders() {
    let stopped = json!({"promptId": "p1", "message": {"content":
        [{"type": "text", "text": "[Request interrupted by user for tool use]"}]}});
    let lines = [
        prompt(1, 0),
        reply(2, 1, "half", None),
        node(3, 2, "user", stopped),
    ];
    assert_eq!(of(&lines), TranscriptOutcome::Interrupted);

    let error = json!({"isApiErrorMessage": true, "error": "server_error", "apiErrorStatus": 529,
        "message": {"id": "e", "model": "<synthetic>", "stop_reason": "stop_sequence",
            "content": [{"type": "text", "text": "API Error: 529 Overloaded"}]}});
    let lines = [prompt(1, 0), node(2, 1, "assistant", error)];
    assert_eq!(
        of(&lines),
        TranscriptOutcome::Failed(AgentFault::Overloaded)
    );

    let placeholder = json!({"message": {"id": "s", "model": "<synthetic>",
        "stop_reason": "stop_sequence",
        "content": [{"type": "text", "text": "No response requested."}]}});
    let lines = [
        prompt(1, 0),
        node(2, 1, "assistant", placeholder),
        prompt(3, 2),
        reply(4, 3, "to the next one", Some("end_turn")),
    ];
    assert_eq!(of(&lines), TranscriptOutcome::Unfinished);
}

#[test]
fn the_cli_goes_on_by_itself() {
    let meta = json!({"isMeta": true, "message": {"content": "Output token limit hit."}});
    let mut lines = vec![prompt(1, 0), reply(2, 1, "half", Some("max_tokens"))];
    assert_eq!(of(&lines), TranscriptOutcome::Unfinished);
    lines.push(node(3, 2, "user", meta));
    lines.push(reply(4, 3, "whole", Some("end_turn")));
    assert_eq!(of(&lines), finished("whole"));

    // The conversation was shortened in the middle of the turn.
    let boundary = json!({"uuid": id(11), "parentUuid": null, "logicalParentUuid": id(10),
        "type": "system", "subtype": "compact_boundary"});
    let summary = json!({"isCompactSummary": true, "message": {"content": "Summary"}});
    let lines = [
        prompt(1, 0),
        call(10, 1),
        boundary.to_string(),
        node(12, 11, "user", summary),
        reply(13, 12, "after it", Some("end_turn")),
    ];
    assert_eq!(of(&lines), finished("after it"));
}

#[test]
fn folded_messages_and_commands() {
    let folded = json!({"attachment": {"type": "queued_command", "source_uuid": id(OURS)}});
    let lines = [
        prompt(20, 0),
        call(21, 20),
        tool_result(22, 21),
        node(23, 22, "attachment", folded),
        reply(24, 23, "for both", Some("end_turn")),
    ];
    let ending = whole(&lines);
    assert_eq!(ending.outcome, finished("for both"));
    assert!(ending.folded);

    let output = json!({"subtype": "local_command",
        "content": "<local-command-stdout>42 tokens</local-command-stdout>"});
    let lines = [prompt(1, 0), node(2, 1, "system", output)];
    let ending = whole(&lines);
    assert_eq!(ending.outcome, finished("42 tokens"));
    assert!(!ending.folded, "a turn of its own");
}

#[test]
fn subagents_are_not_the_answer() {
    let mut side: Value = serde_json::from_str(&reply(3, 2, "inner", Some("end_turn"))).unwrap();
    side["isSidechain"] = true.into();
    let lines = [prompt(1, 0), call(2, 1), side.to_string()];
    assert_eq!(of(&lines), TranscriptOutcome::Unfinished);
}

#[tokio::test]
async fn megabytes_in_between_and_a_line_cut_by_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.jsonl");
    let noise = json!({"type": "api-request-blob", "message": "x".repeat(300_000)}).to_string();
    let mut lines = vec![noise.clone(); 3];
    lines.push(prompt(1, 0));
    lines.extend(std::iter::repeat_n(noise, 40));
    lines.push(reply(2, 1, "far down", Some("end_turn")));
    lines.push(r#"{"parentUuid":"00000000-0000-0000-0000-000000000002","uu"#.to_owned());
    std::fs::write(&path, lines.join("\n")).unwrap();
    let outcome = outcome_of(path, Uuid::from_u128(OURS)).await.unwrap();
    assert_eq!(outcome, finished("far down"));

    let missing = outcome_of(folder.path().join("none"), Uuid::nil()).await;
    assert_eq!(missing.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn folders_as_the_cli_names_them() {
    assert_eq!(
        project_slug(Path::new("/home/user/my_app.rs")),
        "-home-user-my-app-rs"
    );
    assert_eq!(project_slug(Path::new("/数/é😀")), "------");
    let long = format!("/{}", "a".repeat(300));
    assert_eq!(project_slug(Path::new(&long)).len(), 200);
}

#[test]
fn files_are_found_wherever_they_are() {
    let config = tempfile::tempdir().unwrap();
    let cwd = tempfile::tempdir().unwrap();
    let session = Uuid::from_u128(5);
    assert_eq!(transcript_path(config.path(), cwd.path(), session), None);
    let elsewhere = config.path().join("projects/-somewhere-else");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let file = elsewhere.join(format!("{session}.jsonl"));
    std::fs::write(&file, "").unwrap();
    assert_eq!(
        transcript_path(config.path(), cwd.path(), session),
        Some(file)
    );

    let real = cwd.path().canonicalize().unwrap();
    let usual = config.path().join("projects").join(project_slug(&real));
    std::fs::create_dir_all(&usual).unwrap();
    let file = usual.join(format!("{session}.jsonl"));
    std::fs::write(&file, "").unwrap();
    assert_eq!(
        transcript_path(config.path(), cwd.path(), session),
        Some(file)
    );
}

#[test]
fn the_configuration_folder() {
    let dir = |vars: &[(&str, &str)]| {
        config_dir(|name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    };
    assert_eq!(dir(&[("HOME", "/h")]), Some(PathBuf::from("/h/.claude")));
    let both = [("HOME", "/h"), ("CLAUDE_CONFIG_DIR", "/c")];
    assert_eq!(dir(&both), Some(PathBuf::from("/c")));
    let empty = [("HOME", "/h"), ("CLAUDE_CONFIG_DIR", "")];
    assert_eq!(dir(&empty), Some(PathBuf::from("/h/.claude")));
    assert_eq!(dir(&[]), None);
}
