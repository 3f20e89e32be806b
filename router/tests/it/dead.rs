//! What can never be handled: the person is asked once, nobody waits for it, and what they choose is
//! done once.

use async_nats::HeaderMap;
use common::broker::Broker;
use common::broker::consume::{ConsumeOptions, Delivery, Earlier, MAX_ATTEMPTS, Outcome, consume};
use common::broker::dead::{DeadWhy, Letter, store};
use common::ids::CardId;
use common::lang::Lang;
use common::message::encode;
use common::message::inbound::InboundBody;
use common::message::outbound::{Outbound, OutboundBody};
use common::message::view::{Action, DeadChoice, View};
use common::{stream, subject};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::node::Node;
use crate::world::{Shown, World, id, inbound, until, user};

fn about(action: &Action) -> u64 {
    match action {
        Action::Dead { sequence, .. } => *sequence,
        other => panic!("{other:?}"),
    }
}

fn dead(sequence: u64, choice: DeadChoice) -> Action {
    Action::Dead { sequence, choice }
}

/// Garbage on a person's way in, as no gateway sends it.
async fn garbage(world: &World, who: &str, key: &str) {
    let subject = subject::inbound_message(&user(who));
    world.gate.publish(&subject, key, "", "{").await.unwrap();
}

async fn letters(world: &World) -> usize {
    world.count(stream::DLQ, subject::DEAD_ALL).await
}

fn labels(card: &Shown) -> Vec<&str> {
    let buttons = card.view.buttons.iter();
    buttons.map(|button| button.label.as_str()).collect()
}

#[tokio::test]
async fn a_bad_act_is_asked_about_once_and_its_neighbours_go_on() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    world.says("ou_1", "om_1", "before").await;
    garbage(&world, "ou_1", "bad-1").await;
    world.says("ou_1", "om_2", "after").await;
    assert_eq!(home.text().await, "before");
    assert_eq!(home.text().await, "after");
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @r"
    A message of yours could not be handled
    Where: on the hub
    As it is, it can never be handled.
    Reason: not a readable inbound: EOF while parsing an object at line 1 column 1
    Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    ");
    assert_eq!(labels(&question), ["Retry", "Discard"]);
    assert_eq!(question.view.footer.as_deref(), Some("dead-refused"));
    assert_eq!((question.rev, question.outbound.chat.id.as_str()), (1, ""));

    // Once more, and it fails once more: the same is said of the first, and a new card asks.
    let retry = question.button("Retry");
    world.taps("ou_1", "tap_1", retry.clone()).await;
    let retried = world.shown().await;
    assert_eq!((&retried.card, retried.rev), (&question.card, 2));
    assert_eq!(retried.view.title, "Handed in again");
    assert!(retried.view.buttons.is_empty());
    let second = world.shown().await;
    assert_ne!(second.card, question.card);
    assert_eq!(second.text(), question.text());

    // A second tap on the first changes nothing.
    world.taps("ou_1", "tap_2", retry).await;
    assert_eq!(world.shown().await.view.title, "Handed in again");
    world
        .taps("ou_1", "tap_3", question.button("Discard"))
        .await;
    let late = world.shown().await;
    assert_eq!((&late.card, late.rev), (&question.card, 3));
    assert!(
        late.text().contains("The first tap counted"),
        "{}",
        late.text()
    );
    assert_eq!(letters(&world).await, 2);

    world.taps("ou_1", "tap_4", second.button("Discard")).await;
    let discarded = world.shown().await;
    assert_eq!((&discarded.card, discarded.rev), (&second.card, 2));
    assert_eq!(discarded.view.title, "Discarded");
    assert_eq!(letters(&world).await, 1, "it is gone");
    world.taps("ou_1", "tap_5", second.button("Retry")).await;
    let late = world.shown().await;
    assert_eq!((late.view.title.as_str(), late.rev), ("Discarded", 3));
    world.says("ou_1", "om_3", "still there").await;
    assert_eq!(home.text().await, "still there");
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 0);
}

