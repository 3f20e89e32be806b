//! Each tool once, with its effect seen on disk or in the chat.

use super::started;

#[tokio::test(flavor = "multi_thread")]
async fn tools_about_sessions() {
    let (world, _llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("a llm: tool new_session {\"dir\":\"one\",\"text\":\"fake: text from-session-one\"} ;; text handed-one {tool_result}");
    world.sees("Handed over to the session in one").await;
    world
        .sees_that(|m| {
            let text = m.text();
            text.contains("from-session-one") && text.contains("· one\n") && m.buttons().is_empty()
        })
        .await;
    assert!(world.work().join("one").is_dir());
    anna.say("b llm: tool new_session {\"dir\":\"two\"} ;; tool switch_session {\"session\":1} ;; tool list_sessions {} ;; text listed {tool_result}");
    let card = world.sees("listed").await;
    let text = card.text();
    assert!(
        text.contains("1. one (idle, active") && text.contains("2. two (idle,"),
        "{text}"
    );
    anna.say("c llm: tool send_to_session {\"session\":\"two\",\"text\":\"fake: text from-session-two\"} ;; text handed-two");
    world
        .sees_that(|m| m.text().contains("· two\nfrom-session-two") && m.buttons().is_empty())
        .await;
    anna.say("d llm: tool close_session {\"session\":2} ;; text closing {tool_result}");
    world.sees("closing Session 2 (two) is closed").await;
    assert_eq!(world.count("(two) is closed"), 1, "one card tells it");
    anna.say("/status");
    let status = world.sees("Sessions on").await;
    assert!(!status.text().contains("two"), "{}", status.text());
    anna.say("e llm: tool node_info {} ;; text info {tool_result}");
    let card = world.sees("working directory:").await;
    assert!(card.text().contains("time zone:"), "{}", card.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_for_commands_obeys_the_guard() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("a llm: tool run_shell {\"command\":\"echo from-$((40+2))-shell > made.txt; cat made.txt\"} ;; text ran {tool_result}");
    let card = world.sees("from-42-shell").await;
    assert!(card.text().contains("exit code 0"), "{}", card.text());
    assert!(world.work().join("made.txt").is_file());
    // What the guard refuses, the model is told, and nobody is asked.
    anna.say("b llm: tool run_shell {\"command\":\"rm -rf /\"} ;; text refused {tool_result}");
    let card = world.sees("refused Error").await;
    assert!(card.text().contains("✗ run_shell"), "{}", card.text());
    // What it cannot decide, the person is asked; a no is a no.
    let command = "eval \\\"$(cat made.txt)\\\"";
    anna.say(&format!(
        "c llm: tool run_shell {{\"command\":\"{command}\"}} ;; text told-c {{tool_result}}"
    ));
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    assert!(question.text().contains("eval"), "{}", question.text());
    anna.tap(&question.message_id, "Deny").await.unwrap();
    let card = world.sees("told-c").await;
    assert!(card.text().contains("told-c Error"), "{}", card.text());
    // Stopped while a question is open: the question is taken back.
    anna.say(&format!(
        "d llm: tool run_shell {{\"command\":\"{command} \"}} ;; text never-said"
    ));
    let question = world
        .sees_that(|m| m.has_button("Allow once") && m.message_id != question.message_id)
        .await;
    anna.say("/stop");
    world
        .sees_that(|m| m.message_id == question.message_id && m.buttons().is_empty())
        .await;
    // Stopped while a command runs: it is ended.
    anna.say("e llm: tool run_shell {\"command\":\"sleep 300; touch late.txt\"} ;; text never-said-either");
    let card = world
        .sees_that(|m| m.text().contains("run_shell: sleep 300") && m.has_button("Stop"))
        .await;
    anna.tap(&card.message_id, "Stop").await.unwrap();
    world
        .sees_that(|m| m.message_id == card.message_id && m.text().contains("Stopped"))
        .await;
    // In the background: the number at once.
    anna.say("f llm: tool run_shell {\"command\":\"echo later-$((40+3))\",\"background\":true} ;; text started {tool_result}");
    world.sees("in the background as task").await;
    anna.say("g llm: tool task_status {} ;; text tasks {tool_result}");
    let card = world.sees("tasks ").await;
    assert!(
        card.text().contains("stopped by the person: sleep 300"),
        "{}",
        card.text()
    );
    assert!(llm.requests().len() >= 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_about_files_ask_before_they_write() {
    let (world, llm, _phonework) = started().await;
    let anna = world.anna();
    anna.say("a llm: tool write_file {\"path\":\"notes/a.txt\",\"text\":\"one\\ntwo\\n\"} ;; text wrote {tool_result}");
    let question = world.sees_that(|m| m.has_button("Allow once")).await;
    assert!(question.text().contains("+two"), "{}", question.text());
    let file = world.work().join("notes/a.txt");
    assert!(
        !file.exists(),
        "nothing is written before the person's word"
    );
    anna.tap(&question.message_id, "Allow once").await.unwrap();
    world.sees("wrote notes/a.txt is made").await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    anna.say("b llm: tool append_file {\"path\":\"notes/a.txt\",\"text\":\"three\\n\"} ;; text added {tool_result}");
    let second = world
        .sees_that(|m| m.has_button("Allow once") && m.message_id != question.message_id)
        .await;
    anna.tap(&second.message_id, "Deny").await.unwrap();
    world.sees("added Error: the person refused this").await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    anna.say("c llm: tools [[\"list_dir\",{\"path\":\"notes\"}],[\"read_file\",{\"path\":\"notes/a.txt\",\"from\":2}],[\"search_files\",{\"pattern\":\"tw.\"}]] ;; text found {tool_result}");
    let card = world.sees("found ").await;
    assert!(
        card.text().contains("notes/a.txt:2: two"),
        "{}",
        card.text()
    );
    let last = llm.requests().pop().unwrap();
    let results = last.said_by("tool").join("\n");
    assert!(
        results.contains("a.txt (8 bytes)") && results.contains("2  two"),
        "{results}"
    );
    anna.say("d llm: tool read_file {\"path\":\"../keyring.yaml\"} ;; text outside {tool_result}");
    let card = world.sees("outside Error").await;
    assert!(!card.text().contains("sk-llm-test"), "{}", card.text());
    anna.say("e llm: tool send_file {\"path\":\"notes/a.txt\"} ;; text sending {tool_result}");
    world.sees("on its way to the chat").await;
    world.sees_that(|m| m.msg_type == "file").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_about_the_web_and_reminders() {
    let metaso = kit::metaso::Metaso::start().await;
    let (mut world, llm) = super::world().await;
    world.extra += &format!(
        "METASO_API_KEY: {}\nMETASO_BASE_URL: {}\n",
        kit::metaso::KEY,
        metaso.url()
    );
    let _phonework = world.standalone().await;
    let anna = world.anna();
    let result = || llm.requests().pop().unwrap().said_by("tool").join("\n");
    anna.say("a llm: tools [[\"web_search\",{\"query\":\"rust\"}],[\"web_ask\",{\"question\":\"what is rust\"}]] ;; text searched");
    world.sees("searched").await;
    assert_eq!(metaso.asked().len(), 2, "{:?}", metaso.asked());
    assert!(result().contains("somebody else's words"), "{}", result());
    // This very machine is no page of the internet.
    let url = llm.url().to_owned();
    let before = llm.requests().len();
    anna.say(&format!(
        "b llm: tool read_url {{\"url\":\"{url}\"}} ;; text read {{tool_result}}"
    ));
    world.sees("read Error").await;
    assert_eq!(llm.requests().len(), before + 2, "only the model's own two");
    anna.say("c llm: tool set_reminder {\"when\":\"2h\",\"text\":\"water the heron\"} ;; tool list_reminders {} ;; text noted {tool_result}");
    let card = world.sees("noted").await;
    assert!(card.text().contains("water the heron"), "{}", card.text());
    anna.say("d llm: tool cancel_reminder {\"number\":1} ;; tool list_reminders {} ;; text then {tool_result}");
    let card = world.sees("then ").await;
    assert!(!card.text().contains("water the heron"), "{}", card.text());
}
