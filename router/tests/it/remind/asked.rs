//! What nodes ask about reminders, for those whom they serve.

use std::time::Duration;

use common::ids::{CauseId, MessageId};
use common::message::control::Heartbeat;
use common::message::remind::{RemindAnswer, RemindAsk, RemindWish};
use common::message::{Meta, decode, encode};
use common::stream::SCHED;
use common::subject;

use super::{comes, listed};
use crate::node::Node;
use crate::world::{World, inbound, user};

fn ask(node: &Node, who: &str, key: &str, wish: RemindWish) -> RemindAsk {
    let body = common::message::inbound::InboundBody::Text {
        text: String::new(),
    };
    let chat = inbound(who, "om_1", body, None).chat;
    let user = user(who);
    RemindAsk {
        meta: Meta::new(MessageId::new(), CauseId::new(user.surface(), "om_1"), ""),
        node: node.id.clone(),
        user,
        chat,
        key: key.into(),
        wish,
    }
}

/// The answer; none if none comes.
async fn answer(node: &Node, ask: &RemindAsk) -> Option<RemindAnswer> {
    let to = subject::remind(&node.id);
    let request = node.broker.client().request(to, encode(ask).into());
    let found = tokio::time::timeout(Duration::from_secs(2), request)
        .await
        .ok()?;
    Some(decode("answer", &found.ok()?.payload).unwrap())
}

fn set(when: &str, text: &str) -> RemindWish {
    RemindWish::Set {
        when: when.into(),
        text: text.into(),
    }
}

#[tokio::test]
async fn a_node_sets_lists_and_takes_back_for_those_whom_it_serves() {
    let world = World::start(&["home"]).await;
    let home = Node::start(&world, "home").await;
    world.on(1).await;
    let wish = ask(&home, "ou_1", "1", set("every 2s", "breathe"));
    for _ in 0..2 {
        // The same key is the same reminder.
        let told = answer(&home, &wish).await.unwrap();
        assert!(
            told.done && told.text.contains("every 2 seconds"),
            "{told:?}"
        );
    }
    assert_eq!(world.count(SCHED, subject::SCHED_ALL).await, 1);
    let (card, _) = comes(&world).await;
    assert_eq!(card.outbound.user, user("ou_1"));
    let told = answer(&home, &ask(&home, "ou_1", "2", RemindWish::List))
        .await
        .unwrap();
    assert!(told.text.contains("breathe"), "{told:?}");
    let told = answer(&home, &ask(&home, "ou_2", "2", RemindWish::List))
        .await
        .unwrap();
    assert!(!told.text.contains("breathe"), "{told:?}");
    let cancel = ask(&home, "ou_1", "3", RemindWish::Cancel { number: 1 });
    for _ in 0..2 {
        let told = answer(&home, &cancel).await.unwrap();
        assert!(
            told.done && told.text.starts_with("Reminder cancelled"),
            "{told:?}"
        );
    }
    let told = answer(
        &home,
        &ask(&home, "ou_1", "4", RemindWish::Cancel { number: 1 }),
    )
    .await
    .unwrap();
    assert!(!told.done, "{told:?}");
    for when in ["someday", "10m and more", ""] {
        let told = answer(&home, &ask(&home, "ou_1", "5", set(when, "x")))
            .await
            .unwrap();
        assert!(!told.done && told.text.contains("For example"), "{told:?}");
    }
}

#[tokio::test]
async fn nobody_asks_in_anothers_name_or_for_whom_they_do_not_serve() {
    let world = World::start(&["home", "lab"]).await;
    let (home, lab) = (
        Node::start(&world, "home").await,
        Node::start(&world, "lab").await,
    );
    world.on(2).await;
    // lab serves one person only.
    lab.send(&Heartbeat {
        serves: vec![user("ou_1")],
        ..lab.beat.clone()
    })
    .await;
    let refused = async || {
        let wish = ask(&lab, "ou_2", "1", set("1h", "not theirs"));
        let told = answer(&lab, &wish).await?;
        (!told.done && told.text.contains("does not serve")).then_some(())
    };
    crate::world::until("it does not serve them", refused).await;
    // The subject is the truth.
    let in_anothers = RemindAsk {
        node: home.id.clone(),
        ..ask(&lab, "ou_1", "2", set("1h", "forged"))
    };
    assert_eq!(answer(&lab, &in_anothers).await, None);
    assert!(!listed(&world, "ou_2", "om_9").await.contains("forged"));
    assert!(!listed(&world, "ou_1", "om_10").await.contains("forged"));
}
