//! The REST calls: tokens, retries, idempotency, rates.

use std::time::{Duration, Instant};

use gateway::feishu::api::{Api, Message, Patience, Receiver, Sent};
use gateway::feishu::error::{ApiError, ErrorKind};
use kit::feishu::{Class, Fault, Feishu, Limits};
use serde_json::json;

use super::{api, http, options};

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

fn card(text: &str) -> serde_json::Value {
    json!({"schema": "2.0", "config": {"update_multi": true},
           "body": {"elements": [{"tag": "markdown", "content": text}]}})
}

async fn say(feishu: &Feishu, api: &Api, uuid: Option<&str>) -> Result<Sent, ApiError> {
    let to = Receiver::Person(feishu.user("ou_a").open_id().to_owned());
    api.send(&to, &text("hello"), uuid).await
}

fn count(feishu: &Feishu, class: Class) -> usize {
    feishu
        .calls()
        .iter()
        .filter(|call| call.class == class)
        .count()
}

#[tokio::test]
async fn all_calls_work() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    let user = feishu.user("ou_a");
    let bot = api.bot_info().await.unwrap();
    assert_eq!(
        (bot.open_id, bot.activate_status),
        (feishu.bot_open_id(), 2)
    );

    let asked = user.say("question");
    let reaction = api.react(&asked, "OnIt").await.unwrap();
    assert_eq!(feishu.reactions(&asked).len(), 1);
    api.unreact(&asked, &reaction).await.unwrap();
    assert_eq!(feishu.reactions(&asked).len(), 0);

    let first = Message::Card(card("one"));
    let sent = api
        .reply(&user.chat_id(), &asked, &first, false, Some("u1"))
        .await
        .unwrap();
    assert_eq!(sent.chat_id, Some(user.chat_id()));
    let id = sent.message_id.unwrap();
    api.patch(&id, &card("two")).await.unwrap();
    let shown = feishu.message(&id).unwrap();
    assert_eq!(
        (shown.text().as_str(), shown.reply_to),
        ("two", Some(asked))
    );
    assert_eq!(shown.uuid.as_deref(), Some("u1"));

    let post = json!({"zh_cn": {"title": "t", "content": [[{"tag": "md", "text": "**b**"}]]}});
    let to = Receiver::Chat(user.chat_id());
    api.send(&to, &Message::Post(post), None).await.unwrap();
    assert_eq!(user.messages().len(), 2);
    assert_eq!(count(&feishu, Class::Token), 1);
}

#[tokio::test]
async fn an_expired_token_is_replaced_within_the_call() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    api.bot_info().await.unwrap();
    feishu.fault(Class::Send, Fault::ExpireToken);
    // Without a uuid: a refused token is no doubt about what was done.
    say(&feishu, &api, None).await.unwrap();
    assert_eq!(feishu.user("ou_a").messages().len(), 1);
    assert_eq!(count(&feishu, Class::Token), 2);
}

#[tokio::test]
async fn many_callers_fetch_one_token() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    feishu.fault(Class::Token, Fault::Delay(Duration::from_millis(100)));
    let calls = (0..8).map(|_| api.bot_info());
    for result in futures_util::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(count(&feishu, Class::Token), 1);
    feishu.expire_tokens();
    let calls = (0..8).map(|_| api.bot_info());
    for result in futures_util::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(count(&feishu, Class::Token), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let feishu = Feishu::start().await;
    feishu.set(|settings| settings.token_life = Duration::from_secs(2));
    let api = api(&feishu);
    api.bot_info().await.unwrap();
    let start = Instant::now();
    while count(&feishu, Class::Token) < 2 {
        assert!(start.elapsed() < super::SOON, "no second token");
        api.bot_info().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // No call ever met an expired token.
    assert!(feishu.calls().iter().all(|call| call.code == Some(0)));
}

#[tokio::test]
async fn a_lost_answer_does_not_double_the_message() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    feishu.fault_times(Class::Send, 2, &Fault::DropAfterWork);
    let sent = say(&feishu, &api, Some("turn-1.0")).await.unwrap();
    let messages = feishu.user("ou_a").messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(Some(messages[0].message_id.clone()), sent.message_id);
    assert_eq!((messages[0].repeats, count(&feishu, Class::Send)), (2, 3));
}

#[tokio::test]
async fn a_time_out_is_repeated_with_the_same_uuid() {
    let feishu = Feishu::start().await;
    let api = Api::new(
        options(&feishu),
        http(),
        Patience {
            timeout: Duration::from_millis(300),
            pause: Duration::from_millis(10),
            ..Patience::default()
        },
    );
    feishu.fault(Class::Send, Fault::Hang);
    say(&feishu, &api, Some("turn-1.0")).await.unwrap();
    assert_eq!(feishu.user("ou_a").messages().len(), 1);
    let uuids: Vec<_> = feishu
        .calls()
        .into_iter()
        .filter(|call| call.class == Class::Send)
        .map(|call| call.body["uuid"].clone())
        .collect();
    assert_eq!(uuids, ["turn-1.0", "turn-1.0"]);
}

