//! The long connection: parts, acks, losses, refusals.

use std::time::Duration;

use gateway::feishu::connection::{AckAnswer, Status, Tuning};
use gateway::feishu::event::{self, Content, Event, OwnId};
use kit::feishu::{Class, Fault, Feishu, Order, SayOptions, Settings};
use serde_json::json;

use super::{Client, SOON, options, tuning};

fn with_config(config: serde_json::Value) -> Settings {
    Settings {
        client_config: config,
        ..Settings::default()
    }
}

#[tokio::test]
async fn parts_are_joined_in_any_order_and_acked_as_they_came() {
    let feishu = Feishu::start().await;
    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    let user = feishu.user("ou_a");
    let text = "多字节 text 👍 ".repeat(200);
    for order in [Order::InOrder, Order::Reversed, Order::Repeated] {
        let said = SayOptions {
            parts: 7,
            order,
            ..SayOptions::default()
        };
        let message_id = user.say_with(&text, said);
        let in_hand = client.next().await;
        let Event::Message(message) = event::parse(&in_hand.delivery.payload, &OwnId::Awaited)
        else {
            panic!("not a message");
        };
        assert_eq!(message.message_id, message_id);
        assert_eq!(message.content, Content::Text(text.trim().to_owned()));
        in_hand.answer.send(AckAnswer::Done).unwrap();
        let ack = feishu
            .wait_for(
                |f| {
                    f.acks()
                        .into_iter()
                        .find(|ack| ack.message_id.as_ref() == Some(&message_id))
                },
                SOON,
            )
            .await
            .unwrap();
        assert!(ack.accepted, "{ack:?}");
        assert!(ack.biz_rt.is_some());
    }
    client.stop().await;
    assert_eq!(feishu.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn deliveries_are_handled_side_by_side() {
    let feishu = Feishu::start().await;
    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    let user = feishu.user("ou_a");
    user.say("first");
    let first = client.next().await;
    let second_id = user.say("second");
    let second = client.next().await;
    second.answer.send(AckAnswer::Done).unwrap();
    // The second is acked while the first is still in hand.
    feishu
        .wait_until(|f| f.acks().len() == 1, SOON)
        .await
        .unwrap();
    assert_eq!(feishu.acks()[0].message_id, Some(second_id));
    first.answer.send(AckAnswer::Failed).unwrap();
    feishu
        .wait_until(|f| f.acks().len() == 2, SOON)
        .await
        .unwrap();
    assert_eq!(
        (feishu.acks()[1].code, feishu.acks()[1].accepted),
        (500, false)
    );
}

#[tokio::test]
async fn a_slow_handler_is_cut_off_in_time_and_the_delivery_comes_again() {
    let settings = Settings {
        redelivery: vec![Duration::from_millis(50)],
        ..Settings::default()
    };
    let feishu = Feishu::start_with(settings).await;
    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    feishu.user("ou_a").say("slow");
    let slow = client.next().await;
    let again = client.next().await;
    // The first try's future is gone: its answer has nowhere to go.
    assert!(slow.answer.is_closed());
    assert_eq!(slow.json()["event"], again.json()["event"]);
    let acks = feishu.acks();
    assert_eq!((acks.len(), acks[0].code), (1, 500));
    assert!(acks[0].problem.is_none(), "{acks:?}");
    assert!(acks[0].latency < Duration::from_secs(3), "{acks:?}");
    again.answer.send(AckAnswer::Done).unwrap();
    feishu
        .wait_until(|f| f.acks().iter().any(|ack| ack.accepted), SOON)
        .await
        .unwrap();
}

#[tokio::test]
async fn too_many_in_hand_are_sent_back_at_once() {
    let feishu = Feishu::start().await;
    let narrow = Tuning {
        in_flight: 1,
        ..tuning()
    };
    let mut client = Client::start(options(&feishu), narrow);
    client.connected().await;
    let user = feishu.user("ou_a");
    user.say("first");
    let first = client.next().await;
    user.say("second");
    feishu
        .wait_until(|f| f.acks().len() == 1, SOON)
        .await
        .unwrap();
    assert_eq!(feishu.acks()[0].code, 500);
    assert!(!first.answer.is_closed());
}

#[tokio::test]
async fn a_tap_is_answered_in_the_ack() {
    let feishu = Feishu::start().await;
    let api = super::api(&feishu);
    let user = feishu.user("ou_a");
    let card = json!({"schema": "2.0", "body": {"elements": [{
        "tag": "button", "text": {"tag": "plain_text", "content": "Go"},
        "behaviors": [{"type": "callback", "value": {"op": 1}}],
    }]}});
    let to = gateway::feishu::api::Receiver::Chat(user.chat_id());
    let card = gateway::feishu::api::Message::Card(card);
    let sent = api.send(&to, &card, Some("u1")).await.unwrap();
    let message_id = sent.message_id.unwrap();

    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    let answering = async {
        let in_hand = client.next().await;
        let Event::Tap(tap) = event::parse(&in_hand.delivery.payload, &OwnId::Awaited) else {
            panic!("not a tap");
        };
        assert_eq!(
            (tap.open_id.as_str(), &tap.value),
            ("ou_a", &json!({"op": 1}))
        );
        assert_eq!(tap.message_id, message_id);
        let toast = json!({"toast": {"type": "info", "content": "收到"}});
        in_hand.answer.send(AckAnswer::Answer(toast)).unwrap();
    };
    let (answer, ()) = tokio::join!(user.tap(&message_id, "Go"), answering);
    let answer = answer.unwrap();
    assert_eq!(
        (answer.code, answer.toast.unwrap().content.as_str()),
        (0, "收到")
    );
}

#[tokio::test]
async fn a_lost_connection_is_replaced_with_a_fresh_address() {
    let feishu = Feishu::start().await;
    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    for (count, close) in [(2, false), (3, true)] {
        if close {
            feishu.close_all(1001, "moving");
        } else {
            feishu.disconnect_all();
        }
        feishu
            .wait_until(|f| f.connections().len() == count, SOON)
            .await
            .unwrap();
        client.connected().await;
    }
    // The platform counts a used address as a violation.
    assert_eq!(feishu.violations(), Vec::<String>::new());
    feishu.user("ou_a").say("still there?");
    client.next().await.answer.send(AckAnswer::Done).unwrap();
    feishu
        .wait_until(|f| f.acks().iter().any(|ack| ack.accepted), SOON)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_connection_that_worked_is_soon_replaced_however_often() {
    // Waiting out the platform's own interval would take minutes.
    let feishu = Feishu::start().await;
    let mut client = Client::start(options(&feishu), tuning());
    for n in 1..=8 {
        client.connected().await;
        // The answer to the first ping has come by when a delivery has.
        let me = feishu.user("ou_a");
        me.say(&format!("{n}"));
        client.next().await.answer.send(AckAnswer::Done).unwrap();
        feishu.disconnect_all();
        client
            .until(|status| !matches!(status, Status::Connected { .. }))
            .await;
    }
    client.connected().await;
}

#[tokio::test]
async fn an_outage_is_waited_out() {
    let feishu = Feishu::start().await;
    let patient = Tuning {
        quick_tries: 50,
        quick_pause: Duration::from_millis(1),
        ..tuning()
    };
    let mut client = Client::start(options(&feishu), patient);
    client.connected().await;
    feishu.stop_listening().await;
    let status = client
        .until(|status| matches!(status, Status::Retrying { why, .. } if why.contains("cannot be reached")))
        .await;
    assert!(!format!("{status:?}").contains("ticket"), "{status:?}");
    feishu.resume().await;
    client.connected().await;
}

#[tokio::test]
async fn pings_come_at_once_and_then_as_the_pong_says() {
    let feishu = Feishu::start().await;
    feishu.set(|settings| settings.pong_settings = Some(json!({"PingInterval": 1})));
    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    feishu
        .wait_until(|f| f.connections()[0].pings.len() >= 3, SOON)
        .await
        .unwrap();
    let connection = &feishu.connections()[0];
    assert!(connection.pings[0] - connection.opened_at < Duration::from_secs(1));
    for pair in connection.pings.windows(2).take(2) {
        let apart = pair[1] - pair[0];
        assert!(apart > Duration::from_millis(800), "{apart:?}");
    }
}

#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let config = json!({"PingInterval": 1, "ReconnectInterval": 1, "ReconnectNonce": 1});
    let feishu = Feishu::start_with(with_config(config)).await;
    let quick = Tuning {
        pong_timeout: Duration::from_millis(500),
        ..tuning()
    };
    let mut client = Client::start(options(&feishu), quick);
    client.connected().await;
    // The second ping follows an answer to the first.
    feishu
        .wait_until(|f| f.connections()[0].pings.len() >= 2, SOON)
        .await
        .unwrap();
    feishu.half_open_all();
    let status = client
        .until(|status| matches!(status, Status::Retrying { .. }))
        .await;
    assert!(matches!(&status, Status::Retrying { why, .. } if why == "the connection went silent"));
    feishu.wait_connected(1, SOON).await.unwrap();
}

#[tokio::test]
async fn a_living_connection_is_not_given_up() {
    // Each pong comes within the time that is allowed after a ping, and counts anew.
    let config = json!({"PingInterval": 1});
    let feishu = Feishu::start_with(with_config(config)).await;
    let quick = Tuning {
        pong_timeout: Duration::from_millis(900),
        idle_slack: Duration::from_millis(0),
        ..tuning()
    };
    let mut client = Client::start(options(&feishu), quick);
    client.connected().await;
    feishu
        .wait_until(|f| f.connections()[0].pings.len() >= 4, SOON)
        .await
        .unwrap();
    assert_eq!(feishu.connections().len(), 1);
}

#[tokio::test]
async fn a_platform_that_answers_no_pings_keeps_its_connection() {
    let config = json!({"PingInterval": 1});
    let feishu = Feishu::start_with(with_config(config)).await;
    feishu.set(|settings| settings.pongs = false);
    let quick = Tuning {
        pong_timeout: Duration::from_millis(100),
        idle_slack: Duration::from_millis(0),
        ..tuning()
    };
    let mut client = Client::start(options(&feishu), quick);
    client.connected().await;
    feishu
        .wait_until(|f| f.connections()[0].pings.len() >= 4, SOON)
        .await
        .unwrap();
    assert_eq!(feishu.connections().len(), 1);
}

#[tokio::test]
async fn refusals_are_told_and_tried_again_slowly() {
    let feishu = Feishu::start().await;
    for (code, wanted) in [
        (1_000_040_351, "Set FEISHU_BASE_URL"),
        (1_000_040_350, "as many long connections"),
        (403, "may not use the long connection"),
    ] {
        feishu.fault(Class::Endpoint, Fault::Code { http: 200, code });
        let mut client = Client::start(options(&feishu), tuning());
        let why = client.refused().await;
        assert!(why.contains(wanted), "{why}");
        // The next try finds it mended.
        client.connected().await;
        client.stop().await;
    }
}

#[tokio::test]
async fn the_platforms_own_limit_is_understood() {
    let settings = Settings {
        max_connections: 1,
        ..Settings::default()
    };
    let feishu = Feishu::start_with(settings).await;
    let mut first = Client::start(options(&feishu), tuning());
    first.connected().await;
    let mut second = Client::start(options(&feishu), tuning());
    let why = second.refused().await;
    assert!(
        why.contains("Another program uses the same FEISHU_APP_ID"),
        "{why}"
    );
    first.stop().await;
    second.connected().await;
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_not_shown() {
    let feishu = Feishu::start().await;
    let mut wrong = options(&feishu);
    wrong.app_secret = "not-the-secret".into();
    let mut client = Client::start(wrong, tuning());
    let why = client.refused().await;
    assert!(
        why.contains("Check FEISHU_APP_ID and FEISHU_APP_SECRET"),
        "{why}"
    );
    assert!(!why.contains("not-the-secret"));
}

#[tokio::test]
async fn busy_platforms_and_refused_handshakes_are_retried() {
    let feishu = Feishu::start().await;
    feishu.fault(Class::Endpoint, Fault::Code { http: 200, code: 1 });
    feishu.fault(Class::Handshake, Fault::Code { http: 514, code: 7 });
    let mut client = Client::start(options(&feishu), tuning());
    let status = client
        .until(|status| matches!(status, Status::Retrying { .. }))
        .await;
    assert!(matches!(&status, Status::Retrying { why, .. } if why == "the platform is busy"));
    client.connected().await;
    assert_eq!(feishu.faults_left(Class::Handshake), 0);
}

#[tokio::test]
async fn a_refused_handshake_with_the_limit_is_a_refusal() {
    let feishu = Feishu::start().await;
    let code = 1_000_040_350;
    feishu.fault(Class::Handshake, Fault::Code { http: 514, code });
    let mut client = Client::start(options(&feishu), tuning());
    let why = client.refused().await;
    assert!(why.contains("as many long connections"), "{why}");
    client.connected().await;
}

#[tokio::test]
async fn stopping_finishes_what_is_in_hand() {
    let feishu = Feishu::start().await;
    let mut client = Client::start(options(&feishu), tuning());
    client.connected().await;
    feishu.user("ou_a").say("last words");
    let in_hand = client.next().await;
    client.cancel.cancel();
    // The test has one thread: the loop sees the cancellation before the answer is given.
    tokio::task::yield_now().await;
    in_hand.answer.send(AckAnswer::Done).unwrap();
    client.stop().await;
    feishu
        .wait_until(|f| f.acks().iter().any(|ack| ack.accepted), SOON)
        .await
        .unwrap();
    assert_eq!(*client.status.borrow(), Status::Stopped);
    feishu.wait_connected(0, SOON).await.unwrap();
}
