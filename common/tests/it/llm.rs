//! The client of chat models against a server with the odd ways of the vendors.
#![allow(clippy::unwrap_used, reason = "test helpers")]

mod wire;

use std::time::{Duration, Instant};

use common::config::LlmSettings;
use common::llm::{Answer, Ask, Choice, Heard, Limits, Llm, LlmFault, Message, Stage, Tool};
use kit::llm::Quirks;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

fn limits() -> Limits {
    Limits {
        first: Duration::from_secs(20),
        silence: Duration::from_secs(20),
        whole: Duration::from_secs(40),
        ..Limits::default()
    }
}

fn client(server: &kit::llm::Llm, model: &str, limits: Limits) -> Llm {
    let settings = LlmSettings {
        base_url: server.url().to_owned(),
        api_key: "sk-llm-test".into(),
        model: model.into(),
        extra: Map::new(),
    };
    Llm::new(settings, limits).unwrap()
}

fn asks(text: &str) -> Ask {
    Ask {
        messages: vec![
            Message::System {
                text: "be brief".into(),
            },
            Message::User { text: text.into() },
        ],
        tools: vec![Tool {
            name: "look",
            description: "looks".into(),
            parameters: json!({"type": "object", "properties": {}}),
        }],
        ..Ask::default()
    }
}

/// Streams one answer; what was heard of its text, and the answer.
async fn streamed(llm: &Llm, ask: &Ask) -> (String, Result<Answer, LlmFault>) {
    let mut text = String::new();
    let mut hear = |heard| match heard {
        Heard::Text(more) => text.push_str(&more),
        Heard::Again => text.clear(),
        Heard::Thinking | Heard::Call(_) => {}
    };
    let answer = llm.stream(ask, &mut hear, &CancellationToken::new()).await;
    (text, answer)
}

async fn fault(script: &str, limits: Limits) -> LlmFault {
    let server = kit::llm::Llm::start().await;
    let llm = client(&server, "m", limits);
    streamed(&llm, &asks(&format!("llm: {script}")))
        .await
        .1
        .unwrap_err()
}

