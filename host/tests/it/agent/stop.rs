//! Stopping turns and processes, and that nothing goes on running unnoticed.

use std::time::Duration;

use host::agent::{
    AgentEvent, AgentFault, Exit, HandleError, PermissionAnswer, TurnOutcome, UserMessage,
};
use uuid::Uuid;

use super::{Setting, bash, endless, pid_in};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn interrupt_in_a_text() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.say("fake: hold never begin and end").await;
    agent.delta().await;
    let queued = agent.say("fake: text queued-words").await;
    agent.handle.interrupt().await.unwrap();
    let result = agent.finished().await;
    assert_eq!(result.outcome, TurnOutcome::Interrupted);
    assert_eq!(result.text, "");
    agent.idle().await;
    // What there was of it is kept, as a finished text.
    let texts = agent.texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!("begin and end".starts_with(&texts[0]));
    // And what waited behind it does not run.
    assert!(
        agent.seen.contains(&AgentEvent::Withdrawn(queued)),
        "{:#?}",
        agent.seen
    );
    assert_eq!(agent.turn("fake: text alive").await.text, "alive");
    assert_eq!(setting.model.turns_containing("queued-words"), 0);

    // With nothing to stop it does nothing.
    agent.handle.interrupt().await.unwrap();
    assert_eq!(agent.turn("fake: text still").await.text, "still");
    agent.handle.close().await;
}

#[tokio::test]
async fn interrupt_in_a_command() {
    let setting = Setting::new().await;
    let mut agent = setting.begin_trusting();
    agent.say(&bash(endless(), "never said")).await;
    let command = pid_in(&setting, "pid").await;
    agent.handle.interrupt().await.unwrap();
    assert_eq!(agent.finished().await.outcome, TurnOutcome::Interrupted);
    agent.idle().await;
    assert!(command.wait(SOON).await, "the command still runs");
    assert!(
        agent
            .seen
            .iter()
            .any(|event| matches!(event, AgentEvent::ToolFinished { is_error: true, .. }))
    );
    assert_eq!(agent.turn("fake: text alive").await.text, "alive");
    agent.handle.close().await;
}

#[tokio::test]
async fn interrupt_while_a_question_is_open() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.say(&bash("touch never.txt", "never said")).await;
    let request = agent.asked().await;
    agent.handle.interrupt().await.unwrap();
    let withdrawn = AgentEvent::PermissionWithdrawn {
        request_id: request.request_id.clone(),
    };
    agent
        .until("the withdrawal", |event| *event == withdrawn)
        .await;
    assert_eq!(agent.finished().await.outcome, TurnOutcome::Interrupted);
    agent.idle().await;
    let late = agent
        .handle
        .answer(&request.request_id, PermissionAnswer::ONCE)
        .await;
    assert_eq!(late, Err(HandleError::NotOpen));
    assert_eq!(agent.turn("fake: text alive").await.text, "alive");
    assert!(!setting.file("never.txt").exists());
    agent.handle.close().await;
}

#[tokio::test]
async fn closing_in_a_turn_stops_it_first() {
    let setting = Setting::new().await;
    let mut agent = setting.begin_trusting();
    agent.say(&bash(endless(), "never said")).await;
    let command = pid_in(&setting, "pid").await;
    let exit = agent.handle.close().await;
    assert_eq!(
        (exit.signal, exit.requested, exit.mid_turn),
        (None, true, false)
    );
    assert!(!command.is_alive().await, "the command still runs");
    assert_eq!(agent.finished().await.outcome, TurnOutcome::Interrupted);
    assert_eq!(agent.exited().await, exit);
    // The handle outlives the process and says so.
    let message = UserMessage::text(Uuid::new_v4(), "x");
    assert_eq!(agent.handle.send(message).await, Err(HandleError::Gone));
    assert_eq!(agent.handle.interrupt().await, Err(HandleError::Gone));
    assert_eq!(agent.handle.close().await, exit);
}