#[tokio::test]
async fn only_its_own_person_reaches_a_letter() {
    let world = World::start(&[]).await;
    garbage(&world, "ou_1", "bad-1").await;
    let question = world.shown().await;
    let sequence = about(&question.button("Retry"));
    let gone = "It is not kept any more";
    for (n, choice) in [DeadChoice::Retry, DeadChoice::Discard]
        .into_iter()
        .enumerate()
    {
        world
            .taps("ou_2", &format!("tap_{n}"), dead(sequence, choice))
            .await;
        let refused = world.shown().await;
        assert_eq!(refused.outbound.user, user("ou_2"));
        assert_eq!(refused.view.title, gone);
    }
    assert_eq!(letters(&world).await, 1);
    // Neither is there one where the broker's own word on it is, nor where nothing is.
    assert_eq!(sequence, 1);
    for (n, other) in [2, 3, 0, 1_000, u64::MAX].into_iter().enumerate() {
        world
            .taps(
                "ou_1",
                &format!("mine_{n}"),
                dead(other, DeadChoice::Discard),
            )
            .await;
        assert_eq!(world.shown().await.view.title, gone);
    }
    world.taps("ou_1", "mine", question.button("Discard")).await;
    assert_eq!(world.shown().await.view.title, "Discarded");
    assert_eq!(letters(&world).await, 0);
}

#[tokio::test]
async fn a_tap_that_is_carried_out_twice_hands_in_once() {
    let mut world = World::start(&[]).await;
    garbage(&world, "ou_1", "bad-1").await;
    let question = world.shown().await;
    world.taps("ou_1", "tap_1", question.button("Retry")).await;
    assert_eq!(world.shown().await.rev, 2);
    assert_eq!(world.shown().await.rev, 1);
    // As if the router had died before it wrote down what it had done.
    world.stop_router().await;
    let users = world.inside.jetstream().get_key_value(stream::KV_USERS);
    users.await.unwrap().delete("feishu/ou_1").await.unwrap();
    world.start_router().await;
    world.taps("ou_1", "tap_2", question.button("Retry")).await;
    let again = world.shown().await;
    assert_eq!((&again.card, again.rev), (&question.card, 2));
    assert_eq!(
        world.list("ou_1").await.lines().next(),
        Some("No machine yet")
    );
    assert_eq!(
        letters(&world).await,
        2,
        "it was not handed in a third time"
    );
}

/// A node's reader that gives up `times` messages and then takes all.
fn reader(node: &Broker, times: usize) -> (tokio::sync::mpsc::Receiver<Delivery>, impl Drop) {
    let (heard, hears) = tokio::sync::mpsc::channel(16);
    let stop = CancellationToken::new();
    let (node, cancel) = (node.clone(), stop.clone());
    let left = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(times));
    tokio::spawn(async move {
        let options = ConsumeOptions {
            stream: stream::WORK,
            consumer: "home",
            in_flight: 1,
            drain: std::time::Duration::from_secs(1),
            dead: Some("home"),
            earlier: Earlier::default(),
            lease: None,
        };
        let handle = |delivery: Delivery| {
            let (heard, left) = (heard.clone(), std::sync::Arc::clone(&left));
            async move {
                use std::sync::atomic::Ordering::SeqCst;
                let bad = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
                assert!(bad.is_err(), "a defect, as ordered");
                heard.send(delivery).await.unwrap();
                Outcome::Done
            }
        };
        consume(&node, options, cancel, |_| String::new(), handle).await;
    });
    (hears, stop.drop_guard())
}

#[tokio::test]
async fn a_node_that_fails_at_a_message_gets_it_again_by_a_tap() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let (mut hears, _reading) = reader(&home.broker, 2);
    world
        .act_in(
            "ou_1",
            "om_1",
            InboundBody::Text {
                text: "build it\nand more".into(),
            },
            Some(Lang::Zh),
        )
        .await;
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @r"
    您的一条消息无法处理
    “build it…”
    机器：HOME
    处理中途出错了，这是 PhoneWork 的缺陷。
    其他消息不受影响。“重试”再处理一次，“丢弃”不再保留。最多保留一周。
    ");
    assert_eq!(question.outbound.chat.id, "oc_1");
    world.taps("ou_1", "tap_1", question.button("重试")).await;
    assert_eq!(world.shown().await.view.title, "已重新提交");
    // It fails once more, and then it works.
    let second = world.shown().await;
    assert_ne!(second.card, question.card);
    world.taps("ou_1", "tap_2", second.button("重试")).await;
    assert_eq!(world.shown().await.view.title, "已重新提交");
    let done = hears.recv().await.unwrap();
    assert!(String::from_utf8_lossy(&done.payload).contains("build it"));
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
    assert_eq!(letters(&world).await, 2);
}