/// Two calls and an answer, through each odd way: the calls arrive whole, the answer is the same, and
/// what goes back is taken.
#[tokio::test(flavor = "multi_thread")]
async fn every_vendor_is_understood() {
    let base = Quirks::default;
    let all = [
        ("plain", base()),
        ("glm", Quirks::glm()),
        ("deepseek", Quirks::deepseek()),
        (
            "no stream",
            Quirks {
                no_stream: true,
                ..Quirks::deepseek()
            },
        ),
        (
            "bare calls",
            Quirks {
                bare_calls: true,
                ..base()
            },
        ),
        (
            "one index",
            Quirks {
                one_index: true,
                ..base()
            },
        ),
        (
            "objects",
            Quirks {
                object_arguments: true,
                bare_calls: true,
                ..base()
            },
        ),
        (
            "parts",
            Quirks {
                parts: true,
                ..base()
            },
        ),
        (
            "no role",
            Quirks {
                no_role: true,
                ..base()
            },
        ),
        (
            "odd end",
            Quirks {
                finish: Some("brand_new"),
                ..base()
            },
        ),
        (
            "empty end",
            Quirks {
                finish: Some(""),
                ..base()
            },
        ),
        (
            "bare last",
            Quirks {
                bare_last: true,
                ..base()
            },
        ),
        (
            "no done",
            Quirks {
                no_done: true,
                ..base()
            },
        ),
        (
            "tight",
            Quirks {
                tight: true,
                ..base()
            },
        ),
        (
            "marks",
            Quirks {
                think_marks: true,
                ..base()
            },
        ),
    ];
    for (name, quirks) in all {
        let server = kit::llm::Llm::start().await;
        server.quirks(quirks);
        let llm = client(&server, "m", limits());
        let mut ask = asks(
            r#"llm: tools [["look",{"at":"天 sky"}],["look",{"at":2}]] ;; text saw {tool_result}"#,
        );
        let said = streamed(&llm, &ask)
            .await
            .1
            .unwrap_or_else(|why| panic!("{name}: {why}"))
            .said;
        let calls: Vec<_> = said
            .calls
            .iter()
            .map(|c| (c.name.as_str(), c.arguments.as_str()))
            .collect();
        assert_eq!(
            calls,
            [("look", r#"{"at":"天 sky"}"#), ("look", r#"{"at":2}"#)],
            "{name}"
        );
        assert_ne!(said.calls[0].id, said.calls[1].id, "{name}");
        let ids: Vec<String> = said.calls.iter().map(|call| call.id.clone()).collect();
        ask.messages.push(Message::Assistant(said));
        for id in ids {
            ask.messages.push(Message::Tool {
                id,
                text: "stars".into(),
            });
        }
        let (heard, answer) = streamed(&llm, &ask).await;
        let answer = answer.unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(answer.said.text, "saw stars", "{name}");
        assert_eq!(heard, "saw stars", "{name}");
        let whole = llm.ask(&ask, &CancellationToken::new()).await.unwrap();
        assert_eq!(whole.said.text, "saw stars", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    let server = kit::llm::Llm::start().await;
    let llm = client(&server, "m", limits());
    for (script, requests) in [
        ("llm: error 429 1 ;; text good", 2),
        ("llm: error 503 2 ;; text good", 3),
        ("llm: drop 1 ;; text good", 2),
    ] {
        let before = server.requests().len();
        let (heard, answer) = streamed(&llm, &asks(script)).await;
        assert_eq!(answer.unwrap().said.text, "good", "{script}");
        assert_eq!(heard, "good", "{script}");
        assert_eq!(server.requests().len() - before, requests, "{script}");
    }
    for (script, fault) in [
        ("llm: error 401", LlmFault::Key { status: 401 }),
        ("llm: error 402", LlmFault::Unpaid { status: 402 }),
        (
            "llm: error 400",
            LlmFault::Refused {
                status: 400,
                said: "scripted refusal".into(),
            },
        ),
        (
            "llm: error200 bad day for sk-llm-test",
            LlmFault::Refused {
                status: 200,
                said: "bad day for ***".into(),
            },
        ),
    ] {
        let before = server.requests().len();
        assert_eq!(
            streamed(&llm, &asks(script)).await.1,
            Err(fault),
            "{script}"
        );
        assert_eq!(server.requests().len() - before, 1, "{script}");
    }
    let before = server.requests().len();
    assert_eq!(
        streamed(&llm, &asks("llm: error 429")).await.1,
        Err(LlmFault::Busy { after: None })
    );
    assert_eq!(server.requests().len() - before, 3, "three tries");
    let auth = &server.requests()[0].headers["authorization"];
    assert_eq!(auth, "Bearer sk-llm-test");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_pause_is_kept_if_it_is_short() {
    let server = kit::llm::Llm::start().await;
    let llm = client(&server, "m", limits());
    let wait = kit::model::Step {
        error: Some(429),
        retry_after: Some(1),
        ..kit::model::Step::default()
    };
    server.queue_step(wait.clone());
    let since = Instant::now();
    assert!(streamed(&llm, &asks("hi")).await.1.is_ok());
    assert!(since.elapsed() >= Duration::from_secs(1));
    server.queue_step(kit::model::Step {
        retry_after: Some(3600),
        ..wait
    });
    let since = Instant::now();
    assert_eq!(
        streamed(&llm, &asks("hi")).await.1,
        Err(LlmFault::Busy {
            after: Some(Duration::from_secs(3600))
        })
    );
    assert!(since.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_is_no_answer() {
    let once = Limits {
        tries: 1,
        ..limits()
    };
    assert_eq!(fault("drop", once).await, LlmFault::Cut);
    assert_eq!(
        fault("sse_error server_error", once).await,
        LlmFault::Broken { status: 200 }
    );
    let slow = |first, silence, whole| Limits {
        first: Duration::from_millis(first),
        silence: Duration::from_millis(silence),
        whole: Duration::from_millis(whole),
        ..limits()
    };
    let stage = |stage| LlmFault::Slow { stage };
    assert_eq!(
        fault("stall 30", slow(9000, 300, 9000)).await,
        stage(Stage::Silence)
    );
    assert_eq!(
        fault("stall 30", slow(9000, 9000, 500)).await,
        stage(Stage::Whole)
    );
    let small = Limits {
        body: 1000,
        ..limits()
    };
    assert_eq!(
        fault("long 5000", small).await,
        LlmFault::TooBig { limit: 1000 }
    );
    // Nobody there at all.
    let server = kit::llm::Llm::start().await;
    let llm = client(&server, "m", once);
    drop(server);
    let why = streamed(&llm, &asks("hi")).await.1.unwrap_err();
    assert!(
        matches!(why, LlmFault::Unreachable { .. } | LlmFault::Cut),
        "{why:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_can_be_given_up_at_any_time() {
    let server = kit::llm::Llm::start().await;
    let llm = client(&server, "m", limits());
    let cancel = CancellationToken::new();
    let ask = asks("llm: hold here");
    let asking = async { llm.stream(&ask, &mut |_| {}, &cancel).await };
    let giving_up = async {
        server.waiting("here").await;
        cancel.cancel();
    };
    let (answer, ()) = tokio::join!(asking, giving_up);
    assert_eq!(answer, Err(LlmFault::Cancelled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_refused_is_left_away_from_then_on() {
    let server = kit::llm::Llm::start().await;
    let llm = client(&server, "glm-4.7", limits());
    let mut ask = asks("quickly");
    ask.quick = true;
    ask.choice = Choice::Named("look".into());
    llm.ask(&ask, &CancellationToken::new()).await.unwrap();
    assert_eq!(server.requests()[0].body["thinking"]["type"], "disabled");
    server.quirks(Quirks {
        refuses: vec!["thinking", "tool_choice"],
        ..Quirks::default()
    });
    llm.ask(&ask, &CancellationToken::new()).await.unwrap();
    llm.ask(&ask, &CancellationToken::new()).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 5, "twice refused, then never again");
    assert!(requests[4].body["thinking"].is_null() && requests[4].body["tool_choice"].is_null());
}
