//! Letters as gateways and nodes send them, true and false, and what the router itself gives up.

use common::identity::EnrollOptions;

use super::*;
use crate::world::creds_path;

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
    let places = inside
        .jetstream()
        .get_key_value(stream::KV_ROUTER)
        .await
        .unwrap();
    let kept = async || {
        let kept = places.get("acts").await.unwrap();
        kept.map(|kept| serde_json::from_slice::<serde_json::Value>(&kept).unwrap())
    };
    // So many have begun there that this one is the last: had each of them died at the first act,
    // this is what they would have left.
    let left = json!({"floor": floor, "times": MAX_ATTEMPTS - 1});
    places.put("acts", left.to_string().into()).await.unwrap();
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

#[tokio::test]
async fn a_node_asks_nobody_whom_it_does_not_serve() {
    let mut world = World::hub(&[]).await;
    let only = EnrollOptions {
        serves: vec!["ou_1".into()],
        ..EnrollOptions::default()
    };
    let creds = world.nats.hub().enroll("home", &only).unwrap().creds;
    creds.write(&creds_path(&world.nats, "home")).unwrap();
    world.start_router().await;
    let home = Node::mute(&world, "home").await;
    for who in ["ou_2", "ou_1"] {
        let who = user(who);
        let work = letter(&subject::work(&home.id, &who), stream::WORK, b"{".to_vec());
        store(&home.broker, "home", &who, work).await.unwrap();
    }
    settled(&world).await;
    assert_eq!(world.count(stream::OUT, subject::OUT_ALL).await, 1);
    assert_eq!(world.shown().await.outbound.user, user("ou_1"));
}