fn letter(subject: &str, of: &str, payload: Vec<u8>) -> Letter {
    Letter {
        id: format!("dead-{of}-1-{}", CardId::new()),
        subject: subject.into(),
        stream: of.into(),
        sequence: 1,
        attempts: 1,
        why: DeadWhy::Refused,
        detail: "the platform refuses it".into(),
        traceparent: String::new(),
        cut_from: None,
        payload: payload.into(),
    }
}

fn answer(who: &str, cause: &str) -> Outbound {
    let act = inbound(
        who,
        cause,
        InboundBody::Unsupported { what: "x".into() },
        None,
    );
    Outbound {
        meta: act.meta,
        user: act.user,
        chat: act.chat,
        body: OutboundBody::Card {
            card: CardId::new(),
            rev: 1,
            view: View {
                title: "the answer".into(),
                ..View::default()
            },
        },
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_shown_is_asked_about_and_shown_by_a_tap() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let shown = answer("ou_1", "om_1");
    let subject = subject::out(&home.id, &user("ou_1"));
    let mut whole = letter(&subject, stream::OUT, encode(&shown));
    store(&world.gate, "gateway", &user("ou_1"), whole.clone())
        .await
        .unwrap();
    let question = world.shown().await;
    assert_eq!(question.view.title, "An answer of HOME could not be shown");
    assert!(question.text().contains("Reason: the platform refuses it"));
    assert_eq!(question.outbound.chat, shown.chat);
    world.taps("ou_1", "tap_1", question.button("Retry")).await;
    let again = world.shown().await;
    assert_eq!(again.outbound, shown);
    assert_eq!(world.shown().await.view.title, "Handed in again");

    // One that was too large to be kept whole has no such button, and does not go out in pieces.
    whole.id.push('x');
    whole.payload = vec![b'x'; 2_000_000].into();
    store(&world.gate, "gateway", &user("ou_1"), whole)
        .await
        .unwrap();
    let question = world.shown().await;
    assert_eq!(labels(&question), ["Discard"]);
    assert!(
        question.text().contains("It had 2000000 bytes"),
        "{}",
        question.text()
    );
    let sequence = about(&question.button("Discard"));
    world
        .taps("ou_1", "tap_2", dead(sequence, DeadChoice::Retry))
        .await;
    assert!(world.shown().await.text().contains("cannot be retried"));
    world
        .taps("ou_1", "tap_3", question.button("Discard"))
        .await;
    assert_eq!(world.shown().await.view.title, "Discarded");

    // The question itself cannot be shown: nobody is asked about that.
    let own = subject::out_router(&user("ou_1"));
    let own = letter(&own, stream::OUT, encode(&question.outbound));
    store(&world.gate, "gateway", &user("ou_1"), own)
        .await
        .unwrap();
    settled(&world).await;
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 0);
}

