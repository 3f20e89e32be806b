//! The real CLI against the model stand-in.

use std::process::Stdio;
use std::time::Duration;

use kit::claude::{ClaudeHome, VERSION, binary};
use kit::model::{Kind, Model};
use serde_json::Value;
use tokio::process::Command;

/// A single run; generous, because tests share few cores.
const RUN: Duration = Duration::from_secs(90);

async fn run(home: &ClaudeHome, model: &Model, arguments: &[&str]) -> (String, String) {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(home.project())
        .envs(home.env(model))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(RUN, command.output())
        .await
        .expect("the CLI ended in time")
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn is_the_version_the_tests_are_written_for() {
    let (out, _) = run(&ClaudeHome::new(), &Model::start().await, &["--version"]).await;
    if std::env::var_os("CLAUDE_BIN").is_none() {
        assert!(out.starts_with(VERSION), "{out}");
    }
}

#[tokio::test]
async fn runs_a_tool_as_scripted_and_stays_in_its_home() {
    let (home, model) = (ClaudeHome::new(), Model::start().await);
    let prompt = r#"fake: tool Bash {"command":"echo made > made.txt; cat made.txt"} ;; text done: {tool_result}"#;
    let arguments = [
        "-p",
        "--output-format",
        "json",
        "--allowedTools",
        "Bash",
        "--",
        prompt,
    ];
    let (out, err) = run(&home, &model, &arguments).await;
    let result: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}"));
    assert_eq!(result["result"], "done: made", "{result}");
    assert_eq!(
        std::fs::read_to_string(home.project().join("made.txt")).unwrap(),
        "made\n"
    );
    assert_eq!(model.turns_containing("echo made"), 1);
    let turns = model
        .requests()
        .into_iter()
        .filter(|request| request.kind == Kind::Directive);
    assert_eq!(turns.count(), 2);
    assert!(
        home.config_dir().join("projects").is_dir(),
        "transcripts are in the home"
    );
    let left = std::fs::read_dir(home.tmp()).unwrap().count();
    assert!(left > 0, "temporary files are in the home");
}

#[tokio::test]
async fn asks_again_after_an_overload() {
    let (home, model) = (ClaudeHome::new(), Model::start().await);
    let (out, err) = run(&home, &model, &["-p", "fake: error 529 1 ;; text fine"]).await;
    assert_eq!(out.trim(), "fine", "{err}");
    assert_eq!(
        model.turns_containing("error 529"),
        2,
        "the retry is counted"
    );
}
