//! Machines that knock, as strangers at a real broker, and administrators who tap.

use std::time::{Duration, Instant};

use common::broker::knock::{Door, KnockError};
use common::identity::secret_proof;
use common::ids::UserId;
use common::message::enrol::{Answer, Knock, Proof, Refused};
use common::message::outbound::OutboundBody;
use common::message::view::{Action, EnrolChoice};
use router::EnrolOptions;
use secrecy::SecretString;

use crate::world::{Shown, World, user};

/// Long enough for a busy machine; reaching it is a failure.
const SOON: Duration = Duration::from_secs(20);

fn secret() -> SecretString {
    SecretString::from("a-secret-of-some-length".to_owned())
}

fn key() -> String {
    nkeys::KeyPair::new_user().public_key()
}

/// A router that lets machines in who know the secret, when these agree.
async fn site(admins: &[&str], auto_approve: bool) -> World {
    let mut world = World::hub(&[]).await;
    world.enrol = EnrolOptions {
        secret: Some(secret()),
        admins: admins.iter().map(|who| user(who)).collect::<Vec<UserId>>(),
        auto_approve,
        ..EnrolOptions::default()
    };
    world.start_router().await;
    world
}

fn knock(node: &str, key: &str, secret: &SecretString) -> Knock {
    let mac = secret_proof(secret, node, key);
    Knock::new(node, key, "Lab", Proof::Secret { mac })
}