/// Waits until all letters have been dealt with.
async fn settled(world: &World) {
    let inside = world.inside.clone();
    until("all letters are dealt with", || async {
        let letters = inside.jetstream().get_stream(stream::DLQ).await.unwrap();
        let state = letters.consumer_info(stream::DLQ_ROUTER).await.unwrap();
        (state.num_pending == 0 && state.num_ack_pending == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_letter_that_claims_what_is_not_its_senders_is_only_logged() {
    let world = World::start(&["home", "lab"]).await;
    let home = Node::mute(&world, "home").await;
    let me = user("ou_1");
    let foreign = [
        letter(&subject::inbound_message(&me), stream::IN, b"{".to_vec()),
        letter(&subject::work(&id("lab"), &me), stream::WORK, b"{".to_vec()),
        letter(
            &subject::work(&home.id, &user("ou_2")),
            stream::WORK,
            b"{".to_vec(),
        ),
        letter("$JS.API.STREAM.PURGE.PW_WORK", stream::WORK, b"{}".to_vec()),
    ];
    for one in foreign {
        store(&home.broker, "home", &me, one).await.unwrap();
    }
    // Without any headers of ours.
    let subject = subject::dead("home", &me);
    home.broker
        .publish(&subject, "plain", "", "{}")
        .await
        .unwrap();
    let mut odd = HeaderMap::new();
    odd.insert("Pw-Subject", "pw.work.home.feishu.ou_1");
    let client = home.broker.client();
    client
        .publish_with_headers(subject, odd, "{}".into())
        .await
        .unwrap();
    let own = letter(&subject::work(&home.id, &me), stream::WORK, b"{".to_vec());
    store(&home.broker, "home", &me, own).await.unwrap();
    settled(&world).await;
    assert_eq!(letters(&world).await, 7);
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 1);
    let question = world.shown().await;
    assert!(
        question.text().contains("Machine: home"),
        "{}",
        question.text()
    );
    // A tap cannot reach what is only logged either.
    let sequence = about(&question.button("Retry"));
    for n in 1..sequence {
        world
            .taps("ou_1", &format!("tap_{n}"), dead(n, DeadChoice::Retry))
            .await;
        assert_eq!(world.shown().await.view.title, "It is not kept any more");
    }
    assert_eq!(world.count(stream::WORK, subject::WORK_ALL).await, 0);
}

#[tokio::test]
async fn an_act_that_no_router_survived_is_given_up_over_resets_as_well() {
    let mut world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    world.stop_router().await;
    let inside = world.inside.clone();
    let acts = inside.jetstream().get_stream(stream::IN).await.unwrap();
    until("nobody reads", || async {
        let state = acts.consumer_info(stream::IN_ROUTER).await.unwrap();
        (state.num_waiting == 0).then_some(())
    })
    .await;
    for n in 1..=3 {
        world
            .says("ou_1", &format!("om_{n}"), &format!("{n}"))
            .await;
    }
    // A reader that takes all three and is gone.
    let take = async || {
        let config =
            acts.get_consumer::<async_nats::jetstream::consumer::pull::Config>(stream::IN_ROUTER);
        let mut taken = config
            .await
            .unwrap()
            .fetch()
            .max_messages(3)
            .messages()
            .await
            .unwrap();
        while let Some(message) = taken.next().await {
            drop(message.unwrap());
        }
    };
    take().await;
    let floor = acts
        .consumer_info(stream::IN_ROUTER)
        .await
        .unwrap()
        .ack_floor
        .stream_sequence;
    let users = inside
        .jetstream()
        .get_key_value(stream::KV_USERS)
        .await
        .unwrap();
    let kept = async || {
        let kept = users.get("router/floor").await.unwrap();
        kept.map(|kept| serde_json::from_slice::<serde_json::Value>(&kept).unwrap())
    };
    // So many have begun there that this one is the last: had each of them died at the first act,
    // this is what they would have left.
    let left = json!({"floor": floor, "times": MAX_ATTEMPTS - 1});
    users
        .put("router/floor", left.to_string().into())
        .await
        .unwrap();
    world.start_router().await;
    let counted = json!({"floor": floor, "times": MAX_ATTEMPTS});
    until("it is counted", || async {
        (kept().await.as_ref() == Some(&counted)).then_some(())
    })
    .await;
    // Of the three only the first can be to blame.
    let question = world.shown().await;
    insta::assert_snapshot!(question.text(), @r"
    A message of yours could not be handled
    “1”
    Where: on the hub
    It was begun 13 times and never came to an end.
    Nothing else waits for it. Retry hands it in once more, Discard forgets it. It is kept for a week.
    ");
    assert_eq!(home.text().await, "2");
    assert_eq!(home.text().await, "3");
    world.taps("ou_1", "tap_1", question.button("Retry")).await;
    assert_eq!(world.shown().await.view.title, "Handed in again");
    assert_eq!(home.text().await, "1");
    settled(&world).await;
    assert_eq!(letters(&world).await, 1);
}