#[tokio::test]
async fn without_a_uuid_an_unsure_send_is_not_repeated() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    for fault in [Fault::DropAfterWork, Fault::Status(502)] {
        let before = count(&feishu, Class::Send);
        feishu.fault(Class::Send, fault);
        let error = say(&feishu, &api, None).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsure);
        assert_eq!(count(&feishu, Class::Send), before + 1);
    }
}

#[tokio::test]
async fn trouble_of_the_platform_is_retried() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    feishu.fault(Class::Token, Fault::Status(503));
    feishu.fault(Class::Send, Fault::Status(502));
    feishu.fault(
        Class::Send,
        Fault::Code {
            http: 400,
            code: 230_049,
        },
    );
    feishu.fault(Class::Send, Fault::DropBeforeWork);
    say(&feishu, &api, Some("u")).await.unwrap();
    assert_eq!(count(&feishu, Class::Send), 4);
    assert_eq!(feishu.user("ou_a").messages().len(), 1);
}

#[tokio::test]
async fn a_429_is_waited_out_as_asked() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    feishu.fault(Class::Send, Fault::RateLimited { reset_s: 1 });
    let start = Instant::now();
    // Nothing was done, so it is repeated even without a uuid.
    say(&feishu, &api, None).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(count(&feishu, Class::Send), 2);
}

#[tokio::test]
async fn refusals_are_not_retried() {
    let feishu = Feishu::start().await;
    let api = api(&feishu);
    for (code, kind) in [
        (230_011, ErrorKind::Gone),
        (230_025, ErrorKind::TooLong),
        (230_053, ErrorKind::NoSuchReader),
        (230_022, ErrorKind::Permanent),
    ] {
        let before = count(&feishu, Class::Send);
        feishu.fault(Class::Send, Fault::Code { http: 400, code });
        let error = say(&feishu, &api, Some("u")).await.unwrap_err();
        assert_eq!((error.kind, error.code), (kind, Some(code)));
        assert!(error.log_id.is_some());
        assert_eq!(count(&feishu, Class::Send), before + 1);
    }
}

#[tokio::test]
async fn retries_come_to_an_end() {
    let feishu = Feishu::start().await;
    let patience = Patience {
        tries: 3,
        pause: Duration::from_millis(5),
        ..Patience::default()
    };
    let api = Api::new(options(&feishu), http(), patience);
    feishu.fault_times(Class::Send, 10, &Fault::Status(500));
    let error = say(&feishu, &api, Some("u")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsure);
    assert_eq!(count(&feishu, Class::Send), 3);
}

#[tokio::test]
async fn a_wait_that_the_platform_names_is_kept_beyond_our_patience() {
    let feishu = Feishu::start().await;
    let patience = Patience {
        total: Duration::from_millis(100),
        ..Patience::default()
    };
    let api = Api::new(options(&feishu), http(), patience);
    feishu.fault(Class::Send, Fault::RateLimited { reset_s: 1 });
    let started = Instant::now();
    say(&feishu, &api, Some("u")).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(count(&feishu, Class::Send), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_asked_for_once() {
    let feishu = Feishu::start().await;
    let mut wrong = options(&feishu);
    wrong.app_secret = "not-the-secret".into();
    let api = Api::new(wrong, http(), Patience::default());
    for _ in 0..3 {
        let error = api.bot_info().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Credentials);
        assert!(!error.to_string().contains("not-the-secret"));
    }
    assert_eq!(count(&feishu, Class::Token), 1);
}

#[tokio::test]
async fn the_platforms_rates_are_kept() {
    let feishu = Feishu::start().await;
    feishu.set(|settings| settings.limits = Limits::real());
    let api = api(&feishu);
    let user = feishu.user("ou_a");
    let to = Receiver::Chat(user.chat_id());
    let first = api
        .send(&to, &Message::Card(card("0")), None)
        .await
        .unwrap();
    let id = first.message_id.unwrap();
    let message = text("x");
    let sends = (0..7).map(|_| api.send(&to, &message, None));
    let cards: Vec<_> = (1..8).map(|n| card(&n.to_string())).collect();
    let edits = cards.iter().map(|card| api.patch(&id, card));
    let (sent, edited) = tokio::join!(
        futures_util::future::join_all(sends),
        futures_util::future::join_all(edits),
    );
    assert!(sent.iter().all(Result::is_ok) && edited.iter().all(Result::is_ok));
    let refused: Vec<_> = feishu
        .calls()
        .into_iter()
        .filter(|call| call.code != Some(0))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}
