//! Getting in as somebody else: other doors, borrowed, edited and self-made papers.

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::stage::Stage;
use super::wire::{Door, Pass, Wire};
use super::{pass_of, say};

fn parts(pass: &Pass) -> (String, String) {
    match pass {
        Pass::Token { jwt, seed } => (jwt.clone(), seed.clone()),
        Pass::Nothing | Pass::Password { .. } => panic!("no token"),
    }
}

fn claims(jwt: &str) -> Value {
    let body = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap()
}

/// The token with other claims and the signature that it had.
fn edited(jwt: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(jwt);
    edit(&mut claims);
    let mut parts = jwt.split('.');
    let (head, _, signature) = (
        parts.next().unwrap(),
        parts.next().unwrap(),
        parts.next().unwrap(),
    );
    format!(
        "{head}.{}.{signature}",
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
    )
}

/// The token with other claims, signed anew by `key`.
fn signed(jwt: &str, key: &KeyPair, edit: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(jwt);
    claims["iss"] = key.public_key().into();
    edit(&mut claims);
    let head = jwt.split('.').next().unwrap();
    let body = format!(
        "{head}.{}",
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
    );
    let signature = key.sign(body.as_bytes()).unwrap();
    format!("{body}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// Whether one is let in, and is somebody there: an account that is open to strangers answers no question about work.
async fn gets_in(stage: &Stage, door: Door, pass: &Pass) -> bool {
    let address = match door {
        Door::Client => &stage.address,
        Door::Leaf => &stage.leaf_address,
    };
    let Ok(mut wire) = Wire::open(address, door, pass).await else {
        return false;
    };
    let name = match (door, pass) {
        (Door::Client, Pass::Token { jwt, .. }) => claims(jwt)["name"].as_str().unwrap().to_owned(),
        // A leaf's name is its site's; what it speaks for are nodes.
        (Door::Client | Door::Leaf, _) => "a".to_owned(),
    };
    let inbox = format!("_INBOX_{name}.got");
    wire.hear(&inbox, "").await;
    let questions = [
        "PWJS.API.CONSUMER.INFO.PW_WORK.a",
        "PWJS.API.CONSUMER.INFO.PW_WORK.b",
        "PWJS.API.CONSUMER.INFO.PW_OUT.web",
        "$JS.API.INFO",
        "$SYS.REQ.SERVER.PING",
    ];
    // The first is a leaf's to ask; at the second the hub would hang up on it before it has answered.
    let open = if door == Door::Leaf {
        1
    } else {
        questions.len()
    };
    for subject in &questions[..open] {
        wire.say(subject, &inbox, &[], b"").await;
    }
    let _ = wire.sync().await;
    stage.settle().await;
    let _ = wire.sync().await;
    wire.heard.iter().any(|heard| !heard.is_refusal())
}

#[tokio::test]
async fn nobody_gets_in_as_somebody_else() {
    let stage = Box::pin(Stage::ours()).await;
    let broker = stage.broker.as_ref().unwrap();
    let a = pass_of(&broker.enroll("a"));
    let c = pass_of(&broker.enroll("c"));
    let leaf = pass_of(&broker.hub().mint_leaf("site-x", &["a".to_owned()]).unwrap());
    let gateway = pass_of(&broker.creds("gateway"));
    let router = pass_of(&broker.creds("router"));
    let (jwt, seed) = parts(&a);
    let with = |jwt: String| Pass::Token {
        jwt,
        seed: seed.clone(),
    };
    // Even a token that the hub itself has signed cannot widen what its role may.
    let role = std::fs::read_to_string(broker.data_dir().join("keys/node-role.nk")).unwrap();
    let role = KeyPair::from_seed(role.trim()).unwrap();
    let stranger = KeyPair::new_account();
    let own = KeyPair::from_seed(&seed).unwrap();
    let everything = json!({"allow": [">"]});

    // The same way in, with papers that are in order.
    for (name, door, pass) in [
        ("a node as a client", Door::Client, &a),
        ("a gateway as a client", Door::Client, &gateway),
        ("the router as a client", Door::Client, &router),
        ("a leaf as a leaf", Door::Leaf, &leaf),
    ] {
        assert!(gets_in(&stage, door, pass).await, "{name}");
    }
    assert!(
        gets_in(&stage, Door::Client, &with(signed(&jwt, &role, |_| {}))).await,
        "signing anew is done right here"
    );

    let attacks = [
        ("leaf credentials as a client", Door::Client, leaf.clone()),
        ("a node's credentials as a leaf", Door::Leaf, a.clone()),
        (
            "a gateway's credentials as a leaf",
            Door::Leaf,
            gateway.clone(),
        ),
        ("no credentials as a leaf", Door::Leaf, Pass::Nothing),
        ("no credentials", Door::Client, Pass::Nothing),
        (
            "a password",
            Door::Client,
            Pass::Password {
                user: "router".into(),
                password: "router".into(),
            },
        ),
        (
            "the token of c with the seed of a",
            Door::Client,
            with(parts(&c).0),
        ),
        (
            "the router's token with the seed of a",
            Door::Client,
            with(parts(&router).0),
        ),
        (
            "its token with another name",
            Door::Client,
            with(edited(&jwt, |claims| claims["name"] = "b".into())),
        ),
        (
            "its token as one that needs no key",
            Door::Client,
            with(edited(&jwt, |claims| {
                claims["nats"]["bearer_token"] = true.into();
            })),
        ),
        (
            "its token with rights in it",
            Door::Client,
            with(edited(&jwt, |claims| {
                claims["nats"]["pub"] = everything.clone();
            })),
        ),
        (
            "a token signed by its own key",
            Door::Client,
            with(signed(&jwt, &own, |_| {})),
        ),
        (
            "a token signed by an account of its own",
            Door::Client,
            with(signed(&jwt, &stranger, |_| {})),
        ),
        (
            "a token of another account",
            Door::Client,
            with(signed(&jwt, &role, |claims| {
                claims["nats"]["issuer_account"] = stranger.public_key().into();
            })),
        ),
        (
            "rights in a token that the hub signed",
            Door::Client,
            with(signed(&jwt, &role, |claims| {
                claims["nats"]["pub"] = everything.clone();
                claims["nats"]["sub"] = everything.clone();
            })),
        ),
        (
            "doors in a token that the hub signed",
            Door::Leaf,
            with(signed(&jwt, &role, |claims| {
                claims["nats"]["allowed_connection_types"] = json!(["LEAFNODE"]);
            })),
        ),
    ];
    let mut succeeded = Vec::new();
    for (name, door, pass) in &attacks {
        let inside = gets_in(&stage, *door, pass).await;
        let verdict = if inside { "SUCCEEDED" } else { "refused" };
        say(&format!(
            "{verdict:9} {name} (nobody gets in as somebody else)"
        ));
        if inside {
            succeeded.push(*name);
        }
    }
    say(&format!(
        "logins: {} attacks, {} succeeded",
        attacks.len(),
        succeeded.len()
    ));
    assert!(succeeded.is_empty(), "{succeeded:?}");
}
