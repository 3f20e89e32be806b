//! Questions: what is asked, how far a yes goes, what a no says, and what a command sees.

use host::agent::{
    AgentEvent, Allow, ChildEnv, HandleError, PermissionAnswer, PermissionMode, RunState,
    SessionStart,
};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{Setting, bash, os};

#[tokio::test]
async fn yes_once_yes_for_the_session_and_no() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();

    agent.say(&bash("touch once.txt", "done")).await;
    let request = agent.asked().await;
    assert_eq!(request.tool, "Bash");
    assert_eq!(request.input["command"], "touch once.txt");
    assert_eq!(request.session_scope.len(), 1, "{request:?}");
    assert!(request.session_scope[0].starts_with("Bash(touch once.txt"));
    assert!(!setting.file("once.txt").exists());
    assert!(agent.seen.iter().any(|event| matches!(event,
        AgentEvent::ToolStarted { name, summary, parent: None, .. }
            if name == "Bash" && summary == "touch once.txt")));
    agent
        .handle
        .answer(&request.request_id, PermissionAnswer::ONCE)
        .await
        .unwrap();
    assert_eq!(agent.finished().await.text, "done");
    agent.idle().await;
    assert!(setting.file("once.txt").exists());
    assert!(
        agent
            .seen
            .contains(&AgentEvent::State(RunState::RequiresAction))
    );
    assert!(agent.seen.iter().any(|event| matches!(
        event,
        AgentEvent::ToolFinished {
            is_error: false,
            ..
        }
    )));

    // Once was once; now for the session.
    agent.say(&bash("touch once.txt", "done")).await;
    let request = agent.asked().await;
    agent
        .handle
        .answer(&request.request_id, PermissionAnswer::SESSION)
        .await
        .unwrap();
    agent.finished().await;
    agent.idle().await;
    agent.turn(&bash("touch once.txt", "done")).await;
    assert_eq!(agent.questions(), 0, "{:#?}", agent.seen);
    let local = setting.file(".claude/settings.local.json");
    assert!(!local.exists(), "it was to last for the session only");

    // It covered nothing else. And no, with words for the model.
    agent.seen.clear();
    agent
        .say(&bash("rm once.txt", "it said: {tool_result}"))
        .await;
    let request = agent.asked().await;
    agent
        .handle
        .answer(
            &request.request_id,
            PermissionAnswer::deny("use the bin instead"),
        )
        .await
        .unwrap();
    let result = agent.finished().await;
    assert!(
        result.text.contains("use the bin instead"),
        "{}",
        result.text
    );
    assert_eq!(result.denied_tools, ["Bash"]);
    assert!(setting.file("once.txt").exists());
    agent.idle().await;

    // An answered question is closed.
    let late = agent
        .handle
        .answer(&request.request_id, PermissionAnswer::ONCE)
        .await;
    assert_eq!(late, Err(HandleError::NotOpen));
    agent.handle.close().await;
}

#[tokio::test]
async fn edits_for_the_session_stay_inside_the_project() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let write = |path: std::path::PathBuf| {
        let input = json!({"file_path": path, "content": "x"});
        format!("fake: tool Write {input} ;; text written")
    };
    agent.say(&write(setting.file("a.txt"))).await;
    let request = agent.asked().await;
    let project = setting.home.project();
    let scope = format!("Edit(/{}/**)", project.display());
    assert_eq!(request.session_scope, [scope]);
    agent
        .handle
        .answer(&request.request_id, PermissionAnswer::SESSION)
        .await
        .unwrap();
    agent.finished().await;
    agent.idle().await;

    agent.turn(&write(setting.file("deep/b.txt"))).await;
    assert_eq!(agent.questions(), 0, "{:#?}", agent.seen);
    assert!(setting.file("deep/b.txt").exists());

    agent.seen.clear();
    let outside = setting.home.root().join("c.txt");
    agent.say(&write(outside.clone())).await;
    let request = agent.asked().await;
    agent
        .handle
        .answer(&request.request_id, PermissionAnswer::deny(""))
        .await
        .unwrap();
    agent.finished().await;
    agent.idle().await;
    assert!(!outside.exists());

    // Nor did it let commands through.
    agent.seen.clear();
    agent.say(&bash("rm a.txt", "x")).await;
    let request = agent.asked().await;
    let stop = PermissionAnswer::Deny {
        message: String::new(),
        interrupt: true,
    };
    agent
        .handle
        .answer(&request.request_id, stop)
        .await
        .unwrap();
    agent.finished().await;
    assert!(setting.file("a.txt").exists());
    agent.handle.close().await;
}

