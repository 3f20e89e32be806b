//! Whatever the model's service sends: one card with one clear answer, in the person's language, and the
//! next text goes on with a conversation that any vendor takes.

use std::time::Duration;

use common::text::Say as _;
use common::text::host::mailboy::MailText;
use kit::llm::Raw;
use kit::model::Step;
use serde_json::json;

/// How often what may pass is asked.
const TRIES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_one_answer_and_leaves_nothing_behind() {
    let (mut world, llm) = super::world().await;
    world.locale = "zh";
    let _phonework = world.standalone().await;
    let anna = world.anna();
    // Something to lose: a call and its result.
    anna.say("先看看 llm: tool node_info {} ;; text 看过了");
    world
        .sees_that(|m| m.text().contains("看过了") && m.buttons().is_empty())
        .await;
    let half = json!({"choices": [{"delta": {"content": "half"}}]});
    let cut_call = json!({"choices": [{"delta": {"tool_calls": [
        {"index": 0, "id": "a", "function": {"name": "new_session", "arguments": "{\"dir\":"}}]}}]});
    let broken = |body: &serde_json::Value| Raw {
        breaks: true,
        ..Raw::body(format!("data: {body}\n\n"))
    };
    let page = "<html>Welcome</html>";
    let error = |code: &str| {
        Raw::body(format!(
            "data: {{\"error\":{{\"code\":\"{code}\",\"message\":\"no\"}}}}\n\n"
        ))
    };
    let table = [
        // Asked once more without what tools said before.
        ("withheld", error("1301"), 2, MailText::Filtered),
        ("nothing", Raw::body(""), TRIES, MailText::NoAnswer),
        ("half", broken(&half), TRIES, MailText::NoAnswer),
        ("half-call", broken(&cut_call), TRIES, MailText::NoAnswer),
        ("page", Raw::body(page), 1, MailText::NoApi { status: 200 }),
        (
            "elsewhere",
            Raw::status(307, "").with("location", "http://127.0.0.1:1/"),
            1,
            MailText::NoApi { status: 307 },
        ),
        (
            "packed",
            Raw::body([0x1f, 0x8b]).with("content-encoding", "gzip"),
            1,
            MailText::NoAnswer,
        ),
        (
            "key",
            Raw::status(401, "{}"),
            1,
            MailText::BadKey { status: 401 },
        ),
        ("money", Raw::status(402, "{}"), 1, MailText::Unpaid),
        (
            "busy",
            Raw::status(429, "{}").with("retry-after", "3600"),
            1,
            MailText::Busy { after: Some(3600) },
        ),
        (
            "down",
            Raw::status(502, page),
            TRIES,
            MailText::Broken { status: 502 },
        ),
        (
            "model",
            Raw::status(404, "{\"error\":{\"message\":\"no model\"}}"),
            1,
            MailText::Refused {
                status: 404,
                said: "no model".into(),
            },
        ),
    ];
    // Not the word that rings where a slow machine took over a minute.
    let cards_now = || {
        let all = anna.messages();
        all.iter().filter(|m| m.msg_type == "interactive").count()
    };
    for (name, raw, times, text) in table {
        for _ in 0..times {
            llm.queue_raw(raw.clone());
        }
        let (cards, asked) = (cards_now(), llm.requests().len());
        let before = anna.messages().into_iter().map(|m| m.message_id);
        let before: Vec<String> = before.collect();
        anna.say(&format!("词-{name}"));
        world
            .sees_that(|m| {
                m.text().contains(&text.zh())
                    && !m.has_button("停止")
                    && !before.contains(&m.message_id)
            })
            .await;
        assert_eq!(llm.requests().len() - asked, times, "{name}");
        assert_eq!(cards_now() - cards, 1, "{name}: one card");
        anna.say(&format!("然后 llm: text 好了-{name}-{{n}}"));
        let fine = |m: &kit::feishu::BotMessage| {
            m.text().contains(&format!("好了-{name}-")) && m.buttons().is_empty()
        };
        world.sees_that(fine).await;
        assert_eq!(cards_now() - cards, 2, "{name}: one card more");
        let last = llm.requests().pop().unwrap().body.to_string();
        assert!(!last.contains(&format!("词-{name}")), "{name}: {last}");
        assert!(last.contains("先看看"), "{name}: {last}");
    }
    anna.say("/status");
    world.sees("助手").await;
}

