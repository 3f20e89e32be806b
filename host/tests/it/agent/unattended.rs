//! Processes without a host: a turn that goes on alone, and what can be learned of it afterwards.

use std::time::Duration;

use host::agent::claude::{
    OLDEST_TRIED, TranscriptOutcome, live_owner, outcome_of, project_slug, transcript_path,
};
use host::agent::orphan::Orphan;
use host::agent::{AgentFault, SessionStart, UserMessage};
use uuid::Uuid;

use super::{Setting, bash, endless, eventually, pid_in};

const SOON: Duration = Duration::from_secs(20);

async fn outcome(setting: &Setting, session: Uuid, message: Uuid) -> TranscriptOutcome {
    match setting.transcript(session) {
        Some(path) => outcome_of(path, message).await.unwrap(),
        None => TranscriptOutcome::NotFound,
    }
}

/// Files are written a little behind what is said.
async fn recorded(setting: &Setting, session: Uuid, message: Uuid) {
    eventually("trace of the message", async || {
        let found = outcome(setting, session, message).await;
        (found != TranscriptOutcome::NotFound).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_detached_turn_ends_by_itself_and_is_found() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.turn("fake: text before").await;
    let message = agent.say("fake: hold gate the answer nobody heard").await;
    agent.delta().await;
    let process = Orphan::new(agent.handle.pid(), agent.handle.started().unwrap());
    recorded(&setting, agent.session, message).await;

    agent.handle.detach().await;
    setting.tasks.close();
    setting.tasks.wait().await;
    assert!(process.is_alive().await, "it was to go on");
    let found = outcome(&setting, agent.session, message).await;
    assert_eq!(found, TranscriptOutcome::Unfinished);

    setting.model.release("gate");
    eventually("end", async || (!process.is_alive().await).then_some(())).await;
    let found = outcome(&setting, agent.session, message).await;
    let text = "the answer nobody heard".to_owned();
    assert_eq!(found, TranscriptOutcome::Finished { text });
}

/// The folder's name is the CLI's own invention; ours has to be the same.
#[tokio::test]
async fn conversations_of_oddly_named_directories_are_found() {
    let setting = Setting::new().await;
    for name in ["with space_and.dot", "数据 é😀", &"long".repeat(60)] {
        let cwd = setting.home.root().join(name);
        std::fs::create_dir(&cwd).unwrap();
        let mut spec = setting.spec(SessionStart::New(Uuid::new_v4()));
        spec.cwd.clone_from(&cwd);
        let mut agent = setting.start(spec);
        agent.turn("fake: text here").await;
        agent.handle.close().await;
        let found = transcript_path(&setting.home.config_dir(), &cwd, agent.session);
        let found = found.expect("the conversation's file");
        let folder = found.parent().unwrap().file_name().unwrap();
        let folder = folder.to_str().unwrap();
        assert!(folder.starts_with(&project_slug(&cwd)), "{folder}");
        let whole = folder == project_slug(&cwd);
        assert_eq!(whole, folder.len() <= 200, "{folder}");
    }
}

#[tokio::test]
async fn a_killed_turn_stays_unfinished_even_after_a_resume() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let first = agent.say("fake: text answered").await;
    agent.finished().await;
    agent.idle().await;
    let message = agent.say("fake: hold never begin and end").await;
    agent.delta().await;
    recorded(&setting, agent.session, message).await;
    agent.handle.kill().await;
    let found = outcome(&setting, agent.session, message).await;
    assert_eq!(found, TranscriptOutcome::Unfinished);

    // The resume puts a placeholder where the answer is missing: no answer.
    let mut agent = setting.resume(agent.session);
    let next = agent.say("fake: text later").await;
    agent.finished().await;
    agent.idle().await;
    agent.handle.close().await;
    let found = outcome(&setting, agent.session, message).await;
    assert_eq!(found, TranscriptOutcome::Unfinished);
    for (message, text) in [(first, "answered"), (next, "later")] {
        let found = outcome(&setting, agent.session, message).await;
        let text = text.to_owned();
        assert_eq!(found, TranscriptOutcome::Finished { text });
    }
    let stranger = outcome(&setting, agent.session, Uuid::new_v4()).await;
    assert_eq!(stranger, TranscriptOutcome::NotFound);
}

#[tokio::test]
async fn a_left_over_process_can_be_interrupted() {
    let setting = Setting::new().await;
    let agent = setting.begin_trusting();
    let message = agent.say(&bash(endless(), "never said")).await;
    let command = pid_in(&setting, "pid").await;
    let process = Orphan::new(agent.handle.pid(), agent.handle.started().unwrap());
    agent.handle.detach().await;
    assert!(!process.wait(Duration::from_millis(200)).await);

    assert!(process.interrupt().await);
    assert!(process.wait(SOON).await);
    assert!(command.wait(SOON).await, "the command still runs");
    let found = outcome(&setting, agent.session, message).await;
    // The older version may be gone before it has written why.
    let unanswered = [
        TranscriptOutcome::Interrupted,
        TranscriptOutcome::Unfinished,
    ];
    assert!(unanswered.contains(&found), "{found:?}");
}

#[tokio::test]
async fn all_kinds_of_ends_are_told_apart() {
    let setting = Setting::new().await;
    let mut agent = setting.begin_trusting();
    let tools = agent.say(&bash("echo hi", "after {tool_result}")).await;
    agent.finished().await;
    agent.idle().await;
    let failed = agent.say("fake: error 529").await;
    agent.finished().await;
    agent.idle().await;
    let command = agent.say("/context").await;
    agent.finished().await;
    agent.idle().await;
    let limited = agent.say("fake: stop max_tokens half ;; text whole").await;
    agent.finished().await;
    agent.idle().await;
    // Folded into a running turn.
    let holding = agent
        .say(&bash("while [ ! -e go ]; do sleep 0.1; done", "not this"))
        .await;
    let started = |event: &host::agent::AgentEvent| {
        matches!(event, host::agent::AgentEvent::ToolStarted { .. })
    };
    agent.until("the command", started).await;
    let folded = Uuid::new_v4();
    let message = UserMessage::text(folded, "fake: text for both");
    agent.handle.send(message).await.unwrap();
    // It has to be there before the command ends; the answer to a request says that it is.
    assert_eq!(agent.handle.withdraw(Uuid::new_v4()).await, Ok(false));
    std::fs::write(setting.file("go"), "").unwrap();
    let result = agent.finished().await;
    assert_eq!(result.user_messages, [holding, folded]);
    agent.idle().await;
    agent.handle.close().await;

    let ended = |text: &str| TranscriptOutcome::Finished {
        text: text.to_owned(),
    };
    for (message, expected) in [
        (tools, ended("after hi")),
        (failed, TranscriptOutcome::Failed(AgentFault::Overloaded)),
        (limited, ended("whole")),
        (holding, ended("for both")),
        (folded, ended("for both")),
    ] {
        let found = outcome(&setting, agent.session, message).await;
        assert_eq!(found, expected);
    }
    match outcome(&setting, agent.session, command).await {
        TranscriptOutcome::Finished { text } => assert!(text.contains("Context Usage")),
        // The older version leaves no trace of the message under its own id.
        TranscriptOutcome::NotFound if agent.runs(OLDEST_TRIED) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_has_a_conversation_open_is_known() {
    let setting = Setting::new().await;
    let config = setting.home.config_dir();
    let mut agent = setting.begin();
    agent.turn("fake: text one").await;
    let owner = live_owner(&config, agent.session).await.expect("an owner");
    assert_eq!(owner.process.pid(), agent.handle.pid());
    assert_eq!(Some(owner.process.started()), agent.handle.started());
    assert_eq!(owner.cwd, Some(setting.home.project()));
    assert_eq!(owner.entrypoint.as_deref(), Some("phonework"));

    // The CLI's own list says the same.
    let listed = tokio::process::Command::new(kit::claude::binary())
        .args(["agents", "--json"])
        .envs(setting.env())
        .output()
        .await
        .unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed[0]["pid"], agent.handle.pid());
    assert_eq!(listed[0]["sessionId"], agent.session.to_string());

    // Killed, its file stays and does not count.
    agent.handle.kill().await;
    assert_eq!(live_owner(&config, agent.session).await, None);
    let left = std::fs::read_dir(config.join("sessions")).unwrap().count();
    assert!(left > 0, "the file was to be there");

    let mut agent = setting.resume(agent.session);
    agent.turn("fake: text two").await;
    let owner = live_owner(&config, agent.session).await;
    assert_eq!(
        owner.map(|owner| owner.process.pid()),
        Some(agent.handle.pid())
    );
    agent.handle.close().await;
    assert_eq!(live_owner(&config, agent.session).await, None);
}
