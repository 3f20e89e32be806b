//! Everything that fails: the service, the login, the program itself.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use host::agent::claude::{OLDEST_TRIED, probe};
use host::agent::{AgentEvent, AgentFault, Backend, SessionStart, StartError, TurnOutcome, start};
use uuid::Uuid;

use super::Setting;

type Expect = fn(&AgentFault) -> bool;

#[tokio::test]
async fn errors_of_the_service_end_only_the_turn() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    let too_long = r#"<fake>[{"error":400,"message":"prompt is too long: 210000 tokens > 200000 maximum"}]</fake>"#;
    let no_credit = r#"<fake>[{"error":400,"message":"Your credit balance is too low to access the Anthropic API."}]</fake>"#;
    let cases: [(&str, Expect); 8] = [
        ("fake: error 401", |f| {
            matches!(f, AgentFault::BadKey { .. })
        }),
        ("fake: error 529", |f| *f == AgentFault::Overloaded),
        ("fake: error 500", |f| {
            *f == AgentFault::ServiceFailed { status: 500 }
        }),
        ("fake: error 400", |f| {
            matches!(f, AgentFault::Refused { status: 400, .. })
        }),
        ("fake: error 404", |f| {
            matches!(f, AgentFault::Refused { status: 404, .. })
        }),
        ("fake: error 429", |f| {
            *f == AgentFault::RateLimited { resets_at: None }
        }),
        (too_long, |f| *f == AgentFault::ContextFull),
        (no_credit, |f| *f == AgentFault::NoCredit),
    ];
    for (prompt, expected) in cases {
        let result = agent.turn(prompt).await;
        let TurnOutcome::ApiError(fault) = &result.outcome else {
            panic!("{prompt}: {result:?}");
        };
        assert!(expected(fault), "{prompt}: {fault:?}");
        assert!(!result.text.is_empty());
        assert!(
            agent.texts().is_empty(),
            "an error is no answer: {:#?}",
            agent.seen
        );
        assert_eq!(result.user_messages.len(), 1);
        let retried = agent.seen.iter().any(|event| {
            matches!(event, AgentEvent::Retry { attempt: 1, delay, .. } if !delay.is_zero())
        });
        let passing = ["fake: error 529", "fake: error 500", "fake: error 429"];
        assert_eq!(
            retried,
            passing.contains(&prompt),
            "{prompt}: {:#?}",
            agent.seen
        );
    }
    assert_eq!(agent.turn("fake: text alive").await.text, "alive");
    agent.handle.close().await;
}

#[tokio::test]
async fn no_login_and_no_network() {
    let setting = Setting::new().await;
    let mut spec = setting.spec(SessionStart::New(Uuid::new_v4()));
    spec.extra_env
        .push(("ANTHROPIC_API_KEY".to_owned(), String::new()));
    let mut agent = setting.start(spec);
    let result = agent.turn("hello").await;
    assert_eq!(
        result.outcome,
        TurnOutcome::ApiError(AgentFault::NotLoggedIn)
    );
    agent.handle.close().await;

    let mut spec = setting.spec(SessionStart::New(Uuid::new_v4()));
    // The discard port: nobody is there.
    let nowhere = "http://127.0.0.1:9".to_owned();
    spec.extra_env
        .push(("ANTHROPIC_BASE_URL".to_owned(), nowhere));
    let mut agent = setting.start(spec);
    let result = agent.turn("hello").await;
    assert!(
        matches!(
            result.outcome,
            TurnOutcome::ApiError(AgentFault::Network { .. })
        ),
        "{result:?}"
    );
    agent.handle.close().await;
}

#[tokio::test]
async fn programs_that_cannot_be_started() {
    let setting = Setting::new().await;
    let started = |change: &dyn Fn(&mut host::agent::AgentSpec)| {
        let mut spec = setting.spec(SessionStart::New(Uuid::new_v4()));
        change(&mut spec);
        start(Backend::Claude, spec, &setting.tasks).expect_err("an error")
    };
    let missing = started(&|spec| spec.program = PathBuf::from("/no/such/claude"));
    assert!(matches!(missing, StartError::NotFound { .. }), "{missing}");
    insta::assert_snapshot!(missing, @"/no/such/claude is not there: install the agent, or set CLAUDE_BIN to where it is");
    assert_eq!(AgentFault::from(&missing), AgentFault::NotInstalled);

    let plain = setting.file("claude");
    std::fs::write(&plain, "words").unwrap();
    let refused = started(&|spec| spec.program.clone_from(&plain));
    assert!(
        matches!(refused, StartError::NotExecutable { .. }),
        "{refused}"
    );
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&plain, mode).unwrap();
    let nonsense = started(&|spec| spec.program.clone_from(&plain));
    assert!(
        matches!(nonsense, StartError::NotExecutable { .. }),
        "{nonsense}"
    );

    let no_directory = started(&|spec| spec.cwd = PathBuf::from("/no/such/place"));
    assert!(matches!(no_directory, StartError::NoDirectory { .. }));
    insta::assert_snapshot!(no_directory, @"the directory /no/such/place is not there");
    assert!(setting.tasks.is_empty(), "tasks of a start that failed");
}

#[tokio::test]
async fn conversations_that_are_not_there_and_arguments_that_are_wrong() {
    let setting = Setting::new().await;
    let mut agent = setting.resume(Uuid::new_v4());
    agent.say("hello").await;
    let exit = agent.exited().await;
    assert_eq!(exit.fault(), Some(AgentFault::NoSuchSession), "{exit:?}");

    let mut agent = setting.begin();
    agent.turn("fake: text hi").await;
    agent.handle.close().await;
    let taken = setting.spec(SessionStart::New(agent.session));
    let mut second = setting.start(taken);
    second.say("hello").await;
    let exit = second.exited().await;
    assert_eq!(exit.fault(), Some(AgentFault::SessionInUse), "{exit:?}");

    let mut spec = setting.spec(SessionStart::New(Uuid::new_v4()));
    spec.extra_args = vec!["--no-such-flag".to_owned()];
    let mut agent = setting.start(spec);
    let exit = agent.exited().await;
    let Some(AgentFault::BadArguments { message }) = exit.fault() else {
        panic!("{exit:?}");
    };
    assert!(message.contains("--no-such-flag"), "{message}");
}

#[tokio::test]
async fn the_real_one_tells_its_version() {
    let version = probe(&kit::claude::binary()).await.unwrap();
    assert!(
        version >= OLDEST_TRIED && !version.is_untried(),
        "{version}"
    );
    if std::env::var_os("CLAUDE_BIN").is_none() {
        assert_eq!(version.to_string(), kit::claude::VERSION);
    }
}