/// Too long for the model: the older half goes on as a summary, then long results are cut; the person
/// sees an answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_too_long_for_the_model_goes_on_in_short() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    for n in 0..2 {
        anna.say(&format!("word-{n}- llm: text noted-{n}"));
        world.sees(&format!("noted-{n}")).await;
    }
    let too_long = || {
        llm.queue_step(Step {
            error: Some(400),
            message: Some("This model's maximum context length is 8192 tokens".into()),
            ..Step::default()
        });
    };
    too_long();
    anna.say("go on llm: text went-on");
    world
        .sees_that(|m| m.text().contains("went-on") && m.buttons().is_empty())
        .await;
    let last = llm.requests().pop().unwrap();
    let (front, body) = (last.said_by("system").concat(), last.body.to_string());
    assert!(front.contains("summary of"), "{front}");
    assert!(
        !body.contains("word-0-") && body.contains("word-1-"),
        "{body}"
    );
    // Now it is what a tool says.
    let long = "a line of text\n".repeat(700);
    std::fs::write(world.work().join("long.txt"), long).unwrap();
    anna.say("/clear");
    world.sees("Forgotten").await;
    llm.queue_step(Step {
        tool: Some("read_file".into()),
        input: Some(json!({"path": "long.txt"})),
        ..Step::default()
    });
    too_long();
    too_long();
    anna.say("read it llm: text never ;; text has-read");
    world
        .sees_that(|m| m.text().contains("has-read") && m.buttons().is_empty())
        .await;
    let sizes: Vec<usize> = llm.requests()[llm.requests().len() - 3..]
        .iter()
        .map(|request| request.said_by("tool").concat().len())
        .collect();
    assert!(
        sizes[0] > 5_000 && sizes[1] < 2_500 && sizes[2] < 500,
        "{sizes:?}"
    );
}

/// Calls as vendors and models spell them, through the whole way.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_understood_however_they_are_written() {
    let (world, llm, _phonework) = super::started().await;
    let anna = world.anna();
    let stream = |deltas: &[serde_json::Value], finish: &str| {
        let mut body = String::new();
        for delta in deltas {
            body += &format!("data: {}\n\n", json!({"choices": [{"delta": delta}]}));
        }
        let last = json!({"choices": [{"delta": {}, "finish_reason": finish}]});
        body += &format!("data: {last}\n\ndata: [DONE]\n\n");
        Raw {
            pause: Duration::from_millis(1),
            ..Raw::body(body)
        }
    };
    let call = |call: serde_json::Value| json!({ "tool_calls": [call] });
    let list = |arguments: serde_json::Value| {
        let call = call(
            json!({"index": 0, "id": "c", "function": {"name": "list_dir", "arguments": arguments}}),
        );
        stream(&[call], "tool_calls")
    };
    std::fs::create_dir_all(world.work().join("seen-folder")).unwrap();
    let table = [
        ("empty", list(json!(""))),
        ("null", list(json!(null))),
        ("object", list(json!({"path": "."}))),
        ("comma", list(json!("{\"path\":\".\",}"))),
        ("fence", list(json!("```json\n{\"path\":\".\"}\n```"))),
        ("text", list(json!("\"{\\\"path\\\":\\\".\\\"}\""))),
        ("alias", list(json!("{\"directory\":\".\"}"))),
        (
            "index-late",
            stream(
                &[
                    json!({"content": "I look.", "reasoning_content": ""}),
                    call(json!({"id": "c", "function": {"name": "list_dir", "arguments": ""}})),
                    call(json!({"index": 0, "function": {"arguments": "{\"path\""}})),
                    call(json!({"index": 0, "function": {"arguments": ":\".\"}"}})),
                ],
                "stop",
            ),
        ),
        (
            "same-ids",
            Raw::body(
                json!({"choices": [{"message": {"content": null, "tool_calls": [
                    {"id": "c", "function": {"name": "node_info", "arguments": "{}"}},
                    {"id": "c", "function": {"name": "list_dir", "arguments": {}}},
                ]}}]})
                .to_string(),
            ),
        ),
    ];
    for (name, raw) in table {
        llm.queue_raw(raw);
        // The same id in each conversation: the next requests hold all of them.
        anna.say(&format!(
            "{name} llm: text never ;; text answer-{name} {{tool_result}}"
        ));
        let card = world
            .sees_that(|m| m.text().contains(&format!("answer-{name}")) && m.buttons().is_empty())
            .await;
        assert!(
            card.text().contains("seen-folder"),
            "{name}: {}",
            card.text()
        );
        if name == "index-late" {
            let last = llm.requests().pop().unwrap().body.to_string();
            assert!(last.contains("\"reasoning_content\":\"\""), "{last}");
        }
    }
    // Cut in the middle of a call: told so, and not carried out.
    let cut = call(
        json!({"index": 0, "id": "c", "function": {"name": "new_session", "arguments": "{\"dir\":\"half"}}),
    );
    llm.queue_raw(stream(&[cut], "length"));
    anna.say("cut llm: text never ;; text answer-cut {tool_result}");
    let card = world.sees("answer-cut").await;
    assert!(
        card.text().contains("too long in the middle"),
        "{}",
        card.text()
    );
    assert!(!world.work().join("half").exists());
}
