//! Who gets in: strangers as far as the door, machines with their own key, nobody who was cut off.

use std::time::Duration;

use async_nats::{ConnectErrorKind, ConnectOptions};
use common::identity::{Creds, EnrollOptions, NODE_DISCONNECTED, node_of_event};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::{World, imported, roundtrip};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_stranger_may_knock_and_nothing_else() {
    let world = World::start().await;
    let mut asked = world.router.subscribe("pw.enrol").await.unwrap();
    roundtrip(&world.router).await;
    let router = world.router.clone();
    let answering = tokio::spawn(async move {
        while let Some(request) = asked.next().await {
            router
                .publish(request.reply.unwrap(), "wait".into())
                .await
                .unwrap();
        }
    });
    // Without any credentials, and with those a join token carries.
    let bare = ConnectOptions::new()
        .custom_inbox_prefix("_INBOX_enrol")
        .connect(world.broker.url())
        .await
        .unwrap();
    let token = world.broker.connect(&world.broker.creds("enrol")).await;
    for stranger in [bare, token] {
        let answer = timeout(SOON, stranger.request("pw.enrol", "home-pc".into()))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.payload.as_ref(), b"wait");
        for subject in [
            "pw.in.feishu.ou_1.msg",
            "pw.hb.a",
            "$JS.API.INFO",
            "PWJS.API.CONSUMER.INFO.PW_WORK.a",
        ] {
            stranger.publish(subject, "x".into()).await.unwrap();
        }
        // Asking once more shows that the server is past them.
        timeout(SOON, stranger.request("pw.enrol", "home-pc".into()))
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(world.stored("PW_IN").await, 0);
    answering.abort();
}

#[tokio::test]
async fn a_revoked_node_is_cut_at_once_and_stays_out() {
    let mut world = World::start().await;
    let (creds_a, creds_b) = (world.creds_a.clone(), world.creds_b.clone());
    let mut gone = world.router.subscribe(NODE_DISCONNECTED).await.unwrap();
    roundtrip(&world.router).await;
    world.broker.hub().revoke("a").unwrap();
    world
        .broker
        .hub()
        .tell_broker(&world.broker.url(), None)
        .await
        .unwrap();
    let event = timeout(SOON, gone.next()).await.unwrap().unwrap();
    assert_eq!(node_of_event(&event.payload).as_deref(), Some("a"));

    assert_refused(&world, &creds_a).await;
    world.broker.restart().await;
    assert_refused(&world, &creds_a).await;
    world.broker.connect(&creds_b).await.flush().await.unwrap();
}

#[tokio::test]
async fn a_node_revoked_while_the_broker_is_down_stays_out() {
    let mut world = World::start().await;
    world.broker.stop().await;
    world.broker.hub().revoke("a").unwrap();
    world.broker.restart().await;
    assert_refused(&world, &world.creds_a).await;
    world
        .broker
        .connect(&world.creds_b)
        .await
        .flush()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_replaced_machine_gets_in_with_its_new_key_only() {
    let mut world = World::start().await;
    let options = EnrollOptions {
        replace: true,
        ..EnrollOptions::default()
    };
    let fresh = world.broker.hub().enroll("a", &options).unwrap().creds;
    world.broker.restart().await;
    assert_refused(&world, &world.creds_a).await;
    let a = world.broker.connect(&fresh).await;
    imported(&a)
        .publish("pw.out.a.feishu.ou_1", "back".into())
        .await
        .unwrap()
        .await
        .unwrap();
}

async fn assert_refused(world: &World, creds: &Creds) {
    let attempt = creds.connect_options().unwrap().connect(world.broker.url());
    let error = timeout(SOON, attempt).await.unwrap().unwrap_err();
    assert_eq!(
        error.kind(),
        ConnectErrorKind::AuthorizationViolation,
        "{error}"
    );
}