/// A router that has just begun may not listen yet; whoever knocks tries again then.
async fn ask(door: &Door, knock: &Knock) -> Answer {
    let deadline = Instant::now() + SOON;
    loop {
        match door.ask(knock).await {
            Ok(reply) => return reply.answer,
            Err(KnockError::NoRouter { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(why) => panic!("{why}"),
        }
    }
}

/// A card to somebody, whatever rings beside it.
async fn card(world: &World) -> Shown {
    loop {
        let outbound = world.out().await;
        if let OutboundBody::Card { card, rev, view } = outbound.body.clone() {
            return Shown {
                outbound,
                card: card.to_string(),
                rev,
                view,
            };
        }
    }
}

#[tokio::test]
async fn strangers_get_nothing_but_a_sentence() {
    let world = site(&[], true).await;
    let door = Door::reach(&world.nats.url(), None).await.unwrap();
    let look = Knock::new("", "", "", Proof::Look);
    assert_eq!(ask(&door, &look).await, Answer::Here);
    for bad in [
        ">",
        "*",
        "a.b",
        "",
        "A",
        "router",
        "enrol",
        &"x".repeat(200),
    ] {
        let answer = ask(&door, &knock(bad, &key(), &secret())).await;
        let Answer::Refused {
            why: Refused::BadId { id, .. },
        } = answer
        else {
            panic!("{bad}: {answer:?}");
        };
        assert!(id.len() <= 64);
    }
    let answer = ask(&door, &knock("lab-1", "not a key", &secret())).await;
    let why = Refused::BadKey;
    assert_eq!(answer, Answer::Refused { why });
    assert_eq!(world.nats.hub().nodes().unwrap(), []);

    // Whatever else is sent is answered, too, and changes nothing.
    let client = async_nats::ConnectOptions::new()
        .custom_inbox_prefix("_INBOX_enrol")
        .connect(world.nats.url())
        .await
        .unwrap();
    for junk in ["", "{", "[]", r#"{"v":9,"key":"U","proof":{"by":"magic"}}"#] {
        let answer = client.request("pw.enrol", junk.into()).await.unwrap();
        let text = String::from_utf8_lossy(&answer.payload).into_owned();
        assert!(text.contains("unreadable"), "{junk}: {text}");
    }
}

#[tokio::test]
async fn who_guesses_waits_and_others_do_not() {
    let world = site(&[], true).await;
    let door = Door::reach(&world.nats.url(), None).await.unwrap();
    let wrong = SecretString::from("another".to_owned());
    for _ in 0..5 {
        let answer = ask(&door, &knock("lab-1", &key(), &wrong)).await;
        let why = Refused::WrongSecret;
        assert_eq!(answer, Answer::Refused { why });
    }
    // Not even the right one is looked at now.
    for secret in [&wrong, &secret()] {
        let answer = ask(&door, &knock("lab-1", &key(), secret)).await;
        let slow = matches!(
            answer,
            Answer::Refused {
                why: Refused::Slow { .. }
            }
        );
        assert!(slow, "{answer:?}");
    }
    let mine = key();
    let answer = ask(&door, &knock("lab-2", &mine, &secret())).await;
    assert!(matches!(answer, Answer::Welcome { .. }), "{answer:?}");
    // A proof is good for its own id and key only.
    let stolen = Knock {
        node: "lab-3".into(),
        ..knock("lab-2", &mine, &secret())
    };
    let why = Refused::WrongSecret;
    assert_eq!(ask(&door, &stolen).await, Answer::Refused { why });
    // The id belongs to its first key.
    let answer = ask(&door, &knock("lab-2", &key(), &secret())).await;
    let id = "lab-2".to_owned();
    let why = Refused::Taken { id: id.clone() };
    assert_eq!(answer, Answer::Refused { why });
    let answer = ask(&door, &knock("lab-2", &mine, &secret())).await;
    assert!(matches!(answer, Answer::Welcome { .. }), "{answer:?}");
    world.nats.hub().revoke("lab-2").unwrap();
    for key in [key(), mine] {
        let why = Refused::Removed { id: id.clone() };
        let answer = ask(&door, &knock("lab-2", &key, &secret())).await;
        assert_eq!(answer, Answer::Refused { why });
    }
}

#[tokio::test]
async fn only_an_administrator_decides_and_the_first_tap_counts() {
    let world = site(&["ou_anna", "ou_ben"], false).await;
    let door = Door::reach(&world.nats.url(), None).await.unwrap();
    let (mine, other) = (key(), key());
    let asked = Answer::Waits { asked: 2 };
    assert_eq!(ask(&door, &knock("lab-1", &mine, &secret())).await, asked);
    assert_eq!(ask(&door, &knock("lab-1", &mine, &secret())).await, asked);
    let (first, second) = (card(&world).await, card(&world).await);
    let who = |shown: &Shown| shown.outbound.user.to_string();
    let (annas, bens) = if who(&first) == "feishu/ou_anna" {
        (first, second)
    } else {
        (second, first)
    };
    assert_eq!((who(&bens).as_str(), annas.rev), ("feishu/ou_ben", 1));
    let (approve, deny) = (annas.button("Approve"), bens.button("Deny"));

    world.taps("ou_eve", "ev_1", approve.clone()).await;
    assert_eq!(card(&world).await.view.title, "You cannot let machines in");
    // A key that nobody asked with.
    let Action::Enrol { id, .. } = approve.clone() else {
        panic!("{approve:?}");
    };
    let forged = Action::Enrol {
        id,
        key: other.clone(),
        choice: EnrolChoice::Approve,
    };
    world.taps("ou_anna", "ev_2", forged).await;
    assert_eq!(card(&world).await.view.title, "That did not work");
    assert_eq!(world.nats.hub().nodes().unwrap(), []);

    world.taps("ou_anna", "ev_3", approve).await;
    let mut shown = [card(&world).await, card(&world).await];
    shown.sort_by_key(who);
    for (now, before) in shown.iter().zip([&annas, &bens]) {
        assert_eq!((now.card.as_str(), now.rev), (before.card.as_str(), 2));
        assert!(now.text().contains("lab-1 is let in"), "{}", now.text());
    }
    world.taps("ou_ben", "ev_4", deny).await;
    let late = card(&world).await;
    assert_eq!((late.card.as_str(), late.rev), (bens.card.as_str(), 3));
    assert!(late.text().contains("decided before"), "{}", late.text());
    let answer = ask(&door, &knock("lab-1", &mine, &secret())).await;
    assert!(matches!(answer, Answer::Welcome { .. }), "{answer:?}");
    let record = world.nats.hub().node("lab-1").unwrap().unwrap();
    assert_eq!((record.public_key, record.name), (mine, "Lab".to_owned()));
    let answer = ask(&door, &knock("lab-1", &other, &secret())).await;
    assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
}

#[tokio::test]
async fn without_a_secret_or_anybody_to_ask_it_says_so() {
    let mut world = site(&[], false).await;
    let door = Door::reach(&world.nats.url(), None).await.unwrap();
    let answer = ask(&door, &knock("lab-1", &key(), &secret())).await;
    assert_eq!(answer, Answer::Waits { asked: 0 });
    world.stop_router().await;
    let gone = door.ask(&knock("lab-1", &key(), &secret())).await;
    let why = gone.unwrap_err().to_string();
    assert!(why.contains("nobody answers for the hub"), "{why}");
    world.enrol = EnrolOptions::default();
    world.start_router().await;
    let answer = ask(&door, &knock("lab-1", &key(), &secret())).await;
    let id = "lab-1".to_owned();
    let why = Refused::NoSecret { id };
    assert_eq!(answer, Answer::Refused { why });
}