#[tokio::test]
async fn questions_of_the_model_and_changed_modes() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let input = json!({"questions": [{
        "question": "Which database?", "header": "DB", "multiSelect": false,
        "options": [{"label": "Postgres", "description": "p"}, {"label": "SQLite", "description": "s"}],
    }]});
    agent
        .say(&format!(
            "fake: tool AskUserQuestion {input} ;; text heard {{tool_result}}"
        ))
        .await;
    let request = agent.asked().await;
    assert_eq!(request.tool, "AskUserQuestion");
    assert!(request.session_scope.is_empty());
    let mut answered = request.input.clone();
    answered["answers"] = json!({"Which database?": "SQLite"});
    let answer = PermissionAnswer::Allow {
        scope: Allow::Once,
        input: Some(answered),
    };
    agent
        .handle
        .answer(&request.request_id, answer)
        .await
        .unwrap();
    let result = agent.finished().await;
    assert!(result.text.contains("SQLite"), "{}", result.text);
    agent.idle().await;

    agent
        .handle
        .set_permission_mode(PermissionMode::AcceptEdits)
        .await
        .unwrap();
    let input = json!({"file_path": setting.file("free.txt"), "content": "x"});
    agent
        .turn(&format!("fake: tool Write {input} ;; text ok"))
        .await;
    assert_eq!(agent.questions(), 0);
    assert!(setting.file("free.txt").exists());
    agent.handle.close().await;
}

#[tokio::test]
async fn commands_see_the_persons_environment_and_not_ours() {
    let setting = Setting::new().await;
    let mut spec = setting.spec(SessionStart::New(Uuid::new_v4()));
    spec.extra_args = vec!["--allowedTools".to_owned(), "Bash".to_owned()];
    let secret = SecretString::from("s3cret-of-the-hub");
    spec.env = ChildEnv::filtered(
        [
            (os("PATH"), std::env::var_os("PATH").unwrap()),
            (os("AWS_REGION"), os("somewhere")),
            (os("PHONEWORK_NATS_URL"), os("tls://hub")),
            (os("HARMLESS_NAME"), os("s3cret-of-the-hub")),
        ],
        &[secret],
    );
    let mut agent = setting.start(spec);
    let command = "echo [$AWS_REGION] [$PHONEWORK_NATS_URL] [$HARMLESS_NAME]";
    let result = agent.turn(&bash(command, "{tool_result}")).await;
    assert_eq!(result.text.trim(), "[somewhere] [] []");
    agent.handle.close().await;
}

#[tokio::test]
async fn what_lies_in_the_project_is_run_by_nobody_unasked() {
    let setting = Setting::new().await;
    let folder = setting.file(".claude");
    std::fs::create_dir(&folder).unwrap();
    let hook = |event: &str| json!({"hooks": {event: [{"hooks": [{"type": "command", "command": "touch hooked"}]}]}});
    let hook = hook("UserPromptSubmit").to_string();
    std::fs::write(folder.join("settings.json"), hook).unwrap();

    let mut agent = setting.begin();
    agent.turn("fake: text one").await;
    agent.handle.close().await;
    assert!(!setting.file("hooked").exists());

    let mut spec = setting.spec(SessionStart::Resume(agent.session));
    spec.trust_project = true;
    let mut agent = setting.start(spec);
    agent.turn("fake: text two").await;
    agent.handle.close().await;
    assert!(setting.file("hooked").exists(), "trusted, it runs");
}