#[tokio::test]
async fn closing_with_an_open_question() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.say(&bash("touch never.txt", "never said")).await;
    agent.asked().await;
    let exit = agent.handle.close().await;
    assert_eq!((exit.signal, exit.mid_turn), (None, false));
    assert!(!setting.file("never.txt").exists());
    let is_withdrawn = |event: &AgentEvent| matches!(event, AgentEvent::PermissionWithdrawn { .. });
    agent.until("the withdrawal", is_withdrawn).await;
}

/// Its commands are not in the process's group, and would go on.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn killing_ends_the_commands_too() {
    let setting = Setting::new().await;
    let agent = setting.begin_trusting();
    agent.say(&bash(endless(), "never said")).await;
    let command = pid_in(&setting, "pid").await;
    let exit = agent.handle.kill().await;
    assert_eq!(
        (exit.signal, exit.requested, exit.mid_turn),
        (Some(9), true, true)
    );
    assert!(exit.left_behind.is_empty(), "{exit:?}");
    assert!(!command.is_alive().await, "the command still runs");
    assert_eq!(exit.fault(), None);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crash_is_told_and_cleaned_up_after() {
    let setting = Setting::new().await;
    let mut agent = setting.begin_trusting();
    agent.say(&bash(endless(), "never said")).await;
    let command = pid_in(&setting, "pid").await;
    let pid = agent.handle.pid();
    let process = host::agent::orphan::Orphan::new(pid, agent.handle.started().unwrap());
    assert!(process.kill().await);
    let exit = agent.exited().await;
    assert_eq!(
        (exit.signal, exit.requested, exit.mid_turn),
        (Some(9), false, true)
    );
    assert!(matches!(
        exit.fault(),
        Some(AgentFault::Crashed {
            signal: Some(9),
            ..
        })
    ));
    assert!(!command.is_alive().await, "the command still runs");
}

/// A server that the person asked for may stay when the session is put to sleep; it is counted.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_orderly_end_leaves_what_was_meant_to_stay() {
    let setting = Setting::new().await;
    let mut agent = setting.begin_trusting();
    let server = "setsid nohup sh -c 'echo $$ > pid; exec sleep 600' >/dev/null 2>&1 & echo on";
    let result = agent.turn(&bash(server, "{tool_result}")).await;
    assert_eq!(result.text.trim(), "on");
    let server = pid_in(&setting, "pid").await;
    let exit = agent.handle.close().await;
    assert_eq!(exit.left_behind, [server.pid()]);
    assert!(server.is_alive().await);
    assert!(server.kill().await);
}

#[tokio::test]
async fn without_a_handle_or_a_listener_it_ends() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    agent.turn("fake: text one").await;
    let process = host::agent::orphan::Orphan::of(agent.handle.pid())
        .await
        .unwrap();
    drop(agent.handle);
    let is_exit = |event: &AgentEvent| {
        matches!(
            event,
            AgentEvent::Exited(Exit {
                code: Some(0),
                requested: true,
                ..
            })
        )
    };
    loop {
        match agent.events.recv().await {
            Some(event) if is_exit(&event) => break,
            Some(_) => {}
            None => panic!("no word of the end"),
        }
    }
    assert!(process.wait(SOON).await);

    let mut agent = setting.begin();
    agent.say("fake: hold never begin and end").await;
    agent.delta().await;
    drop(agent.events);
    let exit = agent.handle.exited().await;
    assert_eq!(
        (exit.signal, exit.requested, exit.mid_turn),
        (None, true, false)
    );
}

/// Neither a full pipe nor a full queue keeps it from ending.
#[tokio::test]
async fn closing_does_not_need_a_reader() {
    let setting = Setting::new().await;
    let mut agent = setting.begin();
    // More pieces than all queues hold, and then no end.
    agent
        .say("fake: long 3000000 ;; text never asked for")
        .await;
    agent.delta().await;
    let exit = tokio::time::timeout(SOON, agent.handle.close())
        .await
        .expect("an end");
    assert_eq!((exit.signal, exit.requested), (None, true), "{exit:?}");
    // What was said at the end is still there to be read.
    agent.finished().await;
    assert_eq!(agent.exited().await, exit);
}
